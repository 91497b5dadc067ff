"""
Handlers of uploaded pictures, of offline files and of files of groups (protocol.md
2.7.2, 2.7.6, 2.7.7).
"""

from __future__ import annotations

from txwebqq.model import GroupFile, Sent
from txwebqq.server.domain.files.offline import (
    TOO_BIG,
    GroupFiles,
    OfflineFiles,
)
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.downloads import ABSENT, FILE_GONE, Downloads, FileReply
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.http.uploads import ReceivedFile
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.offlinefiles import (
    ApplyOfflinePicDl2,
    DeleteGroupFile2,
    GetGroupFileList2,
    GetOffpic2,
    GroupFileDownload,
    LocatedPicture,
    NotifyOfffile2,
    OfflineFileDownload,
    SendGroupFile2,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)

_NOT_IN_FILE = Refusal(NO_SUCH_ID, "range is not in the file")


class OfflineFilesAPI:
    """
    The handlers of uploaded pictures and of offline files.
    """

    def __init__(
        self,
        files: OfflineFiles,
        pictures: PictureRules,
        downloads: Downloads,
    ) -> None:
        self._files = files
        self._pictures = pictures
        self._downloads = downloads

    @answers(UploadOfflinePic, UploadOfflineFile)
    def upload(
        self,
        command: UploadOfflinePic | UploadOfflineFile,
        session: Session,
        file: ReceivedFile,
    ) -> StoredFile | Refusal:
        """
        C{POST /ftn_access/upload_offline_pic} and C{POST
        /ftn_access/upload_offline_file}: keep a picture or a file, which the account
        sends to a friend afterwards.
        """
        if command.own not in (0, session.number):
            return Refusal(NO_SUCH_ID, "uin is not yours")
        content = file.content
        if content is None:
            return Refusal(TOO_BIG, "the file is too large")
        isPicture = isinstance(command, UploadOfflinePic)
        path = self._files.addUpload(session.number, content, file.name, isPicture)
        if isinstance(path, Refusal):
            return path
        return StoredFile(
            path, file.name, content.size, command.fileId, command.callback
        )

    @answers(ApplyOfflinePicDl2)
    def applyOfflinePicDl2(
        self, command: ApplyOfflinePicDl2, session: Session, exchange: HTTPExchange
    ) -> LocatedPicture | Refusal:
        """
        C{GET /channel/apply_offline_pic_dl2}: return the address of a picture
        that the account has uploaded or was sent.
        """
        digest = self._pictures.sentTo(session, command.file)
        if digest is None:
            return ABSENT
        return LocatedPicture(
            self._downloads.createLink(digest, session, exchange), command.file
        )

    @answers(GetOffpic2)
    def getOffpic2(
        self, command: GetOffpic2, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /channel/get_offpic2}: redirect the client to a picture that the
        account was sent.
        """
        return self._downloads.redirect(
            self._pictures.sentTo(session, command.file), session, exchange
        )

    @answers(SendOfffile2)
    def sendOfffile2(
        self, command: SendOfffile2, session: Session, exchange: HTTPExchange
    ) -> Sent | Refusal:
        """
        C{POST /channel/send_offfile2}: send an uploaded file to a friend, as
        an offline file.
        """
        return self._files.send(
            session, command.to, command.file, command.name, command.sendId
        )

    @answers(NotifyOfffile2)
    def notifyOfffile2(
        self, command: NotifyOfffile2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/notify_offfile2}: refuse an offline file.
        """
        if command.action != 2:
            return None
        return self._files.refuse(session, command.sender, command.name, command.size)

    @answers(OfflineFileDownload)
    def download(
        self, command: OfflineFileDownload, caller: None, exchange: HTTPExchange
    ) -> FileReply | Refusal:
        """
        C{GET /?rkey=...}: return an offline file, or a picture that the server has
        redirected the client to.
        """
        key, start = command.key, command.start
        digest = self._downloads.resolveLink(key)
        if digest is not None:
            return FileReply(digest)
        offlineFile = self._files.get(key)
        if offlineFile is None:
            exchange.status = 404
            return FILE_GONE
        if not 0 <= start <= offlineFile.size:
            return _NOT_IN_FILE
        offlineKey = key if key == offlineFile.key else ""
        return FileReply(offlineFile.digest, offlineFile.name, start, offlineKey)


class GroupFilesAPI:
    """
    The handlers of files of groups.
    """

    def __init__(self, files: GroupFiles) -> None:
        self._files = files

    @answers(SendGroupFile2)
    def sendGroupFile2(
        self, command: SendGroupFile2, session: Session, exchange: HTTPExchange
    ) -> GroupFile | Refusal:
        """
        C{POST /channel/send_group_file2}: share an uploaded file in a group.
        """
        return self._files.share(
            session, command.group, command.file, command.name, command.sendId
        )

    @answers(GetGroupFileList2)
    def getGroupFileList2(
        self, command: GetGroupFileList2, session: Session, exchange: HTTPExchange
    ) -> tuple[GroupFile, ...] | Refusal:
        """
        C{GET /channel/get_group_file_list2}: return the files of a group.
        """
        return self._files.files(session, command.group)

    @answers(DeleteGroupFile2)
    def deleteGroupFile2(
        self, command: DeleteGroupFile2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/delete_group_file2}: delete a file of a group.
        """
        return self._files.delete(session, command.group, command.key)

    @answers(GroupFileDownload)
    def download(
        self, command: GroupFileDownload, session: Session, exchange: HTTPExchange
    ) -> FileReply | Refusal:
        """
        C{GET /channel/get_group_file2}: return a file of a group.
        """
        groupFile = self._files.get(session, command.key)
        if groupFile is None:
            return FILE_GONE
        if not 0 <= command.start <= groupFile.size:
            return _NOT_IN_FILE
        return FileReply(groupFile.digest, groupFile.name, command.start)
