"""
Polls of clients that come to one process or the other.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import ALICE, BOB, HTTPClient, Wire, textsOf
from txwebqq.server.http.longpoll import THROTTLE
from txwebqq.server.resource import POLL_TIMEOUT

NOTHING = b'{"retcode":102,"errmsg":""}'


def at(client: HTTPClient, n: int, ack: int | None = None) -> Wire:
    """
    Poll at a process.
    """
    harness = client.harness
    assert isinstance(harness, FleetHarness)
    before, harness.target = harness.target, n
    poll = client.poll(ack)
    harness.target = before
    return poll


def given(poll: Wire) -> list[str]:
    return textsOf(poll.response)[::-1] if poll.isAnswered else []


def idsOf(poll: Wire) -> list[int]:
    return [event["value"]["msg_id"] for event in poll.response.result]


def test_byTurns(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A client whose polls go to the two processes by turns is given each message once,
    in order.
    """
    seen: list[str] = []
    ack = 0
    for n in range(12):
        alice.tell(BOB, str(n))
        if n % 3:
            continue
        poll = at(bob, n % 2, ack)
        seen += given(poll)
        ack = poll.response.json["ack"]
    poll = at(bob, 1, ack)
    seen += given(poll)
    assert seen == [str(n) for n in range(12)]
    assert not at(bob, 0, poll.response.json["ack"]).isAnswered


def test_byTurnsWithoutAck(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A client without C{ack} whose polls go to the two processes by turns is given each
    message, in order and at most twice: the process that wrote a reply may have died.
    """
    for n in range(5):
        alice.tell(BOB, str(n))
    seen: list[str] = []
    for n in range(12):
        poll = at(bob, n % 2)
        seen += given(poll)
        bob.harness.clock.advance(1)
    assert list(dict.fromkeys(seen)) == [str(n) for n in range(5)]
    assert max(map(seen.count, seen)) <= 2
    assert sorted(seen) == seen
    assert not poll.isAnswered


def test_wokenElsewhere(pair: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A poll that is held by one process is answered with a message that was sent at the
    other.
    """
    for n in (0, 1):
        poll = at(bob, n)
        pair.target = 1 - n
        alice.tell(BOB, "hi")
        assert given(poll) == ["hi"]
        at(bob, n).close()


def test_supersededElsewhere(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A poll that a process holds is answered with nothing when the client polls the
    other one, which then has the events.
    """
    older = at(bob, 0)
    bob.harness.clock.advance(2)
    newer = at(bob, 1)
    assert older.response.body == NOTHING
    alice.tell(BOB, "hi")
    assert given(newer) == ["hi"]


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("ack", [None, 0])
def test_goneAfterItWasTaken(
    pair: FleetHarness, alice: HTTPClient, bob: HTTPClient, n: int, ack: int | None
) -> None:
    """
    A reply that was taken for a poll whose client has gone is given again, with the
    same ids, at either process, also to a client without C{ack}.
    """
    polling = pair.processes[0].polling
    answers: list[tuple[Any, ...]] = []
    poll = at(bob, 0, ack)
    call, polling._call = polling._call, lambda *each: answers.append(each)
    alice.tell(BOB, "hi")
    poll.close()
    polling._call = call
    for function, *arguments in answers:
        function(*arguments)
    pair.settle()
    first = at(bob, n, ack)
    assert given(first) == ["hi"]


@pytest.mark.parametrize("ack", [None, 0])
def test_slowDatabase(
    pair: FleetHarness, alice: HTTPClient, bob: HTTPClient, ack: int | None
) -> None:
    """
    While the database answers each poll only after its time limit, the client is given
    each reply by the poll after it. What that poll acknowledged holds.
    """
    polling = pair.processes[0].polling
    answers: list[tuple[Any, ...]] = []

    def answered() -> None:
        late, answers[:] = answers[:], []
        for function, *arguments in late:
            function(*arguments)
        pair.settle()

    for text in ("one", "two"):
        alice.tell(BOB, text)
    call, polling._call = polling._call, lambda *each: answers.append(each)
    seen: list[str] = []
    for _ in range(6):
        poll = at(bob, 0, ack)
        pair.clock.advance(POLL_TIMEOUT)
        assert poll.response.body == NOTHING
        later = at(bob, 0, ack)
        answered()
        seen += given(later)
        if later.isAnswered and ack is not None:
            ack = later.response.json["ack"]
        at(alice, 1).close()
        alice.tell(BOB, str(len(seen)))
    polling._call = call
    answered()
    assert len(seen) >= 5
    assert list(dict.fromkeys(seen)) == seen


def test_lateWithIds(pair: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    The ids that a poll names are kept when it is given the reply to the poll before.
    """
    polling = pair.processes[0].polling
    answers: list[tuple[Any, ...]] = []
    pair.target = 0
    poll = bob.poll(ids=["1"])
    alice.tell(BOB, "hi")
    (shown,) = idsOf(poll)
    call, polling._call = polling._call, lambda *each: answers.append(each)
    unnamed = bob.poll()
    pair.clock.advance(POLL_TIMEOUT)
    assert unnamed.response.body == NOTHING
    again = bob.poll(ids=[str(shown)])
    polling._call = call
    for function, *arguments in answers:
        function(*arguments)
    pair.settle()
    assert idsOf(again) == [shown]
    poll = bob.poll()
    pair.clock.advance(THROTTLE)
    assert not poll.isAnswered


def test_diedBeforeItWasWritten(
    pair: FleetHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A reply that a process has taken, and that it did not write before it died, is given
    by the other one, with the same ids, also to a client without C{ack}.
    """
    polling = pair.processes[0].polling
    answers: list[Any] = []
    at(bob, 0)
    polling._call = lambda *each: answers.append(each[2])
    alice.tell(BOB, "hi")
    alice.tell(BOB, "ho")
    ((lost,),) = answers
    pair.kill(0)
    first = at(bob, 0)
    (event,) = lost.reply.events
    assert (given(first), idsOf(first)) == (["hi"], [event.messageId])
    assert given(at(bob, 0)) == ["ho"]


def test_kick(pair: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A poll that a process holds is answered with the kick when the account signs on at
    the other.
    """
    poll = at(alice, 0)
    pair.target = 1
    other = pair.client(ALICE, clientid="99")
    (event,) = poll.response.result
    assert event["poll_type"] == "kick_message"
    bob.tell(ALICE, "hi")
    assert given(at(alice, 0)) == []
    assert "hi" in given(at(other, 0))


def test_relink(pair: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A relink at the other process keeps the ids of accounts and groups, and ends the
    poll of the former ticket.
    """
    poll = at(bob, 0)
    before = bob.uin(ALICE), bob.gid
    pair.clock.advance(2)
    pair.target = 1
    bob.join(bob.psessionid)
    pair.target = None
    assert poll.isAnswered
    assert poll.response.body == NOTHING
    assert (bob.uin(ALICE), bob.gid) == before
    alice.tell(BOB, "hi")
    for n in (0, 1):
        assert given(at(bob, n, 0)) == ["hi"]
