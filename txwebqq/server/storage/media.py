"""
What the database knows of pictures and files; their bytes lie in
L{txwebqq.server.storage.blobs}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.storage.blobs import Blob
from txwebqq.server.storage.tables import TableGroup

MEDIA_SCHEMA = """
CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    md5 TEXT NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE shelf (
    owner INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (owner, name)
) WITHOUT ROWID;
CREATE TABLE deposit (
    path TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    is_picture INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deposit_by_owner ON deposit (owner, time);
CREATE TABLE picture (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    sender INTEGER NOT NULL,
    digest TEXT NOT NULL,
    time INTEGER NOT NULL
);
CREATE INDEX picture_by_name ON picture (name);
CREATE TABLE picture_reader (
    picture INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (picture, number)
) WITHOUT ROWID;
CREATE TABLE handout (
    key TEXT PRIMARY KEY,
    sender INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    expires INTEGER NOT NULL,
    fetched INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE avatar (
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """
    A file that somebody has left with us, to be sent.
    """

    owner: Number
    digest: str
    name: str
    size: int
    isPicture: bool


@dataclass(frozen=True, slots=True)
class OfflineFileRecord:
    """
    A file that waits for somebody.

    @ivar key: what fetches it.
    @ivar expires: Unix seconds.
    @ivar fetched: whether that has been done.
    """

    key: str = field(repr=False)
    sender: Number
    recipient: Number
    digest: str
    name: str
    size: int
    expires: int
    fetched: bool = False


class MediaStorage(Protocol):
    """
    What the rules of pictures and files keep.
    """

    def secret(self, name: str, fresh: str) -> str: ...

    def noteBlob(self, blob: Blob) -> None: ...

    def addCustomFace(
        self, owner: Number, name: str, blob: Blob, time: int
    ) -> bool: ...

    def customFaces(self, owner: Number) -> list[tuple[str, int, int]]: ...

    def customFace(self, owner: Number, name: str) -> str | None: ...

    def deleteCustomFace(self, owner: Number, name: str) -> bool: ...

    def addUpload(
        self,
        path: str,
        owner: Number,
        blob: Blob,
        name: str,
        isPicture: bool,
        time: int,
    ) -> None: ...

    def upload(self, path: str) -> UploadedFile | None: ...

    def uploadedSince(self, owner: Number, time: int) -> tuple[int, int]: ...

    def sendPicture(
        self,
        name: str,
        sender: Number,
        digest: str,
        time: int,
        readers: Iterable[Number],
    ) -> int: ...

    def pictureFor(
        self, name: str, reader: Number, sender: Number | None = None
    ) -> str | None: ...

    def addOfflineFile(self, offlineFile: OfflineFileRecord) -> None: ...

    def offlineFile(self, key: str) -> OfflineFileRecord | None: ...

    def offlineFiles(
        self, sender: Number, recipient: Number
    ) -> list[OfflineFileRecord]: ...

    def markFetched(self, key: str) -> None: ...

    def deleteOfflineFile(self, key: str) -> None: ...

    def avatar(self, kind: int, number: Number) -> str | None: ...

    def setAvatar(self, kind: int, number: Number, digest: str | None) -> None: ...

    def expireMedia(
        self, now: int, depositsBefore: int, picturesBefore: int
    ) -> list[str]: ...


class MediaStore(TableGroup):
    """
    The part of the store that answers for pictures and files.
    """

    def secret(self, name: str, fresh: str) -> str:
        """
        A secret of this server: the one that it has, or from now on this one.
        """
        self._db.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, fresh))
        (value,) = self._db.execute(
            "SELECT value FROM secret WHERE name = ?", (name,)
        ).fetchone()
        return str(value)

    def noteBlob(self, blob: Blob) -> None:
        """
        Note that bytes are kept; unless something refers to them, not long.
        """
        self._db.execute(
            "INSERT OR IGNORE INTO blob VALUES (?, ?, ?)",
            (blob.digest, blob.md5, blob.size),
        )

    # ---- custom faces

    def addCustomFace(self, owner: Number, name: str, blob: Blob, time: int) -> bool:
        """
        Put a picture among somebody's custom faces.

        @return: whether it was not there yet.
        """
        with self._database.transaction():
            self.noteBlob(blob)
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO shelf VALUES (?, ?, ?, ?)",
                (owner, name, blob.digest, time),
            )
        return cursor.rowcount == 1

    def customFaces(self, owner: Number) -> list[tuple[str, int, int]]:
        """
        The names, times and sizes of somebody's custom faces.
        """
        rows = self._db.execute(
            "SELECT s.name, s.time, b.size FROM shelf s JOIN blob b"
            " ON b.digest = s.digest WHERE s.owner = ? ORDER BY s.time, s.name",
            (owner,),
        )
        return [(name, time, size) for name, time, size in rows]

    def customFace(self, owner: Number, name: str) -> str | None:
        """
        The digest of one of somebody's custom faces.
        """
        return self._one(
            "SELECT digest FROM shelf WHERE owner = ? AND name = ?", owner, name
        )

    def deleteCustomFace(self, owner: Number, name: str) -> bool:
        """
        Take it away.

        @return: whether it was there.
        """
        cursor = self._db.execute(
            "DELETE FROM shelf WHERE owner = ? AND name = ?", (owner, name)
        )
        return cursor.rowcount == 1

    # ---- deposits

    def addUpload(
        self,
        path: str,
        owner: Number,
        blob: Blob,
        name: str,
        isPicture: bool,
        time: int,
    ) -> None:
        """
        Note a file that somebody has left with us.
        """
        with self._database.transaction():
            self.noteBlob(blob)
            self._db.execute(
                "INSERT INTO deposit VALUES (?, ?, ?, ?, ?, ?)",
                (path, owner, blob.digest, name, int(isPicture), time),
            )

    def upload(self, path: str) -> UploadedFile | None:
        """
        The file that was left under a path.
        """
        row = self._db.execute(
            "SELECT d.owner, d.digest, d.name, b.size, d.is_picture"
            " FROM deposit d JOIN blob b ON b.digest = d.digest WHERE d.path = ?",
            (path,),
        ).fetchone()
        if row is None:
            return None
        owner, digest, name, size, isPicture = row
        return UploadedFile(owner, digest, name, size, bool(isPicture))

    def uploadedSince(self, owner: Number, time: int) -> tuple[int, int]:
        """
        How many files somebody has left since then, and their bytes.
        """
        count, size = self._db.execute(
            "SELECT count(*), ifnull(sum(b.size), 0) FROM deposit d"
            " JOIN blob b ON b.digest = d.digest WHERE d.owner = ? AND d.time >= ?",
            (owner, time),
        ).fetchone()
        return count, size

    # ---- pictures

    def sendPicture(
        self,
        name: str,
        sender: Number,
        digest: str,
        time: int,
        readers: Iterable[Number],
    ) -> int:
        """
        Let some people fetch a picture.

        @return: its id.
        """
        with self._database.transaction():
            cursor = self._db.execute(
                "INSERT INTO picture (name, sender, digest, time) VALUES (?, ?, ?, ?)",
                (name, sender, digest, time),
            )
            number = cursor.lastrowid
            assert number is not None
            self._db.executemany(
                "INSERT OR IGNORE INTO picture_reader VALUES (?, ?)",
                [(number, reader) for reader in readers],
            )
        return number

    def pictureFor(
        self, name: str, reader: Number, sender: Number | None = None
    ) -> str | None:
        """
        The digest of the last picture with a name that somebody was sent, or
        has sent.

        @param sender: who must have sent it, L{None} for anybody.
        """
        return self._one(
            "SELECT p.digest FROM picture p WHERE p.name = ?1"
            " AND (?3 IS NULL OR p.sender = ?3)"
            " AND (p.sender = ?2 OR EXISTS (SELECT 1 FROM picture_reader r"
            " WHERE r.picture = p.id AND r.number = ?2)) ORDER BY p.id DESC",
            name,
            reader,
            sender,
        )

    # ---- files that wait

    def addOfflineFile(self, offlineFile: OfflineFileRecord) -> None:
        """
        Let a file wait for somebody.
        """
        self._db.execute(
            "INSERT INTO handout (key, sender, recipient, digest, name, expires)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                offlineFile.key,
                offlineFile.sender,
                offlineFile.recipient,
                offlineFile.digest,
                offlineFile.name,
                offlineFile.expires,
            ),
        )

    def offlineFile(self, key: str) -> OfflineFileRecord | None:
        """
        The file with a key.
        """
        return next(self._offlineFiles("h.key = ?", key), None)

    def offlineFiles(
        self, sender: Number, recipient: Number
    ) -> list[OfflineFileRecord]:
        """
        The files of somebody that wait for somebody else, oldest first.
        """
        return list(
            self._offlineFiles(
                "h.sender = ? AND h.recipient = ? ORDER BY h.expires", sender, recipient
            )
        )

    def _offlineFiles(
        self, condition: str, *values: str | int
    ) -> Iterator[OfflineFileRecord]:
        rows = self._db.execute(
            "SELECT h.key, h.sender, h.recipient, h.digest, h.name, b.size,"
            " h.expires, h.fetched FROM handout h"
            f" JOIN blob b ON b.digest = h.digest WHERE {condition}",
            values,
        ).fetchall()
        return (
            replace(OfflineFileRecord(*row[:7]), fetched=bool(row[7])) for row in rows
        )

    def markFetched(self, key: str) -> None:
        """
        Note that a file has been fetched.
        """
        self._db.execute("UPDATE handout SET fetched = 1 WHERE key = ?", (key,))

    def deleteOfflineFile(self, key: str) -> None:
        """
        Let a file wait no longer.
        """
        self._db.execute("DELETE FROM handout WHERE key = ?", (key,))

    # ---- avatars

    def avatar(self, kind: int, number: Number) -> str | None:
        """
        The digest of an avatar, L{None} if it is the usual one.
        """
        return self._one(
            "SELECT digest FROM avatar WHERE kind = ? AND number = ?", kind, number
        )

    def setAvatar(self, kind: int, number: Number, digest: str | None) -> None:
        """
        Change an avatar.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM avatar WHERE kind = ? AND number = ?", (kind, number)
            )
            if digest is not None:
                self._db.execute(
                    "INSERT INTO avatar VALUES (?, ?, ?)", (kind, number, digest)
                )

    def _one(self, query: str, *values: str | int | None) -> str | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else str(row[0])

    # ---- time

    def expireMedia(
        self, now: int, depositsBefore: int, picturesBefore: int
    ) -> list[str]:
        """
        Forget what is too old, and the bytes that nothing refers to.

        @return: the digests of those bytes.
        """
        with self._database.transaction():
            for query, value in (
                ("DELETE FROM deposit WHERE time < ?", depositsBefore),
                ("DELETE FROM handout WHERE expires < ?", now),
                ("DELETE FROM picture WHERE time < ?", picturesBefore),
            ):
                self._db.execute(query, (value,))
            self._db.execute(
                "DELETE FROM picture_reader"
                " WHERE picture NOT IN (SELECT id FROM picture)"
            )
            rows = self._db.execute(
                "DELETE FROM blob WHERE digest NOT IN ("
                "SELECT digest FROM shelf UNION SELECT digest FROM deposit"
                " UNION SELECT digest FROM picture UNION SELECT digest FROM handout"
                " UNION SELECT digest FROM avatar) RETURNING digest"
            ).fetchall()
        return [digest for (digest,) in rows]
