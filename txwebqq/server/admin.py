"""
The commands of C{webqq-admin} for a server's database.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from txwebqq.config.options import versionText
from txwebqq.errors import InvalidConfiguration
from txwebqq.server.administration import (
    accounts,
    contacts,
    database,
    groups,
    passwords,
)
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    Parser,
    printLine,
    shown,
)
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import DatabaseInUse


def main(
    argv: Sequence[str] | None = None,
    more: Sequence[Callable[[CommandLine], None]] = (),
) -> int:
    """
    Run C{webqq-admin}.

    @param argv: the command line without the program's name.
    @param more: add further commands.
    @return: the exit code.
    """
    try:
        arguments = _parser(more).parse_args(argv)
        if arguments.action is None:
            return int(arguments.run(arguments))
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
    sys.stderr.write(f"webqq-admin: {shown(problem)}\n")
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
    if arguments.ofFile:
        # A backup before an upgrade is one of the older database.
        arguments.action(path, arguments)
        return
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
            printLine(
                f"Upgraded the database; a copy of the old one is in {store.copy}."
            )
        arguments.action(store, arguments)
    finally:
        store.close()


def _parser(more: Sequence[Callable[[CommandLine], None]]) -> Parser:
    parser = Parser(
        prog="webqq-admin",
        description="Show and change the accounts, friendships and groups of a "
        "WebQQ server. The server may be running.",
    )
    parser.add_argument("--version", action="version", version=versionText(parser.prog))
    line = CommandLine(parser)
    for topic in (accounts, contacts, groups, database, passwords):
        topic.addCommands(line)
    for addCommands in more:
        addCommands(line)
    return parser
