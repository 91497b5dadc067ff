"""
Sends the messages of a queue, one at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import (
    Kicked,
    LoggedOut,
    LoginRefused,
    MessageTooLong,
    NotSignedOn,
    PartlySent,
    RequestRefused,
    SessionExpired,
    UnknownRecipient,
    Unreachable,
    WebQQError,
)
from txwebqq.interfaces import IAccountService
from txwebqq.model import (
    Content,
    Delivered,
    Failed,
    PictureBytes,
    QueuedContent,
    Segment,
    SendOutcome,
    Sent,
    Uncertain,
    outcomeOf,
)
from txwebqq.net.pacing import Pacer
from txwebqq.outbox.backlog import Backlog
from txwebqq.outbox.pictures import UNKNOWN_SESSION, PictureUploads, splitQueued
from txwebqq.outbox.recipients import Recipients
from txwebqq.outbox.storage import QueueStore, StoredMessage
from txwebqq.protocol import WebQQProtocol
from txwebqq.requests.messages import Conversation, MakeSend
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import GetOnlineBuddies2
from txwebqq.wire.form import Ticket

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""The seconds until the next attempt after a failure, the first time and at most."""

FIRST_REFUSED_PAUSE = 5.0
"""The same when the server refuses a message to one recipient for now."""


class QueueSender:
    """
    Sends the messages of a backlog while the account is signed on.

    @param pacer: the pace.
    @param settle: called with each message that has an outcome.
    @param expire: gives up the messages that have waited for too long.

    @ivar current: the serial of the message that is being sent, L{None} for none.
    @ivar problem: the last failure of a message that is sent again, C{""} for none.
    @ivar isUnwritable: whether the file could not be read or written to.
    """

    _log = Logger()

    def __init__(
        self,
        store: QueueStore,
        backlog: Backlog,
        service: IAccountService,
        clock: IReactorTime,
        pacer: Pacer,
        settle: Callable[[StoredMessage, SendOutcome], None],
        expire: Callable[[], None],
    ) -> None:
        self._store = store
        self._backlog = backlog
        self._service = service
        self._clock = clock
        self._pacer = pacer
        self._settle = settle
        self._expire = expire
        self.current: int | None = None
        self.problem = ""
        self.isUnwritable = False
        self._recipients: Recipients | None = None
        self._uploads: PictureUploads | None = None
        # The last outcome was lost, and nothing has been answered since.
        self._isInDoubt = False
        # That a part was accepted, until the file has it.
        self._unrecorded: Callable[[], None] | None = None
        self._failures = 0
        self._running: Deferred[None] | None = None
        # A step that may be given up at any time; a send may not.
        self._step: Deferred[Any] | None = None
        # Fires when the next message is due.
        self._untilDue: Deferred[Any] | None = None
        self._isStopped = False

    def wake(self) -> None:
        """
        Send what waits. Call this when a message was added.
        """
        if self._untilDue is not None:
            # The new message may be due.
            self._untilDue.cancel()
        if self._running is not None or self._isStopped:
            return
        # Set before it runs, because a callback may call this method again.
        done = self._running = Deferred[None]()

        def ended(result: object) -> None:
            self._running = None
            done.callback(None)
            if self._backlog:
                self.wake()

        running = Deferred.fromCoroutine(self._run())
        running.addErrback(self._ebRun).addBoth(ended)

    def stop(self) -> Deferred[None]:
        """
        Send no further message.

        @return: fires when none is in flight.
        """
        self._isStopped = True
        self._pacer.stop()
        if self._step is not None:
            self._step.cancel()
        return self._running or succeed(None)

    def _ebRun(self, failure: Failure) -> Deferred[None] | None:
        if failure.check(CancelledError) and self._isStopped:
            return None
        self.isUnwritable = failure.check(sqlite3.Error) is not None
        if self.isUnwritable:
            self.problem = f"the file cannot be written to: {failure.value}"
            self._log.error(
                "The queue of account {number} is paused: database error: {reason};"
                " retrying in {delay:g} s.",
                number=self._service.account.number,
                reason=failure.getErrorMessage(),
                delay=LONGEST_PAUSE,
            )
        else:
            self._log.failure(
                "The queue of account {number} failed; retrying in {delay:g} s.",
                failure=failure,
                number=self._service.account.number,
                delay=LONGEST_PAUSE,
            )
        resting = Deferred.fromCoroutine(self._rest(LONGEST_PAUSE))
        return resting.addErrback(lambda failure: failure.trap(CancelledError) and None)

    async def _run(self) -> None:
        while self._backlog and not self._isStopped:
            self._record()
            self._expire()
            self.isUnwritable = False
            due = self._backlog.dueTime()
            if due is None:
                return
            wait = due - self._clock.seconds()
            if wait > 0:
                await self._restUntilDue(wait)
                continue
            recipients = await self._signedOn()
            if recipients is None:
                continue
            if self._isInDoubt and not await self._answers(recipients.protocol):
                await self._pause()
                continue
            await self._cancellable(self._pacer.acquire())
            serial = self._backlog.next(self._clock.seconds())
            if serial is None:
                continue
            self.current = serial
            try:
                await self._attempt(self._store.get(serial), recipients)
            finally:
                self.current = None

    # Steps that may be given up.

    def _cancellable(self, step: Deferred[T]) -> Deferred[T]:
        self._step = step

        def ended(result: T) -> T:
            if self._step is step:
                self._step = None
            return result

        if self._isStopped:
            step.cancel()
        return step.addBoth(ended)

    async def _wait(self, step: Coroutine[Any, Any, T]) -> T:
        return await self._cancellable(Deferred.fromCoroutine(step))

    async def _rest(self, seconds: float) -> None:
        await self._cancellable(deferLater(self._clock, seconds))

    async def _restUntilDue(self, seconds: float) -> None:
        self._untilDue = deferLater(self._clock, seconds)
        try:
            await self._cancellable(self._untilDue)
        except CancelledError:
            # By a new message, or by the end.
            pass
        finally:
            self._untilDue = None

    async def _pause(self) -> None:
        delay = min(FIRST_PAUSE * 2 ** min(self._failures, 10), LONGEST_PAUSE)
        self._failures += 1
        await self._rest(delay)

    async def _signedOn(self) -> Recipients | None:
        """
        Wait until the account is signed on.

        @return: L{None} when it stays offline until it is signed on by a person.
        """
        try:
            signedOn: Deferred[WebQQProtocol] = self._service.whenSignedOn()
            if not signedOn.called and not self.problem:
                self.problem = "the account is not signed on"
            protocol = await self._cancellable(signedOn)
        except (LoginRefused, Kicked, LoggedOut, NotSignedOn) as e:
            self.problem = str(e)
            return None
        if self._recipients is None or self._recipients.protocol is not protocol:
            self._recipients = Recipients(protocol)
            self._uploads = PictureUploads(protocol, self._clock)
            self._failures = 0
        return self._recipients

    async def _answers(self, protocol: WebQQProtocol) -> bool:
        """
        Check whether the server answers a request that changes nothing.
        """
        try:
            await self._cancellable(protocol.transport.call(GetOnlineBuddies2))
        except RequestRefused:
            pass
        except WebQQError as e:
            self.problem = str(e)
            return False
        self._isInDoubt = False
        return True

    # Sending.

    async def _attempt(self, stored: StoredMessage, recipients: Recipients) -> None:
        message, protocol = stored.message, recipients.protocol
        parts: list[QueuedContent] = [message.content]
        try:
            parts = splitQueued(message.content, protocol.longest)
            detects = await self._wait(recipients.detection.isKnown())
            self._store.detects = detects
            sendId = self._store.sendId(stored) if detects else ""
            if stored.begun and await self._isSettled(
                stored, parts, recipients, sendId
            ):
                return
            conversation, make = await self._wait(
                recipients.find(message.to, message.font, sendId)
            )
        except (MessageTooLong, UnknownRecipient) as e:
            self._fail(stored, parts, Failed(e))
            return
        except WebQQError as e:
            await self._again(stored, e)
            return
        part = await self._uploaded(stored, parts)
        if part is None:
            return
        outcome = await self._send(stored.serial, protocol, conversation, make, part)
        match outcome:
            case Delivered(sent):
                self._failures, self.problem = 0, ""
                self._accepted(stored, parts, sent)
            case Failed(reason) if outcome.isTemporary:
                self._store.revert(stored.serial)
                await self._again(stored, reason)
            case Failed():
                self._failures, self.problem = 0, ""
                self._fail(stored, parts, outcome)
            case Uncertain(reason):
                self._isInDoubt = True
                if detects:
                    self._store.doubt(stored.serial)
                    await self._again(stored, reason)
                else:
                    self._fail(stored, parts, outcome)

    async def _uploaded(
        self, stored: StoredMessage, parts: list[QueuedContent]
    ) -> Content | None:
        """
        Upload the pictures of the next part of a message.

        @return: the part with their references, L{None} when an upload has failed.
        """
        assert self._uploads is not None
        to = stored.message.to
        try:
            return await self._wait(self._uploads.contentOf(to, parts[0]))
        except RequestRefused as e:
            failed = Failed(e)
            if failed.isTemporary or e.retcode == UNKNOWN_SESSION:
                await self._again(stored, e)
            else:
                self._failures, self.problem = 0, ""
                self._fail(stored, parts, failed)
        except WebQQError as e:
            # The upload may have succeeded, but the message was not sent.
            await self._again(stored, e)
        return None

    async def _isSettled(
        self,
        stored: StoredMessage,
        parts: list[QueuedContent],
        recipients: Recipients,
        sendId: str,
    ) -> bool:
        """
        Ask the server for a message, or its next part, whose answer is lost.

        @param sendId: C{""} when the server cannot be asked.

        @return: whether it need not be sent again.
        """
        age = self._clock.seconds() - stored.message.time
        try:
            sent = await self._wait(recipients.detection.find(sendId, age))
        except RequestRefused:
            reason = Unreachable("the answer is lost, and the server cannot be asked")
            self._fail(stored, parts, Uncertain(reason))
            return True
        if sent is not None:
            self._accepted(stored, parts, sent)
        return sent is not None

    async def _send(
        self,
        serial: int,
        protocol: WebQQProtocol,
        conversation: Conversation,
        make: MakeSend,
        part: Content,
    ) -> SendOutcome:
        isBegun = False

        def begin(ticket: Ticket, part: Content, n: int) -> Command[Sent]:
            nonlocal isBegun
            # Called when the request is made, not while it waits for a rejoin.
            self._store.begin(serial)
            isBegun = True
            return make(ticket, part, n)

        try:
            sent = await protocol.sendTo(conversation, part, begin, "refuse")
        except Exception as e:
            if isBegun:
                return outcomeOf(e)
            if isinstance(e, sqlite3.Error):
                raise
            if isinstance(e, CancelledError):
                return Failed(NotSignedOn("the request was cancelled"))
            return Failed(e)
        return outcomeOf(sent)

    def _accepted(
        self, stored: StoredMessage, parts: list[QueuedContent], sent: Sent
    ) -> None:
        if len(parts) == 1:
            whole = Sent(sent.messageId, sent.time, stored.ids)
            self._settle(stored, Delivered(whole))
            return
        rest: list[Segment | PictureBytes] = [
            segment for part in parts[1:] for segment in part
        ]
        self._unrecorded = partial(
            self._store.advance, stored, sent.messageId, tuple(rest)
        )
        self._record()

    def _record(self) -> None:
        # Before anything else is sent: the same part would be sent again.
        if self._unrecorded is not None:
            self._unrecorded()
            self._unrecorded = None

    def _fail(
        self,
        stored: StoredMessage,
        parts: list[QueuedContent],
        outcome: Failed | Uncertain,
    ) -> None:
        self._settle(stored, partly(stored, parts, outcome))

    async def _again(self, stored: StoredMessage, reason: Exception) -> None:
        """
        Wait before a message is sent again.
        """
        self.problem = str(reason)
        self.current = None
        if isinstance(reason, RequestRefused):
            if stored.serial in self._backlog:
                refusals = self._backlog.postpone(stored.serial)
                delay = FIRST_REFUSED_PAUSE * 2 ** min(refusals - 1, 10)
                until = self._clock.seconds() + min(delay, LONGEST_PAUSE)
                self._backlog.delay(stored.serial, until)
            return
        if isinstance(reason, (NotSignedOn, SessionExpired)):
            self._log.info(
                "A queued message waits for the next sign-on (account {number}):"
                " {reason}.",
                number=self._service.account.number,
                reason=str(reason),
            )
        await self._pause()


def partly(
    stored: StoredMessage, parts: list[QueuedContent], outcome: Failed | Uncertain
) -> Failed | Uncertain:
    """
    Tell in the reason of an outcome that parts of the message were delivered.

    @param parts: those that were not, of which the first one has failed.
    """
    reason = outcome.reason
    if not stored.ids:
        return outcome
    if not isinstance(reason, WebQQError):
        reason = WebQQError(str(reason))
    count = len(stored.ids)
    whole = PartlySent(count, count + len(parts), tuple(parts), reason)
    return Failed(whole) if isinstance(outcome, Failed) else Uncertain(whole)
