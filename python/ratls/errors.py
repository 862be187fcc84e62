# SPDX-License-Identifier: Apache-2.0
"""One exception for each group of error codes (docs/errors.md); all derive from Error."""

import json
from typing import Any, Dict, Optional


class Error(Exception):
    """What went wrong. Names and numbers of codes are stable, texts are not."""

    def __init__(self, message: str, *, code: str = "internal", number: int = 901,
                 where: Optional[str] = None, hint: Optional[str] = None,
                 report: Optional[Dict[str, Any]] = None):
        super().__init__(message)
        self.code = code  #: the stable name, "tcb_out_of_date"
        self.number = number  #: its number; the hundreds digit is the group
        self.where = where  #: the field, file or certificate
        self.hint = hint  #: what to do next
        self.report = report  #: the report of a server that was judged and refused, else None

    def __str__(self) -> str:
        lines = [super().__str__()]
        lines += [f"where: {self.where}"] if self.where else []
        lines += [f"hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)

    def __reduce__(self):
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind, arguments, attributes):
    error = kind(*arguments)
    error.__dict__.update(attributes)
    return error


class UsageError(Error, ValueError):
    """2xx: correct the call, the policy file or the configuration."""


class RefusedError(Error):
    """3xx to 7xx: the server was not accepted, or its evidence was not."""


class MalformedError(RefusedError):
    """3xx: evidence is missing or cannot be read; do not use this server."""


class UntrustedError(RefusedError):
    """4xx: signatures or chains are wrong; do not use this server, and tell someone."""


class StaleError(RefusedError):
    """5xx: collateral or certificate are out of date; refresh it and try again."""


class TcbError(RefusedError):
    """6xx: the platform's TCB is not accepted."""


class PolicyError(RefusedError):
    """7xx: another identity, a debug enclave, a name or a lifetime that the policy refuses."""


class UnavailableError(Error, ConnectionError):
    """8xx: network, collateral or quoting are not there; try again later."""


class RequestTimeout(UnavailableError, TimeoutError):
    """804: a time limit was reached."""


class InternalError(Error):
    """9xx: a defect of ratls; report it."""


_GROUPS = {2: UsageError, 3: MalformedError, 4: UntrustedError, 5: StaleError, 6: TcbError,
           7: PolicyError, 8: UnavailableError}
_TIMEOUT = 804


def error_class(number: int) -> type:
    """The class for an error code."""
    if number == _TIMEOUT:
        return RequestTimeout
    return _GROUPS.get(number // 100, InternalError)


def usage(message: str, where: str) -> UsageError:
    """A mistake in a call that this package found itself."""
    return UsageError(f"usage (201): {message}", code="usage", number=201, where=where,
                      hint="correct the call")


def parse_report(text: Optional[str]) -> Optional[Dict[str, Any]]:
    """The report's JSON as a dictionary."""
    return json.loads(text) if text else None
