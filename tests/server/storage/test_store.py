"""
What outlives the server.
"""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    PEOPLE,
    ServerHarness,
    keep,
    textsOf,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Text
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.population import parse
from txwebqq.server.records import Population
from txwebqq.server.storage.messages import EventChanges
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import VERSION, Store


def reopened(harness: ServerHarness, path: Path, seed: int) -> ServerHarness:
    """
    A server that starts with the database of one that was killed.
    """
    # What was not committed is not there for another connection.
    copy = path.with_name(f"copy{seed}.db")
    for suffix in ("", "-wal"):
        source = Path(f"{path}{suffix}")
        if source.exists():
            target = Path(f"{copy}{suffix}")
            target.write_bytes(source.read_bytes())
            target.chmod(0o600)
    after = ServerHarness(store=Store(copy), people="", seed=seed)
    after.clock.advance(harness.clock.seconds() - after.clock.seconds() + 3600)
    return after


def test_killed(tmp_path: Path) -> None:
    """
    What was accepted for people who were away is delivered by the next run,
    once, with its own time.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    alice = harness.client(ALICE)
    alice.tell(BOB, "one")
    harness.clock.advance(60)
    alice.tell(BOB, "two")
    alice.tellCats("three")

    after = reopened(harness, path, 2)
    bob = after.client(BOB)
    first, second = bob.poll().response, bob.poll().response
    assert textsOf(first) == ["one", "three"]
    assert textsOf(second) == ["two"]
    assert [e["value"]["time"] for e in first.result] == [1366004047, 1366004107]
    assert not bob.poll().isAnswered
    assert textsOf(after.client(DAVE).poll().response) == ["three"]
    after.clock.advance(1)

    again = reopened(after, tmp_path / "copy2.db", 3)
    assert not again.client(BOB).poll().isAnswered


def test_killedWhileTheyPause(tmp_path: Path) -> None:
    """
    What came between two polls of somebody who is there is kept as well.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    alice, bob = harness.client(ALICE), harness.client(BOB)
    poll = bob.poll()
    alice.tell(BOB, "seen")
    assert textsOf(poll.response) == ["seen"]
    alice.tell(BOB, "unseen")
    bob.poll()
    after = reopened(harness, path, 2).client(BOB)
    assert textsOf(after.poll().response) == ["unseen"]
    assert not after.poll().isAnswered


def test_killedInTime(tmp_path: Path) -> None:
    """
    A letter is deleted when the next poll acknowledges its reply, not before.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    harness.client(ALICE).tell(BOB, "hi")
    bob = harness.client(BOB)
    assert textsOf(bob.poll().response) == ["hi"]
    harness.clock.advance(9)
    early = reopened(harness, path, 2)
    assert textsOf(early.client(BOB).poll().response) == ["hi"]
    bob.poll()
    harness.clock.advance(1)
    late = reopened(harness, path, 3)
    assert not late.client(BOB).poll().isAnswered


def test_stopped(tmp_path: Path) -> None:
    """
    A server that is stopped has let go of what was acknowledged.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    harness.client(ALICE).tell(BOB, "hi")
    bob = harness.client(BOB)
    assert textsOf(bob.poll().response) == ["hi"]
    bob.poll()
    harness.server.stop()
    harness.store.close()
    after = ServerHarness(store=Store(path), people="")
    assert not after.client(BOB).poll().isAnswered
    after.store.close()


def test_storedUntilAcknowledged() -> None:
    """
    A message that a poll is held for is in the store before that poll and the
    sender are answered, and until the next poll acknowledges it.
    """
    harness = ServerHarness()
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


def test_groupLetterOnce(tmp_path: Path) -> None:
    """
    A letter to many is stored once, until the last of them has it.
    """
    harness = ServerHarness(store=Store(tmp_path / "q.db"))
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


def test_peopleSurvive(tmp_path: Path) -> None:
    """
    The database alone starts the server again.
    """
    harness = ServerHarness(store=Store(tmp_path / "q.db"))
    harness.store.close()
    store = Store(tmp_path / "q.db")
    (bob,) = [f for f in store.friends.all(ALICE) if f.number == BOB]
    assert (bob.nick, bob.markname, bob.category) == ("Bob's", "Bobby", 1)
    assert [d.name for d in store.friends.categories(ALICE)] == ["同学"]
    assert store.groups.memberNumbers(CATS) == [ALICE, BOB, DAVE]
    account = store.accounts.get(ALICE)
    assert account is not None
    assert account.profile["gender"] == "female"
    store.close()


def test_noPassword(tmp_path: Path) -> None:
    """
    The database holds no password, and nobody else may read it.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=Store(path))
    harness.client(ALICE).tell(BOB, "x")
    for file in tmp_path.iterdir():
        assert b"correct horse" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    harness.store.close()


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    lines = list(db.iterdump())
    db.close()
    return lines


def test_mergeAgain(tmp_path: Path) -> None:
    """
    The same population once more changes nothing.
    """
    path = tmp_path / "q.db"
    store = Store(path)
    importPopulation(store, parse(PEOPLE))
    store.close()
    before = dump(path)
    store = Store(path)
    importPopulation(store, parse(PEOPLE))
    store.close()
    assert dump(path) == before


def test_mergeMore() -> None:
    """
    A larger population adds, and neither changes nor removes.
    """
    store = Store()
    importPopulation(store, parse(PEOPLE))
    importPopulation(
        store,
        parse(
            """
            [[account]]
            number = 10001
            password = "other"
            nick = "Other"

            [[account]]
            number = 10009
            password = "new"

            [[friendship]]
            between = [10009, 10001]

            [[friendship]]
            between = [10001, 10002]
            markname = "Other"

            [[group]]
            number = 200001
            name = "dogs"
            owner = 10009
            """
        ),
    )
    alice = store.accounts.get(ALICE)
    assert alice is not None
    assert alice.nick == "Alice"
    assert {f.number for f in store.friends.all(ALICE)} == {BOB, CAROL, 10009}
    assert [f.markname for f in store.friends.all(ALICE) if f.number == BOB] == [
        "Bobby"
    ]
    group = store.groups.get(CATS)
    assert group is not None
    assert (group.name, group.owner) == ("cats", ALICE)
    assert set(store.groups.memberNumbers(CATS)) == {ALICE, BOB, DAVE, 10009}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[[friendship]]\nbetween = [10001, 10007]",
            "friendship between 10001 and 10007: there is no account 10007",
        ),
        (
            '[[group]]\nnumber = 200002\nname = "x"\nowner = 10001\nmembers = [10008]',
            "group 200002: there is no account 10008",
        ),
        (
            "[[discussion]]\nnumber = 300001\nowner = 10008",
            "discussion 300001: there is no account 10008",
        ),
    ],
)
def test_mergeNobody(text: str, problem: str) -> None:
    """
    Who is named must be somewhere, or else nothing at all is merged.
    """
    store = Store()
    account = '[[account]]\nnumber = 10001\npassword = "x"\n'
    with pytest.raises(InvalidConfiguration, match=f"^{problem}$"):
        importPopulation(store, parse(account + text))
    assert store.accounts.get(ALICE) is None


def test_newer(tmp_path: Path) -> None:
    """
    A database of a newer version is refused, not touched.
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
    A path that cannot be is refused with its reason.
    """
    with pytest.raises(InvalidConfiguration, match="No such file or directory"):
        Store(tmp_path / "no" / "q.db")
    with pytest.raises(InvalidConfiguration, match="directory"):
        Store(tmp_path)


def test_twoServers(tmp_path: Path) -> None:
    """
    Two servers cannot share a database; after the first the second can.
    """
    path = tmp_path / "q.db"
    first = Store(path)
    with pytest.raises(InvalidConfiguration, match="another server has it open"):
        Store(path)
    first.close()
    Store(path).close()


def test_serialNumbers() -> None:
    """
    Serial numbers rise, also over letters that are gone.
    """
    store = Store()
    event = FRIEND_MESSAGE.new(MessageIds(ALICE, 1, 2, 3), (Text("x"),))
    first = keep(store, event, [BOB])
    assert store.messages.waiting(BOB, 0, 10) == [(first, event)]
    store.messages.write(EventChanges(delivered=[(BOB, first)]))
    assert store.messages.waiting(BOB, 0, 10) == []
    assert keep(store, event, [BOB]) > first


def test_empty() -> None:
    """
    An empty population is one.
    """
    store = Store()
    importPopulation(store, Population())
    assert store.accounts.get(ALICE) is None
