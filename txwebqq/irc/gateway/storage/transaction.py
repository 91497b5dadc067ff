"""
The transaction of one turn of the reactor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol

from txwebqq.sqlite.database import Database


class ScheduledCall(Protocol):
    """
    A call that was scheduled.
    """

    def active(self) -> object:
        """
        Check whether the call is still to come.
        """

    def cancel(self) -> object:
        """
        Cancel the call.
        """


CallLater = Callable[[float, Callable[[], object]], ScheduledCall]
"""Schedules a call after some seconds, as C{IReactorTime.callLater}."""


class TurnTransaction:
    """
    Writes what is written in one turn of the reactor in one transaction. An
    acknowledgement to a QQ server follows the commit of what was written in the
    callbacks of its events: the commit is scheduled within them, and the next poll
    after them; a logout, which waits for no turn, is sent within L{atOnce}. Lines to
    clients over plain TCP follow the commit too:
    L{OutputTurn<txwebqq.irc.gateway.sendqueue.OutputTurn>} commits first.

    A commit takes several times as long as a write, so this makes a burst of
    messages, or a group message to several users, three times as cheap to
    store.

    @param callLater: without it, each statement is its own transaction.
    @param committing: called before each commit, to add to the transaction.
    @param rolledBack: called after a transaction was rolled back.
    """

    def __init__(
        self,
        database: Database,
        callLater: CallLater | None,
        committing: Callable[[], object],
        rolledBack: Callable[[], object],
    ) -> None:
        self._db = database.connection
        self._callLater = callLater
        self._committing = committing
        self._rolledBack = rolledBack
        self._turn: ScheduledCall | None = None
        self._onLost: list[Callable[[sqlite3.Error], object]] = []

    def begin(self) -> None:
        """
        Begin a transaction, unless this turn has one.

        @raise sqlite3.Error: when that fails.
        """
        self.check()
        if self._callLater is not None and self._turn is None:
            self._db.execute("BEGIN IMMEDIATE")
            self._turn = self._callLater(0, self._cbTurnEnded)

    def check(self) -> None:
        """
        Look whether SQLite has rolled back by itself, as it does when the disk is
        full.
        """
        if self._turn is not None and not self._db.in_transaction:
            self._fail(sqlite3.OperationalError("the transaction was rolled back"))

    def onLost(self, call: Callable[[sqlite3.Error], object]) -> None:
        """
        Call a function with the error if what was written last is lost. Not
        called when each statement is its own transaction.
        """
        if self._turn is not None:
            self._onLost.append(call)

    def commit(self) -> None:
        """
        Commit now. No effect without a transaction.

        @raise sqlite3.Error: when that fails.
        """
        self.check()
        if self._turn is None:
            return
        try:
            self._committing()
            self._db.execute("COMMIT")
        except sqlite3.Error as e:
            self._fail(e)
            raise
        self._end()

    @contextmanager
    def atOnce(self) -> Iterator[None]:
        """
        Commit now, and each statement of a C{with} block by itself. When the commit
        fails, those whose writes are lost are told.
        """
        with suppress(sqlite3.Error):
            self.commit()
        callLater, self._callLater = self._callLater, None
        try:
            yield
        finally:
            self._callLater = callLater

    def _cbTurnEnded(self) -> None:
        # Those whose writes are lost have been told.
        with suppress(sqlite3.Error):
            self.commit()

    def _fail(self, error: sqlite3.Error) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._rolledBack()
        # An exception of one keeps none of the others from being told.
        with ExitStack() as calls:
            for call in reversed(self._end()):
                calls.callback(call, error)

    def _end(self) -> list[Callable[[sqlite3.Error], object]]:
        turn, self._turn = self._turn, None
        if turn is not None and turn.active():
            turn.cancel()
        calls, self._onLost = self._onLost, []
        return calls
