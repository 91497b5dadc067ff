"""
Passwords: in a file that nobody but its owner can read, or in the environment.
"""

from __future__ import annotations

import os
from pathlib import Path

from txwebqq.errors import InvalidConfiguration

PASSWORD_VARIABLE = "TXWEBQQ_PASSWORD"
"""The environment variable with the password of an account."""


def takePasswordVariable() -> str:
    """
    Return the password in L{PASSWORD_VARIABLE}, C{""} if there is none, and remove
    the variable: child processes must not inherit it.

    @raise InvalidConfiguration: when it is not UTF-8.
    """
    password = os.environ.pop(PASSWORD_VARIABLE, "")
    try:
        password.encode()
    except UnicodeEncodeError as e:
        raise InvalidConfiguration(f"{PASSWORD_VARIABLE} is not UTF-8") from e
    return password


def readPasswordFile(path: Path) -> str:
    """
    Read the password in a file, without the line end.

    @raise InvalidConfiguration: when the file cannot be read, is empty or not
        UTF-8, or when others than its owner can read it: by its mode, in a
        folder that they may enter.
    """
    try:
        if path.stat().st_mode & 0o077 and not _isProtected(path):
            raise InvalidConfiguration(
                f"others can read {path}: chmod 600 {path}, or keep it "
                "in a folder that only you may enter (chmod 700)"
            )
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as e:
        raise InvalidConfiguration(f"cannot read {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise InvalidConfiguration(f"the password in {path} is not UTF-8") from e
    if not password:
        raise InvalidConfiguration(f"{path} is empty")
    return password


def _isProtected(path: Path) -> bool:
    """
    Check that nobody else may enter the folder of a file. Secrets of containers
    and of service managers are files that all may read, in such a folder.
    """
    folder = path.resolve().parent.stat()
    return not folder.st_mode & 0o077 and folder.st_uid in (0, os.geteuid())
