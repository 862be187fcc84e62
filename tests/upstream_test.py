# SPDX-License-Identifier: Apache-2.0
"""`ratls serve --upstream`: requests that an app answers, with curl and raw bytes as clients and an
app of the test's own, which records what it gets and misbehaves as told."""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import ssl
import threading
import time

import pytest

from conftest import DEADLINE, poll, run
from scripted_app import App, read_all, read_exactly, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = App(tmp_path_factory.mktemp("app") / "app.sock")
    yield app
    app.close()


@pytest.fixture(scope="module")
def edge(serving, platform, app):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--upstream", f"unix:{app.path}") as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(app):
    app.reset()
    app.answer = lambda stream, head: stream.sendall(OK)


@pytest.fixture(scope="module")
def most_kib(ratls):
    """The memory that a server may take; AddressSanitizer keeps 256 MiB of what was freed."""
    sanitized = b"__asan_init" in pathlib.Path(ratls).read_bytes()
    return (400 if sanitized else 100) * 1024


@contextlib.contextmanager
def connected(edge):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", edge.port), DEADLINE) as plain, \
            context.wrap_socket(plain) as stream:
        yield stream


def exchange(edge, request):
    """All that comes back for the bytes of a request, until the server closes."""
    with connected(edge) as stream:
        stream.sendall(request)
        return read_all(stream)


def closing(head, body=b""):
    return b"\r\n".join([head, b"Host: h", b"Connection: close", b"", b""]) + body


def field(head, name):
    """All values of a header in a block of text."""
    return re.findall(rf"^{re.escape(name)}: (.*)\r$", head, re.MULTILINE | re.IGNORECASE)


def test_passes_a_request_on(ratls, edge, app, policy):
    ended = run(ratls, "get", *policy, edge.url + "/a/b?c=d")
    assert (ended.code, ended.out) == (0, "ok"), ended
    head = app.heads[-1]
    assert head.startswith("GET /a/b?c=d HTTP/1.1\r\n")
    assert field(head, "Host") == [f"127.0.0.1:{edge.port}"]
    assert field(head, "X-Forwarded-For") == ["127.0.0.1"]
    assert field(head, "X-Forwarded-Proto") == ["https"]
    assert field(head, "X-Forwarded-Host") == [f"127.0.0.1:{edge.port}"]
    assert field(head, "Forwarded") == [
        f'for=127.0.0.1;proto=https;host="127.0.0.1:{edge.port}"']
    assert field(head, "Via") == ["1.1 ratls"]


def test_what_clients_may_not_say_does_not_arrive(edge, app):
    exchange(edge, b"\r\n".join([
        b"GET / HTTP/1.1", b"Host: h", b"Connection: close, X-Hop", b"X-Hop: 1", b"X-End: 2",
        b"Forwarded: for=evil", b"X-Forwarded-For: evil", b"x-forwarded-user: evil",
        b"X_Forwarded_For: evil", b"X-Real-IP: evil", b"X-Ratls-Identity: evil",
        b"x_ratls_identity: evil", b"TE: trailers", b"Keep-Alive: evil", b"Upgrade: h2c",
        b"Proxy-Authorization: evil", b"", b""]))
    head = app.heads[-1]
    assert "evil" not in head and "h2c" not in head
    assert field(head, "X-Hop") == [] and field(head, "Connection") == []
    assert field(head, "X-End") == ["2"]


def test_absolute_form_becomes_origin_form(edge, app):
    exchange(edge, b"GET https://other.example/x?y HTTP/1.1\r\nHost: h\r\n"
                   b"Connection: close\r\n\r\n")
    assert app.heads[-1].startswith("GET /x?y HTTP/1.1\r\nHost: other.example\r\n")


@pytest.mark.parametrize("path", ["/.well-known/ratls/collateral", "/.well-known/ratls/x",
                                  "/%2ewell-known/ratls/x", "/a/../.well-known/ratls/x",
                                  "//.well-known//ratls/x", "/.well-known/%72atls"])
def test_its_own_paths_are_never_passed_on(edge, app, path):
    answer = exchange(edge, closing(f"GET {path} HTTP/1.1".encode()))
    assert answer.split()[1] in (b"200", b"404")
    assert app.heads == []


def test_large_body_for_its_own_paths_is_refused(edge, app):
    answer = exchange(edge, b"POST /.well-known/ratls/x HTTP/1.1\r\nHost: h\r\n"
                            b"Content-Length: 20000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ") and app.heads == []


def test_connections_to_the_app_are_kept(edge, app):
    with connected(edge) as stream:
        for _ in range(5):
            stream.sendall(REQUEST)
            assert read_head(stream).startswith(b"HTTP/1.1 200 OK\r\n")
            assert read_exactly(stream, 2) == b"ok"
    assert len(app.heads) == 5
    assert app.connections <= 1  # none, where an earlier test has left one


def test_pipelined_requests_are_answered_in_order(edge, app):
    def answer(stream, head):
        path = head.split()[1].encode()
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))
    app.answer = answer
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(20))
    answers = exchange(edge, requests + closing(b"GET /end HTTP/1.1"))
    assert re.findall(rb"\r\n\r\n(/[0-9a-z]+)", answers) == [
        *(b"/%d" % n for n in range(20)), b"/end"]


def test_bodies_stream_both_ways(edge, app, most_kib):
    size = 64 * 1024 * 1024

    def answer(stream, head):
        stream.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        left = size
        while left > 0:
            part = stream.recv(min(left, 1 << 16))
            left -= len(part)
            stream.sendall(part)
    app.answer = answer
    block = bytes(range(256)) * 256
    with connected(edge) as stream:
        stream.sendall(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode())
        # One block is on its way at a time: each has to come back before the next is sent.
        for count in range(size // len(block)):
            stream.sendall(block)
            if count == 0:
                read_head(stream)
            assert read_exactly(stream, len(block)) == block
        assert memory_kib(edge) < most_kib


def memory_kib(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+([0-9]+)", status.read())[1])


def test_chunked_bodies_both_ways(edge, app):
    def answer(stream, head):
        assert field(head, "Transfer-Encoding") == ["chunked"]
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += stream.recv(65536)
        app.heads.append(body.decode())
        stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: no\r\n\r\n")
    app.answer = answer
    got = exchange(edge, b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n")
    assert app.heads[-1] == "3\r\nxyz\r\n0\r\n\r\n"
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head and b"Trailer" not in got
    assert body == b"5\r\nabcde\r\n0\r\n\r\n"


def test_answer_that_ends_with_the_connection(edge, app):
    def answer(stream, head):
        stream.sendall(b"HTTP/1.0 200 OK\r\n\r\nto the end")
        return False
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(REQUEST)
        assert b"Transfer-Encoding: chunked" in read_head(stream)
        assert read_exactly(stream, 15) == b"a\r\nto the end\r\n"
    old = exchange(edge, b"GET / HTTP/1.0\r\n\r\n")
    assert old.endswith(b"\r\n\r\nto the end") and b"chunked" not in old


def test_head_and_no_content(edge, app):
    app.answer = lambda stream, head: stream.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" if head.startswith("HEAD")
        else b"HTTP/1.1 204 No Content\r\n\r\n")
    with connected(edge) as stream:
        for _ in range(2):
            stream.sendall(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"Content-Length: 100\r\n" in read_head(stream)
            stream.sendall(REQUEST)
            assert read_head(stream).startswith(b"HTTP/1.1 204 ")
    assert app.connections <= 1


def test_interim_answers(edge, app):
    app.answer = lambda stream, head: stream.sendall(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
    got = exchange(edge, closing(b"GET / HTTP/1.1"))
    assert got.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_server_sent_events_arrive_one_by_one(edge, app):
    seen = threading.Semaphore(0)

    def answer(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            stream.sendall(b"data: %d\n\n" % number)
            assert seen.acquire(timeout=DEADLINE)
        return False
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(REQUEST)
        read_head(stream)
        for number in range(3):
            assert read_exactly(stream, 14) == b"9\r\ndata: %d\n\n\r\n" % number
            seen.release()
        assert read_exactly(stream, 5) == b"0\r\n\r\n"


def websocket_request():
    return (b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def test_websocket_is_a_tunnel(edge, app):
    def answer(stream, head):
        assert field(head, "Upgrade") == ["websocket"] and field(head, "Connection") == ["Upgrade"]
        stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                       b"Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst")
        while True:
            part = stream.recv(65536)
            if not part or part == b"end":
                return False
            stream.sendall(part[::-1])
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(websocket_request())
        assert b"Sec-WebSocket-Accept: x\r\n" in read_head(stream)
        assert read_exactly(stream, 5) == b"first"
        for text in (b"abc", b"\x00\xff" * 1000):
            stream.sendall(text)
            assert read_exactly(stream, len(text)) == text[::-1]
        stream.sendall(b"end")
        assert read_all(stream) == b""


def test_upgrade_that_was_not_asked_for(edge, app):
    app.answer = lambda stream, head: stream.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert exchange(edge, closing(b"GET / HTTP/1.1")).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("answer", [
    b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1 099 X\r\n\r\n", b"HTTP/1.1 600 X\r\n\r\n", b"HTTP/1.1 2000 X\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcxx5\r\n",
    b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
])
def test_bad_answers_are_bad_gateways(edge, app, answer):
    def give(stream, head):
        stream.sendall(answer)
        return False
    app.answer = give
    with connected(edge) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        head = read_head(stream).decode()
        assert head.startswith("HTTP/1.1 502 Bad Gateway\r\n")
        body = read_exactly(stream, int(field(head, "Content-Length")[0]))
        assert "app" in json.loads(body)["error"]
        # The connection to the client is none the worse for it.
        app.answer = lambda stream, head: stream.sendall(OK)
        stream.sendall(REQUEST)
        assert read_head(stream).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nonly",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
])
def test_cut_answer_is_cut_for_the_client_too(ratls, edge, app, policy, answer):
    def give(stream, head):
        stream.sendall(answer)
        return False
    app.answer = give
    ended = run(ratls, "get", *policy, edge.url + "/")
    assert ended.code == 8 and ended.error == "connection_closed", ended


def test_request_is_repeated_only_when_that_is_safe(edge, app):
    answers = iter([None, OK, None])

    def give(stream, head):
        answer = next(answers)
        if answer is None:
            return False
        stream.sendall(answer)
        return True
    app.answer = give
    assert exchange(edge, closing(b"GET / HTTP/1.1")).startswith(b"HTTP/1.1 200 ")
    assert len(app.heads) == 2
    post = closing(b"POST / HTTP/1.1\r\nContent-Length: 2", b"ab")
    assert exchange(edge, post).startswith(b"HTTP/1.1 502 ")
    assert len(app.heads) == 3


def test_early_answer_to_a_large_body(edge, app):
    app.answer = lambda stream, head: stream.sendall(
        b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ) or False
    with connected(edge) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
        head = read_head(stream)
        assert head.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in head


def test_client_that_leaves_ends_the_request(edge, app):
    left = threading.Event()

    def answer(stream, head):
        if stream.recv(1) == b"":
            left.set()
        return False
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(REQUEST)
        poll(lambda: app.heads, "the request")
    assert left.wait(DEADLINE)


def test_bad_chunk_in_a_request(edge, app):
    app.answer = lambda stream, head: read_all(stream) and False
    got = exchange(edge, b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"3\r\nabcXX\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")


def test_expectation_is_met_by_the_edge(edge, app):
    def answer(stream, head):
        assert field(head, "Expect") == []
        assert read_exactly(stream, 2) == b"ab"
        stream.sendall(OK)
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                       b"Expect: 100-continue\r\n\r\n")
        assert read_head(stream) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(b"ab")
        assert read_head(stream).startswith(b"HTTP/1.1 200 ")


def test_slow_reader_holds_the_app_back(edge, app, most_kib):
    sent = []

    def answer(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            stream.sendall(b"x" * 65536)
            sent.append(65536)
    app.answer = answer
    with connected(edge) as stream:
        stream.sendall(REQUEST)
        read_head(stream)
        poll(lambda: sent and time.sleep(0.5) is None, "the first part")
        before = sum(sent)
        time.sleep(0.5)
        assert sum(sent) == before < 50_000_000
    assert memory_kib(edge) < most_kib


def test_app_that_is_not_there(ratls, serving, platform, policy, tmp_path):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--upstream", f"unix:{tmp_path}/none.sock") as edge:
        ended = run(ratls, "get", "-i", *policy, edge.url + "/")
        assert ended.code == 0 and "502\n" in ended.out and "cannot be reached" in ended.out, ended
        assert "secret" not in edge.log()
        run(ratls, "get", *policy, edge.url + "/x?secret=1")
        assert "GET /x" in edge.log() and "secret" not in edge.log()


@pytest.mark.parametrize("address", ["http://10.0.0.1:80", "http://example.com:80", "unix:",
                                     "http://127.0.0.1", "http://127.0.0.1:0", "127.0.0.1:80",
                                     "https://127.0.0.1:443", "http://127.0.0.1:80/x",
                                     "unix:" + "a" * 108])
def test_bad_addresses(ratls, platform, address):
    ended = run(ratls, "serve", "--tee", "sim", "--sim", platform, "--upstream", address)
    assert ended.code == 2 and ended.error == "usage", ended


def test_tcp_is_refused_in_an_enclave(ratls, tmp_path):
    ended = run(ratls, "serve", "--tee", f"gramine:{tmp_path}", "--upstream",
                "http://127.0.0.1:80")
    assert ended.code == 2 and "host" in ended.err, ended


def test_tcp_elsewhere(ratls, serving, platform, policy):
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_one():
        stream, _ = listener.accept()
        with stream:
            read_head(stream)
            stream.sendall(OK)
    threading.Thread(target=answer_one, daemon=True).start()
    with listener, serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                           "--upstream",
                           f"http://127.0.0.1:{listener.getsockname()[1]}") as edge:
        ended = run(ratls, "get", *policy, edge.url + "/")
        assert (ended.code, ended.out) == (0, "ok"), ended


WEBSOCKET_APP = """
from fastapi import FastAPI, WebSocket
app = FastAPI()

@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text((await socket.receive_text())[::-1])
"""


def test_websocket_with_uvicorn_and_a_real_client(serving, platform, tmp_path):
    asyncio, websockets = pytest.importorskip("asyncio"), pytest.importorskip("websockets")
    if shutil.which("uvicorn") is None:
        pytest.skip("uvicorn is not installed")
    (tmp_path / "chat.py").write_text(WEBSOCKET_APP)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    async def talk(port):
        async with websockets.connect(f"wss://127.0.0.1:{port}/echo", ssl=context) as client:
            for text in ("abc", "x" * 100_000 + "y"):
                await client.send(text)
                assert await asyncio.wait_for(client.recv(), DEADLINE) == text[::-1]

    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0", "--",
                 "uvicorn", "--app-dir", tmp_path, "chat:app", "--fd", "{fd}") as edge:
        asyncio.run(talk(edge.port))
