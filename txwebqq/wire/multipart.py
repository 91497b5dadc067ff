"""
Forms with a file, answers that are one, and files that go from one who is
online to another (protocol.md 2.7.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeVar
from urllib.parse import quote

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.wire.coerce import decodeOrMalformed
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    OKCommand,
    Referer,
    Refusal,
    channelQuery,
    encodeRefusal,
    refusalOf,
)
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON

R = TypeVar("R")

MAX_REFUSAL = 4096
"""The bytes of a body that may be a refusal where a picture was expected."""

_REFUSAL = re.compile(rb'\s*\{\s*"')


def refusalIn(body: bytes) -> Refusal | None:
    """
    The refusal that came in place of a picture or a file, else L{None}.
    """
    if len(body) > MAX_REFUSAL or _REFUSAL.match(body) is None:
        return None
    try:
        return decodeOrMalformed(refusalOf, parseJSON(body))
    except MalformedReply:
        return None


class BinaryCommand(Command[bytes]):
    """
    An exchange that is answered by a picture or a file, often by way of a
    redirect.
    """

    @classmethod
    def encodeReply(cls, reply: bytes | Refusal) -> bytes:
        return encodeRefusal(reply) if isinstance(reply, Refusal) else reply

    @classmethod
    def decodeReply(cls, body: bytes) -> bytes | Refusal:
        return refusalIn(body) or body


class UploadCommand(Command[R]):
    """
    An exchange whose question is a form with a file, C{multipart/form-data}.

    C{encodeFields} is what stands before the file.

    @cvar fileField: the name of the file among the fields.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    fileField: ClassVar[str] = "file"

    def encodeQuery(self) -> Pairs:
        """
        The query of the URL.
        """
        return []

    def encodeTail(self) -> Pairs:
        """
        The fields that stand behind the file.
        """
        return []


_SCRIPT_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){0,8}", re.ASCII)


def scriptName(text: str, default: str) -> str:
    """
    A name that a script may call; whatever else a client sends is not put
    into a page.
    """
    fits = len(text) <= 120 and _SCRIPT_NAME.fullmatch(text)
    return text if fits else default


LOCAL_IDS = 4096
"""The low bits of a session that are the sender's own id for it."""


@dataclass(frozen=True, slots=True)
class SendFile(UploadCommand[None]):
    """
    Offer a file to somebody who is online, and send it once they accept
    (protocol.md 2.7.5). The exchange lasts until they have it.

    @ivar localId: our own id for the transfer, C{lcid}.
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
        # What the original server said here is not known.
        return refusalIn(body)


@dataclass(frozen=True, slots=True)
class ReceiveFile(BinaryCommand):
    """
    Fetch a file that is being sent: where L{GetFile2} leads to.
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
    The parameters that stand in a path of L{SendFile} or L{ReceiveFile}.

    @raise MalformedReply: for another path.
    """
    parts = path.split("/")
    if len(parts) < 5 or parts[1] != "v2":
        raise MalformedReply("the path does not name a transfer")
    names = ("own", "peer", "session", "index", "port")
    return [*zip(names, parts[2:7], strict=False), ("name", parts[-1])]


@dataclass(frozen=True, slots=True)
class GetFile2(BinaryCommand):
    """
    Accept a file that somebody offers (protocol.md 2.7.5).

    @ivar session: which one.
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


@dataclass(frozen=True, slots=True)
class RefuseFile2(OKCommand):
    """
    Refuse a file that somebody offers, or take back our own offer
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


def encodeParts(
    boundary: str, fields: Pairs, tail: Pairs, fileField: str, fileName: str
) -> tuple[bytes, bytes]:
    """
    What stands before and behind the bytes of a file in a form.
    """
    name = fileName.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    head = "".join(_part(boundary, *pair) for pair in fields) + (
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="{fileField}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    after = "\r\n" + "".join(_part(boundary, *pair) for pair in tail)
    return head.encode(), f"{after}--{boundary}--\r\n".encode()


def _part(boundary: str, name: str, value: str) -> str:
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    )


_NAME = re.compile(r'[;\s]name="([^"]{0,200})"|[;\s]name=([^;\s"]{1,200})')

_FILE_NAME = re.compile(r'[;\s]filename="((?:\\"|[^"])*)"|[;\s]filename=([^;\s"]+)')

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def decodePart(disposition: bytes) -> tuple[str, str | None]:
    """
    The name of a field, and of the file that it is, from its
    C{Content-Disposition} in UTF-8 or the Chinese code page.

    @raise MalformedReply: when it has none.
    """
    try:
        text = disposition.decode("utf-8")
    except UnicodeDecodeError:
        text = disposition.decode("gb18030", "replace")
    name, file = _NAME.search(text), _FILE_NAME.search(text)
    if name is None:
        raise MalformedReply("a part of the form has no name")
    if file is None:
        return name[1] or name[2], None
    value = (file[1] or file[2] or "").replace('\\"', '"')
    for mark, char in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        value = value.replace(mark, char)
    if _DRIVE.match(value):
        # Some browsers told the whole path.
        value = re.split(r"[\\/]", value)[-1]
    return name[1] or name[2], value
