"""
The bytes of pictures and files, in a folder, each under its own hash.

Only hashes are ever names of files here, so no name that somebody gives to a
file leads anywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5, sha256
from pathlib import Path
from typing import BinaryIO

from txwebqq.errors import InvalidConfiguration

_DIGEST = re.compile("[0-9a-f]{64}")
_INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Blob:
    """
    Bytes that are kept.

    @ivar digest: their SHA-256, which finds them.
    @ivar md5: what WebQQ calls pictures by.
    """

    digest: str
    md5: str
    size: int


class TooLarge(Exception):
    """
    A draft grew beyond its limit.
    """


class BlobWriter:
    """
    Bytes that are still coming.

    @ivar size: how many there are.
    @ivar beginning: the first of them, which tell what they are.
    """

    def __init__(self, blobs: BlobStore, limit: int) -> None:
        self._blobs = blobs
        self._limit = limit
        handle, name = tempfile.mkstemp(dir=blobs.incoming())
        self._file = os.fdopen(handle, "wb")
        self._path = Path(name)
        self._sha256 = sha256()
        # A name and no more: nothing here relies on it.
        self._md5 = md5(usedforsecurity=False)
        self.size = 0
        self.beginning = b""

    def write(self, data: bytes) -> None:
        """
        Add some.

        @raise TooLarge: when there are too many; the draft is gone then.
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

    def keep(self) -> Blob:
        """
        There are no more: put them where they belong, in one step.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        blob = Blob(self._sha256.hexdigest(), self._md5.hexdigest().upper(), self.size)
        path = self._blobs.path(blob.digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(path)
        return blob

    def discard(self) -> None:
        """
        Forget them. No harm in doing it twice, or after L{keep}.
        """
        self._file.close()
        self._path.unlink(missing_ok=True)


class BlobStore:
    """
    A folder of them.

    @param folder: where; L{None} for a temporary one, which is made when it is
        needed and gone after L{close}.

    @raise InvalidConfiguration: when the folder cannot be used, and why.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._temporary: weakref.finalize[[str, bool], BlobStore] | None = None
        if folder is not None:
            self._prepare(folder)

    def _prepare(self, folder: Path) -> None:
        incoming = folder / _INCOMING
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            # Whatever a killed server had half received.
            shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir(mode=0o700)
        except OSError as e:
            raise InvalidConfiguration(f"{folder}: {e.strerror or e}") from e

    def incoming(self) -> Path:
        """
        Where drafts lie.
        """
        return self._whole() / _INCOMING

    def _whole(self) -> Path:
        if self._folder is None:
            name = tempfile.mkdtemp(prefix="txwebqq-")
            self._temporary = weakref.finalize(self, shutil.rmtree, name, True)
            self._folder = Path(name)
            self._prepare(self._folder)
        return self._folder

    def begin(self, limit: int) -> BlobWriter:
        """
        Begin to receive something of at most so many bytes.
        """
        return BlobWriter(self, limit)

    def path(self, digest: str) -> Path:
        """
        Where the bytes with a hash lie, if they do.

        @raise ValueError: for what is no hash.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise ValueError("not a SHA-256 hash")
        return self._whole() / digest[:2] / digest

    def open(self, digest: str) -> BinaryIO | None:
        """
        The bytes with a hash, L{None} when they are not here.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            return None

    def read(self, digest: str) -> bytes | None:
        """
        All of the bytes with a hash, L{None} when they are not here.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, digests: Iterable[str]) -> None:
        """
        Delete what has these hashes.
        """
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def close(self) -> None:
        """
        Delete the temporary folder, if it is one.
        """
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            temporary()
            self._folder = None
