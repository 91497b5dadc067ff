"""
The history of groups and friends.

Programs find earlier messages by one of them, not by its running number, and number
them differently: so the messages are asked for from the newest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.errors import RequestRefused
from txwebqq.model import Content, HistoryStretch, PastMessage, Uin
from txwebqq.onebot.actions.calls import NO_SUCH_ACTION, Calls, Handlers, refusal
from txwebqq.onebot.reading import (
    idIn,
    messageIdIn,
    numberIn,
    objectOf,
    objectsIn,
    timeIn,
)
from txwebqq.wire.commands.history import (
    ChatLine,
    ChatLog,
    GetChatLog,
    GroupChatLog,
)

PAGE = 50
"""Messages that are asked for at one time, at most."""

MAX_PAGES = 20
"""Pages that are asked for to find the messages of one range."""


async def fetchPage(
    calls: Calls, isGroup: bool, number: int, count: int, before: int = 0
) -> list[Mapping[str, Any]]:
    """
    Fetch messages of a group or a friend, the oldest first.

    @param before: the cursor (L{cursorOf}) of a message, from which on backwards
        messages are wanted; it may be among them. 0 for the newest.

    @return: none also for a group or a friend without messages, which programs
        report as a failure.
    """
    kind, name = ("group", "group_id") if isGroup else ("friend", "user_id")
    params: dict[str, Any] = {name: number, "count": count}
    if before:
        params["message_seq"] = before
    try:
        found = await calls.call(f"get_{kind}_msg_history", params)
    except RequestRefused as e:
        if e.retcode in NO_SUCH_ACTION:
            raise
        return []
    messages = objectsIn(objectOf(found).get("messages"))
    if messages and timeIn(messages[0]) > timeIn(messages[-1]):
        # Some have the newest first.
        messages.reverse()
    return messages


def cursorOf(message: Mapping[str, Any]) -> int:
    """
    Return the number by which messages before one are asked for.
    """
    return numberIn(message, "message_seq") or numberIn(message, "message_id")


def sequenceOf(message: Mapping[str, Any]) -> int:
    """
    Return the running number of a message.
    """
    return numberIn(message, "real_seq") or max(cursorOf(message), 0)


def _content(calls: Calls, message: Mapping[str, Any], isPrivate: bool) -> Content:
    return calls.memory.reader.content(message, isPrivate)


async def _groupHistory(calls: Calls, command: GroupChatLog) -> HistoryStretch:
    wanted = command.range
    found: dict[int, Mapping[str, Any]] = {}
    before = 0
    for _ in range(MAX_PAGES):
        page = await fetchPage(
            calls, True, int(command.code), min(wanted.count + 1, PAGE), before
        )
        new = [each for each in page if cursorOf(each) not in found]
        if not new:
            break
        found = {cursorOf(each): each for each in new} | found
        fitting = [each for each in found.values() if _fits(each, wanted)]
        before = cursorOf(new[0])
        isBelow = bool(wanted.first) and sequenceOf(new[0]) <= wanted.first
        if isBelow or (wanted.backwards and len(fitting) >= wanted.count):
            break
    fitting = [each for each in found.values() if _fits(each, wanted)]
    fitting = fitting[-wanted.count :] if wanted.backwards else fitting[: wanted.count]
    messages = tuple(
        PastMessage(
            Uin(idIn(each, "user_id")),
            timeIn(each),
            _content(calls, each, False),
            sequenceOf(each),
            messageIdIn(each),
        )
        for each in fitting
    )
    numbers = [each.sequence for each in messages]
    return HistoryStretch(
        messages, min(numbers, default=0), max(numbers, default=0), int(command.code)
    )


def _fits(message: Mapping[str, Any], wanted: Any) -> bool:
    number = sequenceOf(message)
    return number >= wanted.first and (not wanted.last or number <= wanted.last)


async def _history(calls: Calls, command: GetChatLog) -> ChatLog:
    if command.page > 1:
        raise refusal("only the newest messages of a friend can be fetched")
    found = await fetchPage(calls, False, int(command.uin), command.rows)
    lines = tuple(
        ChatLine(
            idIn(each, "user_id") == calls.number,
            timeIn(each),
            _content(calls, each, True),
            sequenceOf(each),
        )
        for each in found
    )
    return ChatLog(command.uin, 1, 1, lines)


HANDLERS: Handlers = {GroupChatLog: _groupHistory, GetChatLog: _history}
"""The functions that carry out the commands."""
