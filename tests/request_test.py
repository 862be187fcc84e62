# SPDX-License-Identifier: Apache-2.0
"""What `ratls get` and `ratls post` send, and what they do with the answer."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading

import pytest

from conftest import DEADLINE, poll, run, started
from scripted_server import answering, respond

# What could steer a terminal, and bytes that are no UTF-8; not the line end.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd]")


def body_of(size):
    return b"0123456789abcdef" * (size // 16)


# What is sent.


def test_headers_are_sent(ratls, policy, service):
    ended = run(ratls, "get", *policy, "-H", "X-Colour: blue", "-H", "X-Empty:",
                "--header", "Accept: text/plain", service.url + "/get_headers")
    headers = json.loads(ended.out)["headers"]
    assert headers["x-colour"] == "blue" and headers["x-empty"] == ""
    assert headers["accept"] == "text/plain"
    assert headers["host"] == f"127.0.0.1:{service.port}"


def test_path_and_query_are_sent_as_written(ratls, policy, attested_files):
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        for target, sent in (("/a%20b/c?x=%26&y#part", "/a%20b/c?x=%26&y"), ("", "/"),
                             ("?q", "/?q"), ("/%00?", "/%00?")):
            assert run(ratls, "get", *policy, server.url + target).code == 0
            assert server.requests[-1][0].startswith(f"GET {sent} HTTP/1.1\r\n")


def test_data_is_sent_byte_for_byte(ratls, policy, attested_files, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(bytes(range(256)) * 1000)
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        for option, body in ((["-d", "a=b&c"], b"a=b&c"), (["-d", f"@{file}"], file.read_bytes()),
                             (["-d", ""], b""), ([], b"")):
            assert run(ratls, "post", *policy, *option, server.url).code == 0
            head, received = server.requests[-1]
            assert received == body
            assert f"\r\nContent-Length: {len(body)}\r\n" in head + "\r\n"
            assert "\r\nContent-Type: application/json" in head
        ended = run(ratls, "post", *policy, "-H", "content-type: text/csv", "-d", "1", server.url)
        assert ended.code == 0
        types = re.findall("(?im)^content-type: (.*?)\r?$", server.requests[-1][0])
        assert types == ["text/csv"]


# Status.


def test_a_posted_message_succeeds(ratls, policy, service):
    ended = run(ratls, "post", *policy, "-d", '{"message": "hello"}', service.url + "/log_body")
    assert (ended.code, json.loads(ended.out)) == (0, {"message": "Success"}), ended


@pytest.mark.parametrize("data", ["{", "[]", "{}", '{"message": 1}', ""])
def test_wrong_json_is_422(ratls, policy, service, data):
    ended = run(ratls, "post", *policy, "-i", "-d", data, service.url + "/log_body")
    assert ended.code == 0 and ended.out.startswith("HTTP/1.1 422\n"), ended
    assert "detail" in json.loads(ended.out.partition("\n\n")[2])
    ended = run(ratls, "post", *policy, "--fail", "-d", data, service.url + "/log_body")
    assert ended.code == 1, ended


def test_fail_turns_an_http_error_into_1(ratls, policy, service, tmp_path):
    target = tmp_path / "answer"
    target.write_text("old")
    missing = service.url + "/nowhere"
    assert run(ratls, "get", *policy, missing).code == 0
    assert run(ratls, "get", *policy, "--fail", missing).code == 1
    assert run(ratls, "get", *policy, "--fail", service.url).code == 0
    assert run(ratls, "get", *policy, "--fail", "-o", target, missing).code == 1
    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


# What is printed.


def without_date(head):
    """Nor what else differs from answer to answer."""
    return re.sub("(?m)^(Date|X-Request-Id): .*$", r"\1:", head)


def test_include_prints_status_and_headers(ratls, policy, service, tmp_path):
    ended = run(ratls, "get", *policy, "-i", service.url)
    head, _, body = ended.out.partition("\n\n")
    assert head.splitlines()[0] == "HTTP/1.1 200"
    assert "Content-Type: application/json" in head.splitlines()
    assert body == '{"message":"Hello World"}'
    target = tmp_path / "answer"
    ended = run(ratls, "get", *policy, "-i", "-o", target, service.url)
    assert (ended.code, without_date(ended.out)) == (0, without_date(head + "\n\n")), ended
    assert target.read_text() == body


def test_control_characters_of_headers_do_not_reach_the_terminal(ratls, policy, attested_files):
    def colour(stream, _head, _body):
        respond(stream, headers=["X-Shown: a\x1b[31mb\x7fc\x9bd\xc2\x9be\xe2\x80\xaef"])

    with answering(attested_files, colour) as server:
        ended = run(ratls, "get", *policy, "-i", server.url)
    assert ended.code == 0 and "\nX-Shown: a" in ended.out, ended
    assert not STEERING.search(ended.out), ended


def test_control_characters_of_redirects_do_not_reach_the_terminal(ratls, policy, attested_files):
    def colour(stream, _head, _body):
        respond(stream, status="302 Found", headers=["Location: https://\xc2\x9b31m\x1b[31m/"])

    with answering(attested_files, colour) as server:
        ended = run(ratls, "get", *policy, server.url)
    assert ended.code in (2, 7), ended
    assert not STEERING.search(ended.err), ended


# Downloads.


def cut_short(stream, _head, _body):
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")


@contextlib.contextmanager
def half_sent(files, old_target):
    """A download that stops in the middle: (server, event that lets it go on)."""
    go_on = threading.Event()
    body = body_of(4 << 20)

    def send_halves(stream, _head, _body):
        stream.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        stream.sendall(body[:len(body) // 2])
        go_on.wait(DEADLINE)
        stream.sendall(body[len(body) // 2:])

    old_target.write_bytes(b"old")
    with answering(files, send_halves) as server:
        try:
            yield server, go_on
        finally:
            go_on.set()


def has_begun(target):
    """Some of the body is in the folder of the target."""
    return any(path.stat().st_size > 1 << 20 for path in target.parent.iterdir())


def test_a_file_is_replaced_only_by_a_whole_answer(ratls, policy, attested_files, tmp_path):
    target = tmp_path / "answer"
    with half_sent(attested_files, target) as (server, go_on), \
            started(ratls, "get", *policy, "-o", target, server.url) as client:
        poll(lambda: has_begun(target), "the first half")
        assert target.read_bytes() == b"old"
        go_on.set()
        assert client.wait(DEADLINE) == 0
    assert target.read_bytes() == body_of(4 << 20)
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_download_leaves_the_old_file(ratls, policy, attested_files, tmp_path):
    target = tmp_path / "answer"
    with half_sent(attested_files, target) as (server, _), \
            started(ratls, "get", *policy, "-o", target, server.url) as client:
        poll(lambda: has_begun(target), "the first half")
        client.kill()
        client.wait(DEADLINE)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_download_leaves_only_the_old_file(ratls, policy, attested_files, tmp_path,
                                                          number):
    target = tmp_path / "answer"
    with half_sent(attested_files, target) as (server, _), \
            started(ratls, "get", *policy, "-o", target, server.url) as client:
        poll(lambda: has_begun(target), "the first half")
        client.send_signal(number)
        assert client.wait(DEADLINE) == -number  # which a shell reports as 128 more
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


def test_a_cut_download_leaves_the_old_file(ratls, policy, attested_files, tmp_path):
    target = tmp_path / "answer"
    target.write_bytes(b"old")
    with answering(attested_files, cut_short) as server:
        ended = run(ratls, "get", *policy, "-o", target, server.url)
    assert ended.code == 8, ended
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["missing/answer", "", "x" * 300, "file/answer"])
def test_a_target_that_cannot_be_written_sends_nothing(ratls, policy, attested_files, tmp_path,
                                                       name):
    (tmp_path / "file").touch()
    with answering(attested_files, lambda stream, *_: respond(stream)) as server:
        ended = run(ratls, "get", *policy, "-o", f"{tmp_path}/{name}", server.url)
        assert (ended.code, ended.error, server.requests) == (2, "file_unwritable", []), ended
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_target_ends_with_2(ratls, policy, service):
    ended = run(ratls, "get", *policy, "-o", "/dev/full", service.url)
    assert (ended.code, ended.error) == (2, "file_unwritable"), ended
    with open("/dev/full", "wb") as full:
        for command in (["get", *policy], ["get", "-i", *policy], ["verify", *policy], ["inspect"]):
            ended = subprocess.run([ratls, *command, service.url], stdout=full,
                                   stderr=subprocess.PIPE, check=False)
            assert ended.returncode == 2, ended


def test_a_refused_download_leaves_the_old_file(ratls, other_policy, service, tmp_path):
    target = tmp_path / "answer"
    target.write_bytes(b"old")
    assert run(ratls, "get", *other_policy, "-o", target, service.url).code == 4
    assert (target.read_bytes(), list(tmp_path.iterdir())) == (b"old", [target])


# Standard streams that are not there.


@pytest.mark.parametrize("command", ["get", "verify", "inspect"])
def test_a_closed_stdout_is_an_error(ratls, policy, service, command):
    options = [] if command == "inspect" else policy
    ended = run("sh", "-c", 'exec "$@" >&-', "sh", ratls, command, *options, service.url)
    assert (ended.code, ended.error) == (2, "file_unwritable"), ended


def test_a_pipe_without_a_reader_is_an_error(ratls, policy, service):
    reader, writer = os.pipe()
    os.close(reader)
    for command in (["get", *policy], ["verify", "--json", *policy]):
        ended = subprocess.run([ratls, *command, service.url], stdout=writer,
                               stderr=subprocess.PIPE, check=False)
        assert ended.returncode in (2, -signal.SIGPIPE), ended
    os.close(writer)
