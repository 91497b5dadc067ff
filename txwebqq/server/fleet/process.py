"""
One of several server processes with a database of PostgreSQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.server.commandhandlers import CommandHandlers
from txwebqq.server.commandresource import ResourceOptions
from txwebqq.server.fleet.cleaning import Cleaner
from txwebqq.server.fleet.exchange import InThread
from txwebqq.server.fleet.guards import FleetCaptchas
from txwebqq.server.fleet.listener import Listener
from txwebqq.server.fleet.polls import FleetPolls, PollingBackend
from txwebqq.server.fleet.resource import FleetResource
from txwebqq.server.fleet.state import FleetState
from txwebqq.server.fleet.worker import Backend, Job, Worker
from txwebqq.server.http.signup import SignUpForms, SignUpPage
from txwebqq.server.limits import ConnectionLimits
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.registration import Registration
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.storage.store import Store
from txwebqq.server.uploadquotas import FileLimits

SWEEP = 15.0
"""Interval between checks for lapsed sessions, in seconds."""

STOP_TIME = 20.0
"""Time within which the threads must end, in seconds: longer than a client waits for
any request, and shorter than systemd waits for the process."""

CLEAN = 3600.0
"""Interval between deletions of what has expired, in seconds."""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """
    The settings of a process.

    @ivar folder: the folder of pictures and files, which all processes have.
    @ivar draw: renders the image of a captcha from its text, L{None} without captchas.
    @ivar signUpPage: the sign-up page, L{None} for none.
    @ivar adjust: is called with each new state, to set its limits.
    @ivar inThread: calls a function in a thread that may wait for the disk.
    """

    folder: Path
    pollTimeout: float
    limits: FileLimits
    captcha: CaptchaMode
    captchaText: str | None
    sending: SendingLimits | None
    draw: Callable[[str], bytes] | None
    adjust: Callable[[FleetState], object]
    signUpPage: SignUpPage | None = None
    inThread: InThread = maybeDeferred


class _ThreadClock:
    """
    The time, for threads of workers: all is written at the end of a batch.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.seconds = clock.seconds

    def callLater(self, delay: float, call: Any, *arguments: Any, **named: Any) -> Any:
        return self

    def cancel(self) -> None:
        pass


class FleetProcess:
    """
    The parts of a server process, and its threads.

    @param connect: opens the database.
    @param call: calls a function with arguments in the reactor's thread.

    @ivar resource: the HTTP side.
    @ivar polls: the polls that this process holds.
    @ivar workers: the workers.
    @ivar listener: hears of the commits of all processes.
    @ivar onlineCount: the number of accounts that were online at the last sweep, on
        all processes; L{None} before the first.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Callable[[], Store],
        clock: IReactorTime,
        call: Callable[..., object],
        settings: FleetSettings,
        options: ResourceOptions,
        random: Random | None = None,
    ) -> None:
        self._clock = clock
        self._call = call
        self._settings = settings
        self._connect = connect
        self._random = random or SystemRandom()
        self._process = f"{self._random.getrandbits(64):016x}"
        self._threadClock: Any = _ThreadClock(clock)
        self._blobs = BlobStore(settings.folder, isShared=True)
        self.polling = self._worker("polls", self._buildPolling)
        self.reading = self._worker("reads", self._build)
        self.writing = self._worker("writes", self._build)
        self.onlineCount: int | None = None
        self.polls = FleetPolls(self.polling, clock, settings.pollTimeout)
        self.listener = Listener(
            connect, call, self.polls.wake, self._missed, clock.seconds
        )
        self.workers = (self.polling, self.reading, self.writing)
        stores = [connect() for _ in self.workers]
        for worker, store in zip(self.workers, stores, strict=True):
            worker.open(store)
        handlers = self._build(stores[2]).handlers
        self.resource = FleetResource(
            clock,
            options,
            handlers.byCommand,
            self.polls,
            self.reading,
            self.writing,
            self._blobs,
            settings.limits,
            settings.inThread,
            settings.signUpPage,
        )
        self._cleaner = Cleaner(self.reading, self.writing, self._blobs, clock.seconds)
        self._sweeping: IDelayedCall | None = None
        self._isSweeping = False
        self._cleanAt = clock.seconds() + CLEAN

    def _worker(self, name: str, build: Callable[[Store], Backend]) -> Worker:
        identity = f"{self._process} {name}"
        now = self._clock.seconds
        return Worker(name, self._connect, build, self._call, identity, now)

    def _state(self, store: Store) -> FleetState:
        settings = self._settings
        state = FleetState(
            store,
            self._threadClock,
            self._random,
            self._onError,
            settings.captcha,
            settings.captchaText,
            settings.sending,
            process=self._process,
        )
        settings.adjust(state)
        return state

    def _onError(self, text: str, **fields: Any) -> None:
        self._call(self._log.error, text, **fields)

    def _buildPolling(self, store: Store) -> Backend:
        # When PostgreSQL crashes, the last marks of polls are lost, and replies are
        # given again: that costs less than a wait for the disk in each poll.
        store.database.connection.execute("SET synchronous_commit = off")
        return PollingBackend(store, self._state(store))

    def _build(self, store: Store) -> Backend:
        state = self._state(store)
        settings = self._settings
        handlers = CommandHandlers(
            state,
            self._threadClock,
            self._random,
            settings.draw,
            self._blobs,
            settings.limits,
        )
        return Backend(store, state, handlers, self._signUpForms(store, state))

    def _signUpForms(self, store: Store, state: FleetState) -> SignUpForms | None:
        settings = self._settings
        if settings.signUpPage is None:
            return None
        captchas = FleetCaptchas(
            store.fleet.limits, state.now, self._random, settings.captchaText
        )
        return SignUpForms(Registration(store.accounts, captchas, state.makeLimiter))

    def start(self) -> None:
        """
        Start the threads.
        """
        for worker in self.workers:
            worker.start()
        self.listener.start()
        self.beginSweeps()

    def beginSweeps(self) -> None:
        """
        Do the regular jobs from now on.
        """
        self._sweeping = self._clock.callLater(SWEEP, self._cbSweep)

    def endSweeps(self) -> None:
        """
        Do the regular jobs no more.
        """
        sweeping, self._sweeping = self._sweeping, None
        if sweeping is not None:
            sweeping.cancel()

    def _cbSweep(self) -> None:
        self._sweeping = self._clock.callLater(SWEEP, self._cbSweep)
        self.polls.touch()
        if not self._isSweeping:
            # While the database is away, one waits.
            self._sweep()
        if self._clock.seconds() >= self._cleanAt:
            self._cleanAt = self._clock.seconds() + CLEAN
            self._cleaner.clean()

    def _sweep(self) -> None:
        self._isSweeping = True
        self.writing.submit(Job(_sweep, self._swept, self._cbSwept))

    def _cbSwept(self) -> None:
        self._isSweeping = False

    def _swept(self, result: tuple[int, bool]) -> None:
        self.onlineCount, hasMore = result
        if hasMore:
            self._sweep()

    def reload(self, settings: FleetSettings, connections: ConnectionLimits) -> None:
        """
        Change the limits. The others of the settings must be as before.
        """
        self._settings = settings
        self.resource.setLimits(connections, settings.limits, settings.pollTimeout)
        for worker in self.workers:
            worker.submit(Job(self._adjust))

    def _adjust(self, backend: Backend) -> None:
        settings = self._settings
        settings.adjust(backend.state)
        backend.state.sendingLimiter.setLimits(settings.sending)
        if backend.handlers is not None:
            backend.handlers.offlineFiles.limits = settings.limits

    def stop(self) -> None:
        """
        Answer all held polls, and leave nothing on the clock.
        """
        self.endSweeps()
        self.resource.stop()

    def join(self) -> None:
        """
        Wait until the threads have handled all requests, for L{STOP_TIME} at most.
        This blocks, and is called in a thread of its own.
        """
        parts = (self.writing, self.reading, self.polling, self.listener)
        for part in parts:
            part.end()
        end = time.monotonic() + STOP_TIME
        hasEnded = [part.join(max(0.0, end - time.monotonic())) for part in parts]
        if not all(hasEnded):
            self._call(
                self._log.warn,
                "The database has not answered within {seconds} s: what still waits "
                "for it gets no reply.",
                seconds=STOP_TIME,
            )

    def _missed(self) -> None:
        """
        Be told that notifications may have been lost: the database is there again.
        """
        self.polls.wakeAll()
        for worker in self.workers:
            if not worker.isConnected:
                # It may have nothing to do for long.
                worker.submit(Job(lambda _: None))

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return self.resource.status()


def _sweep(backend: Backend) -> tuple[int, bool]:
    state = backend.state
    state.sweep()
    return state.onlineCount, state.fleetSessions.hasMoreLapsed
