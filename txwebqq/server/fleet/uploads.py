"""
Uploads to a server of several processes: files are written to the folder that all of
them have, and their rows by a worker.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.server.commandresource import FAULT
from txwebqq.server.domain.files.offline import GONE
from txwebqq.server.fleet.exchange import AWAY, PATIENCE, FleetExchange, InThread
from txwebqq.server.fleet.worker import Backend, Outcome, Worker
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.http.uploads import (
    Answered,
    Question,
    ReceivedUpload,
    RefusedUpload,
    UploadOwner,
)
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.streamed import UploadRequests
from txwebqq.server.uploadquotas import FileLimits, UploadQuotas
from txwebqq.wire.command import Refusal

NO_TRANSFERS = Refusal(GONE, "this server has offline files only")
"""The reply to file transfers between two clients, which may be connected to different
processes: a friend who is not online is refused with the same code."""


class Abandoned(Exception):
    """
    An upload may have been stored or not: it has no reply.
    """


class _Question:
    """
    A question for the account that sends a file.
    """

    def __init__(
        self,
        uploads: FleetUploads,
        question: Question,
        answered: Answered,
        source: PausableSource,
        address: str,
    ) -> None:
        self._uploads = uploads
        self._question = question
        self._address = address
        self._answered = answered
        self._source = source
        self._isOver = False

    def run(self, backend: Backend) -> UploadOwner | None:
        state = backend.state
        owner = self._question(state.sessions, backend.store.media)
        if owner is None:
            return None
        fromAddress = state.addressUploads.within(self._address)
        return replace(owner, fromAddress=fromAddress)

    def done(self, result: UploadOwner | None) -> None:
        self._tell(result)

    def failed(self, outcome: Outcome) -> None:
        self._tell(FAULT if outcome is Outcome.FAILED else AWAY)

    def expired(self) -> None:
        """
        Have no answer, because it takes too long.
        """
        self._uploads.reading.withdraw(self)
        self._tell(AWAY)

    def _tell(self, answer: UploadOwner | Refusal | None) -> None:
        if not self._isOver:
            self._isOver = True
            self._uploads.open.discard(self)
            self._answered(answer)
            self._source.resumeProducing()


class _Upload:
    """
    A complete form that is being stored.

    @ivar reply: fires with the reply; fails with L{Abandoned}.
    """

    def __init__(self, uploads: FleetUploads, upload: ReceivedUpload) -> None:
        self._uploads = uploads
        self._upload = upload
        self._isSubmitted = self._isOver = False
        self.reply: Deferred[Any] = Deferred()

    def run(self, backend: Backend) -> Any:
        # Files are deleted by others only between two transactions that have this.
        backend.state.order()
        content = self._upload.content
        if content is not None:
            # That of a transaction which is repeated was not committed.
            content.isKept = False
        state = backend.state
        reply = self._upload.run(state.sessions, backend.handlers.byCommand)
        if content is not None and content.isKept:
            state.addressUploads.add(self._upload.exchange.network, content.size)
        return reply

    def sealed(self) -> None:
        """
        Be told that the file is on the disk.
        """
        if self._isOver:
            self._upload.over()
        else:
            self._isSubmitted = True
            self._uploads.writing.submit(self)

    def done(self, result: Any) -> None:
        self._upload.over()
        self._tell(result)

    def failed(self, outcome: Outcome) -> None:
        content = self._upload.content
        if content is not None:
            content.isKept = False
        self._upload.over()
        if outcome is Outcome.FAILED:
            self._upload.exchange.status = 500
            self._tell(FAULT)
        elif outcome is Outcome.NOT_DONE:
            self._tell(AWAY)
        else:
            self._tell(Failure(Abandoned()))

    def expired(self) -> None:
        """
        Have no reply, because it takes too long.
        """
        if not self._isSubmitted:
            self._tell(AWAY)
        elif self._uploads.writing.withdraw(self):
            self.failed(Outcome.NOT_DONE)
        else:
            self._tell(Failure(Abandoned()))

    def _tell(self, result: Any) -> None:
        if not self._isOver:
            self._isOver = True
            self._uploads.open.discard(self)
            self.reply.callback(result)


class FleetUploads:
    """
    The side of a server of several processes
    (L{Uploads<txwebqq.server.http.uploads.Uploads>}).

    @param inThread: calls a function in a thread that may wait for the disk.

    @ivar open: the questions and the forms that have no answer.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        blobs: BlobStore,
        limits: FileLimits,
        reading: Worker,
        writing: Worker,
        inThread: InThread,
    ) -> None:
        self.blobs = blobs
        self.quotas = UploadQuotas(clock.seconds, limits)
        self.reading = reading
        self.writing = writing
        self._inThread = inThread
        self.open: TimeoutQueue[_Question | _Upload] = TimeoutQueue(
            clock, PATIENCE, lambda work: work.expired()
        )

    def ask(
        self,
        question: Question,
        answered: Answered,
        source: PausableSource,
        address: str,
    ) -> None:
        source.pauseProducing()
        work = _Question(self, question, answered, source, address)
        self.open.add(work)
        self.reading.submit(work)

    def handle(self, upload: ReceivedUpload) -> Deferred[Any]:
        work = _Upload(self, upload)
        self.open.add(work)
        if upload.content is None:
            work.sealed()
        else:
            sealing = self._inThread(upload.content.seal)
            sealing.addCallbacks(
                lambda _: work.sealed(), self._ebSealed, errbackArgs=(work,)
            )
        return work.reply

    def _ebSealed(self, failure: Failure, work: _Upload) -> None:
        self._log.failure("A file that was received could not be written.", failure)
        work.failed(Outcome.FAILED)

    def stopped(self) -> None:
        """
        Be told that the workers have ended.
        """
        for work in self.open.clear():
            work.failed(Outcome.UNKNOWN)


class FleetUploadRequests(UploadRequests):
    """
    The requests with files of a server of several processes, but no file transfers
    between two clients.
    """

    def __init__(
        self, uploads: FleetUploads, limits: FileLimits, proxies: Collection[str]
    ) -> None:
        super().__init__(uploads, limits, proxies)
        self._fleetUploads = uploads

    def exchangeOf(self, request: Request) -> HTTPExchange:
        return FleetExchange(super().exchangeOf(request))

    def setLimits(self, limits: FileLimits) -> None:
        super().setLimits(limits)
        self._uploads.quotas.limits = limits

    def _expectTransfer(
        self, path: bytes, query: bytes, source: PausableSource
    ) -> RefusedUpload:
        return RefusedUpload(NO_TRANSFERS)

    def stopped(self) -> None:
        """
        Be told that the workers have ended.
        """
        self._fleetUploads.stopped()
