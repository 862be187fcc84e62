# SPDX-License-Identifier: Apache-2.0
"""The documentation's commands do what they say: each block below `<!-- runnable -->`, together with
those of the same page below `<!-- runnable, continued -->`, ends with 0 in a folder of its own,
which has the repository's `examples`, `python` and `build/release`. It runs in a network of its own,
so that its ports are free, and all that it starts ends with it."""

import os
import pathlib
import re
import sys

import pytest

from conftest import DEADLINE, SOURCE, in_own_network, run

sys.path.insert(0, str(SOURCE / "tools"))

from tracked_files import tracked_files  # noqa: E402

BLOCK = re.compile(r"^<!-- runnable(, continued)? -->\n+```[a-z]*\n(.*?)^```$",
                   re.MULTILINE | re.DOTALL)


def blocks_of(text):
    """[line, commands] of each block, with those that continue it."""
    blocks = []
    for found in BLOCK.finditer(text):
        if found.group(1):
            blocks[-1][1] += found.group(2)
        else:
            blocks.append([text.count("\n", 0, found.start(2)) + 1, found.group(2)])
    return blocks


def runnable_blocks():
    for path in tracked_files(SOURCE):
        if path.suffix == ".md":
            for line, commands in blocks_of((SOURCE / path).read_text()):
                yield pytest.param(commands, id=f"{path}:{line}")


@pytest.fixture
def folder(tmp_path, ratls):
    (tmp_path / "build").mkdir()
    (tmp_path / "build/release").symlink_to(pathlib.Path(ratls).parent)
    for name in ("examples", "python"):
        (tmp_path / name).symlink_to(SOURCE / name)
    return tmp_path


def run_block(text, folder):
    """Runs a block as it stands."""
    environment = {"PATH": f"{folder}/build/release:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
                   "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    (folder / "block").write_text(text)
    return run(*in_own_network("bash", "-euo", "pipefail", folder / "block"), cwd=folder,
               env=environment, timeout=5 * DEADLINE)


@pytest.mark.parametrize("text", runnable_blocks())
def test_a_block_does_what_it_says(text, folder):
    if "sim mount" in text and not os.access("/dev/fuse", os.W_OK):
        pytest.skip("/dev/fuse cannot be used")
    ended = run_block(text, folder)
    assert ended.code == 0, ended


def test_each_marker_belongs_to_a_block():
    for path in tracked_files(SOURCE):
        if path.suffix == ".md":
            text = (SOURCE / path).read_text()
            marked = len(re.findall(r"^<!-- *runnable", text, re.MULTILINE))
            assert marked == len(BLOCK.findall(text)), path


@pytest.mark.parametrize("text", ["false\n", "ratls get https://127.0.0.1:1/\n", "false | true\n"])
def test_a_command_that_fails_is_found(text, folder):
    assert run_block(text, folder).code != 0
