"""
The services of accounts, with what the operator of a daemon wants of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from txwebqq.accounts import Access, AccountMaker
from txwebqq.config.labels import Tree
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Account, Number
from txwebqq.operation.captchas.asking import CaptchaFactory, CaptchaWay
from txwebqq.operation.statecommand import StateCommand, StateCommandFactory


class WithCommand(Protocol):
    """
    The settings of an account that tell its program.
    """

    @property
    def account(self) -> Account: ...

    @property
    def onState(self) -> tuple[str, ...]: ...


def commandsOf(accounts: Iterable[WithCommand]) -> dict[Number, tuple[str, ...]]:
    """
    Return the programs of accounts by their numbers.
    """
    return {each.account.number: each.onState for each in accounts}


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
        self._made: dict[Number, StateCommand] = {}

    def makeAccount(
        self, account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
    ) -> IAccountService:
        """
        Make the service of an account, as L{txwebqq.accounts.makeAccount}.
        """
        factory = CaptchaFactory(factory, self._ways, reactor)
        arguments = self._commands.get(account.number, ())
        command: Any = StateCommand(account.number, arguments, reactor)
        told = StateCommandFactory(factory, command)
        service = self._make(account, access, told, reactor)
        command.setServiceParent(service)
        self._made[account.number] = command
        return service

    def reload(
        self, commands: Mapping[Number, tuple[str, ...]], tree: Tree
    ) -> dict[str, bool]:
        """
        Change the programs of the accounts that run.

        @param tree: the new settings, as L{txwebqq.config.fileoptions.FileOptions}
            gives them.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        for number, command in self._made.items():
            if number in commands:
                command.reload(commands[number])
        return {f"{name}.on-state": False for name in _tables(tree)}


def _tables(tree: Tree, prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield f"{prefix}{name}"
            yield from _tables(value, f"{prefix}{name}.")
