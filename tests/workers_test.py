# SPDX-License-Identifier: Apache-2.0
"""`ratls serve --workers N -- COMMAND`: processes of an app that the server starts, spreads requests
over, and looks after."""

import os
import pathlib
import re
import shutil
import signal
import sys

import pytest

from conftest import SOURCE, poll, run

# Serves the inherited descriptor or a path; every answer is the process's number. /die ends it,
# /wait answers when the file named by the query exists.
APP = r"""
import os, socket, sys, threading, time

def serve(stream):
    data = b""
    with stream:
        while True:
            while b"\r\n\r\n" not in data:
                part = stream.recv(65536)
                if not part:
                    return
                data += part
            head, _, data = data.partition(b"\r\n\r\n")
            path = head.split()[1].decode()
            if path == "/die":
                os._exit(3)
            if path.startswith("/wait?"):
                open(path[6:] + ".begun", "w").close()
                while not os.path.exists(path[6:]):
                    time.sleep(0.01)
            body = str(os.getpid()).encode()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

print("app says hello")
kind, where = sys.argv[1], sys.argv[2]
if kind == "fd":
    listener = socket.socket(fileno=int(where))
elif kind == "path":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("app") / "app.py"
    path.write_text(APP)
    return path


@pytest.fixture
def edge(serving, platform, script):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--workers", "3", "--", sys.executable, script, "fd", "{fd}") as running:
        yield running


def get(ratls, policy, edge, path="/"):
    ended = run(ratls, "get", "-i", *policy, edge.url + path)
    assert ended.code == 0, ended
    status, _, body = ended.out.partition("\n")[0], 0, ended.out.rpartition("\n")[2]
    return int(status.split()[1]), body


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def children_of(pid):
    return [int(child) for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()]


def test_requests_are_spread(ratls, edge, policy):
    seen = {get(ratls, policy, edge)[1] for _ in range(9)}
    assert len(seen) == 3
    assert "app says hello" in edge.log()


def test_crashed_process_is_started_again(ratls, edge, policy):
    before = set(children_of(edge.process.pid))
    assert len(before) == 3
    assert get(ratls, policy, edge, "/die")[0] == 502
    # A GET is tried once more, so that two processes are gone; those that are left answer.
    assert get(ratls, policy, edge)[0] == 200
    after = poll(lambda: len(children_of(edge.process.pid)) == 3
                 and edge.log().count("accepts connections again") >= 2
                 and set(children_of(edge.process.pid)), "the new process")
    assert after != before
    assert "ended with status 3" in edge.log()
    assert len({get(ratls, policy, edge)[1] for _ in range(12)}) == 3


def test_killed_process_is_started_again(ratls, edge, policy):
    victim = children_of(edge.process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    for _ in range(10):
        assert get(ratls, policy, edge)[0] == 200
    poll(lambda: "accepts connections again" in edge.log(), "the new process")
    assert "was ended by signal 9" in edge.log()


def test_stops_after_the_request_in_flight(edge, ratls, policy, tmp_path):
    import threading
    answers = []
    gate = tmp_path / "gate"
    client = threading.Thread(
        target=lambda: answers.append(get(ratls, policy, edge, f"/wait?{gate}")))
    client.start()
    poll((tmp_path / "gate.begun").exists, "the request")
    processes = children_of(edge.process.pid)
    edge.process.send_signal(signal.SIGTERM)
    poll(lambda: "SIGTERM" in edge.log(), "the end of the server")
    gate.touch()
    client.join()
    assert edge.process.wait(60) == 0
    assert answers and answers[0][0] == 200
    assert not any(is_alive(process) for process in processes)


def test_processes_end_with_a_killed_server(edge):
    processes = children_of(edge.process.pid)
    edge.process.kill()
    poll(lambda: not any(is_alive(process) for process in processes), "the end of the app")


def test_socket_of_its_own(ratls, serving, platform, policy, script):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0", "--",
                 sys.executable, script, "path", "{socket}") as edge:
        assert get(ratls, policy, edge)[0] == 200
        arguments = pathlib.Path(
            f"/proc/{children_of(edge.process.pid)[0]}/cmdline").read_text().split("\0")
        folder = pathlib.Path(arguments[3]).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert edge.stop() == 0
        assert not folder.exists()


def test_address_of_its_own(ratls, serving, platform, policy, script, tmp_path):
    path = tmp_path / "own.sock"
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--upstream", f"unix:{path}", "--", sys.executable, script, "path",
                 path) as edge:
        assert get(ratls, policy, edge)[0] == 200


@pytest.mark.parametrize("command, error", [
    (["/no/such/program", "{fd}"], "command_not_run"),
    (["/bin/false", "{fd}"], "app_failed"),
    (["/bin/sh", "-c", "kill -9 $$", "{fd}"], "app_failed"),
    (["/bin/cat"], "usage"),
    (["/bin/cat", "{fd}", "{socket}"], "usage"),
])
def test_app_that_does_not_start(ratls, platform, command, error):
    ended = run(ratls, "serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                "--workers", "2", "--", *command)
    assert ended.error == error and "ready" not in ended.out, ended
    assert ended.code == {"app_failed": 8}.get(error, 2)


def test_usage(ratls, platform):
    common = ("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0")
    for options in (["--workers", "2"], ["--workers", "0", "--", "x", "{fd}"],
                    ["--upstream", "unix:/tmp/x", "--workers", "2", "--", "x"],
                    ["--upstream", "unix:/tmp/x", "--", "x", "{fd}"], ["--"]):
        ended = run(ratls, *common, *options)
        assert (ended.code, ended.error) == (2, "usage"), ended


def test_uvicorn(ratls, serving, platform, policy):
    if shutil.which("uvicorn") is None:
        pytest.skip("uvicorn is not installed")
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--workers", "2", "--", "uvicorn", "--app-dir", SOURCE / "examples/fastapi",
                 "app:app", "--fd", "{fd}") as edge:
        status, body = get(ratls, policy, edge)
        assert status == 200 and body == '{"message":"Hello World"}'
        shown = run(ratls, "get", *policy, "-H", "X-Colour: blue", edge.url + "/get_headers")
        assert '"x-colour":"blue"' in re.sub(r"\s", "", shown.out)
        assert '"x-forwarded-proto":"https"' in re.sub(r"\s", "", shown.out)
