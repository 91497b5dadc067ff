"""
The registration of accounts: checks and limits of the sign-up form.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from txwebqq.model import Number
from txwebqq.ratelimit import LimiterMaker
from txwebqq.server.sessions.captchas import Captchas
from txwebqq.server.storage.accounts import AccountStore
from txwebqq.wire.digests import passwordHash

MAX_NICK = 64
"""Maximum length of a nick, in characters."""

MIN_PASSWORD, MAX_PASSWORD = 6, 64

TRIES, TRIES_WINDOW = 20, 600.0
"""Maximum number of forms from one address, within a time in seconds."""

FORMS = 60
"""Maximum number of captchas for one address within L{TRIES_WINDOW}."""

ACCOUNTS, ACCOUNTS_WINDOW = 5, 3600.0
"""Maximum number of new accounts for one address, within a time in seconds."""

TOO_MANY_TRIES = "Too many attempts from your address: try again in ten minutes."
WRONG_CAPTCHA = "The text does not match the picture, or the picture has expired."
TOO_MANY_ACCOUNTS = "Too many new accounts for your address: try again in an hour."
NO_NUMBERS = "There are no free numbers left: ask the operator of this server."
NICK_LENGTH = f"The nick must have 1 to {MAX_NICK} characters."
NICK_INVISIBLE = "The nick contains an invisible character."
PASSWORD_LENGTH = f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."
PASSWORD_UNTYPED = "The password contains a character that cannot be typed."
PASSWORDS_DIFFER = "The two passwords differ."

# Characters that are invisible or reorder the text around them: by category, and
# characters that are drawn as nothing.
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset(
    map(
        chr,
        (
            *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5),
            *range(0x180B, 0x1810),
            *(0x200B, 0x200E, 0x200F),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
            *(0x2800, 0x3164, 0xFEFF, 0xFFA0),
        ),
    )
)
# Parts of emoji and of words, which are invisible by themselves: joiners, tags and
# variation selectors.
_PARTS = frozenset(
    map(
        chr,
        (
            *(0x200C, 0x200D),
            *range(0xFE00, 0xFE10),
            *range(0xE0020, 0xE0080),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """
    The fields of a sign-up form.

    @ivar session: the id of the captcha that C{code} is the text of.
    """

    nick: str
    password: str = field(repr=False)
    again: str = field(repr=False)
    session: str = field(repr=False)
    code: str = field(repr=False)


class Registration:
    """
    Creates accounts for users who solve a captcha.

    @param captchas: the captchas of sign-up forms. Logins have their own, which
        requests for many of these cannot displace.
    @param makeLimiter: makes the counters of what addresses do.
    """

    def __init__(
        self, accounts: AccountStore, captchas: Captchas, makeLimiter: LimiterMaker
    ) -> None:
        self._captchas = captchas
        self._accounts = accounts
        self._tries = makeLimiter("sign-up tries", TRIES, TRIES_WINDOW)
        self._forms = makeLimiter("sign-up forms", FORMS, TRIES_WINDOW)
        self._registrations = makeLimiter("sign-ups", ACCOUNTS, ACCOUNTS_WINDOW)

    def captcha(self, address: str) -> tuple[str, str] | None:
        """
        Return the id and the text of the captcha for a new form.

        @return: L{None} when the address has requested too many.
        """
        return self._captchas.issue() if self._forms.take(address) else None

    def register(self, form: SignUpForm, address: str) -> Number | str:
        """
        Check a form, and create the account.

        @return: the number of the new account, or a text for the user that
            says what is wrong.
        """
        if not self._tries.take(address):
            return TOO_MANY_TRIES
        # Like all captchas, this one is used up also when other fields are wrong.
        if not self._captchas.answer(form.session, form.code):
            return WRONG_CAPTCHA
        nick = form.nick.strip()
        problem = problemOf(nick, form.password, form.again)
        if problem is not None:
            return problem
        if not self._registrations.hasCapacity(address):
            return TOO_MANY_ACCOUNTS
        number = self._accounts.register(nick, passwordHash(form.password))
        if number is None:
            return NO_NUMBERS
        self._registrations.take(address)
        return number


def hasInvisible(text: str) -> bool:
    """
    Check whether a name has characters that are invisible or reorder the text around
    them, so that it could look like another one, or has no others.
    """
    if any(unicodedata.category(char) in _UNSEEN or char in _BLANK for char in text):
        return True
    shown = "".join(text.split())
    return shown != "" and all(char in _PARTS for char in shown)


def problemOf(nick: str, password: str, again: str) -> str | None:
    """
    Return a text that says what is wrong with a nick or a password, or
    L{None}.
    """
    if not 1 <= len(nick) <= MAX_NICK:
        return NICK_LENGTH
    if hasInvisible(nick):
        return NICK_INVISIBLE
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return PASSWORD_LENGTH
    if any(unicodedata.category(c) in _UNSEEN for c in password):
        return PASSWORD_UNTYPED
    if password != again:
        return PASSWORDS_DIFFER
    return None
