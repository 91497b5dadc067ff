"""
C{webqq-admin}: who is on a server, as its operator sees and changes it.
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
Act = Callable[[Store, Arguments], None]


class Parser(argparse.ArgumentParser):
    """
    A parser whose complaints are one line.
    """

    def error(self, message: str) -> NoReturn:
        raise InvalidConfiguration(message)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Do what a command line says.

    @return: the exit code.
    """
    try:
        arguments = _parser().parse_args(argv)
        if arguments.database is None:
            raise InvalidConfiguration("--database is missing")
        _perform(arguments)
    except InvalidConfiguration as e:
        return _complain(str(e))
    except sqlite3.Error as e:
        return _complain(f"{arguments.database}: {e}")
    except KeyboardInterrupt:
        return _complain("interrupted, nothing is changed")
    except BrokenPipeError:
        # Whoever read us has enough; Python must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _complain(problem: str) -> int:
    sys.stderr.write(f"webqq-admin: {_shown(problem)}\n")
    return 1


def _perform(arguments: Arguments) -> None:
    path = Path(arguments.database)
    if arguments.prepare is not None:
        # Nobody may be asked anything while the database is open.
        arguments.prepare(arguments)
    if not path.exists():
        if not arguments.creates:
            raise InvalidConfiguration(f"{path}: there is no such database")
        Store(path).close()
    try:
        store = Store(path, shared=not arguments.alone)
    except DatabaseInUse as e:
        if not arguments.alone:
            raise
        raise InvalidConfiguration(
            f"{path}: a server has it open: stop it first, "
            "since sessions of the account would go on"
        ) from e
    try:
        if store.copy is not None:
            _say(f"Upgraded the database; what it was is in {store.copy}.")
        arguments.act(store, arguments)
    finally:
        store.close()


# ---- what there is to say


def _parser() -> Parser:
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--database", metavar="FILE", help="the server's database")
    parser = Parser(
        prog="webqq-admin",
        description="Who is on a WebQQ server; it may run meanwhile.",
    )
    parser.add_argument("--database", metavar="FILE", help="the server's database")
    topics = parser.add_subparsers(metavar="COMMAND", required=True)

    def topic(name: str, text: str) -> Callable[..., Parser]:
        group = topics.add_parser(name, help=text, description=text)
        verbs = group.add_subparsers(metavar="COMMAND", required=True)
        return lambda *rest, **settings: command(verbs, *rest, **settings)

    def command(
        into: Any,
        name: str,
        act: Act,
        text: str,
        *,
        prepare: Callable[[Arguments], None] | None = None,
        creates: bool = False,
        alone: bool = False,
    ) -> Parser:
        made: Parser = into.add_parser(
            name, help=text, description=text, parents=[common]
        )
        made.set_defaults(act=act, prepare=prepare, creates=creates, alone=alone)
        return made

    account = topic("account", "people")
    made = account(
        "add", _addAccount, "add somebody", prepare=_readPassword, creates=True
    )
    made.add_argument("number", type=_number)
    made.add_argument("--nick", help="the number if it is missing")
    _takesPassword(made)
    made = account("remove", _removeAccount, "forget somebody", alone=True)
    made.add_argument("number", type=_number)
    account("list", _listAccounts, "numbers and nicks")
    made = account("show", _showAccount, "what is known of somebody")
    made.add_argument("number", type=_number)
    made = account(
        "password", _changePassword, "give another password", prepare=_readPassword
    )
    made.add_argument("number", type=_number)
    _takesPassword(made)

    friendship = topic("friendship", "who is whose friend")
    for name, act, text in (
        ("add", _addFriendship, "make two people friends"),
        ("remove", _removeFriendship, "end a friendship, on both sides"),
    ):
        made = friendship(name, act, text)
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
    made = group("remove", _removeGroup, "dissolve a group for good")
    made.add_argument("number", type=_number)
    made = group("show", _showGroup, "a group and its members")
    made.add_argument("number", type=_number)

    member = topic("member", "who is in which group")
    for name, act, text in (
        ("add", _addMember, "put somebody into a group"),
        ("remove", _removeMember, "take somebody out of a group"),
        ("admin", _makeAdmin, "make a member an administrator"),
    ):
        made = member(name, act, text)
        made.add_argument("group", type=_number)
        made.add_argument("number", type=_number)
        if name == "admin":
            made.add_argument("--revoke", action="store_true", help="no longer")

    made = command(topics, "export", _export, "write a population file")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made = command(
        topics,
        "import",
        _import,
        "merge a population file",
        prepare=_readPopulation,
        creates=True,
    )
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made.add_argument(
        "--update", action="store_true", help="also change nicks and passwords"
    )
    command(topics, "statistics", _statistics, "how much there is of everything")
    made = command(topics, "backup", _backUp, "copy the database")
    made.add_argument("file", type=Path, metavar="FILE")
    return parser


def _takesPassword(parser: Parser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="a file with the password, yours alone; - is the standard input; "
        f"without it {PASSWORD_VARIABLE} is taken, or you are asked",
    )


def _number(text: str) -> Number:
    isNumber = text.isascii() and text.isdigit() and len(text) < 11
    if not isNumber or not LOWEST_NUMBER <= int(text) <= HIGHEST_NUMBER:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from {LOWEST_NUMBER} to {HIGHEST_NUMBER}"
        )
    return Number(int(text))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _shown(text: str) -> str:
    """
    A text that moves no terminal's cursor.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


# ---- passwords


def _readPassword(arguments: Arguments) -> None:
    arguments.firstHash = passwordHash(_password(arguments.password_file))


def _password(file: str | None) -> str:
    # Whatever we start must not inherit it.
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
        again = getpass.getpass("Once more: ")
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


# ---- accounts


def _account(store: Store, number: Number) -> AccountRecord:
    account = store.accounts.get(number)
    if account is None:
        raise InvalidConfiguration(f"there is no account {number}")
    return account


def _addAccount(store: Store, arguments: Arguments) -> None:
    number = arguments.number
    if store.accounts.get(number) is not None:
        raise InvalidConfiguration(f"there is an account {number} already")
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
        _say(f"{account.number}\t{_shown(account.nick)}")


def _showAccount(store: Store, arguments: Arguments) -> None:
    account = _account(store, arguments.number)
    _say(f"number: {account.number}")
    _say(f"nick: {_shown(account.nick)}")
    for key, value in sorted(account.profile.items()):
        _say(f"{key}: {_shown(str(value))}")
    friends = sorted(store.friends.all(account.number), key=lambda each: each.number)
    for friend in friends:
        _say(f"friend: {friend.number} {_shown(friend.markname or friend.nick)}")
    for membership in sorted(
        store.groups.memberships(account.number), key=lambda each: each.number
    ):
        _say(f"group: {membership.number} {_shown(membership.name)}")


def _changePassword(store: Store, arguments: Arguments) -> None:
    _account(store, arguments.number)
    store.accounts.setPassword(arguments.number, arguments.firstHash)


# ---- friendships


def _addFriendship(store: Store, arguments: Arguments) -> None:
    one, other = arguments.one, arguments.other
    if one == other:
        raise InvalidConfiguration(f"{one} is one and the same")
    _account(store, one)
    _account(store, other)
    lacking = [
        (owner, friend)
        for owner, friend in ((one, other), (other, one))
        if store.friends.entry(owner, friend) is None
    ]
    if not lacking:
        raise InvalidConfiguration(f"{one} and {other} are friends already")
    for owner, friend in lacking:
        store.friends.add(owner, friend, 0, "")


def _removeFriendship(store: Store, arguments: Arguments) -> None:
    if not store.friends.removeBoth(arguments.one, arguments.other):
        raise InvalidConfiguration(
            f"{arguments.one} and {arguments.other} are not friends"
        )


# ---- groups


def _group(store: Store, number: Number) -> GroupRecord:
    group = store.groups.get(number)
    if group is None:
        raise InvalidConfiguration(f"there is no group {number}")
    return group


def _addGroup(store: Store, arguments: Arguments) -> None:
    number, owner = arguments.number, arguments.owner
    if store.groups.get(number) is not None:
        raise InvalidConfiguration(f"there is a group {number} already")
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
            f"there was a group {number}, which was dissolved: take another number"
        )


def _removeGroup(store: Store, arguments: Arguments) -> None:
    _group(store, arguments.number)
    store.groups.dissolve(arguments.number)


def _showGroup(store: Store, arguments: Arguments) -> None:
    group = _group(store, arguments.number)
    _say(f"number: {group.number}")
    _say(f"name: {_shown(group.name)}")
    for word, text in (("memo", group.memo), ("description", group.description)):
        if text:
            _say(f"{word}: {_shown(text)}")
    for member in sorted(
        store.groups.members(group.number), key=lambda each: each.number
    ):
        kind = "admin" if member.flag & 1 else "member"
        if member.number == group.owner:
            kind = "owner"
        _say(f"{kind}: {member.number} {_shown(member.card or member.nick)}")


def _addMember(store: Store, arguments: Arguments) -> None:
    group, number = _group(store, arguments.group), arguments.number
    _account(store, number)
    if store.groups.isMember(group.number, number):
        raise InvalidConfiguration(f"{number} is in group {group.number} already")
    store.groups.addMember(group.number, number)


def _member(store: Store, arguments: Arguments) -> tuple[GroupRecord, Number]:
    group, number = _group(store, arguments.group), arguments.number
    if not store.groups.isMember(group.number, number):
        raise InvalidConfiguration(f"{number} is not in group {group.number}")
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


# ---- everything


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
    people = arguments.population.accounts
    known = {p.number for p in people if store.accounts.get(p.number) is not None}
    try:
        importPopulation(store, arguments.population)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{arguments.file}: {e}") from e
    if arguments.update:
        store.accounts.setNicksAndPasswords([p for p in people if p.number in known])


def _statistics(store: Store, arguments: Arguments) -> None:
    for word, count in store.admin.statistics().items():
        _say(f"{word}: {count}")


def _backUp(store: Store, arguments: Arguments) -> None:
    try:
        store.admin.backUp(arguments.file)
    except OSError as e:
        raise InvalidConfiguration(f"{arguments.file}: {e.strerror}") from e


def run() -> NoReturn:
    """
    The console command.
    """
    sys.exit(main())
