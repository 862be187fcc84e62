# SPDX-License-Identifier: Apache-2.0
"""The way to a collateral service: TLS with a CA of its own, proxies, and limits of time."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import ssl
import threading
import time

import pytest

from conftest import DEADLINE, run
from fake_pccs import serving_collateral
from scripted_server import (connect_proxy, copy, read_connect, read_request, respond, scripted,
                             server_context, wait_for_end)

HOST = "pccs.invalid"  # no resolver knows it (RFC 6761 6.4): only a proxy can lead there


class Authority:
    """A CA that certifies servers; its own certificate is `file`."""

    def __init__(self, folder, name):
        self.folder = folder
        self.file, self.key = folder / "ca.pem", folder / "ca.key"
        openssl("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", "-days", "2",
                "-out", self.file, "-keyout", self.key)

    def context(self, names, days=2, issuer=None):
        """The SSL context of a server with these names."""
        request, certificate, key = (self.folder / name for name in ("s.csr", "s.pem", "s.key"))
        openssl("req", *NEW_KEY, "-subj", "/CN=a service", "-addext", f"subjectAltName={names}",
                "-new", "-out", request, "-keyout", key)
        by, by_key = issuer or (self.file, self.key)
        openssl("x509", "-req", "-in", request, "-copy_extensions", "copy", "-days", days,
                "-CA", by, "-CAkey", by_key, "-out", certificate)
        return server_context((certificate, key))


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    ended = run("openssl", *arguments)
    assert ended.code == 0, ended


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "the CA of the service")


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("other"), "the CA of the service")


@pytest.fixture(scope="module")
def good_context(authority):
    return authority.context(f"IP:127.0.0.1,DNS:{HOST}")


@pytest.fixture
def pccs(platform, good_context):
    with serving_collateral(platform, "v4", good_context) as service:
        yield service


@pytest.fixture
def policy_with(platform, write_policy):
    """policy_with(SOURCE..., ca=FILE): the options for a policy with these sources, and the CA by a
    path that is relative to the policy."""
    def write(*sources, ca=None):
        line = json.dumps(sources)
        if ca is not None:
            line += f'\nca = "{os.path.relpath(ca, platform)}"'
        return write_policy(replace=[('["file:collateral.json"]', line)])
    return write


@pytest.fixture
def verify(ratls, attested_files):
    def call(policy, **environment):
        environment = {**os.environ, **{name: str(value) for name, value in environment.items()}}
        return run(ratls, "verify", "--json", *policy, "--cert", attested_files[0],
                   env=environment)
    return call


def assert_accepted(ended, source="pccs"):
    assert ended.code == 0, ended
    assert json.loads(ended.out)["collateral"]["source"] == source


# TLS


@pytest.mark.parametrize("dialect", ["v3", "v4"])
def test_the_ca_of_the_policy_vouches_for_a_service(verify, policy_with, authority, good_context,
                                                    platform, dialect):
    with serving_collateral(platform, dialect, good_context) as service:
        assert_accepted(verify(policy_with(service.url, ca=authority.file)))
        assert service.asked[0].startswith(f"/sgx/certification/{dialect}/tcb?")


def test_all_that_ask_for_collateral_use_the_ca(ratls, pccs, policy_with, authority, service,
                                                tmp_path):
    policy = policy_with("file:none.json", ca=authority.file)
    ended = run(ratls, "get", *policy, "--pccs", pccs.url, service.url)
    assert ended.code == 0, ended
    ended = run(ratls, "collateral", "fetch", *policy, "--pccs", pccs.url, "-o",
                tmp_path / "c.json", service.url)
    assert ended.code == 0, ended


def test_a_tls_server_stands_before_ratls_sim_pcs(serving, verify, policy_with, authority, platform,
                                                  good_context):
    with serving("sim", "pcs", "--dir", platform, "--listen", "127.0.0.1:0") as pcs:
        def front(connection):
            with good_context.wrap_socket(connection, server_side=True) as stream, \
                    socket.create_connection(("127.0.0.1", pcs.port), DEADLINE) as behind:
                back = threading.Thread(target=copy, args=(behind, stream))
                back.start()
                copy(stream, behind)
                back.join(DEADLINE)

        with scripted(front) as server:
            assert_accepted(verify(policy_with(server.url, ca=authority.file)))


def assert_untrusted(ended, service):
    assert (ended.code, ended.error) == (8, "collateral_server_untrusted"), ended
    assert service.asked == []


def test_a_service_that_nobody_vouches_for_is_refused(verify, pccs, policy_with, authority,
                                                      other_authority):
    assert_untrusted(verify(policy_with(pccs.url)), pccs)
    assert_untrusted(verify(policy_with(pccs.url, ca=other_authority.file)), pccs)
    # The next source makes up for it.
    assert_accepted(verify(policy_with(pccs.url, "file:collateral.json")), "file")
    assert_accepted(verify(policy_with(pccs.url, ca=authority.file)))


def test_the_environment_names_no_ca(verify, pccs, policy_with, authority, tmp_path):
    trusting = {"CURL_CA_BUNDLE": authority.file, "SSL_CERT_FILE": authority.file,
                "SSL_CERT_DIR": tmp_path}
    digest = run("openssl", "x509", "-in", authority.file, "-noout", "-hash").out.strip()
    shutil.copy(authority.file, tmp_path / f"{digest}.0")
    assert run("curl", "-sf", pccs.url + "IntelSGXRootCA.der",
               env={**os.environ, **{k: str(v) for k, v in trusting.items()}}).code == 0
    pccs.asked.clear()
    assert_untrusted(verify(policy_with(pccs.url), **trusting), pccs)


@pytest.mark.parametrize("wrong", [
    {"names": "DNS:other.example"},
    {"names": "IP:127.0.0.2"},
    {"names": "DNS:127.0.0.1"},  # an address is no name (RFC 9525 6.4)
    {"names": "IP:127.0.0.1", "days": -1},
])
def test_a_wrong_certificate_is_refused(verify, policy_with, platform, authority, wrong):
    with serving_collateral(platform, "v4", authority.context(**wrong)) as service:
        assert_untrusted(verify(policy_with(service.url, ca=authority.file)), service)


def test_a_server_is_no_ca(verify, policy_with, platform, authority):
    context = authority.context("IP:127.0.0.1")
    issuer = authority.folder / "issuer.pem", authority.folder / "issuer.key"
    shutil.copy(authority.folder / "s.pem", issuer[0])
    shutil.copy(authority.folder / "s.key", issuer[1])
    context = authority.context("IP:127.0.0.1", issuer=issuer)
    both = authority.folder / "both.pem"
    both.write_bytes((authority.folder / "s.pem").read_bytes() + issuer[0].read_bytes())
    context.load_cert_chain(both, authority.folder / "s.key")
    with serving_collateral(platform, "v4", context) as service:
        assert_untrusted(verify(policy_with(service.url, ca=authority.file)), service)


def test_a_ca_that_is_no_certificate_vouches_for_nobody(verify, pccs, policy_with, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    assert_untrusted(verify(policy_with(pccs.url, ca=file)), pccs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # old is what it is about
def test_an_old_protocol_is_not_spoken(verify, policy_with, platform, authority):
    context = authority.context("IP:127.0.0.1")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with serving_collateral(platform, "v4", context) as service:
        old = run("openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", "-tls1_1",
                  "-cipher", "DEFAULT@SECLEVEL=0")
        assert "BEGIN CERTIFICATE" in old.out, old  # the server does speak it
        ended = verify(policy_with(service.url, ca=authority.file))
        assert (ended.code, ended.error) == (8, "collateral_unavailable"), ended
        assert service.asked == []


# Proxies


@contextlib.contextmanager
def recording_proxy(answer=connect_proxy):
    """An HTTP proxy, with the list of what it was asked for."""
    asked = []
    with scripted(lambda connection: asked.append(answer(connection))) as proxy:
        yield f"http://127.0.0.1:{proxy.port}", asked


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_leads_to_the_service(verify, pccs, policy_with, authority,
                                                         name):
    policy = policy_with(pccs.url_of(HOST), ca=authority.file)
    with recording_proxy() as (proxy, asked):
        assert_accepted(verify(policy, **{name: proxy}))
    assert asked == [f"{HOST}:{pccs.port}"] * len(pccs.asked)
    # Without it nobody knows the host.
    ended = verify(policy, XDG_CACHE_HOME="/nonexistent")
    assert (ended.code, ended.error) == (8, "collateral_unavailable"), ended


def test_a_proxy_vouches_for_nobody(verify, pccs, policy_with, authority, other_authority):
    with recording_proxy() as (proxy, _):
        policy = policy_with(pccs.url_of(HOST), ca=other_authority.file)
        assert_untrusted(verify(policy, https_proxy=proxy), pccs)
        policy = policy_with(pccs.url_of("other.invalid"), ca=authority.file)
        assert_untrusted(verify(policy, https_proxy=proxy), pccs)


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("excepted", ["127.0.0.1", "other,127.0.0.0/8", "*"])
def test_excepted_hosts_have_no_proxy(verify, pccs, policy_with, authority, name, excepted):
    with recording_proxy() as (proxy, asked):
        policy = policy_with(pccs.url, ca=authority.file)
        assert_accepted(verify(policy, https_proxy=proxy, **{name: excepted}))
    assert asked == []


def test_plain_http_stays_on_this_machine(verify, platform, policy_with):
    with recording_proxy() as (proxy, asked), serving_collateral(platform) as service:
        names = ("http_proxy", "https_proxy", "all_proxy")
        assert_accepted(verify(policy_with(service.url), **dict.fromkeys(names, proxy)))
    assert asked == []


def refusing_with(status):
    def answer(connection):
        target = read_connect(connection)
        respond(connection, b"not through here", status, ['Proxy-Authenticate: Basic realm="x"'])
        return target
    return answer


def hang_up(connection):
    return read_connect(connection)


def babble(connection):
    target = read_connect(connection)
    connection.sendall(b"SSH-2.0-server\r\n" * 10)
    return target


@pytest.mark.parametrize(("answer", "times"), [
    (refusing_with("407 Proxy Authentication Required"), 1),
    (refusing_with("403 Forbidden"), 1),
    (refusing_with("502 Bad Gateway"), 3),
    (refusing_with("503 Service Unavailable"), 3),
    (refusing_with("302 Found"), 3),
    (hang_up, 3),
    (babble, 3),
], ids=["407", "403", "502", "503", "302", "hang_up", "babble"])
def test_a_proxy_that_refuses_is_named(verify, pccs, policy_with, authority, answer, times):
    with recording_proxy(answer) as (proxy, asked):
        named = proxy.replace("//", "//user:password@")
        ended = verify(policy_with(pccs.url, ca=authority.file), https_proxy=named)
        assert (ended.code, ended.error) == (8, "proxy_failed"), ended
        assert proxy in ended.err and pccs.url in ended.err, ended
        assert "password" not in ended.err + ended.out
        # A slow machine may run out of time before the last try.
        assert min(times, 2) <= len(asked) <= times and pccs.asked == []
        both = policy_with(pccs.url, "file:collateral.json", ca=authority.file)
        assert_accepted(verify(both, https_proxy=proxy), "file")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://proxy.invalid:3128",
                                   "socks5://127.0.0.1:1", "socks5h://proxy.invalid"])
def test_a_proxy_that_is_not_there_is_named(verify, pccs, policy_with, authority, proxy):
    ended = verify(policy_with(pccs.url, ca=authority.file), https_proxy=proxy)
    assert (ended.code, ended.error) == (8, "proxy_failed"), ended
    assert proxy in ended.err


def test_tls_to_a_proxy_is_refused(verify, pccs, policy_with, authority):
    with recording_proxy(wait_for_end) as (proxy, asked):
        secure = proxy.replace("http://", "https://user:password@")
        ended = verify(policy_with(pccs.url, ca=authority.file), https_proxy=secure)
        assert (ended.code, ended.error) == (2, "proxy_unsupported"), ended
        assert "password" not in ended.err + ended.out
        assert asked == []
        policy = policy_with(pccs.url, ca=authority.file)
        assert_accepted(verify(policy, https_proxy=secure, no_proxy="127.0.0.1"))


# Time


def trickle(begin):
    """Sends a beginning and then a byte each second."""
    def script(connection):
        read_request(connection)
        connection.sendall(begin)
        while True:
            time.sleep(1)
            connection.sendall(b"x")
    return script


SLOW = {
    "silence": wait_for_end,
    "head": trickle(b"HTTP/1.1 200 OK\r\nX-A: "),
    "body": trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
}
LONGEST = 40  # seconds: more than 30 for one source, less than any of it twice


def test_slow_services_do_not_hold_up_for_long(verify, policy_with, platform, authority):
    """All at once, because the limits are what they are: 15 s for an answer, 30 s for all."""
    def timed(policy, **environment):
        start = time.monotonic()
        ended = verify(policy, **environment)
        return ended, time.monotonic() - start

    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor() as threads:
        waiting = {}
        for name, script in SLOW.items():
            server = stack.enter_context(scripted(script))
            url = f"http://127.0.0.1:{server.port}/"
            waiting[name] = threads.submit(timed, policy_with(url)), "collateral_unavailable"
        sluggish = stack.enter_context(serving_collateral(platform))
        good = sluggish.answer
        sluggish.answer = lambda path: time.sleep(10) or good(path)
        waiting["sum"] = threads.submit(timed, policy_with(sluggish.url)), "collateral_unavailable"
        proxy, _ = stack.enter_context(recording_proxy(wait_for_end))
        policy = policy_with(f"https://{HOST}/", ca=authority.file)
        waiting["proxy"] = threads.submit(timed, policy, https_proxy=proxy), "proxy_failed"
        server = stack.enter_context(scripted(SLOW["body"]))
        policy = policy_with(f"http://127.0.0.1:{server.port}/", "file:collateral.json")
        waiting["next"] = threads.submit(timed, policy), None
        for name, (future, error) in waiting.items():
            ended, seconds = future.result(2 * LONGEST)
            assert (ended.error, ended.code) == (error, 8 if error else 0), (name, ended)
            assert seconds < LONGEST, name
