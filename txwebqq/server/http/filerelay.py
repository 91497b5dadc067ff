"""
Relays of file transfers: the upload of the sender is the download of the recipient,
and the server never stores the file.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from txwebqq.model import Number
from txwebqq.server.domain.files.offline import GONE
from txwebqq.server.domain.files.transfers import (
    CANCELLED,
    DECLINED,
    TIMED_OUT,
    Transfer,
    Transfers,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import SendFile
from txwebqq.wire.form import Pairs

OFFER = 120.0
"""Time for which an offer is open, in seconds: less than the idle timeout of
connections."""

FOLLOW = 30.0
"""Time between the acceptance of an offer and the download, in seconds."""


class FileRelays:
    """
    The relays of all open file transfers.

    @ivar limit: the maximum size of a file, in bytes.
    """

    def __init__(self, transfers: Transfers, clock: IReactorTime, limit: int) -> None:
        self.transfers = transfers
        self.clock = clock
        self.limit = limit
        self._relays: dict[int, FileRelay] = {}

    def add(self, transfer: Transfer, relay: FileRelay) -> None:
        """
        Add the relay of a transfer that is offered.
        """
        self._relays[transfer.key] = relay

    def remove(self, transfer: Transfer) -> None:
        """
        Remove the relay of a transfer that has ended.
        """
        self._relays.pop(transfer.key, None)

    def get(self, transfer: Transfer) -> FileRelay | None:
        """
        Return the relay of a transfer.
        """
        return self._relays.get(transfer.key)

    def stop(self) -> None:
        """
        Abort all transfers.
        """
        for relay in list(self._relays.values()):
            relay.abandon(None, CANCELLED)


@implementer(IPushProducer)
class FileRelay:
    """
    The relay of one file transfer: the receiver of its upload
    (L{txwebqq.server.http.multipart.UploadReceiver}) and the producer of its download.

    @param source: the connection of the sender.
    """

    def __init__(
        self,
        relays: FileRelays,
        session: Session,
        command: SendFile,
        source: PausableSource,
    ) -> None:
        self._source = source
        self._relays = relays
        self._session = session
        self._command = command
        self._transfer: Transfer | None = None
        self._outcome: Refusal | None = None
        self._download: Any = None
        self._early: list[bytes] = []
        self._isWhole = False
        self._pendingReply: Deferred[None | Refusal] | None = None
        self._timer: IDelayedCall | None = None

    def begin(self, pairs: Pairs, name: str) -> None:
        """
        Offer the file, and pause the upload until the offer is accepted.
        """
        command = self._command
        transfer = self._relays.transfers.offer(
            self._session, command.peer, command.localId, name
        )
        if isinstance(transfer, Refusal):
            self._outcome = transfer
            return
        self._transfer = transfer
        self._relays.add(transfer, self)
        self._wait(OFFER)
        self._source.pauseProducing()

    def write(self, data: bytes) -> None:
        """
        Forward a chunk to the recipient.
        """
        transfer = self._transfer
        if transfer is None or transfer.isOver:
            return
        transfer.size += len(data)
        if transfer.size > self._relays.limit:
            self._outcome = Refusal(NO_SUCH_ID, "the file is too large")
            self.abandon(None, CANCELLED)
        elif self._download is None:
            # This chunk arrived together with the name of the file.
            self._early.append(data)
        else:
            self._download.write(data)

    def end(self) -> None:
        """
        Note that the whole file has been uploaded.
        """
        self._isWhole = True
        self._deliver()

    def finish(self, pairs: Pairs, exchange: Any) -> Any:
        """
        Return a Deferred that fires with the reply to the sender when the transfer
        ends.
        """
        transfer = self._transfer
        if transfer is None or transfer.isOver:
            return self._outcome
        self._pendingReply = Deferred(lambda _: self.lost())
        return self._pendingReply

    def fail(self, reason: str, exchange: Any) -> Refusal:
        """
        Abort the transfer because the form is malformed.
        """
        self.abandon(None, CANCELLED)
        return self._outcome or Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        """
        Abort the transfer because the sender has disconnected.
        """
        transfer = self._transfer
        self._pendingReply = None
        if transfer is not None:
            self.abandon(transfer.sender, CANCELLED)

    def accepted(self) -> None:
        """
        Wait for the download, because the recipient has accepted the offer.
        """
        if self._download is None:
            self._wait(FOLLOW)

    def attach(self, request: Any) -> bool:
        """
        Begin the download.

        @return: whether the file is sent; L{False} when it is being downloaded already.
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
        self._source.resumeProducing()
        self._deliver()
        return True

    def resumeProducing(self) -> None:
        """
        Resume the upload (L{IPushProducer}).
        """
        self._source.resumeProducing()

    def pauseProducing(self) -> None:
        """
        Pause the upload, because the recipient reads more slowly (L{IPushProducer}).
        """
        if not self._isWhole:
            self._source.pauseProducing()

    def stopProducing(self) -> None:
        """
        Do nothing: C{notifyFinish} reports the lost connection (L{IPushProducer}).
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

    def abandon(self, by: Number | None, reason: int) -> None:
        """
        Abort the transfer.

        @param by: the account that has aborted it, L{None} for none.
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
            # A partial file must not look complete.
            request.loseConnection()
        if self._outcome is None:
            self._outcome = Refusal(GONE, _REASONS[reason])
        # The rest of the upload is read and dropped.
        if by != transfer.sender:
            self._source.resumeProducing()
        self._reply(self._outcome)

    def _reply(self, reply: None | Refusal) -> None:
        pending, self._pendingReply = self._pendingReply, None
        if pending is not None:
            pending.callback(reply)

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


_REASONS = {
    CANCELLED: "the transfer was cancelled",
    DECLINED: "the file was refused",
    TIMED_OUT: "nobody came for the file in time",
}
