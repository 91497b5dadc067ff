"""
Password files, which only their owner may read.
"""

from __future__ import annotations

import stat
from pathlib import Path

from txwebqq.errors import InvalidConfiguration


def readPasswordFile(path: Path) -> str:
    """
    Read the password in a file, without the line end.

    @raise InvalidConfiguration: when the file cannot be read, is empty or not
        UTF-8, or when others than its owner may read it.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InvalidConfiguration(
                f"others can read the password file: chmod 600 {path}"
            )
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as e:
        raise InvalidConfiguration(f"cannot read {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise InvalidConfiguration(f"the password in {path} is not UTF-8") from e
    if not password:
        raise InvalidConfiguration(f"{path} is empty")
    return password
