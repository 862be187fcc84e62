# SPDX-License-Identifier: Apache-2.0
"""What a person sees: --verbose, --resolve, the progress bar, colours."""

import contextlib
import fcntl
import json
import os
import pty
import re
import ssl
import struct
import subprocess
import termios
import threading

import pytest

from conftest import DEADLINE, SOURCE, run
from scripted_server import answering, read_request, respond, scripted, server_context

# --verbose


def documented_steps():
    """The letters of the table in docs/verification.md, in its order."""
    text = (SOURCE / "docs/verification.md").read_text(encoding="utf-8")
    table = text.partition("\n## The steps\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z](?:, [A-Z])*) \|", table, re.MULTILINE)
    return [letter for row in rows for letter in row.split(", ")]


def steps_of(ended):
    """The letters of the steps that --verbose shows as ended, and whether each was right."""
    lines = re.findall(r"^\* +[0-9.]+ ms  ([A-Z](?:, [A-Z])*): .* (in|after) [0-9.]+ ms$",
                       ended.err, re.MULTILINE)
    return [(letter, word == "in") for letters, word in lines for letter in letters.split(", ")]


def all_right(letters):
    return [(letter, True) for letter in letters]


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_each_documented_step_is_shown_in_its_order(tee, ratls, serving, new_platform):
    folder = new_platform("--tee", tee)
    documented = [step for step in documented_steps() if tee == "tdx" or step != "G"]
    assert len(documented) > 15
    with serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0") as service:
        ended = run(ratls, "verify", "--verbose", "--json", "--policy", folder / "policy.toml",
                    service.url)
    assert ended.code == 0 and json.loads(ended.out)["accepted"], ended
    assert steps_of(ended) == all_right(documented), ended


def test_a_file_has_the_steps_of_a_file(ratls, policy, attested_files):
    ended = run(ratls, "verify", "-v", *policy, "--cert", attested_files[0])
    assert ended.code == 0, ended
    # G is for TDX, S for connections.
    assert steps_of(ended) == all_right(step for step in documented_steps() if step not in "GS")


def test_the_step_that_refuses_is_the_last(ratls, service, write_policy, platform):
    text = (platform / "policy.toml").read_text()
    enclave = re.search('mr_enclave = "(.*)"', text).group(1)
    other = write_policy(replace=[(enclave, "1" * 64)])
    ended = run(ratls, "get", "-v", *other, service.url)
    assert (ended.code, "identity_mismatch" in ended.err) == (7, True), ended
    assert steps_of(ended)[-1] == ("P", False)
    assert "request" not in ended.err and "HTTP status" not in ended.err


def test_sources_are_shown_as_they_are_tried(ratls, service, write_policy):
    tried = write_policy(replace=[('"file:collateral.json"',
                                   '"file:missing.json", "file:collateral.json"')])
    ended = run(ratls, "get", "-v", *tried, service.url)
    assert ended.code == 0, ended
    outcomes = re.findall(r"collateral \((.*?)\) (ok|\w+) ", ended.err)
    assert outcomes == [("file:missing.json", "collateral_unavailable"),
                        ("file:collateral.json", "ok")], ended


def test_what_is_sent_is_shown_without_its_secrets(ratls, policy, service):
    ended = run(ratls, "post", "-v", *policy, "-H", "Authorization: hush", "-d", "hush",
                service.url + "/log_body?token=hush")
    assert ended.code == 0 and "Authorization" in ended.err and "/log_body" in ended.err, ended
    assert "hush" not in ended.err
    assert "HTTP status 422" in ended.err


def test_without_verbose_nothing_is_said(ratls, policy, service):
    assert run(ratls, "get", *policy, service.url).err == ""


# --resolve


@contextlib.contextmanager
def naming(files):
    """A TLS server that notes the names in handshakes, and the heads of requests."""
    tls = server_context(files)
    tls.sni_callback = lambda _stream, name, _context: server.names.append(name)

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            server.requests.append(read_request(stream))
            respond(stream)

    with scripted(script) as server:
        server.names = []
        yield server


def test_a_name_is_given_an_address(ratls, policy, attested_files):
    with naming(attested_files) as server:
        url = f"https://enclave.invalid:{server.port}/"
        resolve = ("--resolve", f"enclave.invalid:{server.port}:127.0.0.1")
        other = ("--resolve", "other.invalid:1:192.0.2.1")
        for words in (["get", *policy], ["post", *policy], ["verify", *policy], ["inspect"]):
            ended = run(ratls, *words, *other, *resolve, url)
            assert ended.code == 0, ended
        ended = run(ratls, "get", *policy, *other, url)
        assert ended.error == "connection_failed", ended
        assert server.names == ["enclave.invalid"] * 4
        for head, _ in server.requests:
            assert f"\r\nHost: enclave.invalid:{server.port}\r\n" in head


def test_the_name_is_still_what_is_checked(ratls, service, write_policy):
    checked = write_policy("[session]\ncheck_name = true\n")
    for name, code in (("localhost", 0), ("enclave.invalid", 7)):
        ended = run(ratls, "verify", *checked, "--resolve", f"{name}:{service.port}:127.0.0.1",
                    f"https://{name}:{service.port}/")
        assert ended.code == code, ended


def test_an_address_may_be_one_of_ipv6(ratls, policy, platform, serving):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "[::1]:0") as service:
        for address in ("::1", "[::1]"):
            ended = run(ratls, "get", *policy, "--resolve",
                        f"enclave.invalid:{service.port}:{address}",
                        f"https://enclave.invalid:{service.port}/")
            assert ended.code == 0, ended


@pytest.mark.parametrize("words", [
    ["--resolve", "host:443:name", "https://host"], ["--resolve", "*:443:127.0.0.1", "https://host"],
    ["--resolve", "", "https://host"], ["--resolve", "host:443:127.0.0.1", "--cert", "crt.pem"]])
def test_other_forms_are_usage_errors(ratls, policy, words):
    ended = run(ratls, "verify", *policy, *words)
    assert (ended.code, ended.error) == (2, "usage"), ended


# The progress bar

SIZE = 10 * 1024 * 1024


@contextlib.contextmanager
def terminal(columns=80):
    """(file descriptor of the program's side, what has been written so far)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    screen = Screen(ours)
    try:
        yield theirs, screen
    finally:
        os.close(theirs)
        screen.thread.join(DEADLINE)
        os.close(ours)


class Screen:
    """What a program writes to a terminal."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._more = threading.Condition()
        self.text = b""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        with contextlib.suppress(OSError):  # the other side is closed
            while part := os.read(self._descriptor, 65536):
                with self._more:
                    self.text += part
                    self._more.notify_all()

    def shows(self, words):
        with self._more:
            return self._more.wait_for(lambda: words in self.text, DEADLINE)


def begin(ratls, screen, *words, stdout=subprocess.DEVNULL, **environment):
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return subprocess.Popen([ratls, *map(str, words)], stdin=subprocess.DEVNULL, stdout=stdout,
                            stderr=screen, env={**variables, "TERM": "xterm", **environment})


@contextlib.contextmanager
def slow(files, with_length=True, size=SIZE):
    """A server that sends half of an answer, and the rest when `go` is set."""
    go = threading.Event()
    length = f"Content-Length: {size}\r\n" if with_length else "Connection: close\r\n"

    def answer(stream, _head, _body):
        stream.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode() + b"x" * (size // 2))
        sent = size // 2
        while not go.wait(0.05):  # the client looks up for each
            stream.sendall(b"x")
            sent += 1
        stream.sendall(b"x" * (size - sent))
        stream.unwrap()

    with answering(files, answer) as server:
        server.go = go
        try:
            yield server
        finally:
            go.set()


@pytest.mark.parametrize("columns, with_length, environment, shown", [
    (80, True, {}, b"received 5.0 MiB of 10.0 MiB  50% [\x1b[32m####"),
    (80, True, {"NO_COLOR": "1"}, b"received 5.0 MiB of 10.0 MiB  50% [####"),
    (40, True, {}, b"received 5.0 MiB of 10.0 MiB  50%"),
    (10, True, {}, b"\r\x1b[K 50%"),
    (80, False, {}, b"received 5.0 MiB"),
    (10, False, {}, b"\r\x1b[K5.0 MiB"),
    (1, True, {}, b"\r\x1b[K"), (1, False, {}, b"\r\x1b[K")])
def test_a_download_is_shown(columns, with_length, environment, shown, ratls, policy,
                             attested_files, tmp_path):
    with slow(attested_files, with_length) as server, terminal(columns) as (theirs, screen):
        process = begin(ratls, theirs, "get", *policy, "-o", tmp_path / "file", server.url,
                        **environment)
        assert screen.shows(shown), screen.text
        server.go.set()
        assert process.wait(DEADLINE) == 0
    assert (tmp_path / "file").stat().st_size == SIZE
    assert screen.text.endswith(b"\r\x1b[K")
    # No line is so long that the terminal would break it.
    for line in re.sub(rb"\x1b\[[0-9;]*[mK]", b"", screen.text).split(b"\r"):
        assert len(line) < columns


def test_an_upload_is_shown(ratls, policy, attested_files, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(bytes(SIZE * 2))  # more than the kernel keeps
    tls, go = server_context(attested_files), threading.Event()

    def script(connection):
        with tls.wrap_socket(connection, server_side=True) as stream:
            go.wait(DEADLINE)
            received = b""
            while b"\r\n\r\n" not in received:
                received += stream.recv(65536)
            left = SIZE * 2 - len(received.partition(b"\r\n\r\n")[2])
            while left > 0:
                left -= len(stream.recv(65536))
            respond(stream)

    with scripted(script) as server, terminal() as (theirs, screen):
        process = begin(ratls, theirs, "post", *policy, "-d", f"@{data}", server.url)
        try:
            assert screen.shows(b" of 20.0 MiB "), screen.text
        finally:
            go.set()
        assert process.wait(DEADLINE) == 0
    assert b"sent " in screen.text


@pytest.mark.parametrize("words, environment, on_terminal", [
    (["--no-progress"], {}, False), (["--verbose"], {}, False), ([], {"TERM": "dumb"}, False),
    ([], {}, True)])
def test_no_bar(words, environment, on_terminal, ratls, policy, attested_files):
    with slow(attested_files, size=1000) as server, terminal() as (theirs, screen):
        process = begin(ratls, theirs, "get", *policy, *words, server.url,
                        stdout=theirs if on_terminal else subprocess.DEVNULL, **environment)
        threading.Timer(0.8, server.go.set).start()  # a bar is drawn after 0.3
        assert process.wait(DEADLINE) == 0
    assert b"\x1b[K" not in screen.text and b"received" not in screen.text


# Colours


@pytest.mark.parametrize("environment, coloured", [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_colours(environment, coloured, ratls):
    with terminal() as (theirs, screen):
        process = begin(ratls, theirs, "get", "https://host", **environment)
        assert process.wait(DEADLINE) == 2
    assert (b"\x1b" in screen.text) == coloured
    assert screen.text.replace(b"\x1b[31m", b"").startswith(b"error:")
