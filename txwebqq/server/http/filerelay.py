"""
The way of a file from one who is online to another: what the one uploads is
what the other downloads, and never lies here as a whole.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from txwebqq.model import Number
from txwebqq.server.domain.filetransfers import (
    CANCELLED,
    DECLINED,
    GONE,
    TIMED_OUT,
    Transfer,
    Transfers,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import SendFile
from txwebqq.wire.form import Pairs

OFFER = 120.0
"""The seconds that an offer stands: less than a connection may be quiet."""

FOLLOW = 30.0
"""The seconds that whoever accepts has to come for the file."""


class FileRelays:
    """
    All files on their way.
    """

    def __init__(self, transfers: Transfers, clock: IReactorTime, limit: int) -> None:
        self.transfers = transfers
        self.clock = clock
        self.limit = limit
        self._relays: dict[int, FileRelay] = {}

    def add(self, transfer: Transfer, relay: FileRelay) -> None:
        """
        A file is offered.
        """
        self._relays[transfer.key] = relay

    def remove(self, transfer: Transfer) -> None:
        """
        It is there, or never will be.
        """
        self._relays.pop(transfer.key, None)

    def of(self, transfer: Transfer) -> FileRelay | None:
        """
        What a file comes through.
        """
        return self._relays.get(transfer.key)

    def stop(self) -> None:
        """
        End them all.
        """
        for relay in list(self._relays.values()):
            relay.abandon(None, CANCELLED)


@implementer(IPushProducer)
class FileRelay:
    """
    One file on its way: the reception of its upload
    (L{txwebqq.server.http.multipart.UploadReceiver}), and the producer of its download.
    """

    def __init__(
        self,
        relays: FileRelays,
        session: Session | Refusal,
        command: SendFile,
        flow: PausableSource,
    ) -> None:
        self.flow = flow
        self._relays = relays
        self._session = session
        self._question = command
        self._transfer: Transfer | None = None
        self._outcome: Refusal | None = None
        self._download: Any = None
        self._early: list[bytes] = []
        self._isWhole = False
        self._answer: Deferred[None | Refusal] | None = None
        self._timer: IDelayedCall | None = None

    # ---- the upload

    def begin(self, pairs: Pairs, name: str) -> None:
        """
        Offer the file, and let the rest of it wait.
        """
        if isinstance(self._session, Refusal):
            self._outcome = self._session
            return
        command = self._question
        transfer = self._relays.transfers.offer(
            self._session, command.peer, command.localId, name
        )
        if isinstance(transfer, Refusal):
            self._outcome = transfer
            return
        self._transfer = transfer
        self._relays.add(transfer, self)
        self._wait(OFFER)
        self.flow.pauseProducing()

    def write(self, data: bytes) -> None:
        """
        Pass it on.
        """
        transfer = self._transfer
        if transfer is None or transfer.isOver:
            return
        transfer.size += len(data)
        if transfer.size > self._relays.limit:
            self._outcome = Refusal(NO_SUCH_ID, "the file is too large")
            self.abandon(None, CANCELLED)
        elif self._download is None:
            # What was read together with the name of the file.
            self._early.append(data)
        else:
            self._download.write(data)

    def end(self) -> None:
        """
        That was all of it.
        """
        self._isWhole = True
        self._deliver()

    def finish(self, pairs: Pairs, exchange: Any) -> Any:
        """
        The upload is answered when the file has arrived.
        """
        transfer = self._transfer
        if transfer is None or transfer.isOver:
            return self._outcome
        self._answer = Deferred(lambda _: self.lost())
        return self._answer

    def fail(self, reason: str, exchange: Any) -> Refusal:
        """
        The form is broken.
        """
        self.abandon(None, CANCELLED)
        return self._outcome or Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        """
        The sender has gone.
        """
        transfer = self._transfer
        self._answer = None
        if transfer is not None:
            self.abandon(transfer.sender, CANCELLED)

    # ---- the download

    def accepted(self) -> None:
        """
        It is wanted, and will be fetched soon.
        """
        if self._download is None:
            self._wait(FOLLOW)

    def attach(self, request: Any) -> bool:
        """
        Here is who wants it.

        @return: whether this is the first one.
        """
        transfer = self._transfer
        if transfer is None or transfer.isOver or self._download is not None:
            return False
        self._stopWaiting()
        self._download = request
        self._relays.transfers.started(transfer)
        request.notifyFinish().addErrback(self._ebGone)
        request.registerProducer(self, True)
        early, self._early = self._early, []
        for data in early:
            request.write(data)
        self.flow.resumeProducing()
        self._deliver()
        return True

    def resumeProducing(self) -> None:
        """
        The receiver can take more.
        """
        self.flow.resumeProducing()

    def pauseProducing(self) -> None:
        """
        The receiver cannot follow, so the sender has to wait.
        """
        if not self._isWhole:
            self.flow.pauseProducing()

    def stopProducing(self) -> None:
        """
        The receiver's connection is gone; C{notifyFinish} tells as well.
        """

    def _deliver(self) -> None:
        transfer, request = self._transfer, self._download
        if not self._isWhole or request is None or transfer is None or transfer.isOver:
            return
        request.unregisterProducer()
        request.finish()
        self._relays.remove(transfer)
        self._relays.transfers.complete(transfer)
        self._reply(None)

    def _ebGone(self, failure: object) -> None:
        transfer = self._transfer
        if transfer is not None and not transfer.isOver:
            self.abandon(transfer.recipient, CANCELLED)

    # ---- its end

    def abandon(self, by: Number | None, reason: int) -> None:
        """
        End it before it is there.

        @param by: whose doing it is.
        """
        self._stopWaiting()
        transfer = self._transfer
        if transfer is None or transfer.isOver:
            return
        self._early = []
        self._relays.remove(transfer)
        self._relays.transfers.abort(transfer, by, reason)
        request = self._download
        if request is not None and by != transfer.recipient:
            # Half a file must not look like a whole one.
            request.loseConnection()
        if self._outcome is None:
            self._outcome = Refusal(GONE, _WORDS[reason])
        # The rest of it comes, and is thrown away.
        if by != transfer.sender:
            self.flow.resumeProducing()
        self._reply(self._outcome)

    def _reply(self, reply: None | Refusal) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.callback(reply)

    def _wait(self, seconds: float) -> None:
        self._stopWaiting()
        self._timer = self._relays.clock.callLater(seconds, self._cbTimedOut)

    def _stopWaiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _cbTimedOut(self) -> None:
        self._timer = None
        self.abandon(None, TIMED_OUT)


_WORDS = {
    CANCELLED: "the transfer was cancelled",
    DECLINED: "the file was refused",
    TIMED_OUT: "nobody came for the file in time",
}
