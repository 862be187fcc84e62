# SPDX-License-Identifier: Apache-2.0
"""Where C++ sources refuse something, and the same sources with a switch at each such place.

A check is what stands in the way of bad input: an operand of the condition of a refusal, an operand
of the condition that lets pass where everything else is refused, a RATLS_CHECK, the last call of a
function that only checks. RATLS_TRY is none: without the refusal there is no value to go on with.
The idioms are those of this project; it is no C++ parser.
"""

import dataclasses
import re

from function_lengths import without_noise

HEADER = r"""// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>

#include "ratls/result.h"

namespace ratls_mutants {
/// kept tells whether the check of this number is there: all are but the one of RATLS_MUTANT.
inline bool kept(int number) {
  static const char* const chosen = std::getenv("RATLS_MUTANT");
  static const int removed = chosen != nullptr ? std::atoi(chosen) : 0;
  return number != removed;
}
inline ratls::Result<void> unless_removed(int number, ratls::Result<void> result) {
  return kept(number) ? result : ratls::Result<void>{};
}
}  // namespace ratls_mutants

#define RATLS_CHECK_UNLESS_REMOVED(number, ...)                            \
  do {                                                                     \
    auto ratls_check = (__VA_ARGS__);                                      \
    if (!ratls_check.has_value() && ratls_mutants::kept(number))           \
      return std::move(ratls_check).error();                               \
  } while (false)
"""
HEADER_NAME = "ratls_mutants.h"

_REFUSES = re.compile(
    r'return\s+(Error\(|"|false;|std::nullopt;|[^;]*\berror\(\)|[^;]*defect;|'
    r'[\w.:]*(fail|refused|unsupported|wrong|differs|mismatch)\()|continue;|\w+ = \w+\.error\(\);')
_CONTROL = {"if", "for", "while", "switch", "catch"}
_BODY_HEAD = re.compile(r"(?:\)[\s\w]*?|\])(?:\s*->\s*(?P<result>[\w:<>]+))?\s*(?:\btry\s*)?$")
_DECLARATION = re.compile(r"\s*const auto\*? (\w+) =[^=]")
_OPEN, _CLOSE = "([{", ")]}"


@dataclasses.dataclass(frozen=True)
class Check:
    """One place; start and end are those of the expression in the text."""

    file: str
    function: str
    line: int
    text: str
    start: int
    end: int
    kind: str  # refusing, accepting, declared, macro or last: see _switch


@dataclasses.dataclass(frozen=True)
class _Body:
    """What is between the braces of a function or lambda."""

    start: int
    end: int
    name: str  # empty for a lambda
    result: str

    def holds(self, position):
        return self.start <= position < self.end


def _matching(text, opening):
    """The position of the bracket that closes the one at opening."""
    depth = 0
    for position in range(opening, len(text)):
        depth += (text[position] in _OPEN) - (text[position] in _CLOSE)
        if depth == 0:
            return position
    raise ValueError("a bracket is not closed")


def _opening(text, closing):
    depth = 0
    for position in range(closing, -1, -1):
        depth += (text[position] in _CLOSE) - (text[position] in _OPEN)
        if depth == 0:
            return position
    raise ValueError("a bracket is not opened")


def _bodies(text):
    found = []
    for brace in re.finditer(r"\{", text):
        head = _BODY_HEAD.search(text, max(0, brace.start() - 60), brace.start())
        if not head:
            continue
        first = _opening(text, head.start())
        before = text[:first].rstrip()
        word = re.search(r"[\w:~]*$", before).group(0)
        if word in _CONTROL or (text[first] == "[" and word):
            continue
        end = _matching(text, brace.start())
        if text[first] == "[" or before.endswith("]"):
            result = head["result"] or "auto"
            found.append(_Body(brace.start() + 1, end, "", result))
        else:
            declaration = re.split(r"[;{}]", before)[-1]
            result = declaration[: len(declaration) - len(word)]
            result = re.sub(r"template\s*<[^>]*>|\b(public|private):", "", result).strip()
            found.append(_Body(brace.start() + 1, end, word, result))
    return found


def _operands(text, start, end, operator):
    """The parts of an expression between the operators at its top level."""
    parts, depth, first = [], 0, start
    for position in range(start, end):
        depth += (text[position] in _OPEN) - (text[position] in _CLOSE)
        if depth == 0 and text.startswith(operator, position):
            parts.append((first, position))
            first = position + len(operator)
    return [*parts, (first, end)]


def _must_hold(text, start, end):
    """What all must be true for the expression to be true."""
    if len(_operands(text, start, end, "||")) > 1:
        return [(start, end)]
    return _operands(text, start, end, "&&")


def _after(text, position):
    """Where the next word or sign is."""
    return position + re.match(r"\s*", text[position:]).end()


def _statement(text, start):
    """The range of the statement at start, with its braces or semicolon."""
    start = _after(text, start)
    if text[start] == "{":
        return start, _matching(text, start) + 1
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in _OPEN) - (text[position] in _CLOSE)
        if depth == 0 and text[position] == ";":
            return start, position + 1
    raise ValueError("a statement does not end")


class _Finder:
    def __init__(self, file, source):
        self.file, self.source = file, source
        self.text = without_noise(source)
        self.bodies = _bodies(self.text)
        self.checks = []

    def add(self, kind, start, end):
        piece = self.source[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        named = [b for b in self.bodies if b.name and b.holds(start)]
        self.checks.append(Check(
            self.file, named[-1].name if named else "", self.source.count("\n", 0, start) + 1,
            " ".join(self.source[start:end].split()), start, end, kind))

    def body_at(self, position):
        """The innermost body, or None."""
        around = [body for body in self.bodies if body.holds(position)]
        return max(around, key=lambda body: body.start, default=None)

    def refuses(self, position):
        return bool(_REFUSES.match(self.source, position))

    def last_statement(self, start, end):
        """Where the last statement of a block begins."""
        begin, depth = start, 0
        for position in range(start, end):
            depth += (self.text[position] in _OPEN) - (self.text[position] in _CLOSE)
            rest = self.text[position + 1 : end].lstrip()
            ends = self.text[position] == ";" or (
                self.text[position] == "}" and rest[:1] not in {";", ")", ",", "."})
            if depth == 0 and ends and rest:
                begin = position + 1
        return _after(self.text, begin)

    def find_conditions(self):
        for found in re.finditer(r"\bif \(", self.text):
            opening = found.end() - 1
            closing = _matching(self.text, opening)
            start, end = _statement(self.text, closing + 1)
            condition = _operands(self.text, opening + 1, closing, ";")[-1]
            last = start
            if self.text[start] == "{":
                last = self.last_statement(start + 1, end - 1)
            nested = "if (" in self.text[start:end]
            if self.refuses(last) and not nested:
                self.add_refusing(*condition)
            elif self.lets_pass(last) or (nested and self.refuses(_after(self.text, end))):
                for part in _must_hold(self.text, *condition):
                    self.add("accepting", *part)

    def lets_pass(self, position):
        """Whether the statement returns from where everything else is refused."""
        if not self.text.startswith("return", position) or self.refuses(position):
            return False
        body = self.body_at(position)
        return self.refuses(self.last_statement(body.start, body.end))

    def add_refusing(self, start, end):
        if _DECLARATION.match(self.text, start):
            self.add("declared", start, end)
            return
        for part in _operands(self.text, start, end, "||"):
            self.add("refusing", *part)

    def find_returns(self):
        for found in re.finditer(r"\breturn\b\s*", self.text):
            start, end = found.end(), _statement(self.text, found.start())[1] - 1
            body = self.body_at(start)
            expression = self.text[start:end].strip()
            if body is None or expression in {"{}", "true", "false"} or "?" in expression:
                continue
            is_last = found.start() == self.last_statement(body.start, body.end)
            if body.result == "Result<void>" and (is_last or not self.refuses(found.start())):
                self.add("last", start, end)
            compares = re.search(r" [=!<>]= | [<>] |&&|\bequal\(", expression)
            if body.result == "bool" or (body.result == "auto" and compares):
                for part in _must_hold(self.text, start, end):
                    self.add("accepting", *part)

    def find_assignments(self):
        for found in re.finditer(r"\w = (?=[^;{}?]*(&&|\|\|))", self.text):
            start = found.end()
            end = _statement(self.text, start)[1] - 1
            if "{" in self.text[start:end] or "?" in self.text[start:end]:
                continue
            disjuncts = _operands(self.text, start, end, "||")
            if len(disjuncts) > 1:
                for part in disjuncts:
                    self.add("refusing", *part)
            elif len(conjuncts := _operands(self.text, start, end, "&&")) > 1:
                for part in conjuncts:
                    self.add("accepting", *part)

    def find_macros(self):
        for found in re.finditer(r"\bRATLS_CHECK\(", self.text):
            self.add("macro", found.start(), _matching(self.text, found.end() - 1) + 1)


def find_checks(file, source):
    """The checks of a source file, in the order of the text."""
    finder = _Finder(file, source)
    finder.find_conditions()
    finder.find_returns()
    finder.find_assignments()
    finder.find_macros()
    return sorted(finder.checks, key=lambda check: (check.start, -check.end))


def _switch(number, check):
    """What goes before and behind the expression of a check."""
    kept = f"ratls_mutants::kept({number})"
    if check.kind == "refusing":
        return f"({kept} && (", "))"
    if check.kind == "accepting":
        return f"(!{kept} || (", "))"
    if check.kind == "declared":
        return "", f"; {kept} && {_DECLARATION.match(check.text).group(1)}"
    return f"ratls_mutants::unless_removed({number}, ", ")"


def with_switches(source, numbered):
    """The source with a switch at each check; numbered is {number: check of this source}."""
    insertions = []  # (position, order at that position, text): an outer expression opens first
    for number, check in numbered.items():
        if check.kind == "macro":
            name_end = check.start + len("RATLS_CHECK")
            insertions += [(name_end, 0, "_UNLESS_REMOVED"), (name_end + 1, 0, f"{number}, ")]
        else:
            length = check.end - check.start
            before, behind = _switch(number, check)
            insertions += [(check.start, -length, before), (check.end, length, behind)]
    pieces, done = [f'#include "{HEADER_NAME}"\n#line 1\n'], 0
    for position, _, text in sorted(insertions):
        pieces += [source[done:position], text]
        done = position
    return "".join([*pieces, source[done:]])
