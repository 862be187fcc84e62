# SPDX-License-Identifier: Apache-2.0
"""The Python package against `ratls serve` on a simulated platform, and against scripted servers
whose record shows that nothing was sent to one that is refused."""

import json
import os
import pathlib
import pickle
import ssl
import subprocess
import sys
import threading

import pytest

import ratls as package
from conftest import SOURCE, run
from scripted_server import answering, read_request, respond, scripted

BODY = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture
def client(service, policy_file):
    with package.Client(service.url, policy=policy_file) as made:
        yield made


@pytest.fixture
def enclave(platform):
    """The mr_enclave of the service."""
    for line in (platform / "policy.toml").read_text().splitlines():
        if line.startswith("mr_enclave"):
            return line.split('"')[1]
    return pytest.fail("no mr_enclave")


@pytest.fixture
def policy_base(platform, write_policy):
    """The policy of the platform without its enclave."""
    text = (platform / "policy.toml").read_text()
    kept = [line for line in text.splitlines()
            if not line.startswith(("[[enclave]]", "name", "mr_enclave"))]
    _, path = write_policy()
    path.write_text("\n".join(kept) + "\n")
    return path


# Sessions.

def test_a_session_is_fresh_where_the_policy_says_so(service, write_policy):
    _, policy = write_policy("\n[session]\nfresh = true\n")
    with package.Client(service.url, policy=policy) as client:
        with client.get("/") as answer:
            assert answer.status == 200 and answer.identity["fresh"] is True
            answer.read()
        assert client.get("/").identity["fresh"] is True


def test_without_evidence_for_the_session_nothing_is_sent(write_policy, attested_files):
    _, policy = write_policy("\n[session]\nfresh = true\n")

    def decline(stream, _head, _body):
        stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with answering(attested_files, decline) as server, \
            package.Client(server.url, policy=policy) as client:
        with pytest.raises(package.Error) as raised:
            client.post("/private", body=b"secret")
        assert raised.value.code == "evidence_not_fresh"
    assert all("private" not in head and not body for head, body in server.requests)


# Requests.


def test_get_and_post(client):
    answer = client.get("/")
    assert (answer.status, answer.ok, answer.json()) == (200, True, {"message": "Hello World"})
    assert answer.headers["content-TYPE"] == "application/json"
    assert answer.headers.get("x-none") is None
    posted = client.post("/log_body", json={"message": "hello"})
    assert posted.json() == {"message": "Success"}
    assert client.post("/log_body", b"{").status == 422
    assert client.request("PUT", "/").status == 405


def test_headers_are_sent(client):
    answer = client.get("/get_headers", headers={"X-Colour": "blue", "X-Empty": ""})
    headers = answer.json()["headers"]
    assert headers["x-colour"] == "blue" and headers["x-empty"] == ""
    with pytest.raises(package.UsageError) as caught:
        client.get("/", headers={"X-Two": "a\r\nX-More: b"})
    assert (caught.value.code, caught.value.number) == ("usage", 201)


def test_the_identity_is_the_report(client, ratls, policy, service, enclave):
    identity = client.get("/").identity
    command = json.loads(run(ratls, "verify", *policy, "--json", service.url).out)
    assert list(identity) == list(command)
    assert identity.accepted is True and identity.mr_enclave == enclave
    assert identity["tcb_status"] == identity.tcb_status == "UpToDate"
    assert identity.mr_td is None and identity.simulated and identity.proves == "session"
    with pytest.raises(AttributeError):
        identity.no_such_field  # pylint: disable=pointless-statement
    assert client.verify().mr_enclave == enclave


def test_connections_are_kept(attested_files, policy_file):
    def keep(stream, head, _body):
        if "/last" in head:
            return respond(stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        return keep(stream, *read_request(stream))

    with answering(attested_files, keep) as server, \
            package.Client(server.url, policy=policy_file) as client:
        for _ in range(5):
            assert client.get("/").content == b"hi"
        assert client.get("/last").status == 200
        assert server.connections == 1


def test_bodies_are_streamed(attested_files, policy_file):
    with answering(attested_files, lambda stream, *_: respond(stream, BODY)) as server, \
            package.Client(server.url, policy=policy_file) as client:
        with client.get("/", stream=True) as answer:
            assert answer.read(10) == BODY[:10]
            assert b"".join(answer) == BODY[10:]
            assert answer.read(10) == b""
        with client.get("/", stream=True) as answer:  # ended before its body's end
            assert answer.read(1) == BODY[:1]
        answer = client.get("/")
        assert answer.read(3) == BODY[:3] and answer.read() == BODY[3:] and answer.read() == b""
        assert answer.content == BODY
        posted = client.post("/", iter([b"ab", "c"]))
        assert posted.status == 200 and server.requests[-1][1] == b"abc"


# Refusals.


def send_secret(url, **options):
    with package.Client(url, **options) as client:
        client.post("/", "secret", headers={"X-Secret": "secret"})


def test_another_enclave_is_refused_without_a_request(attested_files, strange_policy, policy_base):
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        with pytest.raises(package.UntrustedError) as caught:
            send_secret(server.url, policy=strange_policy)
        error = caught.value
        assert (error.code, error.number, error.report["accepted"]) == ("root_untrusted", 401,
                                                                        False)
        assert error.where and error.hint and error.report["code"] == "root_untrusted"
        with pytest.raises(package.PolicyError) as caught:
            send_secret(server.url, mr_enclave="ab" * 32, policy_base=policy_base)
        assert caught.value.code == "identity_mismatch"
        assert caught.value.report["mr_enclave"] not in (None, "ab" * 32)
        with pytest.raises(package.UntrustedError):  # Intel's root is the default
            send_secret(server.url, mr_enclave="ab" * 32)
        assert server.connections == 3 and server.requests == []


def test_a_server_without_evidence_is_refused(plain_files, policy_file):
    with answering(plain_files, lambda stream, *_: respond(stream)) as server:
        with pytest.raises(package.MalformedError) as caught:
            send_secret(server.url, policy=policy_file)
        assert caught.value.code == "evidence_missing" and server.requests == []


def test_an_identity_alone_accepts_with_a_base(service, enclave, policy_base):
    with package.Client(service.url, mr_enclave=enclave, policy_base=policy_base) as client:
        signer = client.get("/").identity.mr_signer
    with package.Client(service.url, mr_signer=signer, isv_prod_id=1, min_isv_svn=0,
                        policy_base=policy_base) as client:
        assert client.get("/").status == 200
    with package.Client(service.url, mr_signer=signer, isv_prod_id=0, min_isv_svn=0,
                        policy_base=policy_base) as client:
        with pytest.raises(package.PolicyError):
            client.get("/")


@pytest.mark.parametrize("options, code", [
    ({}, "policy_invalid"), ({"mr_signer": "ab" * 32}, "policy_invalid"),
    ({"mr_enclave": "ab"}, "malformed_hex"), ({"policy": "/nonexistent"}, "file_unreadable"),
    ({"mr_enclave": "ab" * 32, "policy": "x"}, "usage"),
    ({"mr_enclave": "ab" * 32, "isv_prod_id": 65536}, "usage"),
    ({"mr_enclave": "ab" * 32, "timeout": 0}, "usage"),
])
def test_wrong_arguments_are_usage_errors(options, code):
    with pytest.raises(package.UsageError) as caught:
        package.Client("https://localhost:1", **options)
    assert caught.value.code == code


def test_unavailable_and_timeout(policy_file):
    with package.Client("https://127.0.0.1:1", policy=policy_file) as client:
        with pytest.raises(package.UnavailableError) as caught:
            client.get("/")
        assert caught.value.code == "connection_failed" and caught.value.report is None
        assert isinstance(caught.value, ConnectionError)
    silent = threading.Event()
    with scripted(lambda connection: silent.wait(60)) as server, \
            package.Client(server.url, policy=policy_file) as client:
        with pytest.raises(TimeoutError) as caught:
            client.get("/", connect_timeout=0.3)
        silent.set()
        assert isinstance(caught.value, package.RequestTimeout) and caught.value.code == "timeout"


def test_errors_can_be_pickled_and_printed(strange_policy, service):
    with pytest.raises(package.Error) as caught:
        send_secret(service.url, policy=strange_policy)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value) and copy.report == caught.value.report
    assert "hint: " in str(copy) and str(copy) == str(caught.value)


def test_closed_clients_and_answers(service, policy_file):
    client = package.Client(service.url, policy=policy_file)
    answer = client.get("/", stream=True)
    client.close()
    assert answer.json() == {"message": "Hello World"}
    with pytest.raises(package.UsageError):
        client.get("/")
    answer.close()
    assert answer.identity.accepted


def test_threads_with_different_policies(service, attested_files, policy_file, strange_policy):
    outcomes = []

    def ask(number):
        accepts = number % 2 == 0
        with package.Client(service.url, policy=policy_file if accepts else strange_policy) as own:
            for _ in range(3):
                try:
                    headers = own.get("/get_headers", headers={"X-Number": str(number)}).json()
                    outcomes.append(accepts and headers["headers"]["x-number"] == str(number))
                except package.UntrustedError as error:
                    outcomes.append(not accepts and error.report["code"] == "root_untrusted")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 64 * 3


def test_threads_share_a_client(client):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(client.get("/").status))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [200] * 16


# Attested files.


def test_attested_files_serve(platform, policy_file, tmp_path):
    files = tmp_path / "crt.pem", tmp_path / "key.pem"
    package.attest.write_ra_tls_key_and_crt(files[1], files[0], tee="sim", sim_dir=platform,
                                            names=["enclave.example"], key_type="p384")
    assert files[1].stat().st_mode & 0o777 == 0o600
    with answering(files, lambda stream, *_: respond(stream, b"served")) as server, \
            package.Client(server.url, policy=policy_file) as client:
        assert client.get("/").content == b"served"
    key, crt = package.attest.get_ra_tls_key_and_crt("der", tee="sim", sim_dir=platform)
    assert ssl.PEM_cert_to_DER_cert(ssl.DER_cert_to_PEM_cert(crt)) == crt and key[0] == 0x30
    with pytest.raises(package.UsageError):
        package.attest.write_ra_tls_key_and_crt(files[1], files[0], "p12")
    with pytest.raises(package.UsageError):
        package.attest.make_certificate(tee="sim", sim_dir=platform, lifetime=0)
    with pytest.raises(package.UnavailableError):
        package.attest.make_certificate(tee=f"gramine:{tmp_path}")


# The library.


def test_the_table_of_functions_is_the_header():
    from ratls import _library
    header = (SOURCE / "include/ratls.h").read_text()
    for name, (_, arguments) in _library._FUNCTIONS.items():
        start = header.index(f"ratls_{name}(")
        declared = header[start:header.index(";", start)].partition("(")[2]
        count = 0 if declared.rstrip(")") == "void" else declared.count(",") + 1
        assert len(arguments) == count, name
    assert header.count("RATLS_API ") - header.count("define RATLS_API ") == \
        len(_library._FUNCTIONS)


def python(code, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "RATLS_LIBRARY"}
    return run(sys.executable, "-c", code, env={**kept, **environment})


def test_the_library_is_looked_up(tmp_path):
    show = "import ratls._library as c; print(c.library_path()); print(c.library_version())"
    ended = python(show, RATLS_LIBRARY="libratls.so.0")
    assert ended.code == 1 and "absolute" in ended.err, ended
    library = os.environ["RATLS_LIBRARY"]
    ended = python(show, RATLS_LIBRARY=library)
    assert ended.out.split() == [library, package.__version__], ended
    bundled = tmp_path / "ratls"
    subprocess.run(["cp", "-r", str(SOURCE / "python/ratls"), str(bundled)], check=True)
    (bundled / "libratls.so.0").write_bytes(pathlib.Path(library).read_bytes())
    ended = python(show, RATLS_LIBRARY="/nonexistent", PYTHONPATH=str(tmp_path))
    assert ended.out.split()[0] == str(bundled / "libratls.so.0"), ended
