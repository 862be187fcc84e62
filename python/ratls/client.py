# SPDX-License-Identifier: Apache-2.0
"""The client of one attested server."""

import ctypes
import json as json_module
from typing import Any, Iterable, Mapping, Optional, Tuple, Union

from ratls import _library as c
from ratls.errors import usage
from ratls.identity import Identity
from ratls.policy import Path, Policy, choose_policy
from ratls.response import Response

HeaderInput = Union[None, Mapping[str, str], Iterable[Tuple[str, str]]]
Body = Union[None, bytes, bytearray, memoryview, str, Iterable[bytes]]


class Client:
    """Talks HTTPS to one origin and verifies the server within each TLS handshake, before it sends
    a byte of a request. Connections are kept and used again, no longer than their verdict lasts.

    What is accepted is said by policy (a file or a Policy), or by mr_enclave, or by mr_signer with
    isv_prod_id and min_isv_svn; policy_base is a policy file without identities for the latter two.
    Times are seconds: connect_timeout with the handshake and its verification, timeout without a
    byte in either direction, total_timeout for a whole exchange. retries are of connection errors;
    a refusal is final. Redirects are followed within the origin and never out of it. proxy is an
    http:// or SOCKS address; None takes the environment's, "" none. cache_dir is where collateral
    is kept; None is the usual place, "" none.

    Thread-safety: any thread; calls that overlap have connections of their own.
    """

    def __init__(self, url: str, *, policy: Union[None, Policy, Path] = None,
                 mr_enclave: Optional[str] = None, mr_signer: Optional[str] = None,
                 isv_prod_id: Optional[int] = None, min_isv_svn: Optional[int] = None,
                 policy_base: Optional[Path] = None, connect_timeout: float = 10.0,
                 timeout: float = 60.0, total_timeout: Optional[float] = None, retries: int = 0,
                 max_redirects: int = 5, proxy: Optional[str] = None,
                 cache_dir: Optional[Path] = None):
        self._policy = choose_policy(policy, mr_enclave=mr_enclave, mr_signer=mr_signer,
                                     isv_prod_id=isv_prod_id, min_isv_svn=min_isv_svn,
                                     base=policy_base)
        options = c.ClientOptions(ctypes.sizeof(c.ClientOptions),
                                  milliseconds(connect_timeout, "connect_timeout"),
                                  milliseconds(timeout, "timeout"),
                                  milliseconds(total_timeout, "total_timeout"), retries,
                                  max_redirects, c.c_text(proxy, "proxy"),
                                  c.c_path(cache_dir, "cache_dir"))
        self.url = url
        self._handle: Optional[c.Handle] = c.make(
            "client", "client_open", c.c_text(url, "url"), self._policy.handle.pointer,
            ctypes.byref(options))

    def request(self, method: str, path: str = "", *, headers: HeaderInput = None,
                body: Body = None, json: Any = None, connect_timeout: Optional[float] = None,
                timeout: Optional[float] = None, total_timeout: Optional[float] = None,
                stream: bool = False) -> Response:
        """Sends a request and gives the answer. path is appended to the client's URL and begins
        with a slash, or is empty. json is sent as JSON, in place of body. With stream the body is
        left to be read from the answer, which should then be closed; otherwise it is read here.

        Raises an Error; a RefusedError means that nothing was sent.
        """
        pairs = header_pairs(headers)
        if json is not None:
            if body is not None:
                raise usage("body and json", "body")
            body = json_module.dumps(json).encode()
            if not any(name.lower() == "content-type" for name, _ in pairs):
                pairs.append(("Content-Type", "application/json"))
        content = body_bytes(body)
        lines = (c.HeaderStruct * len(pairs))(
            *((c.c_text(name, "header"), c.c_text(value, "header")) for name, value in pairs))
        request = c.RequestStruct(ctypes.sizeof(c.RequestStruct), c.c_text(method, "method"),
                                  c.c_text(path, "path"), lines, len(pairs), content, len(content),
                                  milliseconds(connect_timeout, "connect_timeout"),
                                  milliseconds(timeout, "timeout"),
                                  milliseconds(total_timeout, "total_timeout"))
        handle = self._open_handle()
        response = Response(c.make("response", "client_request", handle.pointer,
                                   ctypes.byref(request)))
        if not stream:
            response.load()
        return response

    def get(self, path: str = "", **options: Any) -> Response:
        """request() with GET."""
        return self.request("GET", path, **options)

    def post(self, path: str = "", body: Body = None, **options: Any) -> Response:
        """request() with POST."""
        return self.request("POST", path, body=body, **options)

    def verify(self) -> Identity:
        """Verifies the server on a connection of its own, without a request."""
        handle = self._open_handle()
        report = c.make("report", "client_verify", handle.pointer)
        return Identity(c.text(c.library().ratls_report_json(report.pointer)) or "{}")

    def close(self) -> None:
        """Closes the connections. Answers that are open may be read on."""
        self._handle = None

    def _open_handle(self) -> c.Handle:
        handle = self._handle
        if handle is None:
            raise usage("the client is closed", "client")
        return handle

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ratls.Client {self.url}>"


def milliseconds(seconds: Optional[float], what: str) -> int:
    """A time limit for C, where 0 stands for the default: no limit is shorter than 1 ms."""
    if seconds is None:
        return 0
    if not 0 < seconds < 10 ** 8:
        raise usage(f"a time above zero is needed, got {seconds!r}", what)
    return max(1, int(seconds * 1000))


def header_pairs(headers: HeaderInput) -> "list[Tuple[str, str]]":
    """Headers as a list of names and values."""
    if headers is None:
        return []
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def body_bytes(body: Body) -> bytes:
    """A body in one piece."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        return body_bytes(body.read())
    return b"".join(body_bytes(part) for part in body)
