"""
C{webqq-admin}: the command line for administrators of a server's database.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.daemon import escapeUnencodable
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server import population, populationwriter
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    LOWEST_NUMBER,
    AccountRecord,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import DatabaseInUse
from txwebqq.wire.digests import passwordHash

PASSWORD_VARIABLE = "TXWEBQQ_PASSWORD"

Arguments = argparse.Namespace
Action = Callable[[Store, Arguments], None]


class Parser(argparse.ArgumentParser):
    """
    An argument parser that raises its errors as L{InvalidConfiguration}.
    """

    def error(self, message: str) -> NoReturn:
        raise InvalidConfiguration(message)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run C{webqq-admin}.

    @param argv: the command line without the program's name.
    @return: the exit code.
    """
    try:
        arguments = _parser().parse_args(argv)
        if arguments.database is None:
            raise InvalidConfiguration("--database is missing")
        _perform(arguments)
    except InvalidConfiguration as e:
        return _printError(str(e))
    except sqlite3.Error as e:
        return _printError(f"{arguments.database}: {e}")
    except KeyboardInterrupt:
        return _printError("interrupted; nothing was changed")
    except BrokenPipeError:
        # Nobody reads standard output any more. Without this Python would flush
        # it once more at exit and print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _printError(problem: str) -> int:
    sys.stderr.write(f"webqq-admin: {_shown(problem)}\n")
    return 1


def _perform(arguments: Arguments) -> None:
    path = Path(arguments.database)
    if arguments.prepare is not None:
        # Prompts come first: while the database is open, a server may wait for it.
        arguments.prepare(arguments)
    if not path.exists():
        if not arguments.creates:
            raise InvalidConfiguration(f"{path}: the database does not exist")
        Store(path).close()
    try:
        store = Store(path, shared=not arguments.alone)
    except DatabaseInUse as e:
        if not arguments.alone:
            raise
        raise InvalidConfiguration(
            f"{path}: a server has it open; stop the server first, "
            "because sessions of the account would stay signed on"
        ) from e
    try:
        if store.copy is not None:
            _print(f"Upgraded the database; a copy of the old one is in {store.copy}.")
        arguments.action(store, arguments)
    finally:
        store.close()


def _parser() -> Parser:
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--database", metavar="FILE", help="the server's database")
    parser = Parser(
        prog="webqq-admin",
        description="Show and change the accounts, friendships and groups of a "
        "WebQQ server. The server may be running.",
    )
    parser.add_argument("--database", metavar="FILE", help="the server's database")
    topics = parser.add_subparsers(metavar="COMMAND", required=True)

    def topic(name: str, text: str) -> Callable[..., Parser]:
        topicParser = topics.add_parser(name, help=text, description=text)
        verbs = topicParser.add_subparsers(metavar="COMMAND", required=True)
        return lambda *rest, **settings: command(verbs, *rest, **settings)

    def command(
        into: Any,
        name: str,
        action: Action,
        text: str,
        *,
        prepare: Callable[[Arguments], None] | None = None,
        creates: bool = False,
        alone: bool = False,
    ) -> Parser:
        made: Parser = into.add_parser(
            name, help=text, description=text, parents=[common]
        )
        made.set_defaults(action=action, prepare=prepare, creates=creates, alone=alone)
        return made

    account = topic("account", "accounts")
    made = account(
        "add", _addAccount, "add an account", prepare=_readPassword, creates=True
    )
    made.add_argument("number", type=_number)
    made.add_argument("--nick", help="default: the number")
    _takesPassword(made)
    made = account("remove", _removeAccount, "delete an account", alone=True)
    made.add_argument("number", type=_number)
    account("list", _listAccounts, "list numbers and nicks")
    made = account("show", _showAccount, "show profile, friends and groups")
    made.add_argument("number", type=_number)
    made = account(
        "password", _changePassword, "change the password", prepare=_readPassword
    )
    made.add_argument("number", type=_number)
    _takesPassword(made)

    friendship = topic("friendship", "friendships")
    for name, action, text in (
        ("add", _addFriendship, "make two accounts friends"),
        (
            "remove",
            _removeFriendship,
            "remove two accounts from each other's friend lists",
        ),
    ):
        made = friendship(name, action, text)
        made.add_argument("one", type=_number)
        made.add_argument("other", type=_number)

    group = topic("group", "groups")
    made = group("add", _addGroup, "add a group")
    made.add_argument("number", type=_number)
    made.add_argument("--name", required=True)
    made.add_argument("--owner", type=_number, required=True)
    made.add_argument("--memo", default="", help="the announcement")
    made.add_argument("--description", default="")
    made.add_argument(
        "--members", type=_number, nargs="*", default=[], metavar="NUMBER"
    )
    made = group("remove", _removeGroup, "dissolve a group permanently")
    made.add_argument("number", type=_number)
    made = group("show", _showGroup, "show a group and its members")
    made.add_argument("number", type=_number)

    member = topic("member", "members of groups")
    for name, action, text in (
        ("add", _addMember, "add a member to a group"),
        ("remove", _removeMember, "remove a member from a group"),
        ("admin", _makeAdmin, "make a member an administrator"),
    ):
        made = member(name, action, text)
        made.add_argument("group", type=_number)
        made.add_argument("number", type=_number)
        if name == "admin":
            made.add_argument(
                "--revoke", action="store_true", help="take the rights away"
            )

    made = command(topics, "export", _export, "write a population file")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made = command(
        topics,
        "import",
        _import,
        "import a population file",
        prepare=_readPopulation,
        creates=True,
    )
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made.add_argument(
        "--update",
        action="store_true",
        help="also change nicks and passwords of existing accounts",
    )
    command(
        topics, "statistics", _statistics, "count accounts, groups, events and files"
    )
    made = command(topics, "backup", _backUp, "copy the database")
    made.add_argument("file", type=Path, metavar="FILE")
    return parser


def _takesPassword(parser: Parser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with the password, which only its owner may read; - is standard "
        f"input; default: the variable {PASSWORD_VARIABLE}, or a prompt",
    )


def _number(text: str) -> Number:
    isNumber = text.isascii() and text.isdigit() and len(text) < 11
    if not isNumber or not LOWEST_NUMBER <= int(text) <= HIGHEST_NUMBER:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from {LOWEST_NUMBER} to {HIGHEST_NUMBER}"
        )
    return Number(int(text))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


def _shown(text: str) -> str:
    """
    Escape the control characters of a text, so that it cannot control the
    terminal.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _readPassword(arguments: Arguments) -> None:
    arguments.firstHash = passwordHash(_password(arguments.password_file))


def _password(file: str | None) -> str:
    # Child processes must not inherit the password.
    fromEnvironment = os.environ.pop(PASSWORD_VARIABLE, None)
    if file is not None:
        password = _passwordIn(file)
    elif fromEnvironment:
        return fromEnvironment
    elif sys.stdin.isatty():
        password = _promptedPassword()
    else:
        raise InvalidConfiguration(
            f"no password: use --password-file, {PASSWORD_VARIABLE} or a terminal"
        )
    if not password:
        raise InvalidConfiguration("the password is empty")
    return password


def _promptedPassword() -> str:
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Repeat the password: ")
    except EOFError as e:
        raise InvalidConfiguration("no password") from e
    if password != again:
        raise InvalidConfiguration("the two passwords differ")
    return password


def _passwordIn(file: str) -> str:
    if file != "-":
        return readPasswordFile(Path(file))
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as e:
        raise InvalidConfiguration(f"cannot read the standard input: {e}") from e


def _account(store: Store, number: Number) -> AccountRecord:
    account = store.accounts.get(number)
    if account is None:
        raise InvalidConfiguration(f"there is no account {number}")
    return account


def _addAccount(store: Store, arguments: Arguments) -> None:
    number = arguments.number
    if store.accounts.get(number) is not None:
        raise InvalidConfiguration(f"account {number} already exists")
    nick = str(number) if arguments.nick is None else arguments.nick
    importPopulation(
        store, Population(accounts=(AccountRecord(number, arguments.firstHash, nick),))
    )


def _removeAccount(store: Store, arguments: Arguments) -> None:
    number = arguments.number
    _account(store, number)
    owned = ", ".join(map(str, store.groups.ownedBy(number)))
    if owned:
        raise InvalidConfiguration(
            f"account {number} owns groups: {owned}; remove them first"
        )
    store.admin.removeAccount(number)


def _listAccounts(store: Store, arguments: Arguments) -> None:
    for account in store.accounts.all():
        _print(f"{account.number}\t{_shown(account.nick)}")


def _showAccount(store: Store, arguments: Arguments) -> None:
    account = _account(store, arguments.number)
    _print(f"number: {account.number}")
    _print(f"nick: {_shown(account.nick)}")
    for key, value in sorted(account.profile.items()):
        _print(f"{key}: {_shown(str(value))}")
    friends = sorted(store.friends.all(account.number), key=lambda each: each.number)
    for friend in friends:
        _print(f"friend: {friend.number} {_shown(friend.markname or friend.nick)}")
    for membership in sorted(
        store.groups.memberships(account.number), key=lambda each: each.number
    ):
        _print(f"group: {membership.number} {_shown(membership.name)}")


def _changePassword(store: Store, arguments: Arguments) -> None:
    _account(store, arguments.number)
    store.accounts.setPassword(arguments.number, arguments.firstHash)


def _addFriendship(store: Store, arguments: Arguments) -> None:
    one, other = arguments.one, arguments.other
    if one == other:
        raise InvalidConfiguration(f"{one} cannot be its own friend")
    _account(store, one)
    _account(store, other)
    missing = [
        (owner, friend)
        for owner, friend in ((one, other), (other, one))
        if store.friends.entry(owner, friend) is None
    ]
    if not missing:
        raise InvalidConfiguration(f"{one} and {other} are friends already")
    for owner, friend in missing:
        store.friends.add(owner, friend, 0, "")


def _removeFriendship(store: Store, arguments: Arguments) -> None:
    if not store.friends.removeBoth(arguments.one, arguments.other):
        raise InvalidConfiguration(
            f"{arguments.one} and {arguments.other} are not friends"
        )


def _group(store: Store, number: Number) -> GroupRecord:
    group = store.groups.get(number)
    if group is None:
        raise InvalidConfiguration(f"there is no group {number}")
    return group


def _addGroup(store: Store, arguments: Arguments) -> None:
    number, owner = arguments.number, arguments.owner
    if store.groups.get(number) is not None:
        raise InvalidConfiguration(f"group {number} already exists")
    group = GroupRecord(
        number,
        arguments.name,
        owner,
        memo=arguments.memo,
        description=arguments.description,
    )
    members = tuple(dict.fromkeys((owner, *arguments.members)))
    importPopulation(store, Population(groups=(GroupEntry(group, members),)))
    if store.groups.get(number) is None:
        raise InvalidConfiguration(
            f"group {number} was dissolved; its number cannot be used again"
        )


def _removeGroup(store: Store, arguments: Arguments) -> None:
    _group(store, arguments.number)
    store.groups.dissolve(arguments.number)


def _showGroup(store: Store, arguments: Arguments) -> None:
    group = _group(store, arguments.number)
    _print(f"number: {group.number}")
    _print(f"name: {_shown(group.name)}")
    for word, text in (("memo", group.memo), ("description", group.description)):
        if text:
            _print(f"{word}: {_shown(text)}")
    for member in sorted(
        store.groups.members(group.number), key=lambda each: each.number
    ):
        kind = "admin" if member.flag & 1 else "member"
        if member.number == group.owner:
            kind = "owner"
        _print(f"{kind}: {member.number} {_shown(member.card or member.nick)}")


def _addMember(store: Store, arguments: Arguments) -> None:
    group, number = _group(store, arguments.group), arguments.number
    _account(store, number)
    if store.groups.isMember(group.number, number):
        raise InvalidConfiguration(
            f"{number} is already a member of group {group.number}"
        )
    store.groups.addMember(group.number, number)


def _member(store: Store, arguments: Arguments) -> tuple[GroupRecord, Number]:
    group, number = _group(store, arguments.group), arguments.number
    if not store.groups.isMember(group.number, number):
        raise InvalidConfiguration(f"{number} is not a member of group {group.number}")
    if group.owner == number:
        raise InvalidConfiguration(f"{number} is the owner of group {group.number}")
    return group, number


def _removeMember(store: Store, arguments: Arguments) -> None:
    group, number = _member(store, arguments)
    store.groups.removeMember(group.number, number)


def _makeAdmin(store: Store, arguments: Arguments) -> None:
    group, number = _member(store, arguments)
    flag = store.groups.memberFlag(group.number, number) or 0
    wanted = flag & ~1 if arguments.revoke else flag | 1
    store.groups.setFlag(group.number, number, wanted)


def _export(store: Store, arguments: Arguments) -> None:
    text = populationwriter.writePopulation(store.admin.population())
    try:
        handle = os.open(arguments.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as e:
        raise InvalidConfiguration(f"{arguments.file}: {e.strerror}") from e


def _readPopulation(arguments: Arguments) -> None:
    arguments.population = population.load(arguments.file)


def _import(store: Store, arguments: Arguments) -> None:
    accounts = arguments.population.accounts
    existing = [each for each in accounts if store.accounts.exists(each.number)]
    try:
        importPopulation(store, arguments.population)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{arguments.file}: {e}") from e
    if arguments.update:
        store.accounts.setNicksAndPasswords(existing)


def _statistics(store: Store, arguments: Arguments) -> None:
    for word, count in store.admin.statistics().items():
        _print(f"{word}: {count}")


def _backUp(store: Store, arguments: Arguments) -> None:
    try:
        store.admin.backUp(arguments.file)
    except OSError as e:
        raise InvalidConfiguration(f"{arguments.file}: {e.strerror}") from e


def run() -> NoReturn:
    """
    Run C{webqq-admin} and exit with its code.
    """
    escapeUnencodable()
    sys.exit(main())
