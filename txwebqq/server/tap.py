"""
C{twistd webqq-server}: the service of a WebQQ server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.daemon import (
    Daemon,
    LogFileOwner,
    StartupError,
    asDaemonUser,
    escapeUnencodable,
    handleSignals,
    listenErrorText,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.certificates import ReloadingReactor
from txwebqq.operation.metrics import Source
from txwebqq.operation.options import operationService
from txwebqq.operation.reload import daemonReloader
from txwebqq.server.commandresource import CommandResource, ResourceOptions
from txwebqq.server.domain.state import ServerState
from txwebqq.server.errorlog import ErrorLog
from txwebqq.server.faults.injection import FaultyResource
from txwebqq.server.http.connections import WatchedSite
from txwebqq.server.http.signup import SignUp, SignUpForms, SignUpPage
from txwebqq.server.limits import ConnectionLimits, raiseDescriptorLimit
from txwebqq.server.options import OPEN
from txwebqq.server.options import Options as Options
from txwebqq.server.page.files import PageFiles
from txwebqq.server.resource import WebQQResource
from txwebqq.server.sessions.captchas import Captchas
from txwebqq.server.sessions.registration import Registration
from txwebqq.server.statistics import ServerStatistics
from txwebqq.server.storage.store import Store
from txwebqq.steadytimers import steadyTimers
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager

if TYPE_CHECKING:
    from txwebqq.server.fleet.process import FleetProcess, FleetSettings
    from txwebqq.server.fleet.statistics import FleetStatistics

FLUSH_TIME = 0.2
"""Seconds for the last replies to be sent before the server stops."""


RELOADABLE = (
    "address-connections",
    "address-requests",
    "daily-uploads",
    "history",
    "history-days",
    "max-file",
    "message-rate",
    "poll-timeout",
    "wrong-passwords",
)
"""The options that can change while the server runs, besides those of all daemons."""


class ServerService(Service):
    """
    The server as a service: it listens while the service runs.

    @ivar statistics: the counts of an endpoint for operators, L{None} without one.
    @ivar sources: all counts that it has.
    """

    _log = Logger()

    def __init__(self, options: Options, reactor: IReactorTime) -> None:
        self._options = options
        self._logFileOwner = LogFileOwner(options.parent)
        self._reactor = reactor
        self._store: Store | None = None
        self._server: WebQQResource | None = None
        self._state: ServerState | None = None
        self._fleet: FleetProcess | None = None
        self._faulty: FaultyResource | None = None
        self._site: WatchedSite | None = None
        self._ports: list[IListeningPort] = []
        self._listenError: str | None = None
        self.statistics: ServerStatistics | None = None
        self._fleetStatistics: FleetStatistics | None = None
        self.sources: list[Source] = []
        if options["operation"] is not None:
            self.statistics = ServerStatistics(self._isListening)
            self.sources.append(self.statistics)
            if options["isFleet"]:
                from txwebqq.server.fleet.statistics import FleetStatistics

                self._fleetStatistics = FleetStatistics()
                self.sources.append(self._fleetStatistics)

    def _isListening(self) -> bool:
        return len(self._ports) == len(self._options["endpoints"])

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        server = self._server or self._fleet
        return "stopped" if server is None else server.status()

    def privilegedStartService(self) -> None:
        """
        Open the database, and listen.

        @raise StartupError: when either fails.
        """
        options = self._options
        self._logFileOwner.privilegedStartService()
        try:
            with asDaemonUser(options.parent or {}):
                server: CommandResource
                if options["isFleet"]:
                    self._fleet = self._openFleet(options)
                    server = self._fleet.resource
                else:
                    self._server = server = self._open(options)
        except InvalidConfiguration as e:
            raise StartupError(str(e)) from e
        site = self._site = server.site()
        if options["plan"] is not None:
            self._faulty = FaultyResource(server, options["plan"], self._reactor)
            site.resource = self._faulty
        for text, endpoint in options["endpoints"]:
            reactor = ReloadingReactor(self._reactor, endpoint)
            listening: Deferred[IListeningPort] = serverFromString(
                reactor, endpoint
            ).listen(site)
            listening.addCallbacks(
                self._cbListening, self._ebListening, errbackArgs=(text,)
            )
            if self._listenError is not None:
                raise StartupError(self._listenError)

    def _open(self, options: Options) -> WebQQResource:
        store = self._store = options["store"] or Store(
            options["database"], isChecked=True
        )
        statistics = self.statistics
        if statistics is not None:
            statistics.watchStore(store)
        now, random, text = (
            self._reactor.seconds,
            SystemRandom(),
            options["captcha-text"],
        )
        self._state = state = ServerState(
            store,
            self._reactor,
            random,
            ErrorLog(self._log, now).failure,
            captcha=options["mode"],
            captchaText=text,
            sending=options["sending"],
        )
        _adjust(options, state)
        signup = None
        if options["signup"] == OPEN:
            captchas = Captchas(now, random, text)
            registration = Registration(store.accounts, captchas, state.makeLimiter)
            signup = SignUp(SignUpForms(registration), _signUpPage(options))
        database = options["database"]
        watching: dict[str, Any] = {}
        if statistics is not None:
            watching = {"send": statistics.send, "makeRequest": statistics.makeRequest}
        server = WebQQResource(
            state,
            self._reactor,
            options["draw"],
            pollTimeout=options["timeout"],
            folder=_folderOf(database, options["files"]),
            limits=options["limits"],
            proxies=frozenset(options["proxies"]),
            signup=signup,
            page=options["pageFiles"],
            connections=replace(options["connections"], total=raiseDescriptorLimit()),
            **watching,
        )
        if statistics is not None:
            statistics.opened(state, server.handlers)
        return server

    def _openFleet(self, options: Options) -> FleetProcess:
        # It needs an extra.
        from txwebqq.server.fleet.process import FleetProcess

        url, password = options["database"], options["password"]
        watching: dict[str, Any] = {}
        if self.statistics is not None:
            watching = {
                "send": self.statistics.send,
                "makeRequest": self.statistics.makeRequest,
            }
        clock: Any = self._reactor
        process = FleetProcess(
            lambda: Store(url, password=password, hasPeers=True),
            clock,
            clock.callFromThread,
            _fleetSettings(options, options),
            ResourceOptions(
                proxies=frozenset(options["proxies"]),
                page=options["pageFiles"],
                connections=replace(
                    options["connections"], total=raiseDescriptorLimit()
                ),
                **watching,
            ),
        )
        if self.statistics is not None and self._fleetStatistics is not None:
            self.statistics.opened(None, process.resource.handlers)
            self._fleetStatistics.opened(process)
        return process

    def reload(self, options: Options) -> Mapping[str, bool]:
        """
        Change the limits of the running server.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        server, state, fleet = self._server, self._state, self._fleet
        connections: ConnectionLimits = options["connections"]
        if fleet is not None:
            settings = _fleetSettings(options, self._options)
            fleet.reload(settings, connections)
        elif server is not None and state is not None:
            server.setLimits(connections, options["limits"], options["timeout"])
            _adjust(options, state)
            state.sendingLimiter.setLimits(options["sending"])
        else:
            return {}
        page: PageFiles | None = self._options["pageFiles"]
        if page is not None:
            page.setLimits(options.pageLimits)
        return {f"server.{name}": False for name in RELOADABLE}

    def startService(self) -> None:
        """
        Log the settings that an operator should know.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if self._server is None and self._fleet is None:
            self.privilegedStartService()
        if self._fleet is not None:
            # After twistd has forked.
            self._fleet.start()
        options = self._options
        if options["database"] is None:
            self._log.info(
                "All data is in memory and is lost when this process ends; "
                "use --database to keep it."
            )
        else:
            self._log.info("The database is {file}.", file=self._databaseName())
        if options["warning"]:
            self._log.warn("{warning}", warning=options["warning"])
        if options["copy"] is not None:
            self._log.info(
                "The database was upgraded; a copy of the old one is in {file}.",
                file=options["copy"],
            )
        if options["signup"] == OPEN:
            self._log.info("Everyone can create an account at /signup (--signup open).")
        if options["captcha-text"] is not None:
            self._log.warn(
                "All captchas have the same text (--captcha-text) and protect "
                "nothing; use this option for tests only."
            )
        if options["plan"] is not None:
            self._log.warn(
                "FAULTS ON PURPOSE ARE ON (--faults {file}, rules: {count}, seed: "
                "{seed}): clients lose connections, replies and sessions; use this "
                "option for tests only.",
                file=options["faults"],
                count=len(options["plan"].rules),
                seed=options["plan"].seed,
            )

    def _databaseName(self) -> str:
        database: str = self._options["database"]
        if not self._options["isFleet"]:
            return database
        from txwebqq.postgresql.database import shownURL

        return shownURL(database)

    def _cbListening(self, port: IListeningPort) -> None:
        self._ports.append(port)
        host: Any = port.getHost()
        name = getattr(host, "name", None)
        where = os.fsdecode(name) if name else f"{host.host}:{host.port}"
        self._log.info("The WebQQ server listens on {where}.", where=where)

    def _ebListening(self, failure: Failure, endpoint: str) -> None:
        reason = listenErrorText(failure.value)
        self._listenError = f"Cannot listen on {endpoint}: {reason}"

    async def _stop(self) -> None:
        ports, self._ports = self._ports, []
        for port in ports:
            await maybeDeferred(port.stopListening)
        server, self._server = self._server, None
        faulty, self._faulty = self._faulty, None
        if faulty is not None:
            faulty.stop()
        fleet, self._fleet = self._fleet, None
        if fleet is not None:
            fleet.stop()
            if self._site is not None:
                # Before more requests come on them: another process takes these.
                self._site.close()
            await deferToThread(fleet.join)
            fleet.resource.stopped()
            await deferLater(self._reactor, FLUSH_TIME)
        if server is not None:
            server.stop()
            # The last replies are written in the next turns of the reactor.
            await deferLater(self._reactor, FLUSH_TIME)
        if self.statistics is not None:
            self.statistics.closed()
        if self._fleetStatistics is not None:
            self._fleetStatistics.opened(None)
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, answer the polls that are held, and close the database.

        @return: fires when the database is closed.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())


def _adjust(options: Options, state: ServerState) -> None:
    state.authenticator.limitGuesses(options["guesses"])
    state.recorder.keep = options["keep"]
    state.recorder.days = options["days"]


def _signUpPage(options: Options) -> SignUpPage:
    return SignUpPage(options["draw"], hasPage=options["pageFiles"] is not None)


def _fleetSettings(options: Options, first: Options) -> FleetSettings:
    """
    Return the settings of one of several processes.

    @param first: the options at the start, which have what a reload does not read.
    """
    from txwebqq.server.fleet.process import FleetSettings

    return FleetSettings(
        folder=Path(options["files"]),
        pollTimeout=options["timeout"],
        limits=options["limits"],
        captcha=options["mode"],
        captchaText=options["captcha-text"],
        sending=options["sending"],
        draw=first["draw"],
        signUpPage=_signUpPage(first) if first["signup"] == OPEN else None,
        adjust=partial(_adjust, options),
        inThread=deferToThread,
    )


def _folderOf(database: str | None, files: str | None) -> Path | None:
    if files is not None:
        return Path(files)
    return None if database is None else Path(f"{database}.files")


def makeService(options: Options) -> IService:
    """
    Make the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    clock: Any = reactor
    twistd: Any = options.parent or {}
    steadyTimers(clock)
    manager = takeServiceManager(os.environ)
    server = ServerService(options, clock)
    daemon = Daemon(twistd, partial(options.logs.makeObserver, clock))
    server.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    notifyServiceManager(manager, daemon, server.status, clock)
    operation = None
    if server.statistics is not None:
        try:
            operation = operationService(options["operation"], server.sources, clock)
        except InvalidConfiguration as e:
            raise StartupError(str(e)) from e
        operation.setServiceParent(daemon)
    reload = daemonReloader(options, daemon, operation, server.reload)
    isForeground = bool(twistd.get("nodaemon"))
    clock.callWhenRunning(handleSignals, clock, isForeground, reload)
    return daemon
