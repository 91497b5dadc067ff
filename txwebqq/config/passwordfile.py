"""
Passwords: in a file that nobody but its owner can read, or in the environment.
"""

from __future__ import annotations

import os
from pathlib import Path

from txwebqq.errors import InvalidConfiguration

PASSWORD_VARIABLE = "TXWEBQQ_PASSWORD"
"""The environment variable with the password of an account."""


CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""The environment variable with the folder of the credentials that systemd passes to
a service (C{LoadCredential})."""


def takePasswordVariable(name: str = PASSWORD_VARIABLE) -> str:
    """
    Return the password in an environment variable, C{""} if there is none, and remove
    the variable: child processes must not inherit it.

    @raise InvalidConfiguration: when it is not UTF-8.
    """
    password = os.environ.pop(name, "")
    try:
        password.encode()
    except UnicodeEncodeError as e:
        raise InvalidConfiguration(f"{name} is not UTF-8") from e
    return password


def secretPath(name: str, folder: Path | None = None) -> Path:
    """
    Return the path of a password file. A name without a slash is that of a credential
    of systemd if there is one.

    @param folder: the folder that paths are relative to; the current one when it is
        not given.
    """
    credentials = os.environ.get(CREDENTIALS_VARIABLE, "")
    if credentials and name and "/" not in name:
        path = Path(credentials, name)
        if path.is_file():
            return path
    return (folder or Path()) / name


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
    and of service managers are files that all may read, in such a folder. The
    credentials of systemd belong to root, and an access control list, which is
    shown as the rights of the group, lets the user of the service in.
    """
    folder = path.resolve().parent
    found = folder.stat()
    credentials = os.environ.get(CREDENTIALS_VARIABLE, "")
    isCredential = credentials and folder == Path(credentials).resolve()
    forbidden = 0o007 if isCredential else 0o077
    return not found.st_mode & forbidden and found.st_uid in (0, os.geteuid())
