# SPDX-License-Identifier: Apache-2.0
"""Collateral from a service, and from one that misbehaves."""

import email.utils
import json
import time

import pytest

from conftest import run
from fake_pccs import serving_collateral


@pytest.fixture(params=["v4", "v3"])
def pccs(request, platform):
    with serving_collateral(platform, request.param) as service:
        yield service


@pytest.fixture
def verify(ratls, attested_files, policy):
    def call(*more, by=policy):
        return run(ratls, "verify", "--json", *by, "--cert", attested_files[0], *more)
    return call


def test_collateral_of_a_service_is_enough(pccs, verify):
    ended = verify("--pccs", pccs.url)
    assert ended.code == 0, ended
    assert json.loads(ended.out)["collateral"]["source"] == "pccs"


def test_a_client_asks_the_service(pccs, ratls, policy, service):
    ended = run(ratls, "get", *policy, "--pccs", pccs.url, service.url)
    assert ended.code == 0, ended
    assert sum("/tcb?" in path for path in pccs.asked) == 1


def the_entry(folder):
    """The one file of collateral in a cache; the other one is of the highest numbers."""
    file, = (path for path in folder.iterdir() if path.name != "highest_numbers.json")
    return file


def test_the_next_process_has_it_from_the_cache(pccs, verify, own_cache):
    assert verify("--pccs", pccs.url).code == 0
    asked = len(pccs.asked)
    ended = verify("--pccs", pccs.url)
    assert ended.code == 0, ended
    assert json.loads(ended.out)["collateral"]["source"] == "cache"
    assert len(pccs.asked) == asked
    folder = own_cache / "ratls/collateral"
    assert folder.stat().st_mode & 0o777 == 0o700
    file = the_entry(folder)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_cache_is_mended(pccs, verify, own_cache):
    assert verify("--pccs", pccs.url).code == 0
    file = the_entry(own_cache / "ratls/collateral")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    ended = verify("--pccs", pccs.url)
    assert json.loads(ended.out)["collateral"]["source"] == "pccs", ended
    assert file.read_bytes() == whole


def test_without_a_place_for_a_cache_nothing_is_kept(pccs, verify, own_cache, monkeypatch):
    (own_cache / "ratls").write_text("in the way")
    assert verify("--pccs", pccs.url).code == 0
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    for _ in range(2):
        ended = verify("--pccs", pccs.url)
        assert json.loads(ended.out)["collateral"]["source"] == "pccs", ended


def test_older_collateral_than_before_is_refused(pccs, verify, platform, own_cache):
    numbers = own_cache / "ratls/collateral/highest_numbers.json"
    assert verify("--pccs", pccs.url).code == 0
    seen = json.loads(numbers.read_text())
    assert {name.split()[2] for name in seen} == {"root_ca_crl", "pck_crl", "tcb_info",
                                                  "qe_identity"}
    numbers.write_text(json.dumps({name: number + 1 for name, number in seen.items()}))
    ended = verify("--pccs", pccs.url)
    assert (ended.code, ended.error) == (5, "collateral_superseded"), ended
    assert verify("--collateral", platform / "collateral.json").code == 0


def test_a_failure_is_not_kept(pccs, verify):
    pccs.faults = {"/tcb": [EMPTY]}
    assert verify("--pccs", pccs.url).error == "collateral_platform_unknown"
    assert verify("--pccs", pccs.url).code == 0


EMPTY = (404, {}, b"")
BROKEN = (500, {}, b"")
IN_AN_HOUR = email.utils.formatdate(time.time() + 3600, usegmt=True)


@pytest.mark.parametrize(("part", "answers", "code"), [
    ("/tcb", [EMPTY], "collateral_platform_unknown"),
    ("/tcb", [(410, {}, b"")], "collateral_number_retired"),
    ("/tcb", [(429, {"Retry-After": 3600}, b"")], "collateral_unavailable"),
    ("/tcb", [(503, {"Retry-After": IN_AN_HOUR}, b"")], "collateral_unavailable"),
    ("/tcb", [BROKEN] * 3, "collateral_unavailable"),
    ("/tcb", [(302, {"Location": "/"}, b"")], "collateral_unavailable"),
    ("/tcb", [(200, {}, b"{}")], "collateral_unavailable"),
    ("/tcb", [(200, {"TCB-Info-Issuer-Chain": "x"}, b"{}")], "collateral_malformed"),
    ("/tcb", [(200, {"Content-Length": 2 << 20}, b"x" * (2 << 20))], "collateral_unavailable"),
    ("/tcb", [(200, {"Content-Length": 100}, b"half"), BROKEN, BROKEN], "collateral_unavailable"),
    ("/tcb", [(200, {"TCB-Info-Issuer-Chain": "x", "Content-Length": 5}, b'{"tcbInfo":{}}')],
     "collateral_malformed"),
    ("/tcb", [(200, {"TCB-Info-Issuer-Chain": "x" * 200_000}, b"{}")] * 3,
     "collateral_unavailable"),
    ("/qe/identity", [EMPTY], "collateral_unavailable"),
    ("/pckcrl", [EMPTY], "collateral_unavailable"),
    ("/pckcrl", [(200, {"SGX-PCK-CRL-Issuer-Chain": "x"}, b"<html>")], "collateral_malformed"),
])
def test_a_misbehaving_service_has_its_code(pccs, verify, write_policy, part, answers, code):
    pccs.faults = {part: list(answers)}
    ended = verify("--pccs", pccs.url)
    assert (ended.error, ended.code) == (code, {"collateral_malformed": 3}.get(code, 8)), ended
    # The next source makes up for it.
    pccs.faults = {part: list(answers)}
    both = write_policy(replace=[('["file:', f'["{pccs.url}", "file:')])
    assert verify(by=both).code == 0


@pytest.mark.parametrize("answer", [BROKEN, (429, {"Retry-After": 1}, b"")])
def test_a_passing_failure_is_repeated(pccs, verify, answer):
    pccs.faults = {"/tcb": [answer]}
    ended = verify("--pccs", pccs.url)
    assert ended.code == 0, ended


def test_a_wrong_chain_is_refused(pccs, verify):
    pccs.data["tcb_info_issuer_chain"] = pccs.data["pck_crl_issuer_chain"]
    assert verify("--pccs", pccs.url).code == 4


def test_expired_collateral_is_refused(pccs, ratls, attested_files, policy):
    ended = run(ratls, "verify", *policy, "--cert", attested_files[0], "--pccs", pccs.url, "--at",
                "2040-01-01T00:00:00Z")
    assert ended.code == 5, ended


def test_nobody_there_is_unavailable(verify):
    assert verify("--pccs", "http://127.0.0.1:1/").error == "collateral_unavailable"
