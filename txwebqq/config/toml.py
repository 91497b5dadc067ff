"""
TOML files: reading a file, and the keys of its tables one by one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from txwebqq.config.command import parseCommand
from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.errors import InvalidConfiguration


def parseTOML(text: str) -> dict[str, Any]:
    """
    Parse the text of a TOML file.

    @raise InvalidConfiguration: when the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise InvalidConfiguration(f"not TOML: {e}") from e


def readTOML(path: Path) -> dict[str, Any]:
    """
    Parse a TOML file.

    @raise InvalidConfiguration: when the file cannot be read or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise InvalidConfiguration(e.strerror or str(e)) from e
    except UnicodeDecodeError as e:
        raise InvalidConfiguration("not UTF-8") from e
    return parseTOML(text)


def isInteger(value: object) -> TypeGuard[int]:
    """
    Check that a value of TOML is an integer; for Python, booleans are integers
    too.
    """
    return isinstance(value, int) and not isinstance(value, bool)


class ConfigTable:
    """
    A table of a TOML file. Each key is read once and removed; L{close} refuses
    the keys that are left.

    @ivar name: the table's name in error messages, C{""} for the whole file.
    """

    def __init__(
        self,
        name: str,
        values: object,
        folder: Path | None = None,
        arrayName: str | None = None,
    ) -> None:
        """
        @param folder: the folder that paths in the table are relative to; the
            current one when it is not given.
        @param arrayName: the name as written in C{[[...]]}, without position.
        """
        self.name = name
        if not isinstance(values, Mapping):
            raise InvalidConfiguration(f"{name} is not a table")
        self._values: dict[str, Any] = dict(values)
        self._folder = folder or Path()
        self._arrayName = name if arrayName is None else arrayName

    def error(self, key: str, problem: str) -> InvalidConfiguration:
        """
        Make the error for a key of this table.

        @param problem: the rest of the sentence, such as C{"is missing"}.
        """
        return InvalidConfiguration(
            f"{self.name}: {key} {problem}" if self.name else f"{key} {problem}"
        )

    def has(self, key: str) -> bool:
        """
        Check that a key is present and has not been read.
        """
        return key in self._values

    def value(self, key: str, default: object = None) -> Any:
        """
        Read a value of any type. The key is required if there is no
        C{default}.
        """
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        return value

    def string(
        self, key: str, default: str | None = None, mayBeEmpty: bool = False
    ) -> str:
        """
        Read a string. The key is required if there is no C{default}; the string
        may be empty if C{default} is.
        """
        value = self.value(key, default)
        if not isinstance(value, str):
            raise self.error(key, "is not a text")
        if not (value or mayBeEmpty or default == ""):
            raise self.error(key, "is empty")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """
        Read an integer. The key is required if there is no C{default}.
        """
        value = self.value(key, default)
        if not isInteger(value):
            raise self.error(key, "is not a number")
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """
        Read an integer from C{low} to C{high}. The key is required if there is
        no C{default}.
        """
        value = self.value(key, default)
        if not isInteger(value) or not low <= value <= high:
            problem = f"is not a number from {low} to {high}: {value!r}"
            raise self.error(key, problem)
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """
        Read a boolean.
        """
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "is neither true nor false")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """
        Read a string that must be one of C{choices}.
        """
        value = self.string(key, default)
        if value not in choices:
            raise self.error(key, f"is none of {', '.join(choices)}")
        return value

    def path(self, key: str) -> Path | None:
        """
        Read a path relative to the folder of the file, L{None} if the key is
        missing.
        """
        if key not in self._values:
            return None
        return self._folder / self.string(key)

    def command(self, key: str) -> tuple[str, ...]:
        """
        Read a program and its arguments, as L{parseCommand}; C{()} if the key is
        missing.
        """
        if key not in self._values:
            return ()
        try:
            return parseCommand(self.string(key), self._folder)
        except InvalidConfiguration as e:
            raise self.error(key, f"cannot be used: {e}") from e

    def passwordFile(self, key: str, default: str | None = None) -> str:
        """
        Read the path of a password file, and the password in it. The key is
        required if there is no C{default}, which is a password.
        """
        if key not in self._values and default is not None:
            return default
        path = self._folder / self.string(key)
        try:
            return readPasswordFile(path)
        except InvalidConfiguration as e:
            raise self.error(key, f"cannot be used: {e}") from e

    def stringList(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """
        Read a list of strings. The list may be empty if C{default} is.
        """
        values = self.value(key, list(default))
        isTexts = isinstance(values, list) and all(isinstance(v, str) for v in values)
        if not isTexts or (default and not values):
            raise self.error(key, "is not a list of texts")
        return tuple(values)

    def tables(self, key: str, label: str = "") -> Iterator[ConfigTable]:
        """
        Read an array of tables, which may be missing.

        @param label: a key whose value stands, besides the position, in the
            name of a table.
        """
        values = self.value(key, [])
        prefix = f"{self._arrayName}." if self._arrayName else ""
        if not isinstance(values, list):
            raise self.error(key, f"is written [[{prefix}{key}]]")
        start = f"{self.name}." if self.name else ""
        for position, value in enumerate(values, 1):
            name = f"{start}{key} {position}"
            if isinstance(value, dict) and label in value:
                name += f" ({label} {value[label]})"
            yield ConfigTable(name, value, self._folder, prefix + key)

    def close(self) -> None:
        """
        @raise InvalidConfiguration: when a key has not been read.
        """
        for key in self._values:
            raise self.error(repr(key), "is not known here")
