"""
Contents of pictures and files, stored in a folder by their SHA-256.

File names are hashes only, so that no name given by a client becomes a path.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import md5, sha256
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from txwebqq.errors import InvalidConfiguration

_DIGEST = re.compile("[0-9a-f]{64}")
_INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Blob:
    """
    A stored content.

    @ivar digest: SHA-256, which identifies the blob.
    @ivar md5: MD5 in upper case, which WebQQ uses in names of pictures.
    @ivar size: in bytes.
    """

    digest: str
    md5: str
    size: int


class TooLarge(Exception):
    """
    The content is larger than the limit of its L{BlobWriter}.
    """


class BlobWriter:
    """
    A content that is being received, in a temporary file.

    @ivar size: the number of bytes so far.
    @ivar beginning: the first 16 bytes, which tell the type of the content.
    @ivar isKept: whether L{keep} has been called.
    """

    def __init__(self, blobs: BlobStore, limit: int) -> None:
        self._blobs = blobs
        self._limit = limit
        handle, name = tempfile.mkstemp(dir=blobs.incoming())
        self._file = os.fdopen(handle, "wb")
        self._path = Path(name)
        self._sha256 = sha256()
        # Only names pictures; no security depends on it.
        self._md5 = md5(usedforsecurity=False)
        self._note: Path | None = None
        self.size = 0
        self.beginning = b""
        self.isKept = False

    @property
    def blob(self) -> Blob:
        """
        The content so far, as it would be stored.
        """
        digest, md5 = self._sha256.hexdigest(), self._md5.hexdigest().upper()
        return Blob(digest, md5, self.size)

    def write(self, data: bytes) -> None:
        """
        Append data.

        @raise TooLarge: when the limit is exceeded; the temporary file is deleted
            then.
        """
        self.size += len(data)
        if self.size > self._limit:
            self.discard()
            raise TooLarge
        if len(self.beginning) < 16:
            self.beginning = (self.beginning + bytes(data[:16]))[:16]
        self._file.write(data)
        self._sha256.update(data)
        self._md5.update(data)

    def seal(self) -> None:
        """
        Write the content to the disk. Calling it twice does nothing.
        """
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def keep(self) -> Blob:
        """
        Finish the content and move it to its place in one atomic step. In a folder
        that several processes share it may be called again, when the transaction that
        stores its row is repeated; then L{discard} must follow when that is committed.
        """
        self.seal()
        blob = self.blob
        path = self._blobs.path(blob.digest)
        if self._blobs.isShared:
            if self._note is None:
                self._note = self._blobs.incoming() / f"{blob.digest}.{token_hex(8)}"
            self._note.touch(mode=0o600)
        if self._path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.replace(path)
        elif not path.exists():
            raise FileNotFoundError("a file that was received is no longer there")
        self.isKept = True
        return blob

    def discard(self) -> None:
        """
        Delete the temporary file. Calling it twice, or after L{keep}, does nothing.
        """
        self._file.close()
        self._path.unlink(missing_ok=True)
        note, self._note = self._note, None
        # Without a row the note stays, for removeAbandoned.
        if note is not None and self.isKept:
            note.unlink(missing_ok=True)


class BlobStore:
    """
    A folder of blobs.

    @param folder: the folder; with L{None} a temporary folder is made at the
        first use and deleted by L{close}.
    @param isShared: whether other processes receive contents into the folder, too.

    @raise InvalidConfiguration: when the folder cannot be used; says why.
    """

    def __init__(self, folder: Path | None = None, isShared: bool = False) -> None:
        self.isShared = isShared
        self._folder = folder
        self._temporary: weakref.finalize[[str, bool], BlobStore] | None = None
        if folder is not None:
            self._prepare(folder)

    def _prepare(self, folder: Path) -> None:
        incoming = folder / _INCOMING
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not self.isShared:
                # Remains of uploads when the server was killed.
                shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir(mode=0o700, exist_ok=self.isShared)
        except OSError as e:
            raise InvalidConfiguration(f"{folder}: {e.strerror or e}") from e

    def incoming(self) -> Path:
        """
        Return the folder of the temporary files.
        """
        return self._existingFolder() / _INCOMING

    def _existingFolder(self) -> Path:
        if self._folder is None:
            name = tempfile.mkdtemp(prefix="txwebqq-")
            self._temporary = weakref.finalize(self, shutil.rmtree, name, True)
            self._folder = Path(name)
            self._prepare(self._folder)
        return self._folder

    def begin(self, limit: int) -> BlobWriter:
        """
        Begin to receive a content.

        @param limit: the maximum size, in bytes.
        """
        return BlobWriter(self, limit)

    def path(self, digest: str) -> Path:
        """
        Return the path of a blob, which need not exist.

        @raise ValueError: when the digest is not a SHA-256 hash.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise ValueError("not a SHA-256 hash")
        return self._existingFolder() / digest[:2] / digest

    def open(self, digest: str) -> BinaryIO | None:
        """
        Open a blob for reading; return L{None} if it does not exist.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            return None

    def read(self, digest: str) -> bytes | None:
        """
        Return the content of a blob, L{None} if it does not exist.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, digests: Iterable[str]) -> None:
        """
        Delete the blobs with these digests.
        """
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def isOlder(self, digest: str, time: float) -> bool:
        """
        Check whether a blob was received before a time, in Unix seconds, or does not
        exist.
        """
        try:
            return self.path(digest).stat().st_mtime < time
        except FileNotFoundError:
            return True

    def removeAbandoned(self, before: float, isKnown: Callable[[str], bool]) -> None:
        """
        Delete what uploads have left whose process has ended.

        @param before: the time from before which uploads are over, in Unix seconds.
        @param isKnown: tells whether the database has a blob, by its digest.
        """
        with os.scandir(self.incoming()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat().st_mtime < before:
                        digest = entry.name.partition(".")[0]
                        if _DIGEST.fullmatch(digest) and not isKnown(digest):
                            self.remove([digest])
                        Path(entry.path).unlink()

    def close(self) -> None:
        """
        Delete the folder if it is a temporary one.
        """
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            temporary()
            self._folder = None
