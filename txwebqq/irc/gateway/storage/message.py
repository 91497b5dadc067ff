"""
Messages of the history, and positions between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.irc.targets import Target
from txwebqq.model import Number

OWN_NICK = "\ufdd0"
"""Stands in texts for the nick of the client that is shown them, which each client
of a user chooses itself. Unicode has reserved the character for such uses."""

LAST = (1 << 63) - 1
"""The greatest serial."""


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """
    A message in the history of one gateway user.

    @ivar user: the name of the gateway user.
    @ivar target: the conversation.
    @ivar time: milliseconds since 1970.
    @ivar account: the QQ account that received or sent the message; 0 for the
        bot.
    @ivar sender: the QQ number of the sender; 0 for the bot, and where it is
        not known.
    @ivar nick: the sender's nick at the time.
    @ivar text: the text for IRC, of any length, with C{\\n} between lines, and
        L{OWN_NICK} where the client's nick is to be shown; the reason of a recall.
    @ivar command: C{PRIVMSG}, C{NOTICE}, C{REDACT} for the recall of another
        message, or C{""} for a message that was recalled.
    @ivar origin: equal in the copies of a message that several accounts of the
        user receive in one conversation, or that QQ delivers again; C{""} for a
        message without copies.
    @ivar serial: the position in the order of arrival; 0 before it is stored.
    @ivar msgid: the IRC message id; C{""} before it is stored.
    @ivar id: the id that QQ has given the message; 0 for none.
    @ivar earlier: the ids of the parts before the last one, of a message that was
        sent to QQ in parts.
    @ivar reply: the serial of the message of the same conversation to which this
        one is a reply, or which it recalls; 0 for none.
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
    id: int = 0
    earlier: tuple[int, ...] = ()
    reply: int = 0


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """
    A position in the order of messages: that of one message, or of all messages
    with one time.

    @ivar time: milliseconds since 1970.
    @ivar serial: the serial of the message; L{None} for all with this time.
    """

    time: int
    serial: int | None = None

    @property
    def start(self) -> tuple[int, int]:
        return (self.time, 0 if self.serial is None else self.serial)

    @property
    def end(self) -> tuple[int, int]:
        return (self.time, LAST if self.serial is None else self.serial)
