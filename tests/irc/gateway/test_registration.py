"""
Registration of IRC clients.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from txwebqq.config.passwordhash import PasswordHash
from txwebqq.irc.gateway.capabilities import CAPABILITIES, Reply
from txwebqq.irc.gateway.dispatcher import COMMANDS
from txwebqq.irc.gateway.registration import (
    GUESS_WINDOW,
    MAX_COMPUTED,
    MAX_GUESSES,
    Authenticator,
    AuthResult,
    Registration,
)
from txwebqq.irc.gateway.storage.addresses import MAX_ADDRESSES, StoredAddresses
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.sqlite.database import Database


def check(name: str, password: str) -> AuthResult:
    right = (name, password) == ("alice", "oolong")
    return AuthResult.ACCEPTED if right else AuthResult.REFUSED


def registration() -> Registration:
    return Registration(check, lambda login: login == "alice")


def say(client: Registration, *lines: str) -> list[Reply]:
    replies: list[Reply] = []
    for line in lines:
        head, _, last = line.partition(" :")
        command, *params = head.split()
        handler = COMMANDS[command].beforeRegistration
        assert handler is not None
        replies += handler(client, [*params, last] if last else params)
        replies += client.finish()
    return replies


def blob(*words: str) -> str:
    return b64encode("\0".join(words).encode()).decode()


@pytest.mark.parametrize(
    "password", ["oo:long", "alice:oo:long", ":", "alice:", "a:b:"]
)
def test_passwordWithColon(password: str) -> None:
    """
    A password may have a colon; only the login of a user before it is a login.
    """
    secret = password.removeprefix("alice:")
    client = Registration(
        lambda *given: (
            AuthResult.ACCEPTED if given == ("alice", secret) else AuthResult.REFUSED
        ),
        lambda login: login == "alice",
    )
    assert say(client, f"PASS :{password}", "NICK al", "USER alice 0 * :Alice") == []
    assert client.login == "alice"


@pytest.mark.parametrize("password", ["alice:oolong", "oolong"])
def test_password(password: str) -> None:
    """
    The login stands before the password in C{PASS}, or in C{USER}.
    """
    client = registration()
    assert say(client, f"PASS {password}", "NICK al", "USER alice 0 * :Alice") == []
    assert (client.isComplete, client.login, client.nick) == (True, "alice", "al")


@pytest.mark.parametrize("first", [[], ["PASS alice:green"], ["PASS bob:oolong"]])
def test_refused(first: list[str]) -> None:
    """
    A client without a right password is refused with 464.
    """
    client = registration()
    replies = say(client, *first, "NICK al", "USER alice 0 * :Alice")
    assert [reply[0] for reply in replies] == ["464"]
    assert "password" in client.refused.lower()
    assert not client.isComplete


def test_irssi() -> None:
    """
    C{CAP END} may come before C{PASS}, C{NICK} and C{USER}.
    """
    client = registration()
    replies = say(client, "CAP LS 302", "CAP REQ :server-time", "CAP END")
    assert replies[1] == ("CAP", "*", "ACK", "server-time")
    assert say(client, "PASS alice:oolong", "NICK al", "USER root 0 * :root") == []
    assert client.isComplete


@pytest.mark.parametrize("authority", ["", "alice"])
def test_sasl(authority: str) -> None:
    """
    SASL PLAIN authenticates, and registration is complete after C{CAP END}.
    """
    client = registration()
    say(client, "CAP LS 302", "NICK al", "USER root 0 * :root", "CAP REQ :sasl")
    assert say(client, "AUTHENTICATE PLAIN") == [("AUTHENTICATE", "+")]
    replies = say(client, f"AUTHENTICATE {blob(authority, 'alice', 'oolong')}")
    assert [reply[0] for reply in replies] == ["900", "903"]
    assert not client.isComplete
    assert say(client, "CAP END") == []
    assert (client.isComplete, client.login) == (True, "alice")


@pytest.mark.parametrize(
    ("sent", "numeric"),
    [
        (blob("", "alice", "green"), "904"),
        (blob("bob", "alice", "oolong"), "904"),
        ("!!!", "904"),
        ("/w==", "904"),
        ("é", "904"),
        ("*", "906"),
        ("A" * 401, "905"),
    ],
)
def test_saslRefused(sent: str, numeric: str) -> None:
    """
    A wrong password and an invalid message are refused, and an abort ends the
    exchange.
    """
    client = registration()
    say(client, "AUTHENTICATE PLAIN")
    assert [reply[0] for reply in say(client, f"AUTHENTICATE {sent}")] == [numeric]
    assert client.login == ""


def test_saslBounded() -> None:
    """
    An SASL message that is too long is refused.
    """
    client = registration()
    say(client, "AUTHENTICATE PLAIN")
    replies = say(client, *["AUTHENTICATE " + "A" * 400] * 5)
    assert [reply[0] for reply in replies] == ["905"]


def test_capabilities() -> None:
    """
    A request is granted whole or not at all; values are shown to clients of
    version 302.
    """
    client = registration()
    assert say(client, "CAP LS") == [("CAP", "*", "LS", " ".join(CAPABILITIES))]
    assert say(client, "CAP REQ :server-time nonsense")[0][2] == "NAK"
    assert say(client, "CAP REQ :server-time sasl")[0][2] == "ACK"
    assert say(client, "CAP REQ :-sasl", "CAP LIST")[1][3] == "server-time"
    shown = say(client, "CAP LS 302")
    assert "sasl=PLAIN" in " ".join(reply[-1] for reply in shown)
    assert say(client, "CAP REQ :-cap-notify")[0][2] == "NAK"


def test_badNick() -> None:
    """
    An invalid nick is refused, and not repeated.
    """
    client = registration()
    reply = ("432", "*", "*", "Erroneous nickname")
    assert say(client, "NICK :\x01\r\nQUIT") == [reply]


def test_repeatedRequest() -> None:
    """
    The answer to a request that names a capability many times names it once.
    """
    reply = say(registration(), "CAP REQ :" + "sasl -batch " * 300)
    assert reply == [("CAP", "*", "ACK", "sasl -batch")]


def test_unknownMechanism() -> None:
    """
    A mechanism that the gateway lacks is refused with 908 and 904, and the
    client may try another one (IRCv3 SASL, "Mechanism").
    """
    client = registration()
    say(client, "CAP REQ :sasl", "NICK al", "USER root 0 * :root")
    replies = say(client, "AUTHENTICATE EXTERNAL")
    assert [reply[0] for reply in replies] == ["908", "904"]
    assert replies[0][2] == "PLAIN"
    say(client, "AUTHENTICATE PLAIN")
    replies = say(client, f"AUTHENTICATE {blob('', 'alice', 'oolong')}")
    assert [reply[0] for reply in replies] == ["900", "903"]


def test_guesses() -> None:
    """
    After some wrong passwords a user is refused at other addresses for a minute, and
    not where the user has registered before; there, only guesses from there count.
    """
    clock = Clock()
    check = Authenticator({"alice": "oolong", "bob": "assam"}, clock.seconds).check
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
    for n in range(MAX_GUESSES):
        assert check(f"198.51.100.{n}", "Alice", "guess") is AuthResult.REFUSED
    assert check("203.0.113.1", "alice", "oolong") is AuthResult.LATER
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
    for _ in range(MAX_GUESSES):
        assert check("192.0.2.1", "bob", "guess") is AuthResult.REFUSED
    assert check("192.0.2.1", "bob", "assam") is AuthResult.LATER
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
    for _ in range(MAX_GUESSES):
        assert check("192.0.2.1", "alice", "guess") is AuthResult.REFUSED
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.LATER
    clock.advance(GUESS_WINDOW)
    assert check("203.0.113.1", "alice", "oolong") is AuthResult.ACCEPTED


def test_guessesOfANetwork() -> None:
    """
    The addresses of an IPv6 /64 are one.
    """
    check = Authenticator({"alice": "oolong"}, Clock().seconds).check
    for n in range(MAX_GUESSES):
        assert check(f"2001:db8::{n}", f"user{n}", "guess") is AuthResult.REFUSED
    assert check("2001:db8::9", "alice", "oolong") is AuthResult.LATER
    assert check("2001:db8:0:1::9", "alice", "oolong") is AuthResult.ACCEPTED


def hashed(seconds: Callable[[], float]) -> tuple[Authenticator, list[str]]:
    """
    Make an authenticator with the hash of a password, and one in clear.

    @return: it, and the passwords for which a hash was computed.
    """
    computed: list[str] = []

    class CountedHash(PasswordHash):
        def isOf(self, password: str) -> bool:
            computed.append(password)
            return super().isOf(password)

    # Of little cost.
    salt = b"salty" * 3
    digest = hashlib.scrypt(b"oolong", salt=salt, n=16, r=1, p=1, dklen=32)
    passwords: dict[str, str | PasswordHash]
    passwords = {"alice": CountedHash(16, 1, 1, salt, digest), "bob": "assam"}
    return Authenticator(passwords, seconds), computed


def test_hash() -> None:
    """
    The password of a hash is accepted. The hash is computed at the first login only,
    and for each wrong password of any user, also of one that does not exist.
    """
    authenticator, computed = hashed(Clock().seconds)
    assert authenticator.check("", "bob", "assam") is AuthResult.ACCEPTED
    assert computed == []
    for _ in range(2):
        assert authenticator.check("", "alice", "oolong") is AuthResult.ACCEPTED
    assert computed == ["oolong"]
    for name in ("alice", "bob", "carol"):
        assert authenticator.check("", name, "assam!") is AuthResult.REFUSED
    assert computed == ["oolong", *["assam!"] * 3]
    assert authenticator.check("", "alice", "assam") is AuthResult.REFUSED


def test_computedHashes() -> None:
    """
    The number of hashes that are computed in a minute is limited, also with many
    addresses and users; those who have logged in before are let in meanwhile.
    """
    clock = Clock()
    authenticator, computed = hashed(clock.seconds)
    check = authenticator.check
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
    computed.clear()
    for n in range(50):
        check(f"198.51.100.{n}", f"user{n}", "guess")
    assert len(computed) == MAX_COMPUTED - 1
    assert check("203.0.113.1", "bob", "guess") is AuthResult.LATER
    assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
    assert check("203.0.113.1", "bob", "assam") is AuthResult.ACCEPTED
    assert check("192.0.2.1", "alice", "wrong") is AuthResult.REFUSED
    clock.advance(GUESS_WINDOW)
    assert check("203.0.113.2", "carol", "guess") is AuthResult.REFUSED


def test_storedAddresses(tmp_path: Path) -> None:
    """
    An address from which a user has logged in is known after a restart; of each user,
    a limited number is.
    """
    for isFirst in (True, False):
        database = Database(tmp_path / "gateway.db", GATEWAY_SCHEMA)
        addresses = StoredAddresses(Preferences(database))
        check = Authenticator({"alice": "oolong"}, Clock().seconds, addresses).check
        if isFirst:
            assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
            assert check("2001:db8::1", "alice", "oolong") is AuthResult.ACCEPTED
        else:
            for n in range(MAX_GUESSES):
                check(f"198.51.100.{n}", "alice", "guess")
            assert check("203.0.113.1", "alice", "oolong") is AuthResult.LATER
            assert check("192.0.2.1", "alice", "oolong") is AuthResult.ACCEPTED
            assert check("2001:db8::2", "alice", "oolong") is AuthResult.ACCEPTED
            for n in range(MAX_ADDRESSES - 1):
                addresses.add("alice", f"203.0.113.{n}")
            assert addresses.has("alice", "203.0.113.0")
            assert addresses.has("alice", "2001:db8::/64")
            assert not addresses.has("alice", "192.0.2.1")
            assert not addresses.has("bob", "2001:db8::/64")
        database.close()
