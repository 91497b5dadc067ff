"""
Captchas in a folder: the image in one file, the answer in another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.errors import CaptchaUnsolved, InvalidConfiguration
from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import Number

INTERVAL = 1.0
"""Seconds between two looks for an answer."""

MAX_ANSWER = 100
"""Maximum size of an answer, in bytes."""

_EXTENSIONS = ("jpg", "png", "gif", "bmp", "bin")


def checkFolder(folder: Path) -> None:
    """
    @raise InvalidConfiguration: when the folder cannot be used for captchas; tells
        only why.
    """
    try:
        mode = folder.stat().st_mode
    except OSError as e:
        raise InvalidConfiguration(f"{folder}: {e.strerror}") from e
    if not stat.S_ISDIR(mode):
        raise InvalidConfiguration(f"{folder} is no folder")
    if mode & stat.S_IWOTH:
        raise InvalidConfiguration(
            f"all users can write to {folder}: chmod o-w {folder}"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidConfiguration(f"{folder} cannot be written to")


class CaptchaFolder:
    """
    Writes the image of a captcha as C{NUMBER.jpg} (or C{.png}), for its owner only,
    and reads the answer from C{NUMBER.txt} when there is one
    (L{CaptchaWay<txwebqq.operation.captchas.asking.CaptchaWay>}).

    Both are removed with the captcha, and when a new one is shown: so the answer to
    an earlier one is not taken.
    """

    _log = Logger()

    def __init__(self, folder: Path, clock: IReactorTime) -> None:
        self._folder = folder
        self._clock = clock
        self.name = f"a file in {folder}"

    def clear(self, number: Number) -> None:
        """
        Remove the files of an account.
        """
        for extension in ("txt", *_EXTENSIONS):
            with suppress(OSError):
                self._path(number, extension).unlink()

    def _path(self, number: Number, extension: str) -> Path:
        return self._folder / f"{number}.{extension}"

    def ask(self, number: Number, image: bytes) -> Deferred[str]:
        """
        Write the image, and wait for the answer.
        """
        self.clear(number)
        imageType = imageTypeOf(image)
        extension = "bin" if imageType is None else imageType.extension
        try:
            _write(self._path(number, extension), image)
        except OSError as e:
            reason = f"the image cannot be written to {self._folder}: {e.strerror}"
            self._log.error(
                "Showing a captcha failed (account {account}): {reason}.",
                account=number,
                reason=reason,
            )
            return fail(CaptchaUnsolved(reason))
        return _Waiting(self, number, self._clock).answer

    def read(self, number: Number) -> bytes:
        """
        Read the file with the answer. One that is too long is removed.

        @return: C{b""} while there is none.
        """
        path = self._path(number, "txt")
        try:
            with _opened(path) as file:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    return b""
                data = os.read(file, MAX_ANSWER + 1)
        except OSError:
            # Usually there is none yet; a link is no answer.
            return b""
        if len(data) > MAX_ANSWER:
            self._log.warn(
                "The answer in {path} is longer than {limit} bytes, and was removed.",
                path=str(path),
                limit=MAX_ANSWER,
            )
            with suppress(OSError):
                path.unlink()
            return b""
        return data


class _Waiting:
    """
    Looks for the answer to one captcha.
    """

    def __init__(
        self, folder: CaptchaFolder, number: Number, clock: IReactorTime
    ) -> None:
        self._folder = folder
        self._number = number
        self._clock = clock
        self._last = b""
        self.answer: Deferred[str] = Deferred(lambda _: self._stop())
        self._call: IDelayedCall = clock.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        data = self._folder.read(self._number)
        text = data.decode("utf-8-sig", "replace").strip()
        # A file that is being written has no end of line yet, and grows.
        if text and (data.endswith(b"\n") or data == self._last):
            self._stop()
            self.answer.callback(text)
            return
        self._last = data
        self._call = self._clock.callLater(INTERVAL, self._look)

    def _stop(self) -> None:
        if self._call.active():
            self._call.cancel()
        self._folder.clear(self._number)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield file
    finally:
        os.close(file)


def _write(path: Path, data: bytes) -> None:
    """
    Write a file that only its owner may read, under its name when it is whole.
    """
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    try:
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
