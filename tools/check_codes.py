#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses a refusal that no test wants: each code of the groups 3xx to 7xx must be named by one.

usage: tools/check_codes.py
"""

import re
import sys

from tracked_files import ROOT, read_text, report, tracked_files

HEADER = "include/ratls/error.h"
GROUPS = range(300, 800)


def codes_of(header):
    """The names of the codes in GROUPS, from the text of the header."""
    values = re.findall(r"^\s+([a-z0-9_]+) = ([0-9]+),", header, re.MULTILINE)
    return [name for name, number in values if int(number) in GROUPS]


def is_test(path):
    return path.parts[0] == "tests" or path.name.endswith("_test.cpp")


def named_codes(text):
    """The codes that a test names: Code::name in C++, "name" elsewhere."""
    return set(re.findall(r"\bCode::([a-z0-9_]+)\b|[\"']([a-z0-9_]+)[\"']", text))


def missing_codes(header, tests):
    """The codes that none of the test texts names, in the order of the header."""
    named = {name for text in tests for pair in named_codes(text) for name in pair}
    return [name for name in codes_of(header) if name not in named]


def main():
    header = (ROOT / HEADER).read_text()
    if not codes_of(header):
        return report("check_codes", [f"{HEADER}: no codes found"])
    this_test = "tests/tools_test.py"
    tests = [read_text(ROOT / path) or "" for path in tracked_files(ROOT)
             if is_test(path) and str(path) != this_test]
    return report("check_codes", [f"{HEADER}: no test names Code::{name}"
                                  for name in missing_codes(header, tests)])


if __name__ == "__main__":
    sys.exit(main())
