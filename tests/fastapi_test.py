# SPDX-License-Identifier: Apache-2.0
"""The command of examples/fastapi/README.md: uvicorn with an attested certificate."""

import json
import shutil
import socket
import subprocess
import time

import pytest

from conftest import SOURCE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(server, port):
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the server ended with {server.returncode}")


@pytest.fixture(scope="module")
def service(ratls, tmp_path_factory):
    """(arguments that trust the service's platform, its address)"""
    if shutil.which("uvicorn") is None:
        pytest.skip("uvicorn is not installed")
    folder = tmp_path_factory.mktemp("fastapi")
    sim, cert, key = folder / "sim", folder / "crt.pem", folder / "key.pem"
    subprocess.run([ratls, "sim", "init", "--dir", sim], check=True, capture_output=True)
    port = free_port()
    server = subprocess.Popen(
        [ratls, "run", "--tee", "sim", "--sim", sim, "--cert", cert, "--key", key, "--",
         "uvicorn", "--app-dir", SOURCE / "examples/fastapi", "app:app", "--ssl-certfile", cert,
         "--ssl-keyfile", key, "--host", "127.0.0.1", "--port", str(port)],
        stderr=subprocess.DEVNULL)
    try:
        wait_until_listening(server, port)
        yield ["--policy", sim / "policy.toml"], f"https://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def answer(ratls, method, url, *arguments):
    ended = subprocess.run([ratls, method, *arguments, url], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return json.loads(ended.stdout)


def test_greets(ratls, service):
    policy, address = service
    assert answer(ratls, "get", address + "/", *policy) == {"message": "Hello World"}


def test_shows_the_headers(ratls, service):
    policy, address = service
    shown = answer(ratls, "get", address + "/get_headers", *policy, "-H", "X-Colour: blue")
    assert shown["headers"]["x-colour"] == "blue"


def test_takes_a_message(ratls, service):
    policy, address = service
    body = json.dumps({"message": "hello"})
    assert answer(ratls, "post", address + "/log_body", *policy, "-d", body) == {
        "message": "Success"}


def test_is_refused_by_another_policy(ratls, service):
    _, address = service
    ended = subprocess.run([ratls, "get", address + "/", "--mr-enclave", "1" * 64],
                           capture_output=True, check=False)
    assert ended.returncode == 4  # its root is not Intel's
