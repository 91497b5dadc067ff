"""
Answers about custom faces, and about the groups and friends that they are
sent to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import byTicket, byVerifier
from txwebqq.server.http.downloads import Downloads
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.http.pages import SCRIPT
from txwebqq.server.http.uploads import ReceivedFile
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.pictures import (
    DELETE_FACE,
    LIST_FACES,
    SHOW_FACE,
    CfaceUpload,
    CustomFaceList,
    CustomFaceUploadResult,
    FaceSignature,
    GetCface2,
    GetGfaceSig2,
    GetGroupPic,
    GetImage2,
    WebqqApp,
)


class PicturesAPI:
    """
    The exchanges of custom faces.
    """

    def __init__(
        self, sessions: Sessions, pictures: PictureRules, downloads: Downloads
    ) -> None:
        self._sessions = sessions
        self._pictures = pictures
        self._downloads = downloads

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            GetGfaceSig2: self.getGfaceSig2,
            GetGroupPic: self.getGroupPic,
            GetCface2: self.getCface2,
            GetImage2: self.getImage2,
            WebqqApp: self.webqqApp,
        }

    def cfaceUpload(
        self, command: CfaceUpload, file: ReceivedFile, exchange: Exchange
    ) -> CustomFaceUploadResult:
        """
        Put a picture among somebody's custom faces.
        """
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        callback = command.callback
        if isinstance(session, Refusal):
            return CustomFaceUploadResult(2, "get uin and skey error", callback)
        if file.blob is None:
            return CustomFaceUploadResult(3, "", callback)
        shelved = self._pictures.addCustomFace(
            session.number, file.blob, file.beginning
        )
        return CustomFaceUploadResult(shelved.ret, shelved.name, callback)

    def getGfaceSig2(
        self, command: GetGfaceSig2, exchange: Exchange
    ) -> FaceSignature | Refusal:
        """
        What pictures are sent to groups with.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._pictures.signature(session)

    def getGroupPic(self, command: GetGroupPic, exchange: Exchange) -> bytes | Refusal:
        """
        Send whoever was sent a picture to where it is.
        """
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        return self._downloads.redirect(
            self._pictures.sentTo(session, command.name), exchange
        )

    def getCface2(self, command: GetCface2, exchange: Exchange) -> bytes | Refusal:
        """
        A friend's custom face.
        """
        return self._peerFace(command, exchange)

    def getImage2(self, command: GetImage2, exchange: Exchange) -> bytes | Refusal:
        """
        The same, by another name.
        """
        return self._peerFace(command, exchange)

    def _peerFace(
        self, command: GetCface2 | GetImage2, exchange: Exchange
    ) -> bytes | Refusal:
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        digest = self._pictures.faceFrom(session, command.sender, command.name)
        return self._downloads.show(digest, exchange)

    def webqqApp(
        self, command: WebqqApp, exchange: Exchange
    ) -> CustomFaceList | Refusal:
        """
        Somebody's own custom faces.
        """
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        number, name = session.number, command.name
        if command.operation == SHOW_FACE:
            return self._downloads.show(
                self._pictures.customFace(number, name), exchange
            )
        exchange.contentType = SCRIPT
        if command.operation == LIST_FACES:
            return self._pictures.customFaces(number)
        if command.operation == DELETE_FACE:
            return 0 if self._pictures.deleteCustomFace(number, name) else 1
        return Refusal(NO_SUCH_ID, "cmd is not 1, 2 or 12")
