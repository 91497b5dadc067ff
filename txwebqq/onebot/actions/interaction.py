"""
Recalls, mutes, pokes and reactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.errors import RequestRefused
from txwebqq.model import Text
from txwebqq.onebot.actions.calls import NO_SUCH_ACTION, Call, Calls, Handlers, refusal
from txwebqq.onebot.faces import emojiId
from txwebqq.onebot.reading import programIdOf
from txwebqq.wire.commands.interaction import (
    MuteGroupMember,
    PokeGroupMember,
    RecallBuddyMsg2,
    RecallQunMsg2,
    SetReaction,
)

MAX_MUTE = 30 * 86400
"""The longest mute of one member, in seconds: Tencent permits no longer one."""


def _programId(messageId: int) -> int:
    if not messageId:
        raise refusal("the id of the message is not known")
    return programIdOf(messageId)


async def _firstKnown(
    call: Call, attempts: Mapping[str, Mapping[str, Any]], purpose: str
) -> None:
    """
    Make the first of several calls that the program has.

    @param attempts: the parameters by the action.
    """
    for action, params in attempts.items():
        try:
            await call(action, params)
        except RequestRefused as e:
            if e.retcode not in NO_SUCH_ACTION:
                raise
        else:
            return
    raise refusal(f"the OneBot program cannot {purpose}")


async def _recall(calls: Calls, command: RecallBuddyMsg2 | RecallQunMsg2) -> None:
    await calls.call("delete_msg", {"message_id": _programId(command.id)})


async def _mute(calls: Calls, command: MuteGroupMember) -> None:
    group = {"group_id": int(command.code)}
    if not command.member:
        isMuted = command.seconds > 0
        await calls.call("set_group_whole_ban", {**group, "enable": isMuted})
        return
    if command.seconds > MAX_MUTE:
        raise refusal("a member can be muted for 30 days at most")
    params = {"user_id": int(command.member), "duration": max(command.seconds, 0)}
    await calls.call("set_group_ban", {**group, **params})


async def _poke(calls: Calls, command: PokeGroupMember) -> None:
    params = {"group_id": int(command.group), "user_id": int(command.member)}
    actions = {"group_poke": params, "send_poke": params}
    await _firstKnown(calls.send, actions, "poke members of groups")


async def _react(calls: Calls, command: SetReaction) -> None:
    message = {"message_id": _programId(command.id)}
    emoji = emojiId(command.face)
    isNumber = isinstance(command.face, Text) and command.face.text.isdecimal()
    if isNumber or not emoji.isdecimal():
        raise refusal(
            "a reaction is an emoticon that today's QQ has, or one Unicode emoji"
        )
    like = {**message, "emoji_id": emoji}
    attempts: dict[str, Mapping[str, Any]] = {}
    if not command.isSet:
        # LLTwoBot does not look at "set".
        attempts["unset_msg_emoji_like"] = like
    attempts["set_msg_emoji_like"] = {**like, "set": command.isSet}
    attempts["set_group_reaction"] = {
        "group_id": int(command.group),
        **message,
        "code": emoji,
        "is_add": command.isSet,
    }
    await _firstKnown(calls.send, attempts, "react to messages")


HANDLERS: Handlers = {
    RecallBuddyMsg2: _recall,
    RecallQunMsg2: _recall,
    MuteGroupMember: _mute,
    PokeGroupMember: _poke,
    SetReaction: _react,
}
"""The functions that carry out the commands."""
