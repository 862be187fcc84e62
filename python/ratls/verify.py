# SPDX-License-Identifier: Apache-2.0
"""A client with the interface of the wrapper around Gramine's libraries that existing code uses.

New code uses ratls.Client. What differs from that wrapper: headers are sent, nothing is read from or
written to the environment, zero means zero, connections are kept, and the query is kept.
"""

import io
from typing import Any, List, Mapping, Optional, Tuple, Union

from ratls import client
from ratls.client import Body
from ratls.errors import RefusedError, usage
from ratls.identity import Identity
from ratls.policy import Path, Policy

#: What the old interface calls it when a server is not accepted.
AttestationError = RefusedError

Number = Union[None, int, str]


class HTTPResponse(io.BufferedReader):
    """An answer that is used like http.client.HTTPResponse."""

    def __init__(self, response: Any):
        super().__init__(response.raw)
        self._response = response
        self.status: int = response.status
        self.code = response.status
        self.version = 11
        self.headers = response.headers
        self.msg = response.headers

    @property
    def identity(self) -> Identity:
        """The verified server that this answer came from."""
        return self._response.identity

    def getheader(self, name: str, default: Optional[str] = None) -> Optional[str]:
        """The value of a header in any spelling; several are joined by a comma."""
        return self._response.headers.get(name, default)

    def getheaders(self) -> List[Tuple[str, str]]:
        """Names and values as they came."""
        return self._response.headers.pairs()

    def getcode(self) -> int:
        """The status."""
        return self.status

    def isclosed(self) -> bool:
        """True once the answer was closed or read to its end."""
        return self.closed or self._response.raw.at_end


class Client:
    """Verifies a server within each TLS handshake and sends requests only to one that is accepted.

    mr_enclave and mr_signer are hex, None or "any"; one of them must be given, and a signer alone
    needs isv_prod_id and isv_svn, which is the lowest version accepted: numbers, as int or text; None
    and "any" state nothing. The allow_ flags accept what their names say; a status that joins two
    conditions needs both flags. policy_base is a policy file without identities, for what this
    interface cannot say: the root of a simulated platform, collateral sources, lifetimes.

    Thread-safety: any thread.
    """

    def __init__(self, url: str, mr_enclave: Optional[str] = None, mr_signer: Optional[str] = None,
                 isv_prod_id: Number = None, isv_svn: Number = None,
                 allow_debug_enclave_insecure: bool = False,
                 allow_outdated_tcb_insecure: bool = False, allow_hw_config_needed: bool = False,
                 allow_sw_hardening_needed: bool = False, protocol: str = "dcap", *,
                 policy_base: Optional[Path] = None):
        if protocol != "dcap":
            raise ValueError("only dcap is supported")
        if _stated(mr_enclave) is None and _stated(mr_signer) is None:
            raise TypeError("mr_enclave or mr_signer is needed")
        policy = Policy.of_identity(
            mr_enclave=_stated(mr_enclave), mr_signer=_stated(mr_signer),
            isv_prod_id=_number(isv_prod_id, "isv_prod_id"),
            min_isv_svn=_number(isv_svn, "isv_svn"), base=policy_base,
            accept_debug=bool(allow_debug_enclave_insecure),
            accept_out_of_date=bool(allow_outdated_tcb_insecure),
            accept_configuration_needed=bool(allow_hw_config_needed),
            accept_sw_hardening_needed=bool(allow_sw_hardening_needed))
        self._client = client.Client(url, policy=policy)

    def get(self, endpoint: str = "", headers: Optional[Mapping[str, str]] = None) -> HTTPResponse:
        """GET of an endpoint, which is a path below the URL, with or without its first slash."""
        return self.request("GET", endpoint, None, headers)

    def post(self, endpoint: str = "", data: Body = None,
             headers: Optional[Mapping[str, str]] = None) -> HTTPResponse:
        """POST of data: JSON, unless the headers say otherwise."""
        sent = dict(headers or {})
        if not any(name.lower() == "content-type" for name in sent):
            sent["Content-Type"] = "application/json"
        return self.request("POST", endpoint, data, sent)

    def request(self, method: str, endpoint: str = "", data: Body = None,
                headers: Optional[Mapping[str, str]] = None) -> HTTPResponse:
        """Any other method."""
        path = endpoint if not endpoint or endpoint.startswith("/") else "/" + endpoint
        return HTTPResponse(self._client.request(method, path, headers=headers, body=data,
                                                 stream=True))

    def verify(self) -> Identity:
        """Verifies the server without a request."""
        return self._client.verify()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _stated(value: Optional[str]) -> Optional[str]:
    return None if value is None or value == "any" else value


def _number(value: Number, what: str) -> Optional[int]:
    if value is None or value == "any":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, str):
        raise usage(f"{value!r} is no number", what)
    return value
