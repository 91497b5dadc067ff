"""
The live channel: C{poll2} and its events, sends, presence, heartbeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, assert_never

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    SYSTEM,
    Code,
    Content,
    Event,
    Font,
    Gid,
    GroupMessage,
    KickNotice,
    Message,
    Number,
    Presence,
    Status,
    StatusChange,
    Uin,
    UnknownEvent,
)
from txwebqq.wire.command import (
    Command,
    Fields,
    Host,
    JSONCommand,
    OKCommand,
    Pairs,
    Referer,
    Refusal,
    Ticket,
    channelQuery,
    decodeAnswer,
    decodeText,
    encodeJSON,
    encodeRefusal,
    guarded,
    parseJSON,
    postFields,
)
from txwebqq.wire.content import decodeReceived, decodeSent, encodeReceived, encodeSent

# ---- events


def _decodeMessage(value: Mapping[str, Any]) -> Message:
    content, font = decodeReceived(value["content"])
    return Message(
        sender=Uin(int(value["from_uin"])),
        recipient=Number(int(value["to_uin"])),
        content=content,
        time=int(value.get("time", 0)),
        messageId=int(value.get("msg_id", 0)),
        messageId2=int(value.get("msg_id2", 0)),
        font=font,
        kind=int(value.get("msg_type", 9)),
    )


def _decodeGroupMessage(value: Mapping[str, Any]) -> GroupMessage:
    content, font = decodeReceived(value["content"])
    return GroupMessage(
        group=Gid(int(value["from_uin"])),
        code=Code(int(value.get("group_code", 0))),
        number=Number(int(value.get("info_seq", 0))),
        sender=Uin(int(value["send_uin"])),
        recipient=Number(int(value["to_uin"])),
        content=content,
        time=int(value.get("time", 0)),
        messageId=int(value.get("msg_id", 0)),
        messageId2=int(value.get("msg_id2", 0)),
        sequence=int(value.get("seq", 0)),
        font=font,
        kind=int(value.get("msg_type", 43)),
    )


def _decodeStatusChange(value: Mapping[str, Any]) -> StatusChange:
    return StatusChange(
        uin=Uin(int(value["uin"])),
        status=Status(value["status"]),
        clientType=int(value.get("client_type", 1)),
    )


def _decodeKickNotice(value: Mapping[str, Any]) -> KickNotice:
    return KickNotice(
        reason=str(value.get("reason", "")),
        shown=bool(value.get("show_reason", 0)),
        recipient=Number(int(value.get("to_uin", 0))),
        messageId=int(value.get("msg_id", 0)),
        messageId2=int(value.get("msg_id2", 0)),
    )


_DECODERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "message": _decodeMessage,
    "group_message": _decodeGroupMessage,
    "buddies_status_change": _decodeStatusChange,
    "kick_message": _decodeKickNotice,
}


def decodeEvent(pollType: str, value: Any) -> Event:
    """
    The event in a poll's envelope.

    @return: L{UnknownEvent} for a type that we do not know, and for a value
        that its type cannot hold: one odd event must not lose the others.
    """
    decode = _DECODERS.get(pollType)
    if decode is None:
        return UnknownEvent(pollType, value)
    try:
        return guarded(decode, value)
    except MalformedReply:
        return UnknownEvent(pollType, value)


def encodeEvent(event: Event) -> dict[str, Any]:
    """
    The envelope of an event (protocol.md 5).
    """
    match event:
        case Message():
            pollType, value = "message", _encodeMessage(event)
        case GroupMessage():
            pollType, value = "group_message", _encodeGroupMessage(event)
        case StatusChange():
            pollType = "buddies_status_change"
            value = {
                "uin": event.uin,
                "status": event.status.value,
                "client_type": event.clientType,
            }
        case KickNotice():
            pollType, value = "kick_message", _encodeKickNotice(event)
        case UnknownEvent():
            pollType, value = event.pollType, event.value
        case _:
            assert_never(event)
    return {"poll_type": pollType, "value": value}


def _encodeMessage(message: Message) -> dict[str, Any]:
    return {
        "msg_id": message.messageId,
        "from_uin": message.sender,
        "to_uin": message.recipient,
        "msg_id2": message.messageId2,
        "msg_type": message.kind,
        "reply_ip": 176498310,
        "time": message.time,
        "content": encodeReceived(message.content, message.font),
    }


def _encodeGroupMessage(message: GroupMessage) -> dict[str, Any]:
    return {
        "msg_id": message.messageId,
        "from_uin": message.group,
        "to_uin": message.recipient,
        "msg_id2": message.messageId2,
        "msg_type": message.kind,
        "reply_ip": 176756826,
        "group_code": message.code,
        "send_uin": message.sender,
        "seq": message.sequence,
        "time": message.time,
        "info_seq": message.number,
        "content": encodeReceived(message.content, message.font),
    }


def _encodeKickNotice(notice: KickNotice) -> dict[str, Any]:
    return {
        "msg_id": notice.messageId,
        "from_uin": SYSTEM,
        "to_uin": notice.recipient,
        "msg_id2": notice.messageId2,
        "msg_type": 48,
        "reply_ip": 0,
        "show_reason": int(notice.shown),
        "reason": notice.reason,
    }


# ---- poll


@dataclass(frozen=True, slots=True)
class Poll2(JSONCommand[tuple[Event, ...]]):
    """
    Wait for events (protocol.md 2.2.1).

    @ivar ids: the messages shown since the last poll.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/poll2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    patience: ClassVar[float] = 90.0

    ticket: Ticket
    ids: tuple[str, ...] = ()

    def encodeFields(self) -> Pairs:
        members = {
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
            "key": 0,
            "ids": list(self.ids),
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        ids = fields.r.get("ids")
        return cls(fields.ticket, tuple(map(str, ids)) if isinstance(ids, list) else ())

    @classmethod
    def encodeResult(cls, reply: tuple[Event, ...]) -> Any:
        return [encodeEvent(event) for event in reply]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Event, ...]:
        # Real servers also said "ok" for nothing.
        if not isinstance(result, list):
            return ()
        return tuple(map(_decodeEnvelope, result))

    @classmethod
    def decodeReply(cls, body: bytes) -> tuple[Event, ...] | Refusal:
        # ... or nothing at all.
        return decodeAnswer(body, cls.decodeResult) if body.strip() else ()


def _decodeEnvelope(envelope: Any) -> Event:
    match envelope:
        case {"poll_type": str(pollType), "value": value}:
            return decodeEvent(pollType, value)
    return UnknownEvent("", envelope)


# ---- sends


@dataclass(frozen=True, slots=True)
class SendBuddyMsg2(OKCommand):
    """
    Send to a friend (protocol.md 2.2.2).

    @ivar face: the sender's own avatar index, of no effect.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_buddy_msg2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    to: Uin
    content: Content
    messageId: int
    font: Font = Font()
    face: int = 0

    def encodeFields(self) -> Pairs:
        members = {
            "to": self.to,
            "face": self.face,
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        content, font = decodeSent(fields.text("content"))
        return cls(
            ticket=fields.ticket,
            to=Uin(fields.integer("to")),
            content=content,
            messageId=fields.integer("msg_id", 0),
            font=font,
            face=fields.integer("face", 0),
        )


@dataclass(frozen=True, slots=True)
class SendQunMsg2(OKCommand):
    """
    Send to a group (protocol.md 2.2.3).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_qun_msg2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    group: Gid
    content: Content
    messageId: int
    font: Font = Font()

    def encodeFields(self) -> Pairs:
        members = {
            "group_uin": self.group,
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        content, font = decodeSent(fields.text("content"))
        return cls(
            ticket=fields.ticket,
            group=Gid(fields.integer("group_uin")),
            content=content,
            messageId=fields.integer("msg_id", 0),
            font=font,
        )


# ---- presence


@dataclass(frozen=True, slots=True)
class ChangeStatus2(OKCommand):
    """
    Appear otherwise (protocol.md 2.2.8).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/change_status2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    status: Status
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("newstatus", self.status.value),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            guarded(Status, fields.text("newstatus")),
            fields.milliseconds,
        )


@dataclass(frozen=True, slots=True)
class GetOnlineBuddies2(JSONCommand[tuple[Presence, ...]]):
    """
    Which friends are not offline? (protocol.md 2.2.9)
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_online_buddies2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return channelQuery(self.ticket, self.milliseconds)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, fields.milliseconds)

    @classmethod
    def encodeResult(cls, reply: tuple[Presence, ...]) -> Any:
        return [
            {"uin": p.uin, "status": p.status.value, "client_type": p.clientType}
            for p in reply
        ]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Presence, ...]:
        return tuple(
            Presence(Uin(int(p["uin"])), Status(p["status"]), int(p["client_type"]))
            for p in result
        )


@dataclass(frozen=True, slots=True)
class GetMsgTip(Command[bool]):
    """
    The heartbeat; it answers whether there are tips (protocol.md 2.8.1).

    @ivar count: how many heartbeats there were before.
    """

    host: ClassVar[Host] = Host.PAGE
    path: ClassVar[str] = "/web2/get_msg_tip"
    referer: ClassVar[Referer | None] = Referer.PAGE

    count: int = 0
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("uin", ""),
            ("tp", "1"),
            ("id", "0"),
            ("retype", "1"),
            ("rc", str(self.count)),
            ("lv", "3"),
            ("t", str(self.milliseconds)),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.integer("rc", 0), fields.milliseconds)

    @classmethod
    def encodeReply(cls, reply: bool | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        return encodeJSON({"c": 0 if reply else 1}).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> bool | Refusal:
        return guarded(_decodeTip, parseJSON(decodeText(body)))


def _decodeTip(value: Any) -> bool:
    return int(value["c"]) == 0
