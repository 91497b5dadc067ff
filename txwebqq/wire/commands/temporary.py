"""
Temporary chats with members of a common group or discussion who are no friends
(protocol.md 2.2.5).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from txwebqq.model import Content, Did, Font, Gid, Uin
from txwebqq.values import Secret
from txwebqq.wire.coerce import textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    channelQuery,
    postFields,
)
from txwebqq.wire.content import decodeSent, encodeSent
from txwebqq.wire.form import Form, Pairs, Ticket

IN_GROUP, IN_DISCUSSION = 0, 1
"""The C{service_type} of temporary chats."""


class GetC2cmsgSig2(JSONCommand[str]):
    """
    Fetch the signature that messages of a temporary chat need (protocol.md 2.2.5).

    @ivar place: the gid of the common group or the did of the common discussion.
    @ivar service: L{IN_GROUP} or L{IN_DISCUSSION}.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_c2cmsg_sig2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    place: Gid | Did
    to: Uin
    service: int
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("id", str(self.place)),
            ("to_uin", str(self.to)),
            ("service_type", str(self.service)),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Gid(form.integer("id")),
            Uin(form.integer("to_uin")),
            form.integer("service_type", IN_GROUP),
            form.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: str) -> Any:
        flags = {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1}
        return {"type": 0, "value": reply, "flags": flags}

    @classmethod
    def decodeResult(cls, result: Any) -> str:
        if unsigned(result.get("type", 0)) != 0:
            raise ValueError("a signature of another type")
        return textOf(result["value"])


class GetSessionSig3(JSONCommand[str]):
    """
    Fetch the signature for a member of a discussion, as older clients do
    (protocol.md 2.2.5).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_session_sig3"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    did: Did
    to: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("did", str(self.did)),
            ("to_uin", str(self.to)),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Did(form.integer("did")),
            Uin(form.integer("to_uin")),
            form.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: str) -> Any:
        signature = {"type": 0, "value": reply}
        return {"verify_sig": signature, "group_sig": signature}

    @classmethod
    def decodeResult(cls, result: Any) -> str:
        return textOf(result["group_sig"]["value"])


class SendSessMsg2(OKCommand):
    """
    Send a message of a temporary chat (protocol.md 2.2.5).

    @ivar signature: the signature that L{GetC2cmsgSig2} returned.
    @ivar face: the index of the sender's avatar, without effect.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_sess_msg2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    to: Uin
    signature: Secret
    service: int
    content: Content
    messageId: int
    font: Font = Font()
    face: int = 0

    def encodeFields(self) -> Pairs:
        members = {
            "to": self.to,
            "group_sig": self.signature,
            "face": self.face,
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "service_type": self.service,
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
            signature=form.text("group_sig"),
            service=form.integer("service_type", IN_GROUP),
            content=content,
            messageId=form.integer("msg_id", 0),
            font=font,
            face=form.integer("face", 0),
        )
