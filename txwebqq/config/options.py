"""
The options of the C{twistd} commands.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from getopt import GetoptError, getopt
from importlib.metadata import version
from typing import Any

from twisted.python.reflect import accumulateClassList
from twisted.python.usage import Options, UsageError

from txwebqq import __version__


def versionText(command: str) -> str:
    """
    Return the line that C{--version} prints.
    """
    return f"{command} (txwebqq) {__version__}"


class CommandOptions(Options):
    """
    Options with a C{--version} of this package, in which an option that takes
    one value cannot be given twice.

    @cvar command: the name of the command.
    """

    command = ""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def arguments(self, options: Sequence[str] | None) -> list[str]:
        """
        Return the command line, by default that of the process.
        """
        return list(sys.argv[1:] if options is None else options)

    def found(self, given: Sequence[str]) -> list[tuple[str, str]]:
        """
        Return the options of a command line with their values, C{[]} if it is not
        valid. Abbreviated names are completed.
        """
        own: Any = self
        try:
            found, _ = getopt(given, own.shortOpt, own.longOpt)
        except GetoptError:
            # The base class reports it.
            return []
        return [(name.removeprefix("--"), value) for name, value in found]

    def names(self) -> set[str]:
        """
        Return the names of all options.
        """
        own: Any = self
        return {name.removesuffix("=") for name in own.longOpt}

    def takesValue(self, name: str) -> bool:
        """
        Check whether an option takes a value; others are flags.
        """
        own: Any = self
        return f"{name}=" in own.longOpt

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.

        @raise UsageError: when it is not valid; names the option.
        """
        given = self.arguments(options)
        self.refuseTwice(given)
        super().parseOptions(given)  # type: ignore[no-untyped-call]

    def refuseTwice(self, given: Sequence[str]) -> None:
        """
        @raise UsageError: when an option that takes one value is given twice.
        """
        parameters: list[list[Any]] = []
        accumulateClassList(type(self), "optParameters", parameters)
        single = {parameter[0] for parameter in parameters}
        names = (name for name, _ in self.found(given))
        for option, count in Counter(names).items():
            if count > 1 and option in single:
                raise UsageError(
                    f"--{option} is given {count} times: it takes one value"
                )

    def opt_version(self) -> None:
        """
        Display the versions of txwebqq and Twisted, and exit.
        """
        twisted = version("twisted")
        sys.stdout.write(f"{versionText(self.command)}, Twisted {twisted}\n")
        sys.exit(0)
