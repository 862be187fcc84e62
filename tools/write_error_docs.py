#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/errors.md from the table in src/base/error.cpp; with --check only says whether it differs."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"

GROUPS = {
    "2": "Usage: fix the call, the policy file or the configuration",
    "3": "Malformed or missing evidence: reject the peer",
    "4": "Untrusted: reject the peer and look into it",
    "5": "Stale: refresh the collateral or check the clock",
    "6": "TCB: patch the platform, or accept its state in the policy",
    "7": "Policy: compare what was expected with what was found",
    "8": "Unavailable: try again later; nothing was accepted",
    "9": "A defect of ratls: report it",
}

HEAD = """# Error codes

Each failure has a name, a number, a place and a hint. The first digit of the number is the exit code
of `ratls`. Names and numbers are stable; the texts are not. This page is written by
`tools/write_error_docs.py` from `src/base/error.cpp`.
"""


def read_codes():
    """Gives (number, name, text, hint) of each code but ok, sorted."""
    header = (ROOT / "include/ratls/error.h").read_text()
    numbers = dict(re.findall(r"^  (\w+) = (\d+),", header, re.MULTILINE))
    source = (ROOT / "src/base/error.cpp").read_text()
    codes = []
    for body in re.findall(r"CodeInfo\{\s*code,(.*?)\};", source, re.DOTALL):
        # Adjacent string literals are one string.
        literals = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+)', body)
        name, text, hint = (
            "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)).replace('\\"', '"') for part in literals
        )
        if name != "ok":
            codes.append((numbers[name], name, text, hint))
    assert len(codes) == len(numbers) - 1, "a code of error.h has no entry in error.cpp"
    return sorted(codes)


def page():
    out = HEAD
    group = ""
    for number, name, text, hint in read_codes():
        if number[0] != group:
            group = number[0]
            out += f"\n## {group}: {GROUPS[group]}\n\n| code | name | meaning | what to do |\n|---|---|---|---|\n"
        out += f"| {number} | `{name}` | {text} | {hint} |\n"
    return out


def main():
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text() != page():
            sys.exit("docs/errors.md differs from src/base/error.cpp: run tools/write_error_docs.py")
        return
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
