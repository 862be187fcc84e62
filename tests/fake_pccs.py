# SPDX-License-Identifier: Apache-2.0
"""A service with the collateral of a simulated platform, which misbehaves when it is told to."""

import contextlib
import http.server
import json
import threading
import urllib.parse


class FakeService:
    """A PCS (v4) or an old PCCS (v3) that answers from a platform's collateral file; with TLS when
    there is an SSL context."""

    def __init__(self, platform, dialect, context=None):
        self.data = json.loads((platform / "collateral.json").read_text())
        self.dialect = dialect
        self.faults = {}  # part of a path: the answers (status, headers, body) before the good ones
        self.asked = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked.append(self.path)
                status, headers, body = service.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url_of("127.0.0.1", "http" if context is None else "https")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url_of(self, host, scheme="https"):
        rest = "sgx/certification/v3/" if self.dialect == "v3" else ""
        return f"{scheme}://{host}:{self.port}/{rest}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        for part, answers in self.faults.items():
            if part in path and answers:
                return answers.pop(0)
        return self.good(path)

    def good(self, path):
        path = path.partition("?")[0]
        base = f"/sgx/certification/{self.dialect}/"
        old = self.dialect == "v3"
        if path == base + "tcb":
            return self.signed("tcbInfo", "tcb_info",
                               "SGX-TCB-Info-Issuer-Chain" if old else "TCB-Info-Issuer-Chain")
        if path == base + "qe/identity":
            return self.signed("enclaveIdentity", "qe_identity", "SGX-Enclave-Identity-Issuer-Chain")
        if path == base + "pckcrl":
            return self.crl("pck_crl", old, {"SGX-PCK-CRL-Issuer-Chain":
                                             self.chain("pck_crl_issuer_chain")})
        if old and path == base + "rootcacrl":
            return self.crl("root_ca_crl", True, {})
        if not old and path == "/IntelSGXRootCA.der":
            return self.crl("root_ca_crl", False, {})
        return 404, {}, b""

    def chain(self, name):
        return urllib.parse.quote(self.data[name])

    def signed(self, member, name, header):
        body = f'{{"{member}":{self.data[name]},"signature":"{self.data[name + "_signature"]}"}}'
        return 200, {header: self.chain(name + "_issuer_chain")}, body.encode()

    def crl(self, name, as_hex, headers):
        text = self.data[name]
        return 200, headers, text.encode() if as_hex else bytes.fromhex(text)


@contextlib.contextmanager
def serving_collateral(platform, dialect="v4", context=None):
    service = FakeService(platform, dialect, context)
    try:
        yield service
    finally:
        service.close()
