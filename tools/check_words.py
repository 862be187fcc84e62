#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses names, words and sizes that the house rules exclude (CONTRIBUTING.md).

usage: tools/check_words.py
"""

import pathlib
import re
import sys

from function_lengths import cpp_functions, python_functions
from tracked_files import ROOT, read_text, report, tracked_files

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
EXCEPTIONS_FILE = "docs/exceptions.md"

# Names that say nothing about what is inside.
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"}

# Where C++ may look at bytes as another type or copy them without bounds, beside src/base.
RAW_BYTES = {
    "src/client/": "libcurl hands over its callbacks' data and its SSL context as void*",
    "src/crypto/": "OpenSSL takes and gives pointers with lengths",
    "src/server/": "sockets take sockaddr*, OpenSSL takes pointers with lengths",
    "src/sim/mount": "FUSE hands over buffers as char* with lengths",
    "src/tls/": "OpenSSL takes and gives pointers with lengths",
    "src/x509/": "OpenSSL takes and gives pointers with lengths",
    "tests/": "fakes of peers write raw bytes on purpose",
}

RAW_BYTES_WORDS = re.compile(r"\b(reinterpret_cast|memcpy|memmove)\b")
# A call whose result is cast away. System calls are written ::name, those of C libraries by their
# prefix; release() gives up ownership, value() and error() are a result's sides.
DROPPED_RESULT = re.compile(
    r"(?:\(void\)|static_cast<void>\(|\bstd::ignore\s*=)\s*"
    r"(?!::|std::|[A-Z]+[A-Za-z0-9]*_|curl_|fuse_)"
    r"(?![\w.>\-]+[.>](?:release|value|error)\(\))"
    r"[A-Za-z_][\w:.>\-]*\(")
OPEN_WORK = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#[0-9]+\))")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|farm|home/\w|root/\w|tmp/b-)")

SOURCES = {".cpp", ".h", ".py", ".c"}
THIS_SCRIPT = pathlib.PurePosixPath("tools/check_words.py")


def name_problems(path):
    """Parts of a path that are made of an empty name, alone or joined: net_utils.h."""
    words = {word for part in path.parts for word in re.split(r"[._\-]", part.lower())}
    return [f"{path}: '{word}' says nothing; name it after what is inside"
            for word in sorted(EMPTY_NAMES & words)]


def found(path, text, pattern, what):
    """One line for each place where the pattern is."""
    return [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {what}"
            for match in pattern.finditer(text)]


def word_problems(path, text):
    """Words in the text of one file that do not belong there."""
    if path == THIS_SCRIPT:
        return []
    problems = found(path, text, OPEN_WORK, "open work needs its issue: TODO(#12)")
    problems += found(path, text, MACHINE_PATH, "a path that exists on one machine only")
    if path.suffix in {".cpp", ".h"}:
        if path.parts[0] != "fuzz":  # what a parser says of random bytes matters to nobody
            problems += found(path, text, DROPPED_RESULT, "a result is dropped; handle it")
        allowed = ("src/base/", *RAW_BYTES)
        if not str(path).startswith(allowed):
            problems += found(path, text, RAW_BYTES_WORDS,
                              "raw bytes outside src/base; use Reader, or say why in "
                              "tools/check_words.py")
    return problems


def sizes(path, text):
    """What of one file is over a limit: {"path": lines, "path:function": lines}."""
    over = {}
    lines = text.count("\n")
    if path.suffix in SOURCES and lines > MAX_FILE_LINES:
        over[str(path)] = lines
    functions = []
    if path.suffix in {".cpp", ".h"}:
        functions = cpp_functions(text)
    elif path.suffix == ".py":
        functions = python_functions(text)
    for name, length in functions:
        if length > MAX_FUNCTION_LINES:
            over[f"{path}:{name}"] = length
    return over


def parse_exceptions(text):
    """The entries of docs/exceptions.md: what stands in backquotes first on a line of its list."""
    return set(re.findall(r"^- `([^`]+)`: \S", text, re.MULTILINE))


def size_problems(over, exceptions):
    """Sizes without an entry, and entries without such a size."""
    limits = f"files {MAX_FILE_LINES}, functions {MAX_FUNCTION_LINES} lines"
    problems = [f"{place}: {lines} lines ({limits}); split it, or give the reason in "
                f"{EXCEPTIONS_FILE}"
                for place, lines in sorted(over.items()) if place not in exceptions]
    problems += [f"{EXCEPTIONS_FILE}: {place} is within the limits or gone; remove the entry"
                 for place in sorted(exceptions - over.keys())]
    return problems


def main():
    problems, over, exceptions = [], {}, set()
    for path in tracked_files(ROOT):
        problems += name_problems(path)
        text = read_text(ROOT / path)
        if text is None:
            continue
        problems += word_problems(path, text)
        over |= sizes(path, text)
        if str(path) == EXCEPTIONS_FILE:
            exceptions = parse_exceptions(text)
    return report("check_words", problems + size_problems(over, exceptions))


if __name__ == "__main__":
    sys.exit(main())
