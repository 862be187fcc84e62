# SPDX-License-Identifier: Apache-2.0
"""What all tests of the command line share: the program, simulated platforms, and processes that
are ended however a test ends."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

SOURCE = pathlib.Path(__file__).resolve().parent.parent
DEADLINE = 60  # seconds until a wait counts as a failure; nothing is timed by it
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Ended:
    """What a process that has ended leaves behind."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")

    def __repr__(self):
        return f"exit code {self.code}\nstdout: {self.out}\nstderr: {self.err}"

    @property
    def error(self):
        """The name of the error code, which is the first word of the first line."""
        words = self.err.split()
        return words[1] if words[:1] == ["error:"] else None


def run(*command, stdin=b"", **options):
    """Runs a command to its end."""
    return Ended(subprocess.run([str(word) for word in command], input=stdin, capture_output=True,
                                check=False, **{"timeout": DEADLINE, **options}))


def in_own_network(*command):
    """A command that runs in a network of its own, where all ports are free, and ends with all that it
    started. A user's own namespace gives the right to that; some containers do not let anybody."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if run(*words, "true").code != 0:
        pytest.skip("a network of its own is not allowed here")
    return [*words, *command]


def poll(condition, what):
    """Waits until condition() holds, and gives what it gave."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"{what} did not come within {DEADLINE} s")


@contextlib.contextmanager
def started(*command, **options):
    """A process in the background. The kernel ends it should this one be killed."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)],
                               stdin=subprocess.DEVNULL, bufsize=0, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def line_of(process):
    """The next line of a process's stdout, or an empty text when there will be none."""
    readable, _, _ = select.select([process.stdout], [], [], DEADLINE)
    assert readable, "the process says nothing"
    return process.stdout.readline().decode()


class Service:
    """A ratls command that has said `ready WHERE`."""

    def __init__(self, process, log):
        self.process = process
        self._log = log
        line = line_of(process)
        assert line.startswith("ready "), f"{line!r} is no ready line; stderr: {self.log()}"
        self.where = line[len("ready "):].rstrip("\n")

    @property
    def url(self):
        """https://HOST:PORT"""
        return self.where.rstrip("/")

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def log(self):
        return self._log.read_text(errors="replace")

    def requests(self):
        """How many requests the access log has."""
        return len(re.findall(r"^\S+ info request id=", self.log(), re.MULTILINE))

    def stop(self):
        """Ends it with SIGTERM and gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


@pytest.fixture(scope="session", autouse=True)
def plain_environment(tmp_path_factory):
    """The proxies, key logs and cache of whoever runs the tests are none of theirs."""
    kept = dict(os.environ)
    for name in [*PROXIES, *(name.upper() for name in PROXIES), "SSLKEYLOGFILE"]:
        os.environ.pop(name, None)
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(autouse=True)
def own_cache(plain_environment, tmp_path_factory, monkeypatch):
    """The cache of this test alone: another one's service may have had the same port."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def ratls():
    """The path of the program under test, from RATLS_BINARY."""
    path = pathlib.Path(os.environ.get("RATLS_BINARY", SOURCE / "build/test/ratls")).resolve()
    assert path.is_file(), f"{path} is missing: set RATLS_BINARY"
    return str(path)


@pytest.fixture(scope="session")
def serving(ratls, tmp_path_factory):
    """Starts `ratls ARGUMENTS...` as a context that gives its Service."""

    @contextlib.contextmanager
    def start(*arguments, **options):
        log = tmp_path_factory.mktemp("service") / "log"
        with log.open("wb") as stderr, \
                started(ratls, *arguments, stdout=subprocess.PIPE, stderr=stderr,
                        **options) as process:
            yield Service(process, log)

    return start


@pytest.fixture(scope="session")
def new_platform(ratls, tmp_path_factory):
    """Makes simulated platforms: new_platform(OPTIONS...) gives the folder."""

    def make(*options):
        folder = tmp_path_factory.mktemp("sim")
        ended = run(ratls, "sim", "init", "--dir", folder, *options)
        assert ended.code == 0, ended
        return folder

    return make


@pytest.fixture(scope="session")
def platform(new_platform):
    """The simulated platform of the service."""
    return new_platform()


@pytest.fixture(scope="session")
def policy(platform):
    """The options that accept the service."""
    return ("--policy", platform / "policy.toml")


@pytest.fixture(scope="session")
def other_policy(new_platform):
    """The options that accept another platform."""
    return ("--policy", new_platform() / "policy.toml")


def may_mount():
    """CAP_SYS_ADMIN is the 22nd of the effective capabilities."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    capabilities = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(capabilities >> 21 & 1)


@pytest.fixture(scope="session")
def mountable():
    """Skips where FUSE cannot be mounted."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        pytest.skip(f"/dev/fuse: {error.strerror}")
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        pytest.skip("fusermount3 is not installed")
    if os.geteuid() == 0 and not may_mount():
        pytest.skip("this container may not mount")


@pytest.fixture
def policy_file(platform):
    """The policy that accepts the service."""
    return platform / "policy.toml"


@pytest.fixture(scope="session")
def strange_policy(new_platform):
    """A policy that accepts another platform only."""
    return new_platform() / "policy.toml"


@pytest.fixture(scope="session")
def silent_service(serving, platform):
    """One without an access log."""
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0") as running:
        yield running


@pytest.fixture(scope="session")
def service(serving, platform):
    """One `ratls serve` for all tests that only ask it something; its log says who did."""
    with serving("serve", "--tee", "sim", "--sim", platform, "--listen", "127.0.0.1:0",
                 "--access-log") as running:
        yield running


@pytest.fixture(scope="session")
def attested_files(ratls, platform, tmp_path_factory):
    """(certificate, key) with evidence of the platform, as PEM files."""
    folder = tmp_path_factory.mktemp("attested")
    files = folder / "crt.pem", folder / "key.pem"
    ended = run(ratls, "run", "--tee", "sim", "--sim", platform, "--cert", files[0], "--key",
                files[1], "--", "/bin/true")
    assert ended.code == 0, ended
    return files


@pytest.fixture(scope="session")
def plain_files(tmp_path_factory):
    """(certificate, key) without evidence, as PEM files."""
    folder = tmp_path_factory.mktemp("plain")
    files = folder / "crt.pem", folder / "key.pem"
    ended = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=plain", "-addext", "subjectAltName=IP:127.0.0.1",
                "-out", files[0], "-keyout", files[1])
    assert ended.code == 0, ended
    return files


@pytest.fixture
def write_policy(platform):
    """write_policy(TOML, replace=...) makes a policy beside the platform's own: its text with the
    given lines replaced, and TOML behind it."""

    written = []

    def write(more="", replace=()):
        text = (platform / "policy.toml").read_text()
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        path = platform / f"policy-{os.getpid()}-{len(written)}.toml"
        path.write_text(text + more)
        written.append(path)
        return ("--policy", path)

    yield write
    for path in written:
        path.unlink()


def fetched_certificate(url):
    """The certificate of a server as PEM, by openssl s_client."""
    ended = run("openssl", "s_client", "-connect", url.removeprefix("https://").rstrip("/"))
    begin = ended.out.find("-----BEGIN CERTIFICATE-----")
    end = ended.out.find("-----END CERTIFICATE-----")
    assert begin >= 0 and end > begin, ended
    return ended.out[begin:end] + "-----END CERTIFICATE-----\n"
