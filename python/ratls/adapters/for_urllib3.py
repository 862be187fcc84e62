# SPDX-License-Identifier: Apache-2.0
"""urllib3: PoolManager("policy.toml").request("GET", "https://enclave.example:8000/")"""

from typing import Any, Mapping, Optional, Union

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, SSLError, TimeoutError

from ratls.adapters.origins import Joined, Origins, text_pairs
from ratls.client import header_pairs
from ratls.errors import Error
from ratls.policy import Path, Policy

_ERRORS = Joined(refused=SSLError, timeout=TimeoutError, unavailable=ProtocolError, other=HTTPError)


class PoolManager(urllib3.request.RequestMethods):
    """What urllib3.PoolManager is used for, with servers that are verified before a byte of a
    request is sent.

    policy is a file or a ratls.Policy; headers are sent with every request; options are those of
    ratls.Client. Answers have an `identity`. Redirects are followed within the origin and never out
    of it; retries are the client's and of connection errors. Errors are both ratls.Error and
    urllib3's own. Thread-safety: any thread.
    """

    def __init__(self, policy: Union[Policy, Path], headers: Optional[Mapping[str, str]] = None,
                 **options: Any):
        super().__init__(headers)
        self._follow = Origins(policy, **options)
        self._stay = Origins(policy, **{**options, "max_redirects": 0})

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None,
                redirect: bool = True, timeout: Any = None, preload_content: bool = True,
                decode_content: bool = True, **_: Any) -> urllib3.HTTPResponse:
        """See urllib3.PoolManager.urlopen. What is not named here has no meaning here."""
        if not isinstance(timeout, urllib3.Timeout):
            timeout = urllib3.Timeout(connect=timeout, read=timeout)
        origins = self._follow if redirect else self._stay
        sent = header_pairs(self.headers if headers is None else headers)
        try:
            answer = origins.request(method, url, text_pairs(sent), body,
                                     connect_timeout=_seconds(timeout.connect_timeout),
                                     timeout=_seconds(timeout.read_timeout))
        except Error as error:
            raise _ERRORS.join(error) from error
        response = urllib3.HTTPResponse(body=answer.raw, headers=answer.headers.pairs(),
                                        status=answer.status, version=11, request_method=method,
                                        preload_content=preload_content,
                                        decode_content=decode_content)
        response.identity = answer.identity
        return response

    def clear(self) -> None:
        """Closes all connections."""
        self._follow.close()
        self._stay.close()


def _seconds(value: Any) -> Optional[float]:
    return value if isinstance(value, (int, float)) else None
