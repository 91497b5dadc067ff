"""
C{twistd webqq}: keeps one account signed on, and runs an application.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.reflect import namedAny
from twisted.python.usage import UsageError

from txwebqq.accounts import (
    Access,
    AccountMaker,
    OneBotAccess,
    WebQQAccess,
    makeAccount,
)
from txwebqq.config.command import parseCommand
from txwebqq.config.passwordfile import (
    PASSWORD_VARIABLE,
    readPasswordFile,
    takePasswordVariable,
)
from txwebqq.daemon import (
    Daemon,
    StartupError,
    asDaemonUser,
    escapeUnencodable,
    handleSignals,
)
from txwebqq.errors import CaptchaUnsolved, InvalidConfiguration, WebQQError
from txwebqq.interfaces import IAccountService, IWebQQFactory
from txwebqq.model import (
    Account,
    Event,
    GroupMessage,
    Message,
    Number,
    Status,
    StatusChange,
    Uin,
)
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.captchas.options import CaptchaOptions, CaptchaWays
from txwebqq.operation.maker import OperatedAccounts
from txwebqq.operation.metrics import Source
from txwebqq.operation.options import OperationOptions, operationService
from txwebqq.operation.queues import WatchedQueues
from txwebqq.outbox.options import QueueOptions
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.session.interfaces import Era
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager


class LoggingProtocol(WebQQProtocol):
    """
    Logs the type and the ids of each event, and the texts of messages on
    request.
    """

    _log = Logger()

    def connectionMade(self) -> None:
        """
        Forget the numbers of friends, whose uins are new.
        """
        self._numbers: dict[Uin, Number] = {}

    def signedOn(self) -> None:
        """
        Log the number of friends and groups.
        """
        self._log.info(
            "Roster loaded (account {number}): {friends} friends, {groups} groups.",
            number=self.account.number,
            friends=len(self.buddies),
            groups=len(self.groups),
        )

    def eventReceived(self, event: Event) -> object:
        """
        Log an event before it is dispatched.
        """
        shown = ""
        match event:
            case Message():
                about = f"from {event.sender}, id {event.messageId}"
                shown = event.text
            case GroupMessage():
                about = f"from {event.sender} in {event.group}, id {event.messageId}"
                shown = event.text
            case StatusChange():
                # The number has to be fetched.
                return super().eventReceived(event)
            case _:
                about = f"of {uin}" if (uin := getattr(event, "uin", None)) else ""
        self._log.info("{kind} {about}", kind=type(event).__name__, about=about)
        if shown and getattr(self.factory, "logText", False):
            self._log.info("Text: {text}", text=shown)
        return super().eventReceived(event)

    async def statusChanged(self, change: StatusChange) -> None:
        """
        Log the new status of a friend.
        """
        uin = change.uin
        if uin not in self._numbers:
            try:
                self._numbers[uin] = await self.fetchNumber(uin)
            except WebQQError:
                # The line is worth more than the number.
                self._numbers[uin] = Number(0)
        buddy = self.buddies.get(uin)
        self._log.info(
            "{nick} ({number}) is {status}.",
            nick=buddy.nick if buddy else "A friend",
            number=self._numbers[uin] or "number unknown",
            status=change.status.value,
        )


class LoggingFactory(WebQQFactory):
    """
    The default application.

    @ivar logText: whether to log the texts of messages.
    """

    protocol = LoggingProtocol
    logText = False


class Options(QueueOptions, CaptchaOptions, OperationOptions):
    """
    Command-line options of C{twistd webqq}.

    @ivar account: the account, with its password and presence status.
    @ivar factory: the application.
    @ivar access: how the account reaches QQ.
    @ivar operation: the endpoint for operators, L{None} for none.
    @ivar captchaFolder: the folder for captchas, L{None} for none.
    @ivar onState: the program that is run when the state of the account changes, and
        its arguments.
    @ivar queue: the queue of the application's messages, L{None} for none.
    """

    command = "twistd webqq"
    synopsis = "[options]"
    longdesc = (
        "Sign a QQ account on and keep it signed on. The password is read from "
        f"a file or from the environment variable {PASSWORD_VARIABLE}. With "
        "--onebot or --onebot-listen the account is one of today's QQ, and no "
        "password is needed: the OneBot program has signed it on."
    )

    optParameters = [
        ["account", None, None, "The number of the account."],
        [
            "password-file",
            None,
            None,
            "A file with the password, readable by its owner only.",
        ],
        ["server", None, "http://127.0.0.1:8890", "The server's URL, or 'tencent'."],
        ["ca-file", None, None, "A PEM file with more certificate authorities."],
        ["app", None, None, "The application's factory, as MODULE.Factory."],
        ["status", None, "online", "The presence status."],
        ["era", None, "E1", "The login variant of the server: E1, E2 or E3."],
        ["heartbeat", None, "60", "The seconds between two heartbeats."],
        [
            "onebot",
            None,
            None,
            "The address of a program that speaks OneBot 11, as ws://HOST:PORT.",
        ],
        [
            "onebot-listen",
            None,
            None,
            "The server endpoint at which such a program connects to us.",
        ],
        [
            "token-file",
            None,
            None,
            "A file with the token of that program, readable by its owner only.",
        ],
        ["send-burst", None, "3", "The messages that such an account sends at once."],
        ["send-seconds", None, "1.5", "The time between two messages after that."],
        [
            "on-state",
            None,
            None,
            "A command that is run when the state of the account changes.",
        ],
    ]
    optFlags = [["log-text", None, "Log the texts of messages, too (without --app)."]]

    def postOptions(self) -> None:
        """
        Convert the options to values.

        @raise UsageError: names the option that is invalid.
        """
        self.readLogs()
        self.operation = self.readOperation()
        self.queue = self.readQueue()
        self.captchaFolder = self.readCaptchaFolder()
        isOneBot = self["onebot"] is not None or self["onebot-listen"] is not None
        try:
            number = _number(self["account"])
            password = "" if isOneBot else _password(self["password-file"])
            self.account = Account(number, password, _status(self["status"]))
            # After the password was removed from the environment, since this
            # imports the application.
            self.factory = _factory(self["app"], bool(self["log-text"]))
            self.access = self._oneBotAccess() if isOneBot else self._webQQAccess()
            self.onState = _command(self["on-state"])
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e

    def _webQQAccess(self) -> Access:
        if self["token-file"] is not None:
            raise InvalidConfiguration("--token-file is for --onebot only")
        access = WebQQAccess(
            self["server"],
            self["ca-file"],
            _era(self["era"]),
            _seconds("heartbeat", self["heartbeat"], 1.0, 3600.0),
        )
        access.check()
        return access

    def _oneBotAccess(self) -> Access:
        if self["password-file"] is not None:
            raise InvalidConfiguration(
                "--password-file is for WebQQ: the OneBot program has signed the"
                " account on"
            )
        file = self["token-file"]
        burst = self["send-burst"]
        isNumber = len(burst) < 4 and burst.isascii() and burst.isdigit()
        if not (isNumber and 1 <= int(burst) <= 100):
            raise InvalidConfiguration(f"--send-burst is not from 1 to 100: {burst}")
        access = OneBotAccess(
            self["onebot"] or "",
            self["onebot-listen"] or "",
            "" if file is None else readPasswordFile(Path(file)),
            self["ca-file"],
            int(burst),
            _seconds("send-seconds", self["send-seconds"], 0.0, 600.0),
        )
        access.check()
        return access


def makeService(options: Options) -> IService:
    """
    Make the service that C{twistd} runs. The process ends when the account stays
    offline: with exit code 0 after a sign-off, with 1 after a refused login or a
    kick. After a captcha that was not solved it signs on again later.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    twistd: Any = options.parent or {}
    daemon = Daemon(twistd, partial(options.logs.makeObserver, reactor))
    watched, queues = WatchedAccounts(), WatchedQueues()
    manager = takeServiceManager(os.environ)
    isWatched = options.operation is not None or manager is not None
    make: AccountMaker = watched.makeAccount if isWatched else makeAccount
    try:
        clock: Any = reactor
        ways = CaptchaWays(options.captchaFolder, options.operation, clock)
        if options.operation is not None:
            sources: list[Source] = [watched, queues]
            operation = operationService(options.operation, sources, reactor)
            ways.addPage(operation)
            operation.setServiceParent(daemon)
        commands = {options.account.number: options.onState}
        make = OperatedAccounts(make, commands, ways.ways).makeAccount
        service = make(options.account, options.access, options.factory, reactor)
        if options.queue is not None:
            settings = options.queue.paced(options.access)
            with asDaemonUser(twistd):
                queues.watch(settings.addTo(service, options.factory))
    except InvalidConfiguration as e:
        raise StartupError(str(e)) from e
    _stopAfter(service, reactor)
    service.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    notifyServiceManager(manager, daemon, watched.status, reactor)
    reactor.callWhenRunning(handleSignals, reactor, bool(twistd.get("nodaemon")))
    return daemon


def _stopAfter(service: IAccountService, reactor: Any) -> None:
    def over(result: object) -> None:
        if isinstance(result, Failure):
            if result.check(CaptchaUnsolved):
                # The service signs on again.
                _stopAfter(service, reactor)
                return
            _exitWith(1)
        # Not running: the account has signed off because the process stops.
        with suppress(ReactorNotRunning):
            reactor.stop()

    service.whenSignedOff().addBoth(over)


def _exitWith(code: int) -> None:
    # twistd itself only has exit codes for signals.
    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)


def _number(text: str | None) -> Number:
    if text is None:
        raise InvalidConfiguration("--account is missing")
    isShort = len(text) < 20 and text.isascii() and text.isdigit()
    if not (isShort and 0 < int(text) < 2**32):
        raise InvalidConfiguration(f"--account is not a QQ number: {text}")
    return Number(int(text))


def _password(file: str | None) -> str:
    fromEnvironment = takePasswordVariable()
    if file is not None:
        return readPasswordFile(Path(file))
    if not fromEnvironment:
        raise InvalidConfiguration(
            f"no password: use --password-file or {PASSWORD_VARIABLE}"
        )
    return fromEnvironment


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError as e:
        words = ", ".join(status.value for status in Status)
        raise InvalidConfiguration(f"--status is none of {words}: {word}") from e


def _era(name: str) -> Era:
    try:
        return Era(name)
    except ValueError as e:
        raise InvalidConfiguration(f"--era is none of E1, E2, E3: {name}") from e


def _seconds(name: str, text: str, low: float, high: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        raise InvalidConfiguration(f"--{name} is not from {low:g} to {high:g}: {text}")
    return seconds


def _command(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        return parseCommand(text, Path.cwd())
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--on-state cannot be used: {e}") from e


def _factory(name: str | None, logText: bool) -> IWebQQFactory:
    if name is None:
        default = LoggingFactory()
        default.logText = logText
        return default
    # The application is usually in the folder in which twistd is started.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    module, colon, attribute = name.partition(":")
    if colon and module and attribute:
        raise InvalidConfiguration(
            f"--app {name}: module and factory are joined by a dot, as in "
            f"--app {module}.{attribute}"
        )
    try:
        make: Callable[[], Any] = namedAny(name)
        _refuseProtocol(name, make)
        factory = make()
    except InvalidConfiguration:
        raise
    except Exception as e:
        reason = f"{type(e).__name__}: {e}"
        raise InvalidConfiguration(f"--app {name} cannot be used: {reason}") from e
    if not IWebQQFactory.providedBy(factory):
        raise InvalidConfiguration(f"--app {name} does not return a WebQQFactory")
    return factory


def _refuseProtocol(name: str, named: object) -> None:
    """
    @raise InvalidConfiguration: when the option C{--app} names a protocol.
    """
    if not (isinstance(named, type) and issubclass(named, WebQQProtocol)):
        return
    factories = [
        value.__name__
        for value in vars(sys.modules[named.__module__]).values()
        if isinstance(value, type)
        and issubclass(value, WebQQFactory)
        and value.protocol is named
    ]
    meant = (
        f"--app {named.__module__}.{factories[0]}"
        if factories
        else f"a WebQQFactory whose attribute protocol is {named.__name__}"
    )
    raise InvalidConfiguration(f"--app {name} is a protocol; name its factory: {meant}")
