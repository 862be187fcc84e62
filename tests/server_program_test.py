# SPDX-License-Identifier: Apache-2.0
"""`ratls-server`: the part of ratls for enclaves, which has no client and links no libcurl."""

import json
import pathlib
import subprocess

import pytest

from conftest import Service, run, started


@pytest.fixture(scope="module")
def server(ratls):
    """The program beside ratls."""
    path = pathlib.Path(ratls).with_name("ratls-server")
    assert path.is_file(), f"{path} is missing"
    return path


def test_it_links_neither_a_client_nor_fuse(server):
    libraries = run("ldd", server).out
    assert "libssl" in libraries
    assert not [name for name in ("libcurl", "libfuse", "libfmt") if name in libraries], libraries


def test_it_serves_what_ratls_verifies(ratls, server, platform, policy, tmp_path):
    with (tmp_path / "log").open("wb") as log, \
            started(server, "serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                    stdout=subprocess.PIPE, stderr=log) as process:
        service = Service(process, tmp_path / "log")
        ended = run(ratls, "get", *policy, service.url)
        assert ended.code == 0, ended
        assert service.stop() == 0


def test_it_writes_files_for_a_command(server, platform, ratls, policy, tmp_path):
    certificate, key = tmp_path / "crt", tmp_path / "key"
    ended = run(server, "run", "--tee", "sim", "--sim", platform, "--cert", certificate, "--key", key,
                "--", "/bin/true")
    assert ended.code == 0, ended
    assert run(ratls, "verify", *policy, "--cert", certificate).code == 0


@pytest.mark.parametrize("words", [["get", "https://localhost"], ["verify", "--cert", "x"], ["sim"],
                                   ["collateral", "serve", "."], ["completion", "bash"]],
                         ids=lambda words: words[0])
def test_it_has_no_other_commands(server, words):
    ended = run(server, *words)
    assert (ended.code, ended.error) == (2, "usage"), ended


@pytest.mark.parametrize("source", ["pcs", "https://pccs.example/", "http://127.0.0.1:8081/"])
def test_it_fetches_no_collateral(server, platform, source):
    ended = run(server, "serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                "--staple", source)
    assert (ended.code, ended.error) == (2, "usage"), ended


def test_it_refuses_a_file_that_asks_to_fetch(server, platform, tmp_path):
    file = tmp_path / "serve.toml"
    file.write_text('listen = "127.0.0.1:0"\ntee = "sim"\n'
                    f'sim = {json.dumps(str(platform))}\nstaple = "pcs"\n')
    ended = run(server, "serve", "--config", file, "--check")
    assert (ended.code, ended.error) == (2, "usage"), ended
    file.write_text(file.read_text().replace('"pcs"', '"collateral.json"'))
    ended = run(server, "serve", "--config", file, "--check")
    assert ended.code == 0, ended
