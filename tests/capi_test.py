# SPDX-License-Identifier: Apache-2.0
"""The C interface as a C program sees it, and the library's own outside."""

import json
import os
import pathlib
import re

import pytest

from conftest import SOURCE, run
from scripted_server import answering, respond


@pytest.fixture(scope="session")
def library():
    """The path of libratls.so, from RATLS_LIBRARY."""
    return pathlib.Path(os.environ["RATLS_LIBRARY"])


@pytest.fixture(scope="session")
def c_get():
    """The example of a client in C."""
    return os.environ["EXAMPLE_GET"]


def identity_of(ended):
    """The JSON report that the example writes behind the first line of stderr."""
    return json.loads(ended.err[ended.err.index("{"):])


def test_a_c_program_gets_an_answer(c_get, platform, service):
    ended = run(c_get, platform / "policy.toml", service.url)
    assert (ended.code, json.loads(ended.out)) == (0, {"message": "Hello World"}), ended
    assert ended.err.startswith("status: 200\n")
    identity = identity_of(ended)
    assert identity["accepted"] and identity["proves"] == "session" and identity["simulated"]
    ended = run(c_get, platform / "policy.toml", service.url, "/log_body", '{"message": "hello"}')
    assert (ended.code, json.loads(ended.out)) == (0, {"message": "Success"}), ended


def test_the_report_is_that_of_the_command(ratls, c_get, platform, policy, service):
    ended = run(ratls, "verify", *policy, "--json", service.url)
    command = json.loads(ended.out)
    library = identity_of(run(c_get, platform / "policy.toml", service.url))
    assert list(command) == list(library)
    for report in (command, library):
        report.pop("checked_at")
    assert command == library


def test_a_c_program_refuses_another_enclave(c_get, attested_files, new_platform, tmp_path):
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        ended = run(c_get, new_platform() / "policy.toml", server.url, "/", "secret")
        assert server.connections == 1 and server.requests == []
    assert (ended.code, ended.error, ended.out) == (4, "root_untrusted", ""), ended
    assert identity_of(ended)["code"] == "root_untrusted"
    assert run(c_get, tmp_path / "none.toml", "https://127.0.0.1:1").code == 2


def exported(library):
    ended = run("nm", "--dynamic", "--defined-only", "--with-symbol-versions", library)
    assert ended.code == 0, ended
    return sorted(line.split()[-1] for line in ended.out.splitlines() if line.split()[-2] != "A")


def declared():
    header = (SOURCE / "include/ratls.h").read_text()
    return re.findall(r"^RATLS_API [^;]*?\b(ratls_[a-z0-9_]+)\(", header, re.MULTILINE)


def test_exactly_the_committed_symbols_are_exported(library):
    committed = (SOURCE / "tests/capi_symbols.txt").read_text().split()
    assert exported(library) == committed
    assert sorted(name.partition("@@")[0] for name in committed) == sorted(declared())


def test_the_library_says_its_name(library):
    ended = run("readelf", "--dynamic", library)
    assert "Library soname: [libratls.so.0]" in ended.out
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", ended.out)
    assert not [name for name in needed if name.startswith(("libfuse", "libratls"))], needed
