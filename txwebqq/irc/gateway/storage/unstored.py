"""
Messages that the history could not store, since the database cannot be written
to.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage

MAX_UNSTORED = 1000
"""Maximum number of messages that are kept in memory; then the oldest are
dropped."""

C = TypeVar("C")


class UnstoredMessages(Generic[C]):
    """
    Messages that are stored later, in their order, each with the clients that
    have seen it.
    """

    def __init__(self, history: HistoryStore) -> None:
        self._history = history
        self._messages: deque[tuple[HistoryMessage, Sequence[C]]] = deque(
            maxlen=MAX_UNSTORED
        )

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: HistoryMessage, clients: Sequence[C]) -> bool:
        """
        Keep a message.

        @return: whether it is no copy of another one, as in
            L{HistoryStore.append}.
        """
        key = message.target, message.origin
        if message.origin and any(
            key == (other.target, other.origin) for other, _ in self._messages
        ):
            return False
        self._messages.append((message, clients))
        return True

    def store(self) -> Iterator[tuple[HistoryMessage, Sequence[C]]]:
        """
        Store messages until one cannot be stored, and yield each that is no
        copy of a stored one.
        """
        while self._messages:
            message, clients = self._messages[0]
            try:
                stored = self._history.append(message)
                self._history.commit()
            except sqlite3.Error:
                return
            self._messages.popleft()
            if stored is not None:
                yield stored, clients
