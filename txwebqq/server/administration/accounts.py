"""
The commands for accounts and their sessions.
"""

from __future__ import annotations

import time

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server import population
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    existingAccount,
    number,
    printLine,
    shown,
)
from txwebqq.server.administration.passwords import readPassword, takesPassword
from txwebqq.server.records import AccountRecord, Population
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store


def addCommands(line: CommandLine) -> None:
    """
    Add the commands of C{account}.
    """
    add = line.topic("account", "accounts")
    made = add("add", _add, "add an account", prepare=readPassword, creates=True)
    made.add_argument("number", type=number)
    made.add_argument("--nick", help="default: the number")
    takesPassword(made)
    made = add("remove", _remove, "delete an account", alone=True)
    made.add_argument("number", type=number)
    add("list", _list, "list numbers and nicks")
    made = add("show", _show, "show profile, friends and groups")
    made.add_argument("number", type=number)
    made = add("set", _set, "change the nick and the profile")
    made.add_argument("number", type=number)
    made.add_argument(
        "values",
        nargs="+",
        metavar="KEY=VALUE",
        help="a key of an account in a population file, such as nick or birthday; "
        "an empty value removes it",
    )
    made = add("password", _setPassword, "change the password", prepare=readPassword)
    made.add_argument("number", type=number)
    takesPassword(made)
    for name, action, text in (
        ("disable", _disable, "refuse sign-ons of an account, and end its session"),
        ("enable", _enable, "accept sign-ons of an account again"),
        ("sign-off", _signOff, "end the session of an account"),
    ):
        made = add(name, action, text)
        made.add_argument("number", type=number)
    add("online", _listOnline, "list who is online, and since when")
    add("disabled", _listDisabled, "list disabled accounts")


def _add(store: Store, arguments: Arguments) -> None:
    account = arguments.number
    if store.accounts.get(account) is not None:
        raise InvalidConfiguration(f"account {account} already exists")
    nick = str(account) if arguments.nick is None else arguments.nick
    record = AccountRecord(account, arguments.firstHash, nick)
    importPopulation(store, Population(accounts=(record,)))


def _remove(store: Store, arguments: Arguments) -> None:
    account = existingAccount(store, arguments.number)
    owned = ", ".join(map(str, store.groups.ownedBy(account.number)))
    if owned:
        raise InvalidConfiguration(
            f"account {account.number} owns groups: {owned}; remove or transfer them"
            " first"
        )
    store.admin.removeAccount(account.number)


def _list(store: Store, arguments: Arguments) -> None:
    for account in store.accounts.all():
        printLine(f"{account.number}\t{shown(account.nick)}")


def _show(store: Store, arguments: Arguments) -> None:
    account = existingAccount(store, arguments.number)
    printLine(f"number: {account.number}")
    printLine(f"nick: {shown(account.nick)}")
    if store.accounts.isDisabled(account.number):
        printLine("disabled: yes")
    for key, value in sorted(account.profile.items()):
        printLine(f"{key}: {shown(str(value))}")
    friends = sorted(store.friends.all(account.number), key=lambda each: each.number)
    for friend in friends:
        printLine(f"friend: {friend.number} {shown(friend.markname or friend.nick)}")
    for membership in sorted(
        store.groups.memberships(account.number), key=lambda each: each.number
    ):
        printLine(f"group: {membership.number} {shown(membership.name)}")


def _set(store: Store, arguments: Arguments) -> None:
    account = existingAccount(store, arguments.number)
    values = {}
    for each in arguments.values:
        key, isGiven, value = each.partition("=")
        if not isGiven:
            raise InvalidConfiguration(f"{each!r} is not KEY=VALUE")
        values[key] = value
    store.accounts.update(population.withChanges(account, values))


def _setPassword(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.number)
    store.accounts.setPassword(arguments.number, arguments.firstHash)


def _disable(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.number)
    if not store.accounts.disable(arguments.number):
        raise InvalidConfiguration(f"account {arguments.number} is disabled already")


def _enable(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.number)
    if not store.accounts.enable(arguments.number):
        raise InvalidConfiguration(f"account {arguments.number} is not disabled")


def _signOff(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.number)
    if arguments.number not in dict(_online(store)):
        raise InvalidConfiguration(f"account {arguments.number} is not online")
    store.accounts.requestSignOff(arguments.number)


def _listOnline(store: Store, arguments: Arguments) -> None:
    for account, since in _online(store):
        record = store.accounts.get(account)
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
        printLine(f"{account}\t{when}\t{shown(record.nick if record else '')}")


def _online(store: Store) -> list[tuple[Number, int]]:
    # A server that was killed has left its list behind.
    if store.database.isAlone:
        return []
    isServer = store.database.isServer
    return store.fleet.polls.online() if isServer else store.accounts.online()


def _listDisabled(store: Store, arguments: Arguments) -> None:
    for account in store.accounts.disabled():
        record = store.accounts.get(account)
        printLine(f"{account}\t{shown(record.nick if record else '')}")
