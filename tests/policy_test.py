# SPDX-License-Identifier: Apache-2.0
"""`ratls policy`: what it says about a policy, what it makes of a .sig file, and what it refuses."""

import hashlib
import json
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


# The fields of a SIGSTRUCT that are signed, by the offsets of the SDM.
FIELDS = {
    0: bytes.fromhex("06000000e10000000000010000000000"),
    24: bytes.fromhex("01010000600000006000000001000000"),
    928: bytes.fromhex("04000000000000000300000000000000"),
    944: b"\xff" * 16,
    960: bytes(range(1, 33)),
    1024: (7).to_bytes(2, "little") + (258).to_bytes(2, "little"),
}


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """An RSA key as gramine-sgx-gen-private-key makes them, and its modulus, little endian."""
    path = tmp_path_factory.mktemp("signer") / "key.pem"
    assert run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072",
               "-pkeyopt", "rsa_keygen_pubexp:3", "-out", path).code == 0
    modulus = run("openssl", "rsa", "-in", path, "-noout", "-modulus").out.strip()
    return path, bytes.fromhex(modulus.partition("=")[2])[::-1]


@pytest.fixture
def sigstruct(key, tmp_path):
    """Writes a signed SIGSTRUCT with changed fields and gives its path."""

    def write(changes=()):
        content = bytearray(1808)
        for offset, value in [*FIELDS.items(), *dict(changes).items()]:
            content[offset:offset + len(value)] = value
        content[128:512] = key[1]
        content[512] = 3
        signed = run("openssl", "dgst", "-sha256", "-sign", key[0], "-out", tmp_path / "signature",
                     stdin=bytes(content[:128] + content[900:1028]))
        assert signed.code == 0, signed
        content[516:900] = (tmp_path / "signature").read_bytes()[::-1]
        path = tmp_path / 'an "app".sig'
        path.write_bytes(content)
        return path

    return write


def test_makes_a_policy_of_a_sigstruct(ratls, sigstruct, key, check):
    ended = run(ratls, "policy", "from-sigstruct", sigstruct())
    assert (ended.code, ended.err) == (0, ""), ended
    lines = ended.out.splitlines()
    assert 'name = "an__app_"' in lines
    assert f'mr_enclave = "{bytes(range(1, 33)).hex()}"' in lines
    signer = [f'# mr_signer = "{hashlib.sha256(key[1]).hexdigest()}"', "# isv_prod_id = 7",
              "# min_isv_svn = 258"]
    assert [line for line in lines if line in signer] == signer
    assert "debug" not in ended.out
    assert "mr_enclave " + bytes(range(1, 33)).hex() in check(ended.out.partition("\n")[2]).out
    # The other choice, as its comment offers it.
    other = [line.removeprefix("# ") if line in signer else line for line in lines[1:]
             if not line.startswith("mr_enclave")]
    assert check("\n".join(other)).code == 0


def test_says_that_an_enclave_is_signed_for_debug_mode(ratls, sigstruct):
    ended = run(ratls, "policy", "from-sigstruct", sigstruct({928: b"\x06"}))
    assert ended.code == 0
    assert "debug mode" in ended.out
    ended = run(ratls, "policy", "from-sigstruct", sigstruct({928: b"\x06", 944: b"\xfd"}))
    assert "debug mode" not in ended.out


@pytest.mark.parametrize("offset", [20, 130, 511, 517, 899, 900, 912, 960, 1008, 1024, 1027])
def test_refuses_a_damaged_sigstruct(ratls, sigstruct, offset):
    path = sigstruct()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    ended = run(ratls, "policy", "from-sigstruct", path)
    assert (ended.code, ended.error, ended.out) == (2, "sigstruct_invalid", ""), ended


def test_refuses_what_is_no_sigstruct(ratls, sigstruct, tmp_path):
    path = sigstruct()
    for content in (b"", path.read_bytes()[:-1], path.read_bytes() + b"x", b"\0" * 1808):
        path.write_bytes(content)
        assert run(ratls, "policy", "from-sigstruct", path).error == "sigstruct_invalid"
    zeros = sigstruct({960: bytes(32)})
    assert run(ratls, "policy", "from-sigstruct", zeros).error == "policy_invalid"
    assert run(ratls, "policy", "from-sigstruct", tmp_path / "none").error == "file_unreadable"


MANIFEST = """loader.argv = ["a", "b"]
libos.entrypoint = "/app"
sgx.debug = false
[[sgx.trusted_files]]
uri = "file:/lib/x.so"
sha256 = "{x}"
[[sgx.trusted_files]]
uri = "file:/lib/y.so"
sha256 = "{y}"
"""


@pytest.fixture
def diff(ratls, tmp_path):
    """Gives what `policy diff --json` says about two contents."""

    def of(old, new, name="a.toml", *options):
        paths = []
        for side, content in (("old", old), ("new", new)):
            folder = tmp_path / side
            folder.mkdir(exist_ok=True)
            paths.append(folder / name)
            paths[-1].write_bytes(content.encode() if isinstance(content, str) else content)
        return run(ratls, "policy", "diff", *paths, *options)

    return of


def changes(ended):
    assert ended.code == 0, ended
    found = json.loads(ended.out)
    return {change["name"]: (change["old"], change["new"]) for change in found["changes"]}


def test_the_file_of_a_manifest_that_differs_is_named(diff):
    old, new = MANIFEST.format(x="11", y="22"), MANIFEST.format(x="11", y="33")
    name = 'sgx.trusted_files "file:/lib/y.so".sha256'
    ended = diff(old, new, "app.manifest.sgx", "--json")
    assert changes(ended) == {name: ('"22"', '"33"')}
    assert json.loads(ended.out)["kind"] == "manifest"
    assert diff(old, new).out == f'changed: {name}: "22" -> "33"\n'


def test_what_a_manifest_has_more_or_less_is_named(diff):
    old = MANIFEST.format(x="11", y="22")
    new = old.replace("file:/lib/y.so", "file:/lib/z.so").replace(', "b"', "") + "[sys]\nfds.limit = 9\n"
    assert changes(diff(old, new, "m", "--json")) == {
        'sgx.trusted_files "file:/lib/y.so".sha256': ('"22"', None),
        'sgx.trusted_files "file:/lib/z.so".sha256': (None, '"22"'),
        "loader.argv": ('["a", "b"]', '["a"]'),
        "sys.fds.limit": (None, "9")}
    lines = diff(old, new).out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["changed", "removed", "added", "added"]


def test_the_order_of_files_is_no_change_but_is_measured(diff):
    first, second = (f'[[sgx.trusted_files]]\nuri = "{name}"\nsha256 = "1"\n' for name in "ab")
    ended = diff(first + second, second + first, "m", "--json")
    assert changes(ended) == {}
    assert json.loads(ended.out)["identical"] is False
    assert "MRENCLAVE" in diff(first + second, second + first).out
    same = diff(first, first, "m", "--json")
    assert (changes(same), json.loads(same.out)["identical"]) == ({}, True)


def test_a_policy_that_accepts_more_is_warned_of(diff):
    old = "version = 1\n" + ENCLAVE + STRICT
    new = old.replace("= 17", "= 0") + "[dangerous]\nallow_debug = true\n"
    ended = diff(old, new, "p.toml", "--json")
    assert changes(ended) == {"tcb.min_evaluation_number": ("17", "0"),
                              "dangerous.allow_debug": (None, "true")}
    more = json.loads(ended.out)["new_warnings"]
    assert len(more) == 2 and "min_evaluation_number" in more[0] and "allow_debug" in more[1]
    assert json.loads(diff(new, old, "p.toml", "--json").out)["new_warnings"] == []


def test_another_root_under_the_same_name_is_a_change(ratls, new_platform, tmp_path):
    old, new = new_platform(), new_platform()
    (new / "policy.toml").write_text((old / "policy.toml").read_text())
    ended = run(ratls, "policy", "diff", old / "policy.toml", new / "policy.toml", "--json")
    assert list(changes(ended)) == ["trust.root (SHA-256 of the file)"]


def test_the_fields_of_a_sigstruct_are_compared(diff, sigstruct, key):
    old = sigstruct().read_bytes()
    new = sigstruct({20: bytes.fromhex("28112620"), 960: b"\x07" * 32, 1026: b"\x03\x01"}).read_bytes()
    ended = diff(old, new, "app.sig", "--json")
    assert changes(ended) == {"mr_enclave": (bytes(range(1, 33)).hex(), "07" * 32),
                              "isv_svn": ("258", "259"), "date": ("00000000", "20261128")}
    assert json.loads(ended.out)["kind"] == "sigstruct"


@pytest.mark.parametrize("offset, value, name", [
    (16, b"\x86\x80", "vendor"), (40, b"\1", "sw_defined"), (908, b"\1", "cet_attributes"),
    (909, b"\1", "cet_attributes_mask"), (900, b"\1", "misc_select"), (904, b"\1", "misc_select_mask"), (912, b"\1", "isv_family_id"),
    (928, b"\6", "attributes"), (944, b"\xfd", "attributes_mask"), (1008, b"\1", "isv_ext_prod_id"),
    (1024, b"\1", "isv_prod_id")])
def test_each_field_of_a_sigstruct_counts(diff, sigstruct, offset, value, name):
    old, new = sigstruct().read_bytes(), sigstruct({offset: value}).read_bytes()
    assert list(changes(diff(old, new, "app.sig", "--json"))) == [name]


@pytest.mark.parametrize("old, new, name, error", [
    ("version = 1\n", MANIFEST, "m", "policy_empty"),
    (MANIFEST, "version = 1\n" + ENCLAVE, "m", "usage"),
    (MANIFEST, "sgx = \n", "m", "policy_invalid"),
    (MANIFEST, "sgx.x = 1.5\n", "m", "policy_invalid"),
    (MANIFEST, MANIFEST + "x = 1\nx = 2\n", "m", "policy_invalid"),
    ("version = 1\n" + ENCLAVE, "version = 1\n" + ENCLAVE + "x = 1\n", "p", "policy_invalid"),
    ("\6\0", MANIFEST, "m", "sigstruct_invalid"),
    (MANIFEST, MANIFEST, "a.sig", "sigstruct_invalid"),
])
def test_refuses_to_compare_what_it_cannot_read(diff, old, new, name, error):
    ended = diff(old, new, name)
    assert (ended.code, ended.error, ended.out) == (2, error, ""), ended


def test_escapes_what_would_steer_a_terminal_in_a_difference(diff):
    ended = diff("sgx.a = \"\"\n", 'sgx.a = "\\u202e"\n', "m")
    assert ended.code == 0 and "\u202e" not in ended.out


def test_refuses_a_damaged_sigstruct_and_missing_files_in_a_difference(ratls, diff, sigstruct):
    good = sigstruct().read_bytes()
    assert diff(good, good[:960] + b"\0" + good[961:], "a.sig").error == "sigstruct_invalid"
    assert run(ratls, "policy", "diff", "/none", "/none").error == "file_unreadable"
    assert run(ratls, "policy", "diff", "/none").error == "usage"
