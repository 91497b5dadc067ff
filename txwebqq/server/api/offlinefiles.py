"""
Answers about photos and files that are left for a friend.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from txwebqq.server.domain.filetransfers import GONE, TOO_BIG, OfflineFiles
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import byTicket, byVerifier
from txwebqq.server.http.downloads import ABSENT, Downloads, describe, refuse
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.http.uploads import ReceivedFile
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.offlinefiles import (
    ApplyOfflinePicDl2,
    GetOffpic2,
    LocatedPicture,
    NotifyOfffile2,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.form import Form


class OfflineFilesAPI:
    """
    The exchanges of what lies here until a friend fetches it.
    """

    def __init__(
        self,
        sessions: Sessions,
        files: OfflineFiles,
        pictures: PictureRules,
        downloads: Downloads,
    ) -> None:
        self._sessions = sessions
        self._files = files
        self._pictures = pictures
        self._downloads = downloads

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            ApplyOfflinePicDl2: self.applyOfflinePicDl2,
            GetOffpic2: self.getOffpic2,
            SendOfffile2: self.sendOfffile2,
            NotifyOfffile2: self.notifyOfffile2,
        }

    def uploadOfflinePic(
        self, command: UploadOfflinePic, file: ReceivedFile, exchange: Exchange
    ) -> StoredFile | Refusal:
        """
        Keep a picture for a friend.
        """
        return self._upload(command, file, exchange, isPicture=True)

    def uploadOfflineFile(
        self, command: UploadOfflineFile, file: ReceivedFile, exchange: Exchange
    ) -> StoredFile | Refusal:
        """
        Keep a file for a friend.
        """
        return self._upload(command, file, exchange, isPicture=False)

    def _upload(
        self,
        command: UploadOfflinePic | UploadOfflineFile,
        file: ReceivedFile,
        exchange: Exchange,
        isPicture: bool,
    ) -> StoredFile | Refusal:
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        if command.own not in (0, session.number):
            return Refusal(NO_SUCH_ID, "uin is not yours")
        if file.blob is None:
            return Refusal(TOO_BIG, "the file is too large")
        path = self._files.addUpload(
            session.number, file.blob, file.name, isPicture, file.beginning
        )
        if isinstance(path, Refusal):
            return path
        return StoredFile(
            path, file.name, file.blob.size, command.fileId, command.callback
        )

    def applyOfflinePicDl2(
        self, command: ApplyOfflinePicDl2, exchange: Exchange
    ) -> LocatedPicture | Refusal:
        """
        Tell whoever left a picture with us where it is.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        digest = self._pictures.sentTo(session, command.file)
        if digest is None:
            return ABSENT
        return LocatedPicture(
            self._downloads.createLink(digest, exchange), command.file
        )

    def getOffpic2(self, command: GetOffpic2, exchange: Exchange) -> bytes | Refusal:
        """
        Send whoever was sent a photo to where it is.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._downloads.redirect(
            self._pictures.sentTo(session, command.file), exchange
        )

    def sendOfffile2(self, command: SendOfffile2, exchange: Exchange) -> None | Refusal:
        """
        Give a file to a friend.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        ip, port = _address(exchange)
        return self._files.give(
            session, command.to, command.file, command.name, ip, port
        )

    def notifyOfffile2(
        self, command: NotifyOfffile2, exchange: Exchange
    ) -> None | Refusal:
        """
        Do not want a file.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        if command.action != 2:
            return None
        return self._files.refuse(session, command.sender, command.name, command.size)

    def fetch(self, request: Any, form: Form) -> int | bytes:
        """
        Send the bytes that a key opens: a picture that we led somebody to, or
        a file that waits.

        @raise MalformedReply: when the key is missing, or a number is none.
        """
        key = form.text("rkey")
        digest = self._downloads.resolveLink(key)
        if digest is not None:
            return self._downloads.send(request, digest, 0, None)
        offlineFile = self._files.waiting(key)
        if offlineFile is None:
            return refuse(request, Refusal(GONE, "the file is no longer here"), 404)
        start = form.integer("range", 0)
        if not 0 <= start <= offlineFile.size:
            return refuse(request, Refusal(NO_SUCH_ID, "range is not in the file"))
        describe(request, offlineFile.name)
        return self._downloads.send(
            request, offlineFile.digest, start, lambda: self._files.fetched(key)
        )


def _address(exchange: Exchange) -> tuple[str, int]:
    """
    Where to find us, by what the client calls us, else by where it met us.
    """
    host, _, port = exchange.base.rpartition("//")[2].partition(":")
    try:
        ip = str(ipaddress.IPv4Address(host))
        return ip, int(port or 80)
    except ValueError:
        return exchange.local
