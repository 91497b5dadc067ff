"""
Commands in options and configuration files: a program and its arguments.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from txwebqq.errors import InvalidConfiguration


def parseCommand(text: str, folder: Path) -> tuple[str, ...]:
    """
    Split a command into words as a shell does; there is no shell that runs it.

    @param folder: the folder that the path of the program is relative to. A name
        without a slash is looked for in C{PATH}.

    @return: the absolute path of the program, and its arguments.

    @raise InvalidConfiguration: when there is no such program; tells only why.
    """
    try:
        words = shlex.split(text)
    except ValueError as e:
        raise InvalidConfiguration(f"it is no command: {e}") from e
    if not words:
        raise InvalidConfiguration("it is empty")
    if "\0" in text:
        raise InvalidConfiguration("it contains a NUL")
    name, *arguments = words
    path = shutil.which(str(folder.absolute() / name) if "/" in name else name)
    if path is None:
        raise InvalidConfiguration(f"there is no program {name} that can be run")
    return str(Path(path).absolute()), *arguments
