"""
Tables of pictures and files. Their bytes are stored by
L{txwebqq.server.storage.blobs}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from txwebqq.databases.interface import Database
from txwebqq.model import Number
from txwebqq.server.storage.blobs import Blob

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
CREATE INDEX shelf_by_digest ON shelf (digest);
CREATE TABLE deposit (
    path TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    is_picture INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deposit_by_owner ON deposit (owner, time);
CREATE INDEX deposit_by_time ON deposit (time);
CREATE INDEX deposit_by_digest ON deposit (digest);
CREATE TABLE picture (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    sender INTEGER NOT NULL,
    digest TEXT NOT NULL,
    time INTEGER NOT NULL
);
CREATE INDEX picture_by_name ON picture (name);
CREATE INDEX picture_by_time ON picture (time);
CREATE INDEX picture_by_digest ON picture (digest);
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
CREATE INDEX handout_by_expires ON handout (expires);
CREATE INDEX handout_by_sender ON handout (sender, recipient);
CREATE INDEX handout_by_digest ON handout (digest);
CREATE TABLE group_file (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    room INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    time INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX group_file_by_room ON group_file (room);
CREATE INDEX group_file_by_expires ON group_file (expires);
CREATE INDEX group_file_by_digest ON group_file (digest);
CREATE TABLE avatar (
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
CREATE INDEX avatar_by_digest ON avatar (digest);
"""

_UNUSED = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM {table} r WHERE r.digest = blob.digest)"
    for table in ("shelf", "deposit", "picture", "handout", "group_file", "avatar")
)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """
    A file that an account has uploaded in order to send it.

    @ivar owner: the account.
    @ivar digest: identifies the blob.
    @ivar size: in bytes.
    """

    owner: Number
    digest: str
    name: str
    size: int
    isPicture: bool


@dataclass(frozen=True, slots=True)
class OfflineFileRecord:
    """
    A file that waits on the server for its recipient.

    @ivar key: identifies the file in the download URL.
    @ivar digest: identifies the blob.
    @ivar size: in bytes.
    @ivar expires: Unix seconds.
    @ivar fetched: whether the recipient has downloaded it.
    """

    key: str = field(repr=False)
    sender: Number
    recipient: Number
    digest: str
    name: str
    size: int
    expires: int
    fetched: bool = False


@dataclass(frozen=True, slots=True)
class GroupFileRecord:
    """
    A file that a member has shared in a group.

    @ivar key: identifies the file, and is told to members only.
    @ivar digest: identifies the blob.
    @ivar size: in bytes.
    @ivar time: Unix seconds.
    @ivar expires: Unix seconds.
    """

    key: str = field(repr=False)
    group: Number
    sender: Number
    digest: str
    name: str
    size: int
    time: int
    expires: int


class MediaStore:
    """
    The pictures and files in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def addBlob(self, blob: Blob) -> None:
        """
        Add a blob. The next expiry deletes it if no row refers to it.
        """
        self._db.execute(
            "INSERT INTO blob VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (blob.digest, blob.md5, blob.size),
        )

    def addCustomFace(self, owner: Number, name: str, blob: Blob, time: int) -> bool:
        """
        Add a picture to an account's custom faces.

        @return: whether it was added; false if the name is taken.
        """
        with self._database.transaction():
            self.addBlob(blob)
            cursor = self._db.execute(
                "INSERT INTO shelf VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (owner, name, blob.digest, time),
            )
        return cursor.rowcount == 1

    def customFaces(self, owner: Number) -> list[tuple[str, int, int]]:
        """
        Return the names, times and sizes of an account's custom faces.
        """
        rows = self._db.execute(
            "SELECT s.name, s.time, b.size FROM shelf s JOIN blob b"
            " ON b.digest = s.digest WHERE s.owner = ? ORDER BY s.time, s.name",
            (owner,),
        )
        return [(name, time, size) for name, time, size in rows]

    def customFace(self, owner: Number, name: str) -> str | None:
        """
        Return the digest of a custom face, or L{None} if the account has none
        of this name.
        """
        return self._one(
            "SELECT digest FROM shelf WHERE owner = ? AND name = ?", owner, name
        )

    def deleteCustomFace(self, owner: Number, name: str) -> bool:
        """
        Delete a custom face.

        @return: whether it existed.
        """
        cursor = self._db.execute(
            "DELETE FROM shelf WHERE owner = ? AND name = ?", (owner, name)
        )
        return cursor.rowcount == 1

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
        Add a file that an account has uploaded in order to send it.

        @param path: identifies the upload.
        """
        with self._database.transaction():
            self.addBlob(blob)
            self._db.execute(
                "INSERT INTO deposit VALUES (?, ?, ?, ?, ?, ?)",
                (path, owner, blob.digest, name, int(isPicture), time),
            )

    def upload(self, path: str) -> UploadedFile | None:
        """
        Return the upload with a path, or L{None} if there is none.
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
        Return the number of files and custom faces that an account has uploaded
        since a time, and their size in bytes.
        """
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(b.size), 0) FROM ("
            "SELECT digest FROM deposit WHERE owner = ?1 AND time >= ?2"
            " UNION ALL SELECT digest FROM shelf WHERE owner = ?1 AND time >= ?2"
            ") u JOIN blob b ON b.digest = u.digest",
            (owner, time),
        ).fetchone()
        return count, size

    def addPicture(
        self,
        name: str,
        sender: Number,
        digest: str,
        time: int,
        readers: Iterable[Number],
    ) -> int:
        """
        Add a picture that was sent, with the accounts that may download it.

        @return: the id of the picture.
        """
        with self._database.transaction():
            cursor = self._db.execute(
                "INSERT INTO picture (name, sender, digest, time) VALUES (?, ?, ?, ?)"
                " RETURNING id",
                (name, sender, digest, time),
            )
            number = int(cursor.fetchone()[0])
            self._db.executemany(
                "INSERT INTO picture_reader VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(number, reader) for reader in readers],
            )
        return number

    def pictureFor(
        self, name: str, reader: Number, sender: Number | None = None
    ) -> str | None:
        """
        Return the digest of the newest picture with a name that an account has
        sent or received.

        @param sender: the account that must have sent it, L{None} for any.
        """
        return self._one(
            "SELECT p.digest FROM picture p WHERE p.name = ?1"
            " AND p.sender = coalesce(?3, p.sender)"
            " AND (p.sender = ?2 OR EXISTS (SELECT 1 FROM picture_reader r"
            " WHERE r.picture = p.id AND r.number = ?2)) ORDER BY p.id DESC",
            name,
            reader,
            sender,
        )

    def addOfflineFile(self, offlineFile: OfflineFileRecord) -> None:
        """
        Add an offline file for its recipient.
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
        Return the offline file with a key, or L{None} if there is none.
        """
        return next(self._offlineFiles("h.key = ?", key), None)

    def offlineFiles(
        self, sender: Number, recipient: Number
    ) -> list[OfflineFileRecord]:
        """
        Return the offline files of one account for another, the oldest
        first.
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
        Record that an offline file has been downloaded.
        """
        self._db.execute("UPDATE handout SET fetched = 1 WHERE key = ?", (key,))

    def deleteOfflineFile(self, key: str) -> None:
        """
        Delete an offline file.
        """
        self._db.execute("DELETE FROM handout WHERE key = ?", (key,))

    def addGroupFile(self, groupFile: GroupFileRecord) -> None:
        """
        Add a file to a group.
        """
        self._db.execute(
            "INSERT INTO group_file (key, room, sender, digest, name, time, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                groupFile.key,
                groupFile.group,
                groupFile.sender,
                groupFile.digest,
                groupFile.name,
                groupFile.time,
                groupFile.expires,
            ),
        )

    def groupFile(self, key: str) -> GroupFileRecord | None:
        """
        Return the file of a group with a key, or L{None} if there is none.
        """
        return next(self._groupFiles("g.key = ?", key), None)

    def groupFiles(self, group: Number) -> list[GroupFileRecord]:
        """
        Return the files of a group, the oldest first.
        """
        return list(self._groupFiles("g.room = ? ORDER BY g.id", group))

    def _groupFiles(
        self, condition: str, *values: str | int
    ) -> Iterator[GroupFileRecord]:
        rows = self._db.execute(
            "SELECT g.key, g.room, g.sender, g.digest, g.name, b.size, g.time,"
            " g.expires FROM group_file g"
            f" JOIN blob b ON b.digest = g.digest WHERE {condition}",
            values,
        ).fetchall()
        return (GroupFileRecord(*row) for row in rows)

    def groupFileCounts(
        self, group: Number, sender: Number, now: int
    ) -> tuple[int, int]:
        """
        Return the number of files in a group, and of those that one member has
        shared; files that have expired are not counted.
        """
        count, own = self._db.execute(
            "SELECT count(*), count(*) FILTER (WHERE sender = ?) FROM group_file"
            " WHERE room = ? AND expires > ?",
            (sender, group, now),
        ).fetchone()
        return count, own

    def deleteGroupFile(self, key: str) -> None:
        """
        Delete a file of a group.
        """
        self._db.execute("DELETE FROM group_file WHERE key = ?", (key,))

    def avatar(self, kind: int, number: Number) -> str | None:
        """
        Return the digest of an avatar, or L{None} for the default one.
        """
        return self._one(
            "SELECT digest FROM avatar WHERE kind = ? AND number = ?", kind, number
        )

    def setAvatar(self, kind: int, number: Number, digest: str | None) -> None:
        """
        Set an avatar, or with L{None} reset it to the default one.
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

    def expire(self, now: int, uploadsBefore: int, picturesBefore: int) -> None:
        """
        Delete what is too old.

        @param now: the time, to which offline files and files of groups expire.
        @param uploadsBefore: delete uploads from before this time.
        @param picturesBefore: delete pictures from before this time.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM picture_reader"
                " WHERE picture IN (SELECT id FROM picture WHERE time < ?)",
                (picturesBefore,),
            )
            for query, value in (
                ("DELETE FROM deposit WHERE time < ?", uploadsBefore),
                ("DELETE FROM handout WHERE expires < ?", now),
                ("DELETE FROM group_file WHERE expires < ?", now),
                ("DELETE FROM picture WHERE time < ?", picturesBefore),
            ):
                self._db.execute(query, (value,))

    def unused(self) -> list[str]:
        """
        Return the digests of the blobs that nothing refers to.
        """
        rows = self._db.execute(f"SELECT digest FROM blob WHERE {_UNUSED}")
        return [digest for (digest,) in rows]

    def unusedOf(self, digests: Iterable[str]) -> list[str]:
        """
        Return those of some digests whose blobs nothing refers to.
        """
        db = self._db
        query = f"SELECT digest FROM blob WHERE digest = ? AND {_UNUSED}"
        return [each for each in digests if db.execute(query, (each,)).fetchone()]

    def deleteUnused(self) -> list[str]:
        """
        Delete the blobs that nothing refers to.

        @return: their digests.
        """
        rows = self._db.execute(f"DELETE FROM blob WHERE {_UNUSED} RETURNING digest")
        return [digest for (digest,) in rows]

    def deleteBlobs(self, digests: Iterable[str]) -> None:
        """
        Delete blobs that nothing refers to.
        """
        self._db.executemany(
            "DELETE FROM blob WHERE digest = ?", [(each,) for each in digests]
        )

    def hasBlob(self, digest: str) -> bool:
        """
        Check whether a blob is in the database.
        """
        return self._database.exists("SELECT 1 FROM blob WHERE digest = ?", digest)
