# SPDX-License-Identifier: Apache-2.0
"""What scripts rely on: exit codes, the report, the three lines of an error, `sim init`."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import subprocess

import pytest

from conftest import fetched_certificate, line_of, run, started

REPORT_KEYS = """accepted code exit_code message where hint proves fresh name_checked validity_bound
tee simulated quote_version tcb_status advisories tcb_date tcb_evaluation_number qe_tcb_status fmspc
pce_id ppid pck_ca mr_enclave mr_signer isv_prod_id isv_svn debug mr_td rtmr0 rtmr1 rtmr2 rtmr3
td_attributes xfam mr_config_id mr_owner mr_owner_config mr_seam tee_tcb_svn report_data
evidence_format collateral checked_at time_source""".split()

ONES = "1" * 64


def refused(ended, exit_code, name):
    """A refusal has its exit code, its three lines and nothing on stdout."""
    lines = ended.err.splitlines()
    prefixes = [line.partition(" ")[0] for line in lines]
    return (ended.code == exit_code and ended.error == name and ended.out == "" and
            prefixes in (["error:", "where:", "hint:"], ["error:", "hint:"]))


@contextlib.contextmanager
def openssl_server(files, *options):
    """(address, process) of an ordinary TLS server."""
    with started("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", files[0], "-key",
                 files[1], "-www", *options, stdout=subprocess.PIPE,
                 stderr=subprocess.DEVNULL) as process:
        line = line_of(process)
        while line and not line.startswith("ACCEPT "):
            line = line_of(process)
        yield "https://" + line.split()[1]


@contextlib.contextmanager
def closed_port():
    """An address at which nobody listens, nor will."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{holder.getsockname()[1]}/"


@pytest.fixture(scope="module")
def certificate(service, tmp_path_factory):
    """The service's certificate as a PEM file."""
    path = tmp_path_factory.mktemp("certificate") / "crt.pem"
    path.write_text(fetched_certificate(service.url))
    return path


def quote_in(pem):
    """The quote of a certificate, out of the older of its two extensions."""
    der = ssl.PEM_cert_to_DER_cert(pem)
    oid = bytes.fromhex("060b06092a864886f84d8a3906")
    start = der.index(oid) + len(oid)
    assert der[start:start + 2] == b"\x04\x82"  # OCTET STRING with a length of two bytes
    size = int.from_bytes(der[start + 2:start + 4], "big")
    return der[start + 4:start + 4 + size]


# 2: usage, policy file, configuration.


def usage_errors(policy, certificate):
    return {
        "two policies": ["get", *policy, "--mr-enclave", ONES, "https://127.0.0.1:1/"],
        "no policy": ["get", "https://127.0.0.1:1/"],
        "a signer alone": ["get", "--mr-signer", ONES, "https://127.0.0.1:1/"],
        "half a signer": ["get", "--mr-signer", ONES, "--isv-prod-id", "1", "https://127.0.0.1:1/"],
        "short measurement": ["get", "--mr-enclave", "11", "https://127.0.0.1:1/"],
        "plain http": ["get", *policy, "http://127.0.0.1:1/"],
        "no URL": ["get", *policy],
        "user in the URL": ["get", *policy, "https://me:secret@127.0.0.1:1/"],
        "unknown option": ["get", *policy, "--insecure", "https://127.0.0.1:1/"],
        "unknown command": ["fetch", "https://127.0.0.1:1/"],
        "no command": [],
        "missing policy file": ["get", "--policy", "/nonexistent/p.toml", "https://127.0.0.1:1/"],
        "missing data file": ["post", *policy, "-d", "@/nonexistent", "https://127.0.0.1:1/"],
        "bad header": ["get", *policy, "-H", "no colon", "https://127.0.0.1:1/"],
        "header with a line end": ["get", *policy, "-H", "A: b\r\nC: d", "https://127.0.0.1:1/"],
        "--at with a URL": ["verify", *policy, "--at", "0", "https://127.0.0.1:1/"],
        "bad --at": ["verify", *policy, "--at", "noon", "--cert", certificate],
        "two subjects": ["verify", *policy, "--cert", certificate, "https://127.0.0.1:1/"],
        "no subject": ["verify", *policy],
        "missing certificate": ["verify", *policy, "--cert", "/nonexistent"],
        "two collateral sources": ["get", *policy, "--collateral", "c.json", "--pccs",
                                   "https://pccs/", "https://127.0.0.1:1/"],
        "port out of range": ["serve", "--tee", "sim", "--listen", "127.0.0.1:65536"],
        "unknown TEE": ["serve", "--tee", "best", "--listen", "127.0.0.1:0"],
        "--sim without --tee sim": ["serve", "--sim", "/nonexistent"],
        "run without a command": ["run", "--cert", "c", "--key", "k"],
        "bad measurement": ["sim", "init", "--mr-enclave", "zz"],
    }


def test_usage_errors_end_with_2(ratls, policy, certificate, tmp_path):
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    for what, words in usage_errors(policy, certificate).items():
        ended = run(ratls, *words, env=environment, cwd=tmp_path)
        assert refused(ended, 2, ended.error), f"{what}: {ended}"
        assert "secret" not in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text, name", [
    ("version = 1\n", "policy_empty"),
    ("version = 1\ncolour = 'blue'\n", "policy_invalid"),
    ("version = 2\n", "policy_invalid"),
    ("version = \n", "policy_invalid"),
])
def test_a_wrong_policy_ends_with_2(ratls, service, tmp_path, text, name):
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    ended = run(ratls, "get", "--policy", policy, service.url)
    assert refused(ended, 2, name), ended


def test_help_and_version_are_results(ratls):
    for words in (["--help"], ["get", "--help"], ["--version"]):
        ended = run(ratls, *words)
        assert ended.code == 0 and ended.out and not ended.err, ended


# 3 to 8: each group over a connection.


def test_an_ordinary_server_ends_with_3(ratls, policy, plain_files):
    with openssl_server(plain_files) as url:
        for command in (["get"], ["post", "-d", "x"]):
            ended = run(ratls, *command, *policy, url)
            assert refused(ended, 3, "evidence_missing"), ended


def test_another_root_ends_with_4(ratls, service, other_policy):
    assert refused(run(ratls, "get", *other_policy, service.url), 4, "root_untrusted")


def test_a_simulated_server_is_refused_without_a_policy_file(ratls, service, platform):
    text = (platform / "policy.toml").read_text()
    measurement = re.search('mr_enclave = "([0-9a-f]{64})"', text)[1]
    ended = run(ratls, "get", "--mr-enclave", measurement, service.url)
    assert refused(ended, 4, "root_untrusted"), ended


def test_a_certificate_after_its_end_ends_with_5(ratls, service, policy, certificate):
    shown = json.loads(run(ratls, "inspect", "--json", "--cert", certificate).out)
    end = shown["unverified"]["certificate"]["not_after"]
    assert run(ratls, "verify", *policy, "--cert", certificate, "--at", end).code == 0
    late = re.sub(r"^\d{4}-\d\d", "2100-01", end)
    ended = run(ratls, "verify", *policy, "--cert", certificate, "--at", late)
    assert (ended.code, ended.out.count("REFUSED")) == (5, 1), ended


def test_an_old_baseline_ends_with_6(ratls, service, write_policy):
    policy = write_policy("[tcb]\nmin_evaluation_number = 99999\n")
    ended = run(ratls, "get", *policy, service.url)
    assert refused(ended, 6, "tcb_evaluation_number_too_low"), ended


def test_another_enclave_ends_with_7(ratls, service, platform, write_policy):
    text = (platform / "policy.toml").read_text()
    measurement = re.search('mr_enclave = "([0-9a-f]{64})"', text)[1]
    policy = write_policy(replace=[(measurement, ONES)])
    assert refused(run(ratls, "get", *policy, service.url), 7, "identity_mismatch")


def test_a_debug_enclave_ends_with_7(ratls, serving, new_platform):
    debug = new_platform("--debug")
    policy = ["--policy", debug / "policy.toml"]
    with serving("serve", "--tee", "sim", "--sim", debug, "--listen", "127.0.0.1:0") as running:
        assert refused(run(ratls, "get", *policy, running.url), 7, "enclave_debug")
        allowed = debug / "allowed.toml"
        text = (debug / "policy.toml").read_text()
        allowed.write_text(text + "[dangerous]\nallow_debug = true\n")
        assert run(ratls, "get", "--policy", allowed, running.url).code == 0


def test_a_closed_port_ends_with_8(ratls, policy):
    with closed_port() as url:
        for command in (["get", *policy], ["verify", *policy], ["inspect"]):
            assert refused(run(ratls, *command, url), 8, "connection_failed")


def test_missing_collateral_ends_with_8(ratls, service, policy, other_policy, write_policy):
    policy_without = write_policy(replace=[("file:collateral.json", "file:nowhere.json")])
    assert refused(run(ratls, "get", *policy_without, service.url), 8, "collateral_unavailable")
    missing = run(ratls, "get", *policy, "--collateral", "/nonexistent", service.url)
    assert refused(missing, 8, "collateral_unavailable"), missing
    # What needs no collateral is checked before.
    early = run(ratls, "get", *other_policy, "--collateral", "/nonexistent", service.url)
    assert refused(early, 4, "root_untrusted"), early


def test_collateral_of_the_command_line_comes_first(ratls, service, platform, write_policy):
    policy_without = write_policy(replace=[("file:collateral.json", "file:nowhere.json")])
    ended = run(ratls, "get", *policy_without, "--collateral", "collateral.json", service.url,
                cwd=platform)
    assert ended.code == 0, ended


def test_no_quoting_here_ends_with_8(ratls, tmp_path):
    ended = run(ratls, "serve", "--tee", f"gramine:{tmp_path}", "--listen", "127.0.0.1:0")
    assert refused(ended, 8, "quote_unavailable"), ended
    ended = run(ratls, "serve", "--tee", "sim", "--sim", tmp_path, "--listen", "127.0.0.1:0")
    assert refused(ended, 8, "platform_unavailable"), ended


def test_an_occupied_port_ends_with_8(ratls, service, platform):
    ended = run(ratls, "serve", "--tee", "sim", "--sim", platform, "--listen",
                f"127.0.0.1:{service.port}")
    assert refused(ended, 8, "listen_failed"), ended


# The report.


def report(ended):
    found = json.loads(ended.out)
    assert list(found) == REPORT_KEYS, ended
    assert list(found["collateral"]) == ["source", "issued", "expires"]
    assert (found["exit_code"], found["accepted"]) == (ended.code, ended.code == 0), ended
    return found


def test_the_report_of_a_session(ratls, service, policy):
    found = report(run(ratls, "verify", "--json", *policy, service.url))
    assert (found["code"], found["proves"], found["simulated"]) == ("ok", "session", True)
    assert (found["tee"], found["quote_version"], found["debug"]) == ("sgx", 3, False)
    assert (found["tcb_status"], found["evidence_format"]) == ("UpToDate", "dice")
    assert found["validity_bound"] and not found["fresh"] and not found["name_checked"]
    assert found["collateral"]["source"] == "file" and found["time_source"] == "system"
    assert (found["where"], found["hint"], found["mr_td"]) == (None, None, None)
    assert re.fullmatch("[0-9a-f]{64}", found["mr_enclave"])
    assert re.fullmatch("[0-9a-f]{128}", found["report_data"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["checked_at"])


def test_the_report_of_a_refusal(ratls, service, write_policy, other_policy, plain_files):
    too_old = write_policy("[tcb]\nmin_evaluation_number = 99999\n")
    ended = run(ratls, "verify", "--json", *too_old, service.url)
    found = report(ended)
    assert found["code"] == ended.error == "tcb_evaluation_number_too_low"
    assert found["mr_enclave"] and found["hint"]

    # What nobody vouches for is not told.
    found = report(run(ratls, "verify", "--json", *other_policy, service.url))
    assert (found["code"], found["mr_enclave"], found["tee"]) == ("root_untrusted", None, None)

    with openssl_server(plain_files) as url:
        found = report(run(ratls, "verify", "--json", *other_policy, url))
    assert (found["code"], found["proves"]) == ("evidence_missing", "session")

    with closed_port() as url:
        found = report(run(ratls, "verify", "--json", *other_policy, url))
    assert (found["code"], found["exit_code"]) == ("connection_failed", 8)


def test_the_report_of_a_certificate(ratls, policy, certificate, tmp_path):
    found = report(run(ratls, "verify", "--json", *policy, "--cert", certificate))
    assert (found["proves"], found["time_source"]) == ("certificate", "system")

    der, trusted = tmp_path / "crt.der", tmp_path / "trusted.pem"
    for options in (["-outform", "der", "-out", der],
                    ["-trustout", "-addtrust", "serverAuth", "-out", trusted]):
        assert run("openssl", "x509", "-in", certificate, *options).code == 0
    assert "BEGIN TRUSTED CERTIFICATE" in trusted.read_text()
    for file in (der, trusted):
        found = report(run(ratls, "verify", "--json", *policy, "--cert", file))
        assert (found["code"], found["proves"]) == ("ok", "certificate")

    at = found["checked_at"]
    found = report(run(ratls, "verify", "--json", *policy, "--cert", certificate, "--at", at))
    assert (found["checked_at"], found["time_source"]) == (at, "given")


def test_the_report_of_a_quote(ratls, policy, certificate, tmp_path):
    quote = tmp_path / "quote"
    quote.write_bytes(quote_in(certificate.read_text()))
    found = report(run(ratls, "verify", "--json", *policy, "--quote", quote))
    assert (found["code"], found["proves"], found["evidence_format"]) == ("ok", "quote", "quote")
    ended = run(ratls, "verify", *policy, "--quote", quote)
    assert ended.code == 0 and "no connection was checked" in ended.out, ended

    altered = bytearray(quote.read_bytes())
    altered[48 + 64] ^= 1  # in mr_enclave
    quote.write_bytes(altered)
    found = report(run(ratls, "verify", "--json", *policy, "--quote", quote))
    assert (found["code"], found["mr_enclave"]) == ("quote_untrusted", None)
    ended = run(ratls, "inspect", "--json", "--quote", quote)
    assert (ended.code, list(json.loads(ended.out))) == (0, ["unverified"]), ended


def test_the_report_is_ascii_whatever_it_names(ratls, policy, tmp_path):
    strange = os.fsencode(tmp_path) + b"/\xff\x1b[31m\xc2\x9b"
    ended = subprocess.run([ratls, "verify", "--json", *policy, "--cert", strange],
                           capture_output=True, check=False)
    assert ended.returncode == 2, ended
    assert ended.stdout.isascii() and b"\x1b" not in ended.stdout
    assert json.loads(ended.stdout)["code"] == "file_unreadable"
    assert b"\x1b" not in ended.stderr and b"\xc2\x9b" not in ended.stderr


def test_malformed_files_end_with_3(ratls, policy, certificate, tmp_path):
    garbage = tmp_path / "garbage"
    for content in (b"", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----\n",
                    certificate.read_bytes()[:-200]):
        garbage.write_bytes(content)
        for option in ("--cert", "--quote"):
            ended = run(ratls, "verify", *policy, option, garbage)
            assert ended.code == 3, (content, ended)


def test_the_text_says_what_was_verified(ratls, service, policy, certificate):
    for subject in ([service.url], ["--cert", certificate]):
        ended = run(ratls, "verify", *policy, *subject)
        assert ended.code == 0 and ended.out.startswith("SIMULATED ACCEPTED"), ended
    assert "no connection was checked" in ended.out


# inspect


def test_inspect_decides_nothing(ratls, service, certificate, plain_files, tmp_path):
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"neither certificate nor quote")
    for subject in ([service.url], ["--cert", certificate], ["--cert", plain_files[0]],
                    ["--cert", garbage], ["--quote", garbage]):
        ended = run(ratls, "inspect", *subject)
        assert ended.code == 0 and "accepted" not in ended.out.lower(), ended
        ended = run(ratls, "inspect", "--json", *subject)
        found = json.loads(ended.out)
        assert (ended.code, list(found)) == (0, ["unverified"]), ended
        assert '"accepted"' not in ended.out
    with openssl_server(plain_files) as url:
        ended = run(ratls, "inspect", "--json", url)
        assert ended.code == 0 and "error" in json.loads(ended.out)["unverified"]["evidence"], ended


def test_inspect_shows_the_identity(ratls, service, platform):
    found = json.loads(run(ratls, "inspect", "--json", service.url).out)["unverified"]
    measurement = found["evidence"]["quote"]["report"]["mr_enclave"]
    assert measurement in (platform / "policy.toml").read_text()
    assert found["evidence"]["names_this_key"] is True


# sim init


def test_the_three_commands_of_the_overview(ratls, serving, tmp_path):
    for variables, place in (({"XDG_DATA_HOME": tmp_path / "data"}, "data/ratls/sim"),
                             ({"HOME": tmp_path / "home"}, "home/.local/share/ratls/sim")):
        environment = {name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"}
        environment.update({name: str(value) for name, value in variables.items()})
        made = run(ratls, "sim", "init", env=environment)
        assert made.code == 0 and made.err == "", made
        with serving("serve", "--tee", "sim", "--listen", "127.0.0.1:0",
                     env=environment) as running:
            ended = run(ratls, "get", "--retry", "5", "--policy", tmp_path / place / "policy.toml",
                        running.where, env=environment)
            assert (ended.code, ended.out) == (0, '{"message":"Hello World"}'), ended


def test_a_simulated_td_is_attested_from_end_to_end(ratls, serving, new_platform, other_policy):
    folder = new_platform("--tee", "tdx")
    policy = ("--policy", folder / "policy.toml")
    with serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0") as running:
        ended = run(ratls, "verify", running.where, *policy, "--json")
        report = json.loads(ended.out)
        assert (ended.code, report["tee"], report["quote_version"]) == (0, "tdx", 4), ended
        assert report["mr_enclave"] is None and report["debug"] is False
        assert report["mr_td"] in (folder / "policy.toml").read_text()
        assert len(report["rtmr2"]) == 96
        assert run(ratls, "get", *policy, running.where).code == 0
        assert run(ratls, "get", *other_policy, running.where).code == 4
        altered = folder / "altered.toml"
        altered.write_text((folder / "policy.toml").read_text().replace(report["rtmr1"], "ab" * 48))
        refused = run(ratls, "get", "--policy", altered, running.where)
        assert refused.code == 7 and "identity_mismatch" in refused.err, refused


def test_init_again_keeps_the_identity_and_renews_the_collateral(ratls, new_platform):
    folder = new_platform()
    policy, root, collateral = (folder / name
                                for name in ("policy.toml", "root.pem", "collateral.json"))
    policy.write_text(policy.read_text() + "# mine\n")
    kept, old = (policy.read_bytes(), root.read_bytes()), collateral.read_bytes()
    for path in folder.iterdir():
        secret = "PRIVATE" in path.read_text() or path.name == "state.json"
        assert not secret or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run(ratls, "sim", "init", "--dir", folder).code == 0
    assert (policy.read_bytes(), root.read_bytes()) == kept
    assert collateral.read_bytes() != old
    collateral.unlink()
    assert run(ratls, "sim", "init", "--dir", folder).code == 0
    assert collateral.exists()


def test_the_files_of_init_have_their_promised_form(ratls, platform, new_platform):
    text = (platform / "policy.toml").read_text()
    assert text.count("[[enclave]]") == 1
    for line in ('name = ".*"', 'mr_enclave = "[0-9a-f]{64}"', 'root = "root.pem"',
                 re.escape('sources = ["file:collateral.json"]')):
        assert len(re.findall(f"^{line}$", text, re.MULTILINE)) == 1, line
    assert run("openssl", "x509", "-noout", "-in", platform / "root.pem").code == 0
    chosen = new_platform("--mr-enclave", ONES.upper(), "--isv-svn", "7")
    assert f'mr_enclave = "{ONES}"' in (chosen / "policy.toml").read_text()
    other = run(ratls, "sim", "init", "--dir", chosen, "--mr-enclave", "2" * 64)
    assert refused(other, 2, "usage"), other


def test_init_makes_a_tdx_platform_on_demand(ratls, new_platform, serving):
    folder = new_platform("--tee", "tdx")
    text = (folder / "policy.toml").read_text()
    assert text.count("[[td]]") == 1 and "[[enclave]]" not in text
    with serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0") as running:
        found = json.loads(run(ratls, "inspect", "--json", running.url).out)["unverified"]
    quote = found["evidence"]["quote"]
    assert quote["tee"] == "tdx"
    wanted = {"mr_td": quote["report"]["mr_td"],
              "rtmr1": quote["report"]["rtmr"][1],
              "rtmr2": quote["report"]["rtmr"][2]}
    assert all(f'{key} = "{value}"' in text for key, value in wanted.items())
    for options in (("--tee", "sgx"), ("--mr-enclave", ONES)):
        other = run(ratls, "sim", "init", "--dir", folder, *options)
        assert refused(other, 2, "usage"), other


# The ready line and the end.


def test_a_server_says_ready_once_and_ends_with_0(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        assert re.fullmatch(r"https://127\.0\.0\.1:[1-9][0-9]*/", running.where)
        assert running.stop() == 0
        assert running.process.stdout.read() == b""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_right_after_ready_is_not_lost(serving, platform, ending):
    for _ in range(10):
        with serving("serve", "--tee", "sim", "--sim", platform, "--listen",
                     "127.0.0.1:0") as running:
            running.process.send_signal(ending)
            assert running.process.wait(60) == 0


def test_ipv6_is_written_in_brackets(ratls, serving, platform, policy):
    if not socket.has_ipv6 or not pathlib.Path("/proc/net/if_inet6").read_text().strip():
        pytest.skip("there is no IPv6 here")
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "[::1]:0") as running:
        assert running.where.startswith("https://[::1]:")
        assert run(ratls, "get", *policy, running.where).code == 0
