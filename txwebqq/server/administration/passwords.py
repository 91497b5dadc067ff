"""
The password of a command: from a file, the environment or a prompt.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from txwebqq.config.passwordfile import (
    PASSWORD_VARIABLE,
    readPasswordFile,
    takePasswordVariable,
)
from txwebqq.config.passwordhash import hashPassword
from txwebqq.errors import InvalidConfiguration
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    Parser,
    printLine,
)
from txwebqq.wire.digests import passwordHash


def addCommands(line: CommandLine) -> None:
    """
    Add C{hash-password}.
    """
    made = line.plain(
        "hash-password",
        _hash,
        "print the hash of a password, for password-hash of a user of the IRC gateway",
    )
    takesPassword(made)


def _hash(arguments: Arguments) -> int:
    password = _password(arguments.password_file)
    try:
        printLine(str(hashPassword(password)))
    except UnicodeEncodeError as e:
        raise InvalidConfiguration("the password is not UTF-8") from e
    return 0


def takesPassword(parser: Parser) -> None:
    """
    Add the option of a command that needs a password.
    """
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with the password, which only its owner may read; - is standard "
        f"input; default: the variable {PASSWORD_VARIABLE}, or a prompt",
    )


def readPassword(arguments: Arguments) -> None:
    """
    Read the password, and keep its hash in the arguments.
    """
    arguments.firstHash = passwordHash(_password(arguments.password_file))


def _password(file: str | None) -> str:
    fromEnvironment = takePasswordVariable()
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
