"""
Backups of databases and of the contents beside them, while daemons use them.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from txwebqq.errors import InvalidConfiguration
from txwebqq.sqlite import migrations
from txwebqq.sqlite.database import SHARED_PATIENCE

_DIGEST = re.compile("[0-9a-f]{64}")


def backUpDatabase(path: Path, copy: Path) -> None:
    """
    Copy a database of any daemon of this package, of any version, to a new file,
    which only its owner can read.

    @raise InvalidConfiguration: when it is a database of another program.
    @raise OSError: when the copy exists or cannot be made.
    @raise sqlite3.Error: when the database cannot be read.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    seconds = SHARED_PATIENCE / 1000
    with closing(sqlite3.connect(uri, uri=True, timeout=seconds)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            raise InvalidConfiguration(f"{path}: a database of another program")
        migrations.backUp(db, copy)


def copyBlobs(folder: Path, copy: Path) -> None:
    """
    Copy the contents that are not in the copy yet. They never change, so what an
    earlier backup has copied is left as it is.

    @raise OSError: when a content cannot be copied.
    """
    copy.mkdir(mode=0o700, exist_ok=True)
    for path in folder.glob("*/*"):
        if not _DIGEST.fullmatch(path.name):
            # A content that is being received.
            continue
        target = copy / path.parent.name / path.name
        if target.exists():
            continue
        target.parent.mkdir(mode=0o700, exist_ok=True)
        partial = target.with_name(f"{path.name}{migrations.PARTIAL}")
        try:
            _copyFile(path, partial)
        except FileNotFoundError:
            # Its time has ended.
            partial.unlink(missing_ok=True)
            continue
        partial.rename(target)


def _copyFile(path: Path, target: Path) -> None:
    with path.open("rb") as source:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(source, file)
