"""
Checks of logins and captchas.
"""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import ALICE, BOB, PASSWORDS, POPULATION
from txwebqq.model import Number
from txwebqq.server.domain.authenticator import (
    ACCOUNT_FACTOR,
    GUESSES,
    GUESSES_WINDOW,
    SEARCHES,
    Authenticator,
    CaptchaFailure,
    LoginFailure,
    LoginResult,
    SignOnGuards,
    captchaRefusal,
)
from txwebqq.server.population import parse
from txwebqq.server.sessions.captchas import MEMORY, CaptchaMode
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.storage.accounts import MAX_ADDRESSES
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

HOME, OTHER = "192.0.2.1", "198.51.100.1"


def test_captcha() -> None:
    """
    A captcha that was not read is another refusal than one misread.
    """
    assert captchaRefusal(CaptchaFailure.UNREAD) == Refusal(1000, "no captcha was read")
    assert captchaRefusal(CaptchaFailure.WRONG).retcode == 1001


class GuessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_366_004_047)
        self.store = Store()
        importPopulation(self.store, parse(POPULATION))
        self.use(CaptchaMode.SUSPICIOUS)

    def use(self, mode: CaptchaMode) -> None:
        """
        Start the server, whose database remains.
        """
        now, random = self.clock.seconds, Random(1)
        sessions = Sessions(now, random)
        guards = SignOnGuards.inMemory(now, lambda: b"key", random)
        self.authenticator = Authenticator(self.store, sessions, guards, random, mode)

    def logIn(
        self, number: Number, address: str, password: str | None = None
    ) -> LoginResult | LoginFailure:
        """
        Log in without a captcha.
        """
        code = self.authenticator.verifyCode(number, address) or "none"
        first = passwordHash(password or PASSWORDS[number])
        digest = passwordDigest(first, saltFor(number), code)
        return self.authenticator.logIn(number, digest, code, "", address)

    def isIn(self, number: Number, address: str) -> bool:
        return isinstance(self.logIn(number, address), LoginResult)

    def guess(self, number: Number, address: str, times: int = 3) -> None:
        for _ in range(times):
            failure = self.logIn(number, address, "guess")
            self.assertEqual(failure, LoginFailure.WRONG_PASSWORD)

    def test_ownerIsNotAsked(self) -> None:
        """
        Wrong passwords from elsewhere do not ask an account for a captcha at an address
        from which it has signed on, also after a restart; elsewhere they do.
        """
        self.assertTrue(self.isIn(ALICE, HOME))
        self.use(CaptchaMode.SUSPICIOUS)
        self.guess(ALICE, OTHER)
        self.assertTrue(self.isIn(ALICE, HOME))
        self.guess(ALICE, "198.51.100.2")
        self.assertIsNone(self.authenticator.verifyCode(ALICE, OTHER))
        self.assertIsNone(self.authenticator.verifyCode(ALICE, "203.0.113.1"))

    def test_sharedAddress(self) -> None:
        """
        Wrong passwords for one account do not ask the others that have signed on from
        the same address.
        """
        self.assertTrue(self.isIn(ALICE, HOME))
        self.guess(BOB, HOME)
        self.assertTrue(self.isIn(ALICE, HOME))
        self.assertFalse(self.isIn(BOB, HOME))

    def test_guesserAtHome(self) -> None:
        """
        Wrong passwords for an account from its own address ask for a captcha there,
        for a while.
        """
        self.assertTrue(self.isIn(ALICE, HOME))
        self.guess(ALICE, HOME)
        self.assertFalse(self.isIn(ALICE, HOME))
        self.clock.advance(MEMORY + 1)
        self.assertTrue(self.isIn(ALICE, HOME))

    def test_withoutCaptchas(self) -> None:
        """
        Without captchas an address is refused after a number of wrong passwords, with
        the code for a later attempt; an account that has signed on there is not.
        """
        self.use(CaptchaMode.NEVER)
        self.assertTrue(self.isIn(ALICE, OTHER))
        self.guess(BOB, OTHER, GUESSES)
        self.assertEqual(self.logIn(BOB, OTHER), LoginFailure.TOO_MANY)
        self.assertEqual(LoginFailure.TOO_MANY.value, 1)
        self.assertTrue(self.isIn(ALICE, OTHER))
        self.assertTrue(self.isIn(BOB, HOME))
        self.clock.advance(GUESSES_WINDOW)
        self.assertTrue(self.isIn(BOB, OTHER))

    def test_manyAddresses(self) -> None:
        """
        Without captchas the guesses of all unknown addresses for an account are limited
        together, and its owner is let in.
        """
        self.use(CaptchaMode.NEVER)
        self.assertTrue(self.isIn(ALICE, HOME))
        for n in range(ACCOUNT_FACTOR):
            self.guess(ALICE, f"198.51.100.{n}", GUESSES)
        self.assertEqual(self.logIn(ALICE, "203.0.113.1"), LoginFailure.TOO_MANY)
        self.assertTrue(self.isIn(ALICE, HOME))

    def test_withCaptchas(self) -> None:
        """
        A client that solves captchas may not guess without end, either.
        """
        self.use(CaptchaMode.ALWAYS)
        for n in range(GUESSES + 1):
            session, text = self.authenticator.captchas.issue()
            failure = self.authenticator.logIn(ALICE, "x", text, session, OTHER)
            isLast = n == GUESSES
            expected = LoginFailure.TOO_MANY if isLast else LoginFailure.WRONG_PASSWORD
            self.assertEqual(failure, expected)

    def test_limit(self) -> None:
        """
        The number of guesses can be set.
        """
        self.use(CaptchaMode.NEVER)
        self.authenticator.limitGuesses(2)
        self.guess(ALICE, OTHER, 2)
        self.assertEqual(self.logIn(ALICE, OTHER), LoginFailure.TOO_MANY)

    def test_addressesAreBounded(self) -> None:
        """
        The latest addresses of an account are remembered.
        """
        for n in range(MAX_ADDRESSES + 5):
            self.store.accounts.signedOnFrom(ALICE, f"a{n}", n * 86400)
        self.store.accounts.signedOnFrom(BOB, "a0", 0)
        known = [
            self.store.accounts.hasSignedOnFrom(ALICE, f"a{n}")
            for n in range(MAX_ADDRESSES + 5)
        ]
        self.assertEqual(known, [False] * 5 + [True] * MAX_ADDRESSES)

    def test_databaseFull(self) -> None:
        """
        An account can log in although its address cannot be stored.
        """
        self.store.database.connection.execute("PRAGMA query_only = 1")
        self.assertTrue(self.isIn(ALICE, HOME))

    def test_searches(self) -> None:
        """
        After a number of searches an account needs a captcha for each, and without
        captchas it has to wait.
        """
        for mode, expected in (
            (CaptchaMode.SUSPICIOUS, CaptchaFailure.UNREAD),
            (CaptchaMode.NEVER, CaptchaFailure.TOO_MANY),
        ):
            self.use(mode)
            search = self.authenticator.checkSearch
            for _ in range(SEARCHES):
                self.assertIsNone(search(ALICE, HOME, "", ""))
            self.assertEqual(search(ALICE, HOME, "", ""), expected)
            self.assertIsNone(search(BOB, HOME, "", ""))
            self.clock.advance(600)
            self.assertIsNone(search(ALICE, HOME, "", ""))
        self.assertEqual(captchaRefusal(CaptchaFailure.TOO_MANY).retcode, 100000)
