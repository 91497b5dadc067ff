"""
The accounts in the configuration file of C{twistd webqq}.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from txwebqq.accounts import REPEATED
from txwebqq.config.fileoptions import FileOptions, OptionValue, Values, readValues
from txwebqq.config.passwordfile import PASSWORD_VARIABLE, takePasswordVariable
from txwebqq.config.toml import ConfigTable, refuseRepeated
from txwebqq.config.tomlfile import TOMLFile

OWN_FILES = ("queue", "seen-file", "session-file")
"""The options whose files belong to one account."""


@dataclass(frozen=True, slots=True)
class AccountTable:
    """
    An account of the file.

    @ivar values: its options, and those that hold for all accounts.
    @ivar appOptions: keyword arguments for the application's factory.
    """

    number: int
    values: Mapping[str, OptionValue]
    appOptions: Mapping[str, Any] = field(repr=False)
    table: ConfigTable


def readAccountTables(
    root: ConfigTable,
    file: TOMLFile,
    options: FileOptions,
    names: Collection[str],
    shared: Values,
) -> tuple[AccountTable, ...]:
    """
    Read the tables C{account}.

    @param options: of the command.
    @param names: the options that an account may have.
    @param shared: the values of options that hold for all accounts.
    """

    def read(table: ConfigTable) -> AccountTable:
        number = table.number("number", 1, 2**32 - 1)
        given = table.table("app-options")
        arguments = {} if given is None else {key: given.value(key) for key in given}
        values = {**shared, **readValues(table, file, options, names)}
        return AccountTable(number, values, arguments, table)

    accounts = root.each("account", read, "number")
    if not accounts and root.isSound():
        # A misspelt table says more.
        root.close()
        if root.isSound():
            root.complain("there is no [[account]]")
    refuseRepeated(((each.table, each.number) for each in accounts), "number", REPEATED)
    for name in OWN_FILES:
        _reportShared(accounts, name, file)
    return accounts


def _reportShared(accounts: Iterable[AccountTable], name: str, file: TOMLFile) -> None:
    owners: dict[str | None, int] = {}
    for each in accounts:
        if name not in each.values:
            continue
        value = each.values[name]
        [path] = value.texts
        if path in owners:
            file.report(
                value.where,
                f"{value.table}: {name} is that of account {owners[path]}, too: each"
                " account needs its own",
            )
        owners.setdefault(path, each.number)


def passwordVariable(number: int, count: int) -> str:
    """
    Return the name of the environment variable with the password of an account.

    @param count: the number of accounts in the file.
    """
    return PASSWORD_VARIABLE if count == 1 else f"{PASSWORD_VARIABLE}_{number}"


def takePasswords(accounts: Collection[AccountTable]) -> dict[int, str]:
    """
    Return the passwords in the environment by the numbers of their accounts, C{""}
    where there is none, and remove them there.

    @raise InvalidConfiguration: when one is not UTF-8.
    """
    return {
        each.number: takePasswordVariable(passwordVariable(each.number, len(accounts)))
        for each in accounts
    }
