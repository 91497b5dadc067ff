"""
Messages to friends, groups and strangers, and the presence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import DiscussionList, Sent, Status
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.onebot.reading import messageIdIn, objectOf
from txwebqq.wire.commands.discussions import GetDiscuListNew2
from txwebqq.wire.commands.groups import SendGroupWebMsg
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    InputNotify2,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)
from txwebqq.wire.commands.temporary import IN_GROUP, GetC2cmsgSig2, SendSessMsg2

# set_online_status takes the codes of the desktop client, which has none for offline.
_STATUSES = {
    status: Status.HIDDEN.code if status is Status.OFFLINE else status.code
    for status in Status
}


async def _send(calls: Calls, kind: str, params: Mapping[str, Any]) -> Sent:
    answer = objectOf(await calls.send(f"send_{kind}_msg", params))
    # The program does not tell the time.
    return Sent(messageIdIn(answer), int(calls.clock.seconds()))


async def _sendMessage(calls: Calls, command: SendBuddyMsg2) -> Sent:
    message = calls.segments(command.content, True)
    params = {"user_id": int(command.to), "message": message}
    return await _send(calls, "private", params)


async def _sendGroupMessage(calls: Calls, command: SendQunMsg2) -> Sent:
    message = calls.segments(command.content, False)
    params = {"group_id": int(command.group), "message": message}
    return await _send(calls, "group", params)


async def _temporaryChat(calls: Calls, command: GetC2cmsgSig2) -> str:
    if command.service != IN_GROUP:
        raise refusal("today's QQ has no discussions")
    # There is no signature; the message needs the group.
    return str(int(command.place))


async def _sendTemporary(calls: Calls, command: SendSessMsg2) -> Sent:
    params = {
        "user_id": int(command.to),
        "group_id": int(command.signature),
        "message": calls.segments(command.content, True),
    }
    return await _send(calls, "private", params)


async def _share(calls: Calls, command: SendGroupWebMsg) -> None:
    kind = "json" if command.markup.lstrip().startswith("{") else "xml"
    message: list[Any] = [{"type": kind, "data": {"data": command.markup}}]
    await calls.send(
        "send_group_msg", {"group_id": int(command.group), "message": message}
    )


async def _sendTyping(calls: Calls, command: InputNotify2) -> None:
    params = {"user_id": int(command.to), "event_type": 1}
    await calls.call("set_input_status", params)


async def _shake(calls: Calls, command: Shake2) -> None:
    await calls.send("friend_poke", {"user_id": int(command.to)})


async def _setStatus(calls: Calls, command: ChangeStatus2) -> None:
    params = {"status": _STATUSES[command.status], "ext_status": 0, "battery_status": 0}
    await calls.call("set_online_status", params)


async def _discussions(calls: Calls, command: GetDiscuListNew2) -> DiscussionList:
    return DiscussionList({})


HANDLERS: Handlers = {
    SendBuddyMsg2: _sendMessage,
    SendQunMsg2: _sendGroupMessage,
    SendSessMsg2: _sendTemporary,
    GetC2cmsgSig2: _temporaryChat,
    SendGroupWebMsg: _share,
    InputNotify2: _sendTyping,
    Shake2: _shake,
    ChangeStatus2: _setStatus,
    GetDiscuListNew2: _discussions,
}
"""The functions that carry out the commands."""
