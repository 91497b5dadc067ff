"""
What stands before a password: verify codes, captchas, and who has to read one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum

from txwebqq.server.sessions.sessions import Random, token

WINDOW = 150.0
"""A verify code is good in the window it was given in and the two after it."""

CAPTCHA_LIFE = 300.0
"""The seconds for which a captcha can be answered."""

SUSPICIOUS = 3
"""So many wrong passwords in C{MEMORY} seconds ask for a captcha."""

MEMORY = 600.0

MAX_CAPTCHAS = 10_000
MAX_SUSPECTS = 10_000

_CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

# Without what looks alike in a distorted picture.
_LEGIBLE = "ACDEFHJKMNPQRTVWXY34789"


class CaptchaMode(Enum):
    """
    Who has to read a captcha.
    """

    NEVER = "never"
    ALWAYS = "always"
    SUSPICIOUS = "suspicious"


class VerifyCodes:
    """
    The codes that C{check} gives instead of a captcha.

    They are made, not remembered: asking for many neither fills the memory
    nor makes another one's code invalid.
    """

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        self._now = now
        self._key = random.getrandbits(256).to_bytes(32, "big")

    def issue(self, number: int) -> str:
        """
        The present code of an account.
        """
        return self._code(number, self._window)

    def isGood(self, number: int, code: str) -> bool:
        """
        Whether C{check} gave this code not long ago.
        """
        window = self._window
        return any(code.upper() == self._code(number, window - n) for n in range(3))

    @property
    def _window(self) -> int:
        return int(self._now() // WINDOW)

    def _code(self, number: int, window: int) -> str:
        said = f"{number} {window}".encode()
        value = int.from_bytes(hmac.digest(self._key, said, hashlib.sha256)[:8], "big")
        text = "!"
        for _ in range(3):
            value, index = divmod(value, len(_CODE))
            text += _CODE[index]
        return text


class Captchas:
    """
    The captchas that wait to be read; each is good for one try.

    @ivar fixed: the text of all of them, for tests, or L{None}.
    """

    def __init__(
        self, now: Callable[[], float], random: Random, fixed: str | None = None
    ) -> None:
        self._now = now
        self._random = random
        self._waiting: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.fixed = fixed

    def issue(self) -> tuple[str, str]:
        """
        A new captcha: its C{verifysession}, and its text.
        """
        text = self.fixed or "".join(
            _LEGIBLE[self._random.randrange(0, len(_LEGIBLE))] for _ in range(4)
        )
        verifySession = token(self._random, 64)
        self._waiting[verifySession] = text, self._now() + CAPTCHA_LIFE
        if len(self._waiting) > MAX_CAPTCHAS:
            self._waiting.popitem(last=False)
        return verifySession, text

    def answer(self, verifySession: str, text: str) -> bool:
        """
        Whether that is what the captcha says. There is no second try.
        """
        expected, until = self._waiting.pop(verifySession, ("", 0.0))
        return self._now() < until and text.upper() == expected.upper()


class FailedLogins:
    """
    Accounts and addresses that gave wrong passwords lately.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: OrderedDict[Hashable, list[float]] = OrderedDict()

    def failed(self, *sources: Hashable) -> None:
        """
        These gave a wrong password.
        """
        for source in sources:
            times = [*self._recent(source), self._now()][-SUSPICIOUS:]
            self._failures.pop(source, None)
            self._failures[source] = times
        while len(self._failures) > MAX_SUSPECTS:
            self._failures.popitem(last=False)

    def cleared(self, source: Hashable) -> None:
        """
        This one knew the password.
        """
        self._failures.pop(source, None)

    def isSuspicious(self, *sources: Hashable) -> bool:
        """
        Whether any of these has failed too often.
        """
        return any(len(self._recent(source)) >= SUSPICIOUS for source in sources)

    def _recent(self, source: Hashable) -> list[float]:
        horizon = self._now() - MEMORY
        return [at for at in self._failures.get(source, ()) if at > horizon]
