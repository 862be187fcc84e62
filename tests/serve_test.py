# SPDX-License-Identifier: Apache-2.0
"""`ratls serve` with curl, openssl and raw bytes as its clients."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import ssl

import pytest

from conftest import DEADLINE, fetched_certificate, poll, run

HELLO = '{"message":"Hello World"}'


@pytest.fixture(scope="module")
def ca(service, tmp_path_factory):
    """The service's certificate, for clients that trust exactly this one."""
    path = tmp_path_factory.mktemp("ca") / "crt.pem"
    path.write_text(fetched_certificate(service.url))
    return path


def curl(*arguments):
    return run("curl", "--silent", "--show-error", *arguments)


def s_client(service, request, *options):
    """The bytes that a server sends back for the bytes of a request, until it closes."""
    ended = run("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{service.port}", *options,
                stdin=request)
    return ended.out


@contextlib.contextmanager
def tls_stream(service):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as plain, \
            context.wrap_socket(plain) as stream:
        yield stream


def read_answer(stream):
    """(head, body) of one answer with a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += stream.recv(65536) or pytest.fail(f"cut: {received!r}")
    head, _, body = received.partition(b"\r\n\r\n")
    size = int(re.search(rb"Content-Length: ([0-9]+)", head)[1])
    while len(body) < size:
        body += stream.recv(65536) or pytest.fail("cut")
    return head.decode(), body.decode()


# curl


def test_curl_without_verification(service):
    ended = curl("-k", service.url)
    assert (ended.code, ended.out) == (0, HELLO), ended


def test_curl_with_the_certificate_as_ca(service, ca):
    for host in ("127.0.0.1", "localhost"):
        ended = curl("--cacert", ca, f"https://{host}:{service.port}/")
        assert (ended.code, ended.out) == (0, HELLO), ended
    other_name = curl("--cacert", ca, "--resolve", f"other.test:{service.port}:127.0.0.1",
                      f"https://other.test:{service.port}/")
    assert other_name.code == 60, other_name
    assert curl(service.url).code == 60  # nobody has signed it


def test_the_three_routes(service, ca):
    ended = curl("--cacert", ca, "-H", "X-Two: 1", "-H", "X-Two: 2", service.url + "/get_headers")
    assert json.loads(ended.out)["headers"]["x-two"] == "1, 2"
    ended = curl("--cacert", ca, "-d", '{"message": "by curl"}', service.url + "/log_body")
    assert json.loads(ended.out) == {"message": "Success"}
    poll(lambda: "by curl" in service.log(), "the message in the log")


def test_tls12_is_refused_unless_asked_for(service, serving, platform):
    assert curl("-k", "--tls-max", "1.2", service.url).code == 35
    with serving("serve", "--tls12", "--tee", "sim", "--sim", platform, "--listen",
                 "127.0.0.1:0") as older:
        assert curl("-k", "--tls-max", "1.2", older.url).out == HELLO
        assert curl("-k", "--tls-max", "1.1", older.url).code == 35
        assert curl("-k", older.url).out == HELLO


def test_one_connection_serves_many_requests(service):
    ended = curl("-k", "-w", "\n%{num_connects}\n", service.url, service.url, service.url)
    assert ended.out.split("\n")[1::2] == ["1", "0", "0"], ended


def test_head_has_no_body(service):
    with_body, head = curl("-k", "-i", service.url), curl("-k", "-I", service.url)
    assert head.out.startswith("HTTP/1.1 200 ") and head.out.endswith("\r\n\r\n")
    assert f"Content-Length: {len(HELLO)}\r\n" in head.out
    assert with_body.out.endswith(HELLO)


@pytest.mark.parametrize("options, path, status", [
    ([], "/nowhere", 404),
    ([], "/log_body", 405),
    (["-X", "DELETE"], "/", 405),
    (["-X", "BREW"], "/", 405),
    (["-d", "{"], "/log_body", 422),
    ([], "/?query", 200),
    (["-X", "OPTIONS", "--request-target", "*"], "/", 404),
])
def test_status(service, options, path, status):
    ended = curl("-k", "-i", *options, service.url + path)
    assert ended.out.startswith(f"HTTP/1.1 {status} "), ended
    assert status != 405 or "\r\nAllow: " in ended.out


def test_a_large_body_is_413(service, tmp_path):
    body = tmp_path / "body"
    with body.open("wb") as file:
        file.truncate((16 << 20) + 1)
    for framing in ([], ["-H", "Transfer-Encoding: chunked"]):
        ended = curl("-k", "-o", "/dev/null", "-w", "%{http_code}", *framing, "--data-binary",
                     f"@{body}", service.url + "/log_body")
        assert ended.out == "413", ended


def test_a_body_within_the_limit_arrives(service, tmp_path):
    body = tmp_path / "body"
    body.write_text(json.dumps({"message": "m", "more": "x" * (8 << 20)}))
    for framing in ([], ["-H", "Transfer-Encoding: chunked"]):
        ended = curl("-k", *framing, "--data-binary", f"@{body}", service.url + "/log_body")
        assert json.loads(ended.out) == {"message": "Success"}, ended


# openssl s_client


def test_the_session_has_no_ticket(service):
    ended = run("openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{service.port}",
                stdin=b"GET / HTTP/1.0\r\n\r\n")
    assert HELLO in ended.out
    assert "New, TLSv1.3" in ended.out and "X25519" in ended.out
    assert "Session Ticket arrived" not in ended.out and "TLS session ticket:" not in ended.out


@pytest.mark.parametrize("options", [["-alpn", "h2"], ["-groups", "P-521"], ["-tls1_2"]])
def test_other_protocols_are_refused_in_the_handshake(service, options):
    assert s_client(service, b"GET / HTTP/1.0\r\n\r\n", *options) == ""


def test_http10_ends_with_the_answer(service):
    answer = s_client(service, b"GET / HTTP/1.0\r\n\r\n")
    assert answer.startswith("HTTP/1.1 200 ") and answer.endswith(HELLO)
    assert "Connection: close" in answer


def test_http10_can_be_kept(service):
    answer = s_client(service, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                               b"GET / HTTP/1.0\r\n\r\n")
    assert answer.count("HTTP/1.1 200 ") == 2
    assert answer.count("Connection: keep-alive") == 1


SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("head, status", [
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n",
     400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 30\r\n", 400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n", 400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n", 400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n", 400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nX: a\r\n Content-Length: 4\r\n", 400),
    (b"POST /log_body HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 4\r\n", 400),
    (b"POST /log_body HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
    (b"GET / HTTP/1.1\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n", 505),
])
def test_ambiguous_requests_end_the_connection(service, head, status):
    answer = s_client(service, head + b"\r\n" + b"0\r\n\r\n" + SECOND)
    assert answer.startswith(f"HTTP/1.1 {status} "), answer
    assert answer.count("HTTP/1.1 ") == 1 and "Connection: close" in answer


def test_a_bad_chunk_ends_the_connection(service):
    for chunk in (b"-1\r\n", b"4 \r\nabcdX\r\n", b"0x4\r\n", b"fffffffffffffffff\r\n",
                  b"4\nabcd\r\n"):
        answer = s_client(service, b"POST /log_body HTTP/1.1\r\nHost: a\r\n"
                                   b"Transfer-Encoding: chunked\r\n\r\n" + chunk + SECOND)
        assert re.match("HTTP/1.1 4(00|13) ", answer), (chunk, answer)
        assert answer.count("HTTP/1.1 ") == 1


def test_pipelined_requests_are_answered_in_order(service):
    body = b'{"message": "piped"}'
    answer = s_client(service, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                               b"POST /log_body HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
                               b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                      % (len(body), body))
    assert re.findall(r"HTTP/1\.1 ([0-9]+)", answer) == ["200", "200", "404"]


def test_plain_http_gets_no_answer(service):
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert not stream.recv(65536).startswith(b"HTTP")
    assert curl("-k", service.url).out == HELLO


# Keys and certificates


def test_each_start_has_another_key(ratls, serving, platform):
    keys = set()
    for _ in range(2):
        with serving("serve", "--tee", "sim", "--sim", platform, "--listen",
                     "127.0.0.1:0") as running:
            shown = json.loads(run(ratls, "inspect", "--json", running.url).out)
            keys.add(shown["unverified"]["certificate"]["key_sha256"])
    assert len(keys) == 2


def test_nothing_is_written(serving, new_platform, tmp_path):
    folder = new_platform()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0",
                 cwd=tmp_path) as running:
        assert curl("-k", running.url).out == HELLO
        files = run("find", f"/proc/{running.process.pid}/fd", "-lname", "/*", "-printf", "%l\n")
        assert running.stop() == 0
    opened = {line for line in files.out.splitlines() if not line.startswith("/dev/")}
    assert {path for path in opened if not path.endswith("/log")} == set()
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_names_of_the_command_line_are_in_the_certificate(serving, platform, tmp_path):
    ca_file = tmp_path / "crt.pem"
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "localhost:0", "--name",
                 "stats.example", "--name", "192.0.2.7", "--key-type", "p384",
                 "--no-legacy-extension") as running:
        # By address: a bare root folder has no hosts file to tell openssl of localhost.
        assert running.url.startswith("https://localhost:")
        ca_file.write_text(fetched_certificate(f"https://127.0.0.1:{running.port}"))
        ended = curl("--cacert", ca_file, "--connect-to",
                     f"stats.example::127.0.0.1:{running.port}", "https://stats.example/")
        assert ended.out == HELLO, ended
    shown = run("openssl", "x509", "-noout", "-text", "-in", ca_file).out
    assert "DNS:stats.example" in shown and "IP Address:192.0.2.7" in shown
    assert "secp384r1" in shown and "2.23.133.5.4.9" in shown
    assert shown.count("1337") == 0


# The log


def test_the_log_has_no_words_of_requests(silent_service):
    for words in (["-H", "Authorization: Bearer hushhush"], ["-H", "Cookie: c=hushhush"]):
        assert curl("-k", *words, silent_service.url + "/?token=hushhush").code == 0
        assert curl("-k", *words, silent_service.url + "/hushhush").code == 0
    assert curl("-k", "-d", '{"hushhush": 1}', silent_service.url + "/log_body?hushhush").code == 0
    s_client(silent_service, b"GET /?hushhush HTTP/1.1\r\nhushhush\r\n\r\n")
    assert curl("-k", "-d", '{"message": "the last word"}', silent_service.url + "/log_body").code == 0
    poll(lambda: "the last word" in silent_service.log(), "the last message")
    assert "hushhush" not in silent_service.log()


def test_a_message_cannot_forge_a_line_of_the_log(service):
    message = "forged\r\n2026-01-01T00:00:00Z info \x1b[2J\u009b\u202e\x00 end"
    ended = curl("-k", "--data-binary", json.dumps({"message": message}),
                 service.url + "/log_body")
    assert json.loads(ended.out) == {"message": "Success"}, ended
    log = poll(lambda: "forged" in service.log() and service.log(), "the message")
    line = next(line for line in log.split("\n") if "forged" in line)
    assert line.endswith(" end") and "\\r\\n" in line
    assert " info a client says text=forged" in line, "not a message of the server's own"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", log)


# The end


def test_sigterm_lets_a_request_end(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        with tls_stream(running) as stream:
            # The first answer says that the second request has begun to arrive.
            stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo")
            assert read_answer(stream)[1] == HELLO
            running.process.send_signal(signal.SIGTERM)
            poll(lambda: "SIGTERM" in running.log(), "the end's first word")
            stream.sendall(b"st: a\r\n\r\n")
            assert read_answer(stream)[1] == HELLO
            assert stream.recv(1) == b""
        assert running.process.wait(DEADLINE) == 0


def test_a_second_signal_ends_the_server_at_once(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        with tls_stream(running) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHo")
            running.process.send_signal(signal.SIGTERM)
            poll(lambda: "SIGTERM" in running.log(), "the end's first word")
            running.process.send_signal(signal.SIGINT)
            assert running.process.wait(DEADLINE) == -signal.SIGINT


def test_sigterm_ends_idle_connections(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        with tls_stream(running) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_answer(stream)[1] == HELLO
            running.process.send_signal(signal.SIGTERM)
            assert stream.recv(1) == b""  # a close_notify: recv would fail without it
            assert running.process.wait(DEADLINE) == 0


def test_a_client_that_breaks_off_harms_nobody(service):
    for sent in (b"", b"GET / HT",
                 b"POST /log_body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"):
        with tls_stream(service) as stream:
            stream.sendall(sent)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert curl("-k", service.url).out == HELLO


# Memory


def resident_kib(service):
    status = pathlib.Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+([0-9]+)", status)[1])


def test_memory_is_given_back_when_a_crowd_has_gone(serving, platform, ratls):
    if b"__asan_init" in pathlib.Path(ratls).read_bytes():
        pytest.skip("AddressSanitizer keeps what was freed")
    with serving("serve", "--tee", "sim", "--sim", platform, "--threads", "1",
                 "--listen", "127.0.0.1:0") as running:
        with tls_stream(running) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            read_answer(stream)
        before = resident_kib(running)
        with contextlib.ExitStack() as crowd:
            for _ in range(400):
                crowd.enter_context(tls_stream(running))
            most = resident_kib(running)
        poll(lambda: resident_kib(running) < before + (most - before) / 6, "the memory")
