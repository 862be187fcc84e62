# SPDX-License-Identifier: Apache-2.0
"""One client for each origin: what the adapters have in common."""

import threading
from typing import Any, Dict, Iterable, List, Tuple, Union
from urllib.parse import urlsplit

from ratls.client import Client
from ratls.errors import Error, RefusedError, RequestTimeout, UnavailableError, usage
from ratls.policy import Path, Policy
from ratls.response import Response

# The client writes these itself, from the body that it is given.
_FRAMING = {"content-length", "transfer-encoding"}


class Origins:
    """Clients by origin, all with one policy. Thread-safety: any thread."""

    def __init__(self, policy: Union[Policy, Path], **options: Any):
        self._policy = policy if isinstance(policy, Policy) else Policy.load(policy)
        self._options = options
        self._lock = threading.Lock()
        self._clients: Dict[str, Client] = {}

    def request(self, method: str, url: str, headers: Iterable[Tuple[str, str]], body: Any,
                **options: Any) -> Response:
        """Sends a request to the origin of a URL and gives the answer with its body unread."""
        parts = urlsplit(url)
        if parts.scheme.lower() != "https":
            raise usage(f"only https is verified, got {parts.scheme}://", "url")
        client = self._client_of(f"https://{parts.netloc}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = [(name, value) for name, value in headers if name.lower() not in _FRAMING]
        return client.request(method, path, headers=sent, body=body, stream=True, **options)

    def _client_of(self, origin: str) -> Client:
        with self._lock:
            client = self._clients.get(origin)
            if client is None:
                client = self._clients[origin] = Client(origin, policy=self._policy,
                                                        **self._options)
            return client

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            self._clients.clear()


def text_pairs(headers: Iterable[Tuple[Any, Any]]) -> List[Tuple[str, str]]:
    """Headers as texts, whatever the library keeps them as."""
    return [(_text(name), _text(value)) for name, value in headers]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class Joined:
    """Exceptions that are both ratls's and the library's, so that code written for either works."""

    def __init__(self, *, refused: type, timeout: type, unavailable: type, other: type):
        self._of = ((RefusedError, refused), (RequestTimeout, timeout),
                    (UnavailableError, unavailable), (Error, other))
        self._made: Dict[Tuple[type, type], type] = {}

    def join(self, error: Error) -> Error:
        """The error once more, as one of both."""
        kind = type(error)
        theirs = next(other for ours, other in self._of if isinstance(error, ours))
        joined = self._made.setdefault((kind, theirs),
                                       type(kind.__name__, (kind, theirs), {"__init__": _keep}))
        made = joined(*error.args)
        made.__dict__.update(error.__dict__)
        return made


def _keep(self: Error, *arguments: Any) -> None:
    Error.__init__(self, *arguments)
