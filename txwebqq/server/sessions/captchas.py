"""
Verify codes, captchas, and the accounts and addresses that need a captcha.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum

from txwebqq.errors import InvalidConfiguration
from txwebqq.server.sessions.sessions import Random, token

WINDOW = 150.0
"""Length of a time window, in seconds. A verify code is valid in the window in
which it was issued and in the two after it."""

CAPTCHA_LIFE = 300.0
"""Time for which a captcha can be answered, in seconds."""

SUSPICIOUS = 3
"""Number of wrong passwords within L{MEMORY} seconds after which a captcha is
needed."""

MEMORY = 600.0

WIDTH, HEIGHT = 130, 53
"""Size of a captcha image, in pixels: that of Tencent's."""

MAX_CAPTCHAS = 10_000
MAX_SUSPECTS = 10_000

_CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

# Without the characters that look alike in a distorted image.
_LEGIBLE = "ACDEFHJKMNPQRTVWXY34789"


class CaptchaMode(Enum):
    """
    When a login needs a captcha.
    """

    NEVER = "never"
    ALWAYS = "always"
    SUSPICIOUS = "suspicious"


class VerifyCodes:
    """
    The codes that C{check} gives instead of a captcha.

    A code is computed from the account and the time, and not stored: requests
    for many codes use no memory and invalidate no other account's code.

    @param key: returns the secret that the codes are made with.
    """

    def __init__(self, now: Callable[[], float], key: Callable[[], bytes]) -> None:
        self._now = now
        self._key = key

    def issue(self, number: int) -> str:
        """
        Return the current code of an account.
        """
        return self._code(number, self._window)

    def isGood(self, number: int, code: str) -> bool:
        """
        Check whether a code was issued for an account and is still valid.
        """
        window = self._window
        return any(code.upper() == self._code(number, window - n) for n in range(3))

    @property
    def _window(self) -> int:
        return int(self._now() // WINDOW)

    def _code(self, number: int, window: int) -> str:
        said = f"{number} {window}".encode()
        value = int.from_bytes(
            hmac.digest(self._key(), said, hashlib.sha256)[:8], "big"
        )
        text = "!"
        for _ in range(3):
            value, index = divmod(value, len(_CODE))
            text += _CODE[index]
        return text


class Captchas:
    """
    The captchas that have not been answered; each can be answered once.

    @ivar fixed: the text of all captchas, for tests, or L{None}.
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
        Return the C{verifysession} and the text of a new captcha.
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
        Check the text that a user has read. The captcha is used up.
        """
        expected, until = self._waiting.pop(verifySession, ("", 0.0))
        return self._now() < until and text.upper() == expected.upper()


class FailedLogins:
    """
    Accounts and addresses with recent logins by a wrong password.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: OrderedDict[Hashable, list[float]] = OrderedDict()

    def failed(self, *sources: Hashable) -> None:
        """
        Record a wrong password for an account and an address.
        """
        for source in sources:
            times = [*self._recent(source), self._now()][-SUSPICIOUS:]
            self._failures.pop(source, None)
            self._failures[source] = times
        while len(self._failures) > MAX_SUSPECTS:
            self._failures.popitem(last=False)

    def cleared(self, source: Hashable) -> None:
        """
        Forget the wrong passwords of an account, because its login succeeded.
        """
        self._failures.pop(source, None)

    def isSuspicious(self, *sources: Hashable) -> bool:
        """
        Check whether an account or an address needs a captcha.
        """
        return any(len(self._recent(source)) >= SUSPICIOUS for source in sources)

    def _recent(self, source: Hashable) -> list[float]:
        horizon = self._now() - MEMORY
        return [at for at in self._failures.get(source, ()) if at > horizon]


def captchaRenderer() -> Callable[[str], bytes]:
    """
    Return a function that makes a JPEG image of a text.

    @raise InvalidConfiguration: when the package C{captcha} is missing, because
        txwebqq was installed without its dependencies.
    """
    try:
        from captcha.image import ImageCaptcha
    except ImportError as e:
        raise InvalidConfiguration(
            "captchas need the package captcha: run pip install . in the checkout "
            "of txwebqq, or use --captcha never and --signup closed"
        ) from e
    image = ImageCaptcha(width=WIDTH, height=HEIGHT, font_sizes=(36, 40, 44))
    # Characters are drawn over each other unless all of them fit side by side.
    image.word_space_probability = 1.0
    image.word_offset_dx = 0.0

    def render(text: str) -> bytes:
        return image.generate(text, format="jpeg").getvalue()

    return render
