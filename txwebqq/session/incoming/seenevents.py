"""
Events that the application was given in earlier sign-ons and by earlier processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import KickNotice, Number, Shake, StatusChange, Tip, Typing

REMEMBERED = 1000
"""Events that are remembered; a server gives at most a hundred again."""

MAX_LINES = 4 * REMEMBERED
"""Lines after which a file is written again."""

_PASSING = (KickNotice, Shake, StatusChange, Tip, Typing)

_LENGTH = 200
"""Bytes that a line of a file has at most."""


def keyOf(event: Any) -> str | None:
    """
    Return a text that is the same for an event that comes twice, also after a new
    sign-on, when all uins and gids are others; L{None} for an event without ids.
    """
    second = getattr(event, "messageId2", 0)
    if not second or isinstance(event, _PASSING):
        return None
    time = getattr(event, "time", 0)
    return f"{type(event).__name__} {event.messageId} {second} {time}"


class SeenEvents:
    """
    The events of one account that were delivered last.

    @param path: a file that remembers them for the next process, L{None} for none.

    @ivar isNumbered: whether the server numbers its replies: then it gives none twice
        to this process, and only events of earlier processes can come again.

    @raise InvalidConfiguration: when the file cannot be used.
    """

    _log = Logger()

    def __init__(self, number: Number, path: Path | None = None) -> None:
        self._number = number
        self._path = path
        self.isNumbered = False
        # Those of earlier processes, and those of this one, the oldest first.
        self._before: dict[str, None] = {}
        self._recent: dict[str, None] = {}
        # Those since the last poll, which the server may give again.
        self._unconfirmed: list[str] = []
        self._isHeld = False
        # Those that the application holds one by one, and those of them that were
        # not delivered and whose callback has not returned.
        self._held: set[str] = set()
        self._undelivered: set[str] = set()
        # The file is written again before the first line: its last one may be cut
        # off. It is not written here, where a daemon may still be root.
        self._lines = MAX_LINES
        self._file: int | None = None
        self._isBroken = False
        if path is not None:
            self._before = _read(path)
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise InvalidConfiguration(f"cannot write {path}")

    @property
    def isUsed(self) -> bool:
        """
        Whether events have to be noted.
        """
        return self._path is not None or not self.isNumbered

    def isRepeated(self, event: object) -> bool:
        """
        Tell whether an event was delivered in another sign-on.
        """
        if not self._before and (self.isNumbered or not self._recent):
            return False
        key = keyOf(event)
        if key is None:
            return False
        return key in self._before or (not self.isNumbered and key in self._recent)

    def delivered(self, event: object) -> None:
        """
        Note an event whose callback was called.
        """
        key = keyOf(event)
        if key is None:
            return
        if key in self._undelivered:
            self._undelivered.discard(key)
            return
        self._recent[key] = None
        if len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        if self._path is not None:
            self._unconfirmed.append(key)
            if not self._isHeld and key not in self._held:
                self._write([key])

    def confirmed(self) -> None:
        """
        Note that a poll acknowledges all events that were delivered.
        """
        self._unconfirmed.clear()

    def hold(self) -> None:
        """
        The application could not store an event: those that are not acknowledged
        have to come again in the next process.
        """
        if self._isHeld:
            # None was written since.
            return
        self._isHeld = True
        if self._unconfirmed:
            self._write([f"-{key}" for key in self._unconfirmed])

    def release(self) -> None:
        """
        The application has stored them.
        """
        if self._isHeld:
            self._isHeld = False
            stored = [key for key in self._unconfirmed if key not in self._held]
            if stored:
                self._write(stored)

    def holdEvent(self, event: object) -> None:
        """
        The application does not know yet whether an event was delivered, whose
        callback is running, or was called.
        """
        key = keyOf(event) if self.isUsed else None
        if key is None:
            return
        self._held.add(key)
        if not self._isHeld and key in self._unconfirmed:
            self._write([f"-{key}"])

    def eventHoldEnded(self, event: object, isDelivered: bool) -> None:
        """
        The application knows it.
        """
        key = keyOf(event)
        if key is None or key not in self._held:
            return
        self._held.discard(key)
        if isDelivered:
            if not self._isHeld and key in self._unconfirmed:
                self._write([key])
        elif key in self._recent:
            del self._recent[key]
            self._unconfirmed = [each for each in self._unconfirmed if each != key]
        else:
            self._undelivered.add(key)

    def close(self) -> None:
        """
        Close the file. It is opened again when it is needed.
        """
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _write(self, lines: list[str]) -> None:
        if self._path is None or self._isBroken:
            return
        try:
            if self._lines + len(lines) > MAX_LINES:
                self._rewrite(_read(self._path))
            if self._file is None:
                self._file = _open(self._path, os.O_APPEND)
            _writeLines(self._file, lines)
            self._lines += len(lines)
        except (OSError, InvalidConfiguration) as e:
            self._isBroken = True
            self._log.error(
                "The delivered events cannot be written to {path} (account {number}):"
                " {reason}; the next process may receive some twice.",
                path=str(self._path),
                number=self._number,
                reason=getattr(e, "strerror", None) or e,
            )

    def _rewrite(self, known: dict[str, None]) -> None:
        """
        Write the file again.

        @param known: the events that are remembered.
        """
        assert self._path is not None
        self.close()
        fresh = self._path.with_name(f"{self._path.name}.new")
        file = _open(fresh, os.O_TRUNC)
        try:
            _writeLines(file, known)
        finally:
            os.close(file)
        fresh.replace(self._path)
        self._lines = len(known)


def _open(path: Path, flag: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flag
    return os.open(path, flags, 0o600)


def _writeLines(file: int, lines: Iterable[str]) -> None:
    data = "".join([f"{line}\n" for line in lines]).encode("ascii")
    if os.write(file, data) != len(data):
        raise OSError(0, "the disk is full")


def _read(path: Path) -> dict[str, None]:
    """
    Read the events of a file, the oldest first. Lines that are none are ignored: the
    last one may be cut off.
    """
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 2 * MAX_LINES * _LENGTH))
            lines = file.read().decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as e:
        raise InvalidConfiguration(f"cannot read {path}: {e.strerror}") from e
    found: dict[str, None] = {}
    for line in lines:
        if line.startswith("-"):
            found.pop(line[1:], None)
        elif len(line) < _LENGTH and line.count(" ") == 3:
            found[line] = None
    for old in list(found)[:-REMEMBERED]:
        del found[old]
    return found
