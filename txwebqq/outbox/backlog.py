"""
The order of the messages that wait.
"""

from __future__ import annotations

from collections import OrderedDict

from txwebqq.model import Recipient


class _Conversation:
    """
    The messages to one recipient.

    @ivar serials: of its messages, in order.
    @ivar dueTime: the time before which none of them is sent.
    @ivar refusals: the number of refusals of the first one.
    """

    __slots__ = ("dueTime", "refusals", "serials")

    def __init__(self) -> None:
        self.serials: OrderedDict[int, None] = OrderedDict()
        self.dueTime = 0.0
        self.refusals = 0


class Backlog:
    """
    The messages that wait, by conversation. The messages of a conversation keep their
    order, and the conversations take turns.
    """

    def __init__(self) -> None:
        self._conversations: OrderedDict[Recipient, _Conversation] = OrderedDict()
        # The oldest first.
        self._messages: OrderedDict[int, tuple[Recipient, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, serial: int) -> bool:
        return serial in self._messages

    def count(self, to: Recipient) -> int:
        """
        Count the messages of a conversation.
        """
        conversation = self._conversations.get(to)
        return 0 if conversation is None else len(conversation.serials)

    def counts(self) -> dict[Recipient, int]:
        """
        Count the messages of each conversation.
        """
        return {to: len(each.serials) for to, each in self._conversations.items()}

    def add(self, serial: int, to: Recipient, time: float) -> None:
        """
        Add a message at the end.
        """
        self._messages[serial] = to, time
        conversation = self._conversations.setdefault(to, _Conversation())
        conversation.serials[serial] = None

    def remove(self, serial: int) -> None:
        """
        Remove a message.
        """
        to, _ = self._messages.pop(serial)
        conversation = self._conversations[to]
        del conversation.serials[serial]
        conversation.refusals = 0
        conversation.dueTime = 0.0
        if not conversation.serials:
            del self._conversations[to]

    def oldest(self) -> tuple[int, float] | None:
        """
        Return the serial and the time of the oldest message.
        """
        for serial, (_, time) in self._messages.items():
            return serial, time
        return None

    def next(self, now: float) -> int | None:
        """
        Return the next message to send, L{None} if none may be sent now. The other
        conversations come before another message of this one.
        """
        for to, conversation in self._conversations.items():
            if conversation.dueTime <= now:
                self._conversations.move_to_end(to)
                return next(iter(conversation.serials))
        return None

    def postpone(self, serial: int) -> int:
        """
        Count a refusal of the first message of a conversation.

        @return: the number of refusals so far.
        """
        conversation = self._conversations[self._messages[serial][0]]
        conversation.refusals += 1
        return conversation.refusals

    def delay(self, serial: int, until: float) -> None:
        """
        Send no message of a conversation before a time.

        @param serial: the first one.
        """
        self._conversations[self._messages[serial][0]].dueTime = until

    def dueTime(self) -> float | None:
        """
        Return the earliest time at which a message may be sent.
        """
        times = [each.dueTime for each in self._conversations.values()]
        return min(times, default=None)
