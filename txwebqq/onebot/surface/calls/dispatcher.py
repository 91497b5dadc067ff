"""
Performs the calls of one connection of a bot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.errors import NotSent, NotSignedOn, Unreachable, WebQQError
from txwebqq.model import Uncertain, outcomeOf
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.calls import (
    contacts,
    groupfiles,
    groups,
    history,
    interaction,
    messages,
    quick,
)
from txwebqq.onebot.surface.calls.table import Caller, Handler, Params
from txwebqq.onebot.surface.replies import (
    UNKNOWN_ACTION,
    Call,
    CallFailed,
    accepted,
    failed,
    parseCall,
    succeeded,
)
from txwebqq.wire.command import printable

CALL_TIMEOUT = 25.0
"""Seconds after which a call has failed. Bots wait for 30 or more."""

MAX_IN_FLIGHT = 500
"""Maximum number of calls of one connection that are performed at once."""

RATE = 0.5
"""Seconds between two calls with C{_rate_limited}."""

HANDLERS: Mapping[str, Handler] = {
    name: handler
    for module in (messages, history, contacts, groups, groupfiles, interaction, quick)
    for name, handler in module.TABLE.handlers.items()
}

Reply = dict[str, Any]


class CallDispatcher:
    """
    Performs calls.

    @param isArray: whether messages in replies are arrays of segments.
    """

    _log = Logger()

    def __init__(self, account: SurfaceAccount, isArray: bool) -> None:
        self._account = account
        self._clock: IReactorTime = account.clock
        self.caller = Caller(account, isArray, {})
        self._inFlight: set[Deferred[Any]] = set()
        self._pace = DeferredLock()
        self._delays: set[IDelayedCall] = set()

    def textReceived(self, text: str, answer: Callable[[Reply], None]) -> None:
        """
        Perform a call.

        @param answer: called with the reply, once.
        """
        try:
            call = parseCall(text)
        except CallFailed as e:
            answer({**failed(e), "echo": None})
            return
        self.perform(call).addCallback(lambda reply: answer({**reply, **call.echo}))

    def perform(self, call: Call) -> Deferred[Reply]:
        """
        Perform a call.

        @return: fires with the reply, without echo; never fails.
        """
        action, isPaced = call.action, False
        handler = HANDLERS.get(action)
        isAsync = False
        for suffix in ("_async", "_rate_limited"):
            if handler is None and action.endswith(suffix):
                handler = HANDLERS.get(action.removesuffix(suffix))
                isAsync, isPaced = handler is not None, suffix == "_rate_limited"
        if handler is None:
            name = printable(action)[:100]
            error = CallFailed(f"不支持的API {name}", UNKNOWN_ACTION)
            return _fired(failed(error))
        if len(self._inFlight) >= MAX_IN_FLIGHT:
            return _fired(failed(CallFailed("too many calls are in flight")))
        run = self._paced if isPaced else self._run
        performed = run(handler, call)
        self._inFlight.add(performed)
        performed.addCallback(self._performed, performed)
        if not isAsync:
            return performed
        performed.addCallback(self._logFailure, call)
        return _fired(accepted())

    def close(self) -> None:
        """
        Drop the paced calls that have not begun; the others go on.
        """
        for delay in self._delays:
            delay.cancel()
        self._delays.clear()

    def _performed(self, reply: Reply, performed: Deferred[Reply]) -> Reply:
        self._inFlight.discard(performed)
        return reply

    def _logFailure(self, reply: Reply, call: Call) -> None:
        # Nobody else is told.
        if reply["status"] == "failed":
            self._log.warn(
                "A call of a bot failed (account {number}): {action}: {reason}.",
                number=self._account.number,
                action=printable(call.action),
                reason=reply["message"],
            )

    def _paced(self, handler: Handler, call: Call) -> Deferred[Reply]:
        async def perform() -> Reply:
            await self._pace.acquire()

            def release() -> None:
                self._delays.discard(delay)
                self._pace.release()

            delay = self._clock.callLater(RATE, release)
            self._delays.add(delay)
            return await self._run(handler, call)

        return Deferred.fromCoroutine(perform())

    def _run(self, handler: Handler, call: Call) -> Deferred[Reply]:
        """
        Perform a call until it is done or its time is over. Then it is cancelled, so
        that it is not done much later, though the server may have done its part.
        """
        result: Deferred[Reply] = Deferred()

        def late() -> None:
            reason = "Timeout: the server has not answered; it may have been done"
            result.callback(failed(CallFailed(reason)))
            running.cancel()

        timer = self._clock.callLater(CALL_TIMEOUT, late)

        def done(reply: Reply) -> None:
            if timer.active():
                timer.cancel()
                result.callback(reply)

        running = Deferred.fromCoroutine(self._reply(handler, call))
        running.addCallback(done)
        return result

    async def _reply(self, handler: Handler, call: Call) -> Reply:
        try:
            return succeeded(await handler(self.caller, Params(call.params)))
        except CallFailed as e:
            return failed(e)
        except WebQQError as e:
            return failed(CallFailed(_reasonOf(e)))
        except CancelledError:
            return failed(CallFailed("cancelled"))
        except Exception:
            self._log.failure(
                "Performing a call failed (account {number}): {action}.",
                number=self._account.number,
                action=printable(call.action),
            )
            return failed(CallFailed("internal error"))


def _reasonOf(error: WebQQError) -> str:
    if isinstance(outcomeOf(error), Uncertain):
        reason = f"{error}; it may have been done"
        return f"Timeout: {reason}" if isinstance(error, Unreachable) else reason
    if isinstance(error, (NotSent, NotSignedOn)):
        return f"not done: {error}"
    return str(error)


def _fired(reply: Reply) -> Deferred[Reply]:
    result: Deferred[Reply] = Deferred()
    result.callback(reply)
    return result
