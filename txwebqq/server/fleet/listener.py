"""
A thread that hears which accounts have new events in the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from twisted.logger import Logger

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.postgresql.database import Database
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.server.storage.store import Store

_WAIT = 1.0
"""Time after which the thread sees that it is to stop, and asks the database whether
it is there, in seconds."""

_RETRY = 0.5
"""Time between two attempts to reach the database, in seconds."""

SILENCE = 5.0
"""Time after which a database counts as away that does not answer, in seconds."""


class Listener:
    """
    Listens to the notifications of all processes.

    @param connect: opens the database.
    @param call: calls a function with arguments in the reactor's thread.
    @param woken: is called there with accounts.
    @param missed: is called there when notifications may have been lost.
    @param now: returns the time in seconds.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Callable[[], Store],
        call: Callable[..., object],
        woken: Callable[[list[Number]], object],
        missed: Callable[[], object],
        now: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._call = call
        self._woken = woken
        self._missed = missed
        self._now = now
        # The reason why the database is not reached, and when it answered last.
        self._problem = ""
        self._answered: float | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """
        Start the thread.
        """
        thread = threading.Thread(target=self._work, name="webqq listener", daemon=True)
        self._thread = thread
        thread.start()

    def end(self) -> None:
        """
        Have the thread end.
        """
        self._stopping.set()

    def join(self, seconds: float) -> bool:
        """
        Wait until the thread has ended.

        @return: L{False} if it has not within a time.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        thread.join(seconds)
        return not thread.is_alive()

    @property
    def problem(self) -> str:
        """
        The reason why the database counts as away, C{""} if it does not.
        """
        if self._problem or self._answered is None:
            return self._problem
        silence = self._now() - self._answered
        return f"no answer for {silence:.0f} s" if silence >= SILENCE else ""

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                store = self._connect()
            except (InvalidConfiguration, StatementFailed) as e:
                # The workers log it.
                self._problem = str(e)
                self._stopping.wait(_RETRY)
                continue
            try:
                self._listen(store)
            except StatementFailed as e:
                self._problem = str(e)
                self._call(
                    self._log.debug, "Listening has ended: {reason}.", reason=str(e)
                )
            finally:
                store.close()

    def _listen(self, store: Store) -> None:
        database = store.database
        assert isinstance(database, Database)
        database.listen()
        self._answered, self._problem = self._now(), ""
        self._call(self._missed)
        while not self._stopping.is_set():
            texts = database.heard(_WAIT)
            if not texts:
                # A lost connection is seen at once, a server that hangs by this.
                database.count("SELECT 1")
            self._answered = self._now()
            numbers = [Number(int(n)) for text in texts for n in text.split(",")]
            if numbers:
                self._call(self._woken, numbers)
