"""
The commands that the relay answers: C{!users} and C{!status} in a room, and
C{!status} and CTCP requests in a private message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.relay.text.attribution import oneWord, withoutHighlight
from txwebqq.ratelimit import RateLimiter

MAX_ROOM_ANSWERS, ROOM_WINDOW = 3, 60.0
"""The maximum number of answers to one target, and the seconds that they are
counted in."""

MAX_PRIVATE_ANSWERS, PRIVATE_WINDOW = 5, 60.0
"""The maximum number of answers on one network, and the seconds that they are
counted in."""

MAX_NAMES = 30
"""The maximum number of names in an answer to C{!users}."""

_USERS = "!users"
_STATUS = "!status"
_HELP = "The only command here is !status: it shows the state of shared channels."
_MAX_PING = 100
_CTCP = re.compile("\x01([A-Za-z]+)(?: ([^\x01]*))?\x01?")


@dataclass(frozen=True, slots=True)
class TargetState:
    """
    The state of a target, for the answers to commands.

    @ivar source: its unique name.
    @ivar title: its name as users know it.
    @ivar queued: the number of messages that wait in its outbox.
    @ivar members: the names of its members.
    """

    source: str
    title: str
    isUp: bool
    queued: int
    members: Sequence[str]


class RoomCommands:
    """
    Answers the C{!} commands of one room.

    @param now: the time in seconds.
    @param limit: the maximum length of an outbox queue, in messages.
    """

    def __init__(self, now: Callable[[], float], limit: int) -> None:
        self._limit = limit
        self._limiter = RateLimiter(now, MAX_ROOM_ANSWERS, ROOM_WINDOW)

    def isCommand(self, text: str) -> bool:
        """
        Tell whether a message is a command, which is not relayed.
        """
        return text.strip().lower() in (_USERS, _STATUS)

    def answer(
        self, text: str, source: str, isQuiet: bool, states: Sequence[TargetState]
    ) -> list[str]:
        """
        Answer a command that was sent in a target.

        @param source: the target.
        @param isQuiet: whether names must not highlight their owners.
        @param states: the states of all targets of the room.
        @return: the lines, none when the target has had too many answers.
        """
        if not self._limiter.take(source):
            return []
        if text.strip().lower() == _STATUS:
            return self.status(states)
        others = [state for state in states if state.source != source]
        return [_userList(state, isQuiet) for state in others]

    def status(self, states: Sequence[TargetState]) -> list[str]:
        """
        Describe each target in a line.
        """
        return [
            f"{state.title}: {'online' if state.isUp else 'unreachable'},"
            f" {state.queued} of at most {self._limit} messages queued"
            for state in states
        ]


def _userList(state: TargetState, isQuiet: bool) -> str:
    names = sorted(oneWord(name) for name in state.members)
    shown = [withoutHighlight(name) if isQuiet else name for name in names[:MAX_NAMES]]
    more = len(names) - MAX_NAMES
    after = f" and {more} more" if more > 0 else ""
    return f"{state.title} ({len(names)}): {', '.join(shown) or 'nobody'}{after}"


class PrivateMessageResponder:
    """
    Answers private messages on one network. The number of answers is limited,
    because the other side may be a bot as well.

    @param now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._limiter = RateLimiter(now, MAX_PRIVATE_ANSWERS, PRIVATE_WINDOW)

    def answer(
        self, text: str, channels: Sequence[str], status: Callable[[], list[str]]
    ) -> list[str]:
        """
        Answer a private message.

        @param channels: the channels that the sender shares with the relay.
        @param status: returns the state of the rooms of these channels.
        @return: the texts of the C{NOTICE}s to send.
        """
        ctcp = _CTCP.fullmatch(text)
        if text.startswith("\x01"):
            found = _ctcpReply(ctcp[1].upper(), ctcp[2] or "") if ctcp else []
        elif text.strip().lower() == _STATUS and channels:
            found = [line for each in status() for line in splitLines(each)]
        else:
            between = " ".join(channels) or "a channel"
            found = [f"I relay messages between {between} and QQ. {_HELP}"]
        return found if found and self._limiter.take("all") else []


def _ctcpReply(command: str, argument: str) -> list[str]:
    match command:
        case "VERSION":
            return ["\x01VERSION txwebqq, a relay to QQ\x01"]
        case "PING":
            return [f"\x01PING {argument[:_MAX_PING]}\x01"]
        case "CLIENTINFO":
            return ["\x01CLIENTINFO ACTION CLIENTINFO PING VERSION\x01"]
        case _:
            return []
