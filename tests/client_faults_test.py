# SPDX-License-Identifier: Apache-2.0
"""`ratls get` and `ratls post` with servers that misbehave, and in a hostile environment."""

import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from conftest import DEADLINE, run, started
from scripted_server import (answering, connect_proxy, more_of, read_request, respond, scripted,
                             server_context,
                             wait_for_end)

SECRET = "the user's own words"


def environment(**changes):
    return {**os.environ, **{name: str(value) for name, value in changes.items()}}


def is_sanitized(program):
    return b"__asan_init" in pathlib.Path(program).read_bytes()


def body_of(size):
    return b"0123456789abcdef" * (size // 16)


# Handshakes that come to nothing.


def close_at_once(connection):
    more_of(connection)


def send_garbage(connection):
    more_of(connection)
    connection.sendall(b"\x00\xff" * 64)
    wait_for_end(connection)


def send_plain_http(connection):
    more_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    wait_for_end(connection)


@pytest.mark.parametrize("script", [close_at_once, send_garbage, send_plain_http])
def test_a_broken_handshake_is_unavailable(ratls, policy, script):
    with scripted(script) as server:
        ended = run(ratls, "get", *policy, server.url)
    assert (ended.code, ended.error, ended.out) == (8, "handshake_failed", ""), ended


def test_silence_in_the_handshake_ends_with_the_time_limit(ratls, policy):
    with scripted(wait_for_end) as server:
        ended = run(ratls, "get", *policy, "--timeout", "0.2", server.url)
    assert (ended.code, ended.error) == (8, "timeout"), ended


def test_silence_after_the_request_ends_with_the_time_limit(ratls, policy, attested_files):
    def stay_silent(stream, _head, _body):
        wait_for_end(stream)

    with answering(attested_files, stay_silent) as server:
        ended = run(ratls, "get", *policy, "--timeout", "0.2", server.url)
    assert (ended.code, ended.error) == (8, "timeout"), ended


def test_an_expired_certificate_is_stale(ratls, platform, policy, tmp_path):
    if shutil.which("faketime") is None or is_sanitized(ratls):
        pytest.skip("faketime is not installed, or the sanitizer wants to be loaded first")
    files = tmp_path / "crt.pem", tmp_path / "key.pem"
    made = run(ratls, "run", "--tee", "sim", "--sim", platform, "--cert", files[0], "--key",
               files[1], "--lifetime", "1h", "--", "/bin/true")
    assert made.code == 0, made
    with answering(files, lambda stream, *_: respond(stream)) as server:
        ended = run("faketime", "-f", "+1d", ratls, "get", *policy, server.url)
    assert (ended.code, server.requests) == (5, []), ended


# Answers that are cut.


def cut_length(stream, _head, _body):
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")


def cut_chunks(stream, _head, _body):
    stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")


def cut_chunks_with_a_polite_end(stream, _head, _body):
    cut_chunks(stream, _head, _body)
    stream.unwrap()


def cut_until_the_end_of_the_connection(stream, _head, _body):
    stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n12345")


def cut_head(stream, _head, _body):
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")


@pytest.mark.parametrize("answer", [cut_length, cut_chunks, cut_chunks_with_a_polite_end,
                                    cut_until_the_end_of_the_connection, cut_head])
def test_a_cut_answer_is_no_answer(ratls, policy, attested_files, tmp_path, answer):
    target = tmp_path / "answer"
    with answering(attested_files, answer) as server:
        ended = run(ratls, "get", *policy, "-o", target, server.url)
    assert (ended.code, ended.error) == (8, "connection_closed"), ended
    assert list(tmp_path.iterdir()) == []


def test_an_answer_until_the_end_of_the_session_is_whole(ratls, policy, attested_files):
    def end_politely(stream, _head, _body):
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n12345")
        stream.unwrap()

    with answering(attested_files, end_politely) as server:
        ended = run(ratls, "get", *policy, server.url)
    assert (ended.code, ended.out) == (0, "12345"), ended


# Redirects.


def test_a_redirect_to_another_origin_is_refused(ratls, policy, attested_files):
    with answering(attested_files, lambda stream, *_: respond(stream)) as other:
        def send_away(stream, _head, _body):
            respond(stream, status="307 Temporary Redirect", headers=[f"Location: {other.url}/"])

        with answering(attested_files, send_away) as server:
            ended = run(ratls, "post", *policy, "-d", SECRET, server.url)
        assert (ended.code, ended.error, ended.out) == (7, "redirect_refused", ""), ended
        assert other.connections == 0


@pytest.mark.parametrize("location", ["/there?x=1", "there?x=1"])
def test_a_redirect_within_the_origin_is_followed(ratls, policy, attested_files, location):
    def send_on(stream, head, _body):
        if head.startswith("GET /there?x=1 "):
            respond(stream, b"found")
        else:
            respond(stream, b"not here", "302 Found", [f"Location: {location}"])

    with answering(attested_files, send_on) as server:
        ended = run(ratls, "get", *policy, server.url + "/here")
    assert (ended.code, ended.out) == (0, "found"), ended


def test_redirects_do_not_go_on_for_ever(ratls, policy, attested_files):
    def send_round(stream, _head, _body):
        respond(stream, status="302 Found", headers=["Location: /again"])

    with answering(attested_files, send_round) as server:
        ended = run(ratls, "get", *policy, server.url)
    assert (ended.code, ended.error) == (7, "redirect_refused"), ended
    assert len(server.requests) < 20


# Size.


def peak_memory(process):
    """The most memory of a running process so far, in bytes."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+([0-9]+) kB", status.read())[1]) * 1024


def test_a_large_answer_takes_constant_memory(ratls, policy, attested_files):
    size, part = 1 << 30, body_of(1 << 20)
    measured = threading.Event()

    def send_much(stream, _head, _body):
        stream.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // len(part) - 1):
            stream.sendall(part)
        sent.set()
        measured.wait(DEADLINE)
        stream.sendall(part)

    sent = threading.Event()
    with answering(attested_files, send_much) as server, \
            started(ratls, "get", *policy, "-o", "/dev/null", server.url) as client:
        assert sent.wait(DEADLINE)
        used = peak_memory(client)
        measured.set()
        assert client.wait(DEADLINE) == 0
    # AddressSanitizer keeps what was freed, up to 256 MiB.
    assert used < (512 if is_sanitized(ratls) else 64) << 20


# --retry.


def test_connection_errors_are_repeated(ratls, policy, attested_files):
    context = server_context(attested_files)

    def drop_two(connection):
        if server.connections <= 2:
            return close_at_once(connection)
        with context.wrap_socket(connection, server_side=True) as stream:
            more_of(stream)
            return respond(stream, b"at last")

    with scripted(drop_two) as server:
        ended = run(ratls, "get", *policy, "--retry", "2", server.url)
        assert (ended.code, ended.out, server.connections) == (0, "at last", 3), ended


def test_retries_come_to_an_end(ratls, policy):
    with scripted(close_at_once) as server:
        ended = run(ratls, "get", *policy, "--retry", "2", server.url)
        assert (ended.code, server.connections) == (8, 3), ended


def test_a_server_that_comes_up_late_is_reached(ratls, policy, attested_files):
    context = server_context(attested_files)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(DEADLINE)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        refused = run(ratls, "get", *policy, url)
        assert (refused.code, refused.error) == (8, "connection_failed"), refused
        with started(ratls, "get", *policy, "--retry", "20", url,
                     stdout=subprocess.PIPE) as client:
            listener.listen()
            with context.wrap_socket(listener.accept()[0], server_side=True) as stream:
                more_of(stream)
                respond(stream, b"late")
            assert client.stdout.read() == b"late"
            assert client.wait(DEADLINE) == 0


@pytest.mark.parametrize("command", [["get"], ["post", "-d", SECRET]])
def test_a_refusal_is_never_repeated(ratls, other_policy, attested_files, command):
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        ended = run(ratls, *command, *other_policy, "--retry", "5", server.url)
        assert (ended.code, server.connections, server.requests) == (4, 1, []), ended


def test_a_request_that_may_have_been_served_is_not_repeated(ratls, policy, attested_files):
    with answering(attested_files, lambda *_: None) as server:
        ended = run(ratls, "post", *policy, "--retry", "3", "-d", SECRET, server.url)
        assert (ended.code, len(server.requests)) == (8, 1), ended


# What a refused server gets to see.


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refused_server_gets_nothing_of_the_request(ratls, other_policy, attested_files, newest):
    context = server_context(attested_files, newest)
    received, outcome = bytearray(), []

    def record(connection):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                outcome.append(tls.read(65536))
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
            except ssl.SSLError as error:
                outcome.append(error)
            part = connection.recv(65536)
            if not part:
                return
            received.extend(part)
            incoming.write(part)

    with scripted(record) as server:
        ended = run(ratls, "post", *other_policy, "-d", SECRET, "-H", "Cookie: c", server.url)
        assert (ended.code, ended.out) == (4, ""), ended
    # After the ClientHello there is room for ChangeCipherSpec and an alert, not for a request.
    hello = 5 + int.from_bytes(received[3:5], "big")
    assert hello < len(received) < hello + 48
    assert outcome and all(isinstance(each, ssl.SSLError) for each in outcome)


# The environment.


def test_an_http_proxy_of_the_environment_is_used(ratls, policy, service):
    with scripted(connect_proxy) as proxy:
        through = environment(https_proxy=f"http://127.0.0.1:{proxy.port}")
        ended = run(ratls, "get", *policy, service.url, env=through)
        assert (ended.code, proxy.connections) == (0, 1), ended
        around = run(ratls, "get", *policy, service.url, env={**through, "no_proxy": "127.0.0.1"})
        assert (around.code, proxy.connections) == (0, 1), around


def refuse_connect(connection):
    """An HTTP proxy that lets nobody through."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("command", ["get", "verify", "inspect"])
def test_a_proxy_that_refuses_is_named(ratls, policy, service, command):
    accepted = policy if command != "inspect" else ()
    with scripted(refuse_connect) as proxy:
        through = environment(https_proxy=f"http://user:secret@127.0.0.1:{proxy.port}")
        ended = run(ratls, command, *accepted, service.url, env=through)
        assert (ended.code, ended.error, proxy.connections) == (8, "proxy_failed", 1), ended
        assert f"127.0.0.1:{proxy.port}" in ended.err and "secret" not in ended.err, ended
    ended = run(ratls, command, *accepted, service.url, env=through)  # nobody listens any more
    assert (ended.code, ended.error) == (8, "proxy_failed"), ended


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_an_https_proxy_is_refused(ratls, policy, service, name):
    with scripted(wait_for_end) as proxy:
        env = environment(**{name: f"https://127.0.0.1:{proxy.port}"})
        ended = run(ratls, "get", *policy, service.url, env=env)
        assert (ended.code, ended.error) == (2, "proxy_unsupported"), ended
        ended = run(ratls, "get", *policy, "--proxy", env[name], service.url)
        assert (ended.code, ended.error, proxy.connections) == (2, "proxy_unsupported", 0), ended


def test_no_session_key_is_logged(ratls, policy, serving, platform, tmp_path):
    keys = tmp_path / "keys"
    env = environment(SSLKEYLOGFILE=keys)
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 env=env) as running:
        for command in (["get", *policy], ["verify", *policy], ["inspect"]):
            ended = run(ratls, *command, running.url, env=env)
            assert ended.code == 0, ended
        assert not keys.exists() or keys.stat().st_size == 0
        # The file is where a program that does log its keys would put them.
        assert run("curl", "-sk", running.url, env=env).code == 0
        assert keys.stat().st_size > 0


def test_the_configuration_of_openssl_has_no_influence(ratls, policy, service, tmp_path):
    file = tmp_path / "openssl.cnf"
    file.write_text("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = old\n"
                    "[old]\nGroups = P-521\n")
    env = environment(OPENSSL_CONF=file)
    assert run("curl", "-sk", service.url, env=env).code != 0  # such a file does have an effect
    ended = run(ratls, "get", *policy, service.url, env=env)
    assert ended.code == 0, ended


def test_a_configuration_that_breaks_openssl_breaks_nothing(ratls, serving, tmp_path):
    file, folder = tmp_path / "openssl.cnf", tmp_path / "sim"
    file.write_text("openssl_conf = all\n[all]\nalg_section = evp\n[evp]\n"
                    "default_properties = fips=yes\n")
    env = environment(OPENSSL_CONF=file, OPENSSL_MODULES=tmp_path)
    assert run("openssl", "rand", "1", env=env).code != 0  # such a file does have an effect
    made = run(ratls, "sim", "init", "--dir", folder, env=env)
    assert made.code == 0, made
    with serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0",
                 env=env) as running:
        for command in ("get", "verify"):
            ended = run(ratls, command, "--policy", folder / "policy.toml", running.url, env=env)
            assert ended.code == 0, ended


def test_certificates_of_the_environment_are_not_trusted(ratls, policy, plain_files):
    trusting = environment(CURL_CA_BUNDLE=plain_files[0], SSL_CERT_FILE=plain_files[0])
    with answering(plain_files, lambda stream, *_: respond(stream)) as server:
        assert run("curl", "-s", server.url, env=trusting).code == 0
        assert len(server.requests) == 1
        ended = run(ratls, "get", *policy, server.url, env=trusting)
        assert (ended.code, ended.error) == (3, "evidence_missing"), ended
        assert len(server.requests) == 1
