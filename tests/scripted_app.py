# SPDX-License-Identifier: Apache-2.0
"""An app behind `ratls serve` that records what it gets and answers as a test tells it."""

import contextlib
import socket
import threading


class App:
    """An app on a UNIX socket. answer(stream, request head) decides about each request; it gives
    False to close the connection."""

    def __init__(self, path):
        self.path = path
        self.heads = []
        self.connections = 0
        self.answer = lambda stream, head: stream.sendall(OK)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        with stream, contextlib.suppress(OSError):
            while True:
                head = read_head(stream)
                if head is None:
                    return
                self.heads.append(head.decode("latin-1"))
                if self.answer(stream, self.heads[-1]) is False:
                    return

    def reset(self):
        self.heads.clear()
        self.connections = 0

    def close(self):
        self._listener.close()


def read_head(stream):
    """One header block, byte by byte so that nothing of the body is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            return None
        head += byte
    return head


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        assert part, f"cut after {len(data)} bytes"
        data += part
    return data


def read_all(stream):
    data = b""
    while True:
        part = stream.recv(65536)
        if not part:
            return data
        data += part
