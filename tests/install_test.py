# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` leaves: other people's builds find it, and their programs run."""

import json
import os
import shutil

import pytest

from conftest import SOURCE, poll, run

EXAMPLE = SOURCE / "examples/c"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """The folder that everything was installed to, and then moved."""
    first = tmp_path_factory.mktemp("installed") / "first"
    ended = run("cmake", "--install", os.environ["RATLS_BUILD"], "--prefix", first)
    assert ended.code == 0, ended
    return first.rename(first.parent / "moved")


@pytest.fixture(scope="module")
def libdir(prefix):
    (library,) = prefix.glob("lib/**/libratls.so.0")
    return library.parent


def check_program(program, platform, service, new_platform, **options):
    """The built example refuses another enclave, which hears of no request, and gets an answer."""
    before = service.requests()
    ended = run(program, new_platform() / "policy.toml", service.url, **options)
    assert (ended.code, ended.error) == (4, "root_untrusted"), ended
    ended = run(program, platform / "policy.toml", service.url, **options)
    assert (ended.code, json.loads(ended.out)) == (0, {"message": "Hello World"}), ended
    assert poll(lambda: service.requests() - before, "a request in the log") == 1


@pytest.mark.parametrize("language", ["c", "c++"])
def test_pkg_config(prefix, libdir, platform, service, new_platform, tmp_path, language):
    found = {**os.environ, "PKG_CONFIG_PATH": str(libdir / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "ratls", env=found)
    assert flags.code == 0, flags
    assert str(prefix) in os.path.normpath(flags.out.split()[0].removeprefix("-I"))
    compiler, standard = {"c": ("cc", "-std=c99"), "c++": ("c++", "-std=c++11")}[language]
    ended = run(compiler, standard, "-pedantic", "-Wall", "-Wextra", "-Werror", "-x", language,
                EXAMPLE / "get.c", "-x", "none", *flags.out.split(), "-o", tmp_path / "get")
    assert ended.code == 0, ended
    check_program(tmp_path / "get", platform, service, new_platform,
                  env={**os.environ, "LD_LIBRARY_PATH": str(libdir)})


def test_find_package(prefix, platform, service, new_platform, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "source")
    build = tmp_path / "build"
    ended = run("cmake", "-S", tmp_path / "source", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    assert ended.code == 0, ended
    ended = run("cmake", "--build", build)
    assert ended.code == 0, ended
    check_program(build / "get", platform, service, new_platform)


def test_the_command_is_installed(prefix):
    assert run(prefix / "bin/ratls", "--version").out.split()[-1] == "0.1.0"


def test_the_libraries_in_the_place_of_gramines_are_a_component(libdir, tmp_path):
    """They have names of Gramine's own, so that they come only when they are asked for."""
    assert not list(libdir.glob("libra_tls_*"))
    ended = run("cmake", "--install", os.environ["RATLS_BUILD"], "--prefix", tmp_path,
                "--component", "ratls-gramine-compat")
    assert ended.code == 0, ended
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in names if name not in ("changelog.Debian.gz", "copyright")] == [
        "compat.toml", "libra_tls_attest.so", "libra_tls_verify_dcap.so",
        "libra_tls_verify_dcap_gramine.so", "ra_tls.h"]
    (shipped,) = tmp_path.rglob("compat.toml")
    assert shipped.read_text() == (SOURCE / "deploy/gramine-compat/compat.toml").read_text()
