"""
The commands for the database as a whole.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from txwebqq.errors import InvalidConfiguration
from txwebqq.server import population, populationwriter
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    printLine,
)
from txwebqq.server.storage.backups import backUpDatabase, copyBlobs
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store


def addCommands(line: CommandLine) -> None:
    """
    Add C{export}, C{import}, C{statistics} and C{backup}.
    """
    made = line.command("export", _export, "write a population file")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made = line.command(
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
    line.command("statistics", _statistics, "count accounts, groups, events and files")
    made = line.command(
        "backup",
        _backUp,
        "copy the database of a server, gateway, relay or queue, also while it is used",
        ofFile=True,
    )
    made.add_argument("file", type=Path, metavar="FILE")
    made.add_argument(
        "--files",
        type=Path,
        metavar="FOLDER",
        help="also copy the contents of pictures and files that FOLDER does not have",
    )


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
    warning = population.exposure(arguments.file)
    if warning:
        sys.stderr.write(f"webqq-admin: {warning}\n")


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
        printLine(f"{word}: {count}")


def _backUp(path: Path, arguments: Arguments) -> None:
    file: Path = arguments.file
    try:
        backUpDatabase(path, file)
    except OSError as e:
        raise InvalidConfiguration(f"{file}: {e.strerror}") from e
    folder: Path | None = arguments.files
    if folder is not None:
        # After the database, so that all contents that it names are there.
        try:
            copyBlobs(Path(f"{path}.files"), folder)
        except OSError as e:
            where = e.filename or folder
            raise InvalidConfiguration(f"{where}: {e.strerror}") from e
