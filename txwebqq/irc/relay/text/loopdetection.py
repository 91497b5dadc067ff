"""
Detection of messages that another relay has sent back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from txwebqq.irc.relay.text.attribution import attributions, comparable, comparableName
from txwebqq.irc.relay.text.quotes import withoutReferences

REMEMBERED_SECONDS = 120.0
"""The seconds for which messages are remembered."""

MAX_REMEMBERED = 1000
"""Maximum number of messages that are remembered."""

_MIN_PART = 20
"""Minimum length of a part by which a message is recognised, in characters: a
relay may have split it."""


class LoopDetector:
    """
    The last messages of one room, from all its targets.

    When another relay joins two targets of the room, each message comes back
    from it, with the sender's name before the text. Not all networks carry
    client tags that would mark a copy, so the texts are compared, without the quote
    and the name at their beginning: relays write these in several ways.

    @param now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # The time, the author and the text of each message, in two forms.
        self._messages: deque[tuple[float, str, set[str]]]
        self._messages = deque(maxlen=MAX_REMEMBERED)

    def remember(self, author: str, text: str) -> None:
        """
        Remember a message of any target.
        """
        self._messages.append((self._now(), comparableName(author), _forms(text)))

    def isCopy(self, text: str) -> bool:
        """
        Tell whether a text is a copy of a remembered message, or of a part of
        one, with its author's name before it.
        """
        since = self._now() - REMEMBERED_SECONDS
        for name, attributed in attributions(text):
            sender, parts = comparableName(name), _forms(attributed)
            for time, author, wholes in self._messages:
                if time < since or author != sender:
                    continue
                if parts & wholes or any(
                    len(part) >= _MIN_PART and part in whole
                    for part in parts
                    for whole in wholes
                ):
                    return True
        return False

    def isRelayed(self, text: str, names: Callable[[], Iterable[str]]) -> bool:
        """
        Tell whether a text begins with the name of a sender, as relayed messages
        do. An emoticon (C{(^_^) hello}) is the name of nobody.

        @param names: returns the names of the members of the room.
        """
        found = {comparableName(name) for name, _ in attributions(text)}
        if not found:
            return False
        if any(author in found for _, author, _ in self._messages):
            return True
        return any(comparableName(name) in found for name in names())


def _forms(text: str) -> set[str]:
    return set(map(comparable, withoutReferences(text)))
