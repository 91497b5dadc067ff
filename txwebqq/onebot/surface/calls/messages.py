"""
Calls that send messages and ask for them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import WebQQError
from txwebqq.model import (
    Content,
    Did,
    Gid,
    Mention,
    Number,
    Reply,
    Segment,
    Sent,
    Text,
    Uin,
)
from txwebqq.onebot.segments import EVERYBODY
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.directory import GroupInfo, UnknownContact
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed
from txwebqq.onebot.surface.segments import (
    PictureSource,
    Poke,
    asFormat,
    namesMembers,
    partsOf,
    quoted,
    readMessage,
)
from txwebqq.onebot.surface.store import Conversation, StoredMessage

TABLE = CallTable()

NO_MESSAGE = "the message is not known, or no longer"

Segments = Sequence[Mapping[str, Any]]


@TABLE.call("send_msg")
async def sendMessage(caller: Caller, params: Params) -> Any:
    """
    Send a message to a group if C{group_id} is given and C{message_type} does not
    say otherwise, else to an account.
    """
    kind = params.textOr("message_type")
    isGroup = kind == "group" or (kind != "private" and params.has("group_id"))
    return await (sendGroup if isGroup else sendPrivate)(caller, params)


@TABLE.call("send_private_msg")
async def sendPrivate(caller: Caller, params: Params) -> Any:
    """
    Send a message to a friend, or to a member of C{group_id} or of any group of ours.
    """
    number = params.number("user_id")
    return {"message_id": await send(caller, ("private", number), _message(params))}


@TABLE.call("send_group_msg")
async def sendGroup(caller: Caller, params: Params) -> Any:
    """
    Send a message to a group or discussion.
    """
    number = params.number("group_id")
    return {"message_id": await send(caller, ("group", number), _message(params))}


def _message(params: Params) -> Segments:
    return readMessage(params.values.get("message"), params.flag("auto_escape", False))


async def send(caller: Caller, conversation: Conversation, segments: Segments) -> int:
    """
    Send a message after those that the bot has sent to the same conversation before.

    @return: the id of the message.
    """
    locks = caller.locks
    lock = locks.setdefault(conversation, DeferredLock())

    async def sendNow() -> int:
        if conversation[0] == "group":
            return await _sendToGroup(caller, conversation, segments)
        return await _sendToAccount(caller, conversation, segments)

    try:
        return await lock.run(lambda: Deferred.fromCoroutine(sendNow()))
    finally:
        if not lock.locked:
            locks.pop(conversation, None)


async def _sendToGroup(
    caller: Caller, conversation: Conversation, segments: Segments
) -> int:
    online, number = caller.online, conversation[1]
    group: GroupInfo | None = None
    if namesMembers(segments):
        group = await online.directory.group(number)
    elif all(number != each.number for each in online.directory.groups):
        await online.directory.loadGroups()
    ids = online.directory.groupId(number)
    content, poke = await _content(
        caller,
        conversation,
        segments,
        group,
        lambda data: online.uploadGroupPicture(data),
    )
    member = group.members.get(poke.target) if poke and group else None
    if poke and (member is None or ids.code is None):
        raise CallFailed("a poke in a group needs qq, the number of a member")
    sent = Sent()
    if content and ids.code is None:
        sent = await online.sendDiscussionMessage(Did(ids.id), content)
    elif content:
        sent = await online.sendGroupMessage(Gid(ids.id), content)
    if member is not None:
        await online.pokeMember(Gid(ids.id), member.uin)
    # The name and the members make the event, and must not fail what was sent.
    group = await online.knownGroup(number)
    return online.keepSent(online.messages.sent(conversation, group, content, sent))


async def _sendToAccount(
    caller: Caller, conversation: Conversation, segments: Segments
) -> int:
    online, number = caller.online, conversation[1]
    uin = online.directory.friends.get(number)
    if uin is not None:
        content, poke = await _content(
            caller,
            conversation,
            segments,
            None,
            lambda data: online.uploadPicture(data),
        )
        sent = await online.sendMessage(uin, content) if content else Sent()
        if poke:
            await online.shakeWindow(uin)
    else:
        content, poke = await _content(caller, conversation, segments, None, None)
        if poke:
            raise CallFailed("only the windows of friends can be shaken")
        sent = await _sendToStranger(caller, number, content)
    return online.keepSent(online.messages.sent(conversation, None, content, sent))


async def _sendToStranger(caller: Caller, number: int, content: Content) -> Sent:
    online = caller.online
    message = online.strangers.get(number)
    if message is not None:
        return await online.answerStranger(message, content)
    found = await online.directory.findMember(number)
    if found is None:
        raise UnknownContact(f"{number} is neither a friend nor in a group of ours")
    ids, member = found
    if ids.code is None:
        did = Did(ids.id)
        return await online.sendStrangerMessage(member.uin, content, discussion=did)
    return await online.sendStrangerMessage(member.uin, content, group=Gid(ids.id))


async def _content(
    caller: Caller,
    conversation: Conversation,
    segments: Segments,
    group: GroupInfo | None,
    upload: Callable[[bytes], Deferred[Any]] | None,
) -> tuple[Content, Poke | None]:
    """
    Make the content of a message, uploading its pictures.

    @param upload: L{None} where no pictures can be sent.

    @return: the content, and the poke that comes with it.
    """

    def mentionOf(number: str) -> Mention | None:
        if group is None:
            return None
        if number == "all":
            return Mention(Number(0), EVERYBODY)
        found = number.isascii() and number.isdigit() and len(number) < 20
        member = group.members.get(int(number)) if found else None
        if member is None:
            return None
        return Mention(Number(member.number), member.name.removeprefix("@"))

    def replyTo(messageId: int) -> Reply | Text:
        known = caller.account.messages.get(messageId)
        if known is None:
            return Text("")
        if known.wireIds and known.conversation == conversation:
            return Reply(known.wireIds[-1])
        return Text(quoted(known.event))

    content: list[Segment] = []
    poke: Poke | None = None
    for part in partsOf(segments, mentionOf, replyTo):
        if isinstance(part, PictureSource):
            if upload is None:
                raise CallFailed(
                    "WebQQ has no pictures for accounts that are no friend"
                )
            picture = await loadPicture(caller, part.file)
            content.append(await upload(picture))
        elif isinstance(part, Poke):
            poke = part
        else:
            content.append(part)
    if all(isinstance(segment, Reply) for segment in content):
        if poke is None:
            raise CallFailed("message is empty", MALFORMED)
        content.clear()
    return tuple(content), poke


async def loadPicture(caller: Caller, file: str) -> bytes:
    """
    Return a picture: one that was received, by its file name, or one to be loaded.
    """
    known = caller.account.pictures.get(file)
    if known is None:
        return await caller.account.loader.load(file)
    message, segment = known
    try:
        picture = await caller.online.fetchPicture(message, segment)
    except WebQQError as e:
        raise CallFailed(f"the picture cannot be fetched any more: {e}") from e
    return bytes(picture)


@TABLE.call("get_image")
async def getImage(caller: Caller, params: Params) -> Any:
    """
    Return a received picture as base64.
    """
    name = params.textOr("file") or params.text("file_id")
    if caller.account.pictures.get(name) is None:
        raise CallFailed("the picture is not known, or no longer")
    data = await loadPicture(caller, name)
    encoded = b64encode(data).decode("ascii")
    return {
        "file": name,
        "url": f"base64://{encoded}",
        "file_size": str(len(data)),
        "file_name": name,
        "base64": encoded,
    }


@TABLE.call("get_msg")
async def getMessage(caller: Caller, params: Params) -> Any:
    """
    Return a message.
    """
    return asFormat(knownMessage(caller, params).event, caller.isArray)


def knownMessage(caller: Caller, params: Params) -> StoredMessage:
    """
    Return the message that a call names.
    """
    known = caller.account.messages.get(params.number("message_id"))
    if known is None:
        raise CallFailed(NO_MESSAGE)
    return known


@TABLE.call("mark_msg_as_read", "mark_private_msg_as_read", "mark_group_msg_as_read")
async def markRead(caller: Caller, params: Params) -> Any:
    """
    Do nothing: WebQQ does not know what was read.
    """


@TABLE.call("set_input_status")
async def setInputStatus(caller: Caller, params: Params) -> Any:
    """
    Tell a friend that we are typing; there is no notice of the end.
    """
    uin = friendUin(caller, params)
    if params.numberOr("event_type", 1) == 1:
        await caller.online.sendTyping(uin)


def friendUin(caller: Caller, params: Params) -> Uin:
    """
    Return the uin of the friend that a call names.
    """
    number = params.number("user_id")
    uin = caller.online.directory.friends.get(number)
    if uin is None:
        raise CallFailed(f"{number} is no friend")
    return uin


@TABLE.call("can_send_image")
async def canSendImage(caller: Caller, params: Params) -> Any:
    """
    Tell that pictures can be sent.
    """
    return {"yes": True}


@TABLE.call("can_send_record")
async def canSendRecord(caller: Caller, params: Params) -> Any:
    """
    Tell that voice messages cannot be sent.
    """
    return {"yes": False}


def messageList(caller: Caller, events: list[dict[str, Any]]) -> Any:
    """
    Make the reply of a call for several messages.
    """
    return {"messages": [asFormat(event, caller.isArray) for event in events]}
