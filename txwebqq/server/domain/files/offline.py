"""
Rules of uploaded pictures, and of files that the server keeps until their recipients
fetch them: offline files, and files of groups (protocol.md 2.7.2, 2.7.6, 2.7.7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import Gid, GroupFile, Number, PastFile, Sent, Uin
from txwebqq.server.domain.groups import isAdmin, joinedGroup
from txwebqq.server.domain.interaction.mutes import muteRefusal
from txwebqq.server.domain.messaging import refusalOf
from txwebqq.server.domain.pictures import guid
from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_FAST
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.groupfiles import GROUP_FILE, groupFileFor
from txwebqq.server.events.kinds import (
    FRIEND_MESSAGE,
    OFFLINE_FILE,
    OFFLINE_FILE_NOTICE,
)
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.events.storedfiles import FileEntry
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.storage.blobs import BlobWriter
from txwebqq.server.storage.media import (
    GroupFileRecord,
    MediaStore,
    OfflineFileRecord,
    UploadedFile,
)
from txwebqq.server.uploadquotas import DAY, FULL, TOO_MANY, FileLimits
from txwebqq.wire.command import Refusal

FILE_LIFE = 7 * DAY
"""Time for which an offline file or a file of a group is kept, in seconds
(protocol.md 2.7.6)."""

PICTURE_LIFE = 30 * DAY
"""Time for which a picture of a message is kept, in seconds."""

MAX_NAME = 255
"""Maximum length of a file name, in bytes."""

MAX_GROUP_FILES, MAX_SHARED = 1000, 100
"""Maximum numbers of files in a group, and of those of one member in it."""

TOO_BIG = -30003
"""The retcode of a refused upload that is too large (protocol.md 2.7.6)."""

NO_PICTURE = -30014
"""The retcode of a refused upload that is not a picture; our own."""

GONE = 102
"""The retcode for a file or an offer that does not exist, or no longer."""

OF_SENDER = "-sent"
"""The end of the key by which the sender of an offline file downloads it, which does
not count as a delivery."""

FETCHED, REFUSED = 1, 2
"""The C{action} of an offline file notice (protocol.md 5.14)."""


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


def _uploadToSend(
    media: MediaStore, number: Number, path: str, name: str
) -> tuple[UploadedFile, str] | Refusal:
    """
    Return an upload of an account, and its name for the recipients.

    @param name: the name that the account has given, C{""} for that of the upload.
    """
    upload = media.upload(path)
    if upload is None or upload.owner != number:
        return Refusal(NO_SUCH_ID, "file_path is not a file of yours")
    name = name or upload.name
    error = fileNameError(name)
    return (upload, name) if error is None else Refusal(NO_SUCH_ID, error)


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
        self.limits = limits

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
        if count >= self.limits.dailyCount:
            return Refusal(TOO_MANY, "too many files within a day")
        if size + received.size > self.limits.daily:
            return Refusal(FULL, "too many bytes within a day")
        path = f"/{guid(self._random)}"
        blob = received.blob
        # A blob without its row would never be deleted.
        self._media.addBlob(blob)
        received.keep()
        self._media.addUpload(path, number, blob, name, isPicture, now)
        return path

    def send(
        self, session: Session, uin: Uin, path: str, name: str, sendId: str = ""
    ) -> Sent | Refusal:
        """
        Send an uploaded file to a friend, as an offline file.

        @param path: the path of the upload.
        @param name: the file name for the friend, C{""} for that of the upload.
        @param sendId: the client's own id of the file; one that came before is not
            sent again.
        """
        return self._state.router.sendOnce(
            session.number, sendId, lambda: self._send(session, uin, path, name)
        )

    def _send(self, session: Session, uin: Uin, path: str, name: str) -> Sent | Refusal:
        number = session.sessionIds.person(uin)
        if number is None:
            return Refusal(NO_SUCH_ID, "to is not the uin of a friend")
        refusal = refusalOf(self._state, session.number, number, FRIEND_MESSAGE)
        if refusal is not None:
            return refusal
        found = _uploadToSend(self._media, session.number, path, name)
        if isinstance(found, Refusal):
            return found
        upload, name = found
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
        entry = FileEntry(
            ids, offlineFile.key, name, offlineFile.size, offlineFile.expires
        )
        self._state.recorder.recordFile(entry, number)
        self._state.router.route(event, [number])
        return Sent(ids.messageId2, ids.time)

    def get(self, key: str) -> OfflineFileRecord | None:
        """
        Return the offline file with a key, L{None} when it has expired.

        @param key: that of the recipient or that of the sender.
        """
        offlineFile = self._media.offlineFile(key.removesuffix(OF_SENDER))
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

    def expire(self) -> None:
        """
        Delete the records of expired files and pictures.
        """
        now = int(self._now())
        self._media.expire(now, now - FILE_LIFE, now - PICTURE_LIFE)

    def removeExpired(self) -> list[str]:
        """
        Delete the records of expired files and pictures, and what only they refer to.

        @return: the digests of the blobs that no record needs any more.
        """
        with self._state.store.database.transaction():
            self.expire()
            return self._media.deleteUnused()


def _fileFor(session: Session, record: GroupFileRecord) -> GroupFile:
    return groupFileFor(
        session.sessionIds,
        record.group,
        record.sender,
        record.key,
        record.name,
        record.size,
        record.time,
        record.expires,
    )


def pastFiles(
    media: MediaStore,
    session: Session,
    other: Number,
    files: Sequence[tuple[int, FileEntry]],
    now: float,
) -> tuple[PastFile, ...]:
    """
    Return offline files of the history as a session sees them.

    @param other: the account that has sent or received them.
    @param files: with their numbers in the conversation.
    @param now: Unix seconds.
    """
    if not files:
        return ()
    own = session.number
    sent, received = media.offlineFiles(own, other), media.offlineFiles(other, own)
    records = {each.key: each for each in (*sent, *received) if each.expires > now}
    return tuple(
        _pastFile(session, sequence, file, records.get(file.key))
        for sequence, file in files
    )


def _pastFile(
    session: Session, sequence: int, file: FileEntry, record: OfflineFileRecord | None
) -> PastFile:
    ids = file.ids
    end = OF_SENDER if ids.sender == session.number else ""
    return PastFile(
        sender=session.sessionIds.uin(ids.sender),
        name=file.name,
        size=file.size,
        key="" if record is None else file.key + end,
        expires=file.expires,
        time=ids.time,
        isFetched=record is not None and record.fetched,
        sequence=sequence,
        id=ids.messageId2,
        messageId=ids.messageId,
    )


class GroupFiles:
    """
    Files that members have shared in groups. L{OfflineFiles} keeps their uploads, and
    deletes them when they have expired.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self, state: ServerState, now: Callable[[], float], random: Random
    ) -> None:
        self._state = state
        self._groups = state.store.groups
        self._media = state.store.media
        self._now = now
        self._random = random

    def share(
        self, session: Session, gid: Gid, path: str, name: str, sendId: str = ""
    ) -> GroupFile | Refusal:
        """
        Share an uploaded file with the other members of a group.

        @param path: the path of the upload.
        @param name: the file name for the members, C{""} for that of the upload.
        @param sendId: the client's own id of the file; one that came before is not
            shared again.

        @return: the file, as the sender's session sees it.
        """
        group = joinedGroup(self._groups, session, gid)
        if isinstance(group, Refusal):
            return group
        found = _uploadToSend(self._media, session.number, path, name)
        if isinstance(found, Refusal):
            return found
        upload, name = found
        new: list[GroupFile] = []

        def share() -> Sent | Refusal:
            refusal = self._refusalOf(group, session.number)
            if refusal is not None:
                return refusal
            ids = self._state.messageIds.next(session.number)
            new.append(self._share(session, group, upload, name, ids))
            return Sent(ids.messageId2, ids.time)

        sent = self._state.router.sendOnce(session.number, sendId, share)
        if isinstance(sent, Refusal):
            return sent
        if new:
            return new[0]
        for each in reversed(self._media.groupFiles(group)):
            if (each.sender, each.digest, each.name) == (
                session.number,
                upload.digest,
                name,
            ):
                return _fileFor(session, each)
        return Refusal(GONE, "the file is no longer in the group")

    def _share(
        self,
        session: Session,
        group: Number,
        upload: UploadedFile,
        name: str,
        ids: MessageIds,
    ) -> GroupFile:
        groupFile = GroupFileRecord(
            key=token(self._random, 64),
            group=group,
            sender=session.number,
            digest=upload.digest,
            name=name,
            size=upload.size,
            time=ids.time,
            expires=ids.time + FILE_LIFE,
        )
        self._media.addGroupFile(groupFile)
        event = GROUP_FILE.new(
            group=group,
            sender=session.number,
            key=groupFile.key,
            name=name,
            size=upload.size,
            time=groupFile.time,
            expires=groupFile.expires,
            messageId=ids.messageId,
            messageId2=ids.messageId2,
        )
        recipients = self._groups.recipients(group)
        self._state.router.route(event, [n for n in recipients if n != session.number])
        return groupFileFor(session.sessionIds, **event.details)

    def _refusalOf(self, group: Number, member: Number) -> Refusal | None:
        """
        Check whether a member may share one more file.

        @return: L{None} if the member may; then the file is counted.
        """
        refusal = muteRefusal(self._state, group, member)
        if refusal is not None:
            return refusal
        now = int(self._now())
        count, own = self._media.groupFileCounts(group, member, now)
        if own >= MAX_SHARED:
            return Refusal(TOO_MANY, f"{MAX_SHARED} files of yours are in the group")
        if count >= MAX_GROUP_FILES:
            return Refusal(TOO_MANY, f"{MAX_GROUP_FILES} files are in the group")
        if not self._state.sendingLimiter.takeMessage(member, group):
            return TOO_FAST
        return None

    def files(self, session: Session, gid: Gid) -> tuple[GroupFile, ...] | Refusal:
        """
        Return the files of a group, the oldest first.
        """
        group = joinedGroup(self._groups, session, gid)
        if isinstance(group, Refusal):
            return group
        now = self._now()
        return tuple(
            _fileFor(session, each)
            for each in self._media.groupFiles(group)
            if each.expires > now
        )

    def get(self, session: Session, key: str) -> GroupFileRecord | None:
        """
        Return the file with a key, L{None} when it has expired or the account of the
        session is not a member of its group.
        """
        groupFile = self._media.groupFile(key)
        if groupFile is None or groupFile.expires <= self._now():
            return None
        isMember = self._groups.isMember(groupFile.group, session.number)
        return groupFile if isMember else None

    def delete(self, session: Session, gid: Gid, key: str) -> Refusal | None:
        """
        Delete a file of a group, for the member who has shared it or an administrator.

        @return: L{None} when the file is deleted.
        """
        group = joinedGroup(self._groups, session, gid)
        if isinstance(group, Refusal):
            return group
        groupFile = self.get(session, key)
        record = self._groups.get(group)
        if groupFile is None or groupFile.group != group or record is None:
            return Refusal(GONE, "the file is no longer in the group")
        if groupFile.sender != session.number and not isAdmin(
            self._groups, record, session.number
        ):
            return Refusal(
                NO_SUCH_ID, "only its sender and administrators may delete a file"
            )
        self._media.deleteGroupFile(key)
        return None
