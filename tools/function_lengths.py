# SPDX-License-Identifier: Apache-2.0
"""How long the functions of a source file are, well enough for a limit on them."""

import ast
import re

_NOISE = re.compile(
    r'''R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/|'''
    r'''^[ \t]*\#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*''',
    re.DOTALL | re.MULTILINE)
_DIGIT_SEPARATOR = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")
_TEMPLATE = re.compile(r"\btemplate\s*<[^\n]*>")
_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
_NAME = re.compile(r"((?:~|\boperator\s*)?[\w:~]+|operator\S+)\s*\(")


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def without_noise(text):
    """The text of a C++ file with blanks for comments, texts, characters and directives."""
    return _NOISE.sub(_blank, _DIGIT_SEPARATOR.sub(" ", text))


def _is_function(head):
    """Whether the text before a brace, at the level of a namespace or class, begins a function."""
    head = _TEMPLATE.sub("", head)
    parameters = head.find("(")
    assigned = re.search(r"(?<![=!<>])=(?!=)", head[:parameters] if parameters >= 0 else head)
    scope = _SCOPE.search(head[:parameters] if parameters >= 0 else head)
    return parameters >= 0 and not assigned and not scope


def _name(head):
    match = _NAME.search(head)
    if not match:
        return "unnamed"
    if re.fullmatch(r"TEST(_F|_P)?", match.group(1)):
        arguments = head[match.end():].split(")")[0]
        return ".".join(argument.strip() for argument in arguments.split(","))
    return match.group(1)


def cpp_functions(text):
    """(name, lines from signature to closing brace) of each function that is not inside another."""
    text = without_noise(text)
    functions = []
    head_start = 0
    scopes = 0       # open namespaces and classes
    depth = 0        # open braces inside the function or initializer that is being read
    inside_head = False
    current = None   # (name, first line) of that function; None in an initializer
    for place in re.finditer(r"[{};]", text):
        kind = place.group(0)
        if depth:
            depth += {"{": 1, "}": -1, ";": 0}[kind]
            if depth == 0:
                if current:
                    last = text.count("\n", 0, place.start())
                    functions.append((current[0], last - current[1] + 1))
                current = None
                if not inside_head:
                    head_start = place.end()
                inside_head = False
            continue
        head = text[head_start:place.start()]
        if kind == "{":
            if head.count("(") > head.count(")"):
                # An initializer among the parameters, as in f(Options options = {}).
                depth, inside_head = 1, True
                continue
            if _is_function(head):
                blank = len(head) - len(head.lstrip())
                current = (_name(head), text.count("\n", 0, head_start + blank))
                depth = 1
            elif _SCOPE.search(_TEMPLATE.sub("", head)):
                scopes += 1
            else:
                depth = 1
        elif kind == "}":
            scopes -= 1
        head_start = place.end()
    return functions


def python_functions(text):
    """(name, lines) of each function."""
    return [(node.name, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
