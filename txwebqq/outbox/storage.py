"""
The file of a queue.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import (
    Font,
    Number,
    PictureBytes,
    QueuedContent,
    QueuedMessage,
    Recipient,
    SendOutcome,
)
from txwebqq.outbox.storedform import (
    digestOf,
    readContent,
    readFont,
    readOutcome,
    readRecipient,
    writeContent,
    writeFont,
    writeOutcome,
    writeRecipient,
)
from txwebqq.sqlite.database import Database, Schema

QUEUE_SCHEMA = Schema(
    """
CREATE TABLE owner (
    number INTEGER NOT NULL,
    id TEXT NOT NULL DEFAULT '',
    detects INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    time REAL NOT NULL,
    key TEXT NOT NULL,
    font TEXT NOT NULL,
    content TEXT NOT NULL,
    ids TEXT NOT NULL DEFAULT '',
    begun INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',
    told INTEGER NOT NULL DEFAULT 0,
    token TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX message_by_key ON message (key) WHERE key != '';
CREATE TABLE picture (
    message INTEGER NOT NULL,
    digest TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (message, digest)
);
""",
    version=4,
    application=0x71717175,
    user="process",
)
"""The database: the account whose queue it is, whether the server recognises messages
that are sent again, and the C{id} from which older versions made C{token}; and the
messages. C{token} begins the ids by which the server recognises the parts. C{begun} is
1 while a message is being sent, and 2 from when an answer is lost. C{ids} are those of
the parts that were accepted, of which C{content} has the rest; C{told} is set when the
application knows the outcome. The bytes of its pictures are deleted then, and earlier
when all parts with them were accepted."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """
    A message in the file.

    @ivar serial: its row; later messages have higher ones.
    @ivar ids: the ids of the parts that the server has accepted.
    @ivar begun: whether it was being sent, or its next part, and the answer is not
        known.
    @ivar outcome: L{None} while it waits.
    @ivar token: a random text, which no other message has, also not in an older copy
        of the file.
    """

    serial: int
    message: QueuedMessage
    ids: tuple[int, ...]
    begun: bool
    outcome: SendOutcome | None
    token: str


_COLUMNS = "serial, recipient, time, key, font, content, ids, begun, outcome, token"

Row = tuple[int, str, float, str, str, str, str, int, str, str]


class QueueStore:
    """
    The messages of one account.

    Each change is on the disk when its method returns, also in the case of a power
    cut: a message that was accepted just before must not be sent again.

    @raise InvalidConfiguration: when the file cannot be used, or is of another
        account.
    """

    def __init__(self, path: str | Path, number: Number) -> None:
        self._database = Database(path, QUEUE_SCHEMA)
        self._db = self._database.connection
        try:
            owner, detects = self._readOwner(number)
        except sqlite3.Error as e:
            self._database.close()
            raise InvalidConfiguration(f"{path}: the queue cannot be read: {e}") from e
        if owner != number:
            self._database.close()
            raise InvalidConfiguration(
                f"{path}: the queue of account {owner}, not of {number}"
            )
        self._detects = bool(detects)

    def _readOwner(self, number: Number) -> tuple[int, int]:
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "INSERT INTO owner (number) SELECT ?"
            " WHERE NOT EXISTS (SELECT 1 FROM owner)",
            (number,),
        )
        # Those of an older version keep the ids with which they may have been sent.
        self._db.execute(
            "UPDATE message SET token = CASE id WHEN '' THEN lower(hex(randomblob(12)))"
            " ELSE id || '-' || serial END FROM owner WHERE token = ''"
        )
        row: tuple[int, int] = self._db.execute(
            "SELECT number, detects FROM owner"
        ).fetchone()
        return row

    @property
    def detects(self) -> bool:
        """
        Whether the server recognises messages that are sent again, so far as is known.
        """
        return self._detects

    @detects.setter
    def detects(self, detects: bool) -> None:
        if detects is not self._detects:
            self._db.execute("UPDATE owner SET detects = ?", (detects,))
            self._detects = detects

    def sendId(self, stored: StoredMessage) -> str:
        """
        Return the id of the next part of a message, by which the server recognises it.
        """
        return f"{stored.token}-{len(stored.ids)}"

    def close(self) -> None:
        """
        Close the file.
        """
        self._database.close()

    def add(
        self, to: Recipient, content: QueuedContent, font: Font, time: float, key: str
    ) -> int:
        """
        Write a message at the end.

        @return: its serial.

        @raise ValueError: when it contains the reference of a picture.
        """
        row = writeRecipient(to), time, key, writeFont(font), writeContent(content)
        with self._database.transaction():
            cursor = self._db.execute(
                "INSERT INTO message (recipient, time, key, font, content, token)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*row, token_hex(12)),
            )
            serial = cursor.lastrowid
            assert serial is not None
            for each in content:
                if isinstance(each, PictureBytes):
                    self._db.execute(
                        "INSERT OR IGNORE INTO picture (message, digest, data)"
                        " VALUES (?, ?, ?)",
                        (serial, digestOf(each), each.data),
                    )
        return serial

    def pictureBytes(self) -> int:
        """
        Count the bytes of the pictures that are stored.
        """
        (count,) = self._db.execute(
            "SELECT coalesce(sum(length(data)), 0) FROM picture"
        ).fetchone()
        return int(count)

    def _deletePictures(self, serial: int, rest: QueuedContent = ()) -> None:
        """
        Delete the pictures of a message, but for those of the rest of it.
        """
        kept = {digestOf(each) for each in rest if isinstance(each, PictureBytes)}
        rows = self._db.execute(
            "SELECT digest FROM picture WHERE message = ?", (serial,)
        ).fetchall()
        for (digest,) in rows:
            if digest not in kept:
                self._db.execute(
                    "DELETE FROM picture WHERE message = ? AND digest = ?",
                    (serial, digest),
                )

    def get(self, serial: int) -> StoredMessage:
        """
        Read a message that is there.
        """
        row: Row = self._db.execute(
            f"SELECT {_COLUMNS} FROM message WHERE serial = ?", (serial,)
        ).fetchone()
        return self._read(row)

    def withKey(self, key: str) -> StoredMessage | None:
        """
        Read the message with a key, L{None} if there is none.
        """
        row: Row | None = self._db.execute(
            f"SELECT {_COLUMNS} FROM message WHERE key = ? AND key != ''", (key,)
        ).fetchone()
        return None if row is None else self._read(row)

    def waiting(self) -> list[tuple[int, Recipient, float, bool]]:
        """
        List the messages without an outcome, in order: serial, recipient, time, and
        whether it was being sent.
        """
        rows = self._db.execute(
            "SELECT serial, recipient, time, begun FROM message WHERE outcome = ''"
            " ORDER BY serial"
        )
        return [
            (serial, readRecipient(to), time, bool(begun))
            for serial, to, time, begun in rows
        ]

    def untold(self) -> list[int]:
        """
        List the messages whose outcome the application has not been told.
        """
        rows = self._db.execute(
            "SELECT serial FROM message WHERE outcome != '' AND NOT told"
            " ORDER BY serial"
        )
        return [serial for (serial,) in rows]

    def begin(self, serial: int) -> None:
        """
        Record that a message, or its next part, is being sent.
        """
        self._db.execute(
            "UPDATE message SET begun = 1 WHERE serial = ? AND NOT begun", (serial,)
        )

    def doubt(self, serial: int) -> None:
        """
        Record that the answer to a message, or to its next part, is lost.
        """
        self._db.execute("UPDATE message SET begun = 2 WHERE serial = ?", (serial,))

    def revert(self, serial: int) -> None:
        """
        Record that it was not sent, this time.
        """
        self._db.execute(
            "UPDATE message SET begun = 0 WHERE serial = ? AND begun = 1", (serial,)
        )

    def advance(self, stored: StoredMessage, part: int, rest: QueuedContent) -> None:
        """
        Record that the next part was accepted.

        @param part: the id of the part.
        @param rest: the rest of the message.
        """
        ids = " ".join(map(str, (*stored.ids, part)))
        with self._database.transaction():
            self._db.execute(
                "UPDATE message SET begun = 0, ids = ?, content = ? WHERE serial = ?",
                (ids, writeContent(rest), stored.serial),
            )
            self._deletePictures(stored.serial, rest)

    def settle(self, serial: int, outcome: SendOutcome) -> None:
        """
        Record an outcome.
        """
        self._db.execute(
            "UPDATE message SET outcome = ? WHERE serial = ?",
            (writeOutcome(outcome), serial),
        )

    def told(self, serial: int) -> None:
        """
        Record that the application knows the outcome. Only a message with a key is
        kept, so that it is not sent again.
        """
        with self._database.transaction():
            self._db.execute("UPDATE message SET told = 1 WHERE serial = ?", (serial,))
            self._db.execute(
                "DELETE FROM message WHERE serial = ? AND key = ''", (serial,)
            )
            self._deletePictures(serial)

    def remove(self, serial: int) -> None:
        """
        Delete a message.
        """
        with self._database.transaction():
            self._db.execute("DELETE FROM message WHERE serial = ?", (serial,))
            self._deletePictures(serial)

    def forget(self, before: float) -> None:
        """
        Delete the messages that were put there before a time, whose outcome is known
        and told.
        """
        self._db.execute("DELETE FROM message WHERE told AND time < ?", (before,))

    def _read(self, row: Row) -> StoredMessage:
        serial, to, time, key, font, written, ids, begun, outcome, token = row
        pictures = self._db.execute(
            "SELECT digest, data FROM picture WHERE message = ?", (serial,)
        )
        content = readContent(written, dict(pictures.fetchall()))
        message = QueuedMessage(readRecipient(to), content, time, key, readFont(font))
        return StoredMessage(
            serial,
            message,
            tuple(map(int, ids.split())),
            bool(begun),
            readOutcome(outcome, content) if outcome else None,
            token,
        )
