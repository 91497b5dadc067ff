"""
What was said before, for IRC clients that ask and for those that do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from txwebqq.irc.gateway.commands.messages import MessageCommands, timestamp
from txwebqq.irc.gateway.conversations import MAX_MISSED
from txwebqq.irc.gateway.session import Answer
from txwebqq.irc.gateway.storage.message import HistoryMessage, HistoryPosition
from txwebqq.irc.protocol.batch import batch
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.targets import Target

MAX_PAST = 100
"""How many messages a client gets at once."""

_WHEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII
)
_ASKED = {"LATEST": 2, "BEFORE": 2, "AFTER": 2, "AROUND": 2, "BETWEEN": 3, "TARGETS": 2}
"""How many parameters each has before the limit."""


class _Refused(Exception):
    """
    A question that has no answer: a standard reply's code, words and reason.
    """


class ChatHistoryCommand(MessageCommands):
    """
    CHATHISTORY, and play-back.
    """

    def playBack(self, missed: Sequence[HistoryMessage]) -> None:
        """
        Show what was said while nobody was here, unless the client asks for it
        itself.
        """
        if self._has("draft/chathistory"):
            return
        targets: dict[Target, list[HistoryMessage]] = {}
        for message in missed:
            targets.setdefault(message.target, []).append(message)
        if not self._has("batch"):
            for message in missed:
                self.show(message)
            return
        for target, messages in targets.items():
            if self._isWelcome(target):
                self.send(self._batch(target, messages))

    def _since(self, target: Target, serial: int) -> list[Line]:
        user = self._known()
        missed = user.history.since(user.name, target, serial, MAX_MISSED)
        if self._has("draft/chathistory") or not missed:
            return []
        return self._batch(target, missed)

    def _batch(self, target: Target, messages: Sequence[HistoryMessage]) -> list[Line]:
        said = [line for message in messages for line in self._shown(message)]
        return self._enclosed("chathistory", (self._nameOf(target),), said)

    def _enclosed(
        self, kind: str, params: Sequence[str], said: Sequence[Line]
    ) -> list[Line]:
        if not self._has("batch"):
            return list(said)
        name = self._gateway.serverName
        return batch(self._reference(), kind, params, said, name)

    # ---- what the client asks

    def _irc_CHATHISTORY(self, line: Line) -> Answer:
        word = line.params[0].upper() if line.params else "*"
        try:
            return self._looked(word, line.params[1:])
        except _Refused as e:
            code, *words = e.args
            return [self.standardReply("CHATHISTORY", code, word, *words)]

    def _looked(self, word: str, params: Sequence[str]) -> list[Line]:
        if word not in _ASKED:
            raise _Refused("INVALID_PARAMS", "There is no such subcommand")
        if len(params) <= _ASKED[word]:
            raise _Refused("INVALID_PARAMS", "Not enough parameters")
        limit = _limit(params[_ASKED[word]])
        if word == "TARGETS":
            return self._targets(params, limit)
        name = params[0]
        target = self._known().placeNamed(name)
        if target is None:
            raise _Refused("INVALID_TARGET", name, "Nobody here is called so")
        told = params[1 : _ASKED[word]]
        return self._batch(target, self._found(word, target, told, limit))

    def _found(
        self, word: str, target: Target, told: Sequence[str], limit: int
    ) -> list[HistoryMessage]:
        user = self._known()
        history, name = user.history, user.name
        if word == "LATEST" and told[0] == "*":
            return history.latest(name, target, limit)
        position, *rest = (self._point(target, one) for one in told)
        match word:
            case "LATEST":
                return history.latest(name, target, limit, position)
            case "BEFORE":
                return history.before(name, target, position, limit)
            case "AFTER":
                return history.after(name, target, position, limit)
            case "AROUND":
                return history.around(name, target, position, limit)
        return history.between(name, target, position, rest[0], limit)

    def _targets(self, params: Sequence[str], limit: int) -> list[Line]:
        user = self._known()
        one, other = (_moment(param) for param in params[:2])
        found = user.history.targets(user.name, one, other, limit)
        said = [
            Line(
                "CHATHISTORY",
                ("TARGETS", self._nameOf(target), timestamp(time)),
                self._gateway.serverName,
            )
            for target, time in found
        ]
        return self._enclosed("draft/chathistory-targets", (), said)

    def _point(self, target: Target, param: str) -> HistoryPosition:
        kind, _, value = param.partition("=")
        if kind != "msgid":
            return _moment(param)
        user = self._known()
        position = user.history.point(user.name, target, value)
        if position is None:
            raise _Refused("MESSAGE_ERROR", "That message is not kept")
        return position


def _moment(param: str) -> HistoryPosition:
    kind, _, value = param.partition("=")
    found = _WHEN.fullmatch(value)
    if kind != "timestamp" or found is None:
        raise _Refused("INVALID_PARAMS", param, "That is no timestamp and no msgid")
    *parts, fraction = found.groups()
    try:
        when = datetime(*(int(part) for part in parts), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError as e:
        raise _Refused("INVALID_PARAMS", param, "There is no such time") from e
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    return HistoryPosition(int(when.timestamp()) * 1000 + milliseconds)


def _limit(param: str) -> int:
    if not (param.isascii() and param.isdigit() and int(param[:9])):
        raise _Refused("INVALID_PARAMS", param, "The limit is no number above 0")
    return min(int(param[:9]), MAX_PAST)
