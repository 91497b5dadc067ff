"""
Handlers of uploaded pictures and of offline files (protocol.md 2.7.2, 2.7.6).
"""

from __future__ import annotations

from typing import Any

from txwebqq.server.domain.offlinefiles import GONE, TOO_BIG, OfflineFiles
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.downloads import ABSENT, Downloads, describe, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.http.uploads import ReceivedFile
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.offlinefiles import (
    ApplyOfflinePicDl2,
    GetOffpic2,
    LocatedPicture,
    NotifyOfffile2,
    OfflineFileDownload,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)


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
            self._downloads.createLink(digest, exchange), command.file
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
            self._pictures.sentTo(session, command.file), exchange
        )

    @answers(SendOfffile2)
    def sendOfffile2(
        self, command: SendOfffile2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/send_offfile2}: send an uploaded file to a friend, as
        an offline file.
        """
        return self._files.send(session, command.to, command.file, command.name)

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
        self, command: OfflineFileDownload, caller: None, request: Any
    ) -> int | bytes:
        """
        C{GET /?rkey=...}: return an offline file, or a picture that the server has
        redirected the client to.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        key, start = command.key, command.start
        digest = self._downloads.resolveLink(key)
        if digest is not None:
            return self._downloads.send(request, digest, 0, None)
        offlineFile = self._files.get(key)
        if offlineFile is None:
            return refuse(request, Refusal(GONE, "the file is no longer here"), 404)
        if not 0 <= start <= offlineFile.size:
            return refuse(request, Refusal(NO_SUCH_ID, "range is not in the file"))
        describe(request, offlineFile.name)
        return self._downloads.send(
            request, offlineFile.digest, start, lambda: self._files.markFetched(key)
        )
