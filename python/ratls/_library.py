# SPDX-License-Identifier: Apache-2.0
"""libratls.so.0 by ctypes: finding it, its functions, its handles. Nothing else knows ctypes but the
modules of this package."""

import ctypes
import os
import pathlib
import threading
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any, Optional

from ratls.errors import Error, InternalError, error_class, parse_report

NAME = "libratls.so.0"
ABI_VERSION = 1
RATLS_NOW = -(1 << 63)


class IdentityStruct(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("mr_enclave", c_char_p), ("mr_signer", c_char_p),
                ("isv_prod_id", c_int32), ("min_isv_svn", c_int32)]


class CertificateOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("tee", c_char_p), ("sim_dir", c_char_p),
                ("names", POINTER(c_char_p)), ("name_count", c_size_t), ("lifetime", c_int64),
                ("key_type", c_int32), ("dice_only", c_int32)]


class ClientOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("connect_timeout", c_int64), ("stall_timeout", c_int64),
                ("total_timeout", c_int64), ("retries", c_int32), ("max_redirects", c_int32),
                ("proxy", c_char_p), ("cache_dir", c_char_p)]


class HeaderStruct(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p)]


class RequestStruct(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("method", c_char_p), ("path", c_char_p),
                ("headers", POINTER(HeaderStruct)), ("header_count", c_size_t),
                ("body", c_char_p), ("body_size", c_size_t), ("connect_timeout", c_int64),
                ("stall_timeout", c_int64), ("total_timeout", c_int64)]


_OUT = POINTER(c_void_p)  # a handle that a function gives

# name: (result, arguments). The header is include/ratls.h; tests compare the two lists.
_FUNCTIONS = {
    "version": (c_char_p, []),
    "abi_version": (c_uint32, []),
    "code_name": (c_char_p, [c_int]),
    "code_hint": (c_char_p, [c_int]),
    "exit_code": (c_int, [c_int]),
    "error_code": (c_int, [c_void_p]),
    "error_message": (c_char_p, [c_void_p]),
    "error_where": (c_char_p, [c_void_p]),
    "error_hint": (c_char_p, [c_void_p]),
    "error_report": (c_char_p, [c_void_p]),
    "error_free": (None, [c_void_p]),
    "policy_load": (c_int, [c_char_p, _OUT, _OUT]),
    "policy_parse": (c_int, [c_char_p, c_size_t, c_char_p, _OUT, _OUT]),
    "policy_from_identities": (c_int, [c_char_p, POINTER(IdentityStruct), c_size_t, c_uint32, _OUT,
                                       _OUT]),
    "policy_free": (None, [c_void_p]),
    "verifier_open": (c_int, [c_void_p, c_char_p, _OUT, _OUT]),
    "verifier_free": (None, [c_void_p]),
    "verify_certificate": (c_int, [c_void_p, c_char_p, c_size_t, c_int64, _OUT, _OUT]),
    "verify_peer": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, _OUT, _OUT]),
    "verify_quote": (c_int, [c_void_p, c_char_p, c_size_t, c_int64, _OUT, _OUT]),
    "report_accepted": (c_int, [c_void_p]),
    "report_code": (c_int, [c_void_p]),
    "report_message": (c_char_p, [c_void_p]),
    "report_where": (c_char_p, [c_void_p]),
    "report_hint": (c_char_p, [c_void_p]),
    "report_json": (c_char_p, [c_void_p]),
    "report_free": (None, [c_void_p]),
    "certificate_make": (c_int, [POINTER(CertificateOptions), _OUT, _OUT]),
    "certificate_bytes": (c_void_p, [c_void_p, c_int, POINTER(c_size_t)]),
    "certificate_key": (c_void_p, [c_void_p, c_int, POINTER(c_size_t)]),
    "certificate_not_after": (c_int64, [c_void_p]),
    "certificate_write": (c_int, [c_void_p, c_char_p, c_char_p, c_int, _OUT]),
    "certificate_free": (None, [c_void_p]),
    "client_open": (c_int, [c_char_p, c_void_p, POINTER(ClientOptions), _OUT, _OUT]),
    "client_free": (None, [c_void_p]),
    "client_verify": (c_int, [c_void_p, _OUT, _OUT]),
    "client_request": (c_int, [c_void_p, POINTER(RequestStruct), _OUT, _OUT]),
    "response_status": (c_int, [c_void_p]),
    "response_header_count": (c_size_t, [c_void_p]),
    "response_header_name": (c_char_p, [c_void_p, c_size_t]),
    "response_header_value": (c_char_p, [c_void_p, c_size_t]),
    "response_find_header": (c_char_p, [c_void_p, c_char_p]),
    "response_identity": (c_char_p, [c_void_p]),
    "response_read": (c_int, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t), _OUT]),
    "response_free": (None, [c_void_p]),
}

_lock = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None


def library_path() -> str:
    """The library's file: beside this package, else RATLS_LIBRARY, else what the system finds. The
    variable is not looked at where the package brings a library of its own."""
    bundled = pathlib.Path(__file__).parent / NAME
    if bundled.exists():
        return str(bundled)
    named = os.environ.get("RATLS_LIBRARY")
    if not named:
        return NAME
    if not os.path.isabs(named):
        raise InternalError(f"RATLS_LIBRARY must be an absolute path, got {named!r}")
    return named


def library() -> ctypes.CDLL:
    """The library, loaded once. Its functions are ratls_NAME."""
    global _loaded  # pylint: disable=global-statement
    with _lock:
        if _loaded is None:
            _loaded = _load(library_path())
        return _loaded


def _load(path: str) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(loaded, "ratls_" + name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise InternalError(f"the library of ratls cannot be used: {error}") from error
    if loaded.ratls_abi_version() < ABI_VERSION:
        raise InternalError(f"{path} is older than this package")
    return loaded


def library_version() -> str:
    """The version of the C library."""
    return text(library().ratls_version()) or ""


class Handle:
    """A C handle that is freed with its last reference, so that none goes while a call uses it."""

    __slots__ = ("pointer", "_free")

    def __init__(self, pointer: c_void_p, free: Any):
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)
            self.pointer = None


def make(kind: str, function: str, *arguments: Any) -> Handle:
    """Calls a function that gives a handle of a kind as its last but one argument."""
    # Reports are given with an error too.
    made = Handle(c_void_p(), getattr(library(), f"ratls_{kind}_free"))
    call(function, *arguments, ctypes.byref(made.pointer))
    return made


def call(function: str, *arguments: Any) -> None:
    """Calls a function whose last argument is an error, and raises it."""
    error = c_void_p()
    code = getattr(library(), "ratls_" + function)(*arguments, ctypes.byref(error))
    if code != 0:
        raise _exception(code, error)


def _exception(code: int, pointer: c_void_p) -> Error:
    loaded = library()
    try:
        return error_class(code)(
            text(loaded.ratls_error_message(pointer)) or text(loaded.ratls_code_name(code)),
            code=text(loaded.ratls_code_name(code)), number=code,
            where=text(loaded.ratls_error_where(pointer)),
            hint=text(loaded.ratls_code_hint(code)),
            report=parse_report(text(loaded.ratls_error_report(pointer))))
    finally:
        loaded.ratls_error_free(pointer)


def text(value: Optional[bytes]) -> Optional[str]:
    """A text of C."""
    return None if value is None else value.decode("utf-8", "replace")


def c_text(value: Optional[str], what: str) -> Optional[bytes]:
    """A text for C."""
    if value is None:
        return None
    encoded = value.encode("utf-8")
    if b"\0" in encoded:
        raise error_class(201)("usage (201): a NUL in a text", code="usage", number=201, where=what)
    return encoded


def c_path(value: Any, what: str) -> Optional[bytes]:
    """A path for C."""
    return None if value is None else c_text(os.fsdecode(os.fspath(value)), what)
