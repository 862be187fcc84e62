# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of `ratls serve`: --admin with /metrics, /healthz and /readyz, and what
systemd is told."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from conftest import DEADLINE, SOURCE, poll, run, started

# Answers with its number, /wait?FILE when FILE exists; accepts connections once the file that its
# second argument names is there.
APP = r"""
import os, socket, sys, threading, time

def serve(stream):
    with stream:
        while head := stream.recv(65536):
            path = head.split()[1].decode()
            while path.startswith("/wait?") and not os.path.exists(path[6:]):
                time.sleep(0.01)
            body = str(os.getpid()).encode()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
listener = socket.socket(fileno=int(sys.argv[1]))
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
SAMPLE = re.compile(r"(ratls_[a-z_]+)(\{[a-z]+=\"[^\"]*\"\})? ([0-9.]+)")


@pytest.fixture(scope="module")
def common(platform):
    return ("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0", "--admin",
            "127.0.0.1:0")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    path = tmp_path_factory.mktemp("app") / "app.py"
    path.write_text(APP)
    return path


@pytest.fixture
def watched(serving, common):
    with serving(*common, "--threads", "2") as running:
        yield running


def admin_of(log):
    found = re.search(r"operations at (http://\S+)", log)
    return found and found[1]


def ask(url, *options):
    """(status, body) of an answer of the operations listener."""
    ended = run("curl", "-s", "-w", "\n%{http_code}", *options, url)
    body, _, status = ended.out.rpartition("\n")
    return int(status), body


def metrics(admin):
    """{name with labels: value}"""
    status, body = ask(admin + "/metrics")
    assert status == 200
    return {name + labels: float(value) for name, labels, value in SAMPLE.findall(body)}


def test_requests_and_handshakes_are_counted(watched):
    admin = admin_of(watched.log())
    assert metrics(admin)['ratls_handshakes_total{result="ok"}'] == 0
    assert run("curl", "-sk", watched.url, watched.url).code == 0
    assert run("curl", "-sk", watched.url + "/nowhere").code == 0
    assert run("curl", "-s", watched.url).code == 60  # does not trust the certificate, and says so
    with socket.create_connection(("127.0.0.1", watched.port), DEADLINE) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while stream.recv(4096):
            pass
    with socket.create_connection(("127.0.0.1", watched.port), DEADLINE):
        pass
    want = {'ratls_handshakes_total{result="ok"}': 2, 'ratls_handshakes_total{result="alert"}': 1,
            'ratls_handshakes_total{result="protocol"}': 1,
            'ratls_handshakes_total{result="closed"}': 1,
            "ratls_connections_accepted_total": 5,
            'ratls_requests_total{status="2xx"}': 2, 'ratls_requests_total{status="4xx"}': 1,
            'ratls_requests_total{status="5xx"}': 0,
            'ratls_request_duration_seconds_bucket{le="+Inf"}': 3,
            "ratls_request_duration_seconds_count": 3, "ratls_quote_duration_seconds_count": 1,
            "ratls_quote_failures_total": 0, "ratls_certificate_renewals_total": 0}
    poll(lambda: want.items() <= metrics(admin).items(), f"{want} in {metrics(admin)}")
    assert "ratls_app_processes" not in metrics(admin)


def test_open_connections_are_counted(watched, ratls):
    import ssl
    admin = admin_of(watched.log())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", watched.port), DEADLINE), \
            context.wrap_socket(socket.create_connection(("127.0.0.1", watched.port), DEADLINE)):
        poll(lambda: metrics(admin)['ratls_connections{state="idle"}'] == 1 and
             metrics(admin)['ratls_connections{state="handshaking"}'] == 1, "both connections")
    poll(lambda: metrics(admin)['ratls_connections{state="idle"}'] == 0, "their end")


def test_times_are_unix_times(watched, platform):
    found = metrics(admin_of(watched.log()))
    day = 24 * 3600
    # Certificates of serve last a day, the simulated platform's collateral 30.
    start = found["ratls_start_time_seconds"]
    assert abs(found["ratls_certificate_expiry_timestamp_seconds"] - start - day) < day / 10
    assert abs(found["ratls_collateral_expiry_timestamp_seconds"] - start - 30 * day) < day


def test_the_text_is_prometheus_format(watched):
    ended = run("curl", "-si", admin_of(watched.log()) + "/metrics")
    head, _, body = ended.out.partition("\r\n\r\n")
    assert "Content-Type: text/plain; version=0.0.4" in head and body.endswith("\n")
    kinds, last = {}, None
    for line in body.splitlines():
        if line.startswith("# HELP "):
            last = line.split()[2]
            assert last not in kinds and len(line.split()) > 3
        elif line.startswith("# TYPE "):
            _, _, name, kinds[last] = line.split()
            assert name == last and (kinds[last] == "counter") == name.endswith("_total")
        else:
            name = SAMPLE.fullmatch(line) or re.fullmatch(
                r"(ratls_build_info)\{version=\"[0-9.]+\"\} (1)", line)
            suffix = name[1].removeprefix(last)
            assert suffix == "" or kinds[last] == "histogram" and \
                suffix in ("_bucket", "_sum", "_count"), line


def test_the_documentation_names_each_metric(serving, common, app, tmp_path):
    (tmp_path / "gate").touch()
    with serving(*common, "--", sys.executable, app, "{fd}", tmp_path / "gate") as edge:
        _, body = ask(admin_of(edge.log()) + "/metrics")
    text = (SOURCE / "docs/serve.md").read_text()
    there = set(re.findall(r"^# TYPE (\S+)", body, re.MULTILINE))
    assert there == set(re.findall(r"^\| `(ratls_[a-z_]+)", text, re.MULTILINE))


def test_it_is_ready_while_it_serves(common, ratls, app, tmp_path):
    with (tmp_path / "log").open("wb") as stderr, \
            started(ratls, *common, "--", sys.executable, app, "{fd}", tmp_path / "gate",
                    stdout=subprocess.PIPE, stderr=stderr) as process:
        admin = poll(lambda: admin_of((tmp_path / "log").read_text()), "the operations listener")
        assert ask(admin + "/readyz") == (503, "not ready: the server starts\n")
        assert ask(admin + "/healthz") == (200, "alive\n")
        assert metrics(admin)["ratls_app_processes_ready"] == 0
        (tmp_path / "gate").touch()
        url = process.stdout.readline().decode().split()[1]
        assert ask(admin + "/readyz") == (200, "ready\n")
        with started("curl", "-sk", f"{url}wait?{tmp_path}/answer", stdout=subprocess.PIPE) as client:
            poll(lambda: metrics(admin)["ratls_app_requests_in_flight"] == 1, "the request")
            process.send_signal(signal.SIGTERM)
            poll(lambda: ask(admin + "/readyz")[0] == 503, "the end of readiness")
            assert ask(admin + "/readyz") == (503, "not ready: the server stops\n")
            (tmp_path / "answer").touch()
            assert client.stdout.read().isdigit()
        assert process.wait(DEADLINE) == 0


def test_it_is_not_ready_without_a_process(serving, common, app, tmp_path):
    (tmp_path / "gate").touch()
    with serving(*common, "--", sys.executable, app, "{fd}", tmp_path / "gate") as edge:
        admin = admin_of(edge.log())
        victim = int(run("curl", "-sk", edge.url).out)
        (tmp_path / "gate").unlink()
        os.kill(victim, signal.SIGKILL)
        poll(lambda: ask(admin + "/readyz") ==
             (503, "not ready: no process of the app accepts connections\n"), "the end")
        assert run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", edge.url).out == "503"
        (tmp_path / "gate").touch()
        poll(lambda: ask(admin + "/readyz")[0] == 200, "another process")
        found = metrics(admin)
        assert found["ratls_app_restarts_total"] == 1
        assert found["ratls_app_processes_ready"] == found["ratls_app_processes"] == 1
        assert found['ratls_app_failures_total{status="503"}'] == 1
        assert found['ratls_requests_total{status="5xx"}'] == 1


def test_web_pages_get_nothing(watched):
    for path in ("/metrics", "/healthz", "/readyz"):
        url = admin_of(watched.log()) + path
        assert ask(url, "-H", "Origin: https://evil.example")[0] == 403
        # A page's own name that was made to lead here: the browser sends no Origin then.
        for host in ("rebound.evil.example", "rebound.evil.example:80", "[evil]", "1.2.3.4.evil"):
            assert ask(url, "-H", f"Host: {host}")[0] == 403, host
        for host in ("localhost", "LOCALHOST:9100", "127.0.0.1:1", "[::1]:1", "10.0.0.3:9100"):
            assert ask(url, "-H", f"Host: {host}")[0] == 200, host


@pytest.mark.parametrize("address, error", [
    ("0.0.0.0:0", "config_invalid"), ("[::]:0", "config_invalid"), ("192.0.2.1:0", "config_invalid"),
    ("9100", "usage"), ("127.0.0.1:x", "usage"), ("", "usage"),
])
def test_only_the_loopback_is_let_in(ratls, platform, address, error):
    ended = run(ratls, "serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                "--admin", address)
    assert (ended.code, ended.error) == (2, error) and "admin" in ended.err, ended
    assert "ready" not in ended.out


def test_there_is_no_such_listener_unless_asked_for(service):
    sockets = run("find", f"/proc/{service.process.pid}/fd", "-lname", "socket:*", "-printf", "%l\n")
    listening = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()
                 if line.split()[3] == "0A"]
    ports = {int(words[1].split(":")[1], 16) for words in listening
             if f"socket:[{words[9]}]" in sockets.out}
    assert ports == {service.port}


# systemd


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_service_manager_is_told(serving, platform, tmp_path, kind):
    name = str(tmp_path / "notify") if kind == "path" else f"@ratls-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(DEADLINE)
        manager.bind(name.replace("@", "\0"))
        with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                     env={**os.environ, "NOTIFY_SOCKET": name}) as running:
            assert manager.recv(100) == b"READY=1"
            running.process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert running.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("asked", [{"WATCHDOG_USEC": "100000"},
                                   {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"},
                                   {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}, {}])
def test_the_watchdog_is_told_when_it_asks(serving, platform, tmp_path, asked):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(DEADLINE)
        manager.bind(str(tmp_path / "notify"))
        with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                     env={**os.environ, **asked, "NOTIFY_SOCKET": str(tmp_path / "notify")}) as running:
            assert manager.recv(100) == b"READY=1"
            wanted = asked == {"WATCHDOG_USEC": "100000"}
            if wanted:
                assert manager.recv(100) == manager.recv(100) == b"WATCHDOG=1"
            assert running.stop() == 0
            told = b""
            while told != b"STOPPING=1":
                told = manager.recv(100)
                assert told == b"STOPPING=1" or wanted


@pytest.mark.parametrize("name", ["/nonexistent/socket", "x", "", "/" + "x" * 200])
def test_a_service_manager_that_is_not_there_is_no_obstacle(serving, platform, name):
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 env={**os.environ, "NOTIFY_SOCKET": name}) as running:
        assert run("curl", "-sk", running.url).code == 0
        poll(lambda: "systemd was not told READY=1" in running.log(), "a warning")
        assert running.stop() == 0


@pytest.fixture(scope="module")
def unit():
    path = SOURCE / "deploy/systemd/ratls.service"
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: tools/setup test"
    return path


def test_the_unit_is_valid(unit, ratls, tmp_path):
    installed = tmp_path / unit.name
    installed.write_text(unit.read_text().replace("/usr/local/bin/ratls", ratls))
    ended = run("systemd-analyze", "verify", "--man=no", installed)
    assert (ended.code, ended.err) == (0, ""), ended


def test_the_unit_is_confined(unit):
    """The exposure is what systemd says of a service that opens sockets and is else confined."""
    ended = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert ended.code == 0, ended


def test_the_unit_starts_what_there_is(unit, ratls):
    command = re.search(r"^ExecStart=\S+ (.*)$", unit.read_text(), re.MULTILINE)[1].split()
    shown = run(ratls, *command[:1], "--help").out
    assert all(option in shown for option in command if option.startswith("--"))
