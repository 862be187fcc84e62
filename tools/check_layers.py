#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses includes against the direction of dependencies (docs/architecture.md).

usage: tools/check_layers.py
"""

import re
import sys

from tracked_files import ROOT, read_text, report, tracked_files

# A folder of src may include itself and the folders named here. CMakeLists.txt has the same list
# for linking; that a private header of a distant folder can be found at all is for this to refuse.
LAYERS = {
    "base": "",
    "crypto": "base",
    "x509": "base crypto",
    "quote": "base",
    "tcb": "base",
    "collateral": "base crypto x509 tcb",
    "evidence": "base crypto x509 quote",
    "toml": "base",
    "policy": "base quote tcb toml",
    "verifier": "base crypto x509 quote tcb collateral evidence policy",
    "report": "base quote tcb policy verifier",
    # quote: an attester's interface speaks of report data, which is a term of the quote's.
    "attester": "base crypto x509 quote evidence",
    "pccs": "base collateral x509",
    "tls": "base crypto x509 collateral evidence policy verifier attester",
    "http": "base",
    "server": "base attester tls http",
    "config": "base toml attester server",
    "pcs": "base crypto x509 tcb collateral http server",
    "client": "base collateral pccs policy verifier tls",
    "sim": "base crypto x509 quote tcb collateral",
    "tee": "base quote attester sim",
    # crypto: to wipe the key that was written.
    "launch": "base crypto attester",
    "capi": "base quote x509 crypto policy verifier report client attester tee launch tls collateral",
    "compat": "base quote x509 crypto tcb collateral evidence policy verifier client attester tls",
}
LAYERS = {layer: set(used.split()) for layer, used in LAYERS.items()}

# include/ratls/x.h belongs to src/x, apart from these.
PUBLIC_HEADERS = {"error": "base", "result": "base", "bytes": "base", "time": "base",
                  "session": "base", "channel": "tls"}

# A library is known to these folders of src only; cli, tests, bench and fuzz are free.
LIBRARIES = {
    "openssl/": "crypto x509 tls server client",
    "curl/": "client pccs",
    "fuse3/": "sim",
    "fuse": "sim",
    "boost/": "http server",
    "toml++/": "toml",
    "nlohmann/": "tcb collateral http server sim pcs report",
    "CLI/": "",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def layer_of_file(path):
    """The layer a source file belongs to; None for files that may include anything."""
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1]
    if path.parts[:2] == ("include", "ratls"):
        return PUBLIC_HEADERS.get(path.stem, path.stem)
    return None


def layer_of_include(name):
    """The layer an included "folder/x.h" belongs to; None when it names no layer."""
    if name == "ratls.h":
        return "capi"
    folder, _, rest = name.partition("/")
    if folder == "ratls" and rest:
        stem = rest.removesuffix(".h")
        return PUBLIC_HEADERS.get(stem, stem if stem in LAYERS else None)
    return folder if rest and folder in LAYERS else None


def problem_with_quoted(path, layer, name):
    """What is wrong with #include "name" in a file of a layer, or None."""
    if ".." in name.split("/"):
        return "write it as folder/file.h, not relative to this file"
    used = layer_of_include(name)
    if used is None:
        return "names no folder of src and no public header"
    if path.parts[0] == "include" and not name.startswith("ratls/"):
        return "a public header may include public headers only"
    if used != layer and used not in LAYERS[layer]:
        allowed = " ".join(sorted(LAYERS[layer])) or "nothing"
        return f"{layer} may use: {allowed}"
    return None


def problem_with_library(layer, name):
    """What is wrong with #include <name> in a file of a layer, or None."""
    for prefix, users in LIBRARIES.items():
        if name.startswith(prefix) and layer not in users.split():
            return f"only these know this library: {users or 'cli'}"
    return None


def check_file(path, text):
    """The problems of one file, as lines."""
    layer = layer_of_file(path)
    if layer is None or path.name.endswith("_test.cpp"):
        return []
    if layer not in LAYERS:
        return [f"{path}: {layer} is no layer; add it to tools/check_layers.py and CMakeLists.txt"]
    problems = []
    for match in INCLUDE.finditer(text):
        quoted, library = match.groups()
        wrong = (problem_with_quoted(path, layer, quoted) if quoted
                 else problem_with_library(layer, library))
        if wrong:
            line = text.count("\n", 0, match.start(1 if quoted else 2)) + 1
            problems.append(f"{path}:{line}: includes {quoted or library}: {wrong}")
    return problems


def cycles(layers):
    """The layers that reach themselves; none, unless the list above is wrong."""
    def reach(layer, seen):
        for used in layers[layer] - seen:
            seen.add(used)
            reach(used, seen)
        return seen
    return [layer for layer in layers if layer in reach(layer, set())]


def main():
    problems = [f"tools/check_layers.py: {layer} depends on itself" for layer in cycles(LAYERS)]
    for path in tracked_files(ROOT):
        if path.suffix in {".h", ".cpp"}:
            problems += check_file(path, read_text(ROOT / path) or "")
    return report("check_layers", problems)


if __name__ == "__main__":
    sys.exit(main())
