# SPDX-License-Identifier: Apache-2.0
"""`ratls policy`: what it says about a policy, and what it refuses."""

import pathlib

import pytest

from conftest import run

ENCLAVE = '[[enclave]]\nname = "one"\nmr_enclave = "' + "1" * 64 + '"\n'
SIGNER = ('[[enclave]]\nname = "two"\nmr_signer = "' + "2" * 64 +
          '"\nisv_prod_id = 7\nmin_isv_svn = 3\n')
TD = '[[td]]\nmr_td = "' + "a" * 96 + '"\n'
REGISTERS = 'rtmr1 = "' + "b" * 96 + '"\nrtmr2 = "' + "c" * 96 + '"\n'
STRICT = ('[tcb]\nmin_evaluation_number = 17\n[platform]\nppid = ["' + "d" * 32 + '"]\n')


@pytest.fixture
def check(ratls, tmp_path):
    """Gives what `policy check` says about a text."""

    def of(text):
        path = tmp_path / "policy.toml"
        path.write_text("version = 1\n" + text)
        return run(ratls, "policy", "check", path)

    return of


def warnings(ended):
    assert ended.code == 0, ended
    return [line for line in ended.out.splitlines() if line.startswith("warning: ")]


def test_says_what_a_strict_policy_accepts(check):
    ended = check(ENCLAVE + STRICT)
    assert warnings(ended) == []
    assert ended.err == ""
    for part in ('"one"', "mr_enclave " + "1" * 64, "UpToDate", " 17", "30d", "90d", "d" * 32,
                 "pcs", "Intel"):
        assert part in ended.out, part


def test_says_what_a_td_is(check):
    ended = check(TD + REGISTERS + "sept_ve_disable = true\n" + STRICT)
    assert warnings(ended) == []
    for part in ("mr_td " + "a" * 96, "rtmr1 " + "b" * 96, "rtmr2 " + "c" * 96, "SEPT_VE_DISABLE"):
        assert part in ended.out, part


@pytest.mark.parametrize("text, word", [
    (ENCLAVE + '[tcb]\nmin_evaluation_number = 0\n[platform]\nppid = []\n', "min_evaluation_number"),
    (ENCLAVE + STRICT.replace("[tcb]", '[tcb]\naccept_advisories = []\naccept = ["OutOfDate"]'),
     "OutOfDate"),
    (ENCLAVE + STRICT.replace(
        "[tcb]", '[tcb]\naccept_advisories = []\naccept = ["ConfigurationNeeded"]'),
     "ConfigurationNeeded"),
    (ENCLAVE + STRICT.replace("[tcb]", '[tcb]\naccept = ["UpToDate", "SWHardeningNeeded"]'),
     "accept_advisories"),
    (ENCLAVE + STRICT.replace("[tcb]", '[tcb]\nout_of_date_grace = "1d"'), "out_of_date_grace"),
    (ENCLAVE + STRICT.replace("[tcb]", '[tcb]\nmax_collateral_age = "31d"'), "max_collateral_age"),
    (ENCLAVE + STRICT + '[session]\nmax_certificate_lifetime = "91d"\n',
     "max_certificate_lifetime"),
    (ENCLAVE + "[tcb]\nmin_evaluation_number = 17\n", "genuine machine"),
    (SIGNER + STRICT, "signer"),
    (ENCLAVE + STRICT + "[dangerous]\nallow_debug = true\n", "allow_debug"),
    (TD + STRICT + "[dangerous]\nallow_unmeasured_guest = true\n", "allow_unmeasured_guest"),
])
def test_warns_of_a_weak_choice(check, text, word):
    found = warnings(check(text))
    assert len(found) == 1, found
    assert word in found[0]


def test_pinned_keys_name_the_machine_too(check):
    pinned = '[session]\nserver_keys = ["' + "e" * 64 + '"]\n'
    assert warnings(check(ENCLAVE + "[tcb]\nmin_evaluation_number = 17\n" + pinned)) == []


def test_warns_of_a_simulated_root(ratls, new_platform):
    ended = run(ratls, "policy", "check", pathlib.Path(new_platform()) / "policy.toml")
    assert any("SIMULATED" in line for line in warnings(ended))


def test_escapes_a_name_that_steers_terminals(check):
    ended = check(ENCLAVE.replace('"one"', '"\\u009b31m"') + STRICT)
    assert "\x9b" not in ended.out


@pytest.mark.parametrize("text, error", [
    ("", "policy_empty"),
    (TD, "policy_invalid"),
    (ENCLAVE + "x = 1\n", "policy_invalid"),
    (ENCLAVE + '[trust]\nroot = "policy.toml"\n', "policy_invalid"),
    (ENCLAVE + '[trust]\nroot = "none.pem"\n', "file_unreadable"),
])
def test_refuses_what_is_wrong(check, text, error):
    ended = check(text)
    assert (ended.code, ended.error, ended.out) == (2, error, ""), ended


def test_refuses_a_missing_file(ratls, tmp_path):
    ended = run(ratls, "policy", "check", tmp_path / "none.toml")
    assert (ended.code, ended.error, ended.out) == (2, "file_unreadable", "")
    for words in (["policy"], ["policy", "check"], ["policy", "check", ""]):
        assert run(ratls, *words).error == "usage"
