"""
Polls, messages, typing and presence, and the heartbeat.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    DESKTOP_CLIENT,
    Code,
    Content,
    Event,
    Font,
    Gid,
    Presence,
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import (
    MAX_EXACT,
    ackOf,
    decodeEach,
    integer,
    statusOf,
    textOf,
    unsigned,
)
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    Refusal,
    channelQuery,
    encodeRefusal,
    postFields,
    refusalOf,
)
from txwebqq.wire.content import decodeSent, encodeSent, signatureOf
from txwebqq.wire.events.envelope import decodeEnvelope, encodeEvent
from txwebqq.wire.events.poll import readEvents
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed


class PollResult(Value):
    """
    The successful reply to a poll.

    @ivar ack: the number of this reply, which the next poll acknowledges; L{None}
        from servers without acknowledgement, and for polls without a number.
    """

    events: tuple[Event, ...] = ()
    ack: int | None = None


class Poll2(Command[PollResult]):
    """
    Wait for events (protocol.md 2.2.1).

    @ivar ids: the ids of the messages shown since the last poll.
    @ivar ack: the number of the last reply whose events were delivered, 0 for none
        yet; L{None} for clients that do not acknowledge by number.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/poll2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    timeout: ClassVar[float] = 90.0
    isRepeated: ClassVar[bool] = True
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    ids: tuple[str, ...] = ()
    ack: int | None = None

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
            "key": 0,
            "ids": list(self.ids),
        }
        if self.ack is not None:
            members["ack"] = self.ack
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        ids = form.r.get("ids")
        shown = (
            decodeOrMalformed(_decodeIds, ids) if ids and isinstance(ids, list) else ()
        )
        ack = form.r.get("ack")
        return cls(form.ticket, shown, None if ack is None else ackOf(ack))

    @classmethod
    def encodeReply(cls, reply: PollResult | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        value: dict[str, Any] = {
            "retcode": 0,
            "result": [encodeEvent(event) for event in reply.events],
        }
        if reply.ack is not None:
            value["ack"] = reply.ack
        return encodeJSON(value).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> PollResult | Refusal:
        # Tencent's servers also sent an empty body in place of 102.
        if not body.strip():
            return PollResult()
        if (read := readEvents(body)) is not None:
            return PollResult(read[0], _ackIn(read[1]))
        value = parseJSON(body)
        refusal = decodeOrMalformed(refusalOf, value)
        return decodeOrMalformed(_decodeResult, value) if refusal is None else refusal


def _decodeIds(ids: list[Any]) -> tuple[str, ...]:
    return tuple(textOf(one) for one in ids)


def _decodeResult(value: Any) -> PollResult:
    result, ack = value.get("result"), value.get("ack")
    # Tencent's servers also sent "ok" in place of 102.
    events = tuple(map(decodeEnvelope, result)) if isinstance(result, list) else ()
    return PollResult(events, _ackIn(ack))


def _ackIn(ack: Any) -> int | None:
    return ack if type(ack) is int and 0 < ack <= MAX_EXACT else None


_NO_CODE = Code(0)


class SendBuddyMsg2(OKCommand):
    """
    Send a message to a friend (protocol.md 2.2.2).

    @ivar face: the index of the sender's avatar, without effect.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_buddy_msg2"
    # The name of WebQQ 2.0, which later clients have kept.
    aliases: ClassVar[tuple[str, ...]] = ("/channel/send_msg2",)
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        content, font = decodeSent(form.text("content"))
        return cls(
            ticket=form.ticket,
            to=Uin(form.integer("to")),
            content=content,
            messageId=form.integer("msg_id", 0),
            font=font,
            face=form.integer("face", 0),
        )


class SendQunMsg2(OKCommand):
    """
    Send a message to a group (protocol.md 2.2.3).

    @ivar code: with C{key} and C{sig}, what a message with pictures needs.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_qun_msg2"
    # The name of WebQQ 2.0, which later clients have kept.
    aliases: ClassVar[tuple[str, ...]] = ("/channel/send_group_msg2",)
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    group: Gid
    content: Content
    messageId: int
    font: Font = Font()
    code: Code = _NO_CODE
    key: str = ""
    sig: Secret = ""

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {"group_uin": self.group}
        key, sig = signatureOf(self.content, self.key, self.sig)
        if sig:
            members |= {"group_code": self.code, "key": key, "sig": sig}
        members |= {
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        content, font = decodeSent(form.text("content"))
        return cls(
            ticket=form.ticket,
            group=Gid(form.integer("group_uin")),
            content=content,
            messageId=form.integer("msg_id", 0),
            font=font,
            code=Code(form.integer("group_code", 0)),
            key=form.text("key", ""),
            sig=form.text("sig", ""),
        )


class InputNotify2(OKCommand):
    """
    Send a typing notification to a friend (protocol.md 2.2.7).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/input_notify2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    to: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("to_uin", str(self.to)), *channelQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("to_uin")), form.milliseconds)


class Shake2(OKCommand):
    """
    Shake a friend's window (protocol.md 2.2.7).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/shake2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    to: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("to_uin", str(self.to)), *channelQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("to_uin")), form.milliseconds)


class ChangeStatus2(OKCommand):
    """
    Set our presence (protocol.md 2.2.8).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/change_status2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    status: Status
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("newstatus", self.status.value),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            decodeOrMalformed(Status, form.text("newstatus")),
            form.milliseconds,
        )


class GetOnlineBuddies2(JSONCommand[tuple[Presence, ...]]):
    """
    Fetch the friends who are not offline (protocol.md 2.2.9).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_online_buddies2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return channelQuery(self.ticket, self.milliseconds)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: tuple[Presence, ...]) -> Any:
        return [
            {"uin": p.uin, "status": p.status.value, "client_type": p.clientType}
            for p in reply
        ]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Presence, ...]:
        return tuple(decodeEach(_decodePresence, result))


def _decodePresence(value: Any) -> Presence:
    return Presence(
        uin=unsigned(value["uin"]),
        status=statusOf(value["status"]),
        clientType=unsigned(value.get("client_type", DESKTOP_CLIENT)),
    )


class GetMsgTip(Command[bool]):
    """
    Send the heartbeat; the reply is whether there are tips (protocol.md 2.8.1).

    @ivar count: the number of heartbeats before this one.
    """

    host: ClassVar[Host] = Host.PAGE
    path: ClassVar[str] = "/web2/get_msg_tip"
    authorization: ClassVar[Authorization] = Authorization.NONE
    referer: ClassVar[Referer | None] = Referer.PAGE
    isIdempotent: ClassVar[bool] = True

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
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.integer("rc", 0), form.milliseconds)

    @classmethod
    def encodeReply(cls, reply: bool | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        return encodeJSON({"c": 0 if reply else 1}).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> bool | Refusal:
        return decodeOrMalformed(_decodeTip, parseJSON(body))


def _decodeTip(value: Any) -> bool | Refusal:
    if "c" in value:
        return integer(value["c"]) == 0
    refusal = refusalOf(value)
    if refusal is None:
        raise MalformedReply("the reply has no member c")
    return refusal
