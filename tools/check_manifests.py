#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Renders the manifests below deploy/ and examples/ as Gramine and GSC do, and refuses what is not
well-formed, gives no reasons, or is not secure (docs/deployment.md).

usage: tools/check_manifests.py
"""

import posixpath
import re
import sys
import tomllib

import gramine_manifest as gramine
from dockerfile import Image
from tracked_files import ROOT, read_text, report, tracked_files

# Variables that the host may choose, since they decide nothing about trust: name -> why.
PASSTHROUGH = {
    "TZ": "times in logs, which the host reads and nobody else",
}
# Keys named insecure__ or debug__ that a manifest has for a reason: (path, key) -> why.
INSECURE = {}
# Options whose argument is a file with a key or a certificate.
KEY_OPTIONS = ("--cert", "--key", "--ssl-certfile", "--ssl-keyfile", "--certfile", "--keyfile")
IN_ENCLAVE = ("tmpfs", "encrypted")
KEY_NAME = re.compile(r"(\.(key|p12|pfx|p8)|(^|[-_.])(id_(rsa|ecdsa|ed25519)|[\w-]*key)(\.pem)?)$")
FOR_DEBUGGING = ("sgx.enable_stats", "sgx.vtune_profile", "sgx.profile.enable")
MOST_THREADS_OF_GRAMINE = 3
SIZE = re.compile(r"([1-9][0-9]*)([KMG])")


def uncommented_keys(text):
    """(line number, key) of keys without a comment behind them or directly above. Keys are those at
    the beginning of a line outside of any bracket."""
    depth, above = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'', '""', line)
        code, mark, comment = bare.partition("#")
        key = re.match(r"\s*([A-Za-z_][\w.\-\"]*)\s*=", code)
        if depth == 0 and key and not (mark and comment.strip()) and not above.startswith("#"):
            yield number, re.match(r"\s*([^=]*?)\s*=", line).group(1)
        depth += sum(code.count(c) for c in "[{(") - sum(code.count(c) for c in "]})")
        if depth == 0 or line.strip().startswith("#"):
            above = line.strip()


def identity_problems(manifest):
    """What an enclave is and who may look inside."""
    if gramine.value_of(manifest, "sgx.debug") is not False:
        yield "sgx.debug: say false; the host reads a debug enclave's memory"
    if gramine.value_of(manifest, "sgx.remote_attestation") != "dcap":
        yield 'sgx.remote_attestation: say "dcap", or there are no quotes'
    product = gramine.value_of(manifest, "sgx.isvprodid")
    if not gramine.has_type(product, int) or not 0 < product < 65536:
        yield "sgx.isvprodid: give the product a number from 1 to 65535"
    version = gramine.value_of(manifest, "sgx.isvsvn")
    if not gramine.has_type(version, int) or not 0 <= version < 65536:
        yield "sgx.isvsvn: give the version a number from 0 to 65535"


def resource_problems(manifest):
    """Threads and memory, which are fixed when the enclave is signed."""
    threads = gramine.value_of(manifest, "sgx.max_threads")
    if not gramine.has_type(threads, int) or threads <= MOST_THREADS_OF_GRAMINE:
        yield "sgx.max_threads: say how many; three are Gramine's own"
    size = SIZE.fullmatch(str(gramine.value_of(manifest, "sgx.enclave_size")))
    if not size or int(size.group(1)) & (int(size.group(1)) - 1):
        yield 'sgx.enclave_size: say a power of two, such as "512M"'


def file_problems(manifest):
    """Files that the host could change, or read."""
    if gramine.value_of(manifest, "sgx.allowed_files") is not None:
        yield "sgx.allowed_files: the host may change such files; trust or encrypt them"
    if gramine.value_of(manifest, "sgx.file_check_policy") not in (None, "strict"):
        yield "sgx.file_check_policy: anything but strict lets the host change files"
    trusted = [gramine.uri_of(entry) for entry in gramine.list_of(manifest, "sgx.trusted_files")]
    for uri in trusted:
        if uri and KEY_NAME.search(posixpath.basename(uri.removeprefix("file:"))):
            yield f"sgx.trusted_files: {uri} looks like a key; trusted files are no secret"
    for key in ("loader.argv_src_file", "loader.env_src_file"):
        uri = gramine.value_of(manifest, key)
        if uri is not None and uri not in trusted:
            yield f"{key}: {uri} has to be among sgx.trusted_files"
    for mount in gramine.mounts(manifest):
        if isinstance(mount, dict):
            if mount.get("type") == "untrusted_shm" or str(mount.get("uri")).startswith("dev:"):
                yield f"fs.mounts: {mount.get('path')} is memory or a device of the host's"


def host_problems(path, manifest):
    """What the host could say at run time, and what it would be told."""
    for key, _ in gramine.leaves(manifest):
        if re.search(r"(^|\.)(insecure|debug)__", key) and (path, key) not in INSECURE:
            yield f"{key}: needs a line with the reason in tools/check_manifests.py"
    for key in FOR_DEBUGGING:
        if gramine.value_of(manifest, key) not in (None, False, "none"):
            yield f"{key}: is for debug enclaves"
    if gramine.value_of(manifest, "loader.log_level") not in ("none", "error", "warning"):
        yield "loader.log_level: higher levels than warning tell the host too much"
    variables = gramine.value_of(manifest, "loader.env")
    for name, value in variables.items() if isinstance(variables, dict) else ():
        if isinstance(value, dict) and value.get("passthrough") and name not in PASSTHROUGH:
            yield (f"loader.env.{name}: passthrough lets the host choose it; if that is harmless, "
                   "say why in tools/check_manifests.py")


def argument_problems(manifest, argv):
    """Where keys go, and quotes come from."""
    for index, word in enumerate(argv):
        option, equals, value = word.partition("=")
        if not equals:
            value = argv[index + 1] if index + 1 < len(argv) else ""
        if option in KEY_OPTIONS:
            kind = gramine.mount_type_at(manifest, value) if value.startswith("/") else "relative"
            if kind not in IN_ENCLAVE:
                yield f"{option} {value}: lies on the host's disk; use a tmpfs or encrypted mount"
        if option == "--tee" and value not in ("auto", "gramine"):
            yield f"--tee {value}: under Gramine quotes come from /dev/attestation"


def problems_of(path, manifest, argv):
    """All that is wrong with a manifest as Gramine gets it, with the arguments of its program."""
    yield from gramine.schema_problems(manifest)
    yield from identity_problems(manifest)
    yield from resource_problems(manifest)
    yield from file_problems(manifest)
    yield from host_problems(path, manifest)
    yield from argument_problems(manifest, argv)


def image_problems(image):
    """An ENTRYPOINT of which GSC would make another command line."""
    if not image.entrypoint:
        yield 'ENTRYPOINT: give it as a list: ["/path/of/program"]'
        return
    program, arguments = gramine.gsc_program(image)
    if not program.startswith("/"):
        yield f"ENTRYPOINT: {program} has to be an absolute path"
    if [program, *arguments] != image.entrypoint + (image.command or []):
        yield "ENTRYPOINT: with more than one word in it, GSC drops the first word of CMD"


def gsc_problems(path, text, dockerfile):
    """All that is wrong with a manifest for GSC and the image that it is for (None: there is none)."""
    if dockerfile is None:
        yield f"there is no {dockerfile_of(path)}, whose ENTRYPOINT and CMD are its arguments"
        return
    image = Image(dockerfile)
    yield from image_problems(image)
    user = tomllib.loads(text)
    for key in gramine.SET_BY_GSC:
        if gramine.value_of(user, key) is not None:
            yield f"{key}: GSC sets it itself"
    if gramine.value_of(user, "sgx.debug") is None:
        yield "sgx.debug: say false here; GSC's own value depends on its option -b"
    manifest, argv = gramine.graminized(user, image)
    yield from problems_of(path, manifest, argv)


def gramine_problems(path, text, makefile):
    """All that is wrong with a template for gramine-manifest; the Makefile says its variables."""
    name = posixpath.basename(path)
    manifest = tomllib.loads(gramine.render(text, gramine.defines_in(makefile, name)))
    argv = gramine.value_of(manifest, "loader.argv")
    yield from problems_of(path, manifest, argv if isinstance(argv, list) else [])


def dockerfile_of(path):
    """The Dockerfile of the image that deploy/gsc/NAME.manifest is for."""
    name = posixpath.basename(path).removesuffix(".manifest")
    return posixpath.join(posixpath.dirname(posixpath.dirname(path)), "docker", f"{name}.Dockerfile")


def check(path, text, read):
    """The problems of one manifest, as lines. read gives the text of another file, or None."""
    found = [f"{number}: {key}: say in a comment above why it is there"
             for number, key in uncommented_keys(text)]
    try:
        if posixpath.basename(posixpath.dirname(path)) == "gsc":
            found += [f" {problem}" for problem in gsc_problems(path, text, read(dockerfile_of(path)))]
        else:
            makefile = read(posixpath.join(posixpath.dirname(path), "Makefile")) or ""
            found += [f" {problem}" for problem in gramine_problems(path, text, makefile)]
    except tomllib.TOMLDecodeError as error:
        found.append(f" is no TOML: {error}")
    except gramine.jinja2.TemplateError as error:
        found.append(f" cannot be rendered: {error}")
    return [f"{path}:{problem}" for problem in found]


def read_file(path):
    file = ROOT / path
    return read_text(file) if file.is_file() else None


def main():
    names = [str(path) for path in tracked_files(ROOT) if path.parts[0] in ("deploy", "examples")]
    manifests = [name for name in names if name.endswith((".manifest", ".manifest.template"))]
    problems = [] if manifests else ["there are no manifests below deploy/ and examples/"]
    for name in manifests:
        problems += check(name, read_file(name) or "", read_file)
    return report("check_manifests", problems)


if __name__ == "__main__":
    sys.exit(main())
