# SPDX-License-Identifier: Apache-2.0
"""`ratls serve --config`: what files and flags say, reloading, and the lines of the log."""

import json
import re
import signal
import socket
import ssl

import pytest

from conftest import DEADLINE, fetched_certificate, poll, run
from scripted_app import App

RELOADED = "the configuration was loaded again"
KEPT = "the configuration stays as it was"


@pytest.fixture
def write_config(platform, tmp_path):
    """write_config(TOML) writes the file of a simulated server and gives its path."""
    path = tmp_path / "serve.toml"

    def write(more="", top=""):
        path.write_text(f'listen = "127.0.0.1:0"\ntee = "sim"\nsim = "{platform}"\n{top}\n{more}')
        return path

    return write


def connected(service):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", service.port), DEADLINE)
    return context.wrap_socket(plain)


def ask(stream, path="/", headers=""):
    """(status, head, body) of an answer with a Content-Length."""
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode("latin-1"))
    received = b""
    while b"\r\n\r\n" not in received:
        received += stream.recv(65536) or pytest.fail(f"cut: {received!r}")
    head, _, body = received.partition(b"\r\n\r\n")
    size = int(re.search(rb"Content-Length: ([0-9]+)", head)[1])
    while len(body) < size:
        body += stream.recv(65536) or pytest.fail("cut")
    return int(head.split()[1]), head.decode(), body.decode()


def hang_up(service, what):
    """Sends SIGHUP and waits for one more line with what."""
    before = service.log().count(what)
    service.process.send_signal(signal.SIGHUP)
    poll(lambda: service.log().count(what) > before, what)


def lines_of(service, message):
    """The lines of a JSON log with a message; all others must be JSON too."""
    return [line for line in map(json.loads, service.log().splitlines())
            if line["message"] == message]


def request_id(head):
    found = re.findall(r"^X-Request-Id: ([0-9a-f]{32})\r$", head, re.MULTILINE)
    assert len(found) == 1, head
    return found[0]


# What the file says


def test_check_finds_nothing_and_starts_nothing(ratls, write_config):
    ended = run(ratls, "serve", "--config", write_config(), "--check")
    assert (ended.code, ended.out) == (0, "the configuration can be used\n"), ended


@pytest.mark.parametrize("more, place", [
    ("[limits]\nheader_bytes = 1", "line 6: limits.header_bytes"),
    ("[limit]", "line 5: limit"),
    ("[timeouts]\nrequest = 1", "line 6: timeouts.request"),
    ("listen = \"127.0.0.1:1\"", "line 5"),
    ("threads = ", "line 5"),
])
def test_a_bad_file_names_its_place(ratls, write_config, more, place):
    path = write_config(more)
    for options in ([], ["--check"]):
        ended = run(ratls, "serve", "--config", path, *options)
        assert (ended.code, ended.out, ended.error) == (2, "", "config_invalid"), ended
        assert f"where: {path}: {place}" in ended.err


@pytest.mark.parametrize("more, error", [
    ("[app]\nworkers = 2", "usage"),  # of what?
    ('[certificate]\nlifetime = "1h"\nnames = ["%s"]' % ("a" * 300), "config_invalid"),
])
def test_check_sees_what_the_parser_cannot(ratls, write_config, more, error):
    ended = run(ratls, "serve", "--config", write_config(more), "--check")
    assert (ended.code, ended.error) == (2, error), ended


def test_check_needs_a_file(ratls):
    assert run(ratls, "serve", "--check").error == "usage"
    ended = run(ratls, "serve", "--config", "/nonexistent/serve.toml", "--check")
    assert (ended.code, ended.error) == (2, "file_unreadable"), ended


def test_flags_count_more_than_the_file(serving, write_config):
    path = write_config('[log]\nformat = "json"\naccess = true\n'
                        '[certificate]\nnames = ["of.the.file"]\n', top='min_tls = "1.3"')
    with serving("serve", "--config", path, "--log-format", "text", "--name", "of.the.flag",
                 "--tls12") as service:
        names = run("openssl", "x509", "-noout", "-ext", "subjectAltName",
                    stdin=fetched_certificate(service.url).encode()).out
        assert "of.the.flag" in names and "of.the.file" not in names
        assert run("curl", "-sk", "--tls-max", "1.2", service.url).code == 0
        line = (r" info request id=[0-9a-f]{32} method=GET path=/ status=200 bytes=25 "
                r"duration_us=[0-9]+\n")
        poll(lambda: re.search(line, service.log()), "its line")
        hang_up(service, RELOADED)
        assert "{" not in service.log(), "a flag counts more after a reload too"


# Reloading


def test_sighup_changes_limits_and_keeps_connections(serving, write_config):
    path = write_config("[limits]\nheader_bytes = 4096\n")
    with serving("serve", "--config", path) as service, connected(service) as stream:
        long_header = f"X: {'x' * 2000}\r\n"
        assert ask(stream, headers=long_header)[0] == 200
        before = fetched_certificate(service.url)
        write_config('[limits]\nheader_bytes = 1024\n[log]\nformat = "json"\n')
        hang_up(service, RELOADED)
        assert ask(stream)[0] == 200, "the connection is kept"
        assert fetched_certificate(service.url) == before, "nothing of it has changed"
        # The threads take the new limits one by one.
        poll(lambda: ask_anew(service, long_header) == 431, "the new limit")
        assert ask(stream, headers=long_header)[0] == 431
        hang_up(service, RELOADED)
        assert '"message":"' + RELOADED in service.log()
        assert service.stop() == 0


def ask_anew(service, headers):
    with connected(service) as stream:
        return ask(stream, headers=headers)[0]


@pytest.mark.parametrize("top, more, place", [
    ("", "[limits]\nheader_bytes = 1\n", "line 6: limits.header_bytes"),
    ("threads = 1", "[limits]\nheader_bytes = 300\n", "threads"),
    ("", "nonsense", "line 5"),
])
def test_a_file_that_cannot_be_used_changes_nothing(serving, write_config, top, more, place):
    path = write_config()
    with serving("serve", "--config", path) as service, connected(service) as stream:
        write_config(more + '[log]\nformat = "json"\n', top=top)
        hang_up(service, KEPT)
        assert f"{KEPT}: {path}: {place}" in service.log()
        assert ask(stream, headers=f"X: {'x' * 2000}\r\n")[0] == 200
        path.unlink()
        hang_up(service, KEPT)
        write_config()
        hang_up(service, RELOADED)
        assert "{" not in service.log()
        assert service.stop() == 0


def test_another_life_makes_another_certificate(serving, write_config):
    path = write_config('[certificate]\nlifetime = "1h"\n')
    with serving("serve", "--config", path) as service, connected(service) as stream:
        before = fetched_certificate(service.url)
        write_config('[certificate]\nlifetime = "2h"\nnames = ["new.example"]\n')
        hang_up(service, RELOADED)
        poll(lambda: fetched_certificate(service.url) != before, "another certificate")
        names = run("openssl", "x509", "-noout", "-ext", "subjectAltName",
                    stdin=fetched_certificate(service.url).encode()).out
        assert "new.example" in names
        assert ask(stream)[0] == 200


def test_sighup_without_a_file_ends_the_server(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen",
                 "127.0.0.1:0") as service:
        service.process.send_signal(signal.SIGHUP)
        assert service.process.wait(DEADLINE) == -signal.SIGHUP


def post(service, *options):
    """(status, body) of POST /reload at the operations listener of a server."""
    url = re.search(r"operations at (http://127\.0\.0\.1:[0-9]+)", service.log())[1]
    ended = run("curl", "-s", "-w", "%{stderr}%{http_code}", "-X", "POST", *options,
                url + "/reload")
    return int(ended.err), ended.out


def test_an_operator_reloads(serving, write_config):
    admin = '[admin]\nlisten = "127.0.0.1:0"\n'
    path = write_config(admin)
    with serving("serve", "--config", path) as service:
        assert post(service) == (200, "loaded\n")
        write_config(admin + '[log]\nformat = "json"\naccess = "yes"\n')
        status, body = post(service)
        assert status == 409
        assert f"{path}: line 9: log.access" in json.loads(body)["error"]
        write_config('[log]\nformat = "json"\n')
        assert "admin.listen" in post(service)[1]
        assert "{" not in service.log(), "nothing has changed"
        write_config(admin + '[log]\nformat = "json"\n')
        assert post(service, "-H", "Origin: https://evil.example")[0] == 403
        assert post(service, "-X", "GET")[0] == 405
        assert "{" not in service.log(), "nothing has changed"
        assert post(service)[0] == 200
        assert f'"message":"{RELOADED}"' in service.log()
        assert service.stop() == 0


def test_without_a_file_an_operator_has_nothing_to_reload(serving, platform):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--admin", "127.0.0.1:0") as service:
        assert post(service)[0] == 404


# The log, and the ids of requests


def test_json_lines_whatever_the_path_holds(serving, write_config):
    path = write_config('[log]\nformat = "json"\naccess = true\n')
    with serving("serve", "--config", path) as service, connected(service) as stream:
        sent = ["/\"'{}\\", "/%0a%22", "/" + "a" * 9000, "/a?secret=1"]
        heads = [ask(stream, path, "X-Request-Id: mine\r\n")[1] for path in sent]
        stream.sendall(b"GET /caf\xe9 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert stream.recv(65536).startswith(b"HTTP/1.1 400 ")
        logged = poll(lambda: [line for line in [lines_of(service, "request")] if len(line) == 5],
                      "a line for each request")[0]
        assert [line["id"] for line in logged[:4]] == [request_id(head) for head in heads]
        assert [line["status"] for line in logged] == [404] * 4 + [400]
        assert [line["path"] for line in logged[:2]] == sent[:2]
        assert logged[2]["path"].endswith(" [809 more bytes]")
        assert logged[3]["path"] == "/a" and logged[3]["method"] == "GET"
        assert all(line["bytes"] > 0 and line["duration_us"] >= 0 for line in logged)
        assert "secret" not in service.log() and "mine" not in service.log()
        assert len({line["id"] for line in logged}) == 5


def test_an_app_and_its_client_get_the_same_id(serving, write_config, tmp_path):
    app = App(tmp_path / "app.sock")
    app.answer = lambda stream, head: stream.sendall(
        b"HTTP/1.1 200 OK\r\nX-Request-Id: the-apps\r\nContent-Length: 2\r\n\r\nok")
    path = write_config('[app]\nupstream = "unix:app.sock"\n'
                        '[log]\nformat = "json"\naccess = true\nlevel = "error"\n')
    with serving("serve", "--config", path) as service, connected(service) as stream:
        status, head, _ = ask(stream, "/a?b", "X-Request-Id: mine\r\nX_Request_Id: mine\r\n")
        assert status == 200
        assert request_id(head) == request_id(app.heads[-1])
        assert "mine" not in app.heads[-1] and "the-apps" not in head
        app.answer = lambda stream, head: stream.sendall(b"nonsense\r\n\r\n")
        status, head, body = ask(stream, "/bad")
        assert status == 502
        assert json.loads(body)["request_id"] == request_id(head)
        logged = poll(lambda: [line for line in [lines_of(service, "request")] if len(line) == 2],
                      "two lines")[0]
        assert [(line["path"], line["status"], line["app"]) for line in logged] == [
            ("/a", 200, 0), ("/bad", 502, 0)]
        assert logged[0]["bytes"] == 2 and "cut_by" not in logged[0]
        errors = [line for line in map(json.loads, service.log().splitlines())
                  if line["level"] == "error"]
        assert [line["id"] for line in errors] == [request_id(head)]
    app.close()


def test_a_cut_answer_says_who_cut_it(serving, write_config, tmp_path):
    app = App(tmp_path / "app.sock")
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"

    def cut(stream, head):
        stream.sendall(part)
        return False  # which closes

    app.answer = cut
    path = write_config('[app]\nupstream = "unix:app.sock"\n'
                        '[log]\nformat = "json"\naccess = true\n')
    with serving("serve", "--config", path) as service:
        with connected(service) as stream:
            stream.sendall(b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
            poll(lambda: lines_of(service, "request"), "its line")
        line = lines_of(service, "request")[0]
        assert (line["status"], line["bytes"], line["cut_by"]) == (200, 2, "app")
        app.answer = lambda stream, head: stream.recv(1)
        with connected(service) as stream:
            stream.sendall(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
            poll(lambda: "/gone" in app.heads[-1], "the request at the app")
        line = poll(lambda: lines_of(service, "request")[1:], "its line")[0]
        assert (line["status"], line["bytes"], line["cut_by"]) == (0, 0, "client")
    app.close()


def test_without_an_access_log_there_are_ids_but_no_lines(silent_service):
    with connected(silent_service) as stream:
        first, second = ask(stream)[1], ask(stream)[1]
    assert request_id(first) != request_id(second)
    assert request_id(first) not in silent_service.log()
