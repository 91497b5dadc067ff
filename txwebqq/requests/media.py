"""
Requests about pictures, custom faces, avatars, offline files, files of groups and
file transfers.
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
    GroupFile,
    GroupMessage,
    GroupPicture,
    Message,
    OfflineFile,
    OfflinePicture,
    PastFile,
    Segment,
    Sent,
    Uin,
)
from txwebqq.net.bodies import BufferSink, FileSource, FileUpload, Sink
from txwebqq.requests.messages import MessageRequests
from txwebqq.wire.command import Command
from txwebqq.wire.commands.filetransfers import GetFile2, RefuseFile2, SendFile
from txwebqq.wire.commands.offlinefiles import (
    DeleteGroupFile2,
    GetGroupFileList2,
    GetOffpic2,
    GroupFileDownload,
    NotifyOfffile2,
    OfflineFileDownload,
    SendGroupFile2,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.commands.pictures import (
    CALLBACK_FACE,
    CALLBACK_GROUP,
    DELETE_FACE,
    DISCUSSION_PICTURE,
    LIST_FACES,
    OF_ACCOUNT,
    OF_GROUP,
    SHOW_FACE,
    CfaceUpload,
    CustomFaceEntry,
    CustomFaceUploadResult,
    GetCface2,
    GetFace,
    GetGfaceSig2,
    GetGroupPic,
    ModifyMyHead,
    WebqqApp,
)
from txwebqq.wire.form import Ticket

MAX_PICTURE = 16 * 1024 * 1024
"""Maximum size of a picture to fetch, in bytes."""

MAX_HELD = 128 * 1024 * 1024
"""Maximum size of a file to fetch into memory, in bytes."""

MAX_FILE = 2**40
"""Maximum size of a file to fetch into a sink, in bytes."""

_UPLOADED = (0, 4)
_UPLOAD_ERRORS = {
    1: "the picture is not a jpg, gif, bmp or png",
    2: "the server does not know the session",
    3: "the picture is too large",
}

MakeFetch = Callable[[Ticket], Command[bytes]]


class MediaRequests(MessageRequests):
    """
    Uploads and fetches pictures, custom faces, avatars and files.

    A file to send is its bytes, its path, or a file that is open for reading
    bytes; it is read as fast as the connection takes it. A request that fetches
    fires with the bytes; with a C{sink}, it writes the bytes there as they
    arrive and fires with their number. A sink has a method C{write}; an
    L{IConsumer} may pause the sender.
    """

    account: Account

    def uploadGroupPicture(
        self, picture: FileSource, name: str = ""
    ) -> Deferred[GroupPicture]:
        """
        Upload a picture for messages to groups and discussions
        (protocol.md 2.7.1).

        @return: fires with a segment that messages may hold for five days;
            fails with L{RequestRefused} when the server does not take the
            picture.
        """
        return Deferred.fromCoroutine(self._uploadGroupPicture(picture, name))

    async def _uploadGroupPicture(self, picture: FileSource, name: str) -> GroupPicture:
        fileName = await self._uploadFace(picture, name, CALLBACK_GROUP)
        signature = await self.transport.call(GetGfaceSig2)
        return GroupPicture(fileName, key=signature.key, sig=signature.sig)

    def sendGroupPicture(
        self, gid: Gid, picture: FileSource, name: str = ""
    ) -> Deferred[None]:
        """
        Upload a picture and send it to a group.
        """
        return self.uploadGroupPicture(picture, name).addCallback(
            lambda segment: self.sendGroupMessage(gid, [segment])
        )

    def uploadPicture(
        self, picture: FileSource, name: str = ""
    ) -> Deferred[OfflinePicture]:
        """
        Upload a picture for messages to friends (protocol.md 2.7.2).

        @return: fires with a segment for messages.
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
        Upload a picture and send it to a friend.
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

        @return: also fails with L{ValueError} for a segment that is not a
            picture.
        """
        try:
            make = _pictureCommand(message, picture)
        except ValueError:
            return fail()
        return self._fetch(make, sink, MAX_PICTURE)

    def uploadFace(self, picture: FileSource, name: str = "") -> Deferred[CustomFace]:
        """
        Add a picture to this account's custom faces (protocol.md 2.7.1).

        @return: fires with a segment for messages to friends; its name can also
            be that of the avatar.
        """
        return Deferred.fromCoroutine(
            self._uploadFace(picture, name, CALLBACK_FACE)
        ).addCallback(CustomFace)

    async def _uploadFace(self, picture: FileSource, name: str, callback: str) -> str:
        source = FileUpload(picture, name)
        result: CustomFaceUploadResult = await self.transport.send(
            lambda ticket: CfaceUpload(ticket, callback), source
        )
        if result.ret not in _UPLOADED:
            reason = _UPLOAD_ERRORS.get(result.ret, "the server refused the picture")
            raise RequestRefused(result.ret, reason)
        return result.name

    def fetchFaces(self) -> Deferred[tuple[CustomFaceEntry, ...]]:
        """
        Fetch the list of this account's custom faces (protocol.md 2.7.3).
        """
        return self.transport.call(WebqqApp, LIST_FACES).addCallback(_checkList)

    def fetchFace(self, name: str) -> Deferred[bytes]:
        """
        Fetch one of this account's custom faces.
        """
        return self.transport.call(WebqqApp, SHOW_FACE, name).addCallback(_checkBytes)

    def deleteFace(self, name: str) -> Deferred[None]:
        """
        Delete one of this account's custom faces. Messages that were sent with
        it keep it.
        """
        return self.transport.call(WebqqApp, DELETE_FACE, name).addCallback(
            _checkDeleted
        )

    def fetchAvatar(self, uin: Uin, sink: Sink | None = None) -> Deferred[Any]:
        """
        Fetch the avatar of an account (protocol.md 2.3.7).
        """
        return self._fetch(
            lambda ticket: GetFace(ticket, uin, OF_ACCOUNT), sink, MAX_PICTURE
        )

    def fetchGroupAvatar(self, code: Code, sink: Sink | None = None) -> Deferred[Any]:
        """
        Fetch the avatar of a group.

        @param code: the group's C{code}, not its C{gid}.
        """
        return self._fetch(
            lambda ticket: GetFace(ticket, code, OF_GROUP), sink, MAX_PICTURE
        )

    def setAvatar(self, picture: FileSource | None) -> Deferred[None]:
        """
        Set this account's avatar. Tencent's server had no such call.

        @param picture: L{None} for the default avatar.
        """
        return Deferred.fromCoroutine(self._setAvatar(picture, Code(0)))

    def setGroupAvatar(self, code: Code, picture: FileSource | None) -> Deferred[None]:
        """
        Set the avatar of a group that this account administers. Tencent's
        server had no such call.

        @param picture: L{None} for the default avatar.
        """
        return Deferred.fromCoroutine(self._setAvatar(picture, code))

    async def _setAvatar(self, picture: FileSource | None, code: Code) -> None:
        name = ""
        if picture is not None:
            name = await self._uploadFace(picture, "", CALLBACK_FACE)
        await self.transport.call(ModifyMyHead, name, code)

    def sendOfflineFile(
        self, uin: Uin, file: FileSource, name: str = ""
    ) -> Deferred[Sent]:
        """
        Send a file to a friend by way of the server (protocol.md 2.7.6), which
        keeps it for seven days. The event C{offlineFileAnswered} tells whether
        the friend fetched or refused it.

        @return: fires with the id by which the history has the file, where the server
            tells it.
        """
        return Deferred.fromCoroutine(self._sendOfflineFile(uin, file, name))

    async def _sendOfflineFile(self, uin: Uin, file: FileSource, name: str) -> Sent:
        stored = await self._uploadFile(uin, file, name)
        return await self.transport.call(SendOfffile2, uin, stored.path, stored.name)

    async def _uploadFile(
        self, to: Uin | Gid, file: FileSource, name: str
    ) -> StoredFile:
        source = FileUpload(file, name)
        own, peer = Uin(self.account.number), Uin(to)
        fileId = f"{peer}_{self.transport.nextMessageId()}"
        return await self.transport.send(
            lambda ticket: UploadOfflineFile(ticket, own, fileId=fileId, peer=peer),
            source,
        )

    def fetchOfflineFile(
        self, file: OfflineFile | PastFile, sink: Sink | None = None, start: int = 0
    ) -> Deferred[Any]:
        """
        Fetch an offline file for this account, of an event or of the history. The
        server tells the sender. An own file of the history is fetched as well, of
        which nobody is told.

        @param start: the number of bytes to skip, which were fetched before.
        """
        return self._fetch(
            lambda ticket: OfflineFileDownload(file.key, file.name, start),
            sink,
            MAX_FILE,
        )

    def refuseOfflineFile(self, file: OfflineFile | PastFile) -> Deferred[None]:
        """
        Refuse an offline file for this account. The server tells the sender.
        """
        return self.transport.call(NotifyOfffile2, file.sender, file.name, file.size)

    def sendGroupFile(
        self, gid: Gid, file: FileSource, name: str = ""
    ) -> Deferred[GroupFile]:
        """
        Share a file in a group (protocol.md 2.7.7). The other members are told by the
        event C{groupFileShared}, and fetch the file any number of times until it
        expires. The requests about files of groups are extensions: a server without
        them refuses.

        @return: fires with the file when the server has accepted it; fails with
            L{RequestRefused} when the account is muted in the group, or too many
            files are in it.
        """
        return Deferred.fromCoroutine(self._sendGroupFile(gid, file, name))

    async def _sendGroupFile(self, gid: Gid, file: FileSource, name: str) -> GroupFile:
        stored = await self._uploadFile(gid, file, name)
        return await self.transport.call(SendGroupFile2, gid, stored.path, stored.name)

    def fetchGroupFiles(self, gid: Gid) -> Deferred[tuple[GroupFile, ...]]:
        """
        Fetch the list of the files that are shared in a group, the oldest first.
        """
        return self.transport.call(GetGroupFileList2, gid)

    def fetchGroupFile(
        self, file: GroupFile, sink: Sink | None = None, start: int = 0
    ) -> Deferred[Any]:
        """
        Fetch a file of a group.

        @param start: the number of bytes to skip, which were fetched before.

        @return: also fails with L{RequestRefused} when the file has expired or was
            deleted, or the account is no longer a member of the group.
        """
        return self._fetch(
            lambda ticket: GroupFileDownload(ticket, file.group, file.key, start),
            sink,
            MAX_FILE,
        )

    def deleteGroupFile(self, gid: Gid, file: GroupFile) -> Deferred[None]:
        """
        Delete a file of a group: one that this account has shared, or any in a group
        that it administers.
        """
        return self.transport.call(DeleteGroupFile2, gid, file.key)

    def offerFile(self, uin: Uin, file: FileSource, name: str = "") -> Deferred[None]:
        """
        Offer a file to a friend who is online, and send it when the friend
        accepts (protocol.md 2.7.5). The events C{fileOffered} and
        C{transferProgressed} report its progress. Cancel the Deferred to take
        the offer back.

        @return: fires when the friend has received the file; fails with
            L{RequestRefused} when the friend refuses it or does not fetch it in
            time.
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
        Accept a file that another account offers, and fetch it.
        """
        return self._fetch(
            lambda ticket: GetFile2(ticket, offer.session, offer.name, offer.sender),
            sink,
            MAX_FILE,
        )

    def refuseFile(self, offer: FileNotice) -> Deferred[None]:
        """
        Refuse a file that another account offers. The server tells the sender.
        """
        return self.transport.call(RefuseFile2, offer.sender, offer.session)

    def _fetch(self, make: MakeFetch, sink: Sink | None, limit: int) -> Deferred[Any]:
        if sink is not None:
            return self.transport.fetch(make, sink, limit)
        buffer = BufferSink()
        return self.transport.fetch(make, buffer, min(limit, MAX_HELD)).addCallback(
            buffer.collected
        )


def _pictureCommand(
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
    raise ValueError("the segment is not a picture of such a message")


def _checkList(reply: object) -> tuple[CustomFaceEntry, ...]:
    if not isinstance(reply, tuple):
        raise MalformedReply("the reply is not a list of custom faces")
    return cast("tuple[CustomFaceEntry, ...]", reply)


def _checkBytes(reply: object) -> bytes:
    if not isinstance(reply, bytes):
        raise MalformedReply("the reply is not a picture")
    return reply


def _checkDeleted(reply: object) -> None:
    if not isinstance(reply, int):
        raise MalformedReply("the reply is not that of a deletion")
    if reply:
        raise RequestRefused(reply, "there is no such custom face")
