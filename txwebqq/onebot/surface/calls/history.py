"""
Calls for earlier messages.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import Did, PastMessage
from txwebqq.onebot.surface.calls.messages import NO_MESSAGE, friendUin, messageList
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.directory import GroupInfo
from txwebqq.onebot.surface.replies import CallFailed
from txwebqq.onebot.surface.store import Conversation
from txwebqq.wire.commands.history import HistoryRange

TABLE = CallTable()

MAX_COUNT = 100
"""Maximum number of messages in one reply."""

MAX_PAGES = 20
"""Pages of a friend's history that are searched for a message."""


@TABLE.call("get_group_msg_history")
async def getGroupHistory(caller: Caller, params: Params) -> Any:
    """
    Return messages of a group or discussion, the oldest first: the newest ones, or
    those before C{message_seq} and itself.
    """
    online, number = caller.online, params.number("group_id")
    group = await online.directory.group(number)
    last = _sequence(caller, params)
    stretch = HistoryRange(_count(params), last=last)
    if group.id.code is None:
        history = await online.fetchDiscussionHistory(Did(group.id.id), stretch)
    else:
        history = await online.fetchGroupHistory(group.id.code, stretch)
    conversation = "group", number
    return await _listed(caller, conversation, group, history.messages)


@TABLE.call("get_friend_msg_history")
async def getFriendHistory(caller: Caller, params: Params) -> Any:
    """
    Return messages with a friend, as L{getGroupHistory}.
    """
    online, number = caller.online, params.number("user_id")
    uin, count, last = friendUin(caller, params), _count(params), 0
    if params.has("message_seq"):
        last = params.number("message_seq")
    page = await online.fetchHistory(uin, 0, count)
    found = list(page.messages)
    conversation = "private", number
    if last > 0:
        for _ in range(MAX_PAGES):
            listed = await _listed(caller, conversation, None, tuple(found))
            ids = [each["message_id"] for each in listed["messages"]]
            if last in ids:
                end = ids.index(last) + 1
                if end < count and page.page > 1:
                    page = await online.fetchHistory(uin, page.page - 1, count)
                    found = [*page.messages, *found]
                    end += len(page.messages)
                found = found[:end][-count:]
                break
            if page.page <= 1:
                raise CallFailed(NO_MESSAGE)
            page = await online.fetchHistory(uin, page.page - 1, count)
            found = [*page.messages, *found]
        else:
            raise CallFailed(NO_MESSAGE)
    return await _listed(caller, conversation, None, tuple(found))


def _count(params: Params) -> int:
    return min(max(params.numberOr("count", 20), 1), MAX_COUNT)


def _sequence(caller: Caller, params: Params) -> int:
    """
    Return the running number of the message that C{message_seq} names by its id.
    """
    number = params.numberOr("message_seq", 0)
    if number <= 0:
        return 0
    known = caller.account.messages.get(number)
    if known is None or not known.sequence:
        raise CallFailed(NO_MESSAGE)
    return known.sequence


async def _listed(
    caller: Caller,
    conversation: Conversation,
    group: GroupInfo | None,
    past: tuple[PastMessage, ...],
) -> Any:
    online, events = caller.online, []
    for message in past:
        author = await online.directory.numberOr(message.sender)
        stored = online.messages.past(conversation, group, author, message)
        caller.account.messages.keep(stored)
        events.append(stored.event)
    return messageList(caller, events)
