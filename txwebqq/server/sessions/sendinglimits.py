"""
Limits of what an account may send, and of what may wait for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.model import Number
from txwebqq.ratelimit import LimiterMaker

MINUTE = 60.0
"""A minute in seconds."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """
    The limits of a server.

    @ivar messages: the number of messages of an account within a minute.
    @ivar conversation: the same for messages to one friend, group or discussion.
    @ivar signals: the number of typing notifications and shakes to one friend
        within a minute.
    @ivar waiting: the number of messages of one sender that wait for an account
        which is not online.
    @ivar waitingSize: the size of these messages, in characters of their stored
        form.
    """

    messages: int = 600
    conversation: int = 300
    signals: int = 60
    waiting: int = 500
    waitingSize: int = 2 * 1024 * 1024

    @classmethod
    def perMinute(cls, messages: int) -> SendingLimits:
        """
        Return limits for a number of messages of an account within a minute.
        """
        return cls(messages, conversation=max(1, messages // 2))


class SendingLimiter:
    """
    Counts what accounts send.

    @param makeLimiter: makes the counters.
    @param limits: L{None} for no limits.
    """

    def __init__(self, makeLimiter: LimiterMaker, limits: SendingLimits | None) -> None:
        self.limits = limits
        used = limits or SendingLimits()
        self._messages = makeLimiter("message", used.messages, MINUTE)
        self._conversations = makeLimiter("conversation", used.conversation, MINUTE)
        self._signals = makeLimiter("signal", used.signals, MINUTE)

    def setLimits(self, limits: SendingLimits | None) -> None:
        """
        Change the limits; what was counted stays.
        """
        self.limits = limits
        used = limits or SendingLimits()
        self._messages.allow(used.messages)
        self._conversations.allow(used.conversation)
        self._signals.allow(used.signals)

    def takeMessage(self, sender: Number, target: Number) -> bool:
        """
        Count a message.

        @param target: the friend, the group or the discussion.

        @return: whether it is allowed; only then it is counted.
        """
        if self.limits is None:
            return True
        return (
            self._messages.hasCapacity(sender)
            and self._conversations.take((sender, target))
            and self._messages.take(sender)
        )

    def takeSignal(self, sender: Number, friend: Number) -> bool:
        """
        Count a typing notification or a shake, as L{takeMessage}.
        """
        return self.limits is None or self._signals.take((sender, friend))
