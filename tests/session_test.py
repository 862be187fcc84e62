# SPDX-License-Identifier: Apache-2.0
"""Fresh evidence for each TLS session: `[session] fresh = true`."""

import contextlib
import json
import threading

import pytest

from conftest import DEADLINE, run
from scripted_app import App
from scripted_server import answering

PATH = "/.well-known/ratls/session-evidence"
NONCE = "?nonce=" + "5a" * 32


@pytest.fixture
def fresh(write_policy):
    return write_policy("\n[session]\nfresh = true\n")


def test_every_command_asks_for_it(ratls, service, fresh):
    ended = run(ratls, "get", *fresh, service.url + "/")
    assert (ended.code, ended.out) == (0, '{"message":"Hello World"}'), ended
    ended = run(ratls, "post", *fresh, "-d", '{"message":"x"}', service.url + "/log_body")
    assert ended.code == 0, ended
    ended = run(ratls, "verify", "--json", *fresh, service.url)
    assert (ended.code, json.loads(ended.out)["fresh"]) == (0, True), ended


def test_without_the_demand_nobody_asks(ratls, service, policy):
    ended = run(ratls, "verify", "--json", *policy, service.url)
    assert (ended.code, json.loads(ended.out)["fresh"]) == (0, False), ended


def test_a_server_without_it_is_refused(ratls, fresh, attested_files):
    def decline(stream, _head, _body):
        stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with answering(attested_files, decline) as server:
        ended = run(ratls, "post", *fresh, "-d", "secret", server.url + "/private")
        assert (ended.code, ended.error) == (7, "evidence_not_fresh"), ended
    assert [head.splitlines()[0].partition("?")[0] for head, _ in server.requests] == [f"GET {PATH}"]


def test_a_server_can_be_told_to_make_none(ratls, serving, platform, fresh):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--no-session-evidence") as running:
        ended = run(ratls, "get", *fresh, running.url + "/")
        assert (ended.code, ended.error) == (7, "evidence_not_fresh"), ended
        assert all(word in ended.err for word in ("error:", "where:", "hint:")), ended


def test_a_certificate_alone_is_never_fresh(ratls, fresh, attested_files):
    ended = run(ratls, "verify", "--json", *fresh, "--cert", attested_files[0])
    report = json.loads(ended.out)
    assert (ended.code, report["fresh"], report["proves"]) == (0, False, "certificate"), ended


@pytest.mark.parametrize("request_line, status", [
    (["-X", "POST", PATH + NONCE], 405),
    (["-I", PATH + NONCE], 400),
    ([PATH], 400),
    ([PATH + "?nonce="], 400),
    ([PATH + NONCE + "00"], 400),
    ([PATH + NONCE[:-1] + "x"], 400),
    ([PATH + NONCE + "&x=1"], 400),
    ([PATH + "?x=1" + NONCE], 400),
    ([PATH + "/" + NONCE], 404),
    ([PATH + NONCE], 200),
])
def test_what_is_asked_for_must_be_exact(service, request_line, status):
    *options, target = request_line
    ended = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code} %{content_type}", *options,
                service.url + target)
    assert ended.out.startswith(str(status)), ended
    assert status != 200 or ended.out.endswith(" application/cbor")


def test_each_connection_has_its_own(service, tmp_path):
    def ask(name):
        run("curl", "-sk", "-o", tmp_path / name, service.url + PATH + NONCE)
        return (tmp_path / name).read_bytes()
    first, second = ask("first"), ask("second")
    assert len(first) > 1000 and first != second


def test_what_comes_behind_waits_for_its_turn(service):
    """Two questions and an ordinary request on one connection."""
    ended = run("curl", "-sk", "--output", "/dev/null", "--output", "/dev/null", "--output", "-",
                "-w", "%{http_code} %{num_connects}\n", service.url + PATH + NONCE,
                service.url + PATH + NONCE, service.url + "/")
    assert ended.out == '200 1\n200 0\n{"message":"Hello World"}200 0\n', ended


def test_behind_the_server_an_app_answers(ratls, serving, platform, fresh, tmp_path):
    app = App(tmp_path / "app.sock")
    app.answer = lambda stream, head: stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp")
    with contextlib.closing(app), \
            serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                    "--upstream", f"unix:{app.path}") as edge:
        ended = run(ratls, "get", *fresh, edge.url + "/a")
        assert (ended.code, ended.out) == (0, "app"), ended
        assert [head.splitlines()[0] for head in app.heads] == ["GET /a HTTP/1.1"]


def test_many_at_once(ratls, service, fresh):
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(
        run(ratls, "get", *fresh, service.url + "/").code)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert codes == [0] * 16
