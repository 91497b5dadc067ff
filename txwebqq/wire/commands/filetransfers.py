"""
File transfers between accounts that are online (protocol.md 2.7.5).
"""

from __future__ import annotations

from typing import ClassVar, Self
from urllib.parse import quote

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.wire.command import (
    Authorization,
    Host,
    OKCommand,
    Referer,
    Refusal,
    channelQuery,
    encodeRefusal,
)
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.multipart import BinaryCommand, UploadCommand, refusalIn

LOCAL_IDS = 4096
"""The number of ids that a sender has for its transfers: the low 12 bits of a
transfer's session are the sender's C{lcid}."""


class SendFile(UploadCommand[None]):
    """
    Offer a file to a contact who is online, and upload it (protocol.md 2.7.5). The
    server reads the file once the offer is accepted, and replies when the recipient
    has received all of it.

    @ivar localId: our own id of the transfer, C{lcid}.
    """

    host: ClassVar[Host] = Host.FILE
    path: ClassVar[str] = "/v2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.PAGE
    timeout: ClassVar[float] = 3600.0

    ticket: Ticket
    own: Uin
    peer: Uin
    localId: int
    index: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        parts = (self.own, self.peer, self.localId, self.index, self.port)
        return "/".join((f"http://{self.host.value}/v2", *map(str, parts), "1/f/1/0/0"))

    def encodeQuery(self) -> Pairs:
        return [("psessionid", self.ticket.psessionid)]

    def encodeFields(self) -> Pairs:
        return []

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("own")),
            Uin(form.integer("peer")),
            form.integer("session") % LOCAL_IDS,
            form.integer("index", 0),
            form.integer("port", 0),
        )

    @classmethod
    def encodeReply(cls, reply: None | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        return encodeJSON({"retcode": 0, "result": "ok"}).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        # The original server's reply is not known.
        return refusalIn(body)


class ReceiveFile(BinaryCommand):
    """
    Download a file that a contact is sending, from where L{GetFile2} redirects to.
    """

    host: ClassVar[Host] = Host.FILE
    path: ClassVar[str] = "/v2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    timeout: ClassVar[float] = 3600.0

    ticket: Ticket
    own: Uin
    peer: Uin
    session: int
    name: str = "file"

    @property
    def url(self) -> str:
        parts = (self.own, self.peer, self.session, "0/0/0/0/1/f/1")
        name = quote(self.name, safe="")
        return "/".join((f"http://{self.host.value}/v2", *map(str, parts), name))

    def encodeFields(self) -> Pairs:
        return [("psessionid", self.ticket.psessionid)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("own")),
            Uin(form.integer("peer")),
            form.integer("session"),
            form.text("name", ""),
        )


def pathFields(path: str) -> Pairs:
    """
    Return the parameters in the path of L{SendFile} or L{ReceiveFile}.

    @raise MalformedReply: for any other path.
    """
    parts = path.split("/")
    if len(parts) < 5 or parts[1] != "v2":
        raise MalformedReply("the path does not name a transfer")
    names = ("own", "peer", "session", "index", "port")
    return [*zip(names, parts[2:7], strict=False), ("name", parts[-1])]


class GetFile2(BinaryCommand):
    """
    Accept a file that a contact offers (protocol.md 2.7.5).

    @ivar session: the id of the transfer.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_file2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    timeout: ClassVar[float] = 3600.0

    ticket: Ticket
    session: int
    name: str
    sender: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("lcid", str(self.session)),
            ("guid", self.name),
            ("to", str(self.sender)),
            ("psessionid", self.ticket.psessionid),
            ("count", "1"),
            ("time", str(self.milliseconds)),
            ("clientid", self.ticket.clientid),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            form.integer("lcid"),
            form.text("guid", ""),
            Uin(form.integer("to")),
            form.integer("time", 0),
        )


class RefuseFile2(OKCommand):
    """
    Refuse a file that a contact offers, or withdraw our own offer
    (protocol.md 2.7.5).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/refuse_file2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    peer: Uin
    session: int
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("to", str(self.peer)),
            ("lcid", str(self.session)),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("to")),
            form.integer("lcid"),
            form.milliseconds,
        )
