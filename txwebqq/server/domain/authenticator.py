"""
Passwords, verify codes and captchas of accounts that log in.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from txwebqq.model import Number
from txwebqq.ratelimit import LimiterMaker, limitersOf
from txwebqq.server.sessions.captchas import (
    CaptchaMode,
    Captchas,
    FailedLogins,
    VerifyCodes,
)
from txwebqq.server.sessions.sessions import Random, Sessions, token
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.digests import passwordDigest, saltFor

GUESSES, GUESSES_WINDOW = 20, 600.0
"""Maximum number of wrong passwords of an address within a time in seconds; further
logins of the address are refused until it is over."""

ACCOUNT_FACTOR = 5
"""The multiple of L{GUESSES} that is allowed for an account from all addresses
together which it has never signed on from, when there are no captchas."""


SEARCHES, SEARCHES_WINDOW = 60, 600.0
"""Maximum number of searches of an account within a time in seconds; each further one
needs a captcha, or is refused when there are no captchas."""

TOO_MANY_SEARCHES = 100000


class LoginFailure(Enum):
    """
    The reason of a refused login, by its code in C{ptuiCB} (protocol.md 2.1).
    """

    TOO_MANY = 1
    WRONG_PASSWORD = 3
    WRONG_CAPTCHA = 4
    DISABLED = 19


class CaptchaFailure(Enum):
    """
    The reason of a request being refused for its captcha.
    """

    UNREAD = "no captcha was read"
    WRONG = "the captcha has another text"
    TOO_MANY = "too many searches: come back in ten minutes"


def captchaRefusal(
    failure: CaptchaFailure, unread: int = 1000, wrong: int = 1001
) -> Refusal:
    """
    Return the refusal of a request that needs a captcha.

    @param unread: the retcode for a missing captcha.
    @param wrong: the retcode for a wrong one.
    """
    if failure is CaptchaFailure.TOO_MANY:
        return Refusal(TOO_MANY_SEARCHES, failure.value)
    return Refusal(unread if failure is CaptchaFailure.UNREAD else wrong, failure.value)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """
    An accepted login, which may open a session.
    """

    number: Number
    nick: str
    ptwebqq: str = field(repr=False)
    skey: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignOnGuards:
    """
    The parts of the server by which logins are guarded.

    @ivar codes: the verify codes.
    @ivar captchas: the captchas that have been shown and not answered.
    @ivar failedLogins: the accounts and addresses with recent wrong passwords.
    @ivar makeLimiter: makes the counters of wrong passwords and searches.
    @ivar now: returns the time in Unix seconds.
    """

    codes: VerifyCodes
    captchas: Captchas
    failedLogins: FailedLogins
    makeLimiter: LimiterMaker
    now: Callable[[], float]

    @classmethod
    def inMemory(
        cls,
        now: Callable[[], float],
        key: Callable[[], bytes],
        random: Random,
        captchaText: str | None = None,
    ) -> SignOnGuards:
        """
        Return those of a single process.

        @param key: returns the secret that verify codes are made with.
        @param captchaText: the text of all captchas, for tests.
        """
        return cls(
            VerifyCodes(now, key),
            Captchas(now, random, captchaText),
            FailedLogins(now),
            limitersOf(now),
            now,
        )


class Authenticator:
    """
    The checks of a login, and of requests that may need a captcha.

    An address from which an account has signed on before is not affected by wrong
    passwords from other addresses, so that nobody can keep its owner out. Addresses
    are those by which clients are counted.

    @param guards: what is counted and asked of clients.
    @param mode: when a captcha is needed.

    @ivar captchas: the captchas that have been shown and not answered.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        guards: SignOnGuards,
        random: Random,
        mode: CaptchaMode,
    ) -> None:
        self._accounts = store.accounts
        self._now = guards.now
        self._sessions = sessions
        self._random = random
        self._mode = mode
        self._codes = guards.codes
        self._failedLogins = guards.failedLogins
        self.captchas = guards.captchas
        makeLimiter = guards.makeLimiter
        self._searches = makeLimiter("search", SEARCHES, SEARCHES_WINDOW)
        self._guesses = makeLimiter("guess", GUESSES, GUESSES_WINDOW)
        self._accountGuesses = makeLimiter(
            "account guess", ACCOUNT_FACTOR * GUESSES, GUESSES_WINDOW
        )

    def limitGuesses(self, count: int) -> None:
        """
        Set the maximum number of wrong passwords of an address within
        L{GUESSES_WINDOW} seconds.
        """
        self._guesses.allow(count)
        self._accountGuesses.allow(ACCOUNT_FACTOR * count)

    @property
    def hasCaptchas(self) -> bool:
        """
        Whether any request may need a captcha.
        """
        return self._mode is not CaptchaMode.NEVER

    def verifyCode(self, number: Number, address: str) -> str | None:
        """
        Return the verify code for a login, or L{None} when the login needs a
        captcha.

        The answer is the same for accounts that do not exist.
        """
        if self._needsCaptcha(number, address):
            return None
        return self._codes.issue(number)

    def logIn(
        self,
        number: Number,
        digest: str,
        code: str,
        verifySession: str,
        address: str,
    ) -> LoginResult | LoginFailure:
        """
        Check the code and the password digest of a login.

        @param code: the verify code, or the text of a captcha.
        @param verifySession: the id of that captcha, C{""} for a verify code.
        """
        isKnown = self._accounts.hasSignedOnFrom(number, address)
        guesser = (number, address) if isKnown else address
        if not self._guesses.hasCapacity(guesser):
            return LoginFailure.TOO_MANY
        isFree = self.hasCaptchas or isKnown
        if not isFree and not self._accountGuesses.hasCapacity(number):
            return LoginFailure.TOO_MANY
        solved = self.captchas.answer(verifySession, code)
        if not solved and (
            self._needsCaptcha(number, address) or not self._codes.isGood(number, code)
        ):
            return LoginFailure.WRONG_CAPTCHA
        account = self._accounts.get(number)
        firstHash = b"" if account is None else account.firstHash
        expected = passwordDigest(firstHash, saltFor(number), code)
        isRight = hmac.compare_digest(expected.encode(), digest.upper().encode())
        if account is None or not isRight:
            self._failedLogins.failed(number, address, (number, address))
            self._guesses.take(guesser)
            if not isKnown:
                self._accountGuesses.take(number)
            return LoginFailure.WRONG_PASSWORD
        # Only a client with the right password is told.
        if self._accounts.isDisabled(number):
            return LoginFailure.DISABLED
        self._failedLogins.cleared(number)
        self._failedLogins.cleared((number, address))
        # A full disk must not keep the account out.
        with suppress(sqlite3.Error):
            self._accounts.signedOnFrom(number, address, int(self._now()))
        skey = "@" + token(self._random, 32)
        ptwebqq = self._sessions.admit(number, skey, firstHash)
        return LoginResult(number, account.nick, ptwebqq, skey)

    def checkCaptcha(
        self,
        number: Number,
        address: str,
        verifySession: str,
        text: str,
        isExcessive: bool = False,
    ) -> CaptchaFailure | None:
        """
        Check the captcha of a request in a session.

        @param text: the text that the user has read, C{""} for none.
        @param isExcessive: whether the account has sent more of these requests
            than a person would, so that it needs a captcha.

        @return: L{None} when the request needs no captcha or the text is right.
        """
        isSuspicious = isExcessive and self.hasCaptchas
        if not isSuspicious and not self._needsCaptcha(number, address):
            return None
        if not text:
            return CaptchaFailure.UNREAD
        return (
            None if self.captchas.answer(verifySession, text) else CaptchaFailure.WRONG
        )

    def checkSearch(
        self, number: Number, address: str, verifySession: str, text: str
    ) -> CaptchaFailure | None:
        """
        Check the captcha of a search for accounts or groups; an account that has
        searched often needs one.

        @return: as L{checkCaptcha}; L{CaptchaFailure.TOO_MANY} for an account that
            has searched often when there are no captchas.
        """
        isExcessive = not self._searches.take(number)
        if isExcessive and not self.hasCaptchas:
            return CaptchaFailure.TOO_MANY
        return self.checkCaptcha(number, address, verifySession, text, isExcessive)

    def _needsCaptcha(self, number: Number, address: str) -> bool:
        match self._mode:
            case CaptchaMode.NEVER:
                return False
            case CaptchaMode.ALWAYS:
                return True
        if self._accounts.hasSignedOnFrom(number, address):
            return self._failedLogins.isSuspicious((number, address))
        return self._failedLogins.isSuspicious(number, address)
