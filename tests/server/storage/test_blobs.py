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
from txwebqq.server.identicon import SIDE, portrait
from txwebqq.server.storage.blobs import Blobs, TooLarge
from txwebqq.server.storage.media import Handout
from txwebqq.server.storage.store import Store

ONE, TWO = Number(10001), Number(10002)


def kept(blobs: Blobs, data: bytes) -> str:
    """
    Keep some bytes.
    """
    draft = blobs.begin(len(data))
    draft.write(data)
    return draft.keep().digest


def everything(folder: Path) -> list[str]:
    """
    The names of all files.
    """
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_keep(tmp_path: Path) -> None:
    """
    Bytes are found by their hash, also by the next server.
    """
    draft = Blobs(tmp_path / "b").begin(10)
    draft.write(b"ab")
    draft.write(b"c")
    blob = draft.keep()
    assert blob.digest == hashlib.sha256(b"abc").hexdigest()
    assert blob.md5 == hashlib.md5(b"abc").hexdigest().upper()
    assert blob.size == 3
    again = Blobs(tmp_path / "b")
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
    blobs = Blobs(tmp_path / "b")
    draft = blobs.begin(3)
    draft.write(b"abc")
    with pytest.raises(TooLarge):
        draft.write(b"d")
    assert everything(tmp_path) == []


def test_leftovers(tmp_path: Path) -> None:
    """
    Whatever a killed server had half received is gone at the next start.
    """
    draft = Blobs(tmp_path / "b").begin(3)
    draft.write(b"a")
    assert len(everything(tmp_path)) == 1
    Blobs(tmp_path / "b")
    assert everything(tmp_path) == []
    draft.discard()


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_names(tmp_path: Path, name: str) -> None:
    """
    Only hashes are names.
    """
    with pytest.raises(ValueError, match="SHA-256"):
        Blobs(tmp_path / "b").read(name)


def test_temporary() -> None:
    """
    A folder that nobody named is gone in the end, and was there only if
    needed.
    """
    blobs = Blobs()
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
    digest = kept(Blobs(folder), b"x")
    assert folder.stat().st_mode & 0o077 == 0
    assert Blobs(folder).path(digest).stat().st_mode & 0o077 == 0


def test_unusable(tmp_path: Path) -> None:
    """
    A folder that cannot be made is the operator's to mend.
    """
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(InvalidConfiguration, match="b: "):
        Blobs(tmp_path / "b")


def test_portrait() -> None:
    """
    A portrait is a PNG picture, the same for a number and another for others.
    """
    picture = portrait(10001)
    assert picture == portrait(10001)
    assert len({portrait(number) for number in range(10001, 10101)}) == 100
    assert struct.unpack(">II", picture[16:24]) == (SIDE, SIDE)
    start = picture.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", picture[start - 8 : start - 4])
    rows = zlib.decompress(picture[start : start + length])
    assert len(rows) == SIDE * (1 + 3 * SIDE)


def test_references(tmp_path: Path) -> None:
    """
    Bytes stay as long as anything refers to them, whatever else expires.
    """
    store, blobs = Store(), Blobs(tmp_path / "b")
    draft = blobs.begin(9)
    draft.write(b"x")
    blob = draft.keep()
    store.noteBlob(blob)
    store.shelve(ONE, "x.png", blob, 100)
    store.deposit("/p", ONE, blob, "x", False, 100)
    store.sendPicture("n", ONE, blob.digest, 100, [TWO])
    store.handOut(Handout("k", ONE, TWO, blob.digest, "x", 1, 200))
    store.setAvatar(1, ONE, blob.digest)
    assert store.expireMedia(150, 50, 50) == []
    assert store.expireMedia(300, 101, 101) == []
    assert store.deposited("/p") is None
    assert store.handout("k") is None
    assert store.pictureFor("n", TWO) is None
    store.unshelve(ONE, "x.png")
    assert store.expireMedia(300, 101, 101) == []
    store.setAvatar(1, ONE, None)
    assert store.expireMedia(300, 101, 101) == [blob.digest]
    assert store.expireMedia(300, 101, 101) == []


def test_restart(tmp_path: Path) -> None:
    """
    What waits is found by the next server.
    """
    store, blobs = Store(tmp_path / "db"), Blobs(tmp_path / "b")
    draft = blobs.begin(9)
    draft.write(b"x")
    blob = draft.keep()
    store.deposit("/p", ONE, blob, "报告", False, 100)
    handout = Handout("k", ONE, TWO, blob.digest, "报告", 1, 200)
    store.handOut(handout)
    secret = store.secret("s", "first")
    store.close()
    store = Store(tmp_path / "db")
    assert store.handout("k") == handout
    assert store.handouts(ONE, TWO) == [handout]
    assert store.secret("s", "second") == secret == "first"
    store.close()
