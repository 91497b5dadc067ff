"""
Table of the events of changes that an operator has made with C{webqq-admin}, until the
server has queued them for their recipients.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from txwebqq.databases.interface import Database
from txwebqq.model import Number
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedformat import decodeQueued, encodeQueued

OPERATOR_EVENT_SCHEMA = """
CREATE TABLE operator_event (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    recipients TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class OperatorEvent:
    """
    An event of a change that an operator has made.

    @ivar serial: higher than that of each earlier event.
    @ivar event: has no ids yet.
    """

    serial: int
    event: QueuedEvent
    recipients: list[Number]


class OperatorEventStore:
    """
    The events in the database. C{webqq-admin} adds them in the transaction of the
    change, and the server deletes them in that which queues them
    (L{EventChanges.operatorEvents
    <txwebqq.server.storage.messages.queue.EventChanges>}).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def add(self, event: QueuedEvent, recipients: Iterable[Number]) -> None:
        """
        Add an event.

        @param event: its ids and time are ignored.
        """
        self._db.execute(
            "INSERT INTO operator_event (body, recipients) VALUES (?, ?)",
            (encodeQueued(event), json.dumps(list(recipients))),
        )

    def after(self, serial: int) -> list[OperatorEvent]:
        """
        Return the events with higher serial numbers, without the recipients whose
        accounts were removed since.
        """
        rows = self._db.execute(
            "SELECT serial, body, recipients FROM operator_event"
            " WHERE serial > ? ORDER BY serial",
            (serial,),
        ).fetchall()
        return [
            OperatorEvent(
                number,
                decodeQueued(body),
                [each for each in json.loads(recipients) if self._isAccount(each)],
            )
            for number, body, recipients in rows
        ]

    def _isAccount(self, number: Number) -> bool:
        return self._database.exists("SELECT 1 FROM account WHERE number = ?", number)
