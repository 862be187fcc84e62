# SPDX-License-Identifier: Apache-2.0
"""What the check scripts look at: the files that are, or would be, in the repository."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
_NOT_OURS = {".git", "build", "__pycache__"}


def tracked_files(root):
    """Paths relative to root, sorted. Files that git ignores are left out; without git, only the
    build folder and git's own are."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
        paths = [pathlib.PurePosixPath(name) for name in names if name]
        return sorted(path for path in paths if (root / path).is_file())
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(pathlib.PurePosixPath(path) for path in found
                  if not _NOT_OURS.intersection(path.parts))


def read_text(path):
    """The text of a file, or None for a binary one."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def report(script, problems):
    """Prints the problems and gives the exit status of a check script."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{script}: {len(problems)} problem(s)")
    return 1 if problems else 0
