"""
C{twistd webqq-server}: the options and the service of a WebQQ server.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from txwebqq.config.endpoints import checkEndpoint
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
from txwebqq.operation.options import OperationOptions, operationService
from txwebqq.server import population
from txwebqq.server.domain.authenticator import GUESSES
from txwebqq.server.domain.history import DAYS, KEEP
from txwebqq.server.domain.state import ServerState
from txwebqq.server.errorlog import ErrorLog
from txwebqq.server.faults.faultsfile import MAX_SEED, readFaults
from txwebqq.server.faults.injection import FaultyResource
from txwebqq.server.faults.plan import FaultPlan
from txwebqq.server.http.proxies import normal
from txwebqq.server.http.signup import SignUpPage
from txwebqq.server.limits import ConnectionLimits, raiseDescriptorLimit
from txwebqq.server.records import Population
from txwebqq.server.resource import POLL_TIMEOUT, WebQQResource
from txwebqq.server.sessions.captchas import CaptchaMode, captchaRenderer
from txwebqq.server.sessions.registration import Registration
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.statistics import ServerStatistics
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.server.uploadquotas import FileLimits
from txwebqq.sqlite.database import MEMORY
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager

OPEN = "open"

LISTEN = "tcp:8890:interface=127.0.0.1"

BACKLOG = 1024
"""Number of connections that may wait to be accepted: after a network failure
all clients reconnect at once."""

FLUSH_TIME = 0.2
"""Seconds for the last replies to be sent before the server stops."""


class Options(OperationOptions):
    """
    The options of C{twistd webqq-server}.
    """

    command = "twistd webqq-server"
    synopsis = "[options]"
    longdesc = (
        "Run a WebQQ 3.0 server. A population file is imported at each start: "
        "what is new is added to the database, nothing is changed or removed."
    )

    optParameters = [
        ["database", None, None, "SQLite file; without it all data is in memory."],
        ["population", None, None, "TOML file of accounts, friendships and groups."],
        ["captcha", None, "suspicious", "When to ask: never, always, suspicious."],
        ["captcha-text", None, None, "Text of all captchas, for tests only."],
        ["wrong-passwords", None, f"{GUESSES}", "Guesses of an address in 10 minutes."],
        ["poll-timeout", None, f"{POLL_TIMEOUT:g}", "Seconds to hold a poll."],
        [
            "message-rate",
            None,
            f"{SendingLimits().messages}",
            "Messages of an account in a minute; 0 for any number.",
        ],
        ["signup", None, "closed", "Whether /signup creates accounts: open, closed."],
        ["history", None, f"{KEEP}", "Messages to keep of a conversation."],
        ["history-days", None, f"{DAYS}", "Days to keep messages."],
        ["max-file", None, "100", "Maximum size of an offline or shared file, in MiB."],
        ["daily-uploads", None, "1024", "MiB that an account may upload in a day."],
        ["address-connections", None, "4000", "Connections that an address may open."],
        [
            "address-requests",
            None,
            "500",
            "Requests that an address may send a second.",
        ],
        ["faults", None, None, "TOML file of faults on purpose, for tests only."],
        ["faults-seed", None, None, "Seed of the faults, in place of the file's."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []
        self["proxies"] = set()

    def opt_listen(self, endpoint: str) -> None:
        """
        Endpoint to listen on; may be given repeatedly.
        [default: tcp:8890:interface=127.0.0.1]
        """
        self["listen"].append(endpoint)

    def opt_trusted_proxy(self, address: str) -> None:
        """
        Reverse proxy to trust: an IP address, or unix; may be given repeatedly.
        """
        try:
            self["proxies"].add(normal(address))
        except ValueError as e:
            raise UsageError(f"--trusted-proxy is not an IP address: {address}") from e

    def postOptions(self) -> None:
        """
        Convert and check the values; open the database and import the population.

        @raise UsageError: when an option is invalid; names the option.
        """
        try:
            self["endpoints"] = [
                (text, _endpoint(text)) for text in self["listen"] or [LISTEN]
            ]
            self["timeout"] = _seconds(self["poll-timeout"])
            self["limits"] = _limits(self["max-file"], self["daily-uploads"])
            self["connections"] = _connections(
                self["address-connections"], self["address-requests"]
            )
            self["keep"] = _count("--history", self["history"], 0, 1_000_000)
            self["days"] = _count("--history-days", self["history-days"], 1, 36_500)
            self.readLogs()
            self["operation"] = self.readOperation()
            guesses = self["wrong-passwords"]
            self["guesses"] = _count("--wrong-passwords", guesses, 1, 1_000_000)
            rate = _count("--message-rate", self["message-rate"], 0, 1_000_000)
            self["sending"] = SendingLimits.perMinute(rate) if rate else None
            self["mode"] = _mode(self["captcha"])
            _checkText(self["captcha-text"])
            isNever = self["mode"] is CaptchaMode.NEVER
            isOpen = _isOpen(self["signup"])
            self["plan"] = _faults(self["faults"], self["faults-seed"])
            self["draw"] = None if isNever and not isOpen else captchaRenderer()
            imported, self["warning"] = _loadPopulation(self["population"])
            twistd: Any = self.parent or {}
            if self["database"] is not None and not twistd.get("chroot"):
                # The service opens it again, after twistd has gone to --rundir.
                self["database"] = str(Path(self["database"]).absolute())
            with asDaemonUser(twistd):
                self["store"], self["copy"] = _openStore(
                    self["database"], self["population"], imported
                )
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


class ServerService(Service):
    """
    The server as a service: it listens while the service runs.

    @ivar statistics: the counts of an endpoint for operators, L{None} without one.
    """

    _log = Logger()

    def __init__(self, options: Options, reactor: IReactorTime) -> None:
        self._options = options
        self._logFileOwner = LogFileOwner(options.parent)
        self._reactor = reactor
        self._store: Store | None = None
        self._server: WebQQResource | None = None
        self._faulty: FaultyResource | None = None
        self._ports: list[IListeningPort] = []
        self._listenError: str | None = None
        self.statistics: ServerStatistics | None = None
        if options["operation"] is not None:
            self.statistics = ServerStatistics(self._isListening)

    def _isListening(self) -> bool:
        return len(self._ports) == len(self._options["endpoints"])

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return "stopped" if self._server is None else self._server.status()

    def privilegedStartService(self) -> None:
        """
        Open the database, and listen.

        @raise StartupError: when either fails.
        """
        options = self._options
        self._logFileOwner.privilegedStartService()
        try:
            with asDaemonUser(options.parent or {}):
                self._server = server = self._open(options)
        except InvalidConfiguration as e:
            raise StartupError(str(e)) from e
        site = server.site()
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
        state = ServerState(
            store,
            self._reactor,
            random,
            ErrorLog(self._log, now).failure,
            captcha=options["mode"],
            captchaText=text,
            sending=options["sending"],
        )
        state.authenticator.limitGuesses(options["guesses"])
        state.recorder.keep = options["keep"]
        state.recorder.days = options["days"]
        signup = None
        if options["signup"] == OPEN:
            signup = SignUpPage(
                Registration(store.accounts, now, random, text), options["draw"]
            )
        database = options["database"]
        watching: dict[str, Any] = {}
        if statistics is not None:
            watching = {"send": statistics.send, "makeRequest": statistics.makeRequest}
        server = WebQQResource(
            state,
            self._reactor,
            options["draw"],
            pollTimeout=options["timeout"],
            folder=None if database is None else Path(f"{database}.files"),
            limits=options["limits"],
            proxies=frozenset(options["proxies"]),
            signup=signup,
            connections=replace(options["connections"], total=raiseDescriptorLimit()),
            **watching,
        )
        if statistics is not None:
            statistics.opened(state, server.handlers)
        return server

    def startService(self) -> None:
        """
        Log the settings that an operator should know.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if self._server is None:
            self.privilegedStartService()
        options = self._options
        if options["database"] is None:
            self._log.info(
                "All data is in memory and is lost when this process ends; "
                "use --database to keep it."
            )
        else:
            self._log.info("The database is {file}.", file=options["database"])
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
        if server is not None:
            server.stop()
            # The last replies are written in the next turns of the reactor.
            await deferLater(self._reactor, FLUSH_TIME)
        if self.statistics is not None:
            self.statistics.closed()
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


def makeService(options: Options) -> IService:
    """
    Make the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    clock: Any = reactor
    twistd: Any = options.parent or {}
    clock.callWhenRunning(handleSignals, clock, bool(twistd.get("nodaemon")))
    manager = takeServiceManager(os.environ)
    server = ServerService(options, clock)
    daemon = Daemon(twistd, partial(options.logs.makeObserver, clock))
    server.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    notifyServiceManager(manager, daemon, server.status, clock)
    if server.statistics is None:
        return daemon
    try:
        operation = operationService(options["operation"], [server.statistics], clock)
    except InvalidConfiguration as e:
        raise StartupError(str(e)) from e
    operation.setServiceParent(daemon)
    return daemon


def _endpoint(text: str) -> str:
    endpoint = text
    if re.match("(tcp6?|ssl):", text) and "backlog=" not in text:
        endpoint += f":backlog={BACKLOG}"
    try:
        checkEndpoint(endpoint)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--listen {text}: {e}") from e
    return endpoint


def _loadPopulation(file: str | None) -> tuple[Population, str]:
    """
    Read a population, and the warning for the log when others can read its
    passwords, else C{""}. The service cannot read the file when it starts: twistd
    has gone to C{--rundir} by then, and runs as the user of C{--uid}.
    """
    if file is None:
        return Population(), ""
    return population.load(file), population.exposure(file)


def _openStore(
    database: str | None, file: str | None, imported: Population
) -> tuple[Store | None, Path | None]:
    """
    Open the database and import a population.

    @param file: the name of the population file.

    @return: the store, if it is in memory, or L{None} for a database file, which
        is opened again when the service starts, since twistd may have changed the
        process by then; and the copy that was made for an upgrade.
    """
    store = Store(database or MEMORY)
    try:
        importPopulation(store, imported)
    except InvalidConfiguration as e:
        store.close()
        raise InvalidConfiguration(f"{file}: {e}") from e
    if database is None:
        return store, None
    store.close()
    return None, store.copy


def _faults(file: str | None, seed: str | None) -> FaultPlan | None:
    if file is None:
        if seed is not None:
            raise InvalidConfiguration("--faults-seed needs --faults")
        return None
    number = None if seed is None else _count("--faults-seed", seed, 0, MAX_SEED)
    return readFaults(file, number)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:
        raise InvalidConfiguration(f"--poll-timeout is not from 0 to 3600: {text}")
    return seconds


def _limits(file: str, daily: str) -> FileLimits:
    size = _bytes("--max-file", file)
    return FileLimits(file=size, daily=max(size, _bytes("--daily-uploads", daily)))


def _connections(connections: str, rate: str) -> ConnectionLimits:
    most = _count("--address-connections", connections, 1, 1_000_000)
    requests = _count("--address-requests", rate, 1, 1_000_000)
    return ConnectionLimits(connections=most, rate=requests, burst=10 * requests)


def _bytes(option: str, text: str) -> int:
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = 0.0
    if not 0.0 < megabytes <= 1_000_000.0:
        raise InvalidConfiguration(f"{option} is not from 0 to 1000000: {text}")
    return int(megabytes * 1024 * 1024)


def _count(option: str, text: str, least: int, most: int) -> int:
    isNumber = text.isascii() and text.isdigit() and len(text) < 10
    if not isNumber or not least <= int(text) <= most:
        raise InvalidConfiguration(f"{option} is not from {least} to {most}: {text}")
    return int(text)


def _isOpen(word: str) -> bool:
    if word not in (OPEN, "closed"):
        raise InvalidConfiguration(f"--signup is none of open, closed: {word}")
    return word == OPEN


def _mode(word: str) -> CaptchaMode:
    try:
        return CaptchaMode(word)
    except ValueError as e:
        words = ", ".join(mode.value for mode in CaptchaMode)
        raise InvalidConfiguration(f"--captcha is none of {words}: {word}") from e


def _checkText(text: str | None) -> None:
    if text is not None and not re.fullmatch("[A-Za-z0-9]{4,16}", text):
        raise InvalidConfiguration(
            f"--captcha-text is not 4 to 16 of A-Z, a-z and 0-9: {text}"
        )
