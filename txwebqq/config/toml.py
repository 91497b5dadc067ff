"""
A table of a configuration file, read key by key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.errors import InvalidConfiguration


class ConfigTable:
    """
    A table of the file, read key by key.
    """

    def __init__(self, name: str, values: object, folder: Path) -> None:
        if not isinstance(values, dict):
            raise InvalidConfiguration(f"{name} is no table")
        self._name = name
        self._values: dict[str, Any] = dict(values)
        self._folder = folder

    def error(self, key: str, problem: str) -> InvalidConfiguration:
        """
        What is wrong with a key.
        """
        return InvalidConfiguration(f"{self._name}: {key} {problem}")

    def string(
        self, key: str, default: str | None = None, mayBeEmpty: bool = False
    ) -> str:
        """
        A text; without C{default} it must be there.
        """
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        mayBeEmpty = mayBeEmpty or default == ""
        if not isinstance(value, str) or not (value or mayBeEmpty):
            raise self.error(key, "is not a text")
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """
        A number in a range.
        """
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        isNumber = isinstance(value, int) and not isinstance(value, bool)
        if not isNumber or not low <= value <= high:
            raise self.error(key, f"is not a number from {low} to {high}")
        return int(value)

    def boolean(self, key: str, default: bool) -> bool:
        """
        Yes or no.
        """
        value = self._values.pop(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "is neither true nor false")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """
        One of several words.
        """
        value = self.string(key, default)
        if value not in choices:
            raise self.error(key, f"is none of {', '.join(choices)}")
        return value

    def path(self, key: str) -> Path | None:
        """
        A path, relative to the configuration file.
        """
        if key not in self._values:
            return None
        return self._folder / self.string(key)

    def passwordFile(self, key: str, default: str | None = None) -> str:
        """
        What stands in a file that nobody else may read; without C{default}
        the key must be there.
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
        A list of texts, not empty where the default is not.
        """
        values = self._values.pop(key, list(default))
        isTexts = isinstance(values, list) and all(isinstance(v, str) for v in values)
        if not isTexts or (default and not values):
            raise self.error(key, "is not a list of texts")
        return tuple(values)

    def tables(self, key: str) -> Iterator[ConfigTable]:
        """
        The tables of a C{[[...]]}.
        """
        values = self._values.pop(key, [])
        if not isinstance(values, list):
            raise self.error(key, f"is written [[...{key}]]")
        for position, value in enumerate(values, 1):
            yield ConfigTable(f"{self._name}.{key} {position}", value, self._folder)

    def close(self) -> None:
        """
        There must be no key left.
        """
        for key in self._values:
            raise self.error(repr(key), "is not known here")
