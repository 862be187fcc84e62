# SPDX-License-Identifier: Apache-2.0
"""What all tests of the command line share: where the program and the vectors are."""

import os
import pathlib

import pytest

SOURCE = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def ratls():
    """The path of the program under test, from RATLS_BINARY."""
    path = pathlib.Path(os.environ.get("RATLS_BINARY", SOURCE / "build/test/ratls"))
    assert path.is_file(), f"{path} is missing: set RATLS_BINARY"
    return str(path)
