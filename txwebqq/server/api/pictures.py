"""
Handlers of custom faces, pictures of messages, and avatars (protocol.md 2.7.1-2.7.4,
2.3.7, 2.3.8).
"""

from __future__ import annotations

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.server.domain.friends import FriendRules
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.downloads import Downloads
from txwebqq.server.http.exchange import SCRIPT, HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.http.uploads import ReceivedFile
from txwebqq.server.identicon import identicon
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.pictures import (
    DELETE_FACE,
    LIST_FACES,
    SHOW_FACE,
    CfaceUpload,
    CustomFaceList,
    CustomFaceUploadResult,
    FaceSignature,
    GetCface2,
    GetFace,
    GetGfaceSig2,
    GetGroupPic,
    GetImage2,
    ModifyMyHead,
    WebqqApp,
)


class PicturesAPI:
    """
    The handlers of custom faces, pictures of messages, and avatars.
    """

    def __init__(
        self,
        pictures: PictureRules,
        friendRules: FriendRules,
        blobs: BlobStore,
        downloads: Downloads,
    ) -> None:
        self._pictures = pictures
        self._friendRules = friendRules
        self._blobs = blobs
        self._downloads = downloads

    @answers(CfaceUpload)
    def cfaceUpload(
        self, command: CfaceUpload, session: Session, file: ReceivedFile
    ) -> CustomFaceUploadResult:
        """
        C{POST /cgi-bin/cface_upload}: add a picture to the account's custom faces.
        """
        if file.content is None:
            return CustomFaceUploadResult(3, "", command.callback)
        added = self._pictures.addCustomFace(session.number, file.content)
        return CustomFaceUploadResult(added.ret, added.name, command.callback)

    @answers(WebqqApp)
    def webqqApp(
        self, command: WebqqApp, session: Session, exchange: HTTPExchange
    ) -> CustomFaceList | Refusal:
        """
        C{GET /cgi-bin/webqq_app/}: list, return or delete custom faces of the
        account.
        """
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

    @answers(GetGfaceSig2)
    def getGfaceSig2(
        self, command: GetGfaceSig2, session: Session, exchange: HTTPExchange
    ) -> FaceSignature | Refusal:
        """
        C{GET /channel/get_gface_sig2}: return a signature for the pictures of
        messages.
        """
        return self._pictures.signature(session)

    @answers(GetGroupPic)
    def getGroupPic(
        self, command: GetGroupPic, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /cgi-bin/get_group_pic}: redirect the client to a picture of a group
        message.
        """
        digest = self._pictures.sentTo(session, command.name)
        return self._downloads.redirect(digest, session, exchange)

    @answers(GetCface2, GetImage2)
    def getCface2(
        self, command: GetCface2 | GetImage2, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /channel/get_cface2} and C{GET /channel/get_image2}: return a custom
        face of a message.
        """
        digest = self._pictures.faceFrom(session, command.sender, command.name)
        return self._downloads.show(digest, exchange)

    @answers(GetFace)
    def getFace(
        self, command: GetFace, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /cgi/svr/face/getface}: return the avatar of an account or a group, or
        the identicon in its place.
        """
        avatar = self._pictures.avatarOf(session, command.kind, command.id)
        if avatar is None:
            return Refusal(NO_SUCH_ID, "uin is nobody")
        data = None if avatar.digest is None else self._blobs.read(avatar.digest)
        if data is None or avatar.digest is None:
            data = identicon(avatar.number)
            # The number itself may be a secret.
            tag = f'"{command.kind}-{command.id}"'
        else:
            tag = f'"{avatar.digest[:32]}"'
        exchange.contentType = mediaTypeOf(data[:16]).encode()
        exchange.headers += (
            (b"etag", tag.encode()),
            (b"cache-control", b"private, max-age=60"),
        )
        known = (exchange.header(b"if-none-match") or b"").decode("latin-1")
        if tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
            exchange.status = 304
            return b""
        return data

    @answers(ModifyMyHead)
    def modifyMyHead(
        self, command: ModifyMyHead, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/modify_my_head}: set the avatar of the account, or of a group that
        it administers.
        """
        refusal = self._pictures.setAvatar(session, command.name, command.group)
        if refusal is None and not command.group:
            self._friendRules.tellEdit(session.number)
        return refusal
