# SPDX-License-Identifier: Apache-2.0
"""Three servers behind haproxy in TCP mode, with deploy/compose/haproxy.cfg: one is killed, one is
replaced by another identity, and clients that accept both identities notice neither."""

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import SOURCE, poll, run, started

CLIENTS = 4
ENOUGH = 5  # requests that a server has answered, before a test goes on
OTHER = "5" * 64
HELLO = '{"message":"Hello World"}'


@pytest.fixture(scope="module")
def identities(new_platform, tmp_path_factory):
    """Two folders of one simulated platform whose enclaves differ."""
    first = new_platform()
    second = tmp_path_factory.mktemp("other") / "sim"
    shutil.copytree(first, second)
    state = json.loads((second / "state.json").read_text())
    assert state["enclave"]["mr_enclave"] != OTHER
    state["enclave"]["mr_enclave"] = OTHER
    (second / "state.json").write_text(json.dumps(state))
    return first, second


@pytest.fixture(scope="module")
def both(identities):
    """The options that accept both enclaves."""
    path = identities[0] / "both.toml"
    entry = f'\n[[enclave]]\nname = "the next version"\nmr_enclave = "{OTHER}"\n'
    path.write_text((identities[0] / "policy.toml").read_text() + entry)
    return ("--policy", path)


class Balancer:
    """A running haproxy."""

    def __init__(self, port, stats, log):
        self.url = f"https://127.0.0.1:{port}"
        self._stats = stats
        self.log = log

    def servers(self):
        """What haproxy says of each server: {name: {column: text}}."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._stats))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["svname"].startswith("replica")}

    def sessions(self, name):
        return int(self.servers()[name]["stot"])

    def wait_for_sessions(self, *names):
        """Waits until each server has had ENOUGH more connections of clients."""
        before = {name: self.sessions(name) for name in names}
        poll(lambda: all(self.sessions(name) >= before[name] + ENOUGH for name in names),
             f"{ENOUGH} connections to each of {names}")

    def wait_for_status(self, name, status):
        poll(lambda: self.servers()[name]["status"].startswith(status), f"{name} being {status}")


@contextlib.contextmanager
def balancer(folder, ports):
    """haproxy with the configuration of deploy/compose, on a socket that it inherits."""
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    stats, log = folder / "stats", folder / "log"
    (folder / "stats.cfg").write_text(f'global\n  stats socket "{stats}"\n')
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        environment = dict(os.environ, LISTEN=f"fd@{listener.fileno()}")
        environment |= {f"REPLICA_{i}": f"127.0.0.1:{port}" for i, port in enumerate(ports, 1)}
        with started(program, "-db", "-f", SOURCE / "deploy/compose/haproxy.cfg", "-f",
                     folder / "stats.cfg", stdout=output, stderr=output, env=environment,
                     pass_fds=[listener.fileno()]) as process:
            poll(lambda: stats.exists() or process.poll() is not None, "haproxy")
            assert process.poll() is None, log.read_text()
            yield Balancer(listener.getsockname()[1], stats, log)


class Clients:
    """Threads that send one request after the other, each over a connection of its own."""

    def __init__(self, ratls, policy, url):
        self._command = (ratls, "get", "--retry", "5", *policy, url + "/")
        self._stop = threading.Event()
        self.requests = []  # (when it began, when it ended, what came)
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]

    def _ask(self):
        while not self._stop.is_set():
            begin = time.monotonic()
            ended = run(*self._command)
            self.requests.append((begin, time.monotonic(), ended))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextlib.contextmanager
def replicas(serving, folder):
    """Three servers, which the test may end before."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(
            serving("serve", "--tee", "sim", "--sim", folder, "--listen", "127.0.0.1:0"))
            for _ in range(3)]


def replace(server, serving, folder):
    """Ends a server in order, and gives the next version at its address, as a context."""
    assert server.stop() == 0
    return serving("serve", "--tee", "sim", "--sim", folder, "--listen", f"127.0.0.1:{server.port}")


def test_clients_notice_neither_a_crash_nor_a_new_version(ratls, serving, identities, both,
                                                          tmp_path):
    old, new = identities
    with replicas(serving, old) as servers, \
            balancer(tmp_path, [server.port for server in servers]) as front:
        with Clients(ratls, both, front.url) as clients:
            front.wait_for_sessions("replica1", "replica2", "replica3")
            killing = time.monotonic()
            servers[0].process.send_signal(signal.SIGKILL)
            servers[0].process.wait()
            killed = time.monotonic()
            front.wait_for_status("replica1", "DOWN")
            front.wait_for_sessions("replica2", "replica3")
            with replace(servers[1], serving, new) as next_version:
                front.wait_for_status("replica2", "UP")
                front.wait_for_sessions("replica2", "replica3")
                # The new identity answers, and a policy without it refuses it: 7.
                codes = set()
                poll(lambda: codes.add(run(ratls, "get", "--retry", "5", "--policy",
                                           old / "policy.toml", front.url + "/").code)
                     or codes >= {0, 7}, "an answer of either version")
                assert codes == {0, 7}
                assert next_version.process.poll() is None
        lost = [(begin, end, ended) for begin, end, ended in clients.requests
                if (ended.code, ended.out) != (0, HELLO)]
        in_flight = [entry for entry in lost if entry[0] < killed and entry[1] > killing]
        assert lost == in_flight, (lost, front.log.read_text())
        assert len(lost) <= CLIENTS
        assert len(clients.requests) >= 5 * ENOUGH


def test_the_balancer_cannot_answer_itself(ratls, identities, both, tmp_path):
    """Without servers a client gets an error of the connection, 8, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with balancer(tmp_path, [port] * 3) as front:
        ended = run(ratls, "get", *both, front.url + "/")
        assert ended.code == 8, ended
