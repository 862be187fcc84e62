# SPDX-License-Identifier: Apache-2.0
"""ratls with the system calls that Gramine has and no others (tests/support/like_gramine.cpp)."""

import errno
import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import SOURCE, run, started, Service

HELLO = '{"message":"Hello World"}'


@pytest.fixture(scope="module")
def like_gramine():
    path = pathlib.Path(os.environ.get("LIKE_GRAMINE", SOURCE / "build/test/tests/like_gramine"))
    path = path.resolve()
    assert path.is_file(), f"{path} is missing: set LIKE_GRAMINE"
    return path


@pytest.fixture(scope="module")
def confined(like_gramine, ratls, platform, tmp_path_factory):
    """`ratls serve` under the filter, with three threads and one for operations."""
    log = tmp_path_factory.mktemp("confined") / "log"
    command = (like_gramine, ratls, "serve", "--tee", "sim", "--sim", platform, "--listen",
               "127.0.0.1:0", "--threads", "3", "--admin", "127.0.0.1:0")
    with log.open("wb") as stderr, started(*command, stdout=subprocess.PIPE,
                                           stderr=stderr) as process:
        yield Service(process, log)


@pytest.mark.parametrize("call, error", [
    ("os.memfd_create('x')", errno.ENOSYS),
    ("os.utime('.')", errno.ENOSYS),
    ("os.symlink('a', 'b')", errno.ENOSYS),
    ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", errno.EAFNOSUPPORT),
    ("socket.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)", errno.ENOPROTOOPT),
    ("socket.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)", 0),
])
def test_the_filter_refuses_what_gramine_lacks(like_gramine, call, error, tmp_path):
    program = f"import os, socket, sys\ntry:\n    {call}\nexcept OSError as e:\n    sys.exit(e.errno)"
    ended = run(like_gramine, "python3", "-c", program, cwd=tmp_path)
    assert ended.code == error, ended


def test_the_server_serves(confined, ratls, policy):
    for _ in range(3):
        ended = run(ratls, "get", *policy, confined.url + "/")
        assert (ended.code, ended.out) == (0, HELLO), ended
    ended = run("curl", "-sk", "--data-binary", "@-", confined.url + "/log_body",
                stdin=b'{"message": "x"}')
    assert ended.code == 0, ended


def test_the_server_proves_sessions(confined, ratls, write_policy):
    ended = run(ratls, "get", *write_policy("\n[session]\nfresh = true\n"), confined.url + "/")
    assert (ended.code, ended.out) == (0, HELLO), ended


def test_the_server_has_few_threads(confined):
    """--threads, those for operations, renewal and session evidence, the main one: docs/gramine.md."""
    threads = list(pathlib.Path(f"/proc/{confined.process.pid}/task").iterdir())
    assert len(threads) == 3 + 4


def test_operators_are_answered(confined):
    admin = re.search(r"operations at (\S+)", confined.log())[1]
    assert run("curl", "-s", admin + "/readyz").out == "ready\n"
    assert "\nratls_start_time_seconds 1" in run("curl", "-s", admin + "/metrics").out


def test_the_client_asks(like_gramine, ratls, service, policy, other_policy):
    ended = run(like_gramine, ratls, "get", *policy, service.url + "/")
    assert (ended.code, ended.out) == (0, HELLO), ended
    ended = run(like_gramine, ratls, "get", *other_policy, service.url + "/")
    assert (ended.code, ended.error) == (4, "root_untrusted"), ended


def test_the_launcher_starts_a_program(like_gramine, ratls, platform, tmp_path):
    ended = run(like_gramine, ratls, "run", "--tee", "sim", "--sim", platform, "--cert",
                tmp_path / "crt.pem", "--key", tmp_path / "key.pem", "--", "/bin/echo", "started")
    assert (ended.code, ended.out) == (0, "started\n"), ended


APP = """
import contextlib, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
listener.listen()
while True:
    stream, _ = listener.accept()
    with stream, contextlib.suppress(OSError):
        if stream.recv(65536):
            stream.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\napp")
"""


def test_an_app_answers_behind_the_server(like_gramine, ratls, platform, policy, tmp_path):
    with (tmp_path / "log").open("wb") as stderr, \
            started(like_gramine, ratls, "serve", "--tee", "sim", "--sim", platform, "--listen",
                    "127.0.0.1:0", "--workers", "2", "--", sys.executable, "-c", APP, "{fd}",
                    stdout=subprocess.PIPE, stderr=stderr) as process:
        edge = Service(process, tmp_path / "log")
        for _ in range(4):
            ended = run(ratls, "get", *policy, edge.url + "/")
            assert (ended.code, ended.out) == (0, "app"), ended
        assert edge.stop() == 0


def test_the_first_sigterm_ends_the_server(confined):
    assert confined.stop() == 0
