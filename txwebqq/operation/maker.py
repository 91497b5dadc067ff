"""
The services of accounts, with what the operator of a daemon wants of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from txwebqq.accounts import Access, AccountMaker
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Account, Number
from txwebqq.operation.captchas.asking import CaptchaFactory, CaptchaWay
from txwebqq.operation.statecommand import StateCommand, StateCommandFactory


class OperatedAccounts:
    """
    Makes the services of accounts.

    @param make: makes the service of an account.
    @param commands: the programs that are run when the state of an account changes,
        by its number.
    @param ways: the ways to show captchas, besides that of the application.
    """

    def __init__(
        self,
        make: AccountMaker,
        commands: Mapping[Number, tuple[str, ...]],
        ways: Sequence[CaptchaWay] = (),
    ) -> None:
        self._make = make
        self._commands = commands
        self._ways = ways

    def makeAccount(
        self, account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
    ) -> IAccountService:
        """
        Make the service of an account, as L{txwebqq.accounts.makeAccount}.
        """
        if self._ways:
            factory = CaptchaFactory(factory, self._ways, reactor)
        arguments = self._commands.get(account.number, ())
        if not arguments:
            return self._make(account, access, factory, reactor)
        command: Any = StateCommand(account.number, arguments, reactor)
        told = StateCommandFactory(factory, command)
        service = self._make(account, access, told, reactor)
        command.setServiceParent(service)
        return service
