"""
Photos and files that the server stores for a friend or a group (protocol.md 2.7.2,
2.7.6, 2.7.7).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, unquote

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import Gid, GroupFile, Sent, Uin
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import decodeEach, integer, listIn, textOf
from txwebqq.wire.command import (
    Authorization,
    Host,
    OKReply,
    Referer,
    Refusal,
    SentReply,
)
from txwebqq.wire.endpoints import (
    SEND_ID,
    ChannelGet,
    ChannelPost,
    postFields,
    sendIdIn,
    sendIdMember,
)
from txwebqq.wire.events.interaction import GROUP_FILE
from txwebqq.wire.form import Form, Pairs, Ticket, percentEncode
from txwebqq.wire.jsontext import decodeText, encodeJSON, parseJSONPrefix
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.multipart import BinaryCommand, UploadCommand, scriptName
from txwebqq.wire.parameters import (
    NUMBER_OR_ZERO,
    DeclaredCommand,
    Parameter,
)
from txwebqq.wire.record import Record


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


_STORED = Record(
    StoredFile,
    "retcode=0 result=OK progress=100 filesize:size fileid:fileId filename:name"
    " filepath:path",
    name=(lambda text: unquote(textOf(text)), percentEncode),
)

CALLBACK_PICTURE = "parent.EQQ.Model.ChatMsg.callbackSendPic"

CALLBACK_FILE = "parent.EQQ.Model.ChatMsg.callbackSendOffFile"

# The C{peeruin} that the original page sends for every photo.
_ANY_PEER = Uin(593023668)

_CALLBACK = Parameter(
    lambda form, name, usual: scriptName(form.text(name, usual), usual), str
)


class _OfflineUpload(DeclaredCommand[StoredFile], UploadCommand[StoredFile]):
    host = Host.OFFLINE
    authorization = Authorization.VERIFIER_OR_COOKIE
    referer = Referer.PAGE
    order = (
        "time callback locallangid=2052 clientversion=1409 uin skey appid=1002101"
        " peeruin"
    )
    tail = "fileid vfwebqq senderviplevel=0 reciverviplevel=0"
    usualCallback: ClassVar[str]

    ticket: Ticket
    own: Annotated[Uin, NUMBER_OR_ZERO] = field(name="uin")
    skey: Secret = ""
    fileId: str = field(name="fileid", default="1")
    peer: Annotated[Uin, NUMBER_OR_ZERO] = field(name="peeruin", default=_ANY_PEER)
    callback: Annotated[str, _CALLBACK] = ""
    milliseconds: int = field(name="time", default=0)

    def encodeQuery(self) -> Pairs:
        return super().encodeFields()[:1]

    def encodeFields(self) -> Pairs:
        return super().encodeFields()[1:_BEHIND_FILE]

    def encodeTail(self) -> Pairs:
        return super().encodeFields()[_BEHIND_FILE:]

    @classmethod
    def encodeReply(cls, reply: StoredFile | Refusal) -> bytes:
        value: dict[str, Any]
        if isinstance(reply, Refusal):
            value = {"retcode": reply.retcode, "result": reply.errmsg, "progress": 0}
        else:
            value = _STORED.write(reply)
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
        return _STORED.read(value)


# The first of the parameters is in the query.
_BEHIND_FILE = len(_OfflineUpload.order.split())


class UploadOfflinePic(_OfflineUpload):
    """
    Upload a photo, to send it to a friend (protocol.md 2.7.2).
    """

    path = "/ftn_access/upload_offline_pic"
    timeout = 300.0
    usualCallback = CALLBACK_PICTURE

    callback: Annotated[str, _CALLBACK] = CALLBACK_PICTURE


class UploadOfflineFile(_OfflineUpload):
    """
    Upload a file, to send it to a friend or a group (protocol.md 2.7.6).
    """

    path = "/ftn_access/upload_offline_file"
    timeout = 3600.0
    usualCallback = CALLBACK_FILE

    callback: Annotated[str, _CALLBACK] = CALLBACK_FILE


class LocatedPicture(Value):
    """
    The URL of a photo.
    """

    url: Secret
    path: str


class ApplyOfflinePicDl2(ChannelGet[LocatedPicture]):
    """
    Fetch the URL of a photo that we have uploaded (protocol.md 2.7.2).
    """

    path = "/channel/apply_offline_pic_dl2"
    result = Record(LocatedPicture, "url file_path:path")

    sender: Uin = field(name="f_uin")
    file: str = field(name="file_path")


class GetOffpic2(DeclaredCommand[bytes], BinaryCommand):
    """
    Download a friend's photo (protocol.md 2.7.2).
    """

    host = Host.CHANNEL
    path = "/channel/get_offpic2"
    authorization = Authorization.TICKET
    referer = Referer.PAGE
    order = "file_path f_uin"
    tail = "clientid psessionid"

    ticket: Ticket
    sender: Annotated[Uin, NUMBER_OR_ZERO] = field(name="f_uin")
    file: str = field(name="file_path")


class SendOfffile2(SentReply, ChannelPost[Sent]):
    """
    Send an uploaded file to a friend (protocol.md 2.7.6).

    @ivar file: the server's name for the file.
    @ivar sendId: an id of our own, by which some servers recognise a file that is sent
        again (our extension, protocol.md 2.2.11).
    """

    path = "/channel/send_offfile2"

    to: Uin
    file: str
    name: str
    sendId: str = ""

    def encodeFields(self) -> Pairs:
        # The recipient is sent twice; clients sent one or the other.
        members = {
            "to": self.to,
            "file_path": self.file,
            "filename": self.name,
            "to_uin": self.to,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members | sendIdMember(self.sendId), self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        name = "to" if form.raw("to") is not None else "to_uin"
        return cls(
            form.ticket,
            Uin(form.integer(name)),
            form.text("file_path"),
            form.text("filename", ""),
            sendIdIn(form),
        )


class NotifyOfffile2(OKReply, ChannelGet[None]):
    """
    Refuse an offline file (protocol.md 2.7.6).

    @ivar sender: the friend who sent the file.
    @ivar action: 2, refused.
    """

    path = "/channel/notify_offfile2"
    tail = "psessionid clientid t"

    sender: Uin = field(name="to")
    name: str = field(name="file_name")
    size: Annotated[int, NUMBER_OR_ZERO] = field(name="file_size")
    action: int = 2


class OfflineFileDownload(BinaryCommand):
    """
    Download an offline file by its key (protocol.md 2.7.6). The path is the file's
    name, the host the address in L{OfflineFile}.
    """

    host = Host.OFFLINE
    path = "/"
    authorization = Authorization.NONE
    timeout = 3600.0

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


class SendGroupFile2(ChannelPost[GroupFile]):
    """
    Share an uploaded file in a group (protocol.md 2.7.7, our extension).

    @ivar file: the server's name for the file.
    @ivar name: the name of the file for the members.
    @ivar sendId: as that of L{SendOfffile2}.
    """

    path = "/channel/send_group_file2"
    result = GROUP_FILE

    group: Gid = field(name="group_uin")
    file: str = field(name="file_path")
    name: str = field(name="filename", default="")
    sendId: Annotated[str, SEND_ID] = field(name="send_id", default="")


class GetGroupFileList2(ChannelGet[tuple[GroupFile, ...]]):
    """
    Fetch the list of the files that are shared in a group (protocol.md 2.7.7, our
    extension).
    """

    path = "/channel/get_group_file_list2"
    isIdempotent = True

    group: Gid = field(name="group_uin")

    @classmethod
    def encodeResult(cls, reply: tuple[GroupFile, ...]) -> Any:
        return {"files": [GROUP_FILE.write(each) for each in reply]}

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[GroupFile, ...]:
        return tuple(decodeEach(GROUP_FILE.read, listIn(result, "files")))


class DeleteGroupFile2(OKReply, ChannelPost[None]):
    """
    Delete a file of a group: one that we have shared, or any in a group that we
    administer (protocol.md 2.7.7, our extension).
    """

    path = "/channel/delete_group_file2"

    group: Gid = field(name="group_uin")
    key: Secret = field(name="rkey")


class GroupFileDownload(DeclaredCommand[bytes], BinaryCommand):
    """
    Download a file of a group by its key, as a member (protocol.md 2.7.7, our
    extension).

    @ivar group: the group as the session of the download knows it. Our server looks
        at the key alone.
    @ivar start: the number of bytes to skip.
    """

    host = Host.CHANNEL
    path = "/channel/get_group_file2"
    authorization = Authorization.TICKET
    referer = Referer.CHANNEL
    timeout = 3600.0
    tail = "clientid psessionid"

    ticket: Ticket
    group: Annotated[Gid, NUMBER_OR_ZERO] = field(name="group_uin")
    key: Secret = field(name="rkey")
    start: int = field(name="range", default=0)
