"""
The durable queue of an account's messages.
"""

from __future__ import annotations

import inspect
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.errors import (
    InvalidConfiguration,
    MessageExpired,
    NotQueued,
    QueueFull,
    Unreachable,
)
from txwebqq.interfaces import IAccountService, IMessageQueue
from txwebqq.model import (
    Delivered,
    Failed,
    Font,
    PictureBytes,
    QueuedContent,
    QueuedMessage,
    QueuePolicy,
    Recipient,
    SendOutcome,
    Uncertain,
)
from txwebqq.net.pacing import Pacer
from txwebqq.outbox.backlog import Backlog
from txwebqq.outbox.pictures import SendableWithPictures, queuedContentOf
from txwebqq.outbox.sender import QueueSender, partly
from txwebqq.outbox.storage import QueueStore, StoredMessage
from txwebqq.outbox.storedform import checkRecipient, writeRecipient
from txwebqq.requests.messages import DEFAULT_FONT

HOUR = 3600.0

REMEMBERED = 7 * 24 * HOUR
"""The seconds for which the keys of messages are remembered at least."""

RETRY = 30.0
"""The seconds after which a change is written again that could not be written."""


DEFAULT_POLICY = QueuePolicy()


def ignoreSettled(message: QueuedMessage, outcome: SendOutcome) -> None:
    """
    Do nothing with the outcome of a message that an earlier process has queued.
    """


def _checkKey(key: object) -> None:
    # Callers without a type checker pass other things; 0 would be no key.
    if not isinstance(key, str):
        raise TypeError(f"a key is a str, not {type(key).__name__}")
    try:
        key.encode()
    except UnicodeEncodeError as e:
        raise ValueError(f"a key that is no Unicode text: {key!r}") from e


@implementer(IMessageQueue)
class MessageQueue(Service):
    """
    Sends messages in order and keeps them in a file until they are sent, through
    lost connections, sign-ons and restarts of the process. Make it a child of the
    account's service, or of the application beside it.

    A message that certainly was not delivered, for lack of a session or a connection,
    is sent again. One that was perhaps delivered is sent again only to a server that
    recognises it (protocol.md 2.2.11).

    @param path: the file, which no other process may use at the same time.
    @param service: the service that keeps the account signed on.
    @param settled: called with each message of an earlier process and its outcome,
        when the outcome is known: at the start for a message that was being sent when
        that process ended. If it returns a Deferred or a coroutine, the outcome counts
        as told when that has ended. A process that is killed before may be followed by
        one that tells the outcome a second time.

    @ivar outcomes: the number of messages, by kind of recipient and outcome.

    @raise InvalidConfiguration: when the file cannot be used.
    """

    _log = Logger()

    def __init__(
        self,
        path: str | Path,
        service: IAccountService,
        clock: IReactorTime,
        *,
        settled: Callable[[QueuedMessage, SendOutcome], object] = ignoreSettled,
        policy: QueuePolicy = DEFAULT_POLICY,
    ) -> None:
        self._path = path
        self._service = service
        self._clock = clock
        self._settled = settled
        self._policy = policy
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._listeners: dict[int, list[Deferred[SendOutcome]]] = {}
        self._backlog = Backlog()
        self._sender: QueueSender | None = None
        self._expiry: IDelayedCall | None = None
        self._writing: IDelayedCall | None = None
        # Changes that could not be written.
        self._unwritten: list[Callable[[], None]] = []
        # Calls of C{settled} that have not ended.
        self._telling: set[int] = set()
        self._store: QueueStore | None = self._open()

    def _open(self) -> QueueStore:
        store = QueueStore(self._path, self._service.account.number)
        try:
            self._read(store)
        except (sqlite3.Error, ValueError) as e:
            store.close()
            raise InvalidConfiguration(
                f"{self._path}: the queue cannot be read: {e}"
            ) from e
        return store

    def _read(self, store: QueueStore) -> None:
        self._backlog = Backlog()
        for serial, to, time, isBegun in store.waiting():
            if isBegun and not store.detects:
                reason = Unreachable("the process ended while the message was sent")
                stored = store.get(serial)
                outcome = partly(stored, [stored.message.content], Uncertain(reason))
                store.settle(serial, outcome)
                self._count(to, outcome)
            else:
                self._backlog.add(serial, to, time)
        store.forget(self._clock.seconds() - REMEMBERED)

    @property
    def account(self) -> int:
        """
        The number of the account.
        """
        return int(self._service.account.number)

    def counts(self) -> dict[Recipient, int]:
        """
        Count the messages that wait for each recipient.
        """
        return self._backlog.counts()

    @property
    def oldest(self) -> float:
        """
        The seconds for which the oldest message has waited, 0 if none waits.
        """
        found = self._backlog.oldest()
        return 0.0 if found is None else max(0.0, self._clock.seconds() - found[1])

    @property
    def problem(self) -> str:
        """
        The reason why no message is sent, C{""} if there is none.
        """
        if not self._backlog and not self._unwritten:
            return ""
        return "" if self._sender is None else self._sender.problem

    @property
    def isUnwritable(self) -> bool:
        """
        Whether the last change could not be written to the file.
        """
        isPaused = self._sender is not None and self._sender.isUnwritable
        return bool(self._unwritten) or isPaused

    # For the application.

    def send(
        self,
        to: Recipient,
        content: SendableWithPictures,
        font: Font = DEFAULT_FONT,
        key: str = "",
    ) -> Deferred[SendOutcome]:
        """
        Put a message into the queue. It is in the file when this method returns.

        @param key: the application's own name for the message. A message with a key
            that was used in the last seven days is not sent again, unless the first
            one has failed: then this method fires with the first one's outcome.

        @return: fires with the outcome, which may take as long as C{patience}; cancel
            it to take the message out of the queue. Fails with L{QueueFull},
            L{NotQueued}, and with L{TypeError} or L{ValueError} for a recipient, a
            content or a key that cannot be queued.
        """
        store = self._store
        if store is None:
            return fail(NotQueued("the queue is stopped"))
        try:
            checkRecipient(to)
            _checkKey(key)
            segments = queuedContentOf(to, content)
            known = store.withKey(key) if key else None
            if known is not None:
                if not isinstance(known.outcome, Failed):
                    return self._known(known.serial, known.outcome)
                store.remove(known.serial)
            self._checkSpace(to)
            self._checkPictures(store, segments)
            now = self._clock.seconds()
            serial = store.add(to, segments, font, now, key)
        except (QueueFull, TypeError, ValueError):
            return fail()
        except sqlite3.Error as e:
            return fail(NotQueued(f"the queue cannot be written to: {e}"))
        self._backlog.add(serial, to, now)
        listener = self._listen(serial)
        self._wake()
        return listener

    def _known(self, serial: int, outcome: SendOutcome | None) -> Deferred[SendOutcome]:
        return self._listen(serial) if outcome is None else succeed(outcome)

    def _checkSpace(self, to: Recipient) -> None:
        policy = self._policy
        if self._backlog.count(to) >= policy.conversation:
            raise QueueFull(
                f"{policy.conversation} messages wait for {writeRecipient(to)}"
            )
        if len(self._backlog) >= policy.total:
            raise QueueFull(f"{policy.total} messages wait")

    def _checkPictures(self, store: QueueStore, content: QueuedContent) -> None:
        limit = self._policy.pictures
        pictures = {each.data for each in content if isinstance(each, PictureBytes)}
        if not pictures:
            return
        size = sum(map(len, pictures))
        if size > limit:
            raise ValueError(
                f"the pictures of the message have {size} bytes, where {limit} are"
                " allowed"
            )
        waiting = store.pictureBytes()
        if waiting + size > limit:
            raise QueueFull(
                f"pictures of {waiting} bytes wait; {size} more are over the limit of"
                f" {limit} bytes"
            )

    def _listen(self, serial: int) -> Deferred[SendOutcome]:
        def cancelled(listener: Deferred[SendOutcome]) -> None:
            listeners = self._listeners.get(serial, [])
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                self._withdraw(serial)

        listener: Deferred[SendOutcome] = Deferred(cancelled)
        self._listeners.setdefault(serial, []).append(listener)
        return listener

    def _withdraw(self, serial: int) -> None:
        store, sender = self._store, self._sender
        if store is None or serial not in self._backlog:
            return
        isCurrent = sender is not None and sender.current == serial
        stored = store.get(serial)
        if isCurrent or stored.ids or stored.begun:
            # Too late; the outcome is only logged.
            self._listeners.setdefault(serial, [])
            return
        self._listeners.pop(serial, None)
        self._backlog.remove(serial)
        self._write(lambda: store.remove(serial))

    # The service.

    def startService(self) -> None:
        """
        Send what waits, and tell the outcomes that an earlier process has not told.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if self._store is None:
            self._store = self._open()
        policy = self._policy
        self._sender = QueueSender(
            self._store,
            self._backlog,
            self._service,
            self._clock,
            Pacer(self._clock, policy.burst, policy.seconds),
            self._settle,
            self._expire,
        )
        if self._backlog:
            self._log.info(
                "{count} messages wait in the queue of account {number}.",
                count=len(self._backlog),
                number=self.account,
            )
        for serial in self._store.untold():
            stored = self._store.get(serial)
            assert stored.outcome is not None
            self._logOutcome(stored.message.to, stored.outcome)
            self._tell(serial, stored.message, stored.outcome)
        self._wake()

    def stopService(self) -> Deferred[None]:
        """
        Stop sending. The Deferreds of the messages that wait do not fire: the next
        process sends them, and tells the outcomes with C{settled}.

        @return: fires when no message is in flight and the file is closed.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for call in (self._expiry, self._writing):
            if call is not None:
                call.cancel()
        self._expiry = self._writing = None
        sender = self._sender
        ended = succeed(None) if sender is None else sender.stop()

        def close(result: None) -> None:
            self._sender = None
            self._writeAgain()
            # They name the store that is closed now; its file tells the rest, as
            # after a kill.
            self._unwritten.clear()
            if self._writing is not None:
                self._writing.cancel()
                self._writing = None
            store, self._store = self._store, None
            if store is not None:
                store.close()

        return ended.addCallback(close)

    def _wake(self) -> None:
        self._schedule()
        if self._sender is not None:
            self._sender.wake()

    # Outcomes.

    def _schedule(self) -> None:
        """
        Call C{_expire} when the oldest message is to be given up.
        """
        oldest = self._backlog.oldest()
        if oldest is None or self._expiry is not None or not self.running:
            return
        delay = oldest[1] + self._policy.patience - self._clock.seconds()
        # At least a second, for one that is being sent.
        self._expiry = self._clock.callLater(max(delay, 1.0), self._expiryDue)

    def _expiryDue(self) -> None:
        self._expiry = None
        self._expire()
        self._schedule()

    def _expire(self) -> None:
        store, sender = self._store, self._sender
        assert store is not None
        before = self._clock.seconds() - self._policy.patience
        while (oldest := self._backlog.oldest()) is not None:
            serial, time = oldest
            if time > before or (sender is not None and sender.current == serial):
                return
            hours = self._policy.patience / HOUR
            reason = f"not sent within {hours:g} h"
            if sender is not None and sender.problem:
                reason = f"{reason}: {sender.problem}"
            stored = store.get(serial)
            rest = [stored.message.content]
            if stored.begun:
                failed = Uncertain(Unreachable(f"the answer is lost, and {reason}"))
                self._settle(stored, partly(stored, rest, failed))
            else:
                expired = Failed(MessageExpired(reason))
                self._settle(stored, partly(stored, rest, expired))
            if self._store is not store:
                return

    def _settle(self, stored: StoredMessage, outcome: SendOutcome) -> None:
        store, serial, message = self._store, stored.serial, stored.message
        assert store is not None
        self._backlog.remove(serial)
        self._count(message.to, outcome)
        self._logOutcome(message.to, outcome)
        self._write(lambda: store.settle(serial, outcome))
        listeners = self._listeners.pop(serial, None)
        if listeners is None:
            self._tell(serial, message, outcome)
            return
        for listener in listeners:
            # The callback of one may cancel another.
            if not listener.called:
                listener.callback(outcome)
        # A callback may stop the queue: then the next process tells it again.
        if self._store is store:
            self._write(lambda: store.told(serial))

    def _tell(self, serial: int, message: QueuedMessage, outcome: SendOutcome) -> None:
        if serial in self._telling:
            return
        self._telling.add(serial)

        async def tell() -> None:
            result: Any = self._settled(message, outcome)
            if inspect.isawaitable(result):
                await result

        def told(result: object) -> None:
            self._telling.discard(serial)
            if self._store is not None:
                store = self._store
                self._write(lambda: store.told(serial))

        telling = Deferred.fromCoroutine(tell())
        telling.addErrback(self._ebTold).addCallback(told)

    def _ebTold(self, failure: Failure) -> None:
        self._log.failure(
            "Telling the outcome of a queued message failed (account {number}).",
            failure=failure,
            number=self.account,
        )

    def _count(self, to: Recipient, outcome: SendOutcome) -> None:
        kind, _, _ = writeRecipient(to).partition(" ")
        self.outcomes[kind, type(outcome).__name__.lower()] += 1

    def _logOutcome(self, to: Recipient, outcome: SendOutcome) -> None:
        match outcome:
            case Failed(reason):
                text = "not delivered (account {number}): {reason}."
            case Uncertain(reason):
                text = (
                    "perhaps delivered (account {number}): {reason}; it is not sent"
                    " again."
                )
            case Delivered():
                return
        self._log.warn(
            "A queued message to {recipient} was " + text,
            recipient=writeRecipient(to),
            number=self.account,
            reason=str(reason),
        )

    # Changes that cannot be written now.

    def _write(self, change: Callable[[], None]) -> None:
        self._unwritten.append(change)
        self._writeAgain()

    def _writeAgain(self) -> None:
        while self._unwritten:
            try:
                self._unwritten[0]()
            except sqlite3.Error as e:
                self._log.error(
                    "The queue of account {number} cannot be written to: {reason};"
                    " retrying in {delay:g} s.",
                    number=self.account,
                    reason=str(e),
                    delay=RETRY,
                )
                if self._writing is None:
                    self._writing = self._clock.callLater(RETRY, self._retryDue)
                return
            del self._unwritten[0]

    def _retryDue(self) -> None:
        self._writing = None
        self._writeAgain()
