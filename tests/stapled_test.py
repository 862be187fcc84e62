# SPDX-License-Identifier: Apache-2.0
"""Collateral that the server itself hands out: `ratls serve --staple`, and the source "stapled"."""

import contextlib
import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from conftest import DEADLINE, run
from scripted_server import read_request, scripted, server_context

PATH = "/.well-known/ratls/collateral"


@pytest.fixture
def stapled(write_policy):
    """The options that accept the service by collateral of its own."""
    return write_policy("\n[tcb]\nmin_evaluation_number = 20\n",
                        [('sources = ["file:collateral.json"]', 'sources = ["stapled"]')])


def verify(ratls, policy, url):
    ended = run(ratls, "verify", "--json", *policy, url)
    return ended, json.loads(ended.out)


def test_a_client_needs_no_other_source(ratls, service, stapled):
    ended, report = verify(ratls, stapled, service.url)
    assert (ended.code, report["collateral"]["source"]) == (0, "stapled"), ended
    ended = run(ratls, "get", *stapled, service.url + "/")
    assert (ended.code, ended.out) == (0, '{"message":"Hello World"}'), ended


def test_the_path_has_the_collateral_file(service, platform, tmp_path, ratls, policy):
    file = tmp_path / "c.json"
    ended = run("curl", "-ski", service.url + PATH)
    head, _, body = ended.out.partition("\r\n\r\n")
    assert "Content-Type: application/json" in head
    assert json.loads(body).keys() == json.loads(
        (platform / "collateral.json").read_text()).keys()
    file.write_text(body)
    assert run(ratls, "verify", *policy, "--collateral", file, service.url).code == 0
    for path, status in ((PATH + "/", "404"), (PATH.upper(), "404"), ("/.well-known/ratls/", "404")):
        ended = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", service.url + path)
        assert ended.out == status, path


def test_a_file_is_handed_out(ratls, serving, platform, attested_files, tmp_path):
    ended = run(ratls, "serve", "--tee", "sim", "--sim", platform, "--staple", "", "--listen",
                "127.0.0.1:0")
    assert ended.code == 2, ended
    # Signed by a root that is not Intel's: the server goes on without, and says so.
    with serving("serve", "--tee", "sim", "--sim", platform, "--staple",
                 platform / "collateral.json", "--listen", "127.0.0.1:0") as running:
        ended = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", running.url + PATH)
        assert ended.out == "404"
        assert "no collateral to hand out" in running.log()


def test_stapled_needs_a_minimum_evaluation_number(ratls, service, write_policy):
    policy = write_policy(replace=[('sources = ["file:collateral.json"]', 'sources = ["stapled"]')])
    ended = run(ratls, "get", *policy, service.url)
    assert (ended.code, ended.error) == (2, "policy_invalid"), ended


def test_an_older_baseline_than_the_policy_wants_is_refused(ratls, service, write_policy):
    policy = write_policy("\n[tcb]\nmin_evaluation_number = 21\n",
                          [('sources = ["file:collateral.json"]', 'sources = ["stapled"]')])
    ended, report = verify(ratls, policy, service.url)
    assert (ended.code, report["code"]) == (6, "tcb_evaluation_number_too_low"), ended


def test_a_file_has_no_server_to_ask(ratls, stapled, attested_files):
    ended = run(ratls, "verify", *stapled, "--cert", attested_files[0])
    assert (ended.code, ended.error) == (8, "collateral_unavailable"), ended


@pytest.fixture(scope="session")
def endorsing(serving, platform):
    """A server whose certificate brings the collateral."""
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--endorse") as running:
        yield running


def copy_bytes(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting(url):
    """Passes connections on to a server; .connections says how many there were."""
    parts = urllib.parse.urlsplit(url)

    def pass_on(connection):
        with connection, socket.create_connection((parts.hostname, parts.port),
                                                  DEADLINE) as server:
            back = threading.Thread(target=copy_bytes, args=(server, connection), daemon=True)
            back.start()
            copy_bytes(connection, server)
            back.join(DEADLINE)

    with scripted(lambda connection: threading.Thread(
            target=pass_on, args=(connection.dup(),), daemon=True).start()) as passing:
        yield passing


def test_a_certificate_brings_the_collateral_over_the_one_connection(ratls, endorsing, stapled):
    with counting(endorsing.url) as passing:
        ended, report = verify(ratls, stapled, passing.url)
        assert (ended.code, report["collateral"]["source"]) == (0, "stapled"), ended
        assert passing.connections == 1


def test_without_it_there_is_a_second_connection(ratls, service, stapled):
    with counting(service.url) as passing:
        assert run(ratls, "verify", *stapled, passing.url).code == 0
        assert passing.connections == 2


@pytest.fixture
def endorsed_certificate(endorsing, tmp_path):
    file = tmp_path / "endorsed.pem"
    parts = urllib.parse.urlsplit(endorsing.url)
    file.write_text(ssl.get_server_certificate((parts.hostname, parts.port)))
    return file


def test_a_certificate_file_with_collateral_needs_no_server(ratls, stapled, endorsed_certificate):
    ended = run(ratls, "verify", "--json", *stapled, "--cert", endorsed_certificate)
    assert (ended.code, json.loads(ended.out)["collateral"]["source"]) == (0, "stapled"), ended
    text = run("openssl", "x509", "-in", endorsed_certificate, "-noout", "-text").out
    assert "2.23.133.5.4.2:" in text and "2.23.133.5.4.2: critical" not in text


def test_what_a_certificate_brings_is_asked_for_by_name_only(ratls, write_policy,
                                                             endorsed_certificate):
    policy = write_policy(replace=[('sources = ["file:collateral.json"]',
                                    'sources = ["file:absent.json"]')])
    ended = run(ratls, "verify", *policy, "--cert", endorsed_certificate)
    assert (ended.code, ended.error) == (8, "collateral_unavailable"), ended


def test_an_older_baseline_in_a_certificate_is_refused(ratls, write_policy, endorsed_certificate):
    policy = write_policy("\n[tcb]\nmin_evaluation_number = 21\n",
                          [('sources = ["file:collateral.json"]', 'sources = ["stapled"]')])
    ended = run(ratls, "verify", *policy, "--cert", endorsed_certificate)
    assert (ended.code, ended.error) == (6, "tcb_evaluation_number_too_low"), ended


def test_endorse_needs_something_to_bring(ratls, tmp_path):
    ended = run(ratls, "serve", "--tee", "tdx", "--endorse", "--listen", "127.0.0.1:0")
    assert ended.code == 2, ended


def test_the_wrong_enclave_is_refused_with_good_collateral(ratls, service, write_policy, platform):
    text = (platform / "policy.toml").read_text()
    measurement = text.partition('mr_enclave = "')[2][:64]
    policy = write_policy("\n[tcb]\nmin_evaluation_number = 20\n",
                          [('sources = ["file:collateral.json"]', 'sources = ["stapled"]'),
                           (measurement, "ab" * 32)])
    ended, report = verify(ratls, policy, service.url)
    assert (ended.code, report["code"]) == (7, "identity_mismatch"), ended


# A server that misbehaves: its certificate is the platform's, its collateral is what a test says.


def answer(body, status="200 OK", headers=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


@contextlib.contextmanager
def misbehaving(files, misbehave):
    """Serves several connections at once: the verified one waits for the other. Its requests are
    those of both."""
    context = server_context(files)
    threads = []

    def serve(connection):
        connection.settimeout(DEADLINE)
        with contextlib.suppress(OSError), connection, \
                context.wrap_socket(connection, server_side=True) as stream:
            server.requests.append(read_request(stream))
            misbehave(stream)

    def script(connection):
        threads.append(threading.Thread(target=serve, args=(connection.dup(),), daemon=True))
        threads[-1].start()

    with scripted(script) as server:
        yield server
        for thread in threads:
            thread.join(DEADLINE)


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.2)


@pytest.mark.parametrize("misbehave, code, error", [
    (lambda c: c.sendall(answer(b"", "302 Found", "Location: /other\r\n")), 8,
     "collateral_unavailable"),
    (lambda c: c.sendall(answer(b"", "404 Not Found")), 8, "collateral_unavailable"),
    (lambda c: c.sendall(answer(b" " * (2 << 20))), 8, "collateral_unavailable"),
    (lambda c: c.sendall(answer(b"{}")), 3, "collateral_malformed"),
    (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), 8,
     "collateral_unavailable"),
    (drip, 8, "collateral_unavailable"),
    (lambda c: None, 8, "collateral_unavailable"),
], ids=["redirect", "none", "large", "garbage", "half", "drip", "closed"])
def test_a_misbehaving_server_gets_nothing(ratls, stapled, attested_files, misbehave, code, error):
    with misbehaving(attested_files, misbehave) as server:
        ended = run(ratls, "post", *stapled, "-H", "Authorization: secret", "-H", "Cookie: a=b",
                    "-d", "secret", server.url + "/private?secret")
        assert (ended.code, ended.error) == (code, error), ended
        # One connection asked for the collateral, the other one ended in its handshake.
    (head, body), = server.requests
    assert head.splitlines()[0] == f"GET {PATH} HTTP/1.1"
    assert "secret" not in head.lower() and "cookie" not in head.lower() and body == b""
