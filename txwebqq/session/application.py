"""
The application's side of an account, through all its sign-ons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from txwebqq.errors import LoginRefused, NotSignedOn, SessionExpired, WebQQError
from txwebqq.interfaces import (
    FactoryOf,
    IStateObserver,
    IWebQQProtocol,
    IWebQQTransport,
)
from txwebqq.model import Account, StateChange
from txwebqq.session.callbacks import (
    MAX_UNFINISHED,
    CallbackQueue,
    GuardedCallbacks,
    GuardedProtocol,
)
from txwebqq.session.signoncounts import SignOnCounts

_CHANGED = "State of account {account}: {state} (before: {before})."
_CHANGED_BECAUSE = "State of account {account}: {state} (before: {before}): {reason}"


class Application:
    """
    Builds the protocol of each sign-on, tells it and those who wait how the sign-on
    went, and writes that to the log.

    @ivar counts: the counts of the sign-ons.
    """

    _log = Logger()

    def __init__(
        self, account: Account, factory: FactoryOf[Any], clock: IReactorTime
    ) -> None:
        self._account = account
        self._clock = clock
        self._factory = factory
        self.counts = SignOnCounts(self._stateChanged)
        limit = getattr(factory, "maxUnfinished", MAX_UNFINISHED)
        self._callbackQueue = CallbackQueue(self.counts.incoming, limit)
        self._observer: GuardedCallbacks | None = None
        if IStateObserver.providedBy(factory):
            self._observer = GuardedCallbacks(factory, account, self._callbackQueue)
        # Calls for changes of the state that the factory was not told of.
        self._untold: list[Callable[[], None]] = []
        self._telling: IDelayedCall | None = None
        self._signedOn: GuardedProtocol | None = None
        # Whether the last sign-on has ended by the loss of the session.
        self._isLost = False
        self._whenSignedOn: list[Deferred[IWebQQProtocol]] = []
        self._whenSignedOff: list[Deferred[None]] = []

    def _stateChanged(self, change: StateChange) -> None:
        self._log.info(
            _CHANGED_BECAUSE if change.reason else _CHANGED,
            account=self._account.number,
            state=change.state.value,
            before=change.before.value,
            reason=change.reason,
        )
        if self._observer is None:
            return
        call = self._observer.prepared("stateChanged", self._account, change)
        self._untold.append(call)
        # Not within an action of the machine, where the application may not sign off.
        if self._telling is None:
            self._telling = self._clock.callLater(0, self._run)

    def _run(self, *calls: Callable[[], None]) -> None:
        """
        Tell the factory of the changes, and make calls after that.
        """
        telling, self._telling = self._telling, None
        if telling is not None and telling.active():
            telling.cancel()
        untold, self._untold = self._untold, []
        self._callbackQueue.run(*untold, *calls)

    def buildProtocol(self) -> GuardedProtocol:
        """
        Build the protocol of a sign-on that begins.

        @raise LoginRefused: when the factory builds none.
        """
        number = self._account.number
        try:
            protocol = self._factory.buildProtocol(self._account)
            if not IWebQQProtocol.providedBy(protocol):
                raise TypeError(f"buildProtocol returned {type(protocol).__name__}")
        except Exception as e:
            self._log.failure(
                "The factory built no protocol (account {number}).", number=number
            )
            raise LoginRefused("the factory built no protocol") from e
        return GuardedProtocol(protocol, self._account, self._callbackQueue)

    def connect(self, protocol: GuardedProtocol, transport: IWebQQTransport) -> None:
        """
        Give a protocol its transport.
        """
        self.counts.begin()
        self._run(
            protocol.prepared("makeConnection", self._account, transport, self._factory)
        )

    def whenSignedOn(self) -> Deferred[IWebQQProtocol]:
        """
        See L{WebQQService.whenSignedOn
        <txwebqq.service.WebQQService.whenSignedOn>}.
        """
        if self._signedOn is not None:
            return succeed(self._signedOn.protocol)
        waiting: Deferred[IWebQQProtocol] = Deferred(self._whenSignedOn.remove)
        self._whenSignedOn.append(waiting)
        return waiting

    def whenSignedOff(self) -> Deferred[None]:
        """
        See L{WebQQService.whenSignedOff
        <txwebqq.service.WebQQService.whenSignedOff>}.
        """
        waiting: Deferred[None] = Deferred(self._whenSignedOff.remove)
        self._whenSignedOff.append(waiting)
        return waiting

    def signedOn(self, protocol: GuardedProtocol) -> None:
        """
        Tell that the account is signed on.
        """
        self._signedOn = protocol
        self.counts.signOn()
        self._log.info("Signed on (account {number}).", number=self._account.number)
        self._run(protocol.prepared("signedOn"))
        waiting, self._whenSignedOn = self._whenSignedOn, []
        for deferred in waiting:
            deferred.callback(protocol.protocol)

    def logEnd(self, reason: WebQQError | None) -> None:
        """
        Log the end of a sign-on.

        @param reason: L{None} after a sign-off, L{SessionExpired} when another
            sign-on follows: then L{logWait} logs both.
        """
        number = self._account.number
        self.counts.end(reason)
        self._isLost = isinstance(reason, SessionExpired)
        if reason is None:
            self._log.info("Signed off (account {number}).", number=number)
        elif not self._isLost:
            self._log.error(
                "Signed off (account {number}): {reason}; the account stays offline.",
                number=number,
                reason=reason,
            )

    def logSuspended(self) -> None:
        """
        Log the end of a sign-on whose session another process is to resume.
        """
        self.counts.end(None)
        self._isLost = False
        self._log.info(
            "Stopped (account {number}); the session is kept for the next start.",
            number=self._account.number,
        )

    def logWait(self, reason: str, delay: float) -> None:
        """
        Log that a session was lost, or that a sign-on or a rejoin has failed.

        @param delay: the seconds until the next attempt.
        """
        if self._signedOn is not None:
            self.counts.awaitRejoin(reason)
            self._log.warn(
                "Rejoining failed (account {number}): {reason}; retrying in"
                " {delay:.1f} s.",
                number=self._account.number,
                reason=reason,
                delay=delay,
            )
            return
        isLost, self._isLost = self._isLost, False
        self.counts.wait(reason, isLost)
        text = (
            "Session lost (account {number}): {reason}; signing on again in"
            " {delay:.1f} s."
            if isLost
            else "Not signed on (account {number}): {reason}; retrying in"
            " {delay:.1f} s."
        )
        level = LogLevel.error if isLost else LogLevel.warn
        self._log.emit(
            level, text, number=self._account.number, reason=reason, delay=delay
        )

    def close(self, protocol: GuardedProtocol, reason: WebQQError | None) -> None:
        """
        Call the last callback of a protocol.
        """
        self._signedOn = None
        failure = Failure(ConnectionDone() if reason is None else reason)
        self._run(protocol.close(failure))

    def signedOff(self, reason: WebQQError | None) -> None:
        """
        Tell that the account stays offline.
        """
        self._run()
        waitingOn, self._whenSignedOn = self._whenSignedOn, []
        for on in waitingOn:
            on.errback(reason or NotSignedOn("signed off"))
        waitingOff, self._whenSignedOff = self._whenSignedOff, []
        for off in waitingOff:
            if reason is None:
                off.callback(None)
            else:
                off.errback(reason)
