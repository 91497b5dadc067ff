"""
C{webqq-admin}: the commands for the database of a server, and for configuration
files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from txwebqq.commands.configcheck import DAEMONS, checkConfig
from txwebqq.daemon import escapeUnencodable
from txwebqq.server import admin
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    printLine,
    shown,
)


def addCommands(line: CommandLine) -> None:
    """
    Add C{check-config}.
    """
    made = line.plain(
        "check-config", _checkConfig, "check the configuration file of a daemon"
    )
    made.add_argument(
        "--daemon",
        choices=list(DAEMONS),
        help="the daemon; by default it is told by the tables of the file",
    )
    made.add_argument("file", type=Path, metavar="FILE.toml")


def _checkConfig(arguments: Arguments) -> int:
    problems = checkConfig(arguments.file, arguments.daemon)
    for problem in problems:
        sys.stderr.write(f"{shown(problem)}\n")
    if problems:
        return 1
    printLine(f"{arguments.file}: no errors")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run C{webqq-admin}.

    @param argv: the command line without the program's name.
    @return: the exit code.
    """
    return admin.main(argv, [addCommands])


def run() -> NoReturn:
    """
    Run C{webqq-admin} and exit with its code.
    """
    escapeUnencodable()
    sys.exit(main())
