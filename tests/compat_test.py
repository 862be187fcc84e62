# SPDX-License-Identifier: Apache-2.0
"""The libraries in the place of Gramine's, as programs made for Gramine's use them."""

import ctypes
import os
import pathlib
import re
import ssl

import pytest

from conftest import run

ACCEPTED = "0 2 0 0 0"
MEASUREMENTS = ("RA_TLS_MRENCLAVE", "RA_TLS_MRSIGNER", "RA_TLS_ISV_PROD_ID", "RA_TLS_ISV_SVN")
FUNCTIONS = ("ra_tls_create_key_and_crt_der", "ra_tls_set_measurement_callback",
             "ra_tls_verify_callback_der", "ra_tls_verify_callback_extended_der")


@pytest.fixture(scope="module")
def build():
    """The folder of the libraries, from RATLS_BUILD; for_tests in it has those whose two fixed paths
    are compat.toml and attestation in the working directory."""
    return pathlib.Path(os.environ["RATLS_BUILD"])


@pytest.fixture(scope="module")
def user():
    """A C program that opens the libraries when it runs."""
    return os.environ["RA_TLS_USER"]


@pytest.fixture
def folder(platform, tmp_path):
    """A working directory whose compat.toml trusts the platform."""
    (tmp_path / "compat.toml").write_text(
        f'version = 1\n[collateral]\nsources = ["file:{platform}/collateral.json"]\n'
        f'[trust]\nroot = "{platform}/root.pem"\n')
    return tmp_path


@pytest.fixture(scope="module")
def certificate(attested_files, tmp_path_factory):
    """A certificate of the platform's enclave, as DER."""
    file = tmp_path_factory.mktemp("certificate") / "crt.der"
    file.write_bytes(ssl.PEM_cert_to_DER_cert(attested_files[0].read_text()))
    return file


@pytest.fixture(scope="module")
def mr_enclave(platform):
    return re.search(r'mr_enclave = "(.*)"', (platform / "policy.toml").read_text()).group(1)


def variables(mr_enclave="any", mr_signer="any", isv_prod_id="any", isv_svn="any", **more):
    return {**dict(zip(MEASUREMENTS, (mr_enclave, mr_signer, isv_prod_id, isv_svn))), **more}


@pytest.fixture
def verify(build, user, folder, certificate):
    """verify(VARIABLES, more arguments) runs the C program in folder."""
    def start(environment, *arguments, library=build / "for_tests/libra_tls_verify_dcap.so"):
        return run(user, "verify", library, certificate, *arguments, cwd=folder,
                   env={**os.environ, **environment})

    return start


def test_the_named_enclave_is_accepted(verify, mr_enclave):
    ended = verify(variables(mr_enclave))
    assert (ended.code, ended.out, ended.err) == (0, ACCEPTED + "\n", ""), ended
    ended = verify(variables(mr_enclave.upper()))
    assert (ended.code, ended.out) == (0, ACCEPTED + "\n"), ended


def test_another_enclave_is_refused(verify):
    ended = verify(variables("1" * 64))
    assert (ended.code, ended.out, ended.error) == (0, f"{-0x2700} 2 5 0 0\n", "identity_mismatch")
    assert "where: " in ended.err and "hint:  " in ended.err


def test_nothing_named_is_refused(verify, mr_enclave):
    for environment in ({}, variables(), {"RA_TLS_MRENCLAVE": mr_enclave}):
        ended = verify(environment)
        assert ended.out.startswith(f"{-0x2700} 2 5 "), ended
        assert (ended.code, ended.error) == (0, "policy_empty"), ended


def test_a_signer_without_product_and_version_warns(ratls, verify, certificate, mr_enclave):
    shown = run(ratls, "inspect", "--json", "--cert", certificate).out
    signer = re.search(r'"mr_signer": ?"([0-9a-f]{64})"', shown).group(1)
    ended = verify(variables(mr_signer=signer))
    assert (ended.code, ended.out) == (0, ACCEPTED + "\n"), ended
    assert ended.err.count("warning: ") == 1 and "RA_TLS_ISV_SVN" in ended.err, ended
    assert verify(variables(mr_enclave, signer)).err == ""
    assert verify(variables(mr_signer=signer, isv_prod_id="1", isv_svn="0")).err == ""


def test_a_callback_takes_the_place_of_the_variables(verify, mr_enclave):
    assert verify({}, mr_enclave).out == ACCEPTED + "\n"
    ended = verify(variables(mr_enclave), "2" * 64)
    assert (ended.code, ended.out) == (0, f"{-0x2700} 2 5 0 0\n"), ended


def test_no_variable_says_whom_to_trust(verify, folder, mr_enclave, platform):
    (folder / "compat.toml").unlink()
    given = variables(mr_enclave, RA_TLS_ROOT=str(platform / "root.pem"),
                      RATLS_COMPAT_FILE=str(platform / "policy.toml"))
    ended = verify(given)
    assert (ended.code, ended.error) == (0, "file_unreadable"), ended
    assert ended.out.startswith(f"{-0x3000} 2 1 "), ended


@pytest.mark.parametrize("name", ["libra_tls_verify_dcap.so", "libra_tls_verify_dcap_gramine.so"])
def test_the_libraries_have_their_own_file(build, verify, mr_enclave, name):
    ended = verify(variables(mr_enclave), library=build / name)
    assert ended.code == 0 and ended.out.split()[0] in (str(-0x2700), str(-0x3000)), ended
    assert ended.error in ("file_unreadable", "root_untrusted"), ended


@pytest.mark.parametrize("name", ["libra_tls_attest.so", "libra_tls_verify_dcap.so",
                                  "libra_tls_verify_dcap_gramine.so"])
def test_exactly_gramines_functions_are_exported(build, name):
    ended = run("nm", "--dynamic", "--defined-only", "--with-symbol-versions", build / name)
    found = {line.split()[-1] for line in ended.out.splitlines() if line.split()[-2] == "T"}
    names = FUNCTIONS[:1] if name == "libra_tls_attest.so" else FUNCTIONS[1:]
    assert found == {f"{function}@@RA_TLS" for function in names}
    assert [line for line in ended.out.splitlines() if line.split()[-2] not in "TA"] == []
    assert f"soname: [{name}]" in run("readelf", "--dynamic", build / name).out


def as_library_does(build, folder, program):
    """Runs a Python program in a process of its own, with the library as `library`."""
    head = ("import ctypes\n"
            f"library = ctypes.CDLL({str(build / 'for_tests/libra_tls_verify_dcap.so')!r})\n")
    return run("/usr/bin/python3", "-c", head + program, cwd=folder)


# As the wrapper did that the package's ratls.verify takes the place of: the environment is set
# within the process, the certificate is that of the connection.
WRAPPER = """
import os, ssl, sys
def verify(der, **variables):
    for name in ("MRENCLAVE", "MRSIGNER", "ISV_PROD_ID", "ISV_SVN"):
        os.environ["RA_TLS_" + name] = variables.get(name, "any")
    return library.ra_tls_verify_callback_der(der, len(der))
der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", %d)))
print(verify(der, MRENCLAVE=%r), verify(der, MRENCLAVE="3" * 64), verify(der),
      verify(der[:-1], MRENCLAVE=%r), library.ra_tls_verify_callback_der(None, 0))
"""


def test_python_reads_the_environment_at_each_call(build, folder, service, mr_enclave):
    ended = as_library_does(build, folder, WRAPPER % (service.port, mr_enclave, mr_enclave))
    assert ended.code == 0, ended
    assert ended.out.split() == ["0", *map(str, (-0x2700, -0x2700, -0x2180, -0x2180))], ended


# Each thread sets one callback or the other again and again, and verifies. A verification asks one
# of them, once, and its result is that one's answer.
THREADS = """
import threading
der = open(%r, "rb").read()
TYPE = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)
asked = threading.local()
def answering(answer):
    def callback(*_):
        asked.answers.append(answer)
        return answer
    return TYPE(callback)
callbacks = [answering(0), answering(-1)]
results = []
def work(number):
    for turn in range(8):
        asked.answers = []
        library.ra_tls_set_measurement_callback(callbacks[(number + turn) %% 2])
        result = library.ra_tls_verify_callback_der(der, len(der))
        results.append((tuple(asked.answers), result))
library.ra_tls_set_measurement_callback(callbacks[0])
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(results), sorted(set(results)))
"""


def test_threads_with_callbacks_do_not_disturb_each_other(build, folder, certificate):
    ended = as_library_does(build, folder, THREADS % str(certificate))
    assert ended.out == f"64 {[((-1,), -0x2700), ((0,), 0)]}\n", ended


@pytest.fixture
def attestation(mountable, serving, platform, folder):
    """Gramine's files in the working directory."""
    (folder / "attestation").mkdir()
    with serving("sim", "mount", folder / "attestation", "--dir", platform):
        yield folder


@pytest.fixture
def create(build, user, tmp_path):
    def start(environment=None):
        return run(user, "create", build / "for_tests/libra_tls_attest.so", tmp_path / "key",
                   tmp_path / "crt", cwd=tmp_path, env={**os.environ, **(environment or {})})

    return start


def dates_of(certificate):
    ended = run("openssl", "x509", "-inform", "der", "-in", certificate, "-noout", "-dates")
    return [line.partition("=")[2] for line in ended.out.splitlines()]


def test_a_made_certificate_is_accepted_by_both(ratls, attestation, create, verify, policy,
                                                build, user, mr_enclave, platform):
    ended = create()
    assert (ended.code, ended.out, ended.err) == (0, "0\n", ""), ended
    made = attestation / "crt"
    assert dates_of(made) == ["Jan  1 00:00:00 2001 GMT", "Dec 31 23:59:59 2030 GMT"]
    ended = run(user, "verify", build / "for_tests/libra_tls_verify_dcap.so", made, cwd=attestation,
                env={**os.environ, **variables(mr_enclave)})
    assert (ended.code, ended.out) == (0, ACCEPTED + "\n"), ended
    # A policy has to say that it takes certificates that live so long.
    ended = run(ratls, "verify", *policy, "--cert", made)
    assert (ended.code, ended.error) == (7, "certificate_lifetime"), ended
    long = attestation / "policy.toml"
    long.write_text((attestation / "compat.toml").read_text() +
                    f'[session]\nmax_certificate_lifetime = "10958d"\n'
                    f'[[enclave]]\nmr_enclave = "{mr_enclave}"\n')
    ended = run(ratls, "verify", "--policy", long, "--cert", made)
    assert ended.code == 0, ended


def test_a_made_certificate_is_for_clients_too(attestation, create):
    assert create().out == "0\n"
    shown = run("openssl", "x509", "-inform", "der", "-in", attestation / "crt", "-noout", "-purpose")
    assert "SSL client : Yes\n" in shown.out and "SSL server : Yes\n" in shown.out, shown


def test_the_key_is_the_certificates(attestation, create):
    assert create().out == "0\n"
    key = run("openssl", "pkey", "-inform", "der", "-in", attestation / "key", "-pubout")
    made = run("openssl", "x509", "-inform", "der", "-in", attestation / "crt", "-noout", "-pubkey")
    assert key.code == 0 and key.out == made.out
    # An ECPrivateKey on P-384, which mbedTLS writes; PKCS#8 has a version of 0.
    shown = run("openssl", "asn1parse", "-inform", "der", "-in", attestation / "key").out
    assert re.search(r"INTEGER +:01\n", shown) and "secp384r1" in shown, shown


def test_variables_name_the_dates(attestation, create):
    names = ("RA_TLS_CERT_TIMESTAMP_NOT_BEFORE", "RA_TLS_CERT_TIMESTAMP_NOT_AFTER")
    assert create(dict(zip(names, ("20260102030405", "20270102030405")))).out == "0\n"
    assert dates_of(attestation / "crt") == ["Jan  2 03:04:05 2026 GMT", "Jan  2 03:04:05 2027 GMT"]
    for wrong in (("2026", "20270102030405"), ("20270102030405", "20260102030405")):
        ended = create(dict(zip(names, wrong)))
        assert (ended.code, ended.out, ended.error) == (0, f"{-0x2800}\n", "config_invalid"), ended


def test_without_gramine_there_is_no_certificate(create, build, user, tmp_path):
    ended = create()
    assert (ended.code, ended.out, ended.error) == (0, f"{-0x2900}\n", "quote_unavailable"), ended
    if not os.path.exists("/dev/attestation"):
        ended = run(user, "create", build / "libra_tls_attest.so", tmp_path / "key",
                    tmp_path / "crt")
        assert (ended.code, ended.out) == (0, f"{-0x2900}\n"), ended
        assert "/dev/attestation" in ended.err


def test_the_configuration_of_openssl_has_no_influence(attestation, create, verify, mr_enclave):
    file = attestation / "openssl.cnf"
    file.write_text("openssl_conf = all\n[all]\nalg_section = evp\n[evp]\n"
                    "default_properties = fips=yes\n")
    given = {"OPENSSL_CONF": str(file), "OPENSSL_MODULES": str(attestation)}
    # Such a file does have an effect.
    assert run("openssl", "rand", "1", env={**os.environ, **given}).code != 0
    assert create(given).out == "0\n"
    ended = verify(variables(mr_enclave, **given))
    assert (ended.code, ended.out, ended.err) == (0, ACCEPTED + "\n", ""), ended


def test_a_null_pointer_is_refused(build):
    library = ctypes.CDLL(str(build / "libra_tls_attest.so"))
    assert library.ra_tls_create_key_and_crt_der(None, None, None, None) == -22
