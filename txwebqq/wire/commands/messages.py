"""
Polls, messages, typing and presence, and the heartbeat.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Code,
    Content,
    Event,
    Font,
    Gid,
    Presence,
    Sent,
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import (
    MAX_EXACT,
    ackOf,
    decodeEach,
    integer,
    textOf,
    unsigned,
)
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    OKReply,
    Referer,
    Refusal,
    SentReply,
    encodeRefusal,
    refusalOf,
)
from txwebqq.wire.content import decodeSent, encodeSent, signatureOf
from txwebqq.wire.endpoints import (
    ChannelGet,
    ChannelPost,
    postFields,
    sendIdIn,
    sendIdMember,
)
from txwebqq.wire.events.envelope import decodeEnvelope, encodeEvent
from txwebqq.wire.events.poll import readEvents
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.parameters import TIME, DeclaredCommand
from txwebqq.wire.record import ANY_STATUS_WORD, Record


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

    method = "POST"
    host = Host.CHANNEL
    path = "/channel/poll2"
    authorization = Authorization.TICKET
    referer = Referer.CHANNEL
    timeout = 90.0
    isRepeated = True
    isIdempotent = True

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

    def encodeForm(self) -> bytes:
        # The values of nearly all polls need no escaping. Writing them into a form
        # that is escaped already takes a fifth of the time of escaping it whole.
        clientid, psessionid = self.ticket.clientid, self.ticket.psessionid
        words = "".join((clientid, psessionid, *self.ids))
        if not (clientid and psessionid and words.isascii() and words.isalnum()):
            return super().encodeForm()
        ids = "%2C".join([f"%22{one}%22" for one in self.ids])
        ack = "" if self.ack is None else f"%2C%22ack%22%3A{self.ack}"
        return (
            f"r=%7B%22clientid%22%3A%22{clientid}%22%2C%22psessionid%22%3A%22"
            f"{psessionid}%22%2C%22key%22%3A0%2C%22ids%22%3A%5B{ids}%5D{ack}%7D"
            f"&clientid={clientid}&psessionid={psessionid}"
        ).encode("ascii")

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        ids = form.r.get("ids")
        shown = (
            decodeOrMalformed(_decodeIds, form.r)
            if ids and isinstance(ids, list)
            else ()
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


def _decodeIds(r: Any) -> tuple[str, ...]:
    return tuple(textOf(one) for one in r["ids"])


def _decodeResult(value: Any) -> PollResult:
    result, ack = value.get("result"), value.get("ack")
    # Tencent's servers also sent "ok" in place of 102.
    events = tuple(map(decodeEnvelope, result)) if isinstance(result, list) else ()
    return PollResult(events, _ackIn(ack))


def _ackIn(ack: Any) -> int | None:
    return ack if type(ack) is int and 0 < ack <= MAX_EXACT else None


_NO_CODE = Code(0)


class SendBuddyMsg2(SentReply, ChannelPost[Sent]):
    """
    Send a message to a friend (protocol.md 2.2.2).

    @ivar face: the index of the sender's avatar, without effect.
    @ivar sendId: the client's own id of the message, by which the server recognises it
        when it is sent again; C{""} for none.
    """

    path = "/channel/send_buddy_msg2"
    # The name of WebQQ 2.0, which later clients have kept.
    aliases = ("/channel/send_msg2",)

    to: Uin
    content: Content
    messageId: int
    font: Font = Font()
    face: int = 0
    sendId: str = ""

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {
            "to": self.to,
            "face": self.face,
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members | sendIdMember(self.sendId), self.ticket)

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
            sendId=sendIdIn(form),
        )


class SendQunMsg2(SentReply, ChannelPost[Sent]):
    """
    Send a message to a group (protocol.md 2.2.3).

    @ivar code: with C{key} and C{sig}, what a message with pictures needs.
    """

    path = "/channel/send_qun_msg2"
    # The name of WebQQ 2.0, which later clients have kept.
    aliases = ("/channel/send_group_msg2",)

    group: Gid
    content: Content
    messageId: int
    font: Font = Font()
    code: Code = _NO_CODE
    key: str = ""
    sig: Secret = ""
    sendId: str = ""

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
        return postFields(members | sendIdMember(self.sendId), self.ticket)

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
            sendId=sendIdIn(form),
        )


class GetSent2(ChannelGet[Sent | None]):
    """
    Ask whether a message was accepted (our extension, protocol.md 2.2.11).

    @ivar sendId: the C{sendId} of the message; C{""} to learn whether the server knows
        this command.
    """

    path = "/channel/get_sent2"
    isIdempotent = True

    sendId: str = field(name="send_id", default="")

    @classmethod
    def encodeResult(cls, reply: Sent | None) -> Any:
        if reply is None:
            return {}
        return {"msg_id2": reply.messageId, "time": reply.time}

    @classmethod
    def decodeResult(cls, result: Any) -> Sent | None:
        if not isinstance(result, dict):
            raise TypeError("result is not an object")
        if not result:
            return None
        return Sent(unsigned(result["msg_id2"]), unsigned(result["time"]))


class InputNotify2(OKReply, ChannelGet[None]):
    """
    Send a typing notification to a friend (protocol.md 2.2.7).
    """

    path = "/channel/input_notify2"

    to: Uin = field(name="to_uin")


class Shake2(OKReply, ChannelGet[None]):
    """
    Shake a friend's window (protocol.md 2.2.7).
    """

    path = "/channel/shake2"

    to: Uin = field(name="to_uin")


class ChangeStatus2(OKReply, ChannelGet[None]):
    """
    Set our presence (protocol.md 2.2.8).
    """

    path = "/channel/change_status2"
    isIdempotent = True

    status: Status = field(name="newstatus")


_PRESENCE = Record(
    Presence, "uin status client_type:clientType", status=ANY_STATUS_WORD
)


class GetOnlineBuddies2(ChannelGet[tuple[Presence, ...]]):
    """
    Fetch the friends who are not offline (protocol.md 2.2.9).
    """

    path = "/channel/get_online_buddies2"
    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: tuple[Presence, ...]) -> Any:
        return [_PRESENCE.write(presence) for presence in reply]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Presence, ...]:
        return tuple(decodeEach(_PRESENCE.read, result))


class GetMsgTip(DeclaredCommand[bool]):
    """
    Send the heartbeat; the reply is whether there are tips (protocol.md 2.8.1).

    @ivar count: the number of heartbeats before this one.
    """

    host = Host.PAGE
    path = "/web2/get_msg_tip"
    authorization = Authorization.NONE
    referer = Referer.PAGE
    isIdempotent = True
    order = "uin= tp=1 id=0 retype=1 rc lv=3 t"

    count: int = field(name="rc", default=0)
    milliseconds: Annotated[int, TIME] = field(name="t", default=0)

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
