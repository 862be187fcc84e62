#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each relative link of the Markdown files leads to a file of the repository, and to a
heading where it names one. Addresses elsewhere are not asked.

usage: tools/check_links.py
"""

import posixpath
import re
import sys

from tracked_files import ROOT, read_text, report, tracked_files

# ``` or ~~~ and what follows up to the same, then code in a line.
FENCE = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*\n.*?^ {0,3}\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)", re.MULTILINE)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def blanked(pattern, text):
    """The text with what matches made of spaces, so that lines keep their numbers."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def links(text):
    """(line, target) of each link outside of code."""
    text = blanked(CODE, blanked(FENCE, text))
    for pattern in (LINK, REFERENCE):
        for found in pattern.finditer(text):
            yield text.count("\n", 0, found.start(1)) + 1, found.group(1)


def anchors(text):
    """What the headings of a file can be named by, as GitHub does."""
    names, seen = set(), {}
    for found in HEADING.finditer(blanked(FENCE, text)):
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", found.group(1))
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def problems_of(path, texts, there):
    """The links of one file that lead nowhere. texts has the Markdown files, there all paths."""
    for line, target in links(texts[path]):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
        if aim not in there:
            yield f"{path}:{line}: there is no {target}"
        elif anchor and aim in texts and anchor not in anchors(texts[aim]):
            yield f"{path}:{line}: {aim} has no heading #{anchor}"


def main():
    paths = tracked_files(ROOT)
    there = {str(path) for path in paths} | {str(folder) for path in paths for folder in path.parents}
    texts = {str(path): read_text(ROOT / path) for path in paths if path.suffix == ".md"}
    problems = [problem for path in sorted(texts) for problem in problems_of(path, texts, there)]
    return report("check_links", problems)


if __name__ == "__main__":
    sys.exit(main())
