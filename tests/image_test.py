# SPDX-License-Identifier: Apache-2.0
"""deploy/image with programs in the place of docker and GSC: it does its steps in order, says what is
missing, and touches nothing that it did not make. The SIGSTRUCT is a real one, signed with the key."""

import hashlib
import json
import os
import stat

import pytest

from conftest import SOURCE, run

SCRIPT = SOURCE / "deploy/image"
MR_ENCLAVE = bytes(range(1, 33))
# An image is a file in $STATE/images; a container's files are those that GSC left in $STATE.
DOCKER = """#!/bin/bash
echo "docker $*" >> "$STATE/log"
case "$1 ${2:-}" in
  info*) exit "${DOCKER_INFO:-0}" ;;
  'image inspect')
    image=${!#}
    [ -e "$STATE/images/$image" ] || exit 1
    echo "sha256:$(printf %s "$image" | sha256sum | cut -d ' ' -f 1)" ;;
  build*)
    while [ $# -gt 0 ]; do [ "$1" != -t ] || touch "$STATE/images/$2"; shift; done ;;
  create*) [ -e "$STATE/images/$2" ] && echo container-1 ;;
  cp*) cp "$STATE/entrypoint.sig" "$3" ;;
  rm*) ;;
  *) exit 9 ;;
esac
"""
GSC = """#!/bin/bash
echo "gsc $*" >> "$STATE/log"
[ -e config.yaml.template ] || exit 9
case $1 in
  build) [ -e "$STATE/images/$4" ] && [ -f "$3" ] && [ -f "$5" ] ;;
  sign-image)
    cp "$STATE/made.sig" "$STATE/entrypoint.sig"
    [ -n "${NO_IMAGE:-}" ] || touch "$STATE/images/gsc-$4" ;;
esac
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "enclave-key.pem"
    assert run("openssl", "genrsa", "-3", "-out", path, "3072").code == 0
    path.chmod(0o600)
    return path


def sigstruct(key, folder, flags=b"\x04"):
    """A SIGSTRUCT in Intel's form, signed with the key."""
    shown = run("openssl", "rsa", "-in", key, "-noout", "-modulus").out
    modulus = bytes.fromhex(shown.strip().partition("=")[2])[::-1]
    content = bytearray(1808)
    header = bytes.fromhex("06000000e10000000000010000000000")
    second = bytes.fromhex("01010000600000006000000001000000")
    for offset, value in [(0, header), (20, bytes.fromhex("24010326")), (24, second),
                          (128, modulus), (512, b"\3"), (928, flags), (944, b"\xff" * 16),
                          (960, MR_ENCLAVE), (1024, b"\7\0"), (1026, b"\2\1")]:
        content[offset:offset + len(value)] = value
    signed = run("openssl", "dgst", "-sha256", "-sign", key, "-out", folder / "signature",
                 stdin=bytes(content[:128] + content[900:1028]))
    assert signed.code == 0, signed
    content[516:900] = (folder / "signature").read_bytes()[::-1]
    (folder / "made.sig").write_bytes(content)
    return hashlib.sha256(modulus).hexdigest()


class Bench:
    """A folder with the programs, and the script run with them."""

    def __init__(self, folder, ratls, key):
        self.folder, self.key, self.out = folder, key, folder / "out"
        (folder / "images").mkdir()
        (folder / "images/debian:12-slim").touch()
        for name, text in (("bin/docker", DOCKER), ("gsc/gsc", GSC)):
            path = folder / name
            path.parent.mkdir()
            path.write_text(text)
            path.chmod(0o755)
        (folder / "gsc/config.yaml.template").touch()
        self.signer = sigstruct(key, folder)
        self.environment = dict(os.environ, STATE=str(folder), RATLS=ratls,
                                PATH=f"{folder / 'bin'}:{os.environ['PATH']}")

    def image(self, *options, key=None, name="hello", **variables):
        arguments = ["--gsc", self.folder / "gsc", "--out", self.out, "--tag", "1", *options]
        if key is None:
            arguments += ["--key", self.key]
        return run(SCRIPT, *arguments, name, env=dict(self.environment, **variables))

    def steps(self):
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [" ".join(line.split()[:2]) for line in lines
                if not line.startswith(("docker info", "docker image"))]


@pytest.fixture
def bench(tmp_path, ratls, key):
    return Bench(tmp_path, ratls, key)


def test_makes_a_signed_image_and_says_what_it_is(bench, ratls):
    ended = bench.image()
    assert ended.code == 0, ended
    assert bench.steps() == ["docker build", "docker build", "gsc build", "gsc sign-image",
                             "docker create", "docker cp", "docker rm"]
    assert f"mr_enclave   {MR_ENCLAVE.hex()}" in ended.out
    assert f"mr_signer    {bench.signer}" in ended.out
    assert "isv_prod_id  7\n" in ended.out and "isv_svn      258\n" in ended.out
    assert sorted(path.name for path in bench.out.iterdir()) == \
        ["hello.sig", "policy.toml", "provenance.json"]
    assert f'mr_enclave = "{MR_ENCLAVE.hex()}"' in (bench.out / "policy.toml").read_text()
    assert run(ratls, "policy", "check", bench.out / "policy.toml").code == 0


def test_the_provenance_names_sources_and_measurements(bench):
    assert bench.image(SNAPSHOT="20260301T000000Z", SNAPSHOT_MIRROR="http://mirror.example").code == 0
    said = json.loads((bench.out / "provenance.json").read_text())
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [{"name": "gsc-hello:1", "digest": {
        "sha256": hashlib.sha256(b"gsc-hello:1").hexdigest()}}]
    definition = said["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["snapshot"] == "20260301T000000Z"
    sources = {entry["name"]: entry["digest"] for entry in definition["resolvedDependencies"]}
    manifest = (SOURCE / "deploy/gsc/hello.manifest").read_bytes()
    assert sources["deploy/gsc/hello.manifest"]["sha256"] == hashlib.sha256(manifest).hexdigest()
    assert sources["debian:12-slim"]["sha256"] == hashlib.sha256(b"debian:12-slim").hexdigest()
    byproduct, = said["predicate"]["runDetails"]["byproducts"]
    assert byproduct["digest"]["sha256"] == \
        hashlib.sha256((bench.out / "hello.sig").read_bytes()).hexdigest()
    assert byproduct["annotations"] == {"mr_enclave": MR_ENCLAVE.hex(), "mr_signer": bench.signer,
                                        "isv_prod_id": 7, "isv_svn": 258}


def test_a_dry_run_does_nothing(bench):
    ended = bench.image("--dry-run", "--new-key", bench.folder / "new.pem", key=False)
    assert ended.code == 0, ended
    assert [line.split()[1] for line in ended.out.splitlines() if line.startswith("+")] == \
        ["openssl", "docker", "docker", "in_gsc", "in_gsc", "mkdir", "docker", bench.environment[
            "RATLS"], "write"]
    assert bench.steps() == [] and not bench.out.exists()
    assert not (bench.folder / "new.pem").exists()


def test_a_dry_run_says_all_that_is_missing(bench):
    (bench.folder / "gsc/gsc").unlink()
    (bench.folder / "bin/docker").write_text("#!/bin/sh\nexit 1\n")
    bench.key = bench.folder / "none.pem"
    ended = bench.image("--dry-run")
    assert ended.code == 0 and ended.err.count("missing: ") == 3, ended


def test_makes_a_key_that_sgx_takes(bench):
    new = bench.folder / "new.pem"
    ended = bench.image("--new-key", new, key=False)
    assert ended.code == 0, ended
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    text = run("openssl", "rsa", "-in", new, "-noout", "-text").out
    assert "(3072 bit" in text and "publicExponent: 3 " in text


def refused(bench, ended):
    """It ended with 1 and one line that says why, and did nothing."""
    assert ended.code == 1 and ended.err.startswith("deploy/image: "), ended
    assert bench.steps() == [] and not bench.out.exists()


@pytest.mark.parametrize("size, options, mode", [
    ("3072", [], 0o600), ("2048", ["-3"], 0o600), ("3072", ["-3"], 0o640)])
def test_refuses_a_key_that_sgx_or_good_sense_refuses(bench, size, options, mode):
    bench.key = bench.folder / "key.pem"
    assert run("openssl", "genrsa", *options, "-out", bench.key, size).code == 0
    bench.key.chmod(mode)
    refused(bench, bench.image())


def test_refuses_what_is_no_key(bench):
    bench.key = bench.folder / "key.pem"
    refused(bench, bench.image())
    bench.key.write_text("no key")
    bench.key.chmod(0o600)
    refused(bench, bench.image())


def test_refuses_to_start_without_its_tools(bench):
    refused(bench, bench.image(DOCKER_INFO="1"))
    (bench.folder / "gsc/gsc").unlink()
    refused(bench, bench.image())


def test_leaves_alone_what_it_did_not_make(bench):
    (bench.folder / "images/gsc-hello:1").touch()
    refused(bench, bench.image())
    (bench.folder / "images/gsc-hello:1").unlink()
    refused(bench, bench.image("--new-key", bench.folder / "made.sig", key=False))
    bench.out.mkdir()
    (bench.out / "policy.toml").write_text("mine")
    ended = bench.image()
    assert ended.code == 1 and bench.steps() == [], ended
    assert (bench.out / "policy.toml").read_text() == "mine"


def test_refuses_an_enclave_for_debug_mode(bench):
    sigstruct(bench.key, bench.folder, flags=b"\x06")
    ended = bench.image()
    assert ended.code == 1 and not (bench.out / "policy.toml").exists(), ended


def test_says_that_gsc_made_nothing(bench):
    ended = bench.image(NO_IMAGE="1")
    assert ended.code == 1 and "gsc-hello:1" in ended.err, ended


@pytest.mark.parametrize("arguments", [
    [], ["hello"], ["--gsc", ".", "hello"], ["--gsc", ".", "--key", "k"],
    ["--gsc", ".", "--key", "k", "--new-key", "n", "hello"], ["--gsc"],
    ["--gsc", ".", "--key", "k", "hello", "other"], ["--gsc", ".", "--key", "k", "../hello"],
    ["--other", "--gsc", ".", "--key", "k", "hello"]])
def test_usage(arguments):
    ended = run(SCRIPT, *arguments)
    assert (ended.code, ended.out) == (2, "") and ended.err.startswith("usage: "), ended


def test_an_unknown_image_is_named(bench):
    refused(bench, bench.image(name="other"))


def test_real_builds_say_why_they_are_not_tried():
    ended = run(SOURCE / "tools/test_images", env={"PATH": "/usr/bin:/bin"})
    assert ended.code == 77 and "SKIPPED" in ended.err, ended


@pytest.mark.parametrize("arguments", [["other"], ["--programs"], ["--programs", ".", "ratls"]])
def test_usage_of_real_builds(arguments):
    ended = run(SOURCE / "tools/test_images", *arguments)
    assert (ended.code, ended.out) == (2, "") and ended.err.startswith("usage: "), ended
