"""
The database across restarts, crashes and foreign files.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CATS,
    DAVE,
    POPULATION,
    ServerHarness,
    storeEvent,
    textsOf,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number, Text
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.population import parse
from txwebqq.server.records import FriendRequestRecord, JoinRequest
from txwebqq.server.storage.messages.queue import EventChanges
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import VERSION, Store


def reopened(
    openStore: Callable[[Path], Store], harness: ServerHarness, path: Path, seed: int
) -> ServerHarness:
    """
    A server on a copy of the database of a server that was killed.
    """
    # What was not committed is not there for another connection.
    copy = path.with_name(f"copy{seed}.db")
    for suffix in ("", "-wal"):
        source = Path(f"{path}{suffix}")
        if source.exists():
            target = Path(f"{copy}{suffix}")
            target.write_bytes(source.read_bytes())
            target.chmod(0o600)
    after = ServerHarness(store=openStore(copy), population="", seed=seed)
    after.clock.advance(harness.clock.seconds() - after.clock.seconds() + 3600)
    return after


def test_killed(tmp_path: Path, openStore: Callable[[Path], Store]) -> None:
    """
    Messages accepted for accounts that were offline are delivered once by the
    next server process, with the time of the original message.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=openStore(path))
    alice = harness.client(ALICE)
    alice.tell(BOB, "one")
    harness.clock.advance(60)
    alice.tell(BOB, "two")
    alice.tellCats("three")

    after = reopened(openStore, harness, path, 2)
    bob = after.client(BOB)
    first, second = bob.poll().response, bob.poll().response
    assert textsOf(first) == ["three", "one"]
    assert textsOf(second) == ["two"]
    assert [e["value"]["time"] for e in first.result] == [1366004107, 1366004047]
    assert not bob.poll().isAnswered
    assert textsOf(after.client(DAVE).poll().response) == ["three"]
    after.clock.advance(1)

    again = reopened(openStore, after, tmp_path / "copy2.db", 3)
    assert not again.client(BOB).poll().isAnswered


def test_killedBetweenPolls(tmp_path: Path, openStore: Callable[[Path], Store]) -> None:
    """
    A message that arrives between two polls of a client survives a crash as
    well.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=openStore(path))
    alice, bob = harness.client(ALICE), harness.client(BOB)
    poll = bob.poll()
    alice.tell(BOB, "seen")
    assert textsOf(poll.response) == ["seen"]
    alice.tell(BOB, "unseen")
    bob.poll()
    after = reopened(openStore, harness, path, 2).client(BOB)
    assert textsOf(after.poll().response) == ["unseen"]
    assert not after.poll().isAnswered


def test_deletedWhenAcknowledged(
    tmp_path: Path, openStore: Callable[[Path], Store]
) -> None:
    """
    A message is deleted when the next poll acknowledges its reply, not
    before.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=openStore(path))
    harness.client(ALICE).tell(BOB, "hi")
    bob = harness.client(BOB)
    assert textsOf(bob.poll().response) == ["hi"]
    harness.clock.advance(9)
    early = reopened(openStore, harness, path, 2)
    assert textsOf(early.client(BOB).poll().response) == ["hi"]
    bob.poll()
    harness.clock.advance(1)
    late = reopened(openStore, harness, path, 3)
    assert not late.client(BOB).poll().isAnswered


def test_stopped(tmp_path: Path) -> None:
    """
    A server that is stopped has deleted all acknowledged messages.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    harness.client(ALICE).tell(BOB, "hi")
    bob = harness.client(BOB)
    assert textsOf(bob.poll().response) == ["hi"]
    bob.poll()
    harness.server.stop()
    harness.store.close()
    after = ServerHarness(store=Store(path), population="")
    assert not after.client(BOB).poll().isAnswered
    after.store.close()


def test_storedUntilAcknowledged(store: Store) -> None:
    """
    A message that a poll is held for is in the store before that poll and the
    sender are answered, and until the next poll acknowledges it.
    """
    harness = ServerHarness(store=store)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    harness.turns = 0
    poll = bob.poll()
    send = alice.ask(
        "/channel/send_buddy_msg2",
        psessionid=alice.psessionid,
        to=alice.uin(BOB),
        content='["hi",[]]',
    )
    assert send.raw + poll.raw == b""
    assert harness.store.messages.waiting(BOB, 0, 9) == []
    harness.clock.advance(0)
    assert b'"hi "' in poll.raw
    assert b'"result":"ok"' in send.raw
    assert len(harness.store.messages.unacknowledged(BOB)) == 1
    bob.poll()
    harness.clock.advance(1)
    assert harness.store.messages.unacknowledged(BOB) == []


def test_groupMessageOnce(tmp_path: Path, openStore: Callable[[Path], Store]) -> None:
    """
    A message to several recipients is stored once, until the last of them has
    acknowledged it.
    """
    harness = ServerHarness(store=openStore(tmp_path / "q.db"))
    harness.client(ALICE).tellCats("meow")

    def count() -> list[int]:
        db = sqlite3.connect(tmp_path / "q.db")
        counts = [
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("letter", "waiting")
        ]
        db.close()
        return counts

    assert count() == [1, 2]
    for number, left in ((BOB, [1, 1]), (DAVE, [0, 0])):
        member = harness.client(number)
        for _ in range(2):
            member.poll()
        harness.clock.advance(1)
        assert count() == left


def test_restart(tmp_path: Path) -> None:
    """
    A server starts with the database alone, without a population file.
    """
    harness = ServerHarness(store=Store(tmp_path / "q.db"))
    harness.store.close()
    store = Store(tmp_path / "q.db")
    (bob,) = [f for f in store.friends.all(ALICE) if f.number == BOB]
    assert (bob.nick, bob.markname, bob.category) == ("Bob's", "Bobby", 1)
    assert [each.name for each in store.friends.categories(ALICE)] == ["同学"]
    assert store.groups.memberNumbers(CATS) == [ALICE, BOB, DAVE]
    account = store.accounts.get(ALICE)
    assert account is not None
    assert account.profile["gender"] == "female"
    store.close()


def test_noPassword(tmp_path: Path) -> None:
    """
    The database files contain no password, and only their owner may read
    them.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    harness.client(ALICE).tell(BOB, "x")
    for file in tmp_path.iterdir():
        assert b"correct horse" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    harness.store.close()


def test_newer(tmp_path: Path) -> None:
    """
    A database of a newer version is refused and not changed.
    """
    path = tmp_path / "q.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(
        InvalidConfiguration, match=r"q\.db: written by a newer txwebqq"
    ):
        Store(path)


def test_foreign(tmp_path: Path) -> None:
    """
    Files of other programs are refused.
    """
    path = tmp_path / "q.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(InvalidConfiguration, match="of another program"):
        Store(path)
    path.write_bytes(b"not SQLite at all" * 100)
    with pytest.raises(InvalidConfiguration, match="not a database"):
        Store(path)
    assert path.read_bytes() == b"not SQLite at all" * 100


def test_elsewhere(tmp_path: Path) -> None:
    """
    A path that cannot be opened is refused with the reason.
    """
    with pytest.raises(InvalidConfiguration, match="No such file or directory"):
        Store(tmp_path / "no" / "q.db")
    with pytest.raises(InvalidConfiguration, match="directory"):
        Store(tmp_path)


def test_twoServers(tmp_path: Path) -> None:
    """
    Two servers cannot open one database at the same time.
    """
    path = tmp_path / "q.db"
    first = Store(path)
    with pytest.raises(InvalidConfiguration, match="another server has it open"):
        Store(path)
    first.close()
    Store(path).close()


def test_serialNumbers(store: Store) -> None:
    """
    Serial numbers of deleted events are not used again.
    """
    event = FRIEND_MESSAGE.new(MessageIds(ALICE, 1, 2, 3), (Text("x"),))
    first = storeEvent(store, event, [BOB])
    assert store.messages.waiting(BOB, 0, 10) == [(first, event)]
    store.messages.write(EventChanges(delivered=[(BOB, first)]))
    assert store.messages.waiting(BOB, 0, 10) == []
    assert storeEvent(store, event, [BOB]) > first


def test_shares(store: Store) -> None:
    """
    The next events of an account are those that no reply holds, the same number of
    each conversation, in the order of their serial numbers.
    """
    senders = (ALICE, ALICE, ALICE, ALICE, DAVE, DAVE)
    serials = [
        storeEvent(store, FRIEND_MESSAGE.new(MessageIds(each, 1, n, n), ()), [BOB])
        for n, each in enumerate(senders)
    ]
    changes = EventChanges()
    changes.give(BOB, serials[0], 7)
    store.messages.write(changes)
    shared = [serial for serial, _ in store.messages.next(BOB, 3)]
    assert shared == [serials[1], serials[2], serials[4]]
    assert len(store.messages.next(BOB, 6)) == 5


def test_acquainted(store: Store) -> None:
    """
    Two accounts are acquainted as friends, as members of a group or of a
    discussion, and while one has sent the other a request.
    """

    def isKnown(other: Number) -> tuple[bool, bool]:
        return store.areAcquainted(ALICE, other), store.areAcquainted(other, ALICE)

    eve = Number(10009)
    account = '[[account]]\nnumber = 10009\npassword = "x"\n'
    importPopulation(store, parse(POPULATION + account))
    assert isKnown(ALICE) == isKnown(BOB) == isKnown(DAVE) == (True, True)
    assert isKnown(eve) == (False, False)
    discussion = store.discussions.create("x", BOB, [ALICE, eve])
    assert isKnown(eve) == (True, True)
    store.discussions.removeMember(discussion, eve)
    assert isKnown(eve) == (False, False)
    store.friends.addRequest(FriendRequestRecord(ALICE, eve, "", 0, 0))
    assert isKnown(eve) == (True, False)
    store.friends.deleteRequest(ALICE, eve)
    store.groups.addJoinRequest(JoinRequest(CATS, eve, "", 0))
    assert isKnown(eve) == (True, False)
    store.groups.deleteJoinRequest(CATS, eve)
    store.groups.addMember(CATS, eve)
    assert isKnown(eve) == (True, True)
