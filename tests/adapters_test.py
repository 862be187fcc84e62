# SPDX-License-Identifier: Apache-2.0
"""requests, httpx and urllib3 over the Python package, and the interface of the older wrapper."""

import asyncio
import gzip
import json

import pytest

httpx = pytest.importorskip("httpx")
requests = pytest.importorskip("requests")
urllib3 = pytest.importorskip("urllib3")

import ratls as package
from conftest import poll
from scripted_server import answering, respond

BODY = bytes(range(256)) * 8192  # 2 MiB


# Each way to send a request: call(policy, method, url, headers, body) gives (status, body, identity).


def by_requests(policy, method, url, headers=None, body=None):
    with requests.Session() as session:
        session.mount("https://", package.adapters.RequestsAdapter(policy))
        answer = session.request(method, url, headers=headers, data=body)
        return answer.status_code, answer.content, answer.identity


def by_urllib3(policy, method, url, headers=None, body=None):
    answer = package.adapters.PoolManager(policy).request(method, url, headers=headers, body=body)
    return answer.status, answer.data, answer.identity


def by_httpx(policy, method, url, headers=None, body=None):
    with httpx.Client(transport=package.adapters.HTTPXTransport(policy)) as client:
        answer = client.request(method, url, headers=headers, content=body)
        return answer.status_code, answer.content, answer.extensions["ratls_identity"]


def by_async_httpx(policy, method, url, headers=None, body=None):
    async def call():
        async with httpx.AsyncClient(transport=package.adapters.AsyncHTTPXTransport(policy)) as client:
            answer = await client.request(method, url, headers=headers, content=body)
            return answer.status_code, answer.content, answer.extensions["ratls_identity"]

    return asyncio.run(call())


ALL = pytest.mark.parametrize("call, refused, unavailable", [
    (by_requests, requests.exceptions.SSLError, requests.exceptions.ConnectionError),
    (by_urllib3, urllib3.exceptions.SSLError, urllib3.exceptions.ProtocolError),
    (by_httpx, httpx.ConnectError, httpx.ConnectError),
    (by_async_httpx, httpx.ConnectError, httpx.ConnectError)])


@ALL
def test_an_answer_has_an_identity(call, refused, unavailable, service, policy_file):
    status, body, identity = call(policy_file, "GET", service.url + "/get_headers?a=b",
                                  {"X-Colour": "blue"})
    assert status == 200 and json.loads(body)["headers"]["x-colour"] == "blue"
    assert identity.accepted and identity.proves == "session"
    status, body, _ = call(policy_file, "POST", service.url + "/log_body",
                           {"Content-Type": "application/json"}, b'{"message": "hello"}')
    assert (status, json.loads(body)) == (200, {"message": "Success"})


@ALL
def test_another_enclave_is_refused_without_a_request(call, refused, unavailable, attested_files,
                                                      strange_policy):
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        for kind in (refused, package.UntrustedError):
            with pytest.raises(kind) as caught:
                call(strange_policy, "POST", server.url, {"X-Secret": "secret"}, b"secret")
            assert caught.value.code == "root_untrusted"
            assert caught.value.report["accepted"] is False
        assert server.connections == 2 and server.requests == []


@ALL
def test_a_refused_server_logs_no_request(call, refused, unavailable, service, policy_file,
                                          strange_policy):
    before = service.requests()
    with pytest.raises(refused):
        call(strange_policy, "POST", service.url + "/", {"X-Secret": "secret"}, b"secret")
    assert call(policy_file, "GET", service.url + "/")[0] == 200
    assert poll(lambda: service.requests() - before, "a request in the log") == 1


@ALL
def test_no_server(call, refused, unavailable, policy_file):
    for kind in (unavailable, package.UnavailableError):
        with pytest.raises(kind) as caught:
            call(policy_file, "GET", "https://127.0.0.1:1/")
        assert caught.value.code == "connection_failed"


@ALL
def test_bodies_and_compression(call, refused, unavailable, attested_files, policy_file):
    def answer(stream, head, body):
        if head.startswith("POST"):
            return respond(stream, body)
        return respond(stream, gzip.compress(BODY), headers=["Content-Encoding: gzip"])

    with answering(attested_files, answer) as server:
        assert call(policy_file, "GET", server.url + "/")[1] == BODY
        assert call(policy_file, "POST", server.url + "/", None, BODY)[1] == BODY


@ALL
def test_a_redirect_to_another_origin_is_not_followed(call, refused, unavailable, attested_files,
                                                      policy_file):
    def redirect(stream, _head, _body):
        respond(stream, status="302 Found", headers=["Location: https://localhost:1/"])

    with answering(attested_files, redirect) as server:
        with pytest.raises(package.PolicyError) as caught:
            call(policy_file, "GET", server.url + "/")
        assert caught.value.code == "redirect_refused"


def test_requests_streams_and_has_timeouts(attested_files, policy_file):
    with answering(attested_files, lambda stream, *_: respond(stream, BODY)) as server, \
            requests.Session() as session:
        session.mount(server.url, package.adapters.RequestsAdapter(policy_file))
        with session.get(server.url, stream=True, timeout=(5, 10)) as answer:
            assert b"".join(answer.iter_content(10000)) == BODY
        with pytest.raises(requests.exceptions.RequestException):
            session.get(server.url, timeout=-1)


def test_only_https_is_taken(policy_file):
    session = requests.Session()
    session.mount("http://", package.adapters.RequestsAdapter(policy_file))
    with pytest.raises(package.UsageError):
        session.get("http://127.0.0.1:1/")


def test_httpx_follows_within_the_origin_and_streams(attested_files, policy_file):
    def answer(stream, head, _body):
        if head.startswith("GET /old"):
            return respond(stream, status="302 Found", headers=["Location: /new?x"])
        return respond(stream, head.encode())

    with answering(attested_files, answer) as server, \
            httpx.Client(transport=package.adapters.HTTPXTransport(policy_file)) as client:
        assert client.get(server.url + "/old").status_code == 302
        followed = client.get(server.url + "/old", follow_redirects=True)
        assert followed.text.startswith("GET /new?x ") and len(followed.history) == 1
        with client.stream("GET", server.url + "/x") as streamed:
            assert b"".join(streamed.iter_bytes()).startswith(b"GET /x ")


def test_urllib3_leaves_redirects_alone_when_told(attested_files, policy_file):
    def redirect(stream, head, _body):
        if head.startswith("GET /old"):
            return respond(stream, status="302 Found", headers=["Location: /new"])
        return respond(stream, b"new")

    with answering(attested_files, redirect) as server:
        pool = package.adapters.PoolManager(policy_file, headers={"X-Always": "yes"})
        assert pool.request("GET", server.url + "/old", redirect=False).status == 302
        assert pool.request("GET", server.url + "/old").data == b"new"
        assert "X-Always: yes" in server.requests[0][0]
        pool.clear()


# The interface of the older wrapper.


@pytest.fixture
def base_and_enclave(platform, write_policy):
    """(policy file without identities, mr_enclave, mr_signer of the service)."""
    text = (platform / "policy.toml").read_text()
    enclave = next(line.split('"')[1] for line in text.splitlines()
                   if line.startswith("mr_enclave"))
    kept = [line for line in text.splitlines()
            if not line.startswith(("[[enclave]]", "name", "mr_enclave"))]
    _, path = write_policy()
    path.write_text("\n".join(kept) + "\n")
    return path, enclave


def test_the_older_interface(service, base_and_enclave):
    base, enclave = base_and_enclave
    client = package.verify.Client(service.url, enclave, None, None, None, True, True, True, True,
                                   policy_base=base)
    answer = client.get("")
    assert (answer.status, json.loads(answer.read())) == (200, {"message": "Hello World"})
    assert answer.getheader("content-type") == "application/json"
    assert answer.getheader("x-none", "none") == "none" and answer.isclosed()
    answer = client.get("get_headers", {"user-name": "test"})
    assert json.loads(answer.read())["headers"]["user-name"] == "test"
    answer = client.post("log_body", data=json.dumps({"message": "Hi"}).encode())
    assert json.load(answer) == {"message": "Success"}
    signer = answer.identity.mr_signer
    for numbers in ((1, 0), ("1", "1")):
        with package.verify.Client(service.url, "any", signer, *numbers,
                                   policy_base=base) as client:
            assert client.get().status == 200


def test_zero_means_zero(attested_files, base_and_enclave, service):
    base, enclave = base_and_enclave
    with package.verify.Client(service.url, enclave, policy_base=base) as client:
        signer = client.verify().mr_signer
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        client = package.verify.Client(server.url, None, signer, 0, 0, policy_base=base)
        with pytest.raises(package.verify.AttestationError):
            client.get("?secret")
        assert server.requests == []
        client = package.verify.Client(server.url, enclave, policy_base=base)
        assert client.get("path?a=b&c").status == 200
        assert server.requests[-1][0].startswith("GET /path?a=b&c HTTP/1.1\r\n")


def test_the_older_interface_refuses_what_says_nothing():
    for arguments in ((), (None, None), ("any", "any", 1, 1)):
        with pytest.raises(TypeError):
            package.verify.Client("https://localhost:1", *arguments)
    with pytest.raises(ValueError):
        package.verify.Client("https://localhost:1", "ab" * 32, protocol="epid")
    with pytest.raises(package.UsageError):
        package.verify.Client("https://localhost:1", None, "ab" * 32)
    with pytest.raises(package.UsageError):
        package.verify.Client("https://localhost:1", None, "ab" * 32, "one", 1)
