"""
The command line of C{webqq-admin}: topics, commands and their arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    LOWEST_NUMBER,
    AccountRecord,
    GroupRecord,
)
from txwebqq.server.storage.store import Store

Arguments = argparse.Namespace
Action = Callable[[Any, Arguments], None]
"""Is given the L{Store}, or the path of the database."""


class Parser(argparse.ArgumentParser):
    """
    An argument parser that raises its errors as L{InvalidConfiguration}.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.register("action", None, _Once)
        self.register("action", "store", _Once)

    def error(self, message: str) -> NoReturn:
        raise InvalidConfiguration(message)


class _Once(argparse.Action):
    """
    The storing of an option that can be given once.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: Arguments,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = namespace.__dict__.setdefault("given", set())
        if option_string is not None and self.dest in given:
            parser.error(f"{option_string} is given twice: it takes one value")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class CommandLine:
    """
    The commands: topics with subcommands, and single ones.

    @ivar parser: the parser of the whole command line.
    """

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self._common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
        for each in (parser, self._common):
            each.add_argument(
                "--database",
                metavar="FILE",
                help="the server's database; a file, or postgresql://USER@HOST/NAME",
            )
            self._addPasswordFile(each)
        self._commands = parser.add_subparsers(metavar="COMMAND", required=True)
        self._topics: dict[str, Any] = {}

    def topic(self, name: str, text: str) -> Callable[..., Parser]:
        """
        Add a topic, or more commands to it.

        @return: adds a command to the topic, with the arguments of L{command}.
        """
        if name not in self._topics:
            parser = self._commands.add_parser(name, help=text, description=text)
            self._topics[name] = parser.add_subparsers(metavar="COMMAND", required=True)
        commands = self._topics[name]
        return lambda *rest, **more: self._add(commands, *rest, **more)

    def command(self, *rest: Any, **more: Any) -> Parser:
        """
        Add a command without a topic.

        @param rest: the name, the action, and the text for C{--help}.
        @param more: C{prepare}, which is called before the database is opened;
            C{creates}: whether the database may be missing; C{alone}: whether no
            server may have it open; C{ofFile}: whether the action is given the path
            of a database, which is not opened.
        """
        return self._add(self._commands, *rest, **more)

    def plain(self, name: str, run: Callable[[Arguments], int], text: str) -> Parser:
        """
        Add a command that has nothing to do with a database.

        @param run: performs it and returns the exit code.
        """
        made: Parser = self._commands.add_parser(name, help=text, description=text)
        made.set_defaults(action=None, run=run)
        return made

    @staticmethod
    def _addPasswordFile(parser: Parser) -> None:
        parser.add_argument(
            "--database-password-file",
            metavar="FILE",
            help="file with the password for PostgreSQL, that only its owner may read; "
            "default: that of libpq, such as PGPASSFILE",
        )

    def _add(
        self,
        commands: Any,
        name: str,
        action: Action,
        text: str,
        *,
        prepare: Callable[[Arguments], None] | None = None,
        creates: bool = False,
        alone: bool = False,
        ofFile: bool = False,
    ) -> Parser:
        made: Parser = commands.add_parser(
            name, help=text, description=text, parents=[self._common]
        )
        made.set_defaults(
            action=action,
            prepare=prepare,
            creates=creates,
            alone=alone,
            ofFile=ofFile,
        )
        return made


def number(text: str) -> Number:
    """
    Return the number of an account, group or discussion.
    """
    isNumber = text.isascii() and text.isdigit() and len(text) < 11
    if not isNumber or not LOWEST_NUMBER <= int(text) <= HIGHEST_NUMBER:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from {LOWEST_NUMBER} to {HIGHEST_NUMBER}"
        )
    return Number(int(text))


def printLine(line: str) -> None:
    """
    Write a line to standard output.
    """
    sys.stdout.write(line + "\n")


def shown(text: str) -> str:
    """
    Escape the control characters of a text, so that it cannot control the
    terminal.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def existingAccount(store: Store, number: Number) -> AccountRecord:
    """
    Return an account.

    @raise InvalidConfiguration: when there is none with this number.
    """
    account = store.accounts.get(number)
    if account is None:
        raise InvalidConfiguration(f"there is no account {number}")
    return account


def existingGroup(store: Store, number: Number) -> GroupRecord:
    """
    Return a group.

    @raise InvalidConfiguration: when there is none with this number.
    """
    group = store.groups.get(number)
    if group is None:
        raise InvalidConfiguration(f"there is no group {number}")
    return group
