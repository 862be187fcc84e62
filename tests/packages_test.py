# SPDX-License-Identifier: Apache-2.0
"""The Debian packages and the Python wheel that this build gives: what is in them, what they depend
on, and that it runs. tools/test_packages installs and removes them in a bare system."""

import os
import pathlib
import re
import zipfile

import pytest

from conftest import DEADLINE, SOURCE, run
from install_test import EXAMPLE, check_program

BUILD = pathlib.Path(os.environ.get("RATLS_BUILD", SOURCE / "build/test"))
PYTHON = "/usr/bin/python3"
EPOCH = "1699963200"  # noon of 2023-11-14


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages of this build, by their names."""
    folder = tmp_path_factory.mktemp("packages")
    ended = run("cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "DEB", "-B", folder,
                env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, timeout=10 * DEADLINE)
    assert ended.code == 0, ended
    return {path.name.partition("_")[0]: path for path in folder.glob("*.deb")}


@pytest.fixture(scope="module")
def root(packages, tmp_path_factory):
    """All of them, unpacked."""
    folder = tmp_path_factory.mktemp("root")
    for path in packages.values():
        assert run("dpkg-deb", "-x", path, folder).code == 0
    return folder


@pytest.fixture(scope="module")
def library(root):
    """The folder of the library, which is Debian's for the architecture."""
    (found,) = root.glob("usr/lib/*-linux-gnu/libratls.so.0")
    return found.parent


def field(package, name):
    return run("dpkg-deb", "-f", package, name).out.strip()


def files(package):
    """The files of a package, without what each of them has, and folders of architectures as *."""
    listing = run("dpkg-deb", "-c", package).out.splitlines()
    names = [re.sub(r"usr/lib/[^/]+-linux-gnu/", "usr/lib/*/", line.split()[5][2:])
             for line in listing if not line.startswith("d")]
    document = f"usr/share/doc/{field(package, 'Package')}/"
    assert {document + "copyright", document + "changelog.Debian.gz"} <= set(names)
    return {name for name in names if not name.startswith(document)}


def test_each_package_has_its_files(packages):
    assert packages.keys() == {"ratls", "ratls-server", "libratls0", "libratls-dev", "python3-ratls",
                               "ratls-gramine-compat"}
    assert files(packages["ratls-server"]) == {
        "usr/bin/ratls-server", "usr/share/man/man1/ratls-server.1.gz"}
    assert files(packages["ratls"]) == {
        "usr/bin/ratls", "usr/share/man/man1/ratls.1.gz", "usr/share/fish/vendor_completions.d/ratls.fish",
        "usr/share/bash-completion/completions/ratls", "usr/share/zsh/vendor-completions/_ratls"}
    assert files(packages["ratls-gramine-compat"]) == {
        "usr/lib/*/libra_tls_attest.so", "usr/lib/*/libra_tls_verify_dcap.so",
        "usr/lib/*/libra_tls_verify_dcap_gramine.so", "usr/include/gramine/ra_tls.h",
        "usr/share/ratls/compat.toml"}
    assert files(packages["libratls0"]) == {"usr/lib/*/libratls.so.0", "usr/lib/*/libratls.so.0.1.0"}
    assert {"usr/include/ratls.h", "usr/lib/*/libratls.so", "usr/lib/*/pkgconfig/ratls.pc",
            "usr/lib/*/cmake/ratls/ratls-config.cmake"} <= files(packages["libratls-dev"])
    modules = {"usr/lib/python3/dist-packages/" + str(path.relative_to(SOURCE / "python"))
               for path in (SOURCE / "python/ratls").rglob("*") if path.suffix in (".py", ".typed")}
    assert files(packages["python3-ratls"]) == modules


def test_no_file_is_in_two_packages(packages):
    names = [name for package in packages.values() for name in files(package)]
    assert len(names) == len(set(names))


def test_packages_depend_on_what_they_load(packages):
    for name in ("ratls", "libratls0", "ratls-gramine-compat"):
        depends = field(packages[name], "Depends")
        for needed in ("libc6 (>=", "libcurl4", "libssl3 (>= 3", "libstdc++6"):
            assert needed in depends, (name, depends)
    depends = {word.split()[0] for word in field(packages["ratls-server"], "Depends").split(", ")}
    assert depends == {"libc6", "libgcc-s1", "libssl3", "libstdc++6"}
    version = field(packages["libratls0"], "Version")
    assert field(packages["libratls-dev"], "Depends") == f"libratls0 (= {version})"
    assert "libratls0 (>= " in field(packages["python3-ratls"], "Depends")
    assert field(packages["python3-ratls"], "Architecture") == "all"
    assert field(packages["ratls"], "Architecture") == run(
        "dpkg", "--print-architecture").out.strip()


def test_nothing_is_writable_by_others_or_has_special_bits(packages):
    for package in packages.values():
        for line in run("dpkg-deb", "-c", package).out.splitlines():
            assert line.startswith("l") or re.match(r"[d-]rw[x-]r-[x-]r-[x-] root/root ", line), line
            assert " 2023-11-14 " in line, f"not the time of SOURCE_DATE_EPOCH: {line}"


def test_the_program_is_stripped_and_runs(root):
    for name in ("ratls", "ratls-server"):
        program = root / "usr/bin" / name
        assert run(program, "--version").code == 0
        assert ".symtab" not in run("readelf", "-S", "-W", program).out


@pytest.mark.parametrize("compiler", [("cc", "-std=c99", "-xc"), ("c++", "-std=c++11", "-xc++")])
def test_programs_are_made_of_the_packages(compiler, root, library, platform, service, new_platform,
                                           tmp_path):
    flags = run("pkg-config", "--cflags", "--libs", "ratls",
                env={**os.environ, "PKG_CONFIG_PATH": str(library / "pkgconfig")})
    assert flags.code == 0 and str(root) in flags.out, flags
    program = tmp_path / "get"
    ended = run(*compiler, "-pedantic", "-Wall", "-Wextra", "-Werror", EXAMPLE / "get.c", "-xnone",
                *flags.out.split(), "-o", program)
    assert ended.code == 0, ended
    check_program(program, platform, service, new_platform,
                  env={**os.environ, "LD_LIBRARY_PATH": str(library)})


def test_the_python_package_takes_the_packaged_library(root, library, service, policy):
    ended = run(PYTHON, "-c", "import ratls, sys\n"
                "with ratls.Client(sys.argv[1], policy=sys.argv[2]) as client:\n"
                "    print(client.get('/').json()['message'], ratls.__file__)",
                service.url, policy[1],
                env={**os.environ, "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
                     "LD_LIBRARY_PATH": str(library), "RATLS_LIBRARY": ""})
    assert ended.code == 0, ended
    assert ended.out.split()[:2] == ["Hello", "World"]
    assert str(root) in ended.out


def test_the_wheel_brings_its_library(tmp_path, service, policy):
    ended = run(SOURCE / "tools/build_wheel", BUILD / "libratls.so.0", tmp_path,
                env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, timeout=10 * DEADLINE)
    assert ended.code == 0, ended
    (wheel,) = tmp_path.glob("ratls-*-py3-none-linux_*.whl")
    (source,) = tmp_path.glob("ratls-*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ratls/libratls.so.0" in names and "ratls/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)
    listing = run("tar", "-tvf", source).out.splitlines()
    assert not any("libratls" in line for line in listing)
    assert all(line.split()[5].startswith("ratls-") and " 0/0 " in line and " 2023-11-14 " in line
               for line in listing), listing
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    # The variable does not count where the package brings a library of its own.
    ended = run(PYTHON, "-c", "import ratls, sys\n"
                "with ratls.Client(sys.argv[1], policy=sys.argv[2]) as client:\n"
                "    print(client.get('/').status)", service.url, policy[1],
                env={**os.environ, "PYTHONPATH": str(unpacked), "RATLS_LIBRARY": "/none.so"})
    assert (ended.code, ended.out) == (0, "200\n"), ended
