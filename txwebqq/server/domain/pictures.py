"""
Rules of pictures: pictures in messages, custom faces and avatars
(protocol.md 2.7, 4.9).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import (
    Code,
    Content,
    CustomFace,
    GroupPicture,
    Number,
    OfflinePicture,
    Segment,
    Uin,
)
from txwebqq.server.domain.groups import isAdmin
from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_LONG
from txwebqq.server.domain.state import ServerState
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.sessions.signatures import Signer
from txwebqq.server.storage.blobs import BlobWriter
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.pictures import (
    OF_ACCOUNT,
    OF_GROUP,
    CustomFaceEntry,
    CustomFaceUploadResult,
    FaceSignature,
)

MAX_PICTURES = 10
"""Maximum number of pictures in a message (protocol.md 4.9)."""

MAX_CUSTOM_FACES = 1000
"""Maximum number of custom faces of an account."""

SIGNATURE_LIFE = 5 * 24 * 3600
"""Time for which clients use a signature, in seconds (protocol.md 2.2.6)."""

_GUID = re.compile(
    r"\{?([0-9A-Fa-f]{8})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})"
    r"-([0-9A-Fa-f]{12})\}?\d{0,3}\.([A-Za-z]{3})"
)


def guid(random: Random) -> str:
    """
    Return a random UUID, which cannot be guessed.
    """
    return str(UUID(int=random.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class PictureSignature:
    """
    The signature that a message with pictures carries (protocol.md 2.2.6).

    @ivar server: the host that the client has uploaded the pictures to.
    """

    key: str = ""
    sig: str = field(default="", repr=False)
    server: str = ""


class PictureRules:
    """
    The rules of pictures in messages, custom faces and avatars.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self,
        state: ServerState,
        now: Callable[[], float],
        random: Random,
    ) -> None:
        self._state = state
        self._media = state.store.media
        self._now = now
        self._random = random
        self._signer = Signer(state.store, "gface", random)

    def signature(self, session: Session) -> FaceSignature:
        """
        Return a new signature for the pictures of an account.
        """
        key = token(self._random, 16)
        until = f"{int(self._now()) + SIGNATURE_LIFE:08x}"
        return FaceSignature(key, until + self._signer.sign(session.number, key, until))

    def _isSigned(self, number: Number, key: str, sig: str) -> bool:
        until, signature = sig[:8], sig[8:]
        expected = self._signer.sign(number, key, until)
        # A valid signature is ours, so it begins with a number.
        return (
            hmac.compare_digest(expected.encode(), signature.encode())
            and int(until, 16) > self._now()
        )

    def addCustomFace(
        self, number: Number, received: BlobWriter
    ) -> CustomFaceUploadResult:
        """
        Add a picture to the custom faces of an account.

        @param received: the picture, which is kept only if it is accepted.
        """
        imageType = imageTypeOf(received.beginning)
        if imageType is None:
            return CustomFaceUploadResult(1)
        if len(self._media.customFaces(number)) >= MAX_CUSTOM_FACES:
            return CustomFaceUploadResult(2, "too many custom faces")
        blob = received.blob
        name = f"{blob.md5}.{imageType.extension}"
        known = self._media.customFace(number, name)
        if known is not None and known != blob.digest:
            # Two pictures with the same MD5 are an attack.
            return CustomFaceUploadResult(1)
        if known is not None:
            return CustomFaceUploadResult(4, name)
        self._media.addBlob(blob)
        received.keep()
        self._media.addCustomFace(number, name, blob, int(self._now()))
        return CustomFaceUploadResult(0, name)

    def customFaces(self, number: Number) -> tuple[CustomFaceEntry, ...]:
        """
        Return the custom faces of an account.
        """
        return tuple(CustomFaceEntry(*row) for row in self._media.customFaces(number))

    def customFace(self, number: Number, name: str) -> str | None:
        """
        Return the digest of a custom face of an account, L{None} if there is
        none of that name.
        """
        return self._media.customFace(number, name)

    def deleteCustomFace(self, number: Number, name: str) -> bool:
        """
        Delete a custom face of an account; messages that have it keep it.

        @return: whether there was one of that name.
        """
        return self._media.deleteCustomFace(number, name)

    def forFriend(
        self, session: Session, friend: Number, content: Content
    ) -> Content | Refusal:
        """
        Return the content that a friend gets, with pictures that the friend
        may fetch.
        """
        if not any(map(_isPicture, content)):
            return content
        return self._prepareForRecipients(session, content, [friend], None)

    def forGroup(
        self,
        session: Session,
        group: Number,
        code: Code,
        content: Content,
        signed: PictureSignature,
    ) -> Content | Refusal:
        """
        Return the content that the members of a group get, with pictures that
        they may fetch.

        @param group: a group that the session's account is a member of.
        @param code: the code of the group, 0 when the client has not sent it.
        """
        if not any(map(_isPicture, content)):
            return content
        if code and session.sessionIds.groupOfCode(code) != group:
            return Refusal(NO_SUCH_ID, "group_code is not the code of that group")
        members = self._state.store.groups.memberNumbers(group)
        return self.forMembers(session, content, members, signed)

    def forMembers(
        self,
        session: Session,
        content: Content,
        members: Iterable[Number],
        signed: PictureSignature,
    ) -> Content | Refusal:
        """
        Return the content that the members of a group or a discussion get, with
        pictures that they may fetch.
        """
        if not any(map(_isPicture, content)):
            return content
        if not self._isSigned(session.number, signed.key, signed.sig):
            return Refusal(NO_SUCH_ID, "key and sig are not from get_gface_sig2")
        return self._prepareForRecipients(session, content, list(members), signed)

    def _prepareForRecipients(
        self,
        session: Session,
        content: Content,
        recipients: list[Number],
        signed: PictureSignature | None,
    ) -> Content | Refusal:
        found: dict[int, str] = {}
        for index, segment in enumerate(content):
            if _isPicture(segment):
                digest = self._digestOf(session.number, segment, signed is not None)
                if digest is None:
                    return Refusal(NO_SUCH_ID, "a picture of it is none of yours")
                found[index] = digest
        if len(found) > MAX_PICTURES:
            return Refusal(TOO_LONG, f"more than {MAX_PICTURES} pictures")
        return tuple(
            self._send(session.number, segment, found[index], recipients, signed)
            if index in found
            else segment
            for index, segment in enumerate(content)
        )

    def _digestOf(
        self, number: Number, segment: Segment, isForGroup: bool
    ) -> str | None:
        match segment:
            case GroupPicture(name) | CustomFace(name):
                return self._media.customFace(number, name)
            case OfflinePicture(path) if not isForGroup:
                upload = self._media.upload(path)
                if upload is not None and upload.isPicture:
                    return upload.digest if upload.owner == number else None
        return None

    def _send(
        self,
        sender: Number,
        segment: Segment,
        digest: str,
        recipients: list[Number],
        signed: PictureSignature | None,
    ) -> Segment:
        now = int(self._now())
        unguessable = guid(self._random)
        match segment:
            case GroupPicture(name) | CustomFace(name) if signed is not None:
                ending = name.rpartition(".")[2]
                alias = f"{{{unguessable.upper()}}}.{ending}"
                number = self._media.addPicture(alias, sender, digest, now, recipients)
                return GroupPicture(alias, number, signed.key, signed.server)
            case GroupPicture(name) | CustomFace(name):
                self._media.addPicture(name, sender, digest, now, recipients)
                return CustomFace(name)
        path = f"/{unguessable}"
        self._media.addPicture(path, sender, digest, now, recipients)
        return OfflinePicture(path)

    def sentTo(self, session: Session, name: str) -> str | None:
        """
        Return the digest of a picture that an account was sent or has uploaded,
        else L{None}.

        @param name: the server's name for the picture.
        """
        digest = self._media.pictureFor(name, session.number)
        if digest is not None:
            return digest
        upload = self._media.upload(name)
        if upload is None or upload.owner != session.number:
            return None
        return upload.digest if upload.isPicture else None

    def faceFrom(self, session: Session, sender: Uin, name: str) -> str | None:
        """
        Return the digest of a custom face that an account was sent, else L{None}.

        @param name: the name of the custom face, or its form in C{pic_id}.
        """
        number = session.sessionIds.person(sender)
        if number is None:
            return None
        shape = _GUID.fullmatch(name)
        if shape is not None:
            name = "".join(shape.groups()[:5]).upper() + "." + shape[6].lower()
        return self._media.pictureFor(name, session.number, number)

    def avatarOf(self, session: Session, kind: int, whose: int) -> Avatar | None:
        """
        Return the avatar of an account or a group, L{None} if there is none of
        that id.
        """
        if kind == OF_GROUP:
            number = session.sessionIds.groupOfCode(Code(whose))
            exists = (
                number is not None and self._state.store.groups.get(number) is not None
            )
        else:
            kind = OF_ACCOUNT
            number = session.sessionIds.person(Uin(whose))
            exists = (
                number is not None
                and self._state.store.accounts.get(number) is not None
            )
        if number is None or not exists:
            return None
        return Avatar(number, self._media.avatar(kind, number))

    def setAvatar(self, session: Session, name: str, code: Code) -> Refusal | None:
        """
        Set the avatar of an account, or of a group that it administers.

        @param name: one of the account's custom faces, C{""} for the identicon.
        @param code: the group, 0 for the account itself.
        """
        digest = self._media.customFace(session.number, name) if name else None
        if name and digest is None:
            return Refusal(NO_SUCH_ID, "custom_face is none of yours")
        if not code:
            self._media.setAvatar(OF_ACCOUNT, session.number, digest)
            return None
        group = session.sessionIds.groupOfCode(code)
        groups = self._state.store.groups
        record = None if group is None else groups.get(group)
        if record is None or not isAdmin(groups, record, session.number):
            return Refusal(NO_SUCH_ID, "gcode is no group that you may change")
        self._media.setAvatar(OF_GROUP, record.number, digest)
        return None


@dataclass(frozen=True, slots=True)
class Avatar:
    """
    The avatar of an account or a group.

    @ivar digest: of the picture, L{None} for the identicon.
    """

    number: Number
    digest: str | None


def _isPicture(segment: Segment) -> bool:
    return isinstance(segment, (GroupPicture, CustomFace, OfflinePicture))
