# SPDX-License-Identifier: Apache-2.0
"""httpx: httpx.Client(transport=HTTPXTransport("policy.toml")), and the same for AsyncClient"""

from typing import Any, AsyncIterator, Iterator, Union
from urllib.parse import urljoin, urlsplit

import anyio.to_thread
import httpx

from ratls.adapters.origins import Joined, Origins, text_pairs
from ratls.errors import Error, PolicyError
from ratls.policy import Path, Policy
from ratls.response import PART_SIZE, Response

_ERRORS = Joined(refused=httpx.ConnectError, timeout=httpx.ReadTimeout,
                 unavailable=httpx.ConnectError, other=httpx.TransportError)


class _Transport:
    """policy is a file or a ratls.Policy; options are those of ratls.Client. Answers have their
    identity in response.extensions["ratls_identity"]. A redirect out of the origin is an error,
    because httpx could follow it to a server that is not verified; within the origin httpx decides.
    httpx's verify, cert and proxies do not count: the policy decides, and the proxy is an option.
    Errors are both ratls.Error and httpx's own.
    """

    def __init__(self, policy: Union[Policy, Path], **options: Any):
        self._origins = Origins(policy, **{**options, "max_redirects": 0})

    def _send(self, request: httpx.Request, body: bytes) -> Response:
        limits = request.extensions.get("timeout", {})
        try:
            answer = self._origins.request(request.method, str(request.url),
                                           text_pairs(request.headers.raw), body,
                                           connect_timeout=limits.get("connect"),
                                           timeout=limits.get("read"))
            _check_redirect(str(request.url), answer)
        except Error as error:
            raise _ERRORS.join(error) from error
        return answer


class HTTPXTransport(_Transport, httpx.BaseTransport):
    __doc__ = _Transport.__doc__

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        answer = self._send(request, request.read())
        return _httpx_response(answer, _Stream(answer))

    def close(self) -> None:
        self._origins.close()


class AsyncHTTPXTransport(_Transport, httpx.AsyncBaseTransport):
    __doc__ = (_Transport.__doc__ or "") + """
    Each call runs on a thread, with asyncio and with trio. A task that is cancelled ends when its
    call does, no later than the time limits.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        body = await request.aread()
        answer = await anyio.to_thread.run_sync(self._send, request, body)
        return _httpx_response(answer, _AsyncStream(answer))

    async def aclose(self) -> None:
        self._origins.close()


def _httpx_response(answer: Response, stream: Any) -> httpx.Response:
    return httpx.Response(answer.status, headers=answer.headers.pairs(), stream=stream,
                          extensions={"ratls_identity": answer.identity,
                                      "http_version": b"HTTP/1.1"})


def _check_redirect(url: str, answer: Response) -> None:
    location = answer.headers.get("location")
    if not 300 <= answer.status < 400 or location is None:
        return
    target = urljoin(url, location)
    if urlsplit(target)[:2] != urlsplit(url)[:2]:
        answer.close()
        raise PolicyError("redirect_refused (709): the server redirects to another origin",
                          code="redirect_refused", number=709, where=target,
                          hint="call the other address itself, with a policy for it")


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: Response):
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_bytes()
        except Error as error:
            raise _ERRORS.join(error) from error

    def close(self) -> None:
        self._answer.raw.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, answer: Response):
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                part = await anyio.to_thread.run_sync(self._answer.raw.read, PART_SIZE)
                if not part:
                    return
                yield part
        except Error as error:
            raise _ERRORS.join(error) from error

    async def aclose(self) -> None:
        self._answer.raw.close()
