"""
The queue at a server that loses replies and sends wrong ones on purpose.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from txwebqq.model import Delivered, Failed, QueuePolicy, SendOutcome, ToFriend
from txwebqq.outbox.queue import MessageQueue
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import MEMORY
from txwebqq.testing import MemoryWebQQ, parseFaults

COUNT = 12


def run(fault: str, store: Store | None = None) -> tuple[list[SendOutcome], list[str]]:
    """
    Send some messages, while every third send goes wrong.

    @param fault: the keys of the fault.
    @param store: the database of the server, by default in memory.

    @return: the outcomes, and the texts that the recipient was given.
    """
    paths = '["/channel/send_buddy_msg2"]'
    text = f"[[fault]]\nevery = 3\npaths = {paths}\n{fault}"
    web = MemoryWebQQ(store=store, faults=parseFaults(text))
    alice, bob = web.friends("Alice", "Bob")
    bob.run()
    alice.run()
    policy = QueuePolicy(burst=100, patience=600.0)
    queue: MessageQueue = alice.service.addQueue(MEMORY, policy=policy)
    outcomes: dict[int, SendOutcome] = {}

    def keep(outcome: SendOutcome, n: int) -> None:
        assert n not in outcomes
        outcomes[n] = outcome

    for n in range(COUNT):
        queue.send(ToFriend(bob.number), str(n)).addCallback(keep, n)
    for _ in range(100):
        web.settle(10)
        if len(outcomes) == COUNT:
            break
    web.settle(5)
    heard = bob.heard
    alice.stop()
    bob.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []
    return [outcomes[n] for n in range(COUNT)], heard


LOST = {
    "reset before": 'kind = "reset"',
    "reset after": 'kind = "reset"\nwhen = "after"',
    "truncated": 'kind = "truncate"',
    "too long": 'kind = "wrong-length"\nby = 50',
    "too short": 'kind = "wrong-length"\nby = -10',
    "proxy before": 'kind = "status"\ncode = 502',
    "proxy after": 'kind = "status"\ncode = 504\nwhen = "after"',
    "portal": 'kind = "status"\ncode = 200',
    "redirect": 'kind = "status"\ncode = 302\nlocation = "http://portal.test/"',
    "garbage": 'kind = "garbage"',
    "no text": 'kind = "garbage"\nas = "utf-8"',
    "late": 'kind = "delay"\nseconds = 100',
    "late after": 'kind = "delay"\nseconds = 100\nwhen = "after"',
}
HARMLESS = {
    "delayed": 'kind = "delay"\nseconds = 5',
    "slow": 'kind = "slow"\nrate = 100',
    "parts": 'kind = "parts"\ncount = 3\nseconds = 2',
}


def names(outcomes: list[SendOutcome]) -> list[str]:
    return [type(outcome).__name__.lower() for outcome in outcomes]


def agrees(outcomes: list[SendOutcome], heard: list[str]) -> None:
    """
    Check the outcomes against what the recipient was given.
    """
    assert len(set(heard)) == len(heard)
    assert heard == sorted(heard, key=int)
    for n, outcome in enumerate(outcomes):
        match outcome:
            case Delivered():
                assert str(n) in heard
            case Failed():
                assert str(n) not in heard


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost(fault: str) -> None:
    """
    A message whose reply is lost is uncertain, and all others are delivered.
    """
    outcomes, heard = run(fault)
    assert names(outcomes) == ["delivered", "delivered", "uncertain"] * 4
    agrees(outcomes, heard)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_asked(fault: str, tmp_path: Path) -> None:
    """
    A server with a database is asked for a message whose reply is lost, so all are
    delivered once.
    """
    store = Store(tmp_path / "server.db")
    outcomes, heard = run(fault, store)
    assert names(outcomes) == ["delivered"] * COUNT
    assert heard == [str(n) for n in range(COUNT)]
    store.close()


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
def test_delivered(fault: str) -> None:
    """
    A message whose reply comes late is delivered.
    """
    outcomes, heard = run(fault)
    assert names(outcomes) == ["delivered"] * COUNT
    assert heard == [str(n) for n in range(COUNT)]


@pytest.mark.parametrize("code", [111, 123, 100001, 100003])
def test_refused(code: int) -> None:
    """
    A message that is refused has failed.
    """
    outcomes, heard = run(f'kind = "retcode"\ncode = {code}')
    assert names(outcomes) == ["delivered", "delivered", "failed"] * 4
    agrees(outcomes, heard)


@pytest.mark.parametrize("code", [112, 121, 100])
def test_refusedForNow(code: int) -> None:
    """
    A message that is refused for now, or for lack of a session, is sent again.
    """
    outcomes, heard = run(f'kind = "retcode"\ncode = {code}')
    assert names(outcomes) == ["delivered"] * COUNT
    assert heard == [str(n) for n in range(COUNT)]


def test_misled() -> None:
    """
    These checks notice a message that was delivered and is said not to be.
    """
    outcome: Any = Failed(ValueError("x"))
    with pytest.raises(AssertionError):
        agrees([outcome], ["0"])
