# SPDX-License-Identifier: Apache-2.0
"""Adapters for requests, httpx and urllib3 (docs/python.md): their interface, verified connections.

Each module is loaded when its name is first used, so that none of the three needs to be installed.
"""

import importlib
from typing import Any

_MODULES = {
    "RequestsAdapter": "ratls.adapters.for_requests",
    "HTTPXTransport": "ratls.adapters.for_httpx",
    "AsyncHTTPXTransport": "ratls.adapters.for_httpx",
    "PoolManager": "ratls.adapters.for_urllib3",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
