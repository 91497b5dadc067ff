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

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.

        @raise UsageError: when it is not valid; names the option.
        """
        given = list(sys.argv[1:] if options is None else options)
        own: Any = self
        try:
            found, _ = getopt(given, own.shortOpt, own.longOpt)
        except GetoptError:
            # The base class reports it.
            found = []
        single = {parameter[0] for parameter in getattr(self, "optParameters", ())}
        for option, count in Counter(name for name, _ in found).items():
            if count > 1 and option.removeprefix("--") in single:
                raise UsageError(f"{option} is given {count} times: it takes one value")
        super().parseOptions(options)  # type: ignore[no-untyped-call]

    def opt_version(self) -> None:
        """
        Display the versions of txwebqq and Twisted, and exit.
        """
        twisted = version("twisted")
        sys.stdout.write(f"{versionText(self.command)}, Twisted {twisted}\n")
        sys.exit(0)
