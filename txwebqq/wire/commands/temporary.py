"""
Temporary chats with members of a common group or discussion who are no friends
(protocol.md 2.2.5).
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from msgspec import field

from txwebqq.model import Content, Did, Font, Gid, Sent, Uin
from txwebqq.values import Secret
from txwebqq.wire.coerce import Expected, textOf, unsigned
from txwebqq.wire.command import SentReply
from txwebqq.wire.content import decodeSent, encodeSent
from txwebqq.wire.endpoints import (
    ChannelGet,
    ChannelPost,
    postFields,
    sendIdIn,
    sendIdMember,
)
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.parameters import NUMBER

IN_GROUP, IN_DISCUSSION = 0, 1
"""The C{service_type} of temporary chats."""


class GetC2cmsgSig2(ChannelGet[str]):
    """
    Fetch the signature that messages of a temporary chat need (protocol.md 2.2.5).

    @ivar place: the gid of the common group or the did of the common discussion.
    @ivar service: L{IN_GROUP} or L{IN_DISCUSSION}.
    """

    path = "/channel/get_c2cmsg_sig2"

    place: Annotated[Gid | Did, NUMBER] = field(name="id")
    to: Uin = field(name="to_uin")
    service: int = field(name="service_type", default=IN_GROUP)

    @classmethod
    def encodeResult(cls, reply: str) -> Any:
        flags = {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1}
        return {"type": 0, "value": reply, "flags": flags}

    @classmethod
    def decodeResult(cls, result: Any) -> str:
        if unsigned(result.get("type", 0)) != 0:
            raise Expected("0, the type of this signature")
        return textOf(result["value"])


class GetSessionSig3(ChannelGet[str]):
    """
    Fetch the signature for a member of a discussion, as older clients do
    (protocol.md 2.2.5).
    """

    path = "/channel/get_session_sig3"

    did: Did
    to: Uin = field(name="to_uin")

    @classmethod
    def encodeResult(cls, reply: str) -> Any:
        signature = {"type": 0, "value": reply}
        return {"verify_sig": signature, "group_sig": signature}

    @classmethod
    def decodeResult(cls, result: Any) -> str:
        return textOf(result["group_sig"]["value"])


class SendSessMsg2(SentReply, ChannelPost[Sent]):
    """
    Send a message of a temporary chat (protocol.md 2.2.5). Content and font are one
    parameter.

    @ivar signature: the signature that L{GetC2cmsgSig2} returned.
    @ivar face: the index of the sender's avatar, without effect.
    @ivar sendId: as of
        L{SendBuddyMsg2<txwebqq.wire.commands.messages.SendBuddyMsg2>}.
    """

    path = "/channel/send_sess_msg2"

    to: Uin
    signature: Secret
    service: int
    content: Content
    messageId: int
    font: Font = Font()
    face: int = 0
    sendId: str = ""

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
        return postFields(members | sendIdMember(self.sendId), self.ticket)

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
            sendId=sendIdIn(form),
        )
