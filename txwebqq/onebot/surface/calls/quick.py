"""
Quick operations: what a bot wants done about an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.onebot.reading import boolIn, numberIn
from txwebqq.onebot.surface.calls.contacts import answerFriendRequest
from txwebqq.onebot.surface.calls.groups import answerJoinRequest, kick
from txwebqq.onebot.surface.calls.interaction import deleteMessage, muteMember
from txwebqq.onebot.surface.calls.messages import send
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed
from txwebqq.onebot.surface.segments import readMessage

TABLE = CallTable()


@TABLE.call(".handle_quick_operation")
async def handleQuickOperation(caller: Caller, params: Params) -> Any:
    """
    Do what a bot wants done about an event.
    """
    context = params.object("context")
    if not context:
        raise CallFailed("context is missing", MALFORMED)
    await operate(caller, context, params.object("operation"))


async def operate(
    caller: Caller, context: Mapping[str, Any], operation: Mapping[str, Any]
) -> None:
    """
    Do what a bot wants done.

    @param context: the event, of which some fields may be missing.
    """
    match context.get("post_type"):
        case "message":
            await _operateOnMessage(caller, context, operation)
        case "request" if operation.get("approve") is not None:
            isFriend = context.get("request_type") == "friend"
            answer = answerFriendRequest if isFriend else answerJoinRequest
            await answer(caller, Params({**operation, "flag": context.get("flag")}))


async def _operateOnMessage(
    caller: Caller, context: Mapping[str, Any], operation: Mapping[str, Any]
) -> None:
    isGroup = context.get("message_type") == "group"
    user, group = numberIn(context, "user_id"), numberIn(context, "group_id")
    if operation.get("reply") not in (None, "", []):
        isPlain = boolIn(operation, "auto_escape")
        segments = readMessage(operation["reply"], isPlain)
        if isGroup and boolIn(operation, "at_sender", True):
            mention = {"type": "at", "data": {"qq": str(user)}}
            segments = [mention, *segments]
        place = ("group", group) if isGroup else ("private", user)
        await send(caller, place, segments)
    if not isGroup:
        return
    if boolIn(operation, "delete"):
        await deleteMessage(caller, Params(context))
    member = {"group_id": group, "user_id": user}
    if boolIn(operation, "ban"):
        duration = operation.get("ban_duration")
        await muteMember(caller, Params({**member, "duration": duration}))
    if boolIn(operation, "kick"):
        await kick(caller, Params(member))
