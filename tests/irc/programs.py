"""
Programs that others have written, and that tests run.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Daemons lie where not everybody's path leads.
_WHERE = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def program(name: str) -> str:
    """
    Where a program lies; without it the test is skipped.
    """
    path = shutil.which(name, path=_WHERE)
    if path is None:
        missing(name)
    return path


def missing(name: str) -> NoReturn:
    """
    The test cannot be made: it is skipped, but fails where nobody would notice
    that.
    """
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
