# SPDX-License-Identifier: Apache-2.0
"""`ratls sim mount`: what is made for Gramine works on the simulated platform."""

import contextlib
import json

import pytest

from conftest import run


@pytest.fixture(scope="module")
def mounted(mountable, serving, platform, tmp_path_factory):
    """The folder in which Gramine's attestation files are."""
    folder = tmp_path_factory.mktemp("attestation")
    with serving("sim", "mount", folder, "--dir", platform) as running:
        assert running.where == str(folder)
        yield folder
        assert running.stop() == 0
    assert not folder.is_mount() and list(folder.iterdir()) == []


def quote_over(folder, report_data):
    """What a program under Gramine does."""
    (folder / "user_report_data").write_bytes(report_data)
    return (folder / "quote").read_bytes()


def test_the_files_are_gramines(mounted):
    assert (mounted / "attestation_type").read_text() == "dcap"
    report_data = bytes(range(64))
    quote = quote_over(mounted, report_data)
    assert quote[48 + 320:48 + 384] == report_data  # the last field of the report body
    assert quote_over(mounted, report_data[:5])[48 + 320:48 + 384] == report_data[:5] + bytes(59)


def test_a_quote_of_the_files_verifies(ratls, mounted, policy, tmp_path):
    file = tmp_path / "quote"
    file.write_bytes(quote_over(mounted, b"\x07" * 64))
    ended = run(ratls, "verify", "--json", *policy, "--quote", file)
    found = json.loads(ended.out)
    assert (ended.code, found["proves"], found["report_data"]) == (0, "quote", "07" * 64), ended
    inspected = run(ratls, "inspect", "--json", "--quote", file)
    assert (inspected.code, list(json.loads(inspected.out))) == (0, ["unverified"]), inspected


def test_a_server_takes_its_quotes_from_the_files(ratls, serving, mounted, policy, other_policy):
    with serving("serve", "--tee", f"gramine:{mounted}", "--listen", "127.0.0.1:0") as running:
        ended = run(ratls, "get", *policy, running.url)
        assert (ended.code, ended.out) == (0, '{"message":"Hello World"}'), ended
        assert run(ratls, "get", *other_policy, running.url).code == 4
        assert running.stop() == 0


def test_run_takes_its_quotes_from_the_files(ratls, mounted, policy, tmp_path):
    certificate = tmp_path / "crt.pem"
    ended = run(ratls, "run", "--tee", f"gramine:{mounted}", "--cert", certificate, "--key",
                tmp_path / "key.pem", "--", "/bin/true")
    assert ended.code == 0, ended
    assert run(ratls, "verify", *policy, "--cert", certificate).code == 0


def test_several_programs_do_not_disturb_each_other(ratls, serving, mounted, policy):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving("serve", "--tee", f"gramine:{mounted}", "--listen",
                                               "127.0.0.1:0")) for _ in range(3)]
        for server in servers:
            assert run(ratls, "get", *policy, server.url).code == 0


def test_a_tdx_platform_has_the_files_of_linux(ratls, serving, mountable, new_platform, policy,
                                               tmp_path):
    platform = new_platform("--tee", "tdx")
    tdx_policy = ("--policy", platform / "policy.toml")
    folder = tmp_path / "tsm"
    folder.mkdir()
    with serving("sim", "mount", folder, "--dir", platform), \
            serving("serve", "--tee", f"tdx:{folder}", "--listen", "127.0.0.1:0") as running:
        ended = run(ratls, "get", *tdx_policy, running.url)
        assert (ended.code, ended.out) == (0, '{"message":"Hello World"}'), ended
        assert run(ratls, "get", *policy, running.url).code == 4
        found = json.loads(run(ratls, "verify", "--json", *tdx_policy, running.url).out)
        assert (found["tee"], found["accepted"], found["mr_enclave"]) == ("tdx", True, None)
        assert list(folder.iterdir()) == []


def test_without_a_device_serve_says_what_is_missing(ratls, tmp_path):
    ended = run(ratls, "serve", "--tee", f"tdx:{tmp_path}/absent", "--listen", "127.0.0.1:0")
    assert (ended.code, ended.error) == (8, "quote_unavailable"), ended
    assert run(ratls, "serve", "--tee", "tdx:", "--listen", "127.0.0.1:0").code == 2
