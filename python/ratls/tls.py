# SPDX-License-Identifier: Apache-2.0
"""TLS of Python's ssl module, with our verdict on the server in every connection."""

import contextlib
import socket
import ssl
from typing import Any, Optional, Union

from ratls import _library as c
from ratls.adapters.origins import Joined
from ratls.errors import Error, UntrustedError, usage
from ratls.identity import Identity
from ratls.policy import Path, Policy, choose_policy

_ERRORS = Joined(refused=ssl.SSLError, timeout=ssl.SSLError, unavailable=ssl.SSLError,
                 other=ssl.SSLError)
# Python sets the first, where OpenSSL has it; a cut answer would look complete. A file of OpenSSL's may
# set the others, SSL_OP_LEGACY_SERVER_CONNECT and SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION.
_FORBIDDEN_OPTIONS = int(getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)) | 0x4 | 0x40000


def ssl_context(policy: Union[None, Policy, Path] = None, *, mr_enclave: Optional[str] = None,
                mr_signer: Optional[str] = None, isv_prod_id: Optional[int] = None,
                min_isv_svn: Optional[int] = None, policy_base: Optional[Path] = None,
                cache_dir: Optional[Path] = None) -> "AttestedContext":
    """A context for http.client, urllib.request, asyncio and others that take an ssl.SSLContext. The
    arguments are those of ratls.Client.

    What it guarantees: no byte of the application is sent to a server, or taken from one, before
    the server's certificate was accepted and its key shown. wrap_socket ends with an exception that
    is both a ratls.Error and an ssl.SSLError otherwise, and the connection is closed; so does
    the handshake of asyncio. Sessions are not resumed.

    What it does not: Python's ssl cannot decide within a handshake. A refused server has seen a
    complete one, with the name that was asked for, and no client certificate: there can be none.
    A verdict is of the time of the handshake: a connection that is kept is not closed when
    collateral or certificate end. ratls.Client does all of that.

    The verdict may ask the policy's collateral sources. asyncio's loop waits for that.
    """
    return AttestedContext(choose_policy(policy, mr_enclave=mr_enclave, mr_signer=mr_signer,
                                         isv_prod_id=isv_prod_id, min_isv_svn=min_isv_svn,
                                         base=policy_base), cache_dir)


class _Judged:
    """What sockets and objects of an AttestedContext have in common."""

    _identity: Optional[Identity] = None

    @property
    def identity(self) -> Optional[Identity]:
        """The report on the server; None before the verdict."""
        return self._identity

    def do_handshake(self, *arguments: Any, **options: Any) -> None:
        """Ends with the verdict."""
        super().do_handshake(*arguments, **options)  # type: ignore[misc]
        if self._identity is None:
            try:
                self._identity = self._judge()
            except Error as error:
                self._refuse()
                raise _ERRORS.join(error) from error

    def read(self, *arguments: Any, **options: Any) -> Any:
        self._demand_verdict()
        return super().read(*arguments, **options)  # type: ignore[misc]

    def write(self, *arguments: Any, **options: Any) -> Any:
        self._demand_verdict()
        return super().write(*arguments, **options)  # type: ignore[misc]

    def _judge(self) -> Identity:
        certificate = self.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        if certificate is None or self.session_reused:  # type: ignore[attr-defined]
            raise UntrustedError("certificate_untrusted (413): the server showed no certificate",
                                 code="certificate_untrusted", number=413, where="handshake")
        host = self.server_hostname or ""  # type: ignore[attr-defined]
        return self.context.judge(certificate, host)  # type: ignore[attr-defined]

    # OpenSSL makes the handshake by itself when something is read or written before it.
    def _demand_verdict(self) -> None:
        if self._identity is None:
            raise usage("the server has not been verified: do_handshake() comes first", "handshake")

    def _refuse(self) -> None:
        pass


class AttestedSocket(_Judged, ssl.SSLSocket):
    """ssl.SSLSocket to a verified server. Before the verdict, also where connect failed, and once TLS
    has ended, by unwrap or shutdown, nothing is sent or received: Python's socket would do it in the
    clear."""

    _ended = False

    # Python's own would move bytes in the clear when another thread ends TLS after the check: what
    # moves them here is write and read, which need TLS.
    def send(self, data: Any, flags: int = 0) -> int:
        _demand_no_flags(flags)
        return self.write(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._demand_verdict()
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                sent += self.send(rest[sent:], flags)

    def sendto(self, *_: Any, **__: Any) -> int:
        """Refuses, as recvfrom and recvfrom_into do: TLS knows no addresses."""
        raise usage("TLS knows no addresses", "sendto")

    def sendfile(self, file: Any, offset: int = 0, count: Optional[int] = None) -> int:
        self._demand_verdict()
        return self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined]

    def unwrap(self) -> Any:
        try:
            return super().unwrap()
        finally:
            self._end()

    def shutdown(self, how: int) -> None:
        self._end()
        super().shutdown(how)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if self._is_made():
            _demand_no_flags(flags)
            return self.read(buflen)
        return super().recv(buflen, flags)

    def recv_into(self, buffer: Any, nbytes: Optional[int] = None, flags: int = 0) -> int:
        _demand_no_flags(flags)
        return self.read(nbytes or 0, buffer)  # 0: all of it

    def recvfrom(self, *_: Any, **__: Any) -> Any:
        """Refuses, see sendto."""
        raise usage("TLS knows no addresses", "recvfrom")

    def recvfrom_into(self, *_: Any, **__: Any) -> Any:
        """Refuses, see sendto."""
        raise usage("TLS knows no addresses", "recvfrom_into")

    def _end(self) -> None:
        self._identity, self._ended = None, True

    def _demand_verdict(self) -> None:
        if self._ended:
            raise usage("TLS has ended", "socket")
        super()._demand_verdict()

    # Python itself receives before it sets _connected, to see that nothing has come yet. A socket
    # whose connect failed has no TLS, but may have a connection.
    def _is_made(self) -> bool:
        return "_connected" in self.__dict__

    def _refuse(self) -> None:
        with contextlib.suppress(OSError):
            super().shutdown(socket.SHUT_RDWR)  # with a file of makefile, close() only counts
        self.close()


class AttestedObject(_Judged, ssl.SSLObject):
    """ssl.SSLObject to a verified server."""


class AttestedContext(ssl.SSLContext):
    """See ssl_context. Thread-safety: any thread, once it is set up."""

    sslsocket_class = AttestedSocket
    sslobject_class = AttestedObject

    def __new__(cls, policy: Policy, cache_dir: Optional[Path] = None) -> "AttestedContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, policy: Policy, cache_dir: Optional[Path] = None):
        super().__init__()
        self._verifier = c.make("verifier", "verifier_open", policy.handle.pointer,
                                c.c_path(cache_dir, "cache_dir"))
        # The certificate vouches for itself: names and chains are the policy's to judge.
        self.check_hostname = False
        self.verify_mode = ssl.CERT_NONE
        self.minimum_version = ssl.TLSVersion.TLSv1_2
        self.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        self.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        self.options &= ~_FORBIDDEN_OPTIONS

    def wrap_socket(self, sock: Any, server_side: bool = False,
                    do_handshake_on_connect: bool = True, suppress_ragged_eofs: bool = False,
                    server_hostname: Union[None, str, bytes] = None,
                    session: Optional[ssl.SSLSession] = None) -> AttestedSocket:
        """As ssl.SSLContext.wrap_socket, for clients; a cut connection is an error by default."""
        _check(server_side, session)
        return super().wrap_socket(  # type: ignore[return-value]
            sock, do_handshake_on_connect=do_handshake_on_connect,
            suppress_ragged_eofs=suppress_ragged_eofs, server_hostname=server_hostname)

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool = False,
                 server_hostname: Union[None, str, bytes] = None,
                 session: Optional[ssl.SSLSession] = None) -> AttestedObject:
        """As ssl.SSLContext.wrap_bio, for clients."""
        _check(server_side, session)
        return super().wrap_bio(  # type: ignore[return-value]
            incoming, outgoing, server_hostname=server_hostname)

    def load_cert_chain(self, *_: Any, **__: Any) -> None:
        """Refuses: a client's certificate would be sent before the verdict."""
        raise usage("a client's certificate would be sent before the verdict", "load_cert_chain")

    def judge(self, certificate: bytes, host: str) -> Identity:
        """The report on a certificate (DER) that a server has shown; for this module."""
        report = c.make("report", "verify_peer", self._verifier.pointer, certificate,
                        len(certificate), c.c_text(host, "server_hostname"))
        return Identity(c.text(c.library().ratls_report_json(report.pointer)) or "{}")


def _demand_no_flags(flags: int) -> None:
    if flags != 0:
        raise usage("TLS knows no flags", "flags")


def _check(server_side: bool, session: Optional[ssl.SSLSession]) -> None:
    if server_side:
        raise usage("this context is for clients", "server_side")
    if session is not None:
        raise usage("a resumed session would skip the verdict", "session")
