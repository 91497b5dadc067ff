"""
A message, as one user of the gateway sees it, and its place among others.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.irc.targets import Target
from txwebqq.model import Number

LAST = (1 << 63) - 1
"""No serial is greater."""


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """
    One message, as one user sees it.

    @ivar user: the IRC user.
    @ivar target: the conversation.
    @ivar time: milliseconds since 1970.
    @ivar account: which of the user's QQ accounts it came to or went from.
    @ivar sender: whose words they are, 0 where nobody has a number.
    @ivar nick: the sender's nick at the time.
    @ivar text: as IRC has it, but of any length, with C{\\n} between lines.
    @ivar origin: what two copies of the message have alike, within the place;
        C{""} for what comes once only.
    @ivar serial: its place in the order of arrival; 0 before it is kept.
    @ivar msgid: unique among all messages of all runs; C{""} before it is kept.
    """

    user: str
    target: Target
    time: int
    account: Number
    sender: Number
    nick: str
    text: str
    command: str = "PRIVMSG"
    origin: str = ""
    serial: int = 0
    msgid: str = ""


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """
    A point in the order of messages: a moment, or one message.

    @ivar time: milliseconds since 1970.
    @ivar serial: which message; L{None} for all of the moment.
    """

    time: int
    serial: int | None = None

    @property
    def start(self) -> tuple[int, int]:
        return (self.time, 0 if self.serial is None else self.serial)

    @property
    def end(self) -> tuple[int, int]:
        return (self.time, LAST if self.serial is None else self.serial)
