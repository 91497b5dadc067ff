"""
The options C{--log-format}, C{--log-level} and C{--log-size}.
"""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError

from txwebqq.config.fileoptions import FileOptions
from txwebqq.errors import InvalidConfiguration
from txwebqq.logs.levels import LogLevels
from txwebqq.logs.observer import LogSettings

FORMATS = ("text", "json")


class LogOptions(FileOptions):
    """
    Options of a daemon that logs.

    @ivar logs: the settings of the log, after L{readLogs}.
    """

    logs: LogSettings

    optParameters = [
        ["log-format", None, "text", "The format of the log: text or json."],
        [
            "log-level",
            None,
            "info",
            "The level from which events are logged: debug, info, warn or error.",
        ],
        [
            "log-size",
            None,
            "1",
            "The megabytes at which a new log file is begun, 0 for never.",
        ],
    ]

    def readLogs(self) -> None:
        """
        Check the options, and set C{logs}.

        @raise UsageError: when one is invalid; names the option.
        """
        twistd: Any = self.parent or {}
        text = self["log-format"]
        if text not in FORMATS:
            raise UsageError(f"--log-format is none of {', '.join(FORMATS)}: {text}")
        if twistd.get("logger") and (text, self["log-level"]) != ("text", "info"):
            raise UsageError(
                "--log-format and --log-level are for the log of this package, and"
                " twistd --logger names another one"
            )
        try:
            levels = LogLevels(self["log-level"])
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e
        size = _megabytes(self["log-size"])
        self.logs = LogSettings(twistd, text == "json", levels, size)


def _megabytes(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = -1.0
    if size != 0.0 and not 0.001 <= size <= 1_000_000.0:
        raise UsageError(f"--log-size is not 0, or from 0.001 to 1000000: {text}")
    return size
