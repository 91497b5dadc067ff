"""
Pictures, avatars and files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred, fail

from txwebqq.errors import MalformedReply, RequestRefused
from txwebqq.model import (
    Account,
    Code,
    CustomFace,
    DiscussionMessage,
    FileNotice,
    Gid,
    GroupMessage,
    GroupPicture,
    Message,
    OfflineFile,
    OfflinePicture,
    Segment,
    Uin,
)
from txwebqq.net.bodies import BufferSink, FileSource, FileUpload, Sink
from txwebqq.requests.messages import MessageRequests
from txwebqq.wire.command import Command
from txwebqq.wire.commands.avatars import OF_GROUP, OF_PERSON, GetFace, ModifyMyHead
from txwebqq.wire.commands.offlinefiles import (
    GetOffpic2,
    NotifyOfffile2,
    OfflineFileDownload,
    SendOfffile2,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.commands.pictures import (
    CALLBACK_FACE,
    CALLBACK_GROUP,
    DELETE_FACE,
    DISCUSSION_PICTURE,
    LIST_FACES,
    SHOW_FACE,
    CfaceUpload,
    CustomFaceEntry,
    CustomFaceUploadResult,
    GetCface2,
    GetGfaceSig2,
    GetGroupPic,
    WebqqApp,
)
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import GetFile2, RefuseFile2, SendFile

MAX_PICTURE = 16 * 1024 * 1024
"""The bytes of a picture that we are willing to take."""

MAX_HELD = 128 * 1024 * 1024
"""The bytes of a file that we are willing to hold in memory."""

MAX_FILE = 2**40
"""The bytes of a file that goes on to a sink."""

_SHELVED = (0, 4)
_TROUBLE = {
    1: "no jpg, gif, bmp or png",
    2: "the server does not know who sends it",
    3: "the picture is too large",
}

MakeFetch = Callable[[Ticket], Command[bytes]]


class MediaRequests(MessageRequests):
    """
    What to show, and what to pass on.

    A file to send is its bytes, its path, or a file that is open for reading;
    it is read as fast as it leaves. What is fetched comes as bytes, or goes to
    a C{sink} piece by piece: anything with a C{write}, and an L{IConsumer} may
    make it wait. Then what is returned is the size.
    """

    account: Account

    # ---- pictures

    def uploadGroupPicture(
        self, picture: FileSource, name: str = ""
    ) -> Deferred[GroupPicture]:
        """
        Upload a picture (protocol.md 2.7.1), to be sent in groups and
        discussions as a segment of messages, for five days.

        @return: fails with L{RequestRefused} when the server does not take it.
        """
        return Deferred.fromCoroutine(self._uploadGroupPicture(picture, name))

    async def _uploadGroupPicture(self, picture: FileSource, name: str) -> GroupPicture:
        shelved = await self._shelve(picture, name, CALLBACK_GROUP)
        signature = await self.transport.call(GetGfaceSig2)
        return GroupPicture(shelved, key=signature.key, sig=signature.sig)

    def sendGroupPicture(
        self, gid: Gid, picture: FileSource, name: str = ""
    ) -> Deferred[None]:
        """
        Upload a picture and show it in a group.
        """
        return self.uploadGroupPicture(picture, name).addCallback(
            lambda segment: self.sendGroupMessage(gid, [segment])
        )

    def uploadPicture(
        self, picture: FileSource, name: str = ""
    ) -> Deferred[OfflinePicture]:
        """
        Upload a picture (protocol.md 2.7.2), to be sent to friends as a segment
        of messages.
        """
        try:
            source = FileUpload(picture, name)
        except OSError:
            return fail()
        own = Uin(self.account.number)
        return self.transport.send(
            lambda ticket: UploadOfflinePic(ticket, own), source
        ).addCallback(
            lambda stored: OfflinePicture(stored.path, stored.name, stored.size)
        )

    def sendPicture(
        self, uin: Uin, picture: FileSource, name: str = ""
    ) -> Deferred[None]:
        """
        Upload a picture and show it to a friend.
        """
        return self.uploadPicture(picture, name).addCallback(
            lambda segment: self.sendMessage(uin, [segment])
        )

    def fetchPicture(
        self,
        message: Message | GroupMessage | DiscussionMessage,
        picture: Segment,
        sink: Sink | None = None,
    ) -> Deferred[Any]:
        """
        Fetch a picture of a message (protocol.md 2.7.2 - 2.7.4).

        @return: fails with L{ValueError} for a segment that is no picture.
        """
        try:
            make = _fetching(message, picture)
        except ValueError:
            return fail()
        return self._fetch(make, sink, MAX_PICTURE)

    # ---- custom faces

    def uploadFace(self, picture: FileSource, name: str = "") -> Deferred[CustomFace]:
        """
        Put a picture among our custom faces (protocol.md 2.7.1), which can be
        sent to friends as segments of messages, and be our avatar.
        """
        return Deferred.fromCoroutine(
            self._shelve(picture, name, CALLBACK_FACE)
        ).addCallback(CustomFace)

    async def _shelve(self, picture: FileSource, name: str, callback: str) -> str:
        source = FileUpload(picture, name)
        shelved: CustomFaceUploadResult = await self.transport.send(
            lambda ticket: CfaceUpload(ticket, callback), source
        )
        if shelved.ret not in _SHELVED:
            words = _TROUBLE.get(shelved.ret, "the server refused")
            raise RequestRefused(shelved.ret, words)
        return shelved.name

    def fetchFaces(self) -> Deferred[tuple[CustomFaceEntry, ...]]:
        """
        Ask for the list of our custom faces (protocol.md 2.7.3).
        """
        return self.transport.call(
            lambda ticket: WebqqApp(ticket, LIST_FACES)
        ).addCallback(_tuple)

    def fetchFace(self, name: str) -> Deferred[bytes]:
        """
        Fetch one of our custom faces.
        """
        return self.transport.call(
            lambda ticket: WebqqApp(ticket, SHOW_FACE, name)
        ).addCallback(_bytes)

    def deleteFace(self, name: str) -> Deferred[None]:
        """
        Delete one of our custom faces; what was sent stays.
        """
        return self.transport.call(
            lambda ticket: WebqqApp(ticket, DELETE_FACE, name)
        ).addCallback(_deleted)

    # ---- avatars

    def fetchAvatar(self, uin: Uin, sink: Sink | None = None) -> Deferred[Any]:
        """
        Fetch what somebody looks like (protocol.md 2.3.7).
        """
        return self._fetch(
            lambda ticket: GetFace(ticket, uin, OF_PERSON), sink, MAX_PICTURE
        )

    def fetchGroupAvatar(self, code: Code, sink: Sink | None = None) -> Deferred[Any]:
        """
        Fetch what a group looks like.

        @param code: the group's C{code}, not its C{gid}.
        """
        return self._fetch(
            lambda ticket: GetFace(ticket, code, OF_GROUP), sink, MAX_PICTURE
        )

    def setAvatar(self, picture: FileSource | None) -> Deferred[None]:
        """
        Look otherwise.

        @param picture: L{None} for the usual look.
        """
        return Deferred.fromCoroutine(self._setAvatar(picture, Code(0)))

    def setGroupAvatar(self, code: Code, picture: FileSource | None) -> Deferred[None]:
        """
        Let a group look otherwise, which its administrators may.
        """
        return Deferred.fromCoroutine(self._setAvatar(picture, code))

    async def _setAvatar(self, picture: FileSource | None, code: Code) -> None:
        name = ""
        if picture is not None:
            name = await self._shelve(picture, "", CALLBACK_FACE)
        await self.transport.call(lambda ticket: ModifyMyHead(ticket, name, code))

    # ---- files that wait

    def sendOfflineFile(
        self, uin: Uin, file: FileSource, name: str = ""
    ) -> Deferred[None]:
        """
        Leave a file for a friend (protocol.md 2.7.6); it waits for seven days.
        C{offlineFileAnswered} tells what became of it.
        """
        return Deferred.fromCoroutine(self._sendOfflineFile(uin, file, name))

    async def _sendOfflineFile(self, uin: Uin, file: FileSource, name: str) -> None:
        source = FileUpload(file, name)
        own, peer = Uin(self.account.number), uin
        fileId = f"{peer}_{self.transport.nextMessageId()}"
        stored = await self.transport.send(
            lambda ticket: UploadOfflineFile(ticket, own, fileId=fileId, peer=peer),
            source,
        )
        await self.transport.call(
            lambda ticket: SendOfffile2(ticket, uin, stored.path, stored.name)
        )

    def fetchOfflineFile(
        self, file: OfflineFile, sink: Sink | None = None, start: int = 0
    ) -> Deferred[Any]:
        """
        Fetch a file that waits for us; its sender is told.

        @param start: the bytes to leave out, which we have already.
        """
        return self._fetch(
            lambda ticket: OfflineFileDownload(file.key, file.name, start),
            sink,
            MAX_FILE,
        )

    def refuseOfflineFile(self, file: OfflineFile) -> Deferred[None]:
        """
        Do not want a file that waits for us; its sender is told.
        """
        return self.transport.call(
            lambda ticket: NotifyOfffile2(ticket, file.sender, file.name, file.size)
        )

    # ---- from one who is online to another

    def offerFile(self, uin: Uin, file: FileSource, name: str = "") -> Deferred[None]:
        """
        Offer a file to a friend who is online, and send it once they accept
        (protocol.md 2.7.5). C{fileOffered} and C{transferProgressed} tell how
        it goes. Cancel what this returns to take the offer back.

        @return: fires when they have it; fails with L{RequestRefused} when
            they do not want it, or nobody came for it.
        """
        try:
            source = FileUpload(file, name)
        except OSError:
            return fail()
        own = Uin(self.account.number)
        localId = self.transport.nextTransferId()
        return self.transport.send(
            lambda ticket: SendFile(ticket, own, uin, localId), source
        )

    def acceptFile(self, offer: FileNotice, sink: Sink | None = None) -> Deferred[Any]:
        """
        Accept a file that somebody offers, and fetch it.
        """
        return self._fetch(
            lambda ticket: GetFile2(ticket, offer.session, offer.name, offer.sender),
            sink,
            MAX_FILE,
        )

    def refuseFile(self, offer: FileNotice) -> Deferred[None]:
        """
        Do not want a file that somebody offers; they are told.
        """
        return self.transport.call(
            lambda ticket: RefuseFile2(ticket, offer.sender, offer.session)
        )

    def _fetch(self, make: MakeFetch, sink: Sink | None, limit: int) -> Deferred[Any]:
        if sink is not None:
            return self.transport.fetch(make, sink, limit)
        collected = BufferSink()
        return self.transport.fetch(make, collected, min(limit, MAX_HELD)).addCallback(
            collected.collected
        )


def _fetching(
    message: Message | GroupMessage | DiscussionMessage, picture: Segment
) -> MakeFetch:
    match message, picture:
        case GroupMessage(code=code), GroupPicture(name, fileId, _, server):
            return lambda ticket: GetGroupPic(
                ticket, code, message.sender, fileId, name, server, time=message.time
            )
        case DiscussionMessage(discussion=did), GroupPicture(name, fileId, _, server):
            return lambda ticket: GetGroupPic(
                ticket,
                did,
                message.sender,
                fileId,
                name,
                server,
                DISCUSSION_PICTURE,
                message.time,
            )
        case _, CustomFace(name):
            return lambda ticket: GetCface2(
                ticket, message.messageId, name, message.sender
            )
        case _, OfflinePicture(path):
            return lambda ticket: GetOffpic2(ticket, message.sender, path)
    raise ValueError("this segment is no picture of such a message")


def _tuple(reply: object) -> tuple[CustomFaceEntry, ...]:
    if not isinstance(reply, tuple):
        raise MalformedReply("this is no list of custom faces")
    return cast("tuple[CustomFaceEntry, ...]", reply)


def _bytes(reply: object) -> bytes:
    if not isinstance(reply, bytes):
        raise MalformedReply("this is no picture")
    return reply


def _deleted(reply: object) -> None:
    if not isinstance(reply, int):
        raise MalformedReply("this is no answer to a deletion")
    if reply:
        raise RequestRefused(reply, "there is no such custom face")
