"""
Answers about avatars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import byVerifier
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.identicon import identicon
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.pictures import GetFace, ModifyMyHead


class AvatarsAPI:
    """
    The exchanges of avatars.
    """

    def __init__(
        self, sessions: Sessions, pictures: PictureRules, blobs: BlobStore
    ) -> None:
        self._sessions = sessions
        self._pictures = pictures
        self._blobs = blobs

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {GetFace: self.getFace, ModifyMyHead: self.modifyMyHead}

    def getFace(self, command: GetFace, exchange: Exchange) -> bytes | Refusal:
        """
        What somebody looks like.
        """
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        avatar = self._pictures.avatarOf(session, command.kind, command.id)
        if avatar is None:
            return Refusal(NO_SUCH_ID, "uin is nobody")
        data = None if avatar.digest is None else self._blobs.read(avatar.digest)
        if data is None or avatar.digest is None:
            data = identicon(avatar.number)
            # Numbers are for those only who may know them.
            tag = f'"{command.kind}-{command.id}"'
        else:
            tag = f'"{avatar.digest[:32]}"'
        exchange.contentType = mediaTypeOf(data[:16]).encode()
        exchange.headers += [
            (b"etag", tag.encode()),
            (b"cache-control", b"private, max-age=60"),
            (b"x-content-type-options", b"nosniff"),
        ]
        known = (exchange.header(b"if-none-match") or b"").decode("latin-1")
        if tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
            exchange.status = 304
            return b""
        return data

    def modifyMyHead(self, command: ModifyMyHead, exchange: Exchange) -> None | Refusal:
        """
        Look otherwise.
        """
        session = byVerifier(self._sessions, command.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        return self._pictures.setAvatar(session, command.name, command.group)
