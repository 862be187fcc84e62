# SPDX-License-Identifier: Apache-2.0
"""`ratls proxy`: local programs in plain HTTP on one side, an attested server on the other, which
records what it gets and misbehaves as told."""

import contextlib
import hashlib
import json
import pathlib
import socket
import threading
import time

import pytest

from conftest import DEADLINE, poll, run
from scripted_app import App, read_all, read_exactly, read_head
from scripted_server import answering, read_request, respond, scripted, server_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = App(tmp_path_factory.mktemp("app") / "app.sock")
    yield app
    app.close()


@pytest.fixture(autouse=True)
def fresh(app):
    app.reset()
    app.answer = lambda stream, head: stream.sendall(OK)


@pytest.fixture(scope="module")
def proxy(serving, platform, policy, app):
    """A proxy of a server that passes all on to the app."""
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--upstream", f"unix:{app.path}") as edge, \
            serving("proxy", "--listen", "127.0.0.1:0", edge.url, *policy) as running:
        running.server = edge
        yield running


@contextlib.contextmanager
def connected(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as stream:
        yield stream


def request(proxy, line, *headers, body=b""):
    """The bytes of one request after which the proxy is to close."""
    lines = [f"{line} HTTP/1.1", *headers, "Connection: close", "", ""]
    if not any(header.startswith("Host:") for header in headers):
        lines.insert(1, f"Host: 127.0.0.1:{proxy.port}")
    return "\r\n".join(lines).encode("latin-1") + body


def exchange(proxy, *words, **options):
    """(status, head, body) of the answer to a request."""
    with connected(proxy) as stream:
        stream.sendall(request(proxy, *words, **options))
        head, _, body = read_all(stream).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1"), body


def values(head, name):
    """All values of a header in a block of text."""
    return [line.partition(":")[2].strip() for line in head.splitlines()
            if line.lower().startswith(name.lower() + ":")]


def test_curl_reaches_the_server(proxy, app):
    ended = run("curl", "-sS", "-H", "X-Mine: 1", proxy.url + "/a/b?c=d")
    assert (ended.code, ended.out) == (0, "ok"), ended
    head = app.heads[-1]
    assert head.startswith("GET /a/b?c=d HTTP/1.1\r\n") and values(head, "X-Mine") == ["1"]
    assert values(head, "X-Forwarded-Host") == [proxy.server.url.removeprefix("https://")]
    assert proxy.url.startswith("http://127.0.0.1:")


def test_server_is_asked_in_its_own_name(serving, policy, attested_files):
    def answer(stream, head, body):
        respond(stream, b"ok", headers=(
            f"Location: {server.url}/next?a", "Set-Cookie: a=1; Secure; Path=/; SameSite=None",
            "Set-Cookie: b=2; domain=.example.org; HttpOnly", "Set-Cookie: __Host-c=3; Secure",
            "Strict-Transport-Security: max-age=1", "Alt-Svc: h3=\":443\"", "X-Ratls-Error: ok"))
    with answering(attested_files, answer) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        status, head, _ = exchange(
            proxy, "GET /", f"Origin: {proxy.url}", f"Referer: {proxy.url}/page?x",
            "X-Ratls-Identity: evil", "X-Forwarded-For: 1.2.3.4", "Keep-Alive: 5")
        url = server.url
    assert status == 200
    asked = server.requests[0][0]
    assert values(asked, "Host") == [url.removeprefix("https://")]
    assert values(asked, "Origin") == [url]
    assert values(asked, "Referer") == [url + "/page?x"]
    for name in ("X-Ratls-Identity", "X-Forwarded-For", "Forwarded", "Keep-Alive", "Connection"):
        assert values(asked, name) == []
    assert values(head, "Location") == [proxy.url + "/next?a"]
    assert values(head, "Set-Cookie") == ["a=1; Path=/", "b=2; HttpOnly", "__Host-c=3; Secure"]
    for name in ("Strict-Transport-Security", "Alt-Svc", "X-Ratls-Error"):
        assert values(head, name) == []


def test_refused_server_gets_no_byte(serving, other_policy, attested_files):
    with answering(attested_files, lambda *_: None) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *other_policy) as proxy:
        status, head, body = exchange(proxy, "POST /", "Content-Length: 6", body=b"secret")
        assert status == 502 and values(head, "X-Ratls-Error") == ["root_untrusted"]
        assert values(head, "Content-Type") == ["application/problem+json"]
        problem = json.loads(body)
        assert (problem["code"], problem["number"], problem["status"]) == ("root_untrusted", 401, 502)
        assert problem["where"] and problem["hint"]
        status, head, body = exchange(proxy, "GET /", "Accept: text/html,*/*")
        assert status == 502 and values(head, "Content-Type") == ["text/html; charset=utf-8"]
        assert b"root_untrusted" in body
        poll(lambda: server.connections == 2, "the second connection")
        assert server.requests == []
        assert "root_untrusted" in proxy.log()
        verdict = json.loads(exchange(proxy, "GET /.well-known/ratls/proxy")[2])["verdict"]
        assert (verdict["accepted"], verdict["code"]) == (False, "root_untrusted")


def test_server_without_evidence(serving, policy, plain_files):
    with answering(plain_files, lambda *_: None) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        status, head, _ = exchange(proxy, "GET /")
        assert (status, values(head, "X-Ratls-Error")) == (502, ["evidence_missing"])
        assert server.requests == []


def test_server_that_becomes_another(serving, policy, attested_files, plain_files):
    """Each connection is judged: that the first one was right says nothing about the second."""
    contexts = [server_context(attested_files), server_context(plain_files),
                server_context(attested_files)]
    asked = []

    def script(connection):
        with contexts.pop(0).wrap_socket(connection, server_side=True) as stream:
            asked.append(read_request(stream)[0])
            respond(stream, b"ok")

    with scripted(script) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        statuses = [exchange(proxy, f"GET /{number}")[0] for number in range(3)]
    assert statuses == [200, 502, 200]
    assert [head.split()[1] for head in asked] == ["/0", "/2"]


def test_server_that_is_not_there(serving, policy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with serving("proxy", "--listen", "127.0.0.1:0", f"https://127.0.0.1:{port}",
                 *policy) as proxy:
        status, head, _ = exchange(proxy, "GET /")
        assert (status, values(head, "X-Ratls-Error")) == (503, ["connection_failed"])
        status, _, body = exchange(proxy, "GET /.well-known/ratls/proxy")
        assert status == 200 and json.loads(body)["verdict"] is None


@pytest.mark.parametrize("headers, status", [
    (["Host: evil.example"], 421), (["Host: 127.0.0.1"], 421), (["Host: 127.0.0.1:1"], 421),
    (["Host: evil.example:{port}"], 421), (["Host: localhost.evil.example:{port}"], 421),
    (["Sec-Fetch-Site: cross-site"], 403), (["Sec-Fetch-Site: same-site"], 403),
    (["Origin: https://evil.example"], 403), (["Origin: null"], 403),
    (["Origin: http://127.0.0.1:1"], 403), (["Origin: https://127.0.0.1:{port}"], 403),
    (["Origin: http://127.0.0.1:{port}.evil.example"], 403),
    (["Referer: http://evil.example/127.0.0.1:{port}"], 403),
])
def test_pages_of_others_get_nothing(proxy, app, headers, status):
    headers = [header.format(port=proxy.port) for header in headers]
    assert exchange(proxy, "GET /", *headers)[0] == status
    assert exchange(proxy, "GET /.well-known/ratls/proxy", *headers)[0] == status
    assert app.heads == []


@pytest.mark.parametrize("headers", [
    ["Host: localhost:{port}"], ["Host: LOCALHOST:{port}"], ["Host: stats.localhost:{port}"],
    ["Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:{port}"], ["Sec-Fetch-Site: none"],
    ["Referer: http://127.0.0.1:{port}/a"],
])
def test_own_pages_are_served(proxy, headers):
    headers = [header.format(port=proxy.port) for header in headers]
    assert exchange(proxy, "GET /", *headers)[0] == 200


def test_it_is_no_forward_proxy(proxy, app):
    assert exchange(proxy, "GET http://evil.example/")[0] == 421
    assert exchange(proxy, "CONNECT evil.example:443")[0] == 400
    assert exchange(proxy, "CONNECT /")[0] == 405
    assert app.heads == []
    assert exchange(proxy, f"GET {proxy.url}/own")[0] == 200
    assert app.heads[-1].startswith("GET /own HTTP/1.1\r\n")


def test_smuggled_requests_are_refused(proxy, app):
    for headers in (["Content-Length: 4", "Transfer-Encoding: chunked"], ["Content-Length: 4, 5"],
                    ["Content-Length: 4", "Content-Length: 4"], ["X: a\n b"], ["A b: c"]):
        assert exchange(proxy, "POST /", *headers, body=b"0\r\n\r\n")[0] == 400
    assert app.heads == []


def test_connection_is_kept_with_its_verdict(serving, policy, attested_files):
    context = server_context(attested_files)

    def script(connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            while True:
                read_request(stream)
                stream.sendall(OK)

    with scripted(script) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        ended = run("curl", "-sS", proxy.url, proxy.url, proxy.url)
        assert ended.out == "okokok", ended
        assert server.connections == 1


def test_server_sent_events_arrive_one_by_one(proxy, app):
    seen = threading.Semaphore(0)

    def answer(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            stream.sendall(b"data: %d\n\n" % number)
            assert seen.acquire(timeout=DEADLINE)
        return False

    app.answer = answer
    with connected(proxy) as stream:
        stream.sendall(request(proxy, "GET /events"))
        read_head(stream)
        for number in range(3):
            assert read_exactly(stream, 14) == b"9\r\ndata: %d\n\n\r\n" % number
            seen.release()
        assert read_exactly(stream, 5) == b"0\r\n\r\n"


def test_websocket_is_a_tunnel(proxy, app):
    def answer(stream, head):
        assert values(head, "Origin") == [proxy.server.url]
        stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                       b"Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst")
        while (part := stream.recv(65536)) not in (b"", b"end"):
            stream.sendall(part[::-1])
        return False

    app.answer = answer
    with connected(proxy) as stream:
        stream.sendall(f"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\nOrigin: {proxy.url}"
                       "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
                       "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        assert b"Sec-WebSocket-Accept: x\r\n" in read_head(stream)
        assert read_exactly(stream, 5) == b"first"
        for text in (b"abc", b"\x00\xff" * 1000):
            stream.sendall(text)
            assert read_exactly(stream, len(text)) == text[::-1]
        stream.sendall(b"end")
        assert read_all(stream) == b""


def peak_kib(proxy):
    """The most memory that the proxy has taken."""
    with open(f"/proc/{proxy.process.pid}/status", encoding="ascii") as status:
        return int(status.read().partition("VmHWM:")[2].split()[0])


def test_large_bodies_are_not_held(proxy, app, tmp_path, ratls):
    """Neither a request's nor an answer's, to which the client listens only in the end."""
    size = 24 * 1024 * 1024
    received = hashlib.sha256()

    def answer(stream, head):
        left = int(values(head, "Content-Length")[0])
        while left > 0:
            part = stream.recv(65536)
            received.update(part)
            left -= len(part)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        stream.sendall(bytes(size))
        return True

    assert exchange(proxy, "GET /")[0] == 200
    before = peak_kib(proxy)
    app.answer = answer
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * (size // 256))
    ended = run("curl", "-sS", "-o", tmp_path / "answer", "-H", "Expect:", "-T", body,
                proxy.url + "/big")
    assert ended.code == 0, ended
    assert received.hexdigest() == hashlib.sha256(body.read_bytes()).hexdigest()
    assert (tmp_path / "answer").read_bytes() == bytes(size)
    if b"__asan_init" not in pathlib.Path(ratls).read_bytes():  # it keeps what was freed
        assert peak_kib(proxy) - before < 8 * 1024


def test_slow_reader_gets_all(proxy, app):
    """The app is held up until the client reads, and then all arrives."""
    size = 32 * 1024 * 1024
    sent = []

    def answer(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            stream.sendall(bytes(65536))
            sent.append(65536)
        return False

    def is_held_up():
        before = len(sent)
        time.sleep(0.3)
        return 0 < before == len(sent)

    app.answer = answer
    with connected(proxy) as stream:
        stream.sendall(request(proxy, "GET /slow"))
        poll(is_held_up, "the end of the buffers' room")
        assert sum(sent) < size
        read_head(stream)
        arrived = 0
        while part := stream.recv(65536):
            arrived += len(part)
        assert arrived == size


@pytest.mark.parametrize("announced", ["Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n",
                                       ""])
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_cut_answer_looks_cut(serving, policy, attested_files, announced, version):
    """Also one that ends with its connection: somebody on the way may have ended that."""
    def answer(stream, head, body):
        stream.sendall(f"HTTP/1.1 200 OK\r\n{announced}\r\n3\r\nabc\r\n".encode())

    with answering(attested_files, answer) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        ended = run("curl", "-sS", version, proxy.url)
        assert ended.code != 0 and "abc" in ended.out, ended


def test_slow_handshake_has_the_time_of_an_answer(serving, policy, attested_files):
    context = server_context(attested_files)

    def script(connection):
        time.sleep(6.5)  # longer than a connection to an app may take
        with context.wrap_socket(connection, server_side=True) as stream:
            read_request(stream)
            stream.sendall(OK)

    with scripted(script) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        assert run("curl", "-sS", proxy.url).out == "ok"


def test_answer_that_ends_with_close_notify_is_whole(serving, policy, attested_files):
    def answer(stream, head, body):
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\nabc")
        with contextlib.suppress(OSError):
            stream.unwrap()

    with answering(attested_files, answer) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *policy) as proxy:
        ended = run("curl", "-sS", proxy.url)
        assert (ended.code, ended.out) == (0, "abc"), ended


def test_status_tells_whom_it_has_verified(proxy):
    assert exchange(proxy, "GET /")[0] == 200
    status, head, body = exchange(proxy, "GET /.well-known/ratls/proxy")
    assert status == 200 and values(head, "Cache-Control") == ["no-store"]
    told = json.loads(body)
    assert told["server"] == proxy.server.url
    assert told["verdict"]["accepted"] and told["verdict"]["simulated"]
    assert told["verdict"]["proves"] == "session"


def test_own_paths_are_not_passed_on(proxy, app):
    for path in ("/.well-known/ratls/collateral", "/.well-known//ratls/proxy"):
        assert exchange(proxy, f"GET {path}")[0] == 404
    assert app.heads == []


def test_ends_with_zero(serving, service, policy):
    with serving("proxy", "--listen", "127.0.0.1:0", service.url, *policy) as proxy:
        assert exchange(proxy, "GET /")[0] == 200
        assert proxy.stop() == 0


@pytest.mark.parametrize("words, error", [
    (["--listen", "0.0.0.0:0", "https://localhost:1"], "config_invalid"),
    (["--listen", "nonsense", "https://localhost:1"], "usage"),
    (["--listen", "127.0.0.1:0", "https://localhost:1/path"], "url_invalid"),
    (["--listen", "127.0.0.1:0", "https://localhost:1/?query"], "url_invalid"),
    (["--listen", "127.0.0.1:0", "http://localhost:1"], "url_invalid"),
    (["https://localhost:1"], "usage"),
])
def test_what_cannot_be_is_refused(ratls, policy, words, error):
    ended = run(ratls, "proxy", *words, *policy)
    assert (ended.code, ended.error) == (2, error), ended


def test_policy_is_needed(ratls):
    ended = run(ratls, "proxy", "--listen", "127.0.0.1:0", "https://localhost:1")
    assert (ended.code, ended.error) == (2, "policy_empty"), ended


def test_sessions_are_fresh_where_the_policy_says_so(serving, service, write_policy, attested_files):
    fresh = write_policy("[session]\nfresh = true\n")
    with serving("proxy", "--listen", "127.0.0.1:0", service.url, *fresh) as proxy:
        assert run("curl", "-s", proxy.url).out == '{"message":"Hello World"}'
        status = json.loads(run("curl", "-s", proxy.url + "/.well-known/ratls/proxy").out)
        assert '"fresh": true' in json.dumps(status), status

    def decline(stream, _head, _body):
        stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with answering(attested_files, decline) as server, \
            serving("proxy", "--listen", "127.0.0.1:0", server.url, *fresh) as proxy:
        ended = run("curl", "-s", "-d", "secret", proxy.url)
        assert "evidence_not_fresh" in ended.out, ended
        assert "secret" not in str(server.requests)


def test_other_addresses_only_when_said_so(serving, service, policy):
    with serving("proxy", "--listen", "0.0.0.0:0", "--dangerous-any-address", "--name", "Gate",
                 service.url, *policy) as proxy:
        assert exchange(proxy, "GET /", f"Host: gate:{proxy.port}")[0] == 200
        assert exchange(proxy, "GET /", f"Host: localhost:{proxy.port}")[0] == 421
