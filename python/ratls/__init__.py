# SPDX-License-Identifier: Apache-2.0
"""HTTPS to attested servers: verified before a byte is sent.

    with ratls.Client("https://enclave.example:8000", policy="policy.toml") as client:
        print(client.get("/").json())

Thread-safety: Client and Policy may be used from any thread; a Response by one at a time.
"""

from ratls import adapters, attest, verify
from ratls._library import library_version
from ratls._version import __version__
from ratls.client import Client
from ratls.errors import (Error, InternalError, MalformedError, PolicyError, RefusedError,
                          RequestTimeout, StaleError, TcbError, UnavailableError, UntrustedError,
                          UsageError)
from ratls.identity import Identity
from ratls.policy import Policy
from ratls.response import Headers, Response
from ratls.tls import ssl_context

__all__ = ["Client", "Error", "Headers", "Identity", "InternalError", "MalformedError", "Policy",
           "PolicyError", "RefusedError", "RequestTimeout", "Response", "StaleError", "TcbError",
           "UnavailableError", "UntrustedError", "UsageError", "__version__", "adapters",
           "attest", "library_version", "ssl_context", "verify"]
