"""
The rules of friend lists, without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from txwebqq.model import (
    ANYBODY,
    NOBODY,
    WHO_ANSWERS,
    WHO_ANSWERS_AND_ASKS,
    WHO_ASKS,
    Number,
    Policy,
    Status,
    Uin,
)
from txwebqq.server.domain import friends
from txwebqq.server.domain.friends import (
    MAX_CATEGORIES,
    MAX_CATEGORY_NAME,
    MAX_MARKNAME,
    MAX_TEXT,
    REPEAT_AFTER,
    REQUESTS_PER_HOUR,
    TOKEN_LIFE,
    TOO_MANY,
    FriendRules,
    policyOf,
)
from txwebqq.server.domain.refusals import TOO_LONG
from txwebqq.server.domain.state import Joined, ServerState
from txwebqq.server.events import kinds
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    FriendEntry,
    Population,
)
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.settings import BLOCKED, PRIVACY, STRANGERS

ALICE, BOB, CAROL = Number(10001), Number(10002), Number(10003)


class Village:
    """
    A server with Alice, Bob and accounts that tests add; without friends.
    """

    def __init__(self, **profile: Any) -> None:
        """
        @param profile: the profile of Bob.
        """
        self.clock = Clock()
        self.clock.advance(1366004047)
        self.store = Store()
        self.state = ServerState(self.store, self.clock, Random(1), Logger().failure)
        self.rules = FriendRules(self.state, self.clock.seconds, Random(2))
        self.add(ALICE, "Alice")
        self.add(BOB, "Bob", **profile)

    def add(self, number: Number, nick: str = "", **profile: Any) -> None:
        account = AccountRecord(number, b"\x01" * 16, nick, 0, profile)
        self.state.merge(Population((account,)))

    def session(self, number: Number, status: Status = Status.ONLINE) -> Session:
        """
        Return the session of an account that is online.
        """
        found = self.state.sessions.online(number)
        if found is not None:
            return found
        ptwebqq = self.state.sessions.admit(number, "@x")
        joined = self.state.join(ptwebqq, "", "1", status)
        assert isinstance(joined, Joined)
        return joined.session

    def ask(
        self,
        asker: Number = ALICE,
        account: Number = BOB,
        text: str = "hello",
        **more: Any,
    ) -> str:
        """
        Search for an account, and send it a friend request.

        @return: the reason of the refusal, C{""} for none.
        """
        proof = more.pop("proof", self.rules.proof(asker, account))
        return said(self.rules.ask(self.session(asker), account, proof, text, **more))

    def befriend(self) -> None:
        """
        Make Alice and Bob friends.
        """
        for owner, friend in ((ALICE, BOB), (BOB, ALICE)):
            self.store.friends.add(owner, friend, 0, "")

    def uin(self, owner: Number, friend: Number) -> Uin:
        """
        Return the uin of an account in another one's session.
        """
        return self.session(owner).sessionIds.uin(friend)

    def told(self, number: Number) -> list[str]:
        """
        Return the waiting events of an account, in short form.
        """
        self.state.router.commit()
        return [
            brief(event) for _, event in self.store.messages.waiting(number, 0, 1000)
        ]


def said(refusal: Refusal | None) -> str:
    return "" if refusal is None else refusal.errmsg


def brief(event: object) -> str:
    match event:
        case QueuedEvent(kind=kinds.FRIENDSHIP_NOTICE, details=details):
            return "{step} {other} {text}".format(**details).strip()
        case QueuedEvent(kind=kinds.ROSTER_CHANGE, details=details):
            return f"{'+' if details['added'] else '-'}{details['other']}"
    return repr(event)


@pytest.fixture
def village() -> Iterator[Village]:
    found = Village()
    yield found
    found.store.close()


# ---- finding


def test_find(village: Village) -> None:
    """
    Accounts are found by their number or the mail address in their profile, and may
    be seen afterwards by the account that has searched.
    """
    village.add(CAROL, "Carol", email="Carol@Example.org")
    alice, bob = village.session(ALICE), village.session(BOB)
    assert not village.rules.knows(alice, CAROL)
    for name in (" 10003 ", "carol@example.org"):
        found = village.rules.find(alice, name)
        assert found is not None
        assert found.number == CAROL
    assert village.rules.knows(alice, CAROL)
    assert not village.rules.knows(bob, CAROL)
    for name in ("", "0", "10009", "Carol", "no@where", "1" * 11, "١٠٠٠٣"):
        assert village.rules.find(alice, name) is None


def test_findForgets(village: Village) -> None:
    """
    Search results are remembered for a day.
    """
    village.add(CAROL)
    alice = village.session(ALICE)
    village.rules.find(alice, "10002")
    village.clock.advance(friends.FOUND_LIFE - 1)
    village.rules.find(alice, "10003")
    village.clock.advance(1)
    known = [village.rules.knows(alice, number) for number in (BOB, CAROL)]
    assert known == [False, True]


@pytest.mark.parametrize(
    ("profile", "policy"),
    [
        ({}, Policy(WHO_ASKS)),
        ({"question": "?"}, Policy(WHO_ASKS)),
        ({"allow": NOBODY, "question": "?"}, Policy(NOBODY)),
        ({"allow": WHO_ANSWERS, "question": "?"}, Policy(WHO_ANSWERS, "?")),
        ({"allow": WHO_ANSWERS_AND_ASKS}, Policy(WHO_ANSWERS_AND_ASKS)),
    ],
)
def test_policy(profile: dict[str, Any], policy: Policy) -> None:
    """
    The policy of an account applies; its question is returned where an answer is
    needed.
    """
    assert policyOf(AccountRecord(ALICE, b"", "", 0, profile)) == policy


# ---- asking


def test_blocked(village: Village) -> None:
    """
    A blocked account cannot ask for friendship. Others can ask an account that
    refuses the messages of strangers.
    """
    village.store.settings.update(BOB, PRIVACY, {STRANGERS: "false"})
    assert village.ask() == ""
    village.store.settings.update(BOB, PRIVACY, {BLOCKED: f"[{ALICE}]"})
    assert village.ask() == "the account has blocked you"
    assert village.told(BOB) == [f"verify_required {ALICE} hello"]


def test_ask(village: Village) -> None:
    """
    A friend request notifies the other account, with its text; no friend is added.
    """
    assert village.ask(text="please") == ""
    assert village.told(BOB) == ["verify_required 10001 please"]
    assert village.told(ALICE) == []
    assert village.store.friends.numbers(ALICE) == []


def test_again(village: Village) -> None:
    """
    A repeated request gives no second notice for a while, but its text replaces the
    first.
    """
    village.ask(text="please")
    village.clock.advance(REPEAT_AFTER - 1)
    assert village.ask(text="pretty please") == ""
    assert len(village.told(BOB)) == 1
    request = village.store.friends.request(BOB, ALICE)
    assert request is not None
    assert request.text == "pretty please"
    village.clock.advance(1)
    village.ask(text="still there?")
    assert village.told(BOB)[1:] == ["verify_required 10001 still there?"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"account": ALICE}, "account is your own"),
        ({"account": Number(0)}, "account is not the number of an account"),
        ({"account": Number(2**40)}, "account is not the number of an account"),
        ({"account": Number(10009)}, "account is not the number of an account"),
        ({"proof": "0" * 48}, "token is not from a search for account"),
        ({"proof": "é"}, "token is not from a search for account"),
        ({"category": 1}, "there is no such category"),
        ({"text": "x" * (MAX_TEXT + 1)}, f"msg has more than {MAX_TEXT} characters"),
        (
            {"markname": "x" * (MAX_MARKNAME + 1)},
            f"mname has more than {MAX_MARKNAME} characters",
        ),
        ({"needsNone": True}, "they want to be asked"),
    ],
)
def test_mayNot(village: Village, more: dict[str, Any], problem: str) -> None:
    """
    A request that is not allowed is refused with the reason.
    """
    assert village.ask(**more) == problem
    assert village.told(BOB) == []
    assert village.store.friends.request(BOB, ALICE) is None


def test_proof(village: Village) -> None:
    """
    A token is valid for its account and its search result, for an hour or two.
    """
    proof = village.rules.proof(ALICE, BOB)
    village.add(CAROL)
    wrong = "token is not from a search for account"
    assert village.ask(CAROL, BOB, proof=proof) == wrong
    assert village.ask(ALICE, CAROL, proof=proof) == wrong
    village.clock.advance(TOKEN_LIFE)
    assert village.ask(proof=proof) == ""
    village.clock.advance(TOKEN_LIFE)
    assert village.ask(proof=proof) == wrong


def test_friendAlready(village: Village) -> None:
    """
    A request to a friend is refused.
    """
    village.befriend()
    assert village.ask() == "account is your friend"


def test_tooOften(village: Village) -> None:
    """
    The number of requests within an hour is limited, even if they are refused.
    """
    for _ in range(REQUESTS_PER_HOUR):
        assert village.ask(needsNone=True) == "they want to be asked"
    refusal = village.rules.ask(
        village.session(ALICE), BOB, village.rules.proof(ALICE, BOB), ""
    )
    assert refusal == Refusal(TOO_MANY, "you have asked too many people in an hour")
    village.clock.advance(3600)
    assert village.ask() == ""


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("MAX_FRIENDS", "you have 1 friends"),
        ("MAX_RECEIVED", "too many people wait for their answer"),
        ("MAX_SENT", "you wait for too many answers"),
    ],
)
def test_crowd(
    village: Village, monkeypatch: pytest.MonkeyPatch, limit: str, problem: str
) -> None:
    """
    The numbers of friends and of open requests are limited.
    """
    monkeypatch.setattr(friends, limit, 1)
    village.add(CAROL)
    match limit:
        case "MAX_FRIENDS":
            village.store.friends.add(ALICE, CAROL, 0, "")
        case "MAX_RECEIVED":
            village.ask(CAROL, BOB)
        case _:
            village.ask(ALICE, CAROL)
    assert village.ask() == problem


@pytest.mark.parametrize(
    ("profile", "answer", "isFriend", "problem"),
    [
        ({"allow": ANYBODY}, "", True, ""),
        ({"allow": NOBODY}, "", False, "the account accepts no friend requests"),
        ({"allow": WHO_ANSWERS, "answer": "Straße "}, " STRASSE", True, ""),
        (
            {"allow": WHO_ANSWERS, "answer": "42"},
            "41",
            False,
            "that is not the answer to their question",
        ),
        (
            {"allow": WHO_ANSWERS},
            "",
            False,
            "that is not the answer to their question",
        ),
        ({"allow": WHO_ANSWERS_AND_ASKS, "answer": "42"}, "42", False, ""),
        ({"allow": WHO_ANSWERS_AND_ASKS}, "anything", False, ""),
    ],
)
def test_policies(
    profile: dict[str, Any], answer: str, isFriend: bool, problem: str
) -> None:
    """
    Each policy decides who is added at once, after the right answer, or never.
    """
    village = Village(**profile)
    assert village.ask(text=answer) == problem
    assert (village.store.friends.entry(ALICE, BOB) is not None) == isFriend
    # To be let is no promise to be kept in return.
    assert village.store.friends.entry(BOB, ALICE) is None
    waits = village.store.friends.request(BOB, ALICE) is not None
    assert waits == (not problem)


def test_welcome() -> None:
    """
    An account that was added at once may add the other without a request, unless
    the other has declined that.
    """
    village = Village(allow=ANYBODY)
    assert village.ask(markname="Bobby") == ""
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(0, "Bobby")
    assert village.told(ALICE) == ["+10002", "verify_pass 10002"]
    assert village.told(BOB) == ["added_buddy_sig 10001"]
    assert village.ask(BOB, ALICE, needsNone=True) == ""
    assert village.store.friends.entry(BOB, ALICE) == FriendEntry(0, "")
    assert village.store.friends.request(BOB, ALICE) is None

    village = Village(allow=ANYBODY)
    assert village.ask(welcome=False) == ""
    assert village.told(BOB) == ["added_buddy_nosig 10001"]
    assert village.ask(BOB, ALICE, needsNone=True) == "they want to be asked"


# ---- answering


def test_accept(village: Village) -> None:
    """
    Accepting and adding back makes both friends, each in the chosen category; both
    are notified.
    """
    alice, bob = village.session(ALICE), village.session(BOB)
    work = village.rules.createCategory(alice, "work")
    assert work == CategoryRecord(1, "work", 1)
    tea = village.rules.createCategory(bob, "tea")
    assert isinstance(tea, CategoryRecord)
    assert village.ask(category=1) == ""
    accept = village.rules.accept(bob, ALICE, True, tea.index, "Ali")
    assert accept is None
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(1, "")
    assert village.store.friends.entry(BOB, ALICE) == FriendEntry(1, "Ali")
    assert village.told(ALICE) == ["+10002", "verify_pass_add 10002"]
    assert village.told(BOB) == ["verify_required 10001 hello", "+10001"]
    assert village.store.friends.request(BOB, ALICE) is None
    assert alice.mailbox.presence[BOB] is Status.ONLINE


def test_acceptOnly(village: Village) -> None:
    """
    A request can be accepted without adding back.
    """
    village.ask()
    assert village.rules.accept(village.session(BOB), ALICE, False) is None
    assert village.store.friends.entry(ALICE, BOB) is not None
    assert village.store.friends.entry(BOB, ALICE) is None
    assert village.told(ALICE) == ["+10002", "verify_pass 10002"]


def test_bothAsked(village: Village) -> None:
    """
    A request to an account that has sent one itself accepts that one, also where the
    account accepts no requests; both are told.
    """
    village.ask(ALICE, BOB)
    village.state.merge(
        Population((AccountRecord(ALICE, b"", "Alice", 0, {"allow": NOBODY}),))
    )
    assert village.ask(BOB, ALICE) == ""
    for owner, friend in ((ALICE, BOB), (BOB, ALICE)):
        assert village.store.friends.entry(owner, friend) is not None
        assert village.store.friends.request(owner, friend) is None
    assert village.told(ALICE) == ["+10002", "verify_pass_add 10002"]
    assert village.told(BOB) == [
        "verify_required 10001 hello",
        "+10001",
        "verify_pass_add 10001",
    ]


def test_goneCategory(village: Village) -> None:
    """
    A category that was removed before the answer is replaced by the first.
    """
    alice = village.session(ALICE)
    village.rules.createCategory(alice, "work")
    village.ask(category=1)
    village.rules.removeCategory(alice, 1)
    village.rules.accept(village.session(BOB), ALICE, False)
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(0, "")


def test_mayNotAccept(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An answer that is refused leaves the request open, and has the reason.
    """
    bob = village.session(BOB)
    accept = village.rules.accept
    assert said(accept(bob, ALICE, True)) == "account has not asked to be your friend"
    village.ask()
    long = "x" * (MAX_MARKNAME + 1)
    assert said(accept(bob, ALICE, True, 0, long)).startswith("mname has more than")
    assert said(accept(bob, ALICE, True, 9)) == "there is no such category"
    monkeypatch.setattr(friends, "MAX_FRIENDS", 1)
    village.add(CAROL)
    village.store.friends.add(BOB, CAROL, 0, "")
    assert said(accept(bob, ALICE, True)) == "you have 1 friends"
    village.store.friends.add(ALICE, CAROL, 0, "")
    assert said(accept(bob, ALICE, False)) == "account has 1 friends"
    assert village.store.friends.request(BOB, ALICE) is not None
    assert village.store.friends.numbers(ALICE) == [CAROL]


def test_refuse(village: Village) -> None:
    """
    A rejection notifies the asker with its text, and closes the request.
    """
    village.ask()
    bob = village.session(BOB)
    long = village.rules.refuse(bob, ALICE, "x" * (MAX_TEXT + 1))
    assert long is not None
    assert long.retcode == TOO_LONG
    assert village.rules.refuse(bob, ALICE, "sorry") is None
    assert village.told(ALICE) == ["verify_rejected 10002 sorry"]
    again = village.rules.refuse(bob, ALICE, "sorry")
    assert said(again) == "account has not asked to be your friend"


def test_refuseWelcome() -> None:
    """
    An account that does not add another back need not notify it.
    """
    village = Village(allow=ANYBODY)
    village.ask()
    before = village.told(ALICE)
    assert village.rules.refuse(village.session(BOB), ALICE, "no") is None
    assert village.told(ALICE) == before
    assert village.store.friends.entry(ALICE, BOB) is not None


# ---- keeping


def test_keep(village: Village) -> None:
    """
    Renaming a friend does not move it, and moving does not rename it.
    """
    village.befriend()
    alice, bob = village.session(ALICE), village.uin(ALICE, BOB)
    village.rules.createCategory(alice, "work")
    assert village.rules.rename(alice, bob, "Bobby") is None
    assert village.rules.move(alice, bob, 1) is None
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(1, "Bobby")
    assert village.rules.rename(alice, bob, "") is None
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(1, "")
    assert said(village.rules.move(alice, bob, 2)) == "there is no such category"
    long = village.rules.rename(alice, bob, "x" * (MAX_MARKNAME + 1))
    assert said(long).startswith("markname has more than")
    assert village.store.friends.entry(BOB, ALICE) == FriendEntry(0, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda rules, session, uin: rules.rename(session, uin, "x"),
        lambda rules, session, uin: rules.move(session, uin, 0),
        lambda rules, session, uin: rules.remove(session, uin, True),
    ],
)
def test_notMine(
    village: Village,
    change: Callable[[FriendRules, Session, Uin], Refusal | None],
) -> None:
    """
    An account can change only its own friends, not those who list it.
    """
    village.store.friends.add(BOB, ALICE, 0, "")
    alice = village.session(ALICE)
    for uin in (village.uin(ALICE, BOB), Uin(1)):
        problem = said(change(village.rules, alice, uin))
        assert problem == "tuin is not the uin of a friend"
    assert village.store.friends.entry(BOB, ALICE) == FriendEntry(0, "")


@pytest.mark.parametrize("both", [False, True])
def test_remove(village: Village, both: bool) -> None:
    """
    A friend is removed from the account's own list, and on request from both; the
    owners are notified, and get no more statuses.
    """
    village.befriend()
    alice, bob = village.session(ALICE), village.session(BOB)
    assert (BOB in alice.mailbox.presence, ALICE in bob.mailbox.presence) == (
        True,
        False,
    )
    bob.mailbox.presence[ALICE] = Status.AWAY
    assert village.rules.remove(alice, village.uin(ALICE, BOB), both) is None
    assert village.store.friends.entry(ALICE, BOB) is None
    assert (village.store.friends.entry(BOB, ALICE) is None) == both
    assert village.told(ALICE) == ["-10002"]
    assert village.told(BOB) == (["-10001"] if both else [])
    assert BOB not in alice.mailbox.presence
    assert (ALICE in bob.mailbox.presence) == (not both)


# ---- categories


def test_categories(village: Village) -> None:
    """
    A new category has the lowest free index, and is the last.
    """
    alice, rules = village.session(ALICE), village.rules
    for name in ("a", "b", "c"):
        rules.createCategory(alice, name)
    assert rules.sortCategory(alice, 1, 9) is None
    assert rules.removeCategory(alice, 2) is None
    assert rules.createCategory(alice, "d") == CategoryRecord(2, "d", 10)
    assert rules.renameCategory(alice, 3, "茶") is None
    assert village.store.friends.categories(ALICE) == [
        CategoryRecord(1, "a", 9),
        CategoryRecord(2, "d", 10),
        CategoryRecord(3, "茶", 3),
    ]
    assert village.store.friends.categories(BOB) == []


def test_removeCategory(village: Village) -> None:
    """
    The friends of a removed category move to the first one.
    """
    village.befriend()
    alice, bob = village.session(ALICE), village.uin(ALICE, BOB)
    village.rules.createCategory(alice, "work")
    village.rules.move(alice, bob, 1)
    assert village.rules.removeCategory(alice, 1) is None
    assert village.store.friends.entry(ALICE, BOB) == FriendEntry(0, "")


def test_categoryErrors(village: Village) -> None:
    """
    An unknown category, an empty name, a negative place and one category too many
    are refused.
    """
    alice, rules = village.session(ALICE), village.rules
    missing = "there is no such category"
    assert said(rules.renameCategory(alice, 1, "x")) == missing
    assert said(rules.sortCategory(alice, 1, 0)) == missing
    # The first is everybody's, and not theirs to remove.
    assert said(rules.removeCategory(alice, 0)) == missing
    for name, problem in (
        ("", "name is empty"),
        ("　", "name is empty"),
        (
            "x" * (MAX_CATEGORY_NAME + 1),
            f"name has more than {MAX_CATEGORY_NAME} characters",
        ),
    ):
        refusal = rules.createCategory(alice, name)
        assert isinstance(refusal, Refusal)
        assert refusal.errmsg == problem
    for index in range(1, MAX_CATEGORIES + 1):
        assert rules.createCategory(alice, "x") == CategoryRecord(index, "x", index)
    refusal = rules.createCategory(alice, "x")
    assert isinstance(refusal, Refusal)
    assert refusal.errmsg == f"you have {MAX_CATEGORIES} categories"
    assert said(rules.renameCategory(alice, 1, " ")) == "name is empty"
    for sort in (-1, 65536):
        problem = said(rules.sortCategory(alice, 1, sort))
        assert problem == "sort is not from 0 to 65535"
