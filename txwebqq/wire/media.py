"""
Pictures, avatars and files (protocol.md 2.7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import quote, unquote

from txwebqq.errors import MalformedReply
from txwebqq.model import Code, Did, Uin
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
    apiQuery,
    channelQuery,
    decodeText,
    encodeJSON,
    encodeRefusal,
    guarded,
    integer,
    natural,
    parseJSON,
    parseJSONPrefix,
    percentEncode,
    postFields,
    refusalOf,
    textOf,
)

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
        return guarded(refusalOf, parseJSON(decodeText(body)))
    except MalformedReply:
        return None


class BytesCommand(Command[bytes]):
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


class Upload(Command[R]):
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


# ---- a picture for a group


CALLBACK_GROUP = "EQQ.Model.ChatMsg.callbackSendPicGroup"
CALLBACK_FACE = "EQQ.View.ChatBox.uploadCustomFaceCallback"

_SCRIPT_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){0,8}", re.ASCII)


def _scriptName(text: str, default: str) -> str:
    """
    A name that a script may call; whatever else a client sends is not put
    into a page.
    """
    fits = len(text) <= 120 and _SCRIPT_NAME.fullmatch(text)
    return text if fits else default


@dataclass(frozen=True, slots=True)
class Shelved:
    """
    What became of a custom face.

    @ivar ret: 0 taken, 1 bad format, 2 not signed on, 3 too large, 4 was there
        already.
    @ivar name: its MD5 with an ending, when there is a face now.
    """

    ret: int
    name: str = ""
    callback: str = CALLBACK_GROUP


_FACE_CALL = re.compile(
    r"(?:parent\.)?([\w$.]+)\(\{'ret':(-?\d{1,5}),'msg':'([^']{0,500})'"
)
_FACE_NAME = re.compile(r"[A-Fa-f0-9]{32}\.[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class CfaceUpload(Upload[Shelved]):
    """
    Put a picture among one's custom faces, from where it can be sent
    (protocol.md 2.7.1).

    @ivar callback: what the page of the answer calls.
    """

    host: ClassVar[Host] = Host.UPLOAD
    path: ClassVar[str] = "/cgi-bin/cface_upload"
    referer: ClassVar[Referer | None] = Referer.PAGE
    patience: ClassVar[float] = 120.0
    fileField: ClassVar[str] = "custom_face"

    ticket: Ticket
    callback: str = CALLBACK_GROUP
    milliseconds: int = 0

    def encodeQuery(self) -> Pairs:
        return [("time", str(self.milliseconds))]

    def encodeFields(self) -> Pairs:
        isGroup = self.callback == CALLBACK_GROUP
        return [
            *([("from", "control")] if isGroup else []),
            ("f", self.callback),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    def encodeTail(self) -> Pairs:
        return [("fileid", "1")] if self.callback == CALLBACK_GROUP else []

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        callback = _scriptName(fields.text("f", ""), CALLBACK_GROUP)
        return cls(fields.ticket, callback, fields.integer("time", 0))

    @classmethod
    def encodeReply(cls, reply: Shelved | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            reply = Shelved(2, reply.errmsg)
        name = reply.name.replace("\\", "").replace("'", "").replace("<", "")
        text = f"{name} -6102 upload cface failed" if reply.ret == 4 else name
        return (
            "<head><script type=\"text/javascript\">document.domain='qq.com';"
            f"parent.{reply.callback}({{'ret':{reply.ret},'msg':'{text}'}});"
            "</script></head><body></body>"
        ).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> Shelved | Refusal:
        found = _FACE_CALL.search(decodeText(body))
        if found is None:
            raise MalformedReply("no callback with ret and msg")
        callback, ret, text = found[1], int(found[2]), found[3]
        name = _FACE_NAME.match(text)
        if ret in (0, 4) and name is None:
            raise MalformedReply("msg is no name of a picture")
        return Shelved(ret, name[0] if name else text, callback)


@dataclass(frozen=True, slots=True)
class FaceSignature:
    """
    What pictures are sent to groups with.
    """

    key: str
    sig: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GetGfaceSig2(JSONCommand[FaceSignature]):
    """
    Ask for the signature of group pictures (protocol.md 2.2.6).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_gface_sig2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return channelQuery(self.ticket, self.milliseconds)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, fields.milliseconds)

    @classmethod
    def encodeResult(cls, reply: FaceSignature) -> Any:
        return {"reply": 0, "gface_key": reply.key, "gface_sig": reply.sig}

    @classmethod
    def decodeResult(cls, result: Any) -> FaceSignature:
        return FaceSignature(textOf(result["gface_key"]), textOf(result["gface_sig"]))


GROUP_PICTURE, DISCUSSION_PICTURE = 0, 1
"""The C{type} of L{GetGroupPic}."""


@dataclass(frozen=True, slots=True)
class GetGroupPic(BytesCommand):
    """
    Fetch a picture of a group or a discussion (protocol.md 2.7.4).

    @ivar place: the group's code (not its gid), or the discussion's did.
    @ivar server: what the picture came with, an address with a port.
    """

    host: ClassVar[Host] = Host.PAGE
    path: ClassVar[str] = "/cgi-bin/get_group_pic"
    referer: ClassVar[Referer | None] = Referer.PAGE

    ticket: Ticket
    place: Code | Did
    sender: Uin
    fileId: int
    name: str
    server: str = ""
    kind: int = GROUP_PICTURE
    time: int = 0

    def encodeFields(self) -> Pairs:
        address, _, port = self.server.partition(":")
        return [
            ("type", str(self.kind)),
            ("gid", str(self.place)),
            ("uin", str(self.sender)),
            ("rip", address),
            ("rport", port),
            ("fid", str(self.fileId)),
            ("pic", self.name),
            ("vfwebqq", self.ticket.vfwebqq),
            ("t", str(self.time)),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        address, port = fields.text("rip", ""), fields.text("rport", "")
        return cls(
            ticket=fields.ticket,
            place=Code(fields.integer("gid")),
            sender=Uin(fields.integer("uin", 0)),
            fileId=fields.integer("fid"),
            name=fields.text("pic"),
            server=f"{address}:{port}" if port else address,
            kind=fields.integer("type", GROUP_PICTURE),
            time=fields.milliseconds,
        )


# ---- a picture, or a file that waits, for a friend


@dataclass(frozen=True, slots=True)
class StoredFile:
    """
    A file that the server has taken.

    @ivar path: the server's name for it, a slash and a UUID.
    @ivar fileId: what the client called the upload.
    """

    path: str
    name: str
    size: int
    fileId: str = ""
    callback: str = ""


CALLBACK_PICTURE = "parent.EQQ.Model.ChatMsg.callbackSendPic"
CALLBACK_FILE = "parent.EQQ.Model.ChatMsg.callbackSendOffFile"

# What the original page says as C{peeruin} of every picture.
_SOMEBODY = Uin(593023668)


@dataclass(frozen=True, slots=True)
class _OfflineUpload(Upload[StoredFile]):
    host: ClassVar[Host] = Host.OFFLINE
    referer: ClassVar[Referer | None] = Referer.PAGE
    usualCallback: ClassVar[str]

    ticket: Ticket
    own: Uin
    skey: str = field(default="", repr=False)
    fileId: str = "1"
    peer: Uin = _SOMEBODY
    callback: str = ""
    milliseconds: int = 0

    def encodeQuery(self) -> Pairs:
        return [("time", str(self.milliseconds))]

    def encodeFields(self) -> Pairs:
        return [
            ("callback", self.callback or self.usualCallback),
            ("locallangid", "2052"),
            ("clientversion", "1409"),
            ("uin", str(self.own)),
            ("skey", self.skey),
            ("appid", "1002101"),
            ("peeruin", str(self.peer)),
        ]

    def encodeTail(self) -> Pairs:
        return [
            ("fileid", self.fileId),
            ("vfwebqq", self.ticket.vfwebqq),
            ("senderviplevel", "0"),
            ("reciverviplevel", "0"),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            ticket=fields.ticket,
            own=Uin(fields.integer("uin", 0)),
            skey=fields.text("skey", ""),
            fileId=fields.text("fileid", "1"),
            peer=Uin(fields.integer("peeruin", 0)),
            callback=_scriptName(fields.text("callback", ""), cls.usualCallback),
            milliseconds=fields.integer("time", 0),
        )

    @classmethod
    def encodeReply(cls, reply: StoredFile | Refusal) -> bytes:
        value: dict[str, Any]
        if isinstance(reply, Refusal):
            value = {"retcode": reply.retcode, "result": reply.errmsg, "progress": 0}
        else:
            value = {
                "retcode": 0,
                "result": "OK",
                "progress": 100,
                "filesize": reply.size,
                "fileid": reply.fileId,
                "filename": percentEncode(reply.name),
                "filepath": reply.path,
            }
        callback = getattr(reply, "callback", "") or cls.usualCallback
        # A page must not be ended by what is in it.
        text = encodeJSON(value).replace("<", "\\u003c")
        return (
            "<head><script type=\"text/javascript\">document.domain='qq.com';"
            f"{callback}({text});</script></head><body></body>"
        ).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> StoredFile | Refusal:
        text = decodeText(body)
        start = text.find("{")
        if start < 0:
            raise MalformedReply("no callback with an object")
        value, _ = parseJSONPrefix(text[start:])
        return guarded(cls._decodeValue, value)

    @classmethod
    def _decodeValue(cls, value: Any) -> StoredFile | Refusal:
        retcode = integer(value["retcode"])
        if retcode != 0:
            return Refusal(retcode, textOf(value.get("result") or ""))
        return StoredFile(
            path=textOf(value["filepath"]),
            name=unquote(textOf(value["filename"])),
            size=natural(value["filesize"]),
            fileId=textOf(value.get("fileid", "")),
        )


@dataclass(frozen=True, slots=True)
class UploadOfflinePic(_OfflineUpload):
    """
    Leave a picture on the server, to be sent to a friend (protocol.md 2.7.2).
    """

    path: ClassVar[str] = "/ftn_access/upload_offline_pic"
    patience: ClassVar[float] = 300.0
    usualCallback: ClassVar[str] = CALLBACK_PICTURE


@dataclass(frozen=True, slots=True)
class UploadOfflineFile(_OfflineUpload):
    """
    Leave a file on the server, to be sent to a friend (protocol.md 2.7.6).
    """

    path: ClassVar[str] = "/ftn_access/upload_offline_file"
    patience: ClassVar[float] = 3600.0
    usualCallback: ClassVar[str] = CALLBACK_FILE


@dataclass(frozen=True, slots=True)
class LocatedPicture:
    """
    Where a picture is.
    """

    url: str = field(repr=False)
    path: str


@dataclass(frozen=True, slots=True)
class ApplyOfflinePicDl2(JSONCommand[LocatedPicture]):
    """
    Where is a picture that I left on the server? (protocol.md 2.7.2)
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/apply_offline_pic_dl2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    sender: Uin
    file: str
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("f_uin", str(self.sender)),
            ("file_path", self.file),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("f_uin")),
            fields.text("file_path"),
            fields.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: LocatedPicture) -> Any:
        return {"url": reply.url, "file_path": reply.path}

    @classmethod
    def decodeResult(cls, result: Any) -> LocatedPicture:
        return LocatedPicture(textOf(result["url"]), textOf(result["file_path"]))


@dataclass(frozen=True, slots=True)
class GetOffpic2(BytesCommand):
    """
    Fetch a friend's photo (protocol.md 2.7.2).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_offpic2"
    referer: ClassVar[Referer | None] = Referer.PAGE

    ticket: Ticket
    sender: Uin
    file: str

    def encodeFields(self) -> Pairs:
        return [
            ("file_path", self.file),
            ("f_uin", str(self.sender)),
            ("clientid", self.ticket.clientid),
            ("psessionid", self.ticket.psessionid),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket, Uin(fields.integer("f_uin", 0)), fields.text("file_path")
        )


@dataclass(frozen=True, slots=True)
class _PeerFile(BytesCommand):
    host: ClassVar[Host] = Host.CHANNEL
    referer: ClassVar[Referer | None] = Referer.PAGE
    count: ClassVar[str]

    ticket: Ticket
    messageId: int
    name: str
    sender: Uin

    def encodeFields(self) -> Pairs:
        return [
            ("lcid", str(self.messageId)),
            ("guid", self.name),
            ("to", str(self.sender)),
            ("count", self.count),
            ("time", "1"),
            ("clientid", self.ticket.clientid),
            ("psessionid", self.ticket.psessionid),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            fields.integer("lcid", 0),
            fields.text("guid"),
            Uin(fields.integer("to")),
        )


@dataclass(frozen=True, slots=True)
class GetCface2(_PeerFile):
    """
    Fetch a friend's custom face (protocol.md 2.7.3).

    @ivar messageId: of the message it came in.
    """

    path: ClassVar[str] = "/channel/get_cface2"
    count: ClassVar[str] = "5"


@dataclass(frozen=True, slots=True)
class GetImage2(_PeerFile):
    """
    Fetch the picture of a C{pic_id} and an C{image} element
    (protocol.md 2.7.3).

    @ivar name: the id in braces, the number and the ending of the element.
    """

    path: ClassVar[str] = "/channel/get_image2"
    count: ClassVar[str] = "1"


# ---- my custom faces


@dataclass(frozen=True, slots=True)
class CustomFaceEntry:
    """
    One of my custom faces.

    @ivar time: when it came, Unix seconds.
    """

    name: str
    time: int
    size: int


LIST_FACES, SHOW_FACE, DELETE_FACE = 1, 2, 12
"""The C{cmd} of L{WebqqApp}."""

ShelfReply = tuple[CustomFaceEntry, ...] | bytes | int

_FACES = re.compile(rb"\s*var custom_face=")
_DELETED = re.compile(rb"""\s*var cface_delete_result=\{"?ret"?:"?(-?\d{1,5})""")
_DATA = re.compile(r'\bdata:|"data":')


@dataclass(frozen=True, slots=True)
class WebqqApp(Command[ShelfReply]):
    """
    My custom faces: list them, see one, delete one (protocol.md 2.7.3).

    It answers with a tuple, with bytes, and with the C{ret} of a deletion.

    @ivar what: L{LIST_FACES}, L{SHOW_FACE} or L{DELETE_FACE}.
    @ivar name: which one.
    """

    host: ClassVar[Host] = Host.PAGE
    path: ClassVar[str] = "/cgi-bin/webqq_app/"
    aliases: ClassVar[tuple[str, ...]] = ("/cgi-bin/webqq_app",)
    referer: ClassVar[Referer | None] = Referer.PAGE

    ticket: Ticket
    what: int = LIST_FACES
    name: str = ""

    def encodeFields(self) -> Pairs:
        return [
            ("cmd", str(self.what)),
            *([("bd", self.name)] if self.name else []),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, fields.integer("cmd"), fields.text("bd", ""))

    @classmethod
    def encodeReply(cls, reply: ShelfReply | Refusal) -> bytes:
        if isinstance(reply, bytes):
            return reply
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        if isinstance(reply, int):
            return f'var cface_delete_result={{"ret":"{reply}"}};'.encode()
        rows = encodeJSON([[face.name, face.time, face.size] for face in reply])
        return f'var custom_face={{"ret":"0",data:{rows}}};'.encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> ShelfReply | Refusal:
        deleted = _DELETED.match(body)
        if deleted is not None:
            return int(deleted[1])
        if _FACES.match(body) is None:
            return refusalIn(body) or body
        text = decodeText(body)
        data = _DATA.search(text)
        if data is None:
            return ()
        rows, _ = parseJSONPrefix(text[data.end() :])
        return guarded(_decodeFaces, rows)


def _decodeFaces(rows: Any) -> tuple[CustomFaceEntry, ...]:
    return tuple(
        CustomFaceEntry(textOf(name), natural(time), natural(size))
        for name, time, size, *_ in rows
    )


# ---- avatars


OF_PERSON, OF_GROUP = 1, 4
"""The C{type} of L{GetFace}."""

_NO_GROUP = Code(0)


@dataclass(frozen=True, slots=True)
class GetFace(BytesCommand):
    """
    Fetch an avatar (protocol.md 2.3.7).

    @ivar whose: a uin, or a group's code.
    """

    host: ClassVar[Host] = Host.AVATAR
    path: ClassVar[str] = "/cgi/svr/face/getface"
    referer: ClassVar[Referer | None] = Referer.PAGE

    ticket: Ticket
    whose: Uin | Code
    kind: int = OF_PERSON
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("cache", "0"),
            ("type", str(self.kind)),
            ("fid", "0"),
            ("uin", str(self.whose)),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("uin")),
            fields.integer("type", OF_PERSON),
            fields.milliseconds,
        )


@dataclass(frozen=True, slots=True)
class ModifyMyHead(OKCommand):
    """
    Change an avatar (protocol.md 2.3.8 knows its name only).

    @ivar name: the custom face to show; C{""} for the usual picture.
    @ivar group: the group whose avatar it is, 0 for one's own.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/modify_my_head"
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str = ""
    group: Code = _NO_GROUP

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {"custom_face": self.name}
        if self.group:
            members["gcode"] = self.group
        members["vfwebqq"] = self.ticket.vfwebqq
        return [("r", encodeJSON(members))]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            fields.text("custom_face", ""),
            Code(fields.integer("gcode", 0)),
        )


# ---- files that wait


@dataclass(frozen=True, slots=True)
class SendOfffile2(OKCommand):
    """
    Give a file that lies on the server to a friend (protocol.md 2.7.6).

    @ivar file: the server's name for it.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_offfile2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    to: Uin
    file: str
    name: str

    def encodeFields(self) -> Pairs:
        members = {
            "to": self.to,
            "file_path": self.file,
            "filename": self.name,
            "to_uin": self.to,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        name = "to" if fields.raw("to") is not None else "to_uin"
        return cls(
            fields.ticket,
            Uin(fields.integer(name)),
            fields.text("file_path"),
            fields.text("filename", ""),
        )


@dataclass(frozen=True, slots=True)
class NotifyOfffile2(OKCommand):
    """
    Say that we do not want a file that waits for us (protocol.md 2.7.6).

    @ivar sender: whose it is.
    @ivar action: 2, refused.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/notify_offfile2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    sender: Uin
    name: str
    size: int
    action: int = 2
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("to", str(self.sender)),
            ("file_name", self.name),
            ("file_size", str(self.size)),
            ("action", str(self.action)),
            ("psessionid", self.ticket.psessionid),
            ("clientid", self.ticket.clientid),
            ("t", str(self.milliseconds)),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("to")),
            fields.text("file_name"),
            fields.integer("file_size", 0),
            fields.integer("action", 2),
            fields.milliseconds,
        )


@dataclass(frozen=True, slots=True)
class WaitingFile(BytesCommand):
    """
    Fetch a file that waits for us, by its key (protocol.md 2.7.6). Its name is
    the path, on whatever address it was said to be.
    """

    host: ClassVar[Host] = Host.OFFLINE
    path: ClassVar[str] = "/"
    patience: ClassVar[float] = 3600.0

    key: str = field(repr=False)
    name: str = ""
    start: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host.value}/{quote(self.name, safe='')}"

    def encodeFields(self) -> Pairs:
        return [("ver", "2173"), ("rkey", self.key), ("range", str(self.start))]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.text("rkey"), "", fields.integer("range", 0))


# ---- from one who is online to another


LOCAL_IDS = 4096
"""The low bits of a session that are the sender's own id for it."""


@dataclass(frozen=True, slots=True)
class SendFile(Upload[None]):
    """
    Offer a file to somebody who is online, and send it once they accept
    (protocol.md 2.7.5). The exchange lasts until they have it.

    @ivar localId: our own id for the transfer, C{lcid}.
    """

    host: ClassVar[Host] = Host.FILE
    path: ClassVar[str] = "/v2"
    referer: ClassVar[Referer | None] = Referer.PAGE
    patience: ClassVar[float] = 3600.0

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
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("own")),
            Uin(fields.integer("peer")),
            fields.integer("session") % LOCAL_IDS,
            fields.integer("index", 0),
            fields.integer("port", 0),
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
class ReceiveFile(BytesCommand):
    """
    Fetch a file that is being sent: where L{GetFile2} leads to.
    """

    host: ClassVar[Host] = Host.FILE
    path: ClassVar[str] = "/v2"
    patience: ClassVar[float] = 3600.0

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
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("own")),
            Uin(fields.integer("peer")),
            fields.integer("session"),
            fields.text("name", ""),
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
class GetFile2(BytesCommand):
    """
    Accept a file that somebody offers (protocol.md 2.7.5).

    @ivar session: which one.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_file2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    patience: ClassVar[float] = 3600.0

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
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            fields.integer("lcid"),
            fields.text("guid", ""),
            Uin(fields.integer("to")),
            fields.integer("time", 0),
        )


@dataclass(frozen=True, slots=True)
class RefuseFile2(OKCommand):
    """
    Refuse a file that somebody offers, or take back our own offer
    (protocol.md 2.7.5).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/refuse_file2"
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
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Uin(fields.integer("to")),
            fields.integer("lcid"),
            fields.milliseconds,
        )


# ---- forms with files


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
