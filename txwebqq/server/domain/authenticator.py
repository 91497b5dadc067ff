"""
Passwords, verify codes and captchas of accounts that log in.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from txwebqq.model import Number
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


class LoginFailure(Enum):
    """
    The reason of a refused login, by its code in C{ptuiCB} (protocol.md 2.1).
    """

    WRONG_PASSWORD = 3
    WRONG_CAPTCHA = 4


class CaptchaFailure(Enum):
    """
    The reason of a request being refused for its captcha.
    """

    UNREAD = "no captcha was read"
    WRONG = "the captcha has another text"


def captchaRefusal(
    failure: CaptchaFailure, unread: int = 1000, wrong: int = 1001
) -> Refusal:
    """
    Return the refusal of a request that needs a captcha.

    @param unread: the retcode for a missing captcha.
    @param wrong: the retcode for a wrong one.
    """
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


class Authenticator:
    """
    The checks of a login, and of requests that may need a captcha.

    @param now: returns the time in Unix seconds.
    @param mode: when a captcha is needed.
    @param captchaText: the text of all captchas, for tests.

    @ivar captchas: the captchas that have been shown and not answered.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        now: Callable[[], float],
        random: Random,
        mode: CaptchaMode,
        captchaText: str | None,
    ) -> None:
        self._accounts = store.accounts
        self._sessions = sessions
        self._random = random
        self._mode = mode
        self._codes = VerifyCodes(now, random)
        self._failedLogins = FailedLogins(now)
        self.captchas = Captchas(now, random, captchaText)

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
            self._failedLogins.failed(number, address)
            return LoginFailure.WRONG_PASSWORD
        self._failedLogins.cleared(number)
        skey = "@" + token(self._random, 9)
        ptwebqq = self._sessions.admit(number, skey)
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
        isSuspicious = isExcessive and self._mode is not CaptchaMode.NEVER
        if not isSuspicious and not self._needsCaptcha(number, address):
            return None
        if not text:
            return CaptchaFailure.UNREAD
        return (
            None if self.captchas.answer(verifySession, text) else CaptchaFailure.WRONG
        )

    def _needsCaptcha(self, number: Number, address: str) -> bool:
        match self._mode:
            case CaptchaMode.NEVER:
                return False
            case CaptchaMode.ALWAYS:
                return True
        return self._failedLogins.isSuspicious(number, address)
