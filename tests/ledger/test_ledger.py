"""
Accepted means delivered: a short bad day with real processes and sockets, and
the ledger that judges it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from pytest_twisted import ensureDeferred

from tests.ledger.book import (
    INCURABLE_KEPT,
    POLL,
    Client,
    Kind,
    Ledger,
    Outcome,
    Promise,
)
from tests.ledger.report import complaint
from tests.ledger.run import Run, Size
from tests.messages import Message
from tests.network.faults import Ending, Exchange, Fault, Manner

# What Twisted passes there is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

ALICE, BOB = 10001, 10002


@ensureDeferred
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(70, 2), id="tcp"),
        pytest.param(Size(30, 1, isSecure=True), id="tls", marks=pytest.mark.long),
    ],
)
async def test_shortDay(tmp_path: Path, size: Size) -> None:
    """
    Nothing accepted is lost, our client shows nothing twice and all in order,
    and what others are shown twice has a reason, while proxies lose, cut and
    delay, and the server is killed.
    """
    run = Run(tmp_path, 20131015, size)
    verdict = await run.play()
    assert not verdict.wrongs, complaint(run, verdict)
    assert run.faults >= size.faults
    assert len(run.ledger.kills) == size.kills


class Book:
    """
    A ledger with two clients, and what their proxies saw.
    """

    def __init__(self, promise: Promise) -> None:
        self.ledger = Ledger()
        self.bob = Client(BOB, "bob", promise)
        self.ledger.clients = {ALICE: Client(ALICE, "alice", promise), BOB: self.bob}

    def send(
        self, kind: Kind = Kind.FRIEND, outcome: Outcome = Outcome.ACCEPTED
    ) -> str:
        """
        Send an event to Bob.
        """
        entry = self.ledger.open(kind, ALICE, BOB, {BOB})
        self.ledger.settle(entry, outcome)
        return entry.token

    def give(
        self,
        token: str,
        manner: Manner | None = None,
        isPassed: bool = True,
        ids: Sequence[str] = (),
    ) -> None:
        """
        A poll of Bob's is answered with it, and his client shows that.
        """
        body = f"r={quote(json.dumps({'psessionid': 'ps', 'ids': ids}))}".encode()
        request = Message(f"POST {POLL} HTTP/1.1", (), body, b"")
        raw = f"HTTP/1.1 200 OK\r\n\r\n{token}".encode()
        answer = Message("HTTP/1.1 200 OK", (), token.encode(), raw)
        exchange = Exchange(
            len(self.bob.exchanges) + 1,
            1,
            request,
            self.ledger.moment(),
            manner,
            answer,
        )
        exchange.answered = self.ledger.moment()
        exchange.passed = len(raw) if isPassed else 0
        self.bob.exchanges.append(exchange)
        if isPassed and token:
            self.ledger.show(token, BOB)

    def wrongs(self) -> list[str]:
        """
        The first lines of what is wrong.
        """
        return [wrong.splitlines()[0] for wrong in self.ledger.judge().wrongs]


LOST = ["bob was never shown what was accepted"]
TWICE = ["bob was shown something 2 times"]
NO_REASON = ["bob was shown something again without a reason"]


@pytest.mark.parametrize("promise", Promise)
def test_good(promise: Promise) -> None:
    """
    An accepted event that is shown once is good; an uncertain one may be
    missing, and a refused one is missing.
    """
    book = Book(promise)
    book.give(book.send())
    book.send(outcome=Outcome.UNCERTAIN)
    book.give(book.send(outcome=Outcome.UNCERTAIN))
    book.send(outcome=Outcome.REFUSED)
    assert book.wrongs() == []


@pytest.mark.parametrize("promise", Promise)
def test_lost(promise: Promise) -> None:
    """
    An accepted event that is not shown is lost, and the report says where it
    went.
    """
    book = Book(promise)
    book.give(book.send(), Manner(Fault.ANSWER_LOST), isPassed=False)
    assert book.wrongs() == LOST
    (wrong,) = book.ledger.judge().wrongs
    assert "tk000001, a message to a friend, from 10001 in 10002 to bob" in wrong
    assert "answer read and not passed on" in wrong


def test_excused() -> None:
    """
    A loss is excused only by an answer with it that was swallowed in a manner
    that cannot be cured.
    """
    book = Book(Promise.REPEATED)
    book.bob.incurable = INCURABLE_KEPT
    left = Manner(Fault.ANSWER_LOST, server=Ending.LEFT)
    book.give(book.send(), left, isPassed=False)
    assert book.wrongs() == []
    assert book.ledger.judge().excused == {"bob": 1}
    book.give(book.send(), Manner(Fault.ANSWER_LOST), isPassed=False)
    assert book.wrongs() == LOST


def test_namedIds() -> None:
    """
    A swallowed answer excuses no loss of a message in a session that
    acknowledges by ids.
    """
    book = Book(Promise.REPEATED)
    book.bob.incurable, book.bob.namesIds = INCURABLE_KEPT, True
    left = Manner(Fault.ANSWER_LOST, server=Ending.LEFT)
    book.give(book.send(), left, isPassed=False)
    assert book.wrongs() == []
    book.give(book.send(), ids=["1"])
    book.give(book.send(Kind.SIGNATURE), left, isPassed=False)
    assert book.wrongs() == []
    book.give(book.send(), left, isPassed=False)
    assert book.wrongs() == LOST


def test_refused() -> None:
    """
    A refused event must not be shown, nor an event that nobody has sent.
    """
    book = Book(Promise.ONCE)
    book.give(book.send(outcome=Outcome.REFUSED))
    book.give("tk999999")
    assert book.wrongs() == [
        "bob was shown tk999999",
        "bob was shown what the server had refused",
    ]


@pytest.mark.parametrize("promise", [Promise.ONCE, Promise.ORDERED])
@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UNCERTAIN])
def test_twice(promise: Promise, outcome: Outcome) -> None:
    """
    Clients that acknowledge are shown no event twice, for any reason.
    """
    book = Book(promise)
    token = book.send(outcome=outcome)
    book.give(token, Manner(Fault.ENDED_AFTER))
    book.ledger.killed()
    book.give(token)
    assert book.wrongs() == TWICE


def test_double() -> None:
    """
    Clients that do not acknowledge may be shown an event twice, when a fault or
    a kill lies in between, and no poll that the server has received.
    """
    for reason in (
        lambda book: book.give("", Manner(Fault.REQUEST_LOST), isPassed=False),
        lambda book: book.ledger.killed(),
        lambda book: book.bob.signedOn.append(book.ledger.moment()),
    ):
        book = Book(Promise.REPEATED)
        token = book.send()
        book.give(token)
        reason(book)
        book.give(token)
        assert book.wrongs() == []
        assert book.ledger.judge().doubles == {"bob": 1}


def test_doubleAfterAnswer() -> None:
    """
    A fault behind the answer is a reason, too.
    """
    book = Book(Promise.REPEATED)
    token = book.send()
    book.give(token, Manner(Fault.ENDED_AFTER))
    book.give(token)
    assert book.wrongs() == []


def test_doubleWithoutReason() -> None:
    """
    A delay is no reason, nor a fault before the answer or after a poll that
    came through.
    """
    book = Book(Promise.REPEATED)
    token = book.send()
    book.give("", Manner(Fault.REQUEST_LOST), isPassed=False)
    book.give(token, Manner(Fault.ANSWER_DELAYED))
    book.give("")
    book.give("", Manner(Fault.REQUEST_LOST), isPassed=False)
    book.give(token)
    assert book.wrongs() == NO_REASON


def test_line() -> None:
    """
    A line of a channel may be shown twice only if a kill lies between.
    """
    book = Book(Promise.ORDERED)
    token = book.send(Kind.LINE)
    book.give(token)
    book.give(token)
    assert book.wrongs() == TWICE
    book.ledger.killed()
    book.give(token)
    assert book.wrongs() == []


def test_order() -> None:
    """
    Our client is shown each conversation in order.
    """
    book = Book(Promise.ORDERED)
    first, second = book.send(), book.send()
    book.give(second)
    book.give(first)
    assert book.wrongs() == ["bob was shown two out of order"]
    assert Book(Promise.ONCE).wrongs() == []


def test_late() -> None:
    """
    A message whose sender was not told its outcome may come late where its request
    may have waited at a stopped process.
    """
    book = Book(Promise.ORDERED)
    uncertain, accepted = book.send(outcome=Outcome.UNCERTAIN), book.send()
    book.give(accepted)
    book.give(uncertain)
    assert book.wrongs() == ["bob was shown two out of order"]
    book.ledger.mayBeLate = True
    assert book.wrongs() == []


def test_groupOrder() -> None:
    """
    All members of a group are shown its messages in one order, of several senders.
    """
    ledger = Ledger()
    carol, dave = 10003, 10004
    for number in (ALICE, BOB, carol, dave):
        ledger.clients[number] = Client(number, f"{number}", Promise.ORDERED)
    tokens = []
    for sender in (ALICE, BOB):
        entry = ledger.open(Kind.GROUP, sender, 200001, {carol, dave})
        ledger.settle(entry, Outcome.ACCEPTED)
        tokens.append(entry.token)
    for token in tokens:
        ledger.show(token, carol)
    ledger.show(tokens[1], dave)
    assert ledger.judge().outcomes == {Outcome.ACCEPTED: 2}
    ledger.show(tokens[0], dave)
    (wrong,) = ledger.judge().wrongs
    first, *others = wrong.splitlines()
    assert first == "the members of 200001 were shown its messages in different orders"
    assert set(others) == {
        "  10003 was shown tk000001 before tk000002",
        "  10004 was shown tk000002 before tk000001",
    }
