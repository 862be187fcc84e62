# SPDX-License-Identifier: Apache-2.0
"""tools/test_hardware: says what a machine lacks, and its report is complete where devices and
Gramine's programs are there, which simulated ones are here."""

import contextlib
import os
import pathlib

import pytest

from conftest import DEADLINE, SOURCE, in_own_network, run
from policy_test import key, sigstruct  # noqa: F401  # pylint: disable=unused-import

MEASUREMENT = bytes(range(1, 33)).hex()  # that of the sigstruct


@pytest.fixture
def system(tmp_path):
    """A root for the devices that are looked for."""
    folder = tmp_path / "system"
    for name in ("proc", "dev", "etc", "var/run/aesmd", "sys/kernel/config/tsm"):
        (folder / name).mkdir(parents=True)
    (folder / "proc/cpuinfo").write_text("model name\t: Test CPU\nmicrocode\t: 0x2b\nflags\t: sgx aes\n")
    (folder / "etc/sgx_default_qcnl.conf").write_text(
        '{"pccs_url": "https://pccs.example/sgx/certification/v4/",\n "api_key": "0123secret"}')
    return folder


@pytest.fixture
def tried(ratls, system, tmp_path):
    """Runs the script; gives how it ended, and the report."""

    def start(*arguments, **variables):
        hello = pathlib.Path(ratls).parent / "examples/hello/hello"
        script = [SOURCE / "tools/test_hardware", "--out", tmp_path / "report", *arguments]
        ended = run(*in_own_network(*script), timeout=5 * DEADLINE,
                    env={**os.environ, "RATLS": ratls, "HELLO": str(hello),
                         "SYSTEM_ROOT": str(system), **variables})
        report = tmp_path / "report"
        return ended, report.read_text() if report.exists() else ""

    return start


@pytest.fixture
def mounted(mountable, serving):
    """Offers a platform's files at a folder, and takes them away again."""

    @contextlib.contextmanager
    def at(folder, platform):
        folder.mkdir()
        with serving("sim", "mount", folder, "--dir", platform) as running:
            try:
                yield folder
            finally:
                assert running.stop() == 0

    return at


@pytest.fixture
def gramine(tmp_path, sigstruct):  # noqa: F811
    """Programs by Gramine's names: what they sign is the test's, and the enclave is the service on
    simulated files of Gramine's."""
    folder = tmp_path / "gramine"
    folder.mkdir()
    signature = sigstruct().rename(tmp_path / "signed")
    for name, text in {
            "gramine-manifest": 'cp "$2" "$3"',
            "gramine-sgx-sign": f'touch "$6" && cp "{signature}" "$(dirname "$6")/hello.sig"',
            "gramine-sgx": 'exec "$HELLO" "$ATTESTATION" 127.0.0.1'}.items():
        (folder / name).write_text(f"#!/bin/sh\nset -e\n{text}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_says_what_is_missing(tried):
    ended, report = tried()
    assert ended.code == 77, ended
    for part in ("/dev/sgx_enclave", "/dev/sgx_provision", "aesm.socket", "configfs-tsm", "NOT TRIED"):
        assert part in ended.out and part in report, part
    assert "Test CPU" in report and "0x2b" in report and "https://pccs.example/" in report
    assert "0123secret" not in report


def test_one_missing_part_is_named_alone(tried, system, gramine):
    (system / "dev/sgx_enclave").touch()
    (system / "var/run/aesmd/aesm.socket").touch()
    ended, _ = tried(**gramine)
    assert ended.code == 77, ended
    assert [line for line in ended.out.splitlines() if line.startswith("missing for SGX")] == [
        "missing for SGX: /dev/sgx_provision: without it there are no quotes (docs/hosts.md, section 1)"]


def test_a_tdx_guest_is_tried_from_quote_to_request(tried, mounted, new_platform, system):
    platform = new_platform("--tee", "tdx")
    before = set(platform.iterdir())
    with mounted(system / "sys/kernel/config/tsm/report", platform):
        ended, report = tried("--policy", platform / "policy.toml")
    assert (ended.code, "PASSED" in report) == (0, True), ended
    assert "exit code 7" in report and '"mr_td"' in report and "identity_mismatch" in report
    assert '"accepted": true' in report and "NOT HARDWARE" in report
    assert set(platform.iterdir()) == before


@pytest.mark.parametrize("measurement, passes", [(MEASUREMENT, True), ("77" * 32, False)])
def test_an_enclave_is_what_was_signed(tried, mounted, new_platform, system, gramine, tmp_path,
                                       measurement, passes):
    for name in ("dev/sgx_enclave", "dev/sgx_provision", "var/run/aesmd/aesm.socket"):
        (system / name).touch()
    platform = new_platform("--mr-enclave", measurement)
    with mounted(tmp_path / "attestation", platform) as files:
        ended, report = tried("--policy", platform / "policy.toml", ATTESTATION=str(files), **gramine)
    assert ended.code == (0 if passes else 1), ended
    assert ("FAILED: grep" in report) is not passes
    assert "PRIVATE KEY" not in report


def test_a_server_that_does_not_start_is_a_failure_with_its_words(tried, system, gramine):
    for name in ("dev/sgx_enclave", "dev/sgx_provision", "var/run/aesmd/aesm.socket"):
        (system / name).touch()
    ended, report = tried(ATTESTATION="/none", **gramine)
    assert ended.code == 1, ended
    assert "did not become ready" in report and "quote_unavailable" in report


def test_wrong_usage_is_refused(tried):
    for arguments in (["--policy"], ["--policy", "/none"], ["--x", "y"]):
        assert tried(*arguments)[0].code == 2, arguments
