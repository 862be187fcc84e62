# SPDX-License-Identifier: Apache-2.0
"""requests: session.mount("https://enclave.example:8000", RequestsAdapter("policy.toml"))"""

from typing import Any, Optional, Tuple, Union

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from ratls.adapters.origins import Joined, Origins, text_pairs
from ratls.errors import Error
from ratls.policy import Path, Policy

_ERRORS = Joined(refused=requests.exceptions.SSLError, timeout=requests.exceptions.Timeout,
                 unavailable=requests.exceptions.ConnectionError,
                 other=requests.exceptions.RequestException)

Timeout = Union[None, float, Tuple[Optional[float], Optional[float]]]


class RequestsAdapter(BaseAdapter):
    """A transport adapter whose servers are verified before a byte of a request is sent.

    policy is a file or a ratls.Policy; options are those of ratls.Client. Answers have an
    `identity`. Redirects are followed here, within the origin only, so that none leads to a server
    that another adapter would not verify. requests' verify, cert and proxies do not count: the policy
    decides, and the proxy is an option. Errors are both ratls.Error and requests' own.

    Thread-safety: any thread.
    """

    def __init__(self, policy: Union[Policy, Path], **options: Any):
        super().__init__()
        self._origins = Origins(policy, **options)
        self._builder = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, stream: bool = False, timeout: Timeout = None,
             verify: Any = True, cert: Any = None, proxies: Any = None) -> requests.Response:
        """See requests.adapters.HTTPAdapter.send."""
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            answer = self._origins.request(request.method or "GET", request.url or "",
                                           text_pairs(request.headers.items()), request.body,
                                           connect_timeout=connect, timeout=read)
        except Error as error:
            joined = _ERRORS.join(error)
            joined.request, joined.response = request, None
            raise joined from error
        raw = urllib3.HTTPResponse(body=answer.raw, headers=answer.headers.pairs(),
                                   status=answer.status, version=11, preload_content=False,
                                   request_method=request.method)
        response = self._builder.build_response(request, raw)
        response.identity = answer.identity
        return response

    def close(self) -> None:
        self._origins.close()
