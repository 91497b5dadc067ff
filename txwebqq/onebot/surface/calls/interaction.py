"""
Calls about earlier messages, and signals in groups: recalls, mutes, pokes and
reactions.
"""

from __future__ import annotations

from typing import Any

from txwebqq.onebot.faces import emojiOf
from txwebqq.onebot.surface.calls.groups import groupCode, groupGid, memberUin
from txwebqq.onebot.surface.calls.messages import friendUin, knownMessage
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed
from txwebqq.onebot.surface.store import StoredMessage

TABLE = CallTable()

MUTE_DURATION = 30 * 60
"""Seconds of a mute if a bot does not say."""


def _wireIds(message: StoredMessage) -> tuple[int, ...]:
    if not message.wireIds:
        raise CallFailed("the server has not told by which id it knows the message")
    return message.wireIds


@TABLE.call("delete_msg")
async def deleteMessage(caller: Caller, params: Params) -> Any:
    """
    Recall a message: one of ours, or any in a group that we administer.
    """
    message = knownMessage(caller, params)
    online, (kind, number) = caller.online, message.conversation
    if kind == "group":
        gid = await groupGid(caller, number)
        for wireId in _wireIds(message):
            await online.recallGroupMessage(gid, wireId)
        return
    if message.event["user_id"] != caller.account.number:
        raise CallFailed("a friend's message can be recalled by the friend alone")
    uin = friendUin(caller, Params({"user_id": number}))
    for wireId in _wireIds(message):
        await online.recallMessage(uin, wireId)


@TABLE.call("set_group_ban")
async def muteMember(caller: Caller, params: Params) -> Any:
    """
    Mute a member of a group that we administer, or end a mute.
    """
    duration = params.numberOr("duration", MUTE_DURATION)
    if duration < 0:
        raise CallFailed("duration is negative", MALFORMED)
    code = await groupCode(caller, params)
    member = await memberUin(caller, params)
    await caller.online.muteMember(code, member, duration)


@TABLE.call("set_group_whole_ban")
async def muteGroup(caller: Caller, params: Params) -> Any:
    """
    Mute all members of a group but its owner and administrators, or end that.
    """
    code = await groupCode(caller, params)
    await caller.online.muteGroup(code, params.flag("enable", True))


@TABLE.call("group_poke")
async def pokeMember(caller: Caller, params: Params) -> Any:
    """
    Poke a member of a group.
    """
    member = await memberUin(caller, params)
    gid = await groupGid(caller, params.number("group_id"))
    await caller.online.pokeMember(gid, member)


@TABLE.call("friend_poke")
async def pokeFriend(caller: Caller, params: Params) -> Any:
    """
    Shake a friend's window.
    """
    await caller.online.shakeWindow(friendUin(caller, params))


@TABLE.call("send_poke")
async def poke(caller: Caller, params: Params) -> Any:
    """
    Poke a member of C{group_id} if it is given, else a friend.
    """
    await (pokeMember if params.has("group_id") else pokeFriend)(caller, params)


@TABLE.call("set_msg_emoji_like")
async def setReaction(caller: Caller, params: Params) -> Any:
    """
    React to a message in a group, or take the reaction back.
    """
    message = knownMessage(caller, params)
    face = emojiOf(params.text("emoji_id"))
    if face is None:
        raise CallFailed("emoji_id is no emoticon", MALFORMED)
    kind, number = message.conversation
    if kind != "group":
        raise CallFailed("only messages in groups can be reacted to")
    gid, isSet = await groupGid(caller, number), params.flag("set", True)
    await caller.online.setReaction(gid, _wireIds(message)[-1], face, isSet)
