"""
Custom faces, which an account stores, sends to groups and shows to friends, and
avatars (protocol.md 2.3.7, 2.7.1, 2.7.3, 2.7.4).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import Code, Did, Uin
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    OKReply,
    Referer,
    Refusal,
    encodeRefusal,
)
from txwebqq.wire.endpoints import ApiPost, ChannelGet
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import decodeText, encodeJSON, parseJSONPrefix
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.multipart import BinaryCommand, UploadCommand, refusalIn, scriptName
from txwebqq.wire.parameters import (
    NUMBER,
    NUMBER_OR_ZERO,
    TIME,
    DeclaredCommand,
    Parameter,
)
from txwebqq.wire.record import Record

CALLBACK_GROUP = "EQQ.Model.ChatMsg.callbackSendPicGroup"

CALLBACK_FACE = "EQQ.View.ChatBox.uploadCustomFaceCallback"


class CustomFaceUploadResult(Value):
    """
    The result of uploading a custom face.

    @ivar ret: 0 stored, 1 no picture, 2 not signed on, 3 too large, 4 stored
        before.
    @ivar name: the MD5 of the file and its extension, if it is stored.
    """

    ret: int
    name: str = ""
    callback: str = CALLBACK_GROUP


_FACE_CALL = re.compile(
    r"(?:parent\.)?([\w$.]+)\(\{'ret':(-?\d{1,5}),'msg':'([^']{0,500})'"
)

_FACE_NAME = re.compile(r"[A-Fa-f0-9]{32}\.[A-Za-z]{3}")


class CfaceUpload(UploadCommand[CustomFaceUploadResult]):
    """
    Upload a custom face, to be sent in messages (protocol.md 2.7.1).

    @ivar callback: the function that the page of the reply calls.
    """

    host = Host.UPLOAD
    path = "/cgi-bin/cface_upload"
    authorization = Authorization.VERIFIER_OR_COOKIE
    referer = Referer.PAGE
    timeout = 120.0
    fileField = "custom_face"

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
    def decodeFields(cls, form: Form) -> Self:
        callback = scriptName(form.text("f", ""), CALLBACK_GROUP)
        return cls(form.ticket, callback, form.integer("time", 0))

    @classmethod
    def encodeReply(cls, reply: CustomFaceUploadResult | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            reply = CustomFaceUploadResult(2, reply.errmsg)
        name = reply.name.replace("\\", "").replace("'", "").replace("<", "")
        text = f"{name} -6102 upload cface failed" if reply.ret == 4 else name
        return (
            "<head><script type=\"text/javascript\">document.domain='qq.com';"
            f"parent.{reply.callback}({{'ret':{reply.ret},'msg':'{text}'}});"
            "</script></head><body></body>"
        ).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> CustomFaceUploadResult | Refusal:
        found = _FACE_CALL.search(decodeText(body))
        if found is None:
            raise MalformedReply("no callback with ret and msg")
        callback, ret, text = found[1], int(found[2]), found[3]
        name = _FACE_NAME.match(text)
        if ret in (0, 4) and name is None:
            raise MalformedReply("msg is not the name of a picture")
        return CustomFaceUploadResult(ret, name[0] if name else text, callback)


class FaceSignature(Value):
    """
    The signature that messages with pictures to groups need.
    """

    key: str
    sig: Secret


class GetGfaceSig2(ChannelGet[FaceSignature]):
    """
    Fetch the signature for messages with pictures (protocol.md 2.2.6).
    """

    path = "/channel/get_gface_sig2"
    isIdempotent = True
    result = Record(FaceSignature, "reply=0 gface_key:key gface_sig:sig")


GROUP_PICTURE, DISCUSSION_PICTURE = 0, 1
"""The C{type} of L{GetGroupPic}."""


class GetGroupPic(BinaryCommand):
    """
    Download a picture of a group or a discussion (protocol.md 2.7.4).

    @ivar place: the group's code (not its gid), or the discussion's did.
    @ivar server: the address and port that the picture came with.
    """

    host = Host.PAGE
    path = "/cgi-bin/get_group_pic"
    authorization = Authorization.VERIFIER_OR_COOKIE
    referer = Referer.PAGE
    isIdempotent = True

    ticket: Ticket
    place: Code | Did
    sender: Uin
    fileId: int
    name: str
    server: str = ""
    kind: int = GROUP_PICTURE
    time: int = 0

    def encodeFields(self) -> Pairs:
        # The server is two parameters.
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
    def decodeFields(cls, form: Form) -> Self:
        address, port = form.text("rip", ""), form.text("rport", "")
        return cls(
            ticket=form.ticket,
            place=Code(form.integer("gid")),
            sender=Uin(form.integer("uin", 0)),
            fileId=form.integer("fid"),
            name=form.text("pic"),
            server=f"{address}:{port}" if port else address,
            kind=form.integer("type", GROUP_PICTURE),
            time=form.milliseconds,
        )


class _PeerFile(DeclaredCommand[bytes], BinaryCommand):
    host = Host.CHANNEL
    authorization = Authorization.TICKET
    referer = Referer.PAGE
    tail = "clientid psessionid"

    ticket: Ticket
    messageId: Annotated[int, NUMBER_OR_ZERO] = field(name="lcid")
    name: str = field(name="guid")
    sender: Uin = field(name="to")


class GetCface2(_PeerFile):
    """
    Download a friend's custom face (protocol.md 2.7.3).

    @ivar messageId: the id of the message with the custom face.
    """

    path = "/channel/get_cface2"
    order = "lcid guid to count=5 time=1"


class GetImage2(_PeerFile):
    """
    Download the picture of the elements C{pic_id} and C{image}
    (protocol.md 2.7.3).

    @ivar name: the id in braces, the number and the extension in the element.
    """

    path = "/channel/get_image2"
    order = "lcid guid to count=1 time=1"


class CustomFaceEntry(Value):
    """
    One of our custom faces.

    @ivar time: when it was uploaded, Unix seconds.
    """

    name: str
    time: int
    size: int


LIST_FACES, SHOW_FACE, DELETE_FACE = 1, 2, 12
"""The C{cmd} of L{WebqqApp}."""

CustomFaceList = tuple[CustomFaceEntry, ...] | bytes | int

_FACES = re.compile(rb"\s*var custom_face=")

_DELETED = re.compile(rb"""\s*var cface_delete_result=\{"?ret"?:"?(-?\d{1,5})""")

_DATA = re.compile(r'\bdata:|"data":')

# A request has to say what to do.
_OPERATION = Parameter(lambda form, name, _: form.integer(name), int)

_NAME = Parameter(Form.text, lambda name: name or None)


class WebqqApp(DeclaredCommand[CustomFaceList]):
    """
    List our custom faces, download one or delete one (protocol.md 2.7.3).

    The reply is a tuple, bytes, or the C{ret} of a deletion.

    @ivar operation: L{LIST_FACES}, L{SHOW_FACE} or L{DELETE_FACE}.
    @ivar name: the name of the custom face.
    """

    host = Host.PAGE
    path = "/cgi-bin/webqq_app/"
    authorization = Authorization.VERIFIER_OR_COOKIE
    aliases = ("/cgi-bin/webqq_app",)
    referer = Referer.PAGE
    isIdempotent = True
    tail = "vfwebqq"

    ticket: Ticket
    operation: Annotated[int, _OPERATION] = field(name="cmd", default=LIST_FACES)
    name: Annotated[str, _NAME] = field(name="bd", default="")

    @classmethod
    def encodeReply(cls, reply: CustomFaceList | Refusal) -> bytes:
        if isinstance(reply, bytes):
            return reply
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        if isinstance(reply, int):
            return f'var cface_delete_result={{"ret":"{reply}"}};'.encode()
        rows = encodeJSON([[face.name, face.time, face.size] for face in reply])
        return f'var custom_face={{"ret":"0",data:{rows}}};'.encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> CustomFaceList | Refusal:
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
        return decodeOrMalformed(_decodeFaces, rows)


def _decodeFaces(rows: Any) -> tuple[CustomFaceEntry, ...]:
    return tuple(
        CustomFaceEntry(textOf(name), unsigned(time), unsigned(size))
        for name, time, size, *_ in rows
    )


OF_ACCOUNT, OF_GROUP = 1, 4
"""The C{type} of L{GetFace}."""


class GetFace(DeclaredCommand[bytes], BinaryCommand):
    """
    Download an avatar (protocol.md 2.3.7).

    @ivar id: the uin of an account, or the code of a group.
    """

    host = Host.AVATAR
    path = "/cgi/svr/face/getface"
    authorization = Authorization.VERIFIER_OR_COOKIE
    referer = Referer.PAGE
    isIdempotent = True
    order = "cache=0 type fid=0 uin"
    tail = "vfwebqq t"

    ticket: Ticket
    id: Annotated[Uin | Code, NUMBER] = field(name="uin")
    kind: int = field(name="type", default=OF_ACCOUNT)
    milliseconds: Annotated[int, TIME] = field(name="t", default=0)


_NO_GROUP = Code(0)

_GROUP = Parameter(Form.integer, lambda code: code or None)


class ModifyMyHead(OKReply, ApiPost[None]):
    """
    Set an avatar (only the command's name is known, protocol.md 2.3.8).

    @ivar name: the name of a custom face; C{""} to remove the avatar.
    @ivar group: the code of the group whose avatar to set, 0 for our own.
    """

    path = "/api/modify_my_head"
    authorization = Authorization.VERIFIER_OR_COOKIE

    name: str = field(name="custom_face", default="")
    group: Annotated[Code, _GROUP] = field(name="gcode", default=_NO_GROUP)
