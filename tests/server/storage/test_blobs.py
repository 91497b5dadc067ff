"""
Storage of the contents of pictures and files.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.storage.blobs import BlobStore, TooLarge

ONE, TWO = Number(10001), Number(10002)


def stored(blobs: BlobStore, data: bytes) -> str:
    """
    Store a content and return its digest.
    """
    writer = blobs.begin(len(data))
    writer.write(data)
    return writer.keep().digest


def fileNames(folder: Path) -> list[str]:
    """
    Return the names of all files in a folder.
    """
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_keep(tmp_path: Path) -> None:
    """
    A blob is found by its hash, also after a restart.
    """
    writer = BlobStore(tmp_path / "b").begin(10)
    writer.write(b"ab")
    writer.write(b"c")
    blob = writer.keep()
    assert blob.digest == hashlib.sha256(b"abc").hexdigest()
    assert blob.md5 == hashlib.md5(b"abc").hexdigest().upper()
    assert blob.size == 3
    again = BlobStore(tmp_path / "b")
    assert again.read(blob.digest) == b"abc"
    assert fileNames(tmp_path) == [blob.digest]
    again.remove([blob.digest])
    again.remove([blob.digest])
    assert again.read(blob.digest) is None
    assert again.open(blob.digest) is None


def test_limit(tmp_path: Path) -> None:
    """
    A content that exceeds the limit leaves no file.
    """
    blobs = BlobStore(tmp_path / "b")
    writer = blobs.begin(3)
    writer.write(b"abc")
    with pytest.raises(TooLarge):
        writer.write(b"d")
    assert fileNames(tmp_path) == []


def test_leftovers(tmp_path: Path) -> None:
    """
    Unfinished uploads are deleted at the next start.
    """
    writer = BlobStore(tmp_path / "b").begin(3)
    writer.write(b"a")
    assert len(fileNames(tmp_path)) == 1
    BlobStore(tmp_path / "b")
    assert fileNames(tmp_path) == []
    writer.discard()


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_names(tmp_path: Path, name: str) -> None:
    """
    Only SHA-256 hashes are accepted as names.
    """
    with pytest.raises(ValueError, match="SHA-256"):
        BlobStore(tmp_path / "b").read(name)


def test_temporary() -> None:
    """
    A temporary folder is made when it is first used, and deleted when the store is
    closed.
    """
    blobs = BlobStore()
    blobs.close()
    folder = blobs.incoming().parent
    stored(blobs, b"x")
    blobs.close()
    assert not folder.exists()


def test_private(tmp_path: Path) -> None:
    """
    Other users of the machine cannot read the folder.
    """
    folder = tmp_path / "b"
    digest = stored(BlobStore(folder), b"x")
    assert folder.stat().st_mode & 0o077 == 0
    assert BlobStore(folder).path(digest).stat().st_mode & 0o077 == 0


def test_unusable(tmp_path: Path) -> None:
    """
    A folder that cannot be made is an L{InvalidConfiguration}.
    """
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(InvalidConfiguration, match="b: "):
        BlobStore(tmp_path / "b")


def old(folder: Path, seconds: float) -> None:
    """
    Have the files of a folder be older.
    """
    for path in folder.iterdir():
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def test_shared(tmp_path: Path) -> None:
    """
    A process that starts leaves the uploads of the others alone.
    """
    folder = tmp_path / "b"
    writer = BlobStore(folder, isShared=True).begin(9)
    writer.write(b"x")
    again = BlobStore(folder, isShared=True)
    digest = writer.keep().digest
    writer.discard()
    assert again.read(digest) == b"x"
    assert fileNames(folder) == [digest]


def test_keptAgain(tmp_path: Path) -> None:
    """
    A content of a transaction that is repeated is kept once more, unless it was
    deleted meanwhile.
    """
    blobs = BlobStore(tmp_path / "b", isShared=True)
    writer = blobs.begin(9)
    writer.write(b"x")
    digest = writer.keep().digest
    assert writer.keep().digest == digest
    blobs.remove([digest])
    with pytest.raises(FileNotFoundError):
        writer.keep()


def test_abandoned(tmp_path: Path) -> None:
    """
    Remains of uploads are deleted later: parts of files, and files that have no row
    because the transaction was not committed.
    """
    folder = tmp_path / "b"
    blobs = BlobStore(folder, isShared=True)
    half = blobs.begin(9)
    digests = []
    for data in (b"known", b"unknown"):
        writer = blobs.begin(9)
        writer.write(data)
        digests.append(writer.keep().digest)
        # As after the end of the process.
        writer.isKept = False
        writer.discard()
    known = digests[:1].__contains__
    young = time.time() - 3600
    blobs.removeAbandoned(young, known)
    assert len(fileNames(folder)) == 5
    old(folder / "incoming", 7200)
    blobs.removeAbandoned(young, known)
    assert fileNames(folder) == digests[:1]
    half.discard()


def test_age(tmp_path: Path) -> None:
    """
    The age of a blob counts from its last upload.
    """
    blobs = BlobStore(tmp_path / "b", isShared=True)
    digest = stored(blobs, b"x")
    now = blobs.path(digest).stat().st_mtime
    assert not blobs.isOlder(digest, now)
    assert blobs.isOlder(digest, now + 1)
    blobs.remove([digest])
    assert blobs.isOlder(digest, now)
