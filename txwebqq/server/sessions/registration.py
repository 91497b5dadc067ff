"""
The rules of signing up: who gets an account of their own making.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from txwebqq.model import Number
from txwebqq.ratelimit import RateLimiter
from txwebqq.server.sessions.captchas import Captchas
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.accounts import AccountStore
from txwebqq.wire.digests import passwordHash

MAX_NICK = 24
MIN_PASSWORD, MAX_PASSWORD = 6, 64

TRIES, TRIES_WINDOW = 20, 600.0
"""So many forms an address may send in so many seconds."""

FORMS = 60
"""So many new forms, each with a captcha, it gets in that time."""

ACCOUNTS, ACCOUNTS_WINDOW = 5, 3600.0
"""And so many accounts."""

# What moves the text around it, or is not there at all.
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_DIRECTIONS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """
    What somebody filled in.

    @ivar session: the captcha that C{code} was read from.
    """

    nick: str
    password: str = field(repr=False)
    again: str = field(repr=False)
    session: str = field(repr=False)
    code: str = field(repr=False)


class Registration:
    """
    Gives accounts to whoever reads a captcha.

    @ivar captchas: those of the form alone, so that nobody who fetches many
        takes them away from those who sign on.
    """

    def __init__(
        self,
        accounts: AccountStore,
        now: Callable[[], float],
        random: Random,
        captchaText: str | None = None,
    ) -> None:
        self.captchas = Captchas(now, random, captchaText)
        self._accounts = accounts
        self._tries = RateLimiter(now, TRIES, TRIES_WINDOW)
        self._forms = RateLimiter(now, FORMS, TRIES_WINDOW)
        self._registrations = RateLimiter(now, ACCOUNTS, ACCOUNTS_WINDOW)

    def captcha(self, address: str) -> tuple[str, str] | None:
        """
        A captcha for a new form, its session and its text, unless the address
        has had too many.
        """
        return self.captchas.issue() if self._forms.take(address) else None

    def register(self, form: SignUpForm, address: str) -> Number | str:
        """
        Judge a form.

        @return: the number of the new account, or what is wrong.
        """
        if not self._tries.take(address):
            return "Too many tries from your address: come back in ten minutes."
        # It is used up whatever else is wrong, as everywhere.
        if not self.captchas.answer(form.session, form.code):
            return "That is not what the picture says, or it was too long ago."
        nick = form.nick.strip()
        problem = problemOf(nick, form.password, form.again)
        if problem is not None:
            return problem
        if not self._registrations.hasCapacity(address):
            return "Too many accounts for your address: come back in an hour."
        number = self._accounts.register(nick, passwordHash(form.password))
        if number is None:
            return "There are no more numbers: ask whoever runs this server."
        self._registrations.take(address)
        return number


def problemOf(nick: str, password: str, again: str) -> str | None:
    """
    What is wrong with a nick or a password, L{None} for nothing.
    """
    if not 1 <= len(nick) <= MAX_NICK:
        return f"The nick must have 1 to {MAX_NICK} characters."
    if any(unicodedata.category(c) in _UNSEEN or c in _DIRECTIONS for c in nick):
        return "The nick has a character in it that cannot be seen."
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    if any(unicodedata.category(c) in _UNSEEN for c in password):
        return "The password has a character in it that cannot be typed."
    if password != again:
        return "The two passwords differ."
    return None
