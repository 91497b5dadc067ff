"""
The lines of the keys and tables of a TOML file, for error messages.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from itertools import count

KeyPath = tuple[str | int, ...]
"""The names of the tables that lead to a key, the positions in arrays from 0, and
the key; C{()} is the whole file."""

_GAP = re.compile(r"(?:\s|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'")
_TEXT = re.compile(
    r'"""(?:\\.|(?!""")[^\\])*"""{1,3}'
    r"|'''(?:(?!''')[\s\S])*'''{1,3}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\n]+")


def keyLines(text: str) -> dict[KeyPath, int]:
    """
    Find the keys and tables of a TOML file.

    @param text: the text of the file, which C{tomllib} accepts; otherwise some keys
        may be missing in the result.

    @return: the number of the line of each, from 1. An array of tables has the line
        of its first header, and each of its tables, by position, one of its own.
    """
    scanner = _Scanner(text)
    # Of deep arrays, and of a text that is no TOML.
    with suppress(RecursionError, ValueError):
        scanner.scan()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._position = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._table: KeyPath = ()
        # The number of tables in each array of tables.
        self._counts: dict[KeyPath, int] = {}

    def scan(self) -> None:
        """
        Read the whole file.
        """
        while True:
            self._skip(_GAP)
            if self._position >= len(self._text):
                return
            if self._next("[["):
                self._header(isArray=True)
            elif self._next("["):
                self._header(isArray=False)
            else:
                self._pair(self._table)

    def _next(self, mark: str) -> bool:
        isThere = self._text.startswith(mark, self._position)
        if isThere:
            self._position += len(mark)
        return isThere

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._position)
        if found is None:
            raise ValueError("not TOML")
        self._position = found.end()
        return found[0]

    def _note(self, path: KeyPath, position: int) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, position))

    def _keys(self) -> list[str]:
        names = []
        while True:
            self._skip(_BLANK)
            word = self._skip(_KEY)
            names.append(tomllib.loads(f"x={word}")["x"] if word[0] in "\"'" else word)
            self._skip(_BLANK)
            if not self._next("."):
                return names

    def _header(self, isArray: bool) -> None:
        start = self._position
        names = self._keys()
        if not self._next("]]" if isArray else "]"):
            raise ValueError("not TOML")
        path: KeyPath = ()
        for index, name in enumerate(names):
            path += (name,)
            self._note(path, start)
            if isArray and index == len(names) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path += (self._counts[path] - 1,)
                self._note(path, start)
        self._table = path

    def _pair(self, table: KeyPath) -> None:
        start, path = self._position, table
        for name in self._keys():
            path += (name,)
            self._note(path, start)
        if not self._next("="):
            raise ValueError("not TOML")
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._next("["):
            for index in count():
                self._skip(_GAP)
                if self._next("]"):
                    return
                self._note((*path, index), self._position)
                self._value((*path, index))
                self._skip(_GAP)
                self._next(",")
        elif self._next("{"):
            while True:
                self._skip(_GAP)
                if self._next("}"):
                    return
                self._pair(path)
                self._skip(_GAP)
                self._next(",")
        elif self._text[self._position : self._position + 1] in ('"', "'"):
            self._skip(_TEXT)
        else:
            self._skip(_BARE)
