"""
The HTTP side of a server whose state is in this process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.server import Request

from txwebqq.errors import MalformedReply
from txwebqq.server.commandhandlers import CommandHandlers
from txwebqq.server.commandresource import (
    FAULT,
    CommandResource,
    ResourceOptions,
    Route,
)
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.authorization import (
    unauthorizedReply,
)
from txwebqq.server.http.downloads import FileSender, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import HeldReply, Sender, handlersOf
from txwebqq.server.http.longpoll import LongPoll
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.replies import sendReply
from txwebqq.server.http.signup import SignUpRenderer
from txwebqq.server.http.uploads import UploadStore
from txwebqq.server.limits import DEFAULT_LIMITS as CONNECTION_LIMITS
from txwebqq.server.limits import ConnectionLimits
from txwebqq.server.page.files import PageFiles
from txwebqq.server.request import Upload, WebQQRequest
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.streamed import StreamedRequests
from txwebqq.server.uploadquotas import FileLimits, UploadQuotas
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.form import Form

POLL_TIMEOUT = 50.0
"""Default time for which a poll is held, in seconds."""

DEFAULT_LIMITS = FileLimits()

SWEEP = 15.0
"""Interval between checks for lapsed sessions, in seconds."""

CLEAN = 3600.0
"""Interval between deletions of expired files, in seconds."""

NOT_STORED = Refusal(100000, "the message could not be stored")


class StoredReply(HeldReply):
    """
    A reply that is given after the events that the request has caused are in the
    database, and have been given to the polls of their recipients.
    """

    __slots__ = ("_reply",)

    def __init__(self, reply: Any) -> None:
        super().__init__()
        self._reply = reply

    def stored(self, isStored: bool) -> None:
        """
        Give the reply, or a refusal if the database has failed.
        """
        self.give(self._reply if isStored else NOT_STORED)


class WebQQResource(CommandResource):
    """
    The resource of a server whose state is in this process.

    @param draw: renders the image of a captcha from its text; without it there are no
        captchas.
    @param pollTimeout: the time for which a poll is held, in seconds.
    @param folder: the folder of pictures and files; L{None} for a temporary one.
    @param limits: the maximum sizes of pictures and files.
    @param proxies: see L{ResourceOptions}, as the others.
    """

    def __init__(
        self,
        state: ServerState,
        clock: IReactorTime,
        draw: Callable[[str], bytes] | None = None,
        pollTimeout: float = POLL_TIMEOUT,
        random: Random | None = None,
        folder: Path | None = None,
        limits: FileLimits = DEFAULT_LIMITS,
        proxies: Collection[str] = (),
        signup: SignUpRenderer | None = None,
        page: PageFiles | None = None,
        connections: ConnectionLimits = CONNECTION_LIMITS,
        send: Sender = sendReply,
        makeRequest: Callable[..., WebQQRequest] = WebQQRequest,
    ) -> None:
        super().__init__(
            clock,
            ResourceOptions(proxies, signup, page, connections, send, makeRequest),
        )
        random = random or SystemRandom()
        self._state = state
        self._sessions = state.sessions
        self._router = state.router
        self._sweeping: IDelayedCall | None = None
        self._cleanAt = 0.0
        self._blobs = BlobStore(folder)
        self._quotas = UploadQuotas(clock.seconds, limits)
        self._longPoll = LongPoll(state.router, clock, pollTimeout)
        self._commands = commands = CommandHandlers(
            state, clock, random, draw, self._blobs, limits
        )
        handlers = {**commands.byCommand, **handlersOf(self._longPoll)}
        files = FileSender(self._blobs, commands.offlineFiles.markFetched)
        sessions, media = state.sessions, state.store.media
        self._streamed = StreamedRequests(
            UploadStore(sessions, media, self._blobs, self._quotas, handlers),
            sessions,
            handlers,
            limits,
            files,
            proxies,
        )
        self._setHandlers(handlers, self._streamed.paths)
        # Sessions of an earlier run lapse as well.
        self._scheduleSweep()

    def setLimits(
        self, connections: ConnectionLimits, files: FileLimits, pollTimeout: float
    ) -> None:
        """
        Change the limits.
        """
        self.setConnectionLimits(connections)
        self._quotas.limits = self._commands.offlineFiles.limits = files
        self._streamed.setLimits(files)
        self._longPoll.setTimeout(pollTimeout)

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return f"{self._sessions.onlineCount} accounts online"

    def stop(self) -> None:
        """
        Answer all held polls, abort all file transfers, and leave nothing on the clock.
        Later requests get no reply.
        """
        self._stopped = True
        self._commands.relays.stop()
        self._blobs.close()
        self._longPoll.stop()
        self._commands.history.stop()
        self._state.storeTime()
        sweeping, self._sweeping = self._sweeping, None
        if sweeping is not None:
            sweeping.cancel()

    def _respond(
        self, request: Request, route: Route, query: bytes, body: bytes
    ) -> int | bytes:
        exchange = HTTPExchange(request, self._proxies)
        serial = self._router.lastSerial
        try:
            reply = self._handle(route, exchange, query, body)
        except Exception as e:
            self._state.onError(
                "The handler of {path} failed: {reason}; the reply is 500.",
                path=route.command.path,
                reason=str(e),
            )
            return refuse(request, FAULT, 500)
        if self._sweeping is None:
            self._scheduleSweep()
        if not isinstance(reply, (HeldReply, Deferred)) and self._router.hasDeliveries(
            serial
        ):
            reply = StoredReply(reply)
            self._router.whenStored(reply.stored)
        return self._reply(request, exchange, route.command, reply)

    def _handle(
        self, route: Route, exchange: HTTPExchange, query: bytes, body: bytes
    ) -> Any:
        try:
            command = route.command.decodeFields(Form.parse(query, body))
            caller = route.findCaller(self._sessions, command, exchange)
            if isinstance(caller, EndedSession):
                if route.command is Poll2:
                    return self._longPoll.refuse(caller)
                return unauthorizedReply(command, caller)
            return route.handler(command, caller, exchange)
        except MalformedReply as e:
            refusal = self._refuseMalformed(route, exchange, str(e))
            if route.command is Poll2:
                return self._longPoll.delay(refusal)
            return refusal

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        if self._stopped:
            return None
        return self._streamed.expect(request, uri, length, source)

    def _upload(self, request: Request) -> int | bytes | None:
        exchange = HTTPExchange(request, self._proxies)
        received = self._streamed.receive(request, exchange)
        if not isinstance(received, tuple):
            return received
        command, reply = received
        if self._sweeping is None:
            self._scheduleSweep()
        if isinstance(reply, Deferred):
            reply.addCallback(self._cbUploaded)
        return self._reply(request, exchange, command, reply)

    def _download(self, request: Request, path: bytes, query: bytes) -> int | bytes:
        return self._streamed.download(request, path, query)

    def _cbUploaded(self, reply: Any) -> Any:
        return self._whenStored(reply) if self._router.hasRouted else reply

    def _whenStored(self, reply: Any) -> Deferred[Any]:
        """
        Delay a reply until the events that the request has caused are in the
        database, and have been given to the polls of their recipients.
        """
        stored: Deferred[Any] = Deferred()
        self._router.whenStored(
            lambda isStored: stored.callback(reply if isStored else NOT_STORED)
        )
        return stored

    def _scheduleSweep(self) -> None:
        if self._sessions.hasTimers:
            self._sweeping = self._clock.callLater(SWEEP, self._cbSweep)

    def _cbSweep(self) -> None:
        self._sweeping = None
        self._state.sweep()
        if self._clock.seconds() >= self._cleanAt:
            self._cleanAt = self._clock.seconds() + CLEAN
            self._removeExpired()
        self._scheduleSweep()

    def _removeExpired(self) -> None:
        try:
            self._blobs.remove(self._commands.offlineFiles.removeExpired())
        except (sqlite3.Error, OSError) as e:
            self._state.onError(
                "Deleting expired files failed: {reason}; trying again in an hour.",
                reason=str(e),
            )
