# SPDX-License-Identifier: Apache-2.0
"""`ratls sim pcs`, `ratls collateral` and `ratls policy from-url`, with curl beside them."""

import json
import shutil
import tomllib
import urllib.parse

import pytest

from conftest import run

INTEL_PATH = "/sgx/certification/v4/"


@pytest.fixture(scope="module")
def pcs(serving, platform):
    with serving("sim", "pcs", "--dir", platform, "--listen", "127.0.0.1:0") as running:
        assert running.where.startswith("http://127.0.0.1:")
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def fmspc(ratls, service):
    found = json.loads(run(ratls, "inspect", "--json", service.url).out)
    return json.dumps(found).partition('"fmspc": "')[2][:12]


def status(url, *options):
    ended = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, url)
    assert ended.code == 0, ended
    return int(ended.out)


# The service


def test_the_service_is_a_source(ratls, pcs, service, policy):
    ended = run(ratls, "verify", "--json", *policy, "--pccs", pcs.where, service.url)
    report = json.loads(ended.out)
    assert (ended.code, report["accepted"]) == (0, True), ended
    assert report["collateral"]["source"] == "pccs"


def test_documents_come_with_the_chain_that_signs_them(pcs, platform, fmspc):
    ended = run("curl", "-si", f"{pcs.url}{INTEL_PATH}tcb?fmspc={fmspc}&update=early")
    head, _, body = ended.out.partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    file = json.loads((platform / "collateral.json").read_text())
    assert urllib.parse.unquote(headers["TCB-Info-Issuer-Chain"]) == file["tcb_info_issuer_chain"]
    assert len(headers["Request-ID"]) == 32
    assert json.loads(body)["tcbInfo"]["fmspc"].lower() == fmspc
    ended = run("curl", "-si", f"{pcs.url}{INTEL_PATH}qe/identity")
    assert "SGX-Enclave-Identity-Issuer-Chain: -----BEGIN%20CERTIFICATE" in ended.out
    assert '"enclaveIdentity":{' in ended.out


@pytest.mark.parametrize("encoding, form", [("", "PEM"), ("&encoding=pem", "PEM"),
                                            ("&encoding=der", "DER")])
def test_openssl_reads_the_crls(pcs, tmp_path, encoding, form):
    file = tmp_path / "crl"
    assert run("curl", "-sf", "-o", file,
               f"{pcs.url}{INTEL_PATH}pckcrl?ca=platform{encoding}").code == 0
    ended = run("openssl", "crl", "-inform", form, "-in", file, "-noout", "-issuer")
    assert "Intel SGX PCK Platform CA" in ended.out, ended


def test_the_roots_crl_is_there_in_both_forms(pcs):
    as_hex = run("curl", "-sf", f"{pcs.url}{INTEL_PATH}rootcacrl").out
    assert bytes.fromhex(as_hex)[:1] == b"\x30"
    assert status(f"{pcs.url}/IntelSGXRootCA.der") == 200


def test_what_is_asked_for_wrongly_is_refused(pcs, fmspc):
    base = pcs.url + INTEL_PATH
    for query in ("tcb", "tcb?fmspc=", "tcb?fmspc=00", f"tcb?fmspc={fmspc}&update=late",
                  f"tcb?fmspc={fmspc}&fmspc={fmspc}", f"tcb?fmspc={fmspc}&other=1",
                  f"tcb?fmspc={fmspc}&update=early&tcbEvaluationDataNumber=20",
                  f"tcb?fmspc={fmspc}&tcbEvaluationDataNumber=x", "qe/identity?ca=platform",
                  "pckcrl", "pckcrl?ca=root", "pckcrl?ca=platform&encoding=hex"):
        assert status(base + query) == 400, query
    for query in ("tcb?fmspc=000000000000", f"tcb?fmspc={fmspc}&tcbEvaluationDataNumber=99",
                  "pckcrl?ca=processor", "other"):
        assert status(base + query) == 404, query
    assert status(f"{base}tcb?fmspc={fmspc}&tcbEvaluationDataNumber=1") == 410
    assert status(f"{pcs.url}/tdx/certification/v4/tcb?fmspc={fmspc}") == 404
    assert status(f"{base}tcb?fmspc={fmspc}", "-X", "POST") == 405


def test_the_service_is_for_this_machine_only(ratls, platform):
    ended = run(ratls, "sim", "pcs", "--dir", platform, "--listen", "0.0.0.0:0")
    assert (ended.code, ended.error) == (2, "config_invalid"), ended
    assert run(ratls, "sim", "pcs", "--dir", platform / "none", "--listen",
               "127.0.0.1:0").error == "platform_unavailable"


# fetch and show


def test_fetch_by_server_quote_and_fmspc(ratls, pcs, service, policy, fmspc, platform,
                                         attested_files, tmp_path):
    file = tmp_path / "c.json"
    source = (*policy, "--pccs", pcs.where, "-o", file)
    for subject in ((service.url,), ("--cert", attested_files[0]),
                    ("--fmspc", fmspc, "--ca", "platform"), ("--fmspc", fmspc.upper())):
        ended = run(ratls, "collateral", "fetch", *source, *subject)
        assert (ended.code, ended.out) == (0, ""), ended
        verified = run(ratls, "verify", "--json", *policy, "--collateral", file, service.url)
        assert json.loads(verified.out)["collateral"]["source"] == "file", verified
    members = json.loads((platform / "collateral.json").read_text()).keys()
    assert json.loads(file.read_text()).keys() == members


def test_fetch_writes_nothing_that_cannot_be_used(ratls, pcs, other_policy, policy, fmspc,
                                                  tmp_path):
    file = tmp_path / "c.json"
    for options, code, name in (
            ((*other_policy, "--fmspc", fmspc), 4, "crl_untrusted"),
            (("--fmspc", fmspc), 4, "crl_untrusted"),
            ((*policy, "--fmspc", "000000000000"), 8, "collateral_platform_unknown"),
            ((*policy, "--fmspc", fmspc, "--tee", "tdx"), 8, "collateral_platform_unknown"),
            ((*policy, "--fmspc", "xyz"), 2, "malformed_hex"),
            ((*policy,), 2, "usage"),
            ((*policy, "--fmspc", fmspc, "--quote", "q"), 2, "usage")):
        ended = run(ratls, "collateral", "fetch", "--pccs", pcs.where, "-o", file, *options)
        assert (ended.code, ended.error) == (code, name), ended
        assert not file.exists()


def test_show_says_what_is_there(ratls, platform, policy):
    ended = run(ratls, "collateral", "show", *policy, "--json", platform / "collateral.json")
    shown = json.loads(ended.out)
    assert (ended.code, shown["usable"], shown["root"]) == (0, True, "other"), ended
    assert (shown["tcb_info"]["id"], shown["qe_identity"]["id"]) == ("SGX", "QE")
    assert shown["tcb_info"]["evaluation_number"] == 20
    assert shown["pck_crl"]["issuer"] == "Intel SGX PCK Platform CA"
    assert shown["expires"] == shown["tcb_info"]["expires"]
    text = run(ratls, "collateral", "show", *policy, platform / "collateral.json").out
    assert text.startswith("USABLE until 20") and "SIMULATED" in text


def test_show_says_what_cannot_be_used(ratls, platform, policy, tmp_path):
    ended = run(ratls, "collateral", "show", "--json", platform / "collateral.json")
    assert (ended.code, ended.error) == (4, "crl_untrusted"), ended
    assert json.loads(ended.out)["tcb_info"]["error"]["code"] == "root_untrusted"
    changed = json.loads((platform / "collateral.json").read_text())
    changed["tcb_info"] += " "
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(changed))
    ended = run(ratls, "collateral", "show", *policy, file)
    assert (ended.code, ended.error) == (4, "tcb_info_untrusted"), ended
    assert ended.out.startswith("NOT USABLE")
    file.write_text("{")
    assert run(ratls, "collateral", "show", file).error == "collateral_malformed"
    assert run(ratls, "collateral", "show", tmp_path / "none").error == "file_unreadable"


# serve


def test_files_are_served_as_by_a_pccs(ratls, serving, new_platform, platform, service, policy,
                                       tmp_path):
    shutil.copy(platform / "collateral.json", tmp_path / "a.json")
    tdx = new_platform("--tee", "tdx")
    with serving("collateral", "serve", tmp_path, "--listen", "127.0.0.1:0") as pccs:
        ended = run(ratls, "get", *policy, "--pccs", pccs.where, service.url)
        assert ended.code == 0, ended
        fmspcs = json.loads(run("curl", "-sf", f"{pccs.url}{INTEL_PATH}fmspcs").out)
        assert len(fmspcs) == 1
    with serving("collateral", "serve", tdx / "collateral.json", "--listen",
                 "127.0.0.1:0") as pccs:
        identity = run("curl", "-sf", f"{pccs.url}/tdx/certification/v4/qe/identity").out
        assert json.loads(identity)["enclaveIdentity"]["id"] == "TD_QE"
        assert status(f"{pccs.url}{INTEL_PATH}qe/identity") == 404
    ended = run(ratls, "collateral", "serve", tmp_path, tdx / "collateral.json", "--listen",
                "127.0.0.1:0")
    assert (ended.code, ended.error) == (2, "config_invalid"), ended


def test_serve_names_the_bad_file(ratls, tmp_path):
    file = tmp_path / "bad.json"
    file.write_text("{}")
    ended = run(ratls, "collateral", "serve", tmp_path, "--listen", "127.0.0.1:0")
    assert (ended.code, ended.error) == (3, "collateral_malformed"), ended
    assert str(file) in ended.err
    assert run(ratls, "collateral", "serve", "--listen", "127.0.0.1:0").code == 2


# from-url


def test_from_url_names_the_measurement(ratls, service, policy, platform, tmp_path):
    file = tmp_path / "policy.toml"
    ended = run(ratls, "policy", "from-url", *policy, service.url, "-o", file)
    assert (ended.code, ended.out) == (0, ""), ended
    written = tomllib.loads(file.read_text())
    known = tomllib.loads((platform / "policy.toml").read_text())
    assert written == {"version": 1,
                       "enclave": [{"name": "first seen",
                                    "mr_enclave": known["enclave"][0]["mr_enclave"]}],
                       "tcb": {"min_evaluation_number": 20}}
    assert "first use" in file.read_text()
    again = run(ratls, "policy", "from-url", *policy, service.url, "-o", file)
    assert (again.code, again.error) == (2, "file_unwritable"), again


def test_from_url_names_all_registers_of_a_td(ratls, serving, new_platform):
    platform = new_platform("--tee", "tdx")
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        ended = run(ratls, "policy", "from-url", "--policy", platform / "policy.toml", running.url)
    assert ended.code == 0, ended
    entry = tomllib.loads(ended.out)["td"][0]
    assert {"mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"} <= entry.keys()


def test_from_url_writes_nothing_for_a_server_that_fails_a_check(
        ratls, serving, new_platform, service, policy, tmp_path):
    file = tmp_path / "policy.toml"
    ended = run(ratls, "policy", "from-url", service.url, "-o", file)  # Intel's root
    assert (ended.code, ended.error) == (4, "root_untrusted"), ended
    debug = new_platform("--debug")
    toml = (debug / "policy.toml").read_text().replace("allow_debug = true", "allow_debug = false")
    (debug / "strict.toml").write_text(toml)
    with serving("serve", "--tee", "sim", "--sim", debug, "--listen", "127.0.0.1:0") as running:
        ended = run(ratls, "policy", "from-url", "--policy", debug / "strict.toml", running.url,
                    "-o", file)
    assert (ended.code, ended.error) == (7, "enclave_debug"), ended
    ended = run(ratls, "policy", "from-url", *policy, "https://127.0.0.1:1/", "-o", file)
    assert ended.code == 8, ended
    assert not file.exists()
