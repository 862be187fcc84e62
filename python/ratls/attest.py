# SPDX-License-Identifier: Apache-2.0
"""Attested keys and certificates, for servers that run inside an enclave or a confidential VM."""

import ctypes
from typing import Optional, Sequence

from ratls import _library as c
from ratls.errors import usage
from ratls.policy import Path

_FORMATS = {"pem": 0, "der": 1}
_KEY_TYPES = {"p256": 0, "p384": 1}


class AttestedCertificate:
    """A fresh key with a self-signed certificate that carries a quote for it. Nothing renews it.
    The key is a secret. Immutable; any thread."""

    def __init__(self, handle: c.Handle):
        self._handle = handle

    def certificate(self, format: str = "pem") -> bytes:
        """The certificate as "pem" or "der"."""
        return self._content("certificate_bytes", format)

    def key(self, format: str = "pem") -> bytes:
        """The key (PKCS#8) as "pem" or "der"."""
        return self._content("certificate_key", format)

    @property
    def not_after(self) -> int:
        """The end of the certificate in Unix seconds."""
        return c.library().ratls_certificate_not_after(self._handle.pointer)

    def write(self, key_path: Path, crt_path: Path, format: str = "pem") -> None:
        """Writes both files, or none: the key with mode 0600. Existing files are replaced."""
        c.call("certificate_write", self._handle.pointer, c.c_path(crt_path, "crt_path"),
               c.c_path(key_path, "key_path"), _choose(format, _FORMATS, "format"))

    def _content(self, function: str, format: str) -> bytes:
        size = ctypes.c_size_t()
        pointer = getattr(c.library(), "ratls_" + function)(
            self._handle.pointer, _choose(format, _FORMATS, "format"), ctypes.byref(size))
        return ctypes.string_at(pointer, size.value)


def make_certificate(*, tee: str = "auto", sim_dir: Optional[Path] = None,
                     names: Sequence[str] = (), lifetime: Optional[int] = None,
                     key_type: str = "p256", legacy_extension: bool = True) -> AttestedCertificate:
    """Makes a key, a quote for it and a certificate that carries the quote.

    tee is "auto" (Gramine or TDX, whichever is there), "gramine", "gramine:DIR", "tdx", "tdx:DIR" or
    "sim", a simulated platform, in sim_dir. names are DNS names and IP addresses beside localhost,
    127.0.0.1 and ::1. lifetime is in seconds, 600 to 89 days; None is 30 days. key_type is "p256" or
    "p384". legacy_extension writes Gramine's older format too.

    Raises UnavailableError where no quote can be made. Blocks: tens of milliseconds on hardware.
    """
    if lifetime is not None and lifetime <= 0:
        raise usage("a lifetime above zero is needed", "lifetime")
    encoded = [c.c_text(name, "names") for name in names]
    options = c.CertificateOptions(ctypes.sizeof(c.CertificateOptions), c.c_text(tee, "tee"),
                                   c.c_path(sim_dir, "sim_dir"),
                                   (ctypes.c_char_p * len(encoded))(*encoded), len(encoded),
                                   lifetime or 0, _choose(key_type, _KEY_TYPES, "key_type"),
                                   0 if legacy_extension else 1)
    return AttestedCertificate(c.make("certificate", "certificate_make", ctypes.byref(options)))


def get_ra_tls_key_and_crt(format: str = "pem", **options) -> "tuple[bytes, bytes]":
    """(key, certificate) of a fresh attested certificate, in memory. options: make_certificate."""
    _choose(format, _FORMATS, "format")
    made = make_certificate(**options)
    return made.key(format), made.certificate(format)


def write_ra_tls_key_and_crt(key_path: Path, crt_path: Path, format: str = "pem", **options) -> None:
    """Writes the files of a fresh attested certificate, for a server that reads such files. Under
    Gramine they belong on a tmpfs mount: any other is the host's disk. options: make_certificate."""
    _choose(format, _FORMATS, "format")
    make_certificate(**options).write(key_path, crt_path, format)


def _choose(word: str, known: "dict[str, int]", what: str) -> int:
    if word not in known:
        raise usage(f"{word!r} is none of {', '.join(known)}", what)
    return known[word]
