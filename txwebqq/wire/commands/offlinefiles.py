"""
Photos and files that the server stores for a friend (protocol.md 2.7.2, 2.7.6).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote, unquote

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import integer, textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    Refusal,
    channelQuery,
    postFields,
)
from txwebqq.wire.form import Form, Pairs, Ticket, percentEncode
from txwebqq.wire.jsontext import decodeText, encodeJSON, parseJSONPrefix
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.multipart import BinaryCommand, UploadCommand, scriptName


class StoredFile(Value):
    """
    A file that the server has stored.

    @ivar path: the server's name for the file, a slash and a UUID.
    @ivar fileId: the client's id of the upload.
    """

    path: str
    name: str
    size: int
    fileId: str = ""
    callback: str = ""


CALLBACK_PICTURE = "parent.EQQ.Model.ChatMsg.callbackSendPic"

CALLBACK_FILE = "parent.EQQ.Model.ChatMsg.callbackSendOffFile"

# The C{peeruin} that the original page sends for every photo.
_ANY_PEER = Uin(593023668)


class _OfflineUpload(UploadCommand[StoredFile]):
    host: ClassVar[Host] = Host.OFFLINE
    authorization: ClassVar[Authorization] = Authorization.VERIFIER_OR_COOKIE
    referer: ClassVar[Referer | None] = Referer.PAGE
    usualCallback: ClassVar[str]

    ticket: Ticket
    own: Uin
    skey: Secret = ""
    fileId: str = "1"
    peer: Uin = _ANY_PEER
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            ticket=form.ticket,
            own=Uin(form.integer("uin", 0)),
            skey=form.text("skey", ""),
            fileId=form.text("fileid", "1"),
            peer=Uin(form.integer("peeruin", 0)),
            callback=scriptName(form.text("callback", ""), cls.usualCallback),
            milliseconds=form.integer("time", 0),
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
        # The text must not end the script.
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
        return decodeOrMalformed(cls._decodeValue, value)

    @classmethod
    def _decodeValue(cls, value: Any) -> StoredFile | Refusal:
        retcode = integer(value["retcode"])
        if retcode != 0:
            return Refusal(retcode, textOf(value.get("result") or ""))
        return StoredFile(
            path=textOf(value["filepath"]),
            name=unquote(textOf(value["filename"])),
            size=unsigned(value["filesize"]),
            fileId=textOf(value.get("fileid", "")),
        )


class UploadOfflinePic(_OfflineUpload):
    """
    Upload a photo, to send it to a friend (protocol.md 2.7.2).
    """

    path: ClassVar[str] = "/ftn_access/upload_offline_pic"
    timeout: ClassVar[float] = 300.0
    usualCallback: ClassVar[str] = CALLBACK_PICTURE


class UploadOfflineFile(_OfflineUpload):
    """
    Upload a file, to send it to a friend (protocol.md 2.7.6).
    """

    path: ClassVar[str] = "/ftn_access/upload_offline_file"
    timeout: ClassVar[float] = 3600.0
    usualCallback: ClassVar[str] = CALLBACK_FILE


class LocatedPicture(Value):
    """
    The URL of a photo.
    """

    url: Secret
    path: str


class ApplyOfflinePicDl2(JSONCommand[LocatedPicture]):
    """
    Fetch the URL of a photo that we have uploaded (protocol.md 2.7.2).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/apply_offline_pic_dl2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("f_uin")),
            form.text("file_path"),
            form.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: LocatedPicture) -> Any:
        return {"url": reply.url, "file_path": reply.path}

    @classmethod
    def decodeResult(cls, result: Any) -> LocatedPicture:
        return LocatedPicture(textOf(result["url"]), textOf(result["file_path"]))


class GetOffpic2(BinaryCommand):
    """
    Download a friend's photo (protocol.md 2.7.2).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_offpic2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("f_uin", 0)), form.text("file_path"))


class SendOfffile2(OKCommand):
    """
    Send an uploaded file to a friend (protocol.md 2.7.6).

    @ivar file: the server's name for the file.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_offfile2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        name = "to" if form.raw("to") is not None else "to_uin"
        return cls(
            form.ticket,
            Uin(form.integer(name)),
            form.text("file_path"),
            form.text("filename", ""),
        )


class NotifyOfffile2(OKCommand):
    """
    Refuse an offline file (protocol.md 2.7.6).

    @ivar sender: the friend who sent the file.
    @ivar action: 2, refused.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/notify_offfile2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("to")),
            form.text("file_name"),
            form.integer("file_size", 0),
            form.integer("action", 2),
            form.milliseconds,
        )


class OfflineFileDownload(BinaryCommand):
    """
    Download an offline file by its key (protocol.md 2.7.6). The path is the file's
    name, the host the address in L{OfflineFile}.
    """

    host: ClassVar[Host] = Host.OFFLINE
    path: ClassVar[str] = "/"
    authorization: ClassVar[Authorization] = Authorization.NONE
    timeout: ClassVar[float] = 3600.0

    key: Secret
    name: str = ""
    start: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host.value}/{quote(self.name, safe='')}"

    def encodeFields(self) -> Pairs:
        return [("ver", "2173"), ("rkey", self.key), ("range", str(self.start))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.text("rkey"), "", form.integer("range", 0))
