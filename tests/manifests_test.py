# SPDX-License-Identifier: Apache-2.0
"""tools/check_manifests.py lets the manifests of the repository pass, and complains of each defect
that is put into one of them, and of nothing else then."""

import re
import sys

import pytest

from conftest import SOURCE, run

sys.path.insert(0, str(SOURCE / "tools"))

import check_manifests  # noqa: E402
import gramine_manifest  # noqa: E402
from dockerfile import Image  # noqa: E402

GSC = "deploy/gsc/fastapi.manifest"
TEMPLATE = "deploy/gramine/fastapi.manifest.template"


def complaints(path, change=None, files=None):
    """The keys that are complained of in a manifest of the repository after a change of its text,
    with other texts for the files that belong to it."""
    files = files or {}
    text = (SOURCE / path).read_text()
    changed = change(text) if change else text
    assert change is None or changed != text, "the change changes nothing"
    found = check_manifests.check(
        path, changed, lambda name: files.get(name) or check_manifests.read_file(name))
    return [re.match(r".*?:[0-9 ]*:? ?([^:]*):", line).group(1).strip() if line.count(":") > 1
            else line for line in found]


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


def without(key):
    return lambda text: re.sub(rf"^{re.escape(key)} = .*\n", "", text, count=1, flags=re.MULTILINE)


def added(line):
    return lambda text: text + f"\n# Because.\n{line}\n"


def test_the_repository_passes():
    ended = run("/usr/bin/python3", SOURCE / "tools/check_manifests.py")
    assert (ended.code, ended.out) == (0, ""), ended


@pytest.mark.parametrize("path", [GSC, TEMPLATE])
@pytest.mark.parametrize("change, key", [
    (replaced("sgx.debug = false", "sgx.debug = true"), "sgx.debug"),
    (replaced('"dcap"', '"none"'), "sgx.remote_attestation"),
    (without("sgx.remote_attestation"), "sgx.remote_attestation"),
    (without("sgx.isvprodid"), "sgx.isvprodid"),
    (replaced("sgx.isvprodid = 2", "sgx.isvprodid = 0"), "sgx.isvprodid"),
    (replaced("sgx.isvprodid = 2", "sgx.isvprodid = 65536"), "sgx.isvprodid"),
    (without("sgx.isvsvn"), "sgx.isvsvn"),
    (replaced("sgx.isvsvn = 1", "sgx.isvsvn = -1"), "sgx.isvsvn"),
    (without("sgx.max_threads"), "sgx.max_threads"),
    (replaced("sgx.max_threads = 64", "sgx.max_threads = 3"), "sgx.max_threads"),
    (without("sgx.enclave_size"), "sgx.enclave_size"),
    (replaced('"1G"', '"3G"'), "sgx.enclave_size"),
    (added("sgx.allowed_files = []"), "sgx.allowed_files"),
    (added('sgx.file_check_policy = "allow_all_but_log"'), "sgx.file_check_policy"),
    (added("loader.insecure__use_host_env = true"), "loader.insecure__use_host_env"),
    (added("loader.insecure__use_cmdline_argv = true"), "loader.insecure__use_cmdline_argv"),
    (added("sgx.insecure__rpc_thread_num = 2"), "sgx.insecure__rpc_thread_num"),
    (added('fs.insecure__keys.default = "00"'), "fs.insecure__keys"),
    (added('sys.debug__mock_syscalls = [ { name = "fsync" } ]'), "sys.debug__mock_syscalls"),
    (added("sgx.vtune_profile = true"), "sgx.vtune_profile"),
    (added('sgx.profile.enable = "all"'), "sgx.profile.enable"),
    (replaced('log_level = "error"', 'log_level = "trace"'), "loader.log_level"),
    (added("loader.env.LD_PRELOAD = { passthrough = true }"), "loader.env.LD_PRELOAD"),
    (added('loader.env_src_file = "file:/env"'), "loader.env_src_file"),
    (replaced("fs.mounts = [", 'fs.mounts = [\n  { type = "untrusted_shm", path = "/s", '
                               'uri = "dev:/dev/shm" },'), "fs.mounts"),
    (replaced("fs.mounts = [", 'fs.mounts = [\n  { path = "/d", uri = "dev:/dev/d" },'),
     "fs.mounts"),
    (replaced("fs.mounts = [", 'fs.mounts = [\n  { type = "ext4", path = "/s" },'), "fs.mounts"),
    (replaced("fs.mounts = [", 'fs.mounts = [\n  { type = "tmpfs", path = "s" },'), "fs.mounts"),
    (replaced("fs.mounts = [", 'fs.mounts = [\n  { type = "tmpfs", path = "/s", mode = 1 },'),
     "fs.mounts"),
    (added("sgx.isvsnv = 1"), "sgx.isvsnv"),
    (added("sgx.nonpie_binary = true"), "sgx.nonpie_binary"),  # of an older Gramine
    (replaced("sys.fds.limit = 4096", 'sys.fds.limit = "4096"'), "sys.fds.limit"),
    (replaced("sys.fds.limit = 4096", "sys.fds.limit = true"), "sys.fds.limit"),
])
def test_a_defect_is_named_and_nothing_else(path, change, key):
    assert set(complaints(path, change)) == {key}


@pytest.mark.parametrize("path", [GSC, TEMPLATE])
@pytest.mark.parametrize("change, count", [
    (replaced('{ type = "tmpfs", path = "/run/ratls" },', ""), 4),
    (replaced('{ type = "tmpfs", path = "/run/ratls" },',
              '{ path = "/run/ratls", uri = "file:/run/ratls" },'), 4),
    (replaced('  { type = "tmpfs", path = "/tmp" },\n]',
              '  { type = "tmpfs", path = "/tmp" },\n'
              '  { path = "/run/ratls/key.pem", uri = "file:/key.pem" },\n]'), 2),
])
def test_keys_outside_of_the_enclave_are_named(path, change, count):
    found = complaints(path, change)
    assert len(found) == count
    assert all(re.match(r"--(ssl-)?(cert|key)(file)? /run/ratls/", key) for key in found)


@pytest.mark.parametrize("path", [GSC, TEMPLATE])
def test_an_encrypted_mount_is_as_good(path):
    mount = '{ type = "encrypted", path = "/run/ratls", uri = "file:/k", key_name = "_sgx_mrenclave" },'
    assert complaints(path, replaced('{ type = "tmpfs", path = "/run/ratls" },', mount)) == []


def test_harmless_variables_may_come_from_the_host():
    assert complaints(GSC, added("loader.env.TZ = { passthrough = true }")) == []


@pytest.mark.parametrize("name", ["server.key", "id_rsa", "tls-key.pem", "signing_key", "store.p12"])
def test_a_key_is_no_trusted_file(name):
    line = f'sgx.trusted_files = [ "file:/etc/{name}" ]'
    assert complaints(GSC, added(line)) == ["sgx.trusted_files"]
    assert complaints(TEMPLATE, replaced("sgx.trusted_files = [",
                                         f'sgx.trusted_files = [\n  "file:/etc/{name}",')) == \
        ["sgx.trusted_files"]


@pytest.mark.parametrize("name", ["monkey.py", "keyboard.txt", "keys/", "ca.pem"])
def test_other_names_are_no_keys(name):
    assert complaints(GSC, added(f'sgx.trusted_files = [ "file:/etc/{name}" ]')) == []


@pytest.mark.parametrize("path", [GSC, TEMPLATE])
def test_each_key_needs_its_reason(path):
    text = (SOURCE / path).read_text()
    keys = re.findall(r"^([a-z][\w.]+) = ", text, re.MULTILINE)
    assert len(keys) > 10
    for key in keys:
        bare = re.sub(rf"(?:^#.*\n)+{re.escape(key)} = ", f"{key} = ", text, flags=re.MULTILINE)
        assert bare != text, key
        assert [key for _, key in check_manifests.uncommented_keys(bare)] == [key]


@pytest.mark.parametrize("text, keys", [
    ("a = 1\n", ["a"]),
    ("a = 1 # why\n", []),
    ("a = 1 #\n", ["a"]),
    ('a = "# no"\n', ["a"]),
    ("# why\na = 1\nb = 2\n", ["b"]),
    ("# of the file\n\na = 1\n", ["a"]),
    ("# why\na = [\n  { b = 1 },\n]\nc = 1\n", ["c"]),
    ("[sgx]\ndebug = false\n", ["debug"]),
])
def test_reasons_stand_with_the_key(text, keys):
    assert [key for _, key in check_manifests.uncommented_keys(text)] == keys


@pytest.mark.parametrize("path, change", [
    (GSC, added("broken = ")),
    (TEMPLATE, added("broken = ")),
    (TEMPLATE, replaced("{{ program }}", "{{ programme }}")),
    (TEMPLATE, replaced("{{ program }}", "{{ program }")),
])
def test_what_cannot_be_read_is_named(path, change):
    assert len(complaints(path, change)) == 1


def test_a_variable_that_the_makefile_does_not_give_is_missing():
    makefile = (SOURCE / "deploy/gramine/Makefile").read_text()
    assert complaints(TEMPLATE, None, {"deploy/gramine/Makefile":
                                       makefile.replace("-Dappdir=$(APPDIR) ", "")})


def with_image(*lines):
    return {"deploy/docker/fastapi.Dockerfile": "FROM debian:12-slim\n" + "\n".join(lines) + "\n"}


@pytest.mark.parametrize("lines, key", [
    (['CMD ["/bin/true"]'], "ENTRYPOINT"),
    (["ENTRYPOINT /usr/local/bin/ratls run"], "ENTRYPOINT"),
    (['ENTRYPOINT ["ratls"]', 'CMD ["serve"]'], "ENTRYPOINT"),
    (['ENTRYPOINT ["/usr/local/bin/ratls", "serve"]', 'CMD ["--threads", "2"]'], "ENTRYPOINT"),
    (['ENTRYPOINT ["/usr/local/bin/ratls"]', 'CMD ["serve", "--tee", "sim"]'], "--tee sim"),
    (['ENTRYPOINT ["/usr/local/bin/ratls"]', 'CMD ["serve", "--tee=gramine-sim"]'],
     "--tee gramine-sim"),
    (['ENTRYPOINT ["/usr/local/bin/ratls"]', 'CMD ["run", "--key=/app/k.pem"]'],
     "--key /app/k.pem"),
    (['ENTRYPOINT ["/usr/local/bin/ratls"]', 'CMD ["run", "--key", "k.pem"]'], "--key k.pem"),
])
def test_an_image_is_checked_with_its_manifest(lines, key):
    assert complaints(GSC, None, with_image(*lines)) == [key]


@pytest.mark.parametrize("tee", ["auto", "gramine"])
def test_quotes_may_come_from_gramine(tee):
    assert complaints(GSC, None, with_image(
        'ENTRYPOINT ["/usr/local/bin/ratls"]', f'CMD ["serve", "--tee", "{tee}"]')) == []


@pytest.mark.parametrize("line", [
    'libos.entrypoint = "/bin/sh"', 'loader.argv = [ "x" ]', 'loader.entrypoint.uri = "file:/x"',
    'fs.root.uri = "file:/x"', 'fs.start_dir = "/x"'])
def test_what_gsc_sets_is_left_to_it(line):
    assert complaints(GSC, added(line)) == [line.partition(" =")[0]]


def test_a_manifest_without_an_image_is_named():
    found = check_manifests.check(GSC, (SOURCE / GSC).read_text(), lambda name: None)
    assert len(found) == 1 and "deploy/docker/fastapi.Dockerfile" in found[0]


def test_gsc_leaves_debug_to_its_build_type():
    found = complaints(GSC, without("sgx.debug"))
    assert found == ["sgx.debug"]


@pytest.mark.parametrize("first, second, merged", [
    ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
    ({"a": [1]}, {"a": [2]}, {"a": [1, 2]}),
    ({"a": 1}, {"a": 2}, {"a": 1}),
    ({"loader": {"env": {"PATH": "/a", "HOME": "/a"}}}, {"loader": {"env": {"PATH": "/b", "HOME": "/b"}}},
     {"loader": {"env": {"PATH": "/a:/b", "HOME": "/a"}}}),
    ({"loader": {"env": {"PATH": "/a"}}}, {"loader": {"env": {"PATH": "/a"}}},
     {"loader": {"env": {"PATH": "/a"}}}),
])
def test_merges_as_gsc_does(first, second, merged):
    assert gramine_manifest.merge(first, second) == merged


@pytest.mark.parametrize("entrypoint, command, program", [
    (["/a"], ["b", "c"], ("/a", ["b", "c"])),
    (["/a", "b"], None, ("/a", ["b"])),
    (["/a", "b"], ["c", "d"], ("/a", ["b", "d"])),  # c is lost
    (None, ["/a", "b"], ("/a", ["b"])),
])
def test_takes_the_command_line_as_gsc_does(entrypoint, command, program):
    image = Image("")
    image.entrypoint, image.command = entrypoint, command
    assert gramine_manifest.gsc_program(image) == program


def test_the_last_stage_makes_the_image():
    image = Image('FROM a AS b\nENTRYPOINT ["/b"]\nENV A=1\nFROM c\n# CMD ["x"]\n'
                  'ENV B=2 C="3 4" \\\n  D=5\nENV E 6 7\nENTRYPOINT [ "/c", \\\n  "d" ]\n')
    assert (image.entrypoint, image.command) == (["/c", "d"], None)
    assert image.environment == {"B": "2", "C": "3 4", "D": "5", "E": "6 7"}


def test_the_makefile_says_which_program_is_missing(tmp_path):
    ended = run("make", "-C", SOURCE / "deploy/gramine", "hello.manifest",
                f"HELLO={tmp_path / 'none'}")
    assert ended.code == 2 and "there is no program" in ended.err, ended
