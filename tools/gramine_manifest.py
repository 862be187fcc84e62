# SPDX-License-Identifier: Apache-2.0
"""Manifests as Gramine 1.9 and GSC see them: their keys, how templates are rendered, and what GSC
makes of an image's manifest. This is our own statement of their rules; neither is needed for it."""

import copy
import pathlib
import posixpath
import re
import tomllib

try:
    import jinja2
except ImportError as missing:
    raise SystemExit("python3-jinja2 is missing; tools/setup test installs it") from missing

# The keys of Gramine 1.9 and their types. A table (dict) has names of its own inside.
KEYS = {
    "fs.mounts": list, "fs.root.type": str, "fs.root.uri": str, "fs.root.key_name": str,
    "fs.root.enable_recovery": bool, "fs.start_dir": str, "fs.insecure__keys": dict,
    "libos.entrypoint": str, "libos.check_invalid_pointers": bool,
    "loader.entrypoint.uri": str, "loader.entrypoint.sha256": str,
    "loader.argv": list, "loader.argv_src_file": str, "loader.env": dict,
    "loader.env_src_file": str, "loader.gid": int, "loader.uid": int, "loader.log_file": str,
    "loader.log_level": str, "loader.insecure__use_cmdline_argv": bool,
    "loader.insecure__use_host_env": bool, "loader.insecure__disable_aslr": bool,
    "sgx.allowed_files": list, "sgx.debug": bool, "sgx.edmm_enable": bool,
    "sgx.enable_stats": bool, "sgx.enclave_size": str, "sgx.file_check_policy": str,
    "sgx.insecure__allow_memfaults_without_exinfo": bool, "sgx.insecure__rpc_thread_num": int,
    "sgx.isvprodid": int, "sgx.isvsvn": int, "sgx.max_threads": int,
    "sgx.preheat_enclave": bool, "sgx.profile.enable": str, "sgx.profile.mode": str,
    "sgx.profile.with_stack": bool, "sgx.profile.frequency": int,
    "sgx.remote_attestation": str, "sgx.trusted_files": list, "sgx.use_exinfo": bool,
    "sgx.vtune_profile": bool, "sgx.seal_key.flags_mask": str, "sgx.seal_key.xfrm_mask": str,
    "sgx.seal_key.misc_mask": str,
    **{f"sgx.cpu_features.{name}": str for name in ("avx", "avx512", "amx", "mpx", "pkru")},
    "sys.allowed_ioctls": list, "sys.ioctl_structs": dict, "sys.brk.max_size": str,
    "sys.stack.size": str, "sys.fds.limit": int, "sys.disallow_subprocesses": bool,
    "sys.enable_extra_runtime_domain_names_conf": bool, "sys.enable_sigterm_injection": bool,
    "sys.experimental__enable_flock": bool, "sys.insecure__allow_eventfd": bool,
    "sys.debug__mock_syscalls": list,
}
REQUIRED = ("fs.mounts", "libos.entrypoint", "loader.entrypoint.uri")
MOUNT_KEYS = {
    "chroot": {"type", "path", "uri"},
    "encrypted": {"type", "path", "uri", "key_name", "enable_recovery"},
    "tmpfs": {"type", "path", "uri"},
    "untrusted_shm": {"type", "path", "uri"},
}
# What GSC sets itself. A user's manifest would win over it and point elsewhere than the image does.
SET_BY_GSC = ("libos.entrypoint", "loader.entrypoint.uri", "loader.argv", "loader.argv_src_file",
              "fs.root.type", "fs.root.uri", "fs.start_dir")
LIBRARIES = "/lib/x86_64-linux-gnu"


def value_of(manifest, key):
    """What stands at a dotted key, or None."""
    for part in key.split("."):
        if not isinstance(manifest, dict) or part not in manifest:
            return None
        manifest = manifest[part]
    return manifest


def leaves(table, prefix=""):
    """(dotted key, value) of each key; what KEYS does not know comes out where it is unknown."""
    for name, value in table.items():
        key = prefix + name
        if key not in KEYS and isinstance(value, dict) and \
                any(known.startswith(key + ".") for known in KEYS):
            yield from leaves(value, key + ".")
        else:
            yield key, value


def has_type(value, wanted):
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def schema_problems(manifest):
    """Keys that Gramine 1.9 does not know or wants otherwise, and those that it misses."""
    for key, value in leaves(manifest):
        if key not in KEYS:
            yield f"{key}: Gramine 1.9 knows no such key"
        elif not has_type(value, KEYS[key]):
            yield f"{key}: has to be {KEYS[key].__name__}, not {type(value).__name__}"
    for key in REQUIRED:
        if value_of(manifest, key) is None:
            yield f"{key}: is missing"
    for mount in mounts(manifest):
        yield from mount_problems(mount)
    for entry in list_of(manifest, "sgx.trusted_files"):
        if uri_of(entry) is None:
            yield "sgx.trusted_files: each entry is a text, or a table with uri and sha256"


def mount_problems(mount):
    """What Gramine would not take of one entry of fs.mounts."""
    if not isinstance(mount, dict):
        yield "fs.mounts: each entry is a table"
        return
    kind = mount.get("type", "chroot")
    if kind not in MOUNT_KEYS:
        yield f"fs.mounts: there is no type {kind!r}"
        return
    for name in sorted(mount.keys() - MOUNT_KEYS[kind]):
        yield f"fs.mounts: {name!r} is no key of a mount of type {kind}"
    if not str(mount.get("path", "")).startswith("/"):
        yield "fs.mounts: path has to be absolute"
    if kind != "tmpfs" and "uri" not in mount:
        yield f"fs.mounts: a mount of type {kind} needs uri"


def list_of(manifest, key):
    value = value_of(manifest, key)
    return value if isinstance(value, list) else []


def mounts(manifest):
    return list_of(manifest, "fs.mounts")


def uri_of(entry):
    """The URI of an entry of trusted_files."""
    if isinstance(entry, dict):
        entry = entry.get("uri")
    return entry if isinstance(entry, str) else None


def mount_type_at(manifest, path):
    """The type of the mount that a path of the enclave lies on: the longest path that contains it,
    and of two with the same path the later one."""
    path = posixpath.normpath(path)
    best, kind = -1, value_of(manifest, "fs.root.type") or "chroot"
    for mount in mounts(manifest):
        where = posixpath.normpath(mount.get("path", "/")) if isinstance(mount, dict) else "/"
        if path == where or path.startswith(where.rstrip("/") + "/"):
            if len(where) >= best:
                best, kind = len(where), mount.get("type", "chroot")
    return kind


class _Runtime:
    """gramine.runtimedir, which templates call, divide, or print."""

    def __call__(self, libc="glibc"):
        return pathlib.PurePosixPath(LIBRARIES, "gramine/runtime", libc)

    def __str__(self):
        return str(self())

    def __truediv__(self, other):
        return self() / other


def render(template, defines):
    """The text of a manifest template, with what gramine-manifest offers to it. Paths of this
    machine are replaced by fixed ones: the answer must not depend on what is installed."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
                                     autoescape=False)
    folder = pathlib.Path("/usr/lib/python3/dist-packages")
    environment.globals |= {
        "gramine": {"libos": f"{LIBRARIES}/gramine/libsysdb.so", "pkglibdir": f"{LIBRARIES}/gramine",
                    "runtimedir": _Runtime()},
        "python": {"get_sys_path": lambda *_, **__: [folder], "stdlib": folder, "distlib": folder,
                   "platstdlib": folder, "purelib": folder},
        "env": {},
        "ldd": lambda *_: [f"{LIBRARIES}/libc.so.6"],
    }
    return environment.from_string(template).render(**defines)


def defines_in(makefile, template):
    """The variables that the line of a Makefile which renders a template defines with -D."""
    recipe = re.search(rf"^[\w.]+:[^\n]*{re.escape(template)}[^\n]*\n\tgramine-manifest ([^\n]*)",
                       makefile, re.MULTILINE)
    names = re.findall(r"-D(\w+)=", recipe.group(1)) if recipe else []
    return {name: f"/usr/local/bin/{name}" for name in names}


def gsc_program(image):
    """(program, its arguments) as GSC 1.9 takes them out of an image. When ENTRYPOINT has more than
    one word, the first word of CMD is lost."""
    entrypoint = list(image.entrypoint or [])
    count = len(entrypoint)
    everything = entrypoint + list(image.command or [])
    if not everything:
        return None, []
    fixed = everything[1:count] if count > 1 else []
    rest = everything[(count if count > 1 else 0) + 1:]
    return everything[0], fixed + rest


def gsc_template(program, folder):
    """What GSC brings for Debian in a release build, before it lists the image's files."""
    gramine = "/gramine/meson_build_output/lib/x86_64-linux-gnu/gramine"
    name = posixpath.basename(program)
    return tomllib.loads(f"""
libos.entrypoint = "/gramine/app_files/{name}"
loader.entrypoint.uri = "file:{gramine}/libsysdb.so"
loader.env.LD_LIBRARY_PATH = "{gramine}/runtime/glibc:/usr/lib/x86_64-linux-gnu:"
loader.env.PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
loader.log_level = "error"
fs.root.type = "chroot"
fs.root.uri = "file:/"
fs.start_dir = "{folder}"
fs.mounts = []
sgx.debug = false
loader.argv_src_file = "file:/gramine/app_files/trusted_argv"
sgx.trusted_files = ["file:/gramine/app_files/trusted_argv"]
""")


def merge(first, second, path=""):
    """GSC's merge: tables merge, lists join, of other values the first one stays; three variables of
    the environment are joined by a colon."""
    merged = copy.deepcopy(first)
    for name, value in second.items():
        if name not in merged:
            merged[name] = copy.deepcopy(value)
        elif isinstance(merged[name], dict) and isinstance(value, dict):
            merged[name] = merge(merged[name], value, f"{path}{name}.")
        elif isinstance(merged[name], list) and isinstance(value, list):
            merged[name] = merged[name] + copy.deepcopy(value)
        elif path == "loader.env." and name in ("LD_LIBRARY_PATH", "PATH", "LD_PRELOAD") and \
                merged[name] != value:
            merged[name] = f"{merged[name]}:{value}"
    return merged


def graminized(user, image):
    """(manifest, argv) that GSC makes of a user's manifest and of an image."""
    program, arguments = gsc_program(image)
    manifest = merge(user, gsc_template(program or "", image.folder))
    manifest = merge(manifest, {"loader": {"env": dict(image.environment)}})
    return manifest, [program or "", *arguments]
