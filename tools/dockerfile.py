# SPDX-License-Identifier: Apache-2.0
"""What a Dockerfile says of the image it makes: its last stage's ENTRYPOINT, CMD, ENV, USER and
WORKDIR."""

import json
import re
import shlex


def instructions(text):
    """(line number, NAME, arguments) of each instruction, continuation lines joined."""
    number, pending, start = 0, "", 1
    for line in text.splitlines():
        number += 1
        if line.lstrip().startswith("#") or (pending and not line.strip()):
            continue
        if not pending:
            start = number
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        if pending.strip():
            name, _, arguments = pending.strip().partition(" ")
            yield start, name.upper(), arguments.strip()
        pending = ""


def words(arguments):
    """The list of an instruction's exec form, or None for the shell form."""
    try:
        value = json.loads(arguments)
    except ValueError:
        return None
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    return None


class Image:
    """The configuration of the image that a Dockerfile makes. entrypoint and command are lists, or
    None where the instruction is missing or has the shell form; user is the text of USER, or None."""

    def __init__(self, text):
        self.entrypoint = self.command = self.user = None
        self.environment = {}
        self.folder = "/"
        for _, name, arguments in instructions(text):
            if name == "FROM":
                self.__init__("")
            elif name == "ENTRYPOINT":
                self.entrypoint = words(arguments)
            elif name == "CMD":
                self.command = words(arguments)
            elif name == "USER":
                self.user = arguments
            elif name == "WORKDIR":
                self.folder = arguments
            elif name == "ENV":
                self.environment |= environment(arguments)


def environment(arguments):
    """The variables of one ENV instruction, in either of its forms."""
    if re.match(r"[A-Za-z_]\w*=", arguments):
        return dict(word.split("=", 1) for word in shlex.split(arguments) if "=" in word)
    name, _, value = arguments.partition(" ")
    return {name: value.strip()}
