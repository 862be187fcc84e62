# SPDX-License-Identifier: Apache-2.0
"""Answers."""

import ctypes
import io
import json
import threading
from collections.abc import Mapping
from typing import Any, Iterator, List, Optional, Tuple

from ratls import _library as c
from ratls.errors import usage
from ratls.identity import Identity

PART_SIZE = 64 * 1024


class Headers(Mapping):
    """The headers of an answer, found in any spelling. A name that came several times has its
    values joined by a comma; all() gives each. Immutable."""

    def __init__(self, pairs: List[Tuple[str, str]]):
        self._pairs = tuple(pairs)

    def all(self, name: str) -> List[str]:
        """The values of a header, in their order."""
        wanted = name.lower()
        return [value for each, value in self._pairs if each.lower() == wanted]

    def pairs(self) -> List[Tuple[str, str]]:
        """Names and values as they came."""
        return list(self._pairs)

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._pairs})

    def __repr__(self) -> str:
        return f"Headers({list(self._pairs)!r})"


class RawBody(io.RawIOBase):
    """The body as a file that can be read once. Closing it before its end closes the connection."""

    def __init__(self, handle: c.Handle):
        super().__init__()
        self._handle: Optional[c.Handle] = handle
        self._lock = threading.Lock()
        self.at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Blocks until there are some bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        with self._lock:
            handle = self._handle  # stays until the call is over, whoever closes in between
            if handle is None:
                raise ValueError("the body is closed")
            if self.at_end or not view:
                return 0
            into = (ctypes.c_char * len(view)).from_buffer(view)
            got = ctypes.c_size_t()
            c.call("response_read", handle.pointer, into, len(view), ctypes.byref(got))
            self.at_end = got.value == 0
            return got.value

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(PART_SIZE), b""))

    def close(self) -> None:
        self._handle = None
        super().close()


class Response:
    """An answer of a verified server. Use it from one thread at a time.

    status, headers and identity are there at once; the body is read when it is asked for.
    """

    def __init__(self, handle: c.Handle):
        self._handle: Optional[c.Handle] = handle
        loaded = c.library()
        pointer = handle.pointer
        self.status: int = loaded.ratls_response_status(pointer)
        self.headers = Headers([(c.text(loaded.ratls_response_header_name(pointer, index)) or "",
                                 c.text(loaded.ratls_response_header_value(pointer, index)) or "")
                                for index in range(loaded.ratls_response_header_count(pointer))])
        self.raw = RawBody(handle)  #: the rest of the body as a binary file
        self._content: Optional[bytes] = None
        self._offset = 0
        self._identity: Optional[Identity] = None

    @property
    def identity(self) -> Identity:
        """The verified server that this answer came from."""
        if self._identity is None:
            if self._handle is None:
                raise usage("the answer is closed", "identity")
            self._identity = Identity(
                c.text(c.library().ratls_response_identity(self._handle.pointer)) or "{}")
        return self._identity

    @property
    def ok(self) -> bool:
        """True for a status below 400."""
        return self.status < 400

    def load(self) -> None:
        """Reads the whole body into memory."""
        if self._content is None:
            self._content = self.raw.readall()

    @property
    def content(self) -> bytes:
        """The whole body, also after read()."""
        self.load()
        return self._content or b""

    @property
    def text(self) -> str:
        """The whole body as UTF-8."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The whole body, parsed."""
        return json.loads(self.content)

    def read(self, size: Optional[int] = -1) -> bytes:
        """The next size bytes of the body, fewer at its end; without a size all that is left."""
        whole = size is None or size < 0
        if self._content is None:
            if whole:
                return self.raw.readall() or b""
            return b"".join(self._parts(size))
        start = self._offset
        self._offset = len(self._content) if whole else min(len(self._content), start + size)
        return self._content[start:self._offset]

    def _parts(self, size: int) -> Iterator[bytes]:
        while size > 0:
            part = self.raw.read(min(size, PART_SIZE))
            if not part:
                return
            size -= len(part)
            yield part

    def iter_bytes(self, part_size: int = PART_SIZE) -> Iterator[bytes]:
        """The body in parts of at most part_size bytes, each as soon as it is there."""
        if self._content is not None:
            while True:
                part = self.read(part_size)
                if not part:
                    return
                yield part
        while True:
            part = self.raw.read(part_size)
            if not part:
                return
            yield part

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_bytes()

    def close(self) -> None:
        """Ends the answer; before the end of its body that closes the connection."""
        if self._handle is not None and self._identity is None:
            self.identity  # pylint: disable=pointless-statement
        self.raw.close()
        self._handle = None

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ratls.Response {self.status}>"
