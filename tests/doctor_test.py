# SPDX-License-Identifier: Apache-2.0
"""`ratls doctor`: what it finds on machines that are folders, and at servers."""

import json
import os

import pytest

from conftest import run
from scripted_server import answering


@pytest.fixture
def machine(tmp_path):
    """machine(**files) makes a root with these files, "/" written as "__"."""

    def make(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


@pytest.fixture
def doctor(ratls, tmp_path):
    """doctor(ARGUMENTS...) gives (exit code, the object of --json)."""

    def ask(*arguments):
        ended = run(ratls, "doctor", "--json", "--root", tmp_path, *arguments)
        return ended.code, json.loads(ended.out)

    return ask


def states(role):
    return {finding["name"]: finding["state"] for finding in role["findings"]}


def codes(role):
    return [finding["code"] for finding in role["findings"] if finding["code"]]


SGX = {"proc__cpuinfo": "processor\t: 0\nflags\t\t: fpu sgx sgx_lc\n\nflags\t: tdx_guest\n",
       "proc__sys__kernel__osrelease": "6.1.0-28-amd64\n", "dev__sgx_enclave": "",
       "dev__sgx_provision": "", "var__run__aesmd__aesm.socket": ""}


def test_client_needs_nothing_of_sgx(doctor):
    code, told = doctor()
    assert (code, told["code"]) == (0, "ok")
    assert told["client"]["works"] and not told["host"]["works"]
    assert states(told["client"])["collateral"] == "undecided"
    assert "server" not in told


def test_empty_machine_is_no_host(doctor):
    code, told = doctor("--role", "host")
    assert (code, told["code"], told["exit_code"]) == (8, "quote_unavailable", 8)
    found = states(told["host"])
    assert found.pop("quotes") == "failed" and set(found.values()) == {"absent"}
    assert all(finding["hint"] for finding in told["host"]["findings"] if finding["name"] != "kernel")


def test_sgx_machine_is_a_host(doctor, machine):
    machine(**SGX)
    code, told = doctor("--role", "host")
    found = states(told["host"])
    assert (code, found["quotes"], found["processor"], found["kernel"]) == (0, "ok", "ok", "ok")
    assert (found["gramine"], found["tdx"]) == ("absent", "absent")


@pytest.mark.parametrize("missing", ["dev__sgx_enclave", "var__run__aesmd__aesm.socket"])
def test_what_quotes_need(doctor, machine, missing):
    machine(**{name: text for name, text in SGX.items() if name != missing})
    code, told = doctor("--role", "host")
    assert code == 8 and states(told["host"])["quotes"] == "failed"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_device_of_others(doctor, machine):
    root = machine(**SGX)
    (root / "dev/sgx_enclave").chmod(0)
    code, told = doctor("--role", "host")
    assert code == 8 and states(told["host"])["/dev/sgx_enclave"] == "absent"


@pytest.mark.parametrize("kernel, state", [("5.10.0", "absent"), ("5.11.0-1", "ok"),
                                           ("nonsense", "absent"), ("4.99", "absent"), ("6.1", "ok")])
def test_kernels(doctor, machine, kernel, state):
    machine(proc__sys__kernel__osrelease=kernel)
    assert states(doctor()[1]["host"])["kernel"] == state


@pytest.mark.parametrize("kind, code", [("dcap", 0), ("none\n", 8), ("epid", 8), ("\x1b[2J", 8)])
def test_gramine(doctor, machine, kind, code):
    machine(dev__attestation__attestation_type=kind)
    ended, told = doctor("--role", "host")
    assert (ended, states(told["host"])["quotes"]) == (code, "failed" if code else "ok")
    assert "\x1b" not in json.dumps(told, ensure_ascii=False)


def test_trust_domain(doctor, tmp_path):
    (tmp_path / "sys/kernel/config/tsm/report").mkdir(parents=True)
    code, told = doctor("--role", "host")
    assert (code, states(told["host"])["tdx"]) == (0, "ok")


def test_accepted_server(doctor, service, policy):
    code, told = doctor(service.url, *policy)
    assert (code, told["code"]) == (0, "ok")
    assert set(states(told["server"]).values()) == {"ok"}
    assert states(told["client"])["collateral"] == "ok"


def test_refusal_names_its_step(doctor, service, write_policy, other_policy):
    code, told = doctor(service.url, *other_policy)
    found = states(told["server"])
    assert (code, told["code"]) == (4, "root_untrusted")
    assert (found["binding"], found["chain"]) == ("ok", "failed")
    assert (found["collateral"], found["tcb"], found["policy"]) == ("undecided",) * 3
    code, told = doctor(service.url, *write_policy("[tcb]\nmin_evaluation_number = 999\n"))
    assert (code, states(told["server"])["tcb"]) == (6, "failed")
    code, told = doctor(service.url, *write_policy(replace=[('mr_enclave = "', 'mr_enclave = "' +
                                                             "ab" * 32 + '"  # ')]))
    assert (code, states(told["server"])["policy"]) == (7, "failed")


def test_server_without_evidence(doctor, plain_files, policy):
    with answering(plain_files, lambda *_: None) as server:
        code, told = doctor(server.url, *policy)
        assert (code, codes(told["server"])) == (3, ["evidence_missing"])
        assert states(told["server"])["connection"] == "ok"
        assert server.requests == []


def test_server_that_is_not_there(doctor):
    code, told = doctor("https://127.0.0.1:1")
    assert (code, codes(told["server"])) == (8, ["connection_failed"])


def test_without_an_identity_all_else_is_judged(doctor, service, platform):
    code, told = doctor(service.url, "--collateral", platform / "collateral.json")
    assert (code, told["code"]) == (4, "root_untrusted")


@pytest.mark.parametrize("words", [["--role", "guest"], ["http://localhost:1"],
                                   ["--policy", "nowhere.toml"]])
def test_what_cannot_be(ratls, words):
    assert run(ratls, "doctor", *words).code == 2


def test_words_for_people(ratls, tmp_path):
    ended = run(ratls, "doctor", "--root", tmp_path, "--role", "host")
    assert ended.code == 8 and ended.out.startswith("client\n  ok ")
    assert "  failed     quotes: " in ended.out and "hint: " in ended.out


def test_cache_that_cannot_be_is_a_warning(doctor, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    code, told = doctor()
    assert (code, states(told["client"])["cache"]) == (0, "warning")


def test_proxy_of_the_environment(doctor, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.example:3128")
    code, told = doctor()
    assert code == 0 and "secret" not in json.dumps(told)
    assert "proxy.example" in json.dumps(told)
    monkeypatch.setenv("https_proxy", "https://proxy.example")
    code, told = doctor()
    assert (code, told["code"]) == (2, "proxy_unsupported")
