"""
The commands of C{webqq-admin} for a server's database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from txwebqq.config.options import versionText
from txwebqq.databases.opening import ERRORS, isURL
from txwebqq.errors import InvalidConfiguration
from txwebqq.server.administration import (
    accounts,
    contacts,
    copying,
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
from txwebqq.sqlite.database import DatabaseAbsent, DatabaseInUse


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
    except ERRORS as e:
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
    address, password = arguments.database, copying.databasePassword(arguments)
    if arguments.prepare is not None:
        # Prompts come first: while the database is open, a server may wait for it.
        arguments.prepare(arguments)
    if not _exists(address, password):
        if not arguments.creates:
            raise InvalidConfiguration(f"{address}: the database does not exist")
        Store(address, password=password).close()
    if arguments.ofFile:
        if isURL(address):
            raise InvalidConfiguration("pg_dump makes backups of PostgreSQL")
        # A backup before an upgrade is one of the older database.
        arguments.action(Path(address), arguments)
        return
    try:
        store = Store(address, shared=not arguments.alone, password=password)
    except DatabaseInUse as e:
        if not arguments.alone:
            raise
        raise InvalidConfiguration(
            f"{address}: a server has it open; stop the server first, "
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


def _exists(address: str, password: str | None) -> bool:
    if not isURL(address):
        return Path(address).exists()
    try:
        Store(address, shared=True, password=password).close()
    except DatabaseAbsent:
        return False
    return True


def _parser(more: Sequence[Callable[[CommandLine], None]]) -> Parser:
    parser = Parser(
        prog="webqq-admin",
        description="Show and change the accounts, friendships and groups of a "
        "WebQQ server. The server may be running.",
    )
    parser.add_argument("--version", action="version", version=versionText(parser.prog))
    line = CommandLine(parser)
    for topic in (accounts, contacts, groups, database, copying, passwords):
        topic.addCommands(line)
    for addCommands in more:
        addCommands(line)
    return parser
