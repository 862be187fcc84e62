# SPDX-License-Identifier: Apache-2.0
"""`ratls run`: the files it writes, and what becomes of the process."""

import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess

import pytest

from conftest import DEADLINE, line_of, poll, run, started
from scripted_server import answering, respond

SBIN = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


@pytest.fixture
def files(tmp_path):
    return tmp_path / "crt", tmp_path / "key"


@pytest.fixture
def run_words(ratls, platform, files):
    """The command line up to the command that is run."""
    return [ratls, "run", "--tee", "sim", "--sim", platform, "--cert", files[0], "--key", files[1]]


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def public_key(*arguments):
    ended = run("openssl", *arguments)
    assert ended.code == 0 and "BEGIN PUBLIC KEY" in ended.out, ended
    return ended.out


# The files.


@pytest.mark.parametrize("form", ["pem", "der"])
def test_the_files_have_the_chosen_form(ratls, policy, run_words, files, form):
    ended = run(*run_words, "--format", form, "--", "/bin/true")
    assert (ended.code, ended.out, ended.err) == (0, "", ""), ended
    certificate, key = files
    assert mode(key) == 0o600
    if form == "pem":
        assert certificate.read_text().startswith("-----BEGIN CERTIFICATE-----\n")
        assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    else:
        assert certificate.read_bytes()[:1] == key.read_bytes()[:1] == b"\x30"
    of_key = public_key("pkey", "-inform", form, "-in", key, "-pubout")
    of_certificate = public_key("x509", "-inform", form, "-in", certificate, "-noout", "-pubkey")
    assert of_key == of_certificate
    assert run(ratls, "verify", *policy, "--cert", certificate).code == 0


@pytest.mark.parametrize("key_type, curve", [("p256", "prime256v1"), ("p384", "secp384r1")])
def test_the_key_is_of_the_chosen_type(run_words, files, key_type, curve):
    assert run(*run_words, "--key-type", key_type, "--", "/bin/true").code == 0
    assert f"ASN1 OID: {curve}" in run("openssl", "pkey", "-in", files[1], "-noout", "-text").out


def test_the_key_is_private_whatever_the_umask(run_words, files):
    for umask in ("000", "077", "777"):
        ended = run("sh", "-c", f'umask {umask}; exec "$@"', "sh", *run_words, "--", "/bin/true")
        assert ended.code == 0, ended
        assert mode(files[1]) & 0o177 == 0
        for file in files:
            file.unlink()


def test_each_run_has_another_key(run_words, files):
    written = set()
    for _ in range(2):
        assert run(*run_words, "--", "/bin/true").code == 0
        written.add(files[1].read_bytes())
    assert len(written) == 2
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["crt", "key"]


def test_a_link_is_not_followed(run_words, files, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    files[1].symlink_to(elsewhere)
    ended = run(*run_words, "--", "/bin/true")
    assert elsewhere.read_text() == "mine"
    assert ended.code == 2 or (ended.code == 0 and not files[1].is_symlink()), ended


def test_python_serves_with_the_files(ratls, policy, run_words, files):
    assert run(*run_words, "--", "/bin/true").code == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
    with answering(files, lambda stream, *_: respond(stream, b"by Python")) as server:
        assert run(ratls, "get", *policy, server.url).out == "by Python"
        assert run("curl", "-s", "--cacert", files[0], server.url).out == "by Python"


def test_the_certificate_lives_as_long_as_asked_for(ratls, policy, run_words, files):
    assert run(*run_words, "--lifetime", "89d", "--", "/bin/true").code == 0
    assert run(ratls, "verify", *policy, "--cert", files[0]).code == 0
    week = str(7 * 24 * 3600)
    checkend = ["openssl", "x509", "-noout", "-in", files[0], "-checkend"]
    assert run(*checkend, week).code == 0
    assert run(*run_words, "--lifetime", "6d", "--", "/bin/true").code == 0
    assert run(*checkend, week).code == 1
    for wrong in ("90d", "1s", "long"):
        ended = run(*run_words, "--lifetime", wrong, "--", "/bin/true")
        assert ended.code == 2, ended


# The process.


def test_the_process_becomes_the_command(run_words, files):
    with started(*run_words, "--", "sh", "-c", 'echo $$; cat "$0"; exec sleep 600', files[1],
                 stdout=subprocess.PIPE) as process:
        assert line_of(process) == f"{process.pid}\n"
        assert line_of(process) == "-----BEGIN PRIVATE KEY-----\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == -signal.SIGTERM


def test_the_command_gets_its_words_and_its_exit_code_counts(run_words):
    ended = run(*run_words, "--", "sh", "-c", 'printf "%s|" "$@"; cat; exit 42', "sh", "--cert",
                "a b", "", "--", "-x", stdin=b"typed")
    assert (ended.code, ended.out) == (42, "--cert|a b||--|-x|typed"), ended


def test_the_command_inherits_what_ratls_has(run_words):
    command = ["sh", "-c", "ls /proc/self/fd; grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; umask; env | sort"]
    directly, through_ratls = run(*command), run(*run_words, "--", *command)
    assert through_ratls.code == 0
    # Descriptor 3 is how ls reads the folder: neither files nor masked signals are left behind.
    assert through_ratls.out == directly.out


@pytest.mark.parametrize("command", ["/nonexistent/command", "no-such-command", "/etc/passwd", "/"])
def test_a_command_that_cannot_be_run_leaves_no_files(run_words, files, command):
    ended = run(*run_words, "--", command)
    assert (ended.code, ended.error) == (2, "command_not_run"), ended
    assert list(files[0].parent.iterdir()) == []


@pytest.mark.parametrize("unwritable", [0, 1])
def test_both_files_or_none(ratls, platform, tmp_path, unwritable):
    paths = [tmp_path / "crt", tmp_path / "key"]
    paths[unwritable] = tmp_path / "missing" / "file"
    ended = run(ratls, "run", "--tee", "sim", "--sim", platform, "--cert", paths[0], "--key",
                paths[1], "--", "/bin/true")
    assert (ended.code, ended.error) == (2, "file_unwritable"), ended
    assert list(tmp_path.iterdir()) == []


def test_without_quotes_nothing_is_run(ratls, files, tmp_path):
    ended = run(ratls, "run", "--tee", f"gramine:{tmp_path}", "--cert", files[0], "--key", files[1],
                "--", "touch", tmp_path / "was-run")
    assert (ended.code, ended.error) == (8, "quote_unavailable"), ended
    assert list(tmp_path.iterdir()) == []


# A server that knows nothing of attestation.


NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl reuseport;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{ return 200 "by nginx"; }}
  }}
}}
"""


def test_nginx_serves_with_the_files(ratls, policy, run_words, files, tmp_path):
    nginx = shutil.which("nginx", path=SBIN)
    if nginx is None:
        pytest.skip("nginx is not installed")
    configuration = tmp_path / "nginx.conf"
    # The port stays taken until nginx has it: this socket does not listen, and nginx shares it.
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{holder.getsockname()[1]}"
        configuration.write_text(NGINX.format(folder=tmp_path, port=holder.getsockname()[1],
                                              certificate=files[0], key=files[1]))
        log = tmp_path / "log"
        with log.open("wb") as stderr, \
                started(*run_words, "--", nginx, "-p", tmp_path, "-c", configuration, "-e",
                        "stderr", stderr=stderr) as process:
            poll(lambda: process.poll() is not None or run("curl", "-sk", url).code == 0, "nginx")
            ended = run(ratls, "get", *policy, url)
            assert (ended.code, ended.out) == (0, "by nginx"), f"{ended}\n{log.read_text()}"
            ended = run("curl", "-s", "--cacert", files[0], url)
            assert (ended.code, ended.out) == (0, "by nginx"), ended
