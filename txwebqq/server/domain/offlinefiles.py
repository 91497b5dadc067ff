"""
Rules of uploaded pictures and of offline files: files that the server keeps until
their recipients fetch them (protocol.md 2.7.2, 2.7.6).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import Number, Uin
from txwebqq.ratelimit import MAX_REMEMBERED
from txwebqq.server.domain.messaging import refusalOf
from txwebqq.server.domain.pictures import guid
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import (
    FRIEND_MESSAGE,
    OFFLINE_FILE,
    OFFLINE_FILE_NOTICE,
)
from txwebqq.server.sessions.sessions import Random, Session, token
from txwebqq.server.storage.blobs import BlobWriter
from txwebqq.server.storage.media import MediaStore, OfflineFileRecord
from txwebqq.wire.command import Refusal

DAY = 24 * 3600
"""A day, in seconds."""

FILE_LIFE = 7 * DAY
"""Time for which an offline file is kept, in seconds (protocol.md 2.7.6)."""

PICTURE_LIFE = 30 * DAY
"""Time for which a picture of a message is kept, in seconds."""

MAX_NAME = 255
"""Maximum length of a file name, in bytes."""

TOO_MANY, FULL, TOO_BIG = -30001, -30002, -30003
"""The retcodes of refused uploads: too many files, too many bytes, a file that is
too large (protocol.md 2.7.6)."""

NO_PICTURE = -30014
"""The retcode of a refused upload that is not a picture; our own."""

GONE = 102
"""The retcode for a file or an offer that does not exist, or no longer."""

FETCHED, REFUSED = 1, 2
"""The C{action} of an offline file notice (protocol.md 5.14)."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """
    Maximum sizes of files, in bytes.

    @ivar face: of a custom face.
    @ivar picture: of a picture for a friend.
    @ivar online: of a file transfer.
    @ivar file: of an offline file.
    @ivar daily: of all uploads of an account within a day.
    @ivar dailyCount: the maximum number of uploads of an account within a day.
    @ivar atOnce: the maximum number of uploads of an account at the same time.
    @ivar addressFactor: the multiple of these limits that the uploads of all
        accounts from one address may have together.
    """

    face: int = 250 * 1024
    picture: int = 1024 * 1024
    online: int = 10 * 1024 * 1024
    file: int = 100 * 1024 * 1024
    daily: int = 1024 * 1024 * 1024
    dailyCount: int = 1000
    atOnce: int = 8
    addressFactor: int = 10


def fileNameError(name: str) -> str | None:
    """
    Return the reason for which a file name is invalid, L{None} for a valid name.
    """
    if not name or name in (".", ".."):
        return "the file has no name"
    if "/" in name or any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "the name of the file holds a slash or a control character"
    if len(name.encode("utf-8", "replace")) > MAX_NAME:
        return f"the name of the file has more than {MAX_NAME} bytes"
    return None


class UploadSum:
    """
    The uploads of one account or address: those that are arriving, and those
    that were kept within a day.

    @ivar arriving: the number of uploads that are arriving.
    @ivar announced: the sum of their maximum sizes, in bytes.
    @ivar count: the number of uploads that were kept.
    @ivar size: the sum of their sizes, in bytes.
    @ivar since: the beginning of the day, in Unix seconds.
    """

    __slots__ = ("announced", "arriving", "count", "since", "size")

    def __init__(self, since: float) -> None:
        self.since = since
        self.arriving = self.announced = self.count = self.size = 0


class UploadQuotas:
    """
    Checks that an upload fits into the limits of its account and its address,
    before any of it is stored.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self, media: MediaStore, now: Callable[[], float], limits: FileLimits
    ) -> None:
        self._media = media
        self._now = now
        self._limits = limits
        self._sums: OrderedDict[Number | str, UploadSum] = OrderedDict()

    def admit(self, owner: Number, address: str, size: int) -> Refusal | None:
        """
        Begin to count an upload, unless it exceeds a limit. L{ended} must follow.

        @param address: the address by which the client is counted.
        @param size: the maximum size that the upload can have, in bytes.

        @return: L{None} when the upload may be stored.
        """
        limits = self._limits
        now = int(self._now())
        stored = self._media.uploadedSince(owner, now - DAY)
        for who, factor, (count, total) in (
            (owner, 1, stored),
            (address, limits.addressFactor, (0, 0)),
        ):
            uploads = self._sumOf(who)
            if uploads.arriving >= factor * limits.atOnce:
                return Refusal(TOO_MANY, "too many uploads at the same time")
            count = max(count, uploads.count) + uploads.arriving
            if count >= factor * limits.dailyCount:
                return Refusal(TOO_MANY, "too many files within a day")
            total = max(total, uploads.size) + uploads.announced
            if total + size > factor * limits.daily:
                return Refusal(FULL, "too many bytes within a day")
        for who in (owner, address):
            uploads = self._sumOf(who)
            uploads.arriving += 1
            uploads.announced += size
            self._sums[who] = uploads
            self._sums.move_to_end(who)
        self._forgetOldest()
        return None

    def ended(self, owner: Number, address: str, size: int, kept: int | None) -> None:
        """
        Record the end of an upload.

        @param size: the size that L{admit} was called with.
        @param kept: the size of the file if it was kept, else L{None}.
        """
        for who in (owner, address):
            uploads = self._sumOf(who)
            uploads.arriving -= 1
            uploads.announced -= size
            if kept is not None:
                uploads.count += 1
                uploads.size += kept

    def _sumOf(self, who: Number | str) -> UploadSum:
        now = self._now()
        uploads = self._sums.get(who)
        if uploads is None:
            return UploadSum(now)
        if now - uploads.since >= DAY:
            uploads.since = now
            uploads.count = uploads.size = 0
        return uploads

    def _forgetOldest(self) -> None:
        excess = len(self._sums) - MAX_REMEMBERED
        if excess > 0:
            idle = (who for who, one in self._sums.items() if not one.arriving)
            for who in list(islice(idle, excess)):
                del self._sums[who]


class OfflineFiles:
    """
    Uploaded files, and the offline files that accounts have sent.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self,
        state: ServerState,
        now: Callable[[], float],
        random: Random,
        limits: FileLimits,
    ) -> None:
        self._state = state
        self._media = state.store.media
        self._now = now
        self._random = random
        self._limits = limits

    def addUpload(
        self, number: Number, received: BlobWriter, name: str, isPicture: bool
    ) -> str | Refusal:
        """
        Add a file that an account has uploaded.

        @param received: the file, which is kept only if it is accepted.

        @return: the path by which the account sends the file.
        """
        error = fileNameError(name)
        if error is not None:
            return Refusal(NO_SUCH_ID, error)
        if isPicture and imageTypeOf(received.beginning) is None:
            return Refusal(NO_PICTURE, "no jpg, gif, bmp or png")
        now = int(self._now())
        count, size = self._media.uploadedSince(number, now - DAY)
        if count >= self._limits.dailyCount:
            return Refusal(TOO_MANY, "too many files within a day")
        if size + received.size > self._limits.daily:
            return Refusal(FULL, "too many bytes within a day")
        path = f"/{guid(self._random)}"
        blob = received.blob
        # A blob without its row would never be deleted.
        self._media.addBlob(blob)
        received.keep()
        self._media.addUpload(path, number, blob, name, isPicture, now)
        return path

    def send(self, session: Session, uin: Uin, path: str, name: str) -> Refusal | None:
        """
        Send an uploaded file to a friend, as an offline file.

        @param path: the path of the upload.
        @param name: the file name for the friend, C{""} for that of the upload.

        @return: L{None} when the file is sent.
        """
        number = session.sessionIds.person(uin)
        if number is None:
            return Refusal(NO_SUCH_ID, "to is not the uin of a friend")
        refusal = refusalOf(self._state, session.number, number, FRIEND_MESSAGE)
        if refusal is not None:
            return refusal
        upload = self._media.upload(path)
        if upload is None or upload.owner != session.number:
            return Refusal(NO_SUCH_ID, "file_path is not a file of yours")
        name = name or upload.name
        error = fileNameError(name)
        if error is not None:
            return Refusal(NO_SUCH_ID, error)
        ids = self._state.messageIds.next(session.number)
        offlineFile = OfflineFileRecord(
            key=token(self._random, 64),
            sender=session.number,
            recipient=number,
            digest=upload.digest,
            name=name,
            size=upload.size,
            expires=ids.time + FILE_LIFE,
        )
        self._media.addOfflineFile(offlineFile)
        event = OFFLINE_FILE.new(
            sender=session.number,
            time=ids.time,
            messageId=ids.messageId,
            key=offlineFile.key,
            name=name,
            size=offlineFile.size,
            # The poll that returns the event fills them in.
            ip="",
            port=0,
            expires=offlineFile.expires,
        )
        self._state.router.route(event, [number])
        return None

    def get(self, key: str) -> OfflineFileRecord | None:
        """
        Return the offline file with a key, L{None} when it has expired.
        """
        offlineFile = self._media.offlineFile(key)
        if offlineFile is None or offlineFile.expires <= self._now():
            return None
        return offlineFile

    def markFetched(self, key: str) -> None:
        """
        Notify the sender of an offline file that the recipient has fetched all of it,
        the first time.
        """
        offlineFile = self._media.offlineFile(key)
        if offlineFile is not None and not offlineFile.fetched:
            self._media.markFetched(key)
            self._notifySender(offlineFile, FETCHED)

    def refuse(
        self, session: Session, sender: Uin, name: str, size: int
    ) -> Refusal | None:
        """
        Delete an offline file that its recipient does not want, and notify its
        sender.

        @param size: 0 when the client has not sent it.

        @return: L{None} when the file is deleted.
        """
        number = session.sessionIds.person(sender)
        if number is None:
            return Refusal(NO_SUCH_ID, "to is not the uin of an account")
        for offlineFile in self._media.offlineFiles(number, session.number):
            if offlineFile.name == name and size in (0, offlineFile.size):
                self._media.deleteOfflineFile(offlineFile.key)
                if not offlineFile.fetched:
                    self._notifySender(offlineFile, REFUSED)
                return None
        return Refusal(NO_SUCH_ID, "no such file waits for you")

    def _notifySender(self, offlineFile: OfflineFileRecord, action: int) -> None:
        ids = self._state.messageIds.next(offlineFile.recipient)
        event = OFFLINE_FILE_NOTICE.new(
            sender=offlineFile.recipient,
            messageId=ids.messageId,
            messageId2=ids.messageId2,
            action=action,
            name=offlineFile.name,
            size=offlineFile.size,
        )
        self._state.router.route(event, [offlineFile.sender])

    def expire(self) -> list[str]:
        """
        Delete the records of expired files and pictures.

        @return: the digests of the blobs that no record needs any more.
        """
        now = int(self._now())
        return self._media.expire(now, now - FILE_LIFE, now - PICTURE_LIFE)
