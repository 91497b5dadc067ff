"""
Running numbers of the messages of groups and discussions, and the gaps in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MAX_HOLES = 20
"""Gaps of one conversation that are remembered until they are judged."""

Conversation = tuple[str, int]
"""C{group} or C{discussion}, and the gid or did."""


@dataclass(slots=True)
class Numbering:
    """
    The numbers of one conversation.

    @ivar last: the highest number that came, 0 for none yet.
    @ivar time: the time of the last message, Unix seconds.
    @ivar absent: numbers below it that did not come, after the first one that came.
    @ivar doubtful: those of them that may not be the numbers of messages, since the
        server may have begun to count again.
    @ivar own: messages that the account has sent itself, or may have sent: they have
        numbers too, and do not come.
    @ivar judged: absent numbers that were reported, or found to be no messages.
    @ivar lower: a lower number that came and was not absent, 0 for none.
    @ivar holes: the numbers before and after absent ones.
    """

    last: int = 0
    time: int = 0
    absent: int = 0
    doubtful: int = 0
    own: int = 0
    judged: int = 0
    lower: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """
        The absent numbers that are not explained.
        """
        return self.absent - self.own - self.judged

    def begin(self, number: int, time: int) -> None:
        """
        Begin with a message whose number has nothing to do with those before it.
        """
        self.last, self.time = number, time
        self.absent = self.doubtful = self.judged = self.lower = 0
        self.holes.clear()

    def fill(self, number: int) -> bool:
        """
        Note that a message came after one with a higher number.

        @return: whether it was absent.
        """
        for at, (after, before) in enumerate(self.holes):
            if after < number < before:
                parts = [(after, number), (number, before)]
                self.holes[at : at + 1] = [(a, b) for a, b in parts if b - a > 1]
                self.absent -= 1
                return True
        return False


class Missing(NamedTuple):
    """
    Absent numbers that are not explained.

    @ivar total: how many there are at most.
    @ivar certain: how many of them were certainly messages.
    @ivar holes: the gaps in which they are, by the numbers before and after; the
        oldest gaps may be left out.
    """

    total: int
    certain: int
    holes: list[tuple[int, int]]


class Sequences:
    """
    The numbers of all conversations of one sign-on.

    A server that counts from the time of its start, as that of this package, goes
    on from a higher number after a restart. Such a number is above the time of the
    message before, so a gap before one is doubtful.
    """

    def __init__(self) -> None:
        self._numberings: dict[Conversation, Numbering] = {}

    def received(self, conversation: Conversation, number: int, time: int) -> bool:
        """
        Note the number of a message.

        @return: whether numbers are missing now.
        """
        known = self._numberings.get(conversation)
        if known is None:
            known = self._numberings[conversation] = Numbering()
        last = known.last
        if number == last + 1:
            known.last, known.time = number, time
            return False
        if number <= 0 or number == last:
            # No number, or a message that came twice.
            return False
        if number > last:
            if last == 0:
                known.begin(number, time)
                return False
            known.absent += number - last - 1
            if number > known.time > 0:
                known.doubtful += number - last - 1
            known.holes.append((last, number))
            del known.holes[:-MAX_HOLES]
            known.last, known.time = number, time
            return known.missing > 0
        if not known.fill(number):
            # An old message once more, or a server that begins to count again.
            if number == known.lower + 1 > 1:
                known.begin(number, time)
            else:
                known.lower = number
        return False

    def sent(self, conversation: Conversation, change: int = 1) -> None:
        """
        Note that the account sends a message, or, with -1, that it has not sent one
        after all.
        """
        known = self._numberings.get(conversation)
        if known is None:
            known = self._numberings[conversation] = Numbering()
        known.own += change

    def forget(self, conversation: Conversation | None = None) -> None:
        """
        Begin again with the next message of a conversation, or of all of them.
        """
        for key in list(self._numberings) if conversation is None else [conversation]:
            known = self._numberings.get(key)
            if known is not None:
                # Own messages that are under way will have numbers.
                self._numberings[key] = Numbering(own=max(0, known.own))

    def suspects(self) -> list[Conversation]:
        """
        List the conversations with numbers that are missing.
        """
        return [key for key, known in self._numberings.items() if known.missing > 0]

    def take(self, conversation: Conversation) -> Missing:
        """
        Count what is missing as judged.
        """
        known = self._numberings[conversation]
        missing, holes = known.missing, known.holes
        certain = max(0, missing - known.doubtful)
        known.judged += max(0, missing)
        known.doubtful = 0
        known.holes = []
        return Missing(missing, certain, holes)
