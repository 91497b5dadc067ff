"""
C{twistd webqq-server}: a WebQQ server of your own.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from txwebqq.daemon import StartupError, exitCleanlyOnSigterm, listenErrorText
from txwebqq.errors import InvalidConfiguration
from txwebqq.server import population
from txwebqq.server.domain.filetransfers import FileLimits
from txwebqq.server.domain.history import DAYS, KEEP
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.proxies import normal
from txwebqq.server.http.signup import SignUpPage
from txwebqq.server.records import Population
from txwebqq.server.resource import POLL_TIMEOUT, WebQQResource
from txwebqq.server.sessions.captchaimages import captchaRenderer
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.registration import Registration
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import MEMORY

OPEN = "open"

LISTEN = "tcp:8890:interface=127.0.0.1"

BACKLOG = 1024
"""How many connections may wait to be accepted: everybody comes back at once
when the network does."""

FAREWELL = 0.2
"""The seconds that last answers have to leave."""


class Options(UsageOptions):
    """
    What C{twistd webqq-server} can be told.
    """

    synopsis = "[options]"
    longdesc = (
        "Run a WebQQ 3.0 server. A population file is merged into the database: "
        "who is new is added, nobody is removed."
    )

    optParameters = [
        ["listen", None, LISTEN, "The endpoint to listen on."],
        ["database", None, None, "The file to keep everything in."],
        ["population", None, None, "A TOML file of people, friends and groups."],
        ["captcha", None, "suspicious", "Who reads one: never, always, suspicious."],
        ["captcha-text", None, None, "The text of all captchas, for tests only."],
        ["poll-timeout", None, f"{POLL_TIMEOUT:g}", "The seconds a poll is held."],
        ["signup", None, "closed", "Who may make an account at /signup: open, closed."],
        ["history", None, f"{KEEP}", "The messages kept of a conversation."],
        ["history-days", None, f"{DAYS}", "For how many days they are kept."],
        ["max-file", None, "100", "The megabytes of a file that waits for somebody."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["proxies"] = set()

    def opt_trusted_proxy(self, address: str) -> None:
        """
        A reverse proxy whose X-Forwarded-For says where a client is; unix is
        whoever comes through a UNIX socket. May be given several times.
        """
        try:
            self["proxies"].add(normal(address))
        except ValueError as e:
            raise UsageError(f"--trusted-proxy is no address: {address}") from e

    def postOptions(self) -> None:
        """
        Make what the options stand for, or say which one does not.
        """
        try:
            self["endpoint"] = _endpoint(self["listen"])
            self["timeout"] = _seconds(self["poll-timeout"])
            self["limits"] = _limits(self["max-file"])
            self["keep"] = _count("--history", self["history"], 0, 1_000_000)
            self["days"] = _count("--history-days", self["history-days"], 1, 36_500)
            self["mode"] = _mode(self["captcha"])
            _checkText(self["captcha-text"])
            isNever = self["mode"] is CaptchaMode.NEVER
            isOpen = _isOpen(self["signup"])
            self["draw"] = None if isNever and not isOpen else captchaRenderer()
            described = _described(self["population"])
            with _asServant(self):
                self["store"], self["copy"] = _store(
                    self["database"], self["population"], described
                )
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


class ServerService(Service):
    """
    A server that listens while the service runs.
    """

    _log = Logger()

    def __init__(self, options: Options, reactor: IReactorTime) -> None:
        self._options = options
        self._reactor = reactor
        self._store: Store | None = None
        self._server: WebQQResource | None = None
        self._port: IListeningPort | None = None
        self._trouble: str | None = None

    def privilegedStartService(self) -> None:
        """
        Open the database, and listen.
        """
        options = self._options
        try:
            with _asServant(options):
                self._server = server = self._open(options)
        except InvalidConfiguration as e:
            raise StartupError(str(e)) from e
        endpoint = serverFromString(self._reactor, options["endpoint"])
        listening: Deferred[IListeningPort] = endpoint.listen(server.site())
        listening.addCallbacks(self._cbListening, self._ebListening)
        if self._trouble is not None:
            raise StartupError(self._trouble)

    def _open(self, options: Options) -> WebQQResource:
        store = self._store = options["store"] or Store(options["database"])
        now, random, text = (
            self._reactor.seconds,
            SystemRandom(),
            options["captcha-text"],
        )
        state = ServerState(
            store,
            self._reactor,
            random,
            self._log.failure,
            captcha=options["mode"],
            captchaText=text,
        )
        state.recorder.keep = options["keep"]
        state.recorder.days = options["days"]
        signup = None
        if options["signup"] == OPEN:
            signup = SignUpPage(
                Registration(store.accounts, now, random, text), options["draw"]
            )
        database = options["database"]
        return WebQQResource(
            state,
            self._reactor,
            options["draw"],
            pollTimeout=options["timeout"],
            folder=None if database is None else Path(f"{database}.files"),
            limits=options["limits"],
            proxies=frozenset(options["proxies"]),
            signup=signup,
        )

    def startService(self) -> None:
        """
        Say what there is to know.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if self._server is None:
            self.privilegedStartService()
        options = self._options
        if options["database"] is None:
            self._log.info(
                "Everything is in memory and ends with this process; "
                "use --database to keep it."
            )
        else:
            self._log.info("The database is {file}.", file=options["database"])
        if options["copy"] is not None:
            self._log.info(
                "The database was upgraded; what it was is in {file}.",
                file=options["copy"],
            )
        if options["signup"] == OPEN:
            self._log.info("Everybody may sign up at /signup.")
        if options["captcha-text"] is not None:
            self._log.warn(
                "All captchas have the same text (--captcha-text): "
                "they keep nobody out, use this for tests only."
            )

    def _cbListening(self, port: IListeningPort) -> None:
        self._port = port
        host: Any = port.getHost()
        where = getattr(host, "name", None) or f"{host.host}:{host.port}"
        self._log.info("The WebQQ server listens on {where}.", where=where)

    def _ebListening(self, failure: Failure) -> None:
        reason = listenErrorText(failure.value)
        self._trouble = f"Cannot listen on {self._options['listen']}: {reason}"

    async def _stop(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            # What was written last leaves in the reactor's next turns.
            await deferLater(self._reactor, FAREWELL)
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def stopService(self) -> Deferred[None]:
        """
        Answer what is held, and close the database.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())


def makeService(options: Options) -> IService:
    """
    The service that C{twistd} runs.
    """
    from twisted.internet import reactor

    clock: Any = reactor
    clock.callWhenRunning(exitCleanlyOnSigterm, clock)
    return ServerService(options, clock)


@contextmanager
def _asServant(options: Options) -> Iterator[None]:
    """
    Be whom C{twistd --uid} names, who must own what we write: twistd itself
    changes over only after the privileged start.
    """
    twistd: Any = options.parent or {}
    uid, gid = twistd.get("uid"), twistd.get("gid")
    if uid is None or os.geteuid() != 0:
        yield
        return
    if gid is None:
        try:
            gid = pwd.getpwuid(uid).pw_gid
        except KeyError:
            gid = os.getegid()
    formerGid, formerGroups = os.getegid(), os.getgroups()
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(formerGid)
        os.setgroups(formerGroups)


def _endpoint(text: str) -> str:
    endpoint = text
    if re.match("(tcp6?|ssl):", text) and "backlog=" not in text:
        endpoint += f":backlog={BACKLOG}"
    try:
        # The reactor is only kept for later.
        serverFromString(None, endpoint)
    except Exception as e:
        reason = f"{type(e).__name__}: {e}"
        raise InvalidConfiguration(f"--listen {text}: {reason}") from e
    return endpoint


def _described(people: str | None) -> Population:
    return Population() if people is None else population.load(people)


def _store(
    database: str | None, people: str | None, described: Population
) -> tuple[Store | None, Path | None]:
    """
    Everything that is in memory; L{None} for a database, which is opened anew
    when the service starts, since by then the process may be another one.
    Whatever is wrong with it is told now.

    @return: and the copy that was made of an older one.
    """
    store = Store(database or MEMORY)
    try:
        importPopulation(store, described)
    except InvalidConfiguration as e:
        store.close()
        raise InvalidConfiguration(f"{people}: {e}") from e
    if database is None:
        return store, None
    store.close()
    return None, store.copy


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:
        raise InvalidConfiguration(f"--poll-timeout is not from 0 to 3600: {text}")
    return seconds


def _limits(text: str) -> FileLimits:
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = 0.0
    if not 0.0 < megabytes <= 1_000_000.0:
        raise InvalidConfiguration(f"--max-file is not from 0 to 1000000: {text}")
    size = int(megabytes * 1024 * 1024)
    return FileLimits(file=size, daily=max(size, FileLimits().daily))


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
            f"--captcha-text is not 4 to 16 letters or digits: {text}"
        )
