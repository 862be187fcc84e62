# SPDX-License-Identifier: Apache-2.0
"""Who a verified server is."""

import json
from collections.abc import Mapping
from typing import Any, Iterator


class Identity(Mapping):
    """The report on a server that was accepted (docs/report.md), as attributes and as a mapping:
    identity.mr_enclave and identity["mr_enclave"] are the same. Absent values are None. Immutable.
    """

    def __init__(self, report_json: str):
        self._json = report_json
        self._report = json.loads(report_json)

    def __getitem__(self, name: str) -> Any:
        return self._report[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._report[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._report)

    def __len__(self) -> int:
        return len(self._report)

    def __repr__(self) -> str:
        return f"Identity({self._report!r})"

    @property
    def json(self) -> str:
        """The report as `ratls verify --json` prints it."""
        return self._json
