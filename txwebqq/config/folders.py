"""
The folders of files that daemons write.
"""

from __future__ import annotations

from pathlib import Path

from txwebqq.errors import InvalidConfiguration


def checkFolderOf(path: Path) -> None:
    """
    Check that the folder of a file exists. No daemon makes one: a misspelt path would
    go unnoticed.

    @raise InvalidConfiguration: when it does not exist; tells only why.
    """
    folder = path.absolute().parent
    try:
        isThere = folder.is_dir()
    except OSError as e:
        raise InvalidConfiguration(f"{folder}: {e.strerror}") from e
    if not isThere:
        raise InvalidConfiguration(f"there is no folder {folder}")
