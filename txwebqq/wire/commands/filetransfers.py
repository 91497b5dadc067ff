"""
File transfers between accounts that are online (protocol.md 2.7.5).
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.wire.command import Authorization, Host, OKReply, Referer, Refusal
from txwebqq.wire.endpoints import ChannelGet
from txwebqq.wire.form import Pairs, Ticket
from txwebqq.wire.multipart import BinaryCommand, UploadCommand, refusalIn
from txwebqq.wire.parameters import TEXT_OR_EMPTY, DeclaredCommand, Parameter

LOCAL_IDS = 4096
"""The number of ids that a sender has for its transfers: the low 12 bits of a
transfer's session are the sender's C{lcid}."""


_LOCAL_ID = Parameter(lambda form, name, _: form.integer(name) % LOCAL_IDS, int)


class SendFile(OKReply, DeclaredCommand[None], UploadCommand[None]):
    """
    Offer a file to a contact who is online, and upload it (protocol.md 2.7.5). The
    server reads the file once the offer is accepted, and replies when the recipient
    has received all of it.

    @ivar localId: our own id of the transfer, C{lcid}.
    """

    host = Host.FILE
    path = "/v2"
    authorization = Authorization.TICKET
    referer = Referer.PAGE
    timeout = 3600.0
    order = "psessionid"

    ticket: Ticket
    own: Uin
    peer: Uin
    localId: Annotated[int, _LOCAL_ID] = field(name="session")
    index: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        parts = (self.own, self.peer, self.localId, self.index, self.port)
        return "/".join((f"http://{self.host.value}/v2", *map(str, parts), "1/f/1/0/0"))

    def encodeQuery(self) -> Pairs:
        return super().encodeFields()

    def encodeFields(self) -> Pairs:
        # The other parameters are in the path.
        return []

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        # The original server's reply is not known.
        return refusalIn(body)


class ReceiveFile(DeclaredCommand[bytes], BinaryCommand):
    """
    Download a file that a contact is sending, from where L{GetFile2} redirects to.
    """

    host = Host.FILE
    path = "/v2"
    authorization = Authorization.TICKET
    timeout = 3600.0
    order = "psessionid"

    ticket: Ticket
    own: Uin
    peer: Uin
    session: int
    name: Annotated[str, TEXT_OR_EMPTY] = "file"

    @property
    def url(self) -> str:
        parts = (self.own, self.peer, self.session, "0/0/0/0/1/f/1")
        name = quote(self.name, safe="")
        return "/".join((f"http://{self.host.value}/v2", *map(str, parts), name))


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


class GetFile2(DeclaredCommand[bytes], BinaryCommand):
    """
    Accept a file that a contact offers (protocol.md 2.7.5).

    @ivar session: the id of the transfer.
    """

    host = Host.CHANNEL
    path = "/channel/get_file2"
    authorization = Authorization.TICKET
    referer = Referer.CHANNEL
    timeout = 3600.0
    order = "lcid guid to psessionid count=1 time clientid"

    ticket: Ticket
    session: int = field(name="lcid")
    name: Annotated[str, TEXT_OR_EMPTY] = field(name="guid")
    sender: Uin = field(name="to")
    milliseconds: int = field(name="time", default=0)


class RefuseFile2(OKReply, ChannelGet[None]):
    """
    Refuse a file that a contact offers, or withdraw our own offer
    (protocol.md 2.7.5).
    """

    path = "/channel/refuse_file2"

    peer: Uin = field(name="to")
    session: int = field(name="lcid")
