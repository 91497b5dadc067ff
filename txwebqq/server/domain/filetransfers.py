"""
The rules of files: those that wait for somebody, and those that go from one
who is online to another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import (
    FileStep,
    Number,
    Uin,
)
from txwebqq.server.domain.pictures import guid
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import (
    FILE_NOTICE,
    OFFLINE_FILE,
    OFFLINE_FILE_NOTICE,
    TRANSFER_PROGRESS,
)
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.sessions.sessions import Random, Session, token
from txwebqq.server.storage.blobs import Blob
from txwebqq.server.storage.media import OfflineFileRecord
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import LOCAL_IDS

DAY = 24 * 3600

FILE_LIFE = 7 * DAY
"""The seconds for which a file waits (protocol.md 2.7.6)."""

PICTURE_LIFE = 30 * DAY
"""The seconds for which a picture of a message can be fetched."""

MAX_NAME = 255
"""The bytes that the name of a file may have."""

TOO_MANY, FULL, TOO_BIG = -30001, -30002, -30003
"""What an upload is refused with (protocol.md 2.7.6)."""

NO_PICTURE = -30014
"""... and a picture that is none, which is our own."""

GONE = 102
"""What C{get_file2} says of an offer that is over."""

CANCELLED, DECLINED, TIMED_OUT = 1, 2, 3
"""Why a transfer ended, C{cancel_type} (protocol.md 5.12)."""

DONE, STARTED, FAILED, TOO_LATE, UNWANTED = 0, 10, 50, 51, 53
"""How far a file is, C{file_status} (protocol.md 5.13)."""

_STATUSES = {CANCELLED: FAILED, DECLINED: UNWANTED, TIMED_OUT: TOO_LATE}


@dataclass(frozen=True, slots=True)
class FileLimits:
    """
    How much the server takes, in bytes.

    @ivar face: a custom face.
    @ivar picture: a picture for a friend.
    @ivar online: a file that goes to somebody who is online.
    @ivar file: a file that waits.
    @ivar daily: everything that one account leaves with us in a day.
    @ivar dailyCount: how many files that may be.
    """

    face: int = 250 * 1024
    picture: int = 1024 * 1024
    online: int = 10 * 1024 * 1024
    file: int = 100 * 1024 * 1024
    daily: int = 1024 * 1024 * 1024
    dailyCount: int = 1000


def nameTrouble(name: str) -> str | None:
    """
    Why a file cannot have a name, L{None} when it can.
    """
    if not name or name in (".", ".."):
        return "the file has no name"
    if "/" in name or any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "the name of the file holds a slash or a control character"
    if len(name.encode("utf-8", "replace")) > MAX_NAME:
        return f"the name of the file has more than {MAX_NAME} bytes"
    return None


# ---- files that wait


class OfflineFiles:
    """
    Files that lie with us until they are fetched.
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
        self, number: Number, blob: Blob, name: str, isPicture: bool, beginning: bytes
    ) -> str | Refusal:
        """
        Take a file that somebody has uploaded.

        @return: the path that it is sent by.
        """
        trouble = nameTrouble(name)
        if trouble is not None:
            return Refusal(NO_SUCH_ID, trouble)
        if isPicture and imageTypeOf(beginning) is None:
            return Refusal(NO_PICTURE, "no jpg, gif, bmp or png")
        now = int(self._now())
        count, size = self._media.uploadedSince(number, now - DAY)
        if count >= self._limits.dailyCount:
            return Refusal(TOO_MANY, "too many files within a day")
        if size + blob.size > self._limits.daily:
            return Refusal(FULL, "too many bytes within a day")
        path = f"/{guid(self._random)}"
        self._media.addUpload(path, number, blob, name, isPicture, now)
        return path

    def give(
        self, session: Session, uin: Uin, path: str, name: str, ip: str, port: int
    ) -> Refusal | None:
        """
        Let a file wait for a friend, and tell them.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._state.store.friends.areFriends(
            session.number, number
        ):
            return Refusal(NO_SUCH_ID, "to is nobody's uin in your friend list")
        upload = self._media.upload(path)
        if upload is None or upload.owner != session.number:
            return Refusal(NO_SUCH_ID, "file_path is no file of yours")
        name = name or upload.name
        trouble = nameTrouble(name)
        if trouble is not None:
            return Refusal(NO_SUCH_ID, trouble)
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
            ip=ip,
            port=port,
            expires=offlineFile.expires,
        )
        self._state.router.route(event, [number])
        return None

    def waiting(self, key: str) -> OfflineFileRecord | None:
        """
        The file with a key, as long as it waits.
        """
        offlineFile = self._media.offlineFile(key)
        if offlineFile is None or offlineFile.expires <= self._now():
            return None
        return offlineFile

    def fetched(self, key: str) -> None:
        """
        It was fetched wholly; its sender is told the first time.
        """
        offlineFile = self._media.offlineFile(key)
        if offlineFile is not None and not offlineFile.fetched:
            self._media.markFetched(key)
            self._answer(offlineFile, 1)

    def refuse(
        self, session: Session, sender: Uin, name: str, size: int
    ) -> Refusal | None:
        """
        Do not want a file that waits: it is gone, and its sender is told.
        """
        number = session.sessionIds.person(sender)
        if number is None:
            return Refusal(NO_SUCH_ID, "to is nobody's uin")
        for offlineFile in self._media.offlineFiles(number, session.number):
            if offlineFile.name == name and size in (0, offlineFile.size):
                self._media.deleteOfflineFile(offlineFile.key)
                if not offlineFile.fetched:
                    self._answer(offlineFile, 2)
                return None
        return Refusal(NO_SUCH_ID, "no such file waits for you")

    def _answer(self, offlineFile: OfflineFileRecord, action: int) -> None:
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
        Forget what has waited for too long.

        @return: the digests of bytes that nobody needs any more.
        """
        now = int(self._now())
        return self._media.expire(now, now - FILE_LIFE, now - PICTURE_LIFE)


# ---- from one who is online to another


class Transfer:
    """
    A file that is offered, or on its way.

    @ivar key: what both call it; its low bits are the sender's C{lcid}.
    @ivar isAccepted: whether the other wants it.
    @ivar isOver: whether it has ended, in whatever way.
    @ivar size: the bytes that have gone through.
    """

    __slots__ = ("isAccepted", "isOver", "key", "name", "recipient", "sender", "size")

    def __init__(self, key: int, sender: Number, recipient: Number, name: str) -> None:
        self.key = key
        self.sender = sender
        self.recipient = recipient
        self.name = name
        self.isAccepted = self.isOver = False
        self.size = 0


class Transfers:
    """
    All that are not over.
    """

    def __init__(self, state: ServerState, random: Random) -> None:
        self._state = state
        self._random = random
        self._transfers: dict[int, Transfer] = {}

    def offer(
        self, session: Session, uin: Uin, localId: int, name: str
    ) -> Transfer | Refusal:
        """
        Offer a file to a friend who is online.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._state.store.friends.areFriends(
            session.number, number
        ):
            return Refusal(NO_SUCH_ID, "to is nobody's uin in your friend list")
        if self._state.sessions.online(number) is None:
            return Refusal(GONE, "your friend is not online")
        trouble = nameTrouble(name)
        if trouble is not None:
            return Refusal(NO_SUCH_ID, trouble)
        key = self._freeKey(localId)
        transfer = self._transfers[key] = Transfer(key, session.number, number, name)
        self._step(transfer, transfer.sender, FileStep.OFFERED)
        return transfer

    def _freeKey(self, localId: int) -> int:
        while True:
            # Below 2**31, which is more than some clients expect.
            key = self._random.randrange(1, 2**18) * LOCAL_IDS + localId % LOCAL_IDS
            if key not in self._transfers:
                return key

    def accept(self, session: Session, key: int, sender: Uin) -> Transfer | Refusal:
        """
        Want a file that is offered.
        """
        transfer = self.of(session, key)
        if transfer is None or transfer.recipient != session.number:
            return Refusal(GONE, "no such file is offered to you")
        if session.sessionIds.person(sender) != transfer.sender:
            return Refusal(GONE, "to does not offer that file")
        if not transfer.isAccepted:
            transfer.isAccepted = True
            self._step(transfer, transfer.recipient, FileStep.ACCEPTED)
        return transfer

    def of(self, session: Session, key: int) -> Transfer | None:
        """
        A transfer that somebody is part of.
        """
        transfer = self._transfers.get(key)
        if transfer is None:
            # Senders who have not heard of it know their own part of the key.
            mine = (
                other
                for other in self._transfers.values()
                if other.sender == session.number and other.key % LOCAL_IDS == key
            )
            transfer = next(mine, None)
        if transfer is None or session.number not in (
            transfer.sender,
            transfer.recipient,
        ):
            return None
        return transfer

    def started(self, transfer: Transfer) -> None:
        """
        The bytes begin to flow.
        """
        self._tellProgress(transfer, STARTED)

    def complete(self, transfer: Transfer) -> None:
        """
        All of them are there.
        """
        if self._end(transfer):
            self._tellProgress(transfer, DONE)

    def abort(self, transfer: Transfer, by: Number | None, reason: int) -> None:
        """
        It ends before that.

        @param by: who is not told, because it is their doing.
        """
        if not self._end(transfer):
            return
        for teller, other in (
            (transfer.sender, transfer.recipient),
            (transfer.recipient, transfer.sender),
        ):
            if other != by:
                self._step(transfer, teller, FileStep.ENDED, reason)
        self._tellProgress(transfer, _STATUSES[reason])

    def _end(self, transfer: Transfer) -> bool:
        wasOver, transfer.isOver = transfer.isOver, True
        self._transfers.pop(transfer.key, None)
        return not wasOver

    def _step(
        self, transfer: Transfer, teller: Number, step: FileStep, reason: int = 0
    ) -> None:
        isSender = teller == transfer.sender
        ids = self._state.messageIds.next(teller)
        event = FILE_NOTICE.new(
            sender=teller,
            time=ids.time,
            messageId=ids.messageId,
            messageId2=ids.messageId2,
            step=step.value,
            session=transfer.key,
            name=transfer.name if step is FileStep.OFFERED else "",
            reason=reason,
        )
        self._tell(transfer.recipient if isSender else transfer.sender, event)

    def _tellProgress(self, transfer: Transfer, status: int) -> None:
        for operation, other, number, localId in (
            (1, transfer.recipient, transfer.sender, transfer.key % LOCAL_IDS),
            (2, transfer.sender, transfer.recipient, transfer.key),
        ):
            event = TRANSFER_PROGRESS.new(
                sender=other,
                messageId=self._state.messageIds.next(other).messageId,
                name=transfer.name,
                status=status,
                localId=localId,
                operation=operation,
                now=transfer.size,
            )
            self._tell(number, event)

    def _tell(self, number: Number, event: QueuedEvent) -> None:
        # Nobody who is away needs to hear of it later.
        if self._state.sessions.online(number) is not None:
            self._state.router.route(event, [number])
