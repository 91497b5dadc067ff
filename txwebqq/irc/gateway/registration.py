"""
Server side of IRC connection registration: C{CAP} negotiation, C{PASS}, SASL
PLAIN, C{NICK} and C{USER}.
"""

from __future__ import annotations

from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from hmac import compare_digest, digest
from secrets import token_bytes
from typing import Protocol

from txwebqq.config.passwordhash import PasswordHash, dummyHash
from txwebqq.irc.gateway.capabilities import Capabilities, Reply
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import isNick
from txwebqq.ratelimit import MAX_REMEMBERED, RateLimiter, networkOf

MAX_GUESSES = 5
"""Number of wrong passwords that are checked in L{GUESS_WINDOW} seconds, for
one address and for one user."""

GUESS_WINDOW = 60.0
"""Period in which wrong passwords are counted, in seconds."""

MAX_COMPUTED = 10
"""Number of passwords from addresses that users have not registered from, in
L{GUESS_WINDOW} seconds, for which a hash is computed. It takes a tenth of a second, in
which the gateway does nothing else."""

CHUNK = 400
"""Length of a full part of an SASL message, in base64 characters."""

MAX_SASL = 4 * CHUNK
"""Maximum length of an SASL message, in base64 characters."""


_NO_DIGEST = bytes(32)


class AuthResult(Enum):
    """
    The result of checking a login and a password; the value is the text for
    the client.
    """

    ACCEPTED = "Accepted"
    REFUSED = "Password incorrect"
    LATER = "Too many wrong passwords; try again in a minute"


class KnownAddresses(Protocol):
    """
    The addresses from which users have registered before.
    """

    def has(self, user: str, network: str) -> bool: ...

    def add(self, user: str, network: str) -> None: ...


class RecentAddresses:
    """
    Addresses that are kept in memory.
    """

    def __init__(self) -> None:
        # The latest ones last.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def has(self, user: str, network: str) -> bool:
        """
        Check that a user has registered from an address.
        """
        return (user, network) in self._known

    def add(self, user: str, network: str) -> None:
        """
        Record that a user has registered from an address.
        """
        self._known.pop((user, network), None)
        self._known[user, network] = None
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)


class Authenticator:
    """
    Checks the passwords of the gateway's users, and limits how many wrong ones
    may be tried. Where a user has registered before, only wrong passwords for this
    user from the same address count, so that nobody can keep the user out.

    Once the right password of a hash has been given, its keyed digest is kept in
    memory, so that the hash of a right password is computed once only.

    @param passwords: by the users' names; a text, or a hash.
    @param seconds: returns the time, in seconds.
    @param addresses: the addresses from which users have registered.
    """

    def __init__(
        self,
        passwords: Mapping[str, str | PasswordHash],
        seconds: Callable[[], float],
        addresses: KnownAddresses | None = None,
    ) -> None:
        self._key = token_bytes(32)
        self.setPasswords(passwords)
        self._guesses = RateLimiter(seconds, MAX_GUESSES, GUESS_WINDOW)
        self._computed = RateLimiter(seconds, MAX_COMPUTED, GUESS_WINDOW)
        self._addresses = RecentAddresses() if addresses is None else addresses

    def setPasswords(self, passwords: Mapping[str, str | PasswordHash]) -> None:
        """
        Change the passwords. Clients that are connected stay so.
        """
        self._digests: dict[str, bytes] = {}
        self._hashes: dict[str, PasswordHash] = {}
        for name, password in passwords.items():
            if isinstance(password, PasswordHash):
                self._hashes[name] = password
            else:
                self._digests[name] = self._digestOf(password)
        self._dummy = dummyHash(self._hashes.values())

    def check(self, address: str, name: str, password: str) -> AuthResult:
        """
        Check the password of a user.

        @param address: the client's IP address; C{""} for a client without one,
            whose wrong passwords are counted for the user only.
        """
        network, user = networkOf(address), casefold(name)
        pair = f"user {user} at {network}"
        keys = [pair] if address else []
        isKnown = self._addresses.has(user, network)
        if not isKnown:
            keys.append(f"user {user}")
            if address:
                keys.append(f"address {network}")
        if not all(self._guesses.hasCapacity(key) for key in keys):
            return AuthResult.LATER
        result = self._compare(name, password, isKnown)
        if result is AuthResult.ACCEPTED and address:
            self._guesses.reset(pair)
            self._guesses.reset(f"address {network}")
            self._addresses.add(user, network)
        elif result is AuthResult.REFUSED:
            for key in keys:
                self._guesses.take(key)
        return result

    def _compare(self, name: str, password: str, isKnown: bool) -> AuthResult:
        given = self._digestOf(password)
        # Compare in any case, so that the time does not tell which users exist.
        if compare_digest(self._digests.get(name, _NO_DIGEST), given):
            return AuthResult.ACCEPTED
        if self._dummy is None:
            return AuthResult.REFUSED
        # From here on all wrong passwords take the same time, for all users.
        if not isKnown and not self._computed.take("all"):
            return AuthResult.LATER
        expected = self._hashes.get(name)
        if not (expected or self._dummy).isOf(password) or expected is None:
            return AuthResult.REFUSED
        self._digests[name] = given
        return AuthResult.ACCEPTED

    def _digestOf(self, password: str) -> bytes:
        return digest(self._key, password.encode("utf-8", "replace"), "sha256")


class Registration:
    """
    The registration of one connection. The methods with the names of commands
    return the replies; call L{finish} after each.

    @param check: checks a login and a password.
    @param isLogin: whether there is a user of this login.

    @ivar capabilities: the client's capabilities, which outlive registration.
    @ivar nick: the nick that the client has chosen, or C{""}.
    @ivar login: the login whose password was right, or C{""}.
    @ivar isComplete: whether the client is registered.
    @ivar refused: the reason to close the connection, or C{""}.
    """

    def __init__(
        self,
        check: Callable[[str, str], AuthResult],
        isLogin: Callable[[str], bool],
    ) -> None:
        self.capabilities = Capabilities()
        self.nick = ""
        self.login = ""
        self.isComplete = False
        self.refused = ""
        self._check = check
        self._isLogin = isLogin
        self._userName = ""
        self._password: str | None = None
        self._saslMessage: str | None = None

    @property
    def nickOrStar(self) -> str:
        """
        The first parameter of numerics.
        """
        return self.nick or "*"

    def finish(self) -> list[Reply]:
        """
        Complete the registration if the client has sent all that it needs.
        """
        isReady = self.nick and self._userName and not self.capabilities.isNegotiating
        if not isReady or self.isComplete or self.refused:
            return []
        if not self.login and self._password is None:
            self.refused = "Password required"
            return [("464", self.nickOrStar, self.refused)]
        if not self.login:
            login, colon, password = (self._password or "").partition(":")
            if not (colon and self._isLogin(login)):
                # A password may have a colon itself.
                login, password = self._userName, self._password or ""
            result = self._check(login, password)
            self._password = None
            if result is not AuthResult.ACCEPTED:
                self.refused = result.value
                return [("464", self.nickOrStar, self.refused)]
            self.login = login
        self.isComplete = True
        return []

    def irc_CAP(self, params: Sequence[str]) -> list[Reply]:
        """
        C{CAP <subcommand> [<parameter>]}
        """
        return self.capabilities.handleCAP(self.nickOrStar, params)

    def irc_PASS(self, params: Sequence[str]) -> list[Reply]:
        """
        C{PASS [<login>:]<password>}
        """
        self._password = params[0]
        return []

    def irc_NICK(self, params: Sequence[str]) -> list[Reply]:
        """
        C{NICK <nick>}
        """
        if not params or not params[0]:
            return [("431", self.nickOrStar, "No nickname given")]
        if not isNick(params[0]):
            return [("432", self.nickOrStar, "*", "Erroneous nickname")]
        self.nick = params[0]
        return []

    def irc_USER(self, params: Sequence[str]) -> list[Reply]:
        """
        C{USER <login> <mode> <unused> <real name>}
        """
        if not params[0]:
            return [("461", self.nickOrStar, "USER", "Not enough parameters")]
        self._userName = params[0]
        return []

    def irc_QUIT(self, params: Sequence[str]) -> list[Reply]:
        """
        C{QUIT [<reason>]}
        """
        self.refused = "Client quit"
        return []

    def irc_AUTHENTICATE(self, params: Sequence[str]) -> list[Reply]:
        """
        C{AUTHENTICATE PLAIN}, or C{AUTHENTICATE <base64>}, or
        C{AUTHENTICATE *}, as IRCv3 has SASL.
        """
        message = params[0]
        if self.login:
            return [
                ("907", self.nickOrStar, "You have already authenticated using SASL")
            ]
        if message == "*":
            self._saslMessage = None
            return [("906", self.nickOrStar, "SASL authentication aborted")]
        if self._saslMessage is None:
            if message.upper() != "PLAIN":
                # Some clients wait for the failure that follows the list.
                failed = "SASL authentication failed: unknown mechanism"
                return [
                    ("908", self.nickOrStar, "PLAIN", "are available SASL mechanisms"),
                    ("904", self.nickOrStar, failed),
                ]
            self._saslMessage = ""
            return [("AUTHENTICATE", "+")]
        if len(message) > CHUNK or len(self._saslMessage) + len(message) > MAX_SASL:
            self._saslMessage = None
            return [("905", self.nickOrStar, "SASL message too long")]
        self._saslMessage += "" if message == "+" else message
        if len(message) == CHUNK:
            return []
        whole, self._saslMessage = self._saslMessage, None
        return self._authenticate(whole)

    def _authenticate(self, message: str) -> list[Reply]:
        login, result = "", AuthResult.REFUSED
        try:
            authority, login, password = (
                b64decode(message, validate=True).decode().split("\0")
            )
        except ValueError:
            pass
        else:
            if authority in ("", login):
                result = self._check(login, password)
        if result is not AuthResult.ACCEPTED:
            text = f"SASL authentication failed: {result.value}"
            return [("904", self.nickOrStar, text)]
        self.login = login
        mask = f"{self.nickOrStar}!{login}@qq"
        text = f"You are now logged in as {login}"
        return [
            ("900", self.nickOrStar, mask, login, text),
            ("903", self.nickOrStar, "SASL authentication successful"),
        ]
