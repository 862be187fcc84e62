# SPDX-License-Identifier: Apache-2.0
"""The command of examples/fastapi/README.md: uvicorn with an attested certificate."""

import json
import re
import shutil

import pytest

from conftest import SOURCE, poll, run, started


@pytest.fixture(scope="module")
def uvicorn(ratls, platform, tmp_path_factory):
    """(address, certificate file, function that gives the log so far)"""
    if shutil.which("uvicorn") is None:
        pytest.skip("uvicorn is not installed")
    folder = tmp_path_factory.mktemp("fastapi")
    cert, key, log = folder / "crt.pem", folder / "key.pem", folder / "log"
    with log.open("wb") as stderr, \
            started(ratls, "run", "--tee", "sim", "--sim", platform, "--cert", cert, "--key", key,
                    "--", "uvicorn", "--app-dir", SOURCE / "examples/fastapi", "app:app",
                    "--ssl-certfile", cert, "--ssl-keyfile", key, "--host", "127.0.0.1",
                    "--port", "0", stdout=stderr, stderr=stderr) as server:
        def address():
            assert server.poll() is None, log.read_text()
            return re.search(r"https://127\.0\.0\.1:[1-9][0-9]*", log.read_text())

        yield poll(address, "uvicorn's address")[0], cert, log.read_text


def answer(*command):
    ended = run(*command)
    assert ended.code == 0, ended
    return json.loads(ended.out)


def test_greets(ratls, uvicorn, policy):
    url, _, _ = uvicorn
    assert answer(ratls, "get", *policy, url + "/") == {"message": "Hello World"}


def test_shows_the_headers(ratls, uvicorn, policy):
    url, _, _ = uvicorn
    shown = answer(ratls, "get", *policy, "-H", "X-Colour: blue", url + "/get_headers")
    assert shown["headers"]["x-colour"] == "blue"


def test_takes_a_message(ratls, uvicorn, policy):
    url, _, log = uvicorn
    body = json.dumps({"message": "hello\nfrom outside"})
    assert answer(ratls, "post", *policy, "-d", body, url + "/log_body") == {"message": "Success"}
    poll(lambda: r"hello\nfrom outside" in log(), "the message in the log")


def test_refuses_a_wrong_message(ratls, uvicorn, policy):
    url, _, _ = uvicorn
    ended = run(ratls, "post", *policy, "-i", "-d", "{}", url + "/log_body")
    assert ended.code == 0 and ended.out.startswith("HTTP/1.1 422\n"), ended


def test_is_refused_by_another_policy(ratls, uvicorn):
    url, _, log = uvicorn
    ended = run(ratls, "post", "--mr-enclave", "1" * 64, "-d", '{"message": "secret"}',
                url + "/log_body")
    assert ended.code == 4  # its root is not Intel's
    assert "secret" not in log()


def test_curl_trusts_the_certificate_file(uvicorn):
    url, cert, _ = uvicorn
    for options in (["--insecure"], ["--cacert", cert]):
        assert answer("curl", "-sS", *options, url + "/") == {"message": "Hello World"}
        shown = answer("curl", "-sS", *options, "-H", "X-Colour: blue", url + "/get_headers")
        assert shown["headers"]["x-colour"] == "blue"
        assert answer("curl", "-sS", *options, "--json", '{"message": "hello"}',
                      url + "/log_body") == {"message": "Success"}
    assert run("curl", "-s", url).code == 60
