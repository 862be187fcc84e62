# SPDX-License-Identifier: Apache-2.0
"""A server that does to each connection what a test says, also what no server should do."""

import contextlib
import socket
import ssl
import threading

from conftest import DEADLINE


class ScriptedServer:
    """Listens on a free port and gives one connection after the other to `script(connection)`."""

    def __init__(self, script):
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.connections = 0
        self.requests = []  # (head, body) of those that came through TLS
        self._thread.start()

    @property
    def port(self):
        return self._listener.getsockname()[1]

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(DEADLINE)
            # A client that breaks off is what many scripts are about.
            with contextlib.suppress(OSError), connection:
                self._script(connection)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)


@contextlib.contextmanager
def scripted(script):
    """script(connection) is called with each connection's plain socket."""
    server = ScriptedServer(script)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def answering(files, answer, newest=ssl.TLSVersion.TLSv1_3):
    """answer(stream, head, body) is called with one request of each TLS connection. A connection
    ends without close_notify, unless answer calls stream.unwrap()."""
    context = server_context(files, newest)

    def script(connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            head, body = read_request(stream)
            server.requests.append((head, body))
            answer(stream, head, body)

    with scripted(script) as server:
        yield server


def server_context(files, newest=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.maximum_version = newest
    return context


def read_request(stream):
    """(head as text, body as bytes) of a request with Content-Length or without a body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += more_of(stream)
    head, _, body = received.partition(b"\r\n\r\n")
    size = 0
    for line in head.decode("latin-1").lower().split("\r\n"):
        if line.startswith("content-length:"):
            size = int(line.partition(":")[2])
    while len(body) < size:
        body += more_of(stream)
    return head.decode("latin-1"), body


def more_of(stream):
    part = stream.recv(65536)
    if not part:
        raise ConnectionError("the client has gone")
    return part


def respond(stream, body=b"", status="200 OK", headers=()):
    """A whole and correct answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    stream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def wait_for_end(connection):
    """Returns when the client has gone."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def connect_proxy(connection):
    """An HTTP proxy that knows CONNECT only, and names only as this machine's. Gives what it was
    asked for."""
    target = read_connect(connection)
    host, _, port = target.rpartition(":")
    host = "127.0.0.1" if host.endswith(".invalid") else host
    with socket.create_connection((host, int(port)), DEADLINE) as server:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=copy, args=(server, connection))
        back.start()
        copy(connection, server)
        back.join(DEADLINE)
    return target


def read_connect(connection):
    """The HOST:PORT that a client asks a proxy for."""
    head, _ = read_request(connection)
    method, target, _ = head.split(" ", 2)
    assert method == "CONNECT"
    return target


def copy(source, sink):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
