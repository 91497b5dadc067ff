"""
The daemons that keep accounts signed on: what all of them have for their operators.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from twisted.application.service import IService

from txwebqq.accounts import AccountMaker, makeAccount
from txwebqq.daemon import Daemon, escapeUnencodable, handleSignals
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.captchas.options import CaptchaOptions, CaptchaWays
from txwebqq.operation.maker import OperatedAccounts, WithCommand, commandsOf
from txwebqq.operation.metrics import Source
from txwebqq.operation.options import OperationOptions, operationService
from txwebqq.operation.reload import daemonReloader
from txwebqq.operation.settings import OperationSettings
from txwebqq.steadytimers import steadyTimers
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager


class AccountsOptions(CaptchaOptions, OperationOptions):
    """
    Options of a daemon of accounts.

    @ivar operation: the endpoint for operators, L{None} for none.
    @ivar captchaFolder: the folder for captchas, L{None} for none.
    """

    operation: OperationSettings | None = None
    captchaFolder: Path | None = None

    def readOperatorOptions(self) -> None:
        """
        Convert the options of the log, the endpoint and captchas to values.

        @raise UsageError: when one is invalid; names the option.
        """
        self.readLogs()
        self.operation = self.readOperation()
        self.captchaFolder = self.readCaptchaFolder()


OptionsT = TypeVar("OptionsT", bound=AccountsOptions)


class AccountsDaemon(Generic[OptionsT]):
    """
    Builds the service of a daemon of accounts: its log, states and metrics of the
    accounts, captchas, programs for changed states, and settings that are read again.

    @param accountsOf: returns the settings of the accounts that options tell.

    @ivar twistd: the options of C{twistd}.
    @ivar makeAccount: makes the service of an account.
    @ivar advice: the sentence that tells where captchas are answered.
    """

    def __init__(
        self,
        options: OptionsT,
        accountsOf: Callable[[OptionsT], Iterable[WithCommand]],
        reactor: Any,
    ) -> None:
        escapeUnencodable()
        steadyTimers(reactor)
        self.twistd: Any = options.parent or {}
        self._options = options
        self._accountsOf = accountsOf
        self._reactor = reactor
        self._daemon = Daemon(self.twistd, partial(options.logs.makeObserver, reactor))
        self._watched = WatchedAccounts()
        self._manager = takeServiceManager(os.environ)
        isWatched = options.operation is not None or self._manager is not None
        make: AccountMaker = self._watched.makeAccount if isWatched else makeAccount
        self._ways = CaptchaWays(options.captchaFolder, options.operation, reactor)
        commands = commandsOf(accountsOf(options))
        self._operated = OperatedAccounts(make, commands, self._ways.ways)
        self.makeAccount: AccountMaker = self._operated.makeAccount
        self.advice = self._ways.advice

    def service(
        self,
        services: Iterable[Any],
        sources: Sequence[Source] = (),
        apply: Callable[[OptionsT], Mapping[str, bool]] = lambda options: {},
    ) -> IService:
        """
        Return the service that C{twistd} runs.

        @param services: the services of the daemon.
        @param sources: what is watched besides the accounts.
        @param apply: applies settings that were read again, besides those of this
            class, as that of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.

        @raise InvalidConfiguration: when the endpoint cannot be used.
        """
        options, daemon, reactor = self._options, self._daemon, self._reactor
        operation: Any = None
        if options.operation is not None:
            watched = [self._watched, *sources]
            operation = operationService(options.operation, watched, reactor)
            self._ways.addPage(operation)
            operation.setServiceParent(daemon)
        for each in services:
            each.setServiceParent(daemon)
        notifyServiceManager(self._manager, daemon, self._watched.status, reactor)

        def applyAll(changed: OptionsT) -> Mapping[str, bool]:
            commands = commandsOf(self._accountsOf(changed))
            return {
                **self._ways.reload(changed.captchaFolder, changed.tableName),
                **self._operated.reload(commands, changed.tree()),
                **apply(changed),
            }

        reload = daemonReloader(options, daemon, operation, applyAll)
        isForeground = bool(self.twistd.get("nodaemon"))
        reactor.callWhenRunning(handleSignals, reactor, isForeground, reload)
        return daemon
