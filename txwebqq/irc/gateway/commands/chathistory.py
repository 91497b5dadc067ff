"""
The C{CHATHISTORY} command (IRCv3 C{draft/chathistory}).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from txwebqq.irc.gateway.rendering import timestamp
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.gateway.storage.message import HistoryMessage, HistoryPosition
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.targets import Target

MAX_HISTORY = 100
"""Maximum number of messages in one answer."""

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII
)
_PARAMETERS = {
    "LATEST": 2,
    "BEFORE": 2,
    "AFTER": 2,
    "AROUND": 2,
    "BETWEEN": 3,
    "TARGETS": 2,
}
"""Number of parameters of each subcommand before the limit."""


class _Refused(Exception):
    """
    A query that cannot be answered; the arguments are the code, the parameters
    and the text of a standard reply.
    """


def irc_CHATHISTORY(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{CHATHISTORY <subcommand> <target> <position>... <limit>}
    """
    subcommand = line.params[0].upper() if line.params else "*"
    try:
        return _query(session, subcommand, line.params[1:])
    except _Refused as e:
        code, *params = e.args
        return [session.builder.failure("CHATHISTORY", code, subcommand, *params)]


def _query(
    session: ClientSession, subcommand: str, params: Sequence[str]
) -> list[Line]:
    count = _PARAMETERS.get(subcommand)
    if count is None:
        raise _Refused("INVALID_PARAMS", "Unknown subcommand")
    if len(params) <= count:
        raise _Refused("INVALID_PARAMS", "Not enough parameters")
    limit = _limit(params[count])
    if subcommand == "TARGETS":
        return _targets(session, params, limit)
    name = params[0]
    target = session.user.directory.targetNamed(name)
    if target is None:
        raise _Refused("INVALID_TARGET", name, "No such nick/channel")
    messages = _messages(session, subcommand, target, params[1:count], limit)
    return session.renderer.renderHistory(target, messages)


def _messages(
    session: ClientSession,
    subcommand: str,
    target: Target,
    positions: Sequence[str],
    limit: int,
) -> list[HistoryMessage]:
    history, name = session.user.history, session.user.name
    if subcommand == "LATEST" and positions[0] == "*":
        return history.latest(name, target, limit)
    first, *rest = (_position(session, target, param) for param in positions)
    match subcommand:
        case "LATEST":
            return history.latest(name, target, limit, first)
        case "BEFORE":
            return history.before(name, target, first, limit)
        case "AFTER":
            return history.after(name, target, first, limit)
        case "AROUND":
            return history.around(name, target, first, limit)
    return history.between(name, target, first, rest[0], limit)


def _targets(session: ClientSession, params: Sequence[str], limit: int) -> list[Line]:
    user, builder = session.user, session.builder
    first, second = (_moment(param) for param in params[:2])
    content = [
        builder.fromServer(
            "CHATHISTORY", "TARGETS", user.directory.nameOf(target), timestamp(time)
        )
        for target, time in user.history.targets(user.name, first, second, limit)
    ]
    return builder.batch("draft/chathistory-targets", (), content)


def _position(session: ClientSession, target: Target, param: str) -> HistoryPosition:
    kind, _, value = param.partition("=")
    if kind != "msgid":
        return _moment(param)
    position = session.user.history.position(session.user.name, target, value)
    if position is None:
        raise _Refused("MESSAGE_ERROR", "No message with this msgid is stored")
    return position


def _moment(param: str) -> HistoryPosition:
    kind, _, value = param.partition("=")
    found = _TIMESTAMP.fullmatch(value)
    if kind != "timestamp" or found is None:
        raise _Refused("INVALID_PARAMS", param, "Neither a timestamp nor a msgid")
    *parts, fraction = found.groups()
    try:
        when = datetime(*(int(part) for part in parts), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError as e:
        raise _Refused("INVALID_PARAMS", param, "Invalid timestamp") from e
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    return HistoryPosition(int(when.timestamp()) * 1000 + milliseconds)


def _limit(param: str) -> int:
    if not (param.isascii() and param.isdigit() and int(param[:9])):
        raise _Refused("INVALID_PARAMS", param, "The limit is not a positive number")
    return min(int(param[:9]), MAX_HISTORY)
