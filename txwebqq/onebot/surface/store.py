"""
Messages by their ids: those that an account has received, sent and read in a history.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import md5
from typing import Any

MAX_MESSAGES = 5000
"""Messages that are remembered, unless the configuration says otherwise."""

OWN_WINDOW = 120
"""Seconds by which the time of a message of our own may differ from the server's."""

Conversation = tuple[str, int]
"""C{private} or C{group}, and the number."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """
    A message.

    @ivar event: the event, with an array of segments.
    @ivar sequence: the running number in its conversation, 0 where it is not known.
    @ivar wireIds: the ids by which the server knows it, several for a message that
        was sent in parts, the last one last; empty where the server gives none.
    """

    conversation: Conversation
    event: dict[str, Any]
    sequence: int = 0
    wireIds: tuple[int, ...] = ()


class MessageStore:
    """
    Remembers the newest messages, and gives each one an id: a positive number of 31
    bits, the same whenever the same message comes.
    """

    def __init__(self, limit: int = MAX_MESSAGES) -> None:
        self._limit = limit
        self._messages: dict[int, StoredMessage] = {}
        self._own: dict[Hashable, list[tuple[float, int]]] = {}
        self._sent = 0

    def idOf(self, *identity: Hashable) -> int:
        """
        Return the id of a message.

        @param identity: what tells it from all others.
        """
        digest = md5(repr(identity).encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF or 1

    def fromWireId(self, conversation: Conversation, wireId: int) -> int:
        """
        Return the id of a message that the server knows by an id, also of one that
        is not remembered.
        """
        return self.idOf(conversation, wireId)

    def peerOf(self, wireId: int) -> int:
        """
        Return the number of the friend with whom a message was exchanged, 0 if it is
        not remembered.
        """
        for message in reversed(self._messages.values()):
            kind, number = message.conversation
            if kind == "private" and wireId in message.wireIds:
                return number
        return 0

    def ownId(self, conversation: Conversation, content: Hashable, time: float) -> int:
        """
        Return an id for a message that was just sent.
        """
        self._sent += 1
        number = self.idOf("sent", conversation, time, self._sent)
        key = conversation, content
        known = [each for each in self._own.get(key, []) if each[1] in self._messages]
        self._own[key] = [*known, (time, number)]
        if len(self._own) > self._limit:
            del self._own[next(iter(self._own))]
        return number

    def sentId(
        self, conversation: Conversation, content: Hashable, time: float
    ) -> int | None:
        """
        Return the id of a message of our own that comes from the history, L{None} if
        it was not sent here.
        """
        known = self._own.get((conversation, content), ())
        # The same text may have been sent twice.
        nearest = min(((abs(sent - time), n) for sent, n in known), default=None)
        if nearest is None or nearest[0] > OWN_WINDOW:
            return None
        return nearest[1]

    def keep(self, message: StoredMessage) -> None:
        """
        Remember a message.
        """
        number = message.event["message_id"]
        self._messages.pop(number, None)
        self._messages[number] = message
        if len(self._messages) > self._limit:
            del self._messages[next(iter(self._messages))]

    def get(self, number: int) -> StoredMessage | None:
        """
        Return a message, L{None} if it is not known or forgotten.
        """
        return self._messages.get(number)
