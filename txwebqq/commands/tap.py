"""
C{twistd webqq}: keeps accounts signed on, and runs their applications.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

from twisted.application.service import IService
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from txwebqq.accounts import (
    Access,
    OneBotAccess,
    WebQQAccess,
)
from txwebqq.commands.accountfile import (
    AccountTable,
    passwordVariable,
    readAccountTables,
    takePasswords,
)
from txwebqq.commands.application import loadFactory
from txwebqq.config.command import parseCommand
from txwebqq.config.fileoptions import Values, asArguments, lineOf, tryValues
from txwebqq.config.folders import checkFolderOf
from txwebqq.config.passwordfile import (
    PASSWORD_VARIABLE,
    readPasswordFile,
    secretPath,
    takePasswordVariable,
)
from txwebqq.config.toml import ConfigTable
from txwebqq.config.tomlfile import TOMLFile
from txwebqq.daemon import StartupError, asDaemonUser
from txwebqq.errors import CaptchaUnsolved, InvalidConfiguration
from txwebqq.interfaces import IAccountService
from txwebqq.model import (
    Account,
    Number,
    Status,
)
from txwebqq.operation.accountsdaemon import AccountsDaemon, AccountsOptions
from txwebqq.operation.queues import WatchedQueues
from txwebqq.outbox.options import QueueOptions
from txwebqq.session.interfaces import Era

PROCESS_OPTIONS = frozenset(AccountsOptions().names())
"""The options of the process; all others are of an account."""


OWN_OPTIONS = {"account", "password-file", "queue", "seen-file", "session-file"}
"""The options that several accounts cannot share."""

ONEBOT_OPTIONS = {"onebot", "onebot-listen"}


class Options(QueueOptions, AccountsOptions):
    """
    Options of C{twistd webqq}, of one account or of several in a configuration file.

    @ivar accounts: the options of each account: this object, or one for each in
        the file.
    @ivar account: the account, with its password and presence status.
    @ivar factory: the application.
    @ivar access: how the account reaches QQ.
    @ivar operation: the endpoint for operators, L{None} for none.
    @ivar captchaFolder: the folder for captchas, L{None} for none.
    @ivar onState: the program that is run when the state of the account changes, and
        its arguments.
    @ivar queue: the queue of the application's messages, L{None} for none.
    @ivar password: the password in the environment, L{None} before it is looked
        for there.
    @ivar passwords: those of the accounts of a file in the environment, by their
        numbers; L{None} before they are looked for there.
    @ivar passwordVariable: the environment variable with the password.
    @ivar folder: the folder of the file that the account is in.
    @ivar appOptions: keyword arguments for the application's factory.
    """

    command = "twistd webqq"
    tableName = "webqq"
    pathOptions = [
        "password-file",
        "ca-file",
        "seen-file",
        "token-file",
        "session-file",
    ]
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
            "session-file",
            None,
            None,
            "A file that keeps the session for the next start, which resumes it.",
        ],
        [
            "seen-file",
            None,
            None,
            "A file for the ids of delivered events, so that none comes twice.",
        ],
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

    accounts: Sequence[Options] = ()
    password: str | None = None
    passwords: Mapping[int, str] | None = None
    passwordVariable = PASSWORD_VARIABLE
    appOptions: Mapping[str, Any] = {}
    folder: Path | None = None

    def trial(self) -> Self:
        made = super().trial()
        made.password, made.passwords = self.password, self.passwords
        made.passwordVariable = self.passwordVariable
        made.appOptions, made.folder = self.appOptions, self.folder
        return made

    def readTables(
        self, root: ConfigTable, values: Values, found: Sequence[tuple[str, str]]
    ) -> Values:
        """
        Read the accounts. The other options of the table C{webqq} hold for each of
        them that does not have its own.
        """
        for name in sorted(OWN_OPTIONS):
            if name in dict(found):
                raise InvalidConfiguration(
                    f"--{name} is not for --config: the accounts are in the file"
                )
        assert self.file is not None
        names = self.names() - PROCESS_OPTIONS
        shared = {name: each for name, each in values.items() if name in names}
        tables = readAccountTables(root, self.file, self, names - {"account"}, shared)
        if self.passwords is None:
            # Before the applications are imported.
            self.passwords = takePasswords(tables)
        self.accounts = tuple(
            self._readAccount(each, len(tables), self.file, found) for each in tables
        )
        return {name: each for name, each in values.items() if name not in names}

    def tree(self) -> dict[str, Any]:
        if self.file is None:
            return super().tree()
        # In the place of its table are all settings of an account, also shared ones.
        tree = {self.tableName: super().tree()[self.tableName]}
        for each in self.accounts:
            settings: dict[str, Any] = {**each.valuesGiven}
            del settings["account"]
            settings["app-options"] = dict(each.appOptions)
            tree[f"account {each.account.number}"] = settings
        return tree

    def tableKeys(self) -> set[str]:
        return super().tableKeys() - OWN_OPTIONS

    def _readAccount(
        self,
        table: AccountTable,
        count: int,
        file: TOMLFile,
        found: Sequence[tuple[str, str]],
    ) -> Options:
        made = self.trial()
        made.isTrial, made.file = self.isTrial, None
        made.appOptions = table.appOptions
        made.folder = file.folder
        made.password = (self.passwords or {}).get(table.number, "")
        made.passwordVariable = passwordVariable(table.number, count)
        line = [(name, text) for name, text in found if name not in PROCESS_OPTIONS]
        line.append(("account", f"{table.number}"))
        error = None
        if (self.isReload or not self.isTrial) and not file.hasProblems():
            try:
                made.parseOptions(
                    [*asArguments(table.values, line), *lineOf(self, line)]
                )
            except UsageError as e:
                error = e
            else:
                return made
        tryValues(made, file, table.values, line, table.table.where, table.table.name)
        if error is not None and not file.hasProblems():
            # An option of the command line is wrong.
            raise error
        return made

    def postOptions(self) -> None:
        """
        Convert the options to values.

        @raise UsageError: names the option that is invalid.
        """
        self.readOperatorOptions()
        if self.file is not None:
            return
        self.queue = self.readQueue()
        self.accounts = (self,)
        isOneBot = (
            self["onebot"] is not None
            or self["onebot-listen"] is not None
            or bool(self.refused & ONEBOT_OPTIONS)
        )
        try:
            number = _number(self["account"])
            password = "" if isOneBot else self._password()
            self.account = Account(number, password, _status(self["status"]))
            # After the password was removed from the environment, since this
            # imports the application.
            if not self.isReload:
                self.factory = loadFactory(
                    self["app"], bool(self["log-text"]), self._appArguments()
                )
            self.access = self._oneBotAccess() if isOneBot else self._webQQAccess()
            self.onState = _command(self["on-state"], self.folder or Path.cwd())
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e

    def _appArguments(self) -> Mapping[str, Any]:
        return {} if "app" in self.refused else self.appOptions

    def _password(self) -> str:
        if self.password is None:
            self.password = takePasswordVariable()
        file = self["password-file"]
        if file is not None:
            return readPasswordFile(secretPath(file))
        if not self.password and "password-file" not in self.refused:
            raise InvalidConfiguration(
                f"no password: use --password-file or {self.passwordVariable}"
            )
        return self.password

    def _webQQAccess(self) -> Access:
        if self["token-file"] is not None:
            raise InvalidConfiguration("--token-file is for --onebot only")
        kept, seen = map(self._writtenFile, ("session-file", "seen-file"))
        access = WebQQAccess(
            self["server"],
            self["ca-file"],
            _era(self["era"]),
            _seconds("heartbeat", self["heartbeat"], 1.0, 3600.0),
            kept,
            seenFile=seen,
        )
        _check(access, "server")
        return access

    def _writtenFile(self, name: str) -> Path | None:
        text = self[name]
        if text is None:
            return None
        path = Path(text).absolute()
        try:
            checkFolderOf(path)
        except InvalidConfiguration as e:
            raise InvalidConfiguration(f"--{name} cannot be used: {e}") from e
        return path

    def _oneBotAccess(self) -> Access:
        if self["password-file"] is not None:
            raise InvalidConfiguration(
                "--password-file is for WebQQ: the OneBot program has signed the"
                " account on"
            )
        if self["session-file"] is not None:
            raise InvalidConfiguration(
                "--session-file is for WebQQ: the OneBot program keeps the session"
            )
        if self["seen-file"] is not None:
            raise InvalidConfiguration(
                "--seen-file is for WebQQ: OneBot gives no event a second time"
            )
        file = self["token-file"]
        burst = self["send-burst"]
        isNumber = len(burst) < 4 and burst.isascii() and burst.isdigit()
        if not (isNumber and 1 <= int(burst) <= 100):
            raise InvalidConfiguration(f"--send-burst is not from 1 to 100: {burst}")
        access = OneBotAccess(
            self["onebot"] or "",
            self["onebot-listen"] or "",
            "" if file is None else readPasswordFile(secretPath(file)),
            self["ca-file"],
            int(burst),
            _seconds("send-seconds", self["send-seconds"], 0.0, 600.0),
        )
        if not self.refused & ONEBOT_OPTIONS:
            _check(access, "onebot" if access.url else "onebot-listen")
        return access


def _check(access: Access, option: str) -> None:
    try:
        access.check()
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--{option} cannot be used: {e}") from e


def makeService(options: Options) -> IService:
    """
    Make the service that C{twistd} runs. The process ends when all its accounts stay
    offline: with exit code 0 after sign-offs, with 1 after a refused login or a
    kick. After a captcha that was not solved an account signs on again later.
    """
    from twisted.internet import reactor

    daemon = AccountsDaemon(options, attrgetter("accounts"), reactor)
    queues = WatchedQueues()
    services: list[Any] = []
    try:
        for each in options.accounts:
            service = daemon.makeAccount(
                each.account, each.access, each.factory, reactor
            )
            services.append(service)
            if each.queue is not None:
                settings = each.queue.paced(each.access)
                with asDaemonUser(daemon.twistd):
                    queues.watch(settings.addTo(service, each.factory))
        made = daemon.service(services, [queues])
    except InvalidConfiguration as e:
        raise StartupError(str(e)) from e
    stopAfter(services, reactor)
    return made


def stopAfter(services: Sequence[IAccountService], reactor: Any) -> None:
    """
    Stop the reactor when all services stay offline.
    """
    remaining = set(services)
    hasFailed = False

    def over(result: object, service: IAccountService) -> None:
        nonlocal hasFailed
        if isinstance(result, Failure):
            if result.check(CaptchaUnsolved):
                # The service signs on again.
                watch(service)
                return
            hasFailed = True
        remaining.discard(service)
        if remaining:
            return
        if hasFailed:
            _exitWith(1)
        # Not running: the accounts have signed off because the process stops.
        with suppress(ReactorNotRunning):
            reactor.stop()

    def watch(service: IAccountService) -> None:
        service.whenSignedOff().addBoth(over, service)

    for each in services:
        watch(each)


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


def _command(text: str | None, folder: Path) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        return parseCommand(text, folder)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--on-state cannot be used: {e}") from e
