"""
The bytes of pictures and files, on the disk.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.identicon import SIDE, identicon
from txwebqq.server.storage.blobs import BlobStore, TooLarge
from txwebqq.server.storage.media import OfflineFileRecord
from txwebqq.server.storage.store import Store

ONE, TWO = Number(10001), Number(10002)


def kept(blobs: BlobStore, data: bytes) -> str:
    """
    Keep some bytes.
    """
    writer = blobs.begin(len(data))
    writer.write(data)
    return writer.keep().digest


def everything(folder: Path) -> list[str]:
    """
    The names of all files.
    """
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_keep(tmp_path: Path) -> None:
    """
    Bytes are found by their hash, also by the next server.
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
    assert everything(tmp_path) == [blob.digest]
    again.remove([blob.digest])
    again.remove([blob.digest])
    assert again.read(blob.digest) is None
    assert again.open(blob.digest) is None


def test_limit(tmp_path: Path) -> None:
    """
    What is too large leaves nothing.
    """
    blobs = BlobStore(tmp_path / "b")
    writer = blobs.begin(3)
    writer.write(b"abc")
    with pytest.raises(TooLarge):
        writer.write(b"d")
    assert everything(tmp_path) == []


def test_leftovers(tmp_path: Path) -> None:
    """
    Whatever a killed server had half received is gone at the next start.
    """
    writer = BlobStore(tmp_path / "b").begin(3)
    writer.write(b"a")
    assert len(everything(tmp_path)) == 1
    BlobStore(tmp_path / "b")
    assert everything(tmp_path) == []
    writer.discard()


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_names(tmp_path: Path, name: str) -> None:
    """
    Only hashes are names.
    """
    with pytest.raises(ValueError, match="SHA-256"):
        BlobStore(tmp_path / "b").read(name)


def test_temporary() -> None:
    """
    A folder that nobody named is gone in the end, and was there only if
    needed.
    """
    blobs = BlobStore()
    blobs.close()
    folder = blobs.incoming().parent
    kept(blobs, b"x")
    blobs.close()
    assert not folder.exists()


def test_private(tmp_path: Path) -> None:
    """
    Others on the machine cannot read it.
    """
    folder = tmp_path / "b"
    digest = kept(BlobStore(folder), b"x")
    assert folder.stat().st_mode & 0o077 == 0
    assert BlobStore(folder).path(digest).stat().st_mode & 0o077 == 0


def test_unusable(tmp_path: Path) -> None:
    """
    A folder that cannot be made is the operator's to mend.
    """
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(InvalidConfiguration, match="b: "):
        BlobStore(tmp_path / "b")


def test_portrait() -> None:
    """
    A portrait is a PNG picture, the same for a number and another for others.
    """
    picture = identicon(10001)
    assert picture == identicon(10001)
    assert len({identicon(number) for number in range(10001, 10101)}) == 100
    assert struct.unpack(">II", picture[16:24]) == (SIDE, SIDE)
    start = picture.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", picture[start - 8 : start - 4])
    rows = zlib.decompress(picture[start : start + length])
    assert len(rows) == SIDE * (1 + 3 * SIDE)


def test_references(tmp_path: Path) -> None:
    """
    Bytes stay as long as anything refers to them, whatever else expires.
    """
    store, blobs = Store(), BlobStore(tmp_path / "b")
    writer = blobs.begin(9)
    writer.write(b"x")
    blob = writer.keep()
    store.media.addBlob(blob)
    store.media.addCustomFace(ONE, "x.png", blob, 100)
    store.media.addUpload("/p", ONE, blob, "x", False, 100)
    store.media.addPicture("n", ONE, blob.digest, 100, [TWO])
    store.media.addOfflineFile(
        OfflineFileRecord("k", ONE, TWO, blob.digest, "x", 1, 200)
    )
    store.media.setAvatar(1, ONE, blob.digest)
    assert store.media.expire(150, 50, 50) == []
    assert store.media.expire(300, 101, 101) == []
    assert store.media.upload("/p") is None
    assert store.media.offlineFile("k") is None
    assert store.media.pictureFor("n", TWO) is None
    store.media.deleteCustomFace(ONE, "x.png")
    assert store.media.expire(300, 101, 101) == []
    store.media.setAvatar(1, ONE, None)
    assert store.media.expire(300, 101, 101) == [blob.digest]
    assert store.media.expire(300, 101, 101) == []


def test_restart(tmp_path: Path) -> None:
    """
    What waits is found by the next server.
    """
    store, blobs = Store(tmp_path / "db"), BlobStore(tmp_path / "b")
    writer = blobs.begin(9)
    writer.write(b"x")
    blob = writer.keep()
    store.media.addUpload("/p", ONE, blob, "报告", False, 100)
    offlineFile = OfflineFileRecord("k", ONE, TWO, blob.digest, "报告", 1, 200)
    store.media.addOfflineFile(offlineFile)
    secret = store.secret("s", "first")
    store.close()
    store = Store(tmp_path / "db")
    assert store.media.offlineFile("k") == offlineFile
    assert store.media.offlineFiles(ONE, TWO) == [offlineFile]
    assert store.secret("s", "second") == secret == "first"
    store.close()
