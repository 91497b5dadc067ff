"""
Tables of pictures and files.
"""

from __future__ import annotations

from pathlib import Path

from txwebqq.model import Number
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.storage.media import OfflineFileRecord
from txwebqq.server.storage.store import Store

ONE, TWO = Number(10001), Number(10002)


def test_references(tmp_path: Path, store: Store) -> None:
    """
    A blob is kept as long as anything refers to it, after all else expired.
    """
    blobs = BlobStore(tmp_path / "b")
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
    store.media.expire(150, 50, 50)
    assert store.media.upload("/p") is not None
    store.media.expire(300, 101, 101)
    assert store.media.upload("/p") is None
    assert store.media.offlineFile("k") is None
    assert store.media.pictureFor("n", TWO) is None
    store.media.deleteCustomFace(ONE, "x.png")
    assert store.media.unused() == store.media.deleteUnused() == []
    store.media.setAvatar(1, ONE, None)
    assert store.media.unused() == [blob.digest]
    assert store.media.deleteUnused() == [blob.digest]
    assert store.media.unused() == store.media.deleteUnused() == []


def test_restart(tmp_path: Path) -> None:
    """
    Offline files and secrets survive a restart.
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
