# SPDX-License-Identifier: Apache-2.0
"""ratls.ssl_context: what Python's own modules do with it, and that no byte of theirs reaches, or
comes from, a server without a verdict."""

import asyncio
import contextlib
import http.client
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

import ratls as package
from conftest import DEADLINE
from scripted_server import answering, respond, scripted, server_context

HELLO = b'{"message":"Hello World"}'
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Secret: secret\r\n\r\n"


@pytest.fixture
def context(policy_file):
    return package.ssl_context(policy_file)


@pytest.fixture
def strange_context(strange_policy):
    """Accepts another platform only."""
    return package.ssl_context(strange_policy)


@contextlib.contextmanager
def recording(files):
    """A TLS server that notes every byte of application data, in `received`."""
    tls = server_context(files)
    tls.num_tickets = 0  # what a client leaves unread would have the kernel forget what it sent

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            server.handshakes += 1
            while part := stream.recv(65536):
                server.received += part

    with scripted(script) as server:
        server.handshakes, server.received = 0, b""
        yield server


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), DEADLINE)


# What people use: call(context, port) sends a request and gives the answer's last bytes.


def by_http_client(context, port):
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"X-Secret": "secret"})
        return connection.getresponse().read()


def by_urllib(context, port):
    url = f"https://127.0.0.1:{port}/"
    try:
        with urllib.request.urlopen(url, data=None, context=context, timeout=DEADLINE) as answer:
            return answer.read()
    except urllib.error.URLError as error:
        raise error.reason


def by_asyncio(context, port):
    async def call():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert writer.get_extra_info("ssl_object").identity.proves == "session"
        writer.write(REQUEST)
        answer = await reader.read()
        writer.close()
        return answer

    return asyncio.run(call())


def by_socket(context, port):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as plain, \
            context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
        assert stream.identity.proves == "session"
        stream.sendall(REQUEST)
        return b"".join(iter(lambda: stream.recv(65536), b""))


def by_late_connect(context, port):
    with context.wrap_socket(socket.socket(), server_hostname="127.0.0.1") as stream:
        stream.connect(("127.0.0.1", port))
        stream.sendall(REQUEST)
        return b"".join(iter(lambda: stream.recv(65536), b""))


ALL = pytest.mark.parametrize("call", [by_http_client, by_urllib, by_asyncio, by_socket,
                                       by_late_connect])


@ALL
def test_a_verified_server_answers(call, context, service):
    assert call(context, service.port).endswith(HELLO)


@ALL
def test_another_enclave_gets_no_byte(call, strange_context, attested_files):
    with recording(attested_files) as server:
        for kind in (package.UntrustedError, ssl.SSLError):
            with pytest.raises(kind) as caught:
                call(strange_context, server.port)
            assert caught.value.code == "root_untrusted"
            assert caught.value.report["accepted"] is False
    assert server.connections == 2 and server.received == b""


@ALL
def test_an_ordinary_server_gets_no_byte(call, context, plain_files):
    with recording(plain_files) as server:
        with pytest.raises(package.MalformedError) as caught:
            call(context, server.port)
        assert caught.value.code == "evidence_missing"
    assert server.connections == 1 and server.received == b""


# Each way to move data that a socket has, also those of a later Python. What a name needs is here.
MOVES = sorted(name for name in dir(ssl.SSLSocket)
               if name.startswith(("send", "recv", "read", "write")))
ARGUMENTS = {"sendmsg": [[b"secret"]], "sendto": [b"secret", ("127.0.0.1", 1)], "recv": [10],
             "recv_into": [bytearray(10)], "recvfrom": [10],
             "recvfrom_into": [bytearray(10), 10], "recvmsg": [10], "recvmsg_into": [[bytearray(10)]],
             "read": [10]}


# UsageError is a ValueError; a closed socket gives an OSError, and some are for no TLS socket.
REFUSED = (ValueError, NotImplementedError, OSError)


def move(stream, name):
    if name == "sendfile":
        with open(__file__, "rb") as file:
            return stream.sendfile(file)
    if name == "sendmsg_afalg":
        return stream.sendmsg_afalg([b"secret"], op=0)
    return getattr(stream, name)(*ARGUMENTS.get(name, [b"secret"]))


@pytest.mark.parametrize("name", MOVES)
def test_nothing_moves_before_the_handshake(name, context, attested_files):
    with recording(attested_files) as server:
        with context.wrap_socket(connected(server), do_handshake_on_connect=False) as stream:
            with pytest.raises(REFUSED):
                move(stream, name)
            assert stream.version() is None and stream.identity is None
    assert server.received == b"" and server.handshakes == 0


@pytest.mark.parametrize("name", MOVES)
def test_nothing_moves_after_a_refusal(name, strange_context, attested_files):
    with recording(attested_files) as server:
        with strange_context.wrap_socket(connected(server),
                                         do_handshake_on_connect=False) as stream:
            with pytest.raises(package.UntrustedError):
                stream.do_handshake()
            with pytest.raises(REFUSED):
                move(stream, name)
            assert stream.identity is None and stream.fileno() == -1
    assert server.received == b""


def test_a_refusal_ends_the_connection_of_an_open_file(strange_context, attested_files):
    tls, ended = server_context(attested_files), threading.Event()

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            assert stream.recv(10) == b""
            ended.set()

    with scripted(script) as server:
        with strange_context.wrap_socket(connected(server),
                                         do_handshake_on_connect=False) as stream:
            with stream.makefile("rwb", buffering=0) as file:
                with pytest.raises(package.UntrustedError):
                    stream.do_handshake()
                assert ended.wait(DEADLINE)
                for call in (lambda: file.read(10), lambda: file.write(b"secret")):
                    with pytest.raises(package.UsageError):
                        call()


def test_nothing_moves_after_unwrap(context, service):
    with context.wrap_socket(connected(service), server_hostname="127.0.0.1") as stream:
        with contextlib.suppress(OSError):  # the server need not answer the end
            stream.unwrap()
        with pytest.raises(package.UsageError):
            stream.sendall(b"secret")


@pytest.mark.parametrize("name", MOVES)
def test_nothing_moves_after_shutdown(name, context, attested_files):
    with recording(attested_files) as server:
        with context.wrap_socket(connected(server)) as stream:
            stream.shutdown(socket.SHUT_RD)  # Python ends TLS with either direction
            with pytest.raises(REFUSED):
                move(stream, name)
    assert server.received == b""


@pytest.mark.parametrize("name", MOVES)
def test_nothing_moves_when_another_thread_ends_tls(name, context, attested_files):
    with recording(attested_files) as server:
        with context.wrap_socket(connected(server)) as stream:
            tls, stream._sslobj = stream._sslobj, None  # as close() does, behind the check
            stream.settimeout(0.01)
            with pytest.raises(REFUSED) as caught:
                move(stream, name)
            assert not isinstance(caught.value, socket.timeout)
            stream._sslobj = tls
            stream.sendall(b"sent")  # the server cannot read it after a byte in the clear
    assert server.received == b"sent"


def test_what_moves_is_all_of_it(context, attested_files):
    tls, sent = server_context(attested_files), bytes(range(256)) * 1000

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            while part := stream.recv(65536):
                stream.sendall(part)
                if part.endswith(sent[-256:]):
                    break
            stream.unwrap()

    with scripted(script) as server:
        with context.wrap_socket(connected(server)) as stream:
            for flagged in (lambda: stream.send(b"x", socket.MSG_OOB),
                            lambda: stream.sendall(b"x", socket.MSG_OOB),
                            lambda: stream.recv(1, socket.MSG_PEEK),
                            lambda: stream.recv_into(bytearray(1), 1, socket.MSG_PEEK)):
                with pytest.raises(package.UsageError):
                    flagged()
            assert stream.send(sent[:4]) == 4
            buffer = bytearray(8)
            assert stream.recv_into(buffer, 2) == 2 and stream.recv_into(buffer) == 2
            stream.sendall(memoryview(sent).cast("I")[1:])
            with stream.makefile("rb") as file:
                assert file.read() == sent[4:]


# Connections that fail: TCP is there, TLS is not, and the server's next bytes are in the clear.


def no_tls(stream, port, _handshake_is_over):
    with pytest.raises(ssl.SSLError):
        stream.connect(("127.0.0.1", port))


def no_waiting(stream, port, _handshake_is_over):
    stream.setblocking(False)
    with pytest.raises(BlockingIOError):
        stream.connect(("127.0.0.1", port))


def no_answer(stream, port, handshake_is_over):
    stream.settimeout(0.01)  # the server waits for the end of it
    with pytest.raises(OSError):
        stream.connect(("127.0.0.1", port))
    handshake_is_over.set()


@pytest.mark.parametrize("name", MOVES + ["makefile"])
@pytest.mark.parametrize("connect", [no_tls, no_waiting, no_answer])
def test_nothing_moves_where_connect_fails(connect, name, context):
    handshake_is_over, done = threading.Event(), threading.Event()

    def script(connection):
        if connect is no_answer:
            handshake_is_over.wait(DEADLINE)
        connection.sendall(b"in the clear\n" * 2)
        done.wait(DEADLINE)

    with scripted(script) as server:
        try:
            with context.wrap_socket(socket.socket(), server_hostname="127.0.0.1") as stream:
                stream.settimeout(DEADLINE)
                connect(stream, server.port, handshake_is_over)
                assert select.select([stream], [], [], DEADLINE)[0]
                with pytest.raises(REFUSED):
                    if name == "makefile":
                        stream.makefile("rb").readline()
                    else:
                        move(stream, name)
                assert stream.identity is None
        finally:
            done.set()


def handshake(stream, incoming, outgoing, plain):
    """Moves what a MemoryBIO handshake needs."""
    while True:
        try:
            stream.do_handshake()
            return
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))
        finally:
            plain.sendall(outgoing.read())


@pytest.mark.parametrize("accepted", [True, False])
def test_memory_objects(accepted, context, strange_context, attested_files):
    chosen = context if accepted else strange_context
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    stream = chosen.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    for call in (lambda: stream.write(b"secret"), lambda: stream.read(10)):
        with pytest.raises(package.UsageError):
            call()
    assert outgoing.pending == 0
    with recording(attested_files) as server, connected(server) as plain:
        if accepted:
            handshake(stream, incoming, outgoing, plain)
            assert stream.write(b"sent") == 4
            plain.sendall(outgoing.read())
        else:
            with pytest.raises(package.UntrustedError):
                handshake(stream, incoming, outgoing, plain)
            for call in (lambda: stream.write(b"secret"), lambda: stream.read(10)):
                with pytest.raises(package.UsageError):
                    call()
            assert outgoing.pending == 0
    assert server.received == (b"sent" if accepted else b"")


# No way around the verdict.


def test_sessions_are_not_resumed(context, attested_files):
    tls = server_context(attested_files, ssl.TLSVersion.TLSv1_2)

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            stream.sendall(b"greeting")
            stream.unwrap()  # a session that was not ended well is not resumed

    with scripted(script) as server:
        with context.wrap_socket(connected(server)) as stream:
            assert stream.recv(8) == b"greeting"
            session = stream.session
            stream.unwrap()
        with connected(server) as plain, pytest.raises(package.UsageError):
            context.wrap_socket(plain, session=session)
        with context.wrap_socket(connected(server), do_handshake_on_connect=False) as stream:
            stream.session = session
            with pytest.raises(package.UntrustedError):
                stream.do_handshake()


def test_what_would_come_before_the_verdict_is_refused(context, attested_files):
    with pytest.raises(package.UsageError):
        context.load_cert_chain(*attested_files)
    with pytest.raises(package.UsageError):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    with socket.socket() as plain, pytest.raises(package.UsageError):
        context.wrap_socket(plain, server_side=True)


def test_a_name_is_checked_where_the_policy_says_so(service, write_policy):
    _, path = write_policy("[session]\ncheck_name = true\n")
    context = package.ssl_context(path)
    with context.wrap_socket(connected(service), server_hostname="localhost") as stream:
        assert stream.identity.name_checked
    for name in ("other", None):
        with pytest.raises(package.PolicyError) as caught:
            context.wrap_socket(connected(service), server_hostname=name)
        assert caught.value.code == "name_mismatch"


def test_openssl_s_file_loosens_nothing(policy_file, tmp_path):
    (tmp_path / "openssl.cnf").write_text("""openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = loose
[loose]
Options = UnsafeLegacyServerConnect, UnsafeLegacyRenegotiation
""")
    code = """import ratls, ssl, sys
for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ratls.ssl_context(sys.argv[1])):
    print(hex(context.options & 0x40004))"""
    options = subprocess.run([sys.executable, "-c", code, policy_file], check=True, timeout=DEADLINE,
                             stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "OPENSSL_CONF": str(tmp_path / "openssl.cnf")}).stdout
    if "0x0" in options.split()[:1]:
        pytest.skip("this OpenSSL takes no options from its file")
    assert options.split() == ["0x40004", "0x0"]


def test_a_cut_answer_is_an_error(context, attested_files):
    def cut(stream, _head, _body):
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")

    with answering(attested_files, cut) as server:
        with pytest.raises(ssl.SSLError):
            by_http_client(context, server.port)

    def whole(stream, _head, _body):
        respond(stream, b"whole")

    with answering(attested_files, whole) as server:
        assert by_http_client(context, server.port) == b"whole"
