"""
Configuration files: the values, the lines of their keys, and all that is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from txwebqq.config.keylines import KeyPath, keyLines
from txwebqq.errors import InvalidConfiguration

_ADVICE = {
    "Invalid value": 'texts are in quotes, as in key = "text"; true and false are'
    " in lower case",
    "Cannot overwrite a value": "the key is there twice",
    "Expected '=' after a key": "a line is key = value, a table [name] or [[name]]",
    "Unclosed array": "a list ends with ]",
    "Unescaped '\\' in a string": "in single quotes a backslash means itself",
}
"""Advice for errors of the parser, by the beginnings of their texts."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    An error in a configuration file.

    @ivar line: the number of the line, from 1; 0 for the file as a whole.
    @ivar text: the table, the key, the error, and a suggestion if there is one.
    """

    line: int
    text: str

    def shown(self, path: Path) -> str:
        """
        Return the line for operators.
        """
        return (
            f"{path}:{self.line}: {self.text}" if self.line else f"{path}: {self.text}"
        )


class TOMLFile:
    """
    A configuration file that has been read.

    @ivar path: its absolute path, so that it can be read again after C{chdir}.
    @ivar values: the values of its keys.
    """

    def __init__(self, path: Path, text: str) -> None:
        """
        @raise InvalidConfiguration: when the text is not TOML; names the file and
            the line.
        """
        self.path = path
        self._problems: dict[KeyPath, Problem] = {}
        try:
            self.values: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as e:
            raise InvalidConfiguration(_syntaxProblem(text, e).shown(path)) from e
        self._lines = keyLines(text)

    @classmethod
    def read(cls, path: Path) -> TOMLFile:
        """
        Read a file.

        @raise InvalidConfiguration: when it cannot be read or is not TOML.
        """
        path = path.absolute()
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as e:
            raise InvalidConfiguration(f"{path}: {e.strerror or e}") from e
        except UnicodeDecodeError as e:
            raise InvalidConfiguration(f"{path}: not UTF-8") from e
        return cls(path, text)

    @property
    def folder(self) -> Path:
        """
        The folder that paths in the file are relative to.
        """
        return self.path.parent

    def report(self, where: KeyPath, text: str) -> None:
        """
        Add an error; only the first one of each key counts, since others may follow
        from it.

        @param where: the table, or the key.
        """
        self._problems.setdefault(where, Problem(self._lineOf(where), text))

    def hasProblems(self, where: KeyPath = ()) -> bool:
        """
        Check whether anything is wrong with a table, and the tables in it.
        """
        return any(path[: len(where)] == where for path in self._problems)

    @property
    def problems(self) -> Sequence[Problem]:
        """
        The errors, by their lines.
        """
        return sorted(self._problems.values())

    def check(self) -> None:
        """
        @raise InvalidConfiguration: when there are errors; has the first of them.
        """
        if not self._problems:
            return
        first, *others = self.problems
        text = first.shown(self.path)
        if others:
            text += (
                f" (and {len(others)} more: webqq-admin check-config {self.path} lists"
                " all)"
            )
        raise InvalidConfiguration(text)

    def _lineOf(self, where: KeyPath) -> int:
        while where:
            if where in self._lines:
                return self._lines[where]
            where = where[:-1]
        return 0


def _syntaxProblem(text: str, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return Problem(0, "not TOML: too many lists within each other")
    reason = str(error)
    line = text.count("\n") + bool(text and not text.endswith("\n"))
    found = re.search(r" \(at line (\d+), column (\d+)\)$", reason)
    if found is not None:
        line = int(found[1])
        reason = f"{reason[: found.start()]} (column {found[2]})"
    advice = [more for start, more in _ADVICE.items() if reason.startswith(start)]
    return Problem(line, "; ".join([f"not TOML: {reason}", *advice]))
