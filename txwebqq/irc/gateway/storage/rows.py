"""
Rows of the table of messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Number

COLUMNS = (
    "serial, user, kind, place, time, account, sender, nick, command, text, origin,"
    " qq_id, earlier, reply"
)
"""The columns that L{MessageRows.read} reads."""

HERE = "user = ? AND kind = ? AND place = ?"
"""The condition for the messages of one conversation; L{here} are its values."""

IS_SHOWN = "command != ''"
"""The condition for the messages that were not recalled."""

_MSGID = re.compile("([0-9a-f]+)-([0-9a-f]{1,15})")


def here(user: str, target: Target) -> tuple[str, int, int]:
    """
    Return the values for L{HERE}.
    """
    return (user, int(target.kind), target.number)


class MessageRows:
    """
    Reads rows as messages.

    @param salt: the part of msgids that is the same in one database.
    """

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def msgid(self, serial: int) -> str:
        """
        Return the msgid of the message with a serial.
        """
        return f"{self._salt}-{serial:x}"

    def serial(self, msgid: str) -> int | None:
        """
        Return the serial of the message with a msgid, L{None} for a msgid of
        another database.
        """
        found = _MSGID.fullmatch(msgid)
        return int(found[2], 16) if found and found[1] == self._salt else None

    def read(self, rows: Iterable[Sequence[Any]]) -> list[HistoryMessage]:
        """
        Return the messages of rows with L{COLUMNS}.
        """
        return [
            HistoryMessage(
                user,
                Target(TargetKind(kind), place),
                time,
                Number(account),
                Number(sender),
                nick,
                text,
                command,
                origin,
                serial,
                self.msgid(serial),
                qqId,
                tuple(map(int, earlier.split())),
                reply,
            )
            for (
                serial,
                user,
                kind,
                place,
                time,
                account,
                sender,
                nick,
                command,
                text,
                origin,
                qqId,
                earlier,
                reply,
            ) in rows
        ]
