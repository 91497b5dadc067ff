"""
Rules of file transfers between accounts that are online (protocol.md 2.7.5).
"""

from __future__ import annotations

from txwebqq.model import FileStep, Number, Uin
from txwebqq.server.domain.files.offline import GONE, fileNameError
from txwebqq.server.domain.messaging import refusalOf
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import FILE_NOTICE, FRIEND_MESSAGE, TRANSFER_PROGRESS
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import LOCAL_IDS

CANCELLED, DECLINED, TIMED_OUT = 1, 2, 3
"""The reasons of an end, C{cancel_type} (protocol.md 5.12)."""

DONE, STARTED, FAILED, TOO_LATE, UNWANTED = 0, 10, 50, 51, 53
"""The progress of a transfer, C{file_status} (protocol.md 5.13)."""

SENDING, RECEIVING = 1, 2
"""The C{operation} of a progress event: the part of the account that gets it."""

_STATUSES = {CANCELLED: FAILED, DECLINED: UNWANTED, TIMED_OUT: TOO_LATE}


class Transfer:
    """
    One file transfer, offered or running.

    @ivar key: the id of the transfer; its low bits are the sender's C{lcid}.
    @ivar isAccepted: whether the recipient has accepted the offer.
    @ivar isOver: whether the transfer has ended, also when it has failed.
    @ivar size: the number of bytes that have been transferred.
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
    All file transfers that have not ended, and the events that report them.
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
        if number is None:
            return Refusal(NO_SUCH_ID, "to is not the uin of a friend")
        refusal = refusalOf(self._state, session.number, number, FRIEND_MESSAGE)
        if refusal is not None:
            return refusal
        if self._state.sessions.online(number) is None:
            return Refusal(GONE, "your friend is not online")
        error = fileNameError(name)
        if error is not None:
            return Refusal(NO_SUCH_ID, error)
        key = self._freeKey(localId)
        transfer = self._transfers[key] = Transfer(key, session.number, number, name)
        self._notifyStep(transfer, transfer.sender, FileStep.OFFERED)
        return transfer

    def _freeKey(self, localId: int) -> int:
        while True:
            # Some clients read the key as a signed 32-bit number.
            key = self._random.randrange(1, 2**18) * LOCAL_IDS + localId % LOCAL_IDS
            if key not in self._transfers:
                return key

    def accept(self, session: Session, key: int, sender: Uin) -> Transfer | Refusal:
        """
        Accept a file that is offered to the account of a session.
        """
        transfer = self.get(session, key)
        if transfer is None or transfer.recipient != session.number:
            return Refusal(GONE, "no such file is offered to you")
        if session.sessionIds.person(sender) != transfer.sender:
            return Refusal(GONE, "to does not offer that file")
        if not transfer.isAccepted:
            transfer.isAccepted = True
            self._notifyStep(transfer, transfer.recipient, FileStep.ACCEPTED)
        return transfer

    def get(self, session: Session, key: int) -> Transfer | None:
        """
        Return a transfer from or to the account of a session.
        """
        transfer = self._transfers.get(key)
        if transfer is None:
            # A sender that has had no event of the transfer knows only the low bits
            # of its key.
            own = (
                other
                for other in self._transfers.values()
                if other.sender == session.number and other.key % LOCAL_IDS == key
            )
            transfer = next(own, None)
        if transfer is None or session.number not in (
            transfer.sender,
            transfer.recipient,
        ):
            return None
        return transfer

    def started(self, transfer: Transfer) -> None:
        """
        Notify both accounts that the recipient is reading the file.
        """
        self._notifyProgress(transfer, STARTED)

    def complete(self, transfer: Transfer) -> None:
        """
        End a transfer whose recipient has the whole file, and notify both accounts.
        """
        if self._end(transfer):
            self._notifyProgress(transfer, DONE)

    def abort(self, transfer: Transfer, by: Number | None, reason: int) -> None:
        """
        Abort a transfer, and notify the accounts.

        @param by: the account that has aborted it, which gets no notice;
            L{None} notifies both.
        """
        if not self._end(transfer):
            return
        for actor, other in (
            (transfer.sender, transfer.recipient),
            (transfer.recipient, transfer.sender),
        ):
            if other != by:
                self._notifyStep(transfer, actor, FileStep.ENDED, reason)
        self._notifyProgress(transfer, _STATUSES[reason])

    def _end(self, transfer: Transfer) -> bool:
        wasOver, transfer.isOver = transfer.isOver, True
        self._transfers.pop(transfer.key, None)
        return not wasOver

    def _notifyStep(
        self, transfer: Transfer, actor: Number, step: FileStep, reason: int = 0
    ) -> None:
        isSender = actor == transfer.sender
        ids = self._state.messageIds.next(actor)
        event = FILE_NOTICE.new(
            sender=actor,
            time=ids.time,
            messageId=ids.messageId,
            messageId2=ids.messageId2,
            step=step.value,
            session=transfer.key,
            name=transfer.name if step is FileStep.OFFERED else "",
            reason=reason,
        )
        self._route(event, transfer.recipient if isSender else transfer.sender)

    def _notifyProgress(self, transfer: Transfer, status: int) -> None:
        for operation, other, number, localId in (
            (SENDING, transfer.recipient, transfer.sender, transfer.key % LOCAL_IDS),
            (RECEIVING, transfer.sender, transfer.recipient, transfer.key),
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
            self._route(event, number)

    def _route(self, event: QueuedEvent, number: Number) -> None:
        # A transfer means nothing to an account that signs on later.
        if self._state.sessions.online(number) is not None:
            self._state.router.route(event, [number])
