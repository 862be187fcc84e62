#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of each fuzz target from a fresh simulated platform.

usage: RATLS=build/release/ratls fuzz/make_corpora.py
"""

import base64
import json
import os
import pathlib
import re
import subprocess
import tempfile

FUZZ = pathlib.Path(__file__).resolve().parent
RATLS = os.environ.get("RATLS", str(FUZZ.parent / "build/release/ratls"))
DICE_OID = bytes.fromhex("060667810505 0409".replace(" ", ""))
LEGACY_OID = bytes.fromhex("060b06092a864886f84d8a3906")


def write(target, name, content):
    folder = FUZZ / f"{target}_corpus"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def extension_value(certificate, oid):
    """The content of the OCTET STRING that follows an OID, whose length takes two bytes."""
    at = certificate.index(oid) + len(oid)
    assert certificate[at : at + 2] == b"\x04\x82", "an OCTET STRING with a two-byte length"
    length = int.from_bytes(certificate[at + 2 : at + 4], "big")
    return certificate[at + 4 : at + 4 + length]


def claims_of(dice):
    """The last byte string of the DICE evidence, whose length takes one byte."""
    at = dice.rindex(b"\xa2\x6bpubkey-hash")
    return dice[at:]


def of_a_session(claims):
    """The claims with a third one, which names a session."""
    exporter = b"\x58\x22\x58\x20" + bytes(range(32))
    return b"\xa3" + claims[1:] + b"\x6dratls-session" + exporter


def endorsements(collateral):
    """Collateral as certificates bring it: CBOR, with two-byte lengths."""
    def document(member, name):
        return '{"%s":%s,"signature":"%s"}' % (
            member, collateral[name], collateral[name + "_signature"])

    items = [
        document("tcbInfo", "tcb_info"), collateral["tcb_info_issuer_chain"],
        bytes.fromhex(collateral["pck_crl"]), bytes.fromhex(collateral["root_ca_crl"]),
        collateral["pck_crl_issuer_chain"], document("enclaveIdentity", "qe_identity"),
        collateral["qe_identity_issuer_chain"],
    ]
    items = [item if isinstance(item, bytes) else item.encode() for item in items]
    return bytes.fromhex("d9ea608801") + b"".join(
        b"\x59" + len(item).to_bytes(2, "big") + item for item in items)


def from_platform(folder):
    subprocess.run([RATLS, "sim", "init", "--dir", folder], check=True, stdout=subprocess.DEVNULL)
    collateral = json.loads((folder / "collateral.json").read_text())
    write("collateral", "simulated", json.dumps(collateral))
    write("endorsements", "simulated", endorsements(collateral))
    write("tcb_info", "version3", collateral["tcb_info"])
    write("qe_identity", "simulated", collateral["qe_identity"])
    write("crl", "root", bytes.fromhex(collateral["root_ca_crl"]))
    write("crl", "pck", bytes.fromhex(collateral["pck_crl"]))
    write("pem_chain", "signing", collateral["tcb_info_issuer_chain"])
    write("policy", "simulated", (folder / "policy.toml").read_text())
    root = "".join((folder / "root.pem").read_text().splitlines()[1:-1])
    write("certificate", "root", base64.b64decode(root))


def from_certificate(folder):
    files = ["--cert", folder / "crt", "--key", folder / "key", "--format", "der"]
    subprocess.run(
        [RATLS, "run", "--tee", "sim", "--sim", folder, *files, "--", "/bin/true"], check=True
    )
    certificate = (folder / "crt").read_bytes()
    dice = extension_value(certificate, DICE_OID)
    quote = extension_value(certificate, LEGACY_OID)
    chain = re.search(rb"-----BEGIN.*-----END CERTIFICATE-----\n", quote, re.DOTALL).group()
    for target in ("certificate", "verify_quote"):
        write(target, "attested", certificate)
    for target in ("quote", "verify_quote"):
        write(target, "version3", quote)
    write("dice", "simulated", dice)
    write("claims", "simulated", claims_of(dice))
    write("claims", "session", of_a_session(claims_of(dice)))
    write("pem_chain", "pck", chain)
    for block in chain.split(b"-----END CERTIFICATE-----\n")[:1]:
        write("certificate", "pck", base64.b64decode(block.split(b"-----")[2]))


def sigstruct():
    """Nothing checks the signature here, so any bytes will do for it."""
    content = bytearray(1808)
    content[0:16] = bytes.fromhex("06000000e10000000000010000000000")
    content[24:40] = bytes.fromhex("01010000600000006000000001000000")
    content[128:512] = b"\xc1" * 384
    content[512] = 3
    content[516:900] = b"\x51" * 384
    content[960:992] = b"\xe1" * 32
    return bytes(content)


def by_hand():
    write("http_request", "get", "GET /get_headers?a=b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n")
    write("http_request", "post", "POST /log_body HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
    write(
        "http_request",
        "chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nT: u\r\n\r\n",
    )
    write("http_request", "smuggled", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    write("http_request", "local", "GET /a HTTP/1.1\r\nHost: a.localhost\r\n"
          "Origin: http://a.localhost\r\nReferer: http://a.localhost/b\r\n"
          "Sec-Fetch-Site: same-origin\r\n\r\n")
    write("http_response", "local", "HTTP/1.1 303 See Other\r\nLocation: https://h/a\r\n"
          "Set-Cookie: a=b; Domain=h; Secure; SameSite=None\r\nContent-Length: 0\r\n\r\n")
    write("http_response", "length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    write("http_response", "chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2;x=y\r\n{}\r\n0\r\nT: u\r\n\r\n")
    write("http_response", "to_the_end", "HTTP/1.0 404 Not Found\r\nX: y\r\n\r\nbody")
    write("http_response", "switching", "HTTP/1.1 101 Switching Protocols\r\n"
          "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    write("policy", "full", POLICY)
    registers = {"mr_td": "cd", "rtmr1": "01", "rtmr2": "02"}
    entry = "".join(f'{name} = "{byte * 48}"\n' for name, byte in registers.items())
    write("policy", "td", "version = 1\n[[td]]\n" + entry)
    write("sigstruct", "unsigned", sigstruct())
    write("settings", "full", SETTINGS)
    write("settings", "example", (FUZZ.parent / "examples/serve.toml").read_text())
    write("fields", "policy", POLICY)
    write("fields", "manifest", MANIFEST)
    for name, first in (("measured", "ab" * 32), ("time", "20301231235959")):
        write("compat_variables", name, "\n".join((first, "any", "1", "65535")))


MANIFEST = """loader.argv = ["a", "b"]
loader.env."X.Y" = { passthrough = true }
sgx.debug = false
fs.mounts = [ { path = "/lib", uri = "file:/lib" }, { type = "tmpfs", path = "/tmp" } ]
[[sgx.trusted_files]]
uri = "file:/lib/x.so"
sha256 = "11"
[[sgx.trusted_files]]
uri = "file:/lib/x.so"
sha256 = "22"
"""

POLICY = """version = 1
[[enclave]]
name = "a"
mr_signer = "%s"
isv_prod_id = 1
min_isv_svn = 3
attributes = "%s"
attributes_mask = "%s"
[[td]]
name = "b"
mr_td = "%s"
rtmr0 = "%s"
rtmr1 = "%s"
rtmr2 = "%s"
sept_ve_disable = true
[tcb]
accept = ["UpToDate", "SWHardeningNeeded"]
accept_advisories = ["INTEL-SA-00615"]
reject_advisories = []
min_evaluation_number = 17
out_of_date_grace = "10d"
max_collateral_age = "30d"
[platform]
pck_ca = ["platform"]
[collateral]
sources = ["stapled", "file:c.json", "https://pccs.example:8081/"]
update = "early"
[session]
fresh = false
max_certificate_lifetime = "90d"
check_name = true
[dangerous]
allow_debug = true
allow_unmeasured_guest = true
""" % ("ab" * 32, "05" + "00" * 15, "ff" * 16, "cd" * 48, "00" * 48, "01" * 48, "02" * 48)


SETTINGS = """listen = "[::1]:8443"
tee = "sim"
sim = "platform"
threads = 3
min_tls = "1.2"
staple = "collateral.json"
[certificate]
lifetime = "12h"
names = ["a.example"]
key_type = "p384"
legacy_extension = false
[app]
upstream = "unix:app.sock"
command = ["app"]
workers = 1
start_timeout = "5s"
[limits]
header_bytes = 1000
body_bytes = 2000
connections = 30
[timeouts]
handshake = "1s"
request = "2m"
drain = "0s"
[log]
format = "json"
level = "warning"
access = true
[admin]
listen = "127.0.0.1:9100"
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "sim"
        from_platform(folder)
        from_certificate(folder)
    by_hand()


if __name__ == "__main__":
    main()
