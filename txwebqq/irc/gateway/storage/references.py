"""
References to single messages of the history: by the msgid of IRC, and by the id
that QQ has given them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.rows import COLUMNS, HERE, MessageRows, here
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import Database

# SQLite would look at all messages of the conversation, and uses a partial index
# only with its condition.
_BY_ID = "INDEXED BY said_by_qq_id WHERE qq_id = ? AND qq_id != 0"


class MessageReferences:
    """
    Finds messages of all users by their ids, also those that were recalled, whose
    command and text are C{""}. None is found while the database cannot be read.

    @param begin: begins a transaction.
    """

    def __init__(
        self, database: Database, rows: MessageRows, begin: Callable[[], object]
    ) -> None:
        self._db = database.connection
        self._rows = rows
        self._begin = begin

    def msgid(self, serial: int) -> str:
        """
        Return the msgid of the message with a serial.
        """
        return self._rows.msgid(serial)

    def withMsgid(self, user: str, target: Target, msgid: str) -> HistoryMessage | None:
        """
        Return the message of a conversation with this msgid.
        """
        serial = self._rows.serial(msgid)
        if serial is None:
            return None
        condition = f"WHERE serial = ? AND {HERE}"
        return self._first(condition, serial, *here(user, target))

    def withSerial(self, user: str, serial: int) -> HistoryMessage | None:
        """
        Return the message with this serial.
        """
        return self._first("WHERE serial = ? AND user = ?", serial, user)

    def withId(
        self, user: str, target: Target, account: int, messageId: int
    ) -> HistoryMessage | None:
        """
        Return the message of a conversation to which QQ has given this id.

        @param account: the account that was told the id; if several messages have
            it, its message is returned.
        """
        return self._first(
            f"{_BY_ID} AND {HERE} ORDER BY account = ? DESC, serial DESC",
            messageId,
            *here(user, target),
            account,
        )

    def sentToContact(
        self, user: str, account: int, messageId: int
    ) -> HistoryMessage | None:
        """
        Return the message with this id that an account has sent to a contact.
        """
        return self._first(
            f"{_BY_ID} AND user = ? AND kind = ? AND account = ?"
            " AND sender = account ORDER BY serial DESC",
            messageId,
            user,
            int(TargetKind.CONTACT),
            account,
        )

    def _first(self, condition: str, *values: object) -> HistoryMessage | None:
        select = f"SELECT {COLUMNS} FROM said {condition} LIMIT 1"
        try:
            found = self._rows.read(self._db.execute(select, values))
        except sqlite3.Error:
            # Better a message without its reference than none.
            return None
        return found[0] if found else None

    def recall(self, serial: int) -> None:
        """
        Delete the text of a message, which is not shown any more. While the
        database cannot be written to, the message stays as it is.
        """
        with suppress(sqlite3.Error):
            self._begin()
            self._db.execute(
                "UPDATE said SET command = '', text = '' WHERE serial = ?", (serial,)
            )
