"""
The events that polls answer with, each with its C{poll_type} (protocol.md 5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    LEFT_ALONE,
    OWNER_CHANGED,
    SYSTEM,
    CallRequest,
    DiscussionMessage,
    Event,
    FileNotice,
    FileStep,
    FriendshipNotice,
    FriendshipStep,
    GroupMessage,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
    KickNotice,
    Message,
    OfflineFile,
    OfflineFileNotice,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    StrangerMessage,
    Tip,
    TransferProgress,
    TransferredFile,
    Typing,
    UnknownEvent,
)
from txwebqq.wire.coerce import LIMIT, SHAPE_ERRORS, textOf, unsigned
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.fastconstructor import fastConstructor

_message = fastConstructor(Message)
_groupMessage = fastConstructor(GroupMessage)


# What nearly all events are is taken apart in as few steps as may be: whether
# all of its numbers are some is asked once.


def _decodeMessage(value: Mapping[str, Any]) -> Message:
    content, font = decodeReceived(value["content"])
    get = value.get
    sender, recipient, time = value["from_uin"], value["to_uin"], get("time", 0)
    first, second, kind = get("msg_id", 0), get("msg_id2", 0), get("msg_type", 9)
    try:
        isFit = 0 <= sender | recipient | time | first | second | kind < LIMIT
    except TypeError:
        isFit = False
    if not isFit:
        numbers = map(unsigned, (sender, recipient, time, first, second, kind))
        sender, recipient, time, first, second, kind = numbers
    return _message(sender, recipient, content, time, first, second, font, kind)


def _decodeGroupMessage(value: Mapping[str, Any]) -> GroupMessage:
    content, font = decodeReceived(value["content"])
    get = value.get
    group, code, number = value["from_uin"], get("group_code", 0), get("info_seq", 0)
    sender, recipient, time = value["send_uin"], value["to_uin"], get("time", 0)
    first, second = get("msg_id", 0), get("msg_id2", 0)
    sequence, kind = get("seq", 0), get("msg_type", 43)
    try:
        isFit = 0 <= group | code | number | sender | recipient < LIMIT
        isFit = isFit and 0 <= time | first | second | sequence | kind < LIMIT
    except TypeError:
        isFit = False
    if not isFit:
        numbers = map(unsigned, (group, code, number, sender, recipient))
        group, code, number, sender, recipient = numbers
        numbers = map(unsigned, (time, first, second, sequence, kind))
        time, first, second, sequence, kind = numbers
    return _groupMessage(
        group,
        code,
        number,
        sender,
        recipient,
        content,
        time,
        first,
        second,
        sequence,
        font,
        kind,
    )


# Dearer to ask the class.
_STATUSES = {status.value: status for status in Status}


def _decodeStatusChange(value: Mapping[str, Any]) -> StatusChange:
    return StatusChange(
        uin=unsigned(value["uin"]),
        status=_STATUSES[value["status"]],
        clientType=unsigned(value.get("client_type", 1)),
    )


def _decodeKickNotice(value: Mapping[str, Any]) -> KickNotice:
    return KickNotice(
        reason=textOf(value.get("reason", "")),
        shown=bool(value.get("show_reason", 0)),
        recipient=unsigned(value.get("to_uin", 0)),
        messageId=unsigned(value.get("msg_id", 0)),
        messageId2=unsigned(value.get("msg_id2", 0)),
    )


def _number(value: Mapping[str, Any], name: str) -> Any:
    # Real-number twins of session ids are empty strings where hidden.
    return unsigned(value.get(name) or 0)


def _decodeDiscussionMessage(value: Mapping[str, Any]) -> DiscussionMessage:
    content, font = decodeReceived(value["content"])
    return DiscussionMessage(
        discussion=unsigned(value["did"]),
        sender=unsigned(value["send_uin"]),
        recipient=unsigned(value["to_uin"]),
        content=content,
        time=_number(value, "time"),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
        sequence=_number(value, "seq"),
        version=_number(value, "info_seq"),
        font=font,
        kind=unsigned(value.get("msg_type", 42)),
    )


def _decodeStrangerMessage(value: Mapping[str, Any]) -> StrangerMessage:
    content, font = decodeReceived(value["content"])
    return StrangerMessage(
        sender=unsigned(value["from_uin"]),
        recipient=unsigned(value["to_uin"]),
        place=_number(value, "id"),
        service=_number(value, "service_type"),
        number=_number(value, "ruin"),
        content=content,
        time=_number(value, "time"),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
        font=font,
        kind=unsigned(value.get("msg_type", 140)),
    )


def _decodeTyping(value: Mapping[str, Any]) -> Typing:
    return Typing(
        unsigned(value["from_uin"]),
        _number(value, "to_uin"),
        _number(value, "msg_id"),
        _number(value, "msg_id2"),
    )


def _decodeShake(value: Mapping[str, Any]) -> Shake:
    return Shake(
        unsigned(value["from_uin"]),
        _number(value, "to_uin"),
        _number(value, "msg_id"),
        _number(value, "msg_id2"),
    )


def _decodeFriendship(value: Mapping[str, Any]) -> FriendshipNotice:
    return FriendshipNotice(
        step=FriendshipStep(value["type"]),
        uin=unsigned(value["from_uin"]),
        number=_number(value, "account"),
        text=textOf(value.get("msg", "")),
        sequence=_number(value, "seq"),
        category=_number(value, "group_id"),
        allow=unsigned(value.get("allow", 1)),
        status=Status.fromCode(unsigned(value.get("stat", 20))),
        clientType=_number(value, "client_type"),
        signature=textOf(value.get("sig", "")),
    )


def _decodeRosterChange(value: Mapping[str, Any]) -> RosterChange:
    return RosterChange(
        added=tuple(
            (unsigned(friend["uin"]), _number(friend, "groupid"))
            for friend in value.get("added_friends") or ()
        ),
        removed=tuple(
            unsigned(friend["uin"]) for friend in value.get("removed_friends") or ()
        ),
    )


_MEMBER_NAMES = {
    GroupStep.CREATED: ("owner_uin", ""),
    GroupStep.JOINED: ("new_member", "t_new_member"),
    GroupStep.LEFT: ("old_member", "t_old_member"),
    GroupStep.REQUESTED: ("request_uin", "t_request_uin"),
    GroupStep.AGREED: ("", ""),
    GroupStep.DENIED: ("", ""),
    GroupStep.ADMIN: ("uin", "t_uin"),
}
_NEW_OWNER_NAMES = ("new_uin", "t_new_uin")


def _memberNames(step: GroupStep, operation: int) -> tuple[str, str]:
    if step is GroupStep.ADMIN and operation == OWNER_CHANGED:
        return _NEW_OWNER_NAMES
    return _MEMBER_NAMES[step]


def _decodeGroupNotice(value: Mapping[str, Any]) -> GroupNotice:
    step = GroupStep(value["type"])
    operation = _number(value, "op_type")
    member, memberNumber = _memberNames(step, operation)
    return GroupNotice(
        step=step,
        group=unsigned(value["from_uin"]),
        code=_number(value, "gcode"),
        number=_number(value, "t_gcode"),
        recipient=_number(value, "to_uin"),
        member=_number(value, member),
        memberNumber=_number(value, memberNumber),
        admin=_number(value, "admin_uin"),
        adminTitle=textOf(value.get("admin_nick", "")),
        previous=_number(value, "old_uin"),
        operation=operation,
        text=textOf(value.get("msg", "")),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
    )


def _decodeGroupWebMessage(value: Mapping[str, Any]) -> GroupWebMessage:
    return GroupWebMessage(
        group=unsigned(value["from_uin"]),
        code=_number(value, "group_code"),
        sender=unsigned(value["send_uin"]),
        markup=textOf(value["xml"]),
        recipient=_number(value, "to_uin"),
        groupType=unsigned(value.get("group_type", 1)),
        version=unsigned(value.get("ver", 1)),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
    )


def _decodeFileNotice(value: Mapping[str, Any]) -> FileNotice:
    return FileNotice(
        step=FileStep(value["mode"]),
        sender=unsigned(value["from_uin"]),
        session=unsigned(value["session_id"]),
        recipient=_number(value, "to_uin"),
        name=textOf(value.get("name", "")),
        reason=_number(value, "cancel_type"),
        time=_number(value, "time"),
        kind=unsigned(value.get("type", 101)),
        address=_number(value, "inet_ip"),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
    )


def _decodeTransfer(value: Mapping[str, Any]) -> TransferProgress:
    return TransferProgress(
        sender=unsigned(value["from_uin"]),
        files=tuple(
            TransferredFile(
                textOf(file["file_name"]),
                unsigned(file["file_status"]),
                _number(file, "pro_id"),
            )
            for file in value["file_infos"]
        ),
        localId=unsigned(value["lc_id"]),
        operation=unsigned(value["operation"]),
        now=_number(value, "now"),
        recipient=_number(value, "to_uin"),
        kind=unsigned(value.get("type", 101)),
        messageId=_number(value, "msg_id"),
    )


def _decodeOfflineFile(value: Mapping[str, Any]) -> OfflineFile:
    return OfflineFile(
        sender=unsigned(value["from_uin"]),
        name=textOf(value["name"]),
        size=unsigned(value["size"]),
        key=textOf(value["rkey"]),
        ip=textOf(value["ip"]),
        port=unsigned(value["port"]),
        expires=_number(value, "expire_time"),
        time=_number(value, "time"),
        messageId=_number(value, "msg_id"),
    )


def _decodeOfflineFileNotice(value: Mapping[str, Any]) -> OfflineFileNotice:
    return OfflineFileNotice(
        sender=unsigned(value["from_uin"]),
        action=unsigned(value["action"]),
        name=textOf(value["filename"]),
        size=_number(value, "filesize"),
        recipient=_number(value, "to_uin"),
        messageId=_number(value, "msg_id"),
        messageId2=_number(value, "msg_id2"),
    )


def _decodeTip(value: Mapping[str, Any]) -> Tip:
    return Tip(
        sender=unsigned(value["from_uin"]),
        url=textOf(value.get("url", "")),
        text=textOf(value.get("txt3", "")),
        messageId=_number(value, "msg_id"),
    )


def _decodeCall(value: Mapping[str, Any]) -> CallRequest:
    return CallRequest(
        sender=unsigned(value["from_uin"]),
        messageId=_number(value, "msg_id"),
        kind=_number(value, "msg_type"),
    )


_DECODERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "message": _decodeMessage,
    "group_message": _decodeGroupMessage,
    "discu_message": _decodeDiscussionMessage,
    "sess_message": _decodeStrangerMessage,
    "buddies_status_change": _decodeStatusChange,
    "kick_message": _decodeKickNotice,
    "input_notify": _decodeTyping,
    "shake_message": _decodeShake,
    "system_message": _decodeFriendship,
    "buddylist_change": _decodeRosterChange,
    "sys_g_msg": _decodeGroupNotice,
    "group_web_message": _decodeGroupWebMessage,
    "file_message": _decodeFileNotice,
    "filesrv_transfer": _decodeTransfer,
    "push_offfile": _decodeOfflineFile,
    "notify_offfile": _decodeOfflineFileNotice,
    "tips": _decodeTip,
    "av_request": _decodeCall,
}


def decodeEnvelope(envelope: Any) -> Event:
    """
    The event in a poll's envelope.

    @return: L{UnknownEvent} for a type that we do not know, and for a value
        that its type cannot hold: one odd event must not lose the others.
    """
    try:
        return _DECODERS[envelope["poll_type"]](envelope["value"])
    except (MalformedReply, *SHAPE_ERRORS):
        return _unknown(envelope)


def _unknown(envelope: Any) -> UnknownEvent:
    if isinstance(envelope, dict) and "value" in envelope:
        pollType = envelope.get("poll_type")
        if isinstance(pollType, str):
            return UnknownEvent(pollType, envelope["value"])
    return UnknownEvent("", envelope)


POLL_TYPES: dict[type[Any], str] = {
    Message: "message",
    GroupMessage: "group_message",
    DiscussionMessage: "discu_message",
    StrangerMessage: "sess_message",
    StatusChange: "buddies_status_change",
    KickNotice: "kick_message",
    Typing: "input_notify",
    Shake: "shake_message",
    FriendshipNotice: "system_message",
    RosterChange: "buddylist_change",
    GroupNotice: "sys_g_msg",
    GroupWebMessage: "group_web_message",
    FileNotice: "file_message",
    TransferProgress: "filesrv_transfer",
    OfflineFile: "push_offfile",
    OfflineFileNotice: "notify_offfile",
    Tip: "tips",
    CallRequest: "av_request",
}
"""Each type of event, and the C{poll_type} that it travels under."""


def pollTypeOf(event: Event) -> str:
    """
    The C{poll_type} that an event travels under.
    """
    if isinstance(event, UnknownEvent):
        return event.pollType
    return POLL_TYPES[type(event)]


def encodeEvent(event: Event) -> dict[str, Any]:
    """
    The envelope of an event (protocol.md 5).
    """
    return {"poll_type": pollTypeOf(event), "value": _encodeValue(event)}


def _encodeValue(event: Event) -> Any:
    match event:
        case Message():
            return _encodeMessage(event)
        case GroupMessage():
            return _encodeGroupMessage(event)
        case DiscussionMessage():
            return _encodeDiscussionMessage(event)
        case StrangerMessage():
            return _encodeStrangerMessage(event)
        case StatusChange():
            return {
                "uin": event.uin,
                "status": event.status.value,
                "client_type": event.clientType,
            }
        case KickNotice():
            return _encodeKickNotice(event)
        case Typing():
            return _ids(event, event.uin, 121) | {"reply_ip": 4294967295}
        case Shake():
            return _ids(event, event.uin, 9)
        case FriendshipNotice():
            return _encodeFriendship(event)
        case RosterChange():
            return {
                "added_friends": [
                    {"groupid": category, "uin": uin} for uin, category in event.added
                ],
                "removed_friends": [{"uin": uin} for uin in event.removed],
            }
        case GroupNotice():
            return _encodeGroupNotice(event)
        case GroupWebMessage():
            return _ids(event, event.group, 45) | {
                "group_code": event.code,
                "group_type": event.groupType,
                "ver": event.version,
                "send_uin": event.sender,
                "xml": event.markup,
            }
        case FileNotice():
            return _encodeFileNotice(event)
        case TransferProgress():
            return _encodeTransfer(event)
        case OfflineFile():
            return {
                "msg_id": event.messageId,
                "rkey": event.key,
                "ip": event.ip,
                "port": event.port,
                "from_uin": event.sender,
                "size": event.size,
                "name": event.name,
                "expire_time": event.expires,
                "time": event.time,
            }
        case OfflineFileNotice():
            return _ids(event, event.sender, 9) | {
                "action": event.action,
                "filename": event.name,
                "filesize": event.size,
            }
        case Tip():
            return {
                "msg_id": event.messageId,
                "from_uin": event.sender,
                "url": event.url,
                "txt3": event.text,
            }
        case CallRequest():
            return {
                "msg_id": event.messageId,
                "from_uin": event.sender,
                "msg_type": event.kind,
            }
        case UnknownEvent():
            return event.value
        case _:
            assert_never(event)


REPLY_IP = 176498310
"""C{reply_ip}: an address inside the original service that nobody used."""


def _ids(event: Any, sender: int, kind: int) -> dict[str, Any]:
    """
    The members that nearly all events have.
    """
    return {
        "msg_id": event.messageId,
        "from_uin": sender,
        "to_uin": event.recipient,
        "msg_id2": event.messageId2,
        "msg_type": kind,
        "reply_ip": REPLY_IP,
    }


def _encodeMessage(message: Message) -> dict[str, Any]:
    return _ids(message, message.sender, message.kind) | {
        "time": message.time,
        "content": encodeReceived(message.content, message.font),
    }


def _encodeGroupMessage(message: GroupMessage) -> dict[str, Any]:
    return _ids(message, message.group, message.kind) | {
        "group_code": message.code,
        "send_uin": message.sender,
        "seq": message.sequence,
        "time": message.time,
        "info_seq": message.number,
        "content": encodeReceived(message.content, message.font),
    }


def _encodeDiscussionMessage(message: DiscussionMessage) -> dict[str, Any]:
    return _ids(message, SYSTEM, message.kind) | {
        "did": message.discussion,
        "send_uin": message.sender,
        "seq": message.sequence,
        "time": message.time,
        "info_seq": message.version,
        "content": encodeReceived(message.content, message.font),
    }


def _encodeStrangerMessage(message: StrangerMessage) -> dict[str, Any]:
    return _ids(message, message.sender, message.kind) | {
        "time": message.time,
        "id": message.place,
        "ruin": message.number,
        "service_type": message.service,
        "flags": {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1},
        "content": encodeReceived(message.content, message.font),
    }


def _encodeKickNotice(notice: KickNotice) -> dict[str, Any]:
    return _ids(notice, SYSTEM, 48) | {
        "reply_ip": 0,
        "show_reason": int(notice.shown),
        "reason": notice.reason,
    }


def _encodeFriendship(notice: FriendshipNotice) -> dict[str, Any]:
    value: dict[str, Any] = {
        "seq": notice.sequence,
        "type": notice.step.value,
        "uiuin": "",
        "from_uin": notice.uin,
        "account": notice.number,
        "stat": notice.status.code,
    }
    if notice.clientType:
        value["client_type"] = notice.clientType
    match notice.step:
        case FriendshipStep.REQUESTED:
            value |= {"msg": notice.text, "allow": notice.allow}
        case FriendshipStep.REJECTED:
            value["msg"] = notice.text
        case FriendshipStep.PASSED_AND_ADDED:
            value["group_id"] = notice.category
        case FriendshipStep.ADDED:
            value["sig"] = notice.signature
    return value


_GROUP_KINDS = {
    GroupStep.CREATED: 38,
    GroupStep.JOINED: 33,
    GroupStep.LEFT: 34,
    GroupStep.REQUESTED: 35,
    GroupStep.AGREED: 36,
    GroupStep.DENIED: 37,
    GroupStep.ADMIN: 44,
}


def _encodeGroupNotice(notice: GroupNotice) -> dict[str, Any]:
    value = _ids(notice, notice.group, _GROUP_KINDS[notice.step]) | {
        "type": notice.step.value,
        "gcode": notice.code,
        "t_gcode": notice.number,
    }
    member, memberNumber = _memberNames(notice.step, notice.operation)
    if member:
        value[member] = notice.member
    if memberNumber:
        value[memberNumber] = notice.memberNumber or ""
    match notice.step:
        case GroupStep.JOINED:
            value |= {
                "op_type": notice.operation,
                "admin_uin": notice.admin,
                "admin_nick": notice.adminTitle,
            }
        case GroupStep.LEFT:
            value["op_type"] = notice.operation
            if notice.operation != LEFT_ALONE:
                value |= {"admin_uin": notice.admin, "admin_nick": notice.adminTitle}
        case GroupStep.REQUESTED:
            value["msg"] = notice.text
        case GroupStep.AGREED | GroupStep.DENIED:
            value |= {"admin_uin": notice.admin, "msg": notice.text}
        case GroupStep.ADMIN if notice.operation == OWNER_CHANGED:
            value |= {"op_type": notice.operation, "old_uin": notice.previous}
        case GroupStep.ADMIN:
            value |= {
                "op_type": notice.operation,
                "uin_flag": int(notice.operation in (1, 3)),
            }
    return value


def _encodeFileNotice(notice: FileNotice) -> dict[str, Any]:
    value = _ids(notice, notice.sender, 9) | {
        "mode": notice.step.value,
        "type": notice.kind,
        "session_id": notice.session,
        "time": notice.time,
    }
    match notice.step:
        case FileStep.OFFERED:
            value |= {"name": notice.name, "inet_ip": notice.address}
        case FileStep.ENDED:
            value["cancel_type"] = notice.reason
    return value


def _encodeTransfer(progress: TransferProgress) -> dict[str, Any]:
    return {
        "msg_id": progress.messageId,
        "from_uin": progress.sender,
        "to_uin": progress.recipient,
        "file_count": len(progress.files),
        "lc_id": progress.localId,
        "now": progress.now,
        "operation": progress.operation,
        "type": progress.kind,
        "file_infos": [
            {"file_name": f.name, "file_status": f.status, "pro_id": f.id}
            for f in progress.files
        ],
    }
