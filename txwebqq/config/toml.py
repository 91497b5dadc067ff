"""
TOML files: reading a file, and the keys of its tables one by one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from txwebqq.config.command import parseCommand
from txwebqq.config.folders import checkFolderOf
from txwebqq.config.keylines import KeyPath
from txwebqq.config.passwordfile import (
    CREDENTIALS_VARIABLE,
    readPasswordFile,
    secretPath,
)
from txwebqq.config.tomlfile import TOMLFile
from txwebqq.errors import InvalidConfiguration

V = TypeVar("V")


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

    A table of a L{TOMLFile} collects its errors there: the reading goes on with a
    default in the place of the wrong value, and L{TOMLFile.check} must follow. Any
    other table raises its first error.

    @ivar name: the table's name in error messages, C{""} for the whole file.
    @ivar where: the path to the table in the file.
    """

    def __init__(
        self,
        name: str,
        values: object,
        folder: Path | None = None,
        arrayName: str | None = None,
        file: TOMLFile | None = None,
        where: KeyPath = (),
    ) -> None:
        """
        @param folder: the folder that paths in the table are relative to; the
            current one when it is not given.
        @param arrayName: the name as written in C{[[...]]}, without position.
        @param file: collects the errors.
        """
        self.name = name
        if not isinstance(values, Mapping):
            raise InvalidConfiguration(f"{name} is not a table")
        self._values: dict[str, Any] = dict(values)
        self._folder = folder or Path()
        self._arrayName = name if arrayName is None else arrayName
        self._file = file
        self.where = where
        self._known: list[str] = []

    @classmethod
    def of(cls, file: TOMLFile) -> ConfigTable:
        """
        Make the table of a whole file.
        """
        return cls("", file.values, file.folder, file=file)

    def error(self, key: str, problem: str) -> InvalidConfiguration:
        """
        Make the error for a key of this table.

        @param problem: the rest of the sentence, such as C{"is missing"}.
        """
        return InvalidConfiguration(self._sentence(f"{key} {problem}"))

    def _sentence(self, text: str) -> str:
        return f"{self.name}: {text}" if self.name else text

    def refuse(
        self,
        key: str,
        problem: str,
        suggestion: str = "",
        position: int | None = None,
    ) -> None:
        """
        Collect the error for a key, or raise it.

        @param problem: as for L{error}.
        @param suggestion: the way to correct it, for the file's list of errors.
        @param position: that of the wrong entry in the key's list, from 0; the
            errors of several entries are all collected.

        @raise InvalidConfiguration: when errors are not collected.
        """
        where = (key,) if position is None else (key, position)
        self._refuse(where, f"{key} {problem}", suggestion)

    def _refuse(self, where: KeyPath, text: str, suggestion: str) -> None:
        if self._file is None:
            raise InvalidConfiguration(self._sentence(text))
        if suggestion:
            text = f"{text}; {suggestion}"
        self._file.report((*self.where, *where), self._sentence(text))

    def complain(self, text: str) -> None:
        """
        Collect an error of the table as a whole, or raise it.

        @raise InvalidConfiguration: when errors are not collected.
        """
        if self._file is None:
            raise InvalidConfiguration(self._sentence(text))
        self._file.report(self.where, self._sentence(text))

    def refuseFile(self, key: str) -> None:
        """
        Collect or raise the error that a password file does not exist. The password
        itself may have been written in its place, so the value is not shown.
        """
        self.refuse(key, "cannot be used: there is no such file", _LOOKED)

    def isSound(self, *keys: str) -> bool:
        """
        Check that no error was collected for some keys, or for the whole table when
        none are given: only then checks of several keys make sense.
        """
        if self._file is None:
            return True
        if not keys:
            return not self._file.hasProblems(self.where)
        return not any(self._file.hasProblems((*self.where, key)) for key in keys)

    def has(self, key: str) -> bool:
        """
        Check that a key is present and has not been read.
        """
        self._know(key)
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        """
        Iterate over the keys that have not been read.
        """
        return iter(list(self._values))

    def _know(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)

    def value(self, key: str, default: object = None) -> Any:
        """
        Read a value of any type. The key is required if there is no
        C{default}; the value is L{None} when its error was collected.
        """
        self._know(key)
        value = self._values.pop(key, default)
        if value is None:
            self.refuse(key, "is missing")
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
            self.refuse(key, "is not a text", f'write {key} = "..."')
            return default or ""
        text: str = value
        if not (text or mayBeEmpty or default == ""):
            self.refuse(key, "is empty")
        if "\0" in text and self._file is not None:
            self.refuse(key, "contains a NUL")
            return default or ""
        return text

    def integer(self, key: str, default: int | None = None) -> int:
        """
        Read an integer. The key is required if there is no C{default}.
        """
        value = self.value(key, default)
        if not isInteger(value):
            self.refuse(key, "is not a number", _unquoted(value))
            return default or 0
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """
        Read an integer from C{low} to C{high}. The key is required if there is
        no C{default}.
        """
        value = self.value(key, default)
        if not isInteger(value) or not low <= value <= high:
            problem = f"is not a number from {low} to {high}: {value!r}"
            self.refuse(key, problem, _unquoted(value))
            return low if default is None else default
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """
        Read a boolean.
        """
        value = self.value(key, default)
        if not isinstance(value, bool):
            self.refuse(key, "is neither true nor false", _unquoted(value))
            return default
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """
        Read a string that must be one of C{choices}.
        """
        value = self.string(key, default)
        if value not in choices:
            problem = f"is none of {', '.join(choices)}"
            self.refuse(key, problem, nearText(value, choices))
            return default
        return value

    def path(self, key: str) -> Path | None:
        """
        Read a path relative to the folder of the file, L{None} if the key is
        missing.
        """
        if not self.has(key):
            return None
        return self._folder / self.string(key)

    def writtenFile(self, key: str) -> Path | None:
        """
        Read the path of a file that the daemon writes, as L{path}; its folder has to
        exist.
        """
        path = self.path(key)
        if path is not None:
            try:
                checkFolderOf(path)
            except InvalidConfiguration as e:
                self.refuse(key, f"cannot be used: {e}")
        return path

    def command(self, key: str) -> tuple[str, ...]:
        """
        Read a program and its arguments, as L{parseCommand}; C{()} if the key is
        missing.
        """
        if not self.has(key):
            return ()
        try:
            return parseCommand(self.string(key), self._folder)
        except InvalidConfiguration as e:
            self.refuse(key, f"cannot be used: {e}")
            return ()

    def passwordFile(self, key: str, default: str | None = None) -> str:
        """
        Read the path of a password file, and the password in it. The key is
        required if there is no C{default}, which is a password.
        """
        if not self.has(key) and default is not None:
            return default
        name = self.string(key)
        if not name:
            # The string may not be empty, so an error was collected.
            return ""
        path = secretPath(name, self._folder)
        if self._file is not None and not path.exists():
            self.refuseFile(key)
            return ""
        try:
            return readPasswordFile(path)
        except InvalidConfiguration as e:
            if self._file is None:
                raise self.error(key, f"cannot be used: {e}") from e
            self.refuse(key, f"cannot be used: {e}")
            return ""

    def stringList(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """
        Read a list of strings. The list may be empty if C{default} is.
        """
        return tuple(text for _, text in self.entries(key, default))

    def entries(self, key: str, default: tuple[str, ...]) -> list[tuple[int, str]]:
        """
        Read a list of strings with their positions, from 0. Those that are no strings
        are left out. The list may be empty if C{default} is.
        """
        values = self.value(key, list(default))
        if not isinstance(values, list) or (default and not values):
            advice = f"write {key} = [{values!r}]" if isinstance(values, str) else ""
            self.refuse(key, "is not a list of texts", advice.replace("'", '"'))
            values = list(default)
        found = []
        for position, value in enumerate(values):
            if isinstance(value, str):
                found.append((position, value))
            else:
                problem = f"has {value!r}, which is not a text"
                self.refuse(key, problem, "write it in quotes", position)
        return found

    def table(self, key: str) -> ConfigTable | None:
        """
        Read a table, L{None} if it is missing or is none.
        """
        if not self.has(key):
            return None
        value = self.value(key)
        if not isinstance(value, Mapping):
            brackets = f"[{self._full(key)}]"
            self.refuse(key, f"is written {brackets}")
            return None
        return self._inner(key, value, key, key)

    def tables(self, key: str, label: str = "") -> Iterator[ConfigTable]:
        """
        Read an array of tables, which may be missing.

        @param label: a key whose value stands, besides the position, in the
            name of a table.
        """
        values = self.value(key, [])
        if not isinstance(values, list):
            self.refuse(key, f"is written [[{self._full(key)}]]")
            return
        for position, value in enumerate(values, 1):
            name = f"{key} {position}"
            if isinstance(value, dict) and label in value:
                name += f" ({label} {value[label]})"
            if self._file is not None and not isinstance(value, Mapping):
                self.refuse(key, f"is written [[{self._full(key)}]]")
                return
            yield self._inner(name, value, key, key, position - 1)

    def each(
        self, key: str, read: Callable[[ConfigTable], V], label: str = ""
    ) -> tuple[V, ...]:
        """
        Read the values of an array of tables.

        @param read: reads one table; the tables for which it raises
            L{InvalidConfiguration} are left out when errors are collected.
        @param label: as for L{tables}.
        """
        found = []
        for table in self.tables(key, label):
            try:
                found.append(read(table))
            except InvalidConfiguration as e:
                if self._file is None:
                    raise
                self._file.report(table.where, str(e))
        return tuple(found)

    def _full(self, key: str) -> str:
        return f"{self._arrayName}.{key}" if self._arrayName else key

    def _inner(
        self, name: str, value: object, key: str, *where: str | int
    ) -> ConfigTable:
        start = f"{self.name}." if self.name else ""
        return ConfigTable(
            f"{start}{name}",
            value,
            self._folder,
            self._full(key),
            self._file,
            (*self.where, *where),
        )

    def close(self) -> None:
        """
        Refuse the keys that have not been read.

        @raise InvalidConfiguration: when there is one, and errors are not collected.
        """
        for key in self._values:
            advice = nearText(key, self._known)
            if not advice and self._known:
                advice = f"known are {', '.join(sorted(self._known))}"
            self._refuse((key,), f"{key!r} is not known here", advice)


def refuseRepeated(
    values: Iterable[tuple[ConfigTable, object]], key: str, reason: str = ""
) -> None:
    """
    Refuse the tables in which a key has the value that it has in an earlier one.

    @param values: the tables, and their values of the key.
    @param reason: the rest of the sentence, such as C{": they would clash"}.
    """
    seen = set()
    for table, value in values:
        if not table.isSound(key):
            continue
        if value in seen:
            table.refuse(key, f"{value} is there twice{reason}")
        seen.add(value)


def nearText(word: object, known: Collection[str]) -> str:
    """
    Return the suggestion for a misspelt word, C{""} if none of those that are known
    is near.
    """
    near = get_close_matches(str(word).lower(), known, 1)
    return f"did you mean {near[0]}?" if near else ""


_LOOKED = (
    "paths are relative to the folder of this file, and names without a slash are"
    f" looked up in ${CREDENTIALS_VARIABLE} first"
)


def _unquoted(value: object) -> str:
    return "write it without quotes" if isinstance(value, str) else ""
