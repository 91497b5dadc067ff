"""
The options of the C{twistd} commands.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from getopt import GetoptError, getopt
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twisted.python.reflect import accumulateClassList
from twisted.python.usage import Options, UsageError

from txwebqq import __version__
from txwebqq.errors import InvalidConfiguration


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
        parameters: list[list[Any]] = []
        accumulateClassList(type(self), "optParameters", parameters)
        single = {parameter[0] for parameter in parameters}
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


class ConfigFileOptions(CommandOptions, ABC):
    """
    Options of a command whose settings are in a configuration file; those are the
    value of C{configuration}.
    """

    synopsis = "--config FILE.toml"
    optParameters = [["config", None, None, "The configuration file."]]

    @abstractmethod
    def load(self, path: Path) -> Any:
        """
        Read the configuration file.

        @raise InvalidConfiguration: names the file, the table, the key and the error.
        """

    def postOptions(self) -> None:
        """
        Read the configuration file.

        @raise UsageError: when the file is missing or invalid.
        """
        if self["config"] is None:
            raise UsageError("--config is missing")
        try:
            self["configuration"] = self.load(Path(self["config"]))
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e
