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
"""Time after which the thread sees that it is to stop, in seconds."""

_RETRY = 0.5
"""Time between two attempts to reach the database, in seconds."""


class Listener:
    """
    Listens to the notifications of all processes.

    @param connect: opens the database.
    @param call: calls a function with arguments in the reactor's thread.
    @param woken: is called there with accounts.
    @param missed: is called there when notifications may have been lost.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Callable[[], Store],
        call: Callable[..., object],
        woken: Callable[[list[Number]], object],
        missed: Callable[[], object],
    ) -> None:
        self._connect = connect
        self._call = call
        self._woken = woken
        self._missed = missed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """
        Start the thread.
        """
        thread = threading.Thread(target=self._work, name="webqq listener", daemon=True)
        self._thread = thread
        thread.start()

    def stop(self) -> None:
        """
        Stop the thread, and wait for it.
        """
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                store = self._connect()
            except (InvalidConfiguration, StatementFailed):
                # The workers report it.
                self._stopping.wait(_RETRY)
                continue
            try:
                self._listen(store)
            except StatementFailed as e:
                self._call(
                    self._log.debug, "Listening has ended: {reason}.", reason=str(e)
                )
            finally:
                store.close()

    def _listen(self, store: Store) -> None:
        database = store.database
        assert isinstance(database, Database)
        database.listen()
        self._call(self._missed)
        while not self._stopping.is_set():
            texts = database.heard(_WAIT)
            numbers = [Number(int(n)) for text in texts for n in text.split(",")]
            if numbers:
                self._call(self._woken, numbers)
