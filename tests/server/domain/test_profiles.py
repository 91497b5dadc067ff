"""
Profiles, and their changes.
"""

from __future__ import annotations

from typing import Any

import pytest

from txwebqq.model import WEB_CLIENT, Birthday, Number, Profile, Status, Uin
from txwebqq.server.domain.profiles import (
    MAX_LINE,
    MAX_PERSONAL,
    MAX_SIGNATURE,
    PRIVATE,
    profileFor,
    signatureOf,
    withDetails,
    withSignature,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_LONG
from txwebqq.server.records import AccountRecord
from txwebqq.server.sessions.registration import MAX_NICK
from txwebqq.wire.command import Refusal

UIN = Uin(7)
ALICE = AccountRecord(
    Number(10001),
    b"\x01" * 16,
    "Alice",
    3,
    {
        "gender": "female",
        "birthday": [1990, 10, 1],
        "city": "舟山",
        "phone": "1",
        "mobile": "2",
        "email": "a@example.org",
        "homepage": "http://example.org",
        "personal": "likes tea",
        "signature": "at tea",
        "question": "six times seven?",
        "answer": "42",
    },
)


def test_friend() -> None:
    """
    A friend sees all but the secrets: the question, its answer, the password and
    the number.
    """
    assert profileFor(ALICE, UIN, Status.AWAY) == Profile(
        UIN,
        "Alice",
        face=3,
        birthday=Birthday(1990, 10, 1),
        gender="female",
        city="舟山",
        phone="1",
        mobile="2",
        email="a@example.org",
        homepage="http://example.org",
        personal="likes tea",
        status=Status.AWAY,
        clientType=WEB_CLIENT,
    )


def test_stranger() -> None:
    """
    A stranger does not see the contact data.
    """
    told = profileFor(ALICE, UIN, Status.ONLINE, isStranger=True)
    assert [getattr(told, name) for name in PRIVATE] == [""] * len(PRIVATE)
    assert (told.city, told.gender) == ("舟山", "female")


def test_offline() -> None:
    """
    An offline account has no client, and an empty profile no birthday.
    """
    nobody = AccountRecord(Number(10002), b"", "Bob")
    assert profileFor(nobody, UIN, Status.OFFLINE) == Profile(UIN, "Bob")


def test_signature() -> None:
    """
    A signature is changed alone, up to its maximum length.
    """
    text = "茶" * MAX_SIGNATURE
    account = withSignature(ALICE, text)
    assert isinstance(account, AccountRecord)
    assert signatureOf(account) == text
    assert {**account.profile, "signature": "at tea"} == ALICE.profile
    refusal = withSignature(ALICE, text + "茶")
    assert isinstance(refusal, Refusal)
    assert refusal.retcode == TOO_LONG
    assert signatureOf(AccountRecord(Number(1), b"", "")) == ""


def test_changed() -> None:
    """
    Other fields stay as they are; nick and face are fields of the account.
    """
    details = {"nick": "Al", "face": 9, "city": "", "birthday": Birthday(0, 2, 29)}
    account = withDetails(ALICE, details)
    assert isinstance(account, AccountRecord)
    assert (account.nick, account.face, account.firstHash) == ("Al", 9, ALICE.firstHash)
    expected = {**ALICE.profile, "city": "", "birthday": [0, 2, 29]}
    assert account.profile == expected
    assert ALICE.profile["city"] == "舟山"


@pytest.mark.parametrize(
    ("name", "fits", "wrong", "retcode"),
    [
        ("nick", "x" * MAX_NICK, "x" * (MAX_NICK + 1), TOO_LONG),
        # An emoji of two people, whose joiner counts as visible.
        ("nick", "\U0001f468\u200d\U0001f467", "a\u202eb", NO_SUCH_ID),
        ("nick", " x", " ", NO_SUCH_ID),
        ("city", "x" * MAX_LINE, "x" * (MAX_LINE + 1), TOO_LONG),
        ("personal", "x" * MAX_PERSONAL, "x" * (MAX_PERSONAL + 1), TOO_LONG),
        ("answer", "x" * MAX_LINE, "x" * (MAX_LINE + 1), TOO_LONG),
        ("gender", "unknown", "other", NO_SUCH_ID),
        ("allow", 4, 5, NO_SUCH_ID),
        ("blood", 0, -1, NO_SUCH_ID),
        ("constel", 12, 13, NO_SUCH_ID),
        ("shengxiao", 12, 13, NO_SUCH_ID),
        ("face", 65535, 65536, NO_SUCH_ID),
        ("birthday", Birthday(0, 0, 0), Birthday(1990, 2, 29), NO_SUCH_ID),
        ("birthday", Birthday(2000, 2, 29), Birthday(0, 13, 0), NO_SUCH_ID),
        ("birthday", Birthday(9999, 12, 31), Birthday(2**70, 1, 1), NO_SUCH_ID),
    ],
)
def test_limits(name: str, fits: Any, wrong: Any, retcode: int) -> None:
    """
    Values that are too long, too large or no date are refused by their name.
    """
    assert isinstance(withDetails(ALICE, {name: fits}), AccountRecord)
    refusal = withDetails(ALICE, {"city": "x", name: wrong})
    assert isinstance(refusal, Refusal)
    assert refusal.retcode == retcode
    assert refusal.errmsg.startswith(f"{name} ")
