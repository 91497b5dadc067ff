"""
Events over HTTP: each is posted to a bot, whose answer may hold a quick operation.
"""

from __future__ import annotations

import hmac
from collections import deque
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from txwebqq.client import TreqLike
from txwebqq.net.bodies import readBody
from txwebqq.net.failures import raiseTimedOut, raiseUnreachable
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.calls.dispatcher import CallDispatcher
from txwebqq.onebot.surface.config import PostSettings
from txwebqq.onebot.surface.replies import Call, CallFailed, encode, parseObject
from txwebqq.onebot.surface.segments import asFormat

MAX_WAITING = 1000
"""Events that wait for a bot; the oldest of more are dropped."""

POST_TIMEOUT = 30.0
"""Seconds that a bot has to answer."""

STOP_TIME = 5.0
"""Seconds for which events are posted when the service stops."""

MAX_ANSWER = 32 * 1024 * 1024
"""Maximum size of an answer, in bytes: a reply may contain a picture."""


class EventPoster(Service):
    """
    Posts the events of an account to one bot, in order and one at a time. An event
    that the bot does not take is lost, but for the end of the service: then the server
    is to give it again.

    @param treq: makes the requests.
    """

    _log = Logger()

    def __init__(
        self, account: SurfaceAccount, settings: PostSettings, treq: TreqLike
    ) -> None:
        self._account = account
        self._settings = settings
        self._treq = treq
        self._dispatcher = CallDispatcher(account, settings.isArray)
        # Events, and Deferreds that fire when they are answered or lost.
        self._waiting: deque[tuple[dict[str, Any], Deferred[bool]]] = deque()
        self._posting: Deferred[bool] | None = None
        # Whether the event that is posted, or was last, is no meta event.
        self._isLasting = False
        # After the end of the service, as long as events wait.
        self._stopping: Deferred[None] | None = None
        self._stopLimit: IDelayedCall | None = None
        self._timer: IDelayedCall | None = None
        self._lost = 0
        self._isFailing = False

    def startService(self) -> None:
        """
        Begin to post events.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._account.subscribe(self._happened, self._settings.hasOwn)
        self._happened(self._meta("lifecycle", sub_type="enable"))
        self._beatLater()

    def stopService(self) -> Deferred[None]:
        """
        Post the events that wait, for some seconds and unless the bot is away.

        @return: fires when that is done.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        self._account.unsubscribe(self._happened)
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        lasting = [each for each in self._waiting if _isLasting(each[0])]
        self._waiting = deque(lasting)
        stopping = self._stopping = Deferred()
        self._stopLimit = self._account.clock.callLater(STOP_TIME, self._giveUp)
        if self._isFailing or not (lasting or self._isLasting):
            self._giveUp()
        return stopping

    def _giveUp(self) -> None:
        posting, self._posting = self._posting, None
        if posting is not None:
            posting.cancel()
        while self._waiting:
            self._waiting.popleft()[1].callback(False)
        self._endIfDone()

    def _endIfDone(self) -> None:
        if self._stopping is None or self._waiting or self._posting is not None:
            return
        limit, self._stopLimit = self._stopLimit, None
        if limit is not None and limit.active():
            limit.cancel()
        self._dispatcher.close()
        stopping, self._stopping = self._stopping, None
        stopping.callback(None)

    def _meta(self, kind: str, **fields: Any) -> dict[str, Any]:
        return self._account.event("meta_event", meta_event_type=kind, **fields)

    def _beatLater(self) -> None:
        if self._settings.heartbeat:
            clock = self._account.clock
            self._timer = clock.callLater(self._settings.heartbeat, self._beat)

    def _beat(self) -> None:
        interval = self._settings.heartbeat * 1000
        self._beatLater()
        status = self._account.status
        self._happened(self._meta("heartbeat", status=status, interval=interval))

    def _happened(self, event: dict[str, Any]) -> Deferred[bool] | bool:
        ended: Deferred[bool] = Deferred()
        self._waiting.append((event, ended))
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()[1].callback(True)
            self._lost += 1
        self._postNext()
        # Other bots do not wait for one that is away.
        return False if self._isFailing else ended

    def _postNext(self) -> None:
        if self._posting is not None or not self._waiting:
            return
        event, ended = self._waiting.popleft()
        self._isLasting = _isLasting(event)
        posting = self._posting = Deferred.fromCoroutine(self._post(event))
        posting.addErrback(self._ebPost)
        posting.addCallback(self._posted, posting, ended)

    def _posted(
        self, isPosted: bool, posting: Deferred[bool], ended: Deferred[bool]
    ) -> None:
        ended.callback(isPosted)
        # Not after the end of the service.
        if self._posting is posting:
            self._posting = None
            if not isPosted:
                self._giveUp()
            elif self._waiting:
                self._account.clock.callLater(0, self._postNext)
            self._endIfDone()

    def _ebPost(self, failure: Any) -> bool:
        """
        @return: whether the event is lost, or comes again after the end of the service.
        """
        if not self.running:
            # A bot that has refused an event has it.
            return failure.check(CallFailed) is not None
        self._lost += 1
        if self._isFailing:
            # One line is enough until the bot is there again.
            return True
        self._isFailing = True
        self._log.warn(
            "Posting an event to a bot failed (account {number}): {reason}; events are"
            " lost until the bot takes them.",
            number=self._account.number,
            reason=failure.getErrorMessage() or failure.type.__name__,
        )
        return True

    def _cbPosted(self) -> None:
        self._isFailing = False
        lost, self._lost = self._lost, 0
        if lost:
            self._log.warn(
                "A bot takes events (account {number}); {count} were lost before.",
                number=self._account.number,
                count=lost,
            )

    async def _post(self, event: dict[str, Any]) -> bool:
        body = encode(asFormat(event, self._settings.isArray)).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "OneBot/11",
            "X-Self-ID": str(self._account.number),
        }
        if self._settings.secret:
            digest = hmac.new(self._settings.secret.encode(), body, "sha1").hexdigest()
            headers["X-Signature"] = f"sha1={digest}"

        async def exchange() -> tuple[int, bytes]:
            response = await self._treq.request(
                "POST", self._settings.url, data=body, headers=headers, unbuffered=True
            )
            return response.code, await readBody(response, MAX_ANSWER)

        posting = Deferred.fromCoroutine(exchange())
        posting.addTimeout(POST_TIMEOUT, self._account.clock, raiseTimedOut)
        code, answer = await posting.addErrback(raiseUnreachable)
        if code not in (200, 204):
            raise CallFailed(f"HTTP {code}")
        self._cbPosted()
        if code == 200 and answer.strip():
            self._operate(event, answer)
        return True

    def _operate(self, event: dict[str, Any], answer: bytes) -> None:
        try:
            operation = parseObject(answer)
        except CallFailed:
            # Many bots answer with a word.
            return
        params = {"context": event, "operation": operation}
        call = Call(".handle_quick_operation_async", params, {})
        self._dispatcher.perform(call)


def _isLasting(event: dict[str, Any]) -> bool:
    # Meta events tell of the present state.
    isMeta: bool = event["post_type"] == "meta_event"
    return not isMeta
