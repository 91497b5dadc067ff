"""
The history of messages, for its participants and a limited time.
"""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from txwebqq.model import Content, Face, GroupPicture, Number, Text, plainText
from txwebqq.server.domain import history
from txwebqq.server.domain.history import (
    BATCH,
    DAY,
    HOUR,
    HistoryEntry,
    HistoryRecorder,
    conversationOf,
)
from txwebqq.server.events.kinds import FRIEND_MESSAGE, GROUP_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.events.storedformat import decodeQueued, encodeQueued
from txwebqq.server.storage.conversations.history import GROUP
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import MEMORY

ALICE, BOB, CAROL, CATS = map(Number, (10001, 10002, 10003, 200001))
PAIR = conversationOf(BOB, ALICE)
HOME = (GROUP, CATS, 0)
START = 1366004047


class RecorderScene:
    """
    A recorder, and the messages that tests give it.
    """

    def __init__(self, path: Path | str = MEMORY) -> None:
        self.store = Store(path)
        self.now = float(START)
        self.recorder = HistoryRecorder(self.store.history, lambda: self.now)
        self._sequence = 100

    def tell(self, content: Content, sender: Number = ALICE) -> None:
        """
        Send messages between Alice and Bob.
        """
        ids = MessageIds(sender, int(self.now), 1, 2)
        event = FRIEND_MESSAGE.new(ids, content)
        body = encodeQueued(event)
        self.recorder.record(event, body, [BOB if sender == ALICE else ALICE])

    def meow(self, text: str, sender: Number = ALICE) -> None:
        """
        Send messages to the cats.
        """
        self._sequence += 1
        ids = MessageIds(sender, int(self.now), 1, 2)
        event = GROUP_MESSAGE.new(
            ids, (Text(text),), group=CATS, sequence=self._sequence
        )
        self.recorder.record(event, encodeQueued(event), [BOB, CAROL])

    @property
    def rows(self) -> int:
        """
        Return the number of messages on the disk.
        """
        [(count,)] = self.store.database.connection.execute(
            "SELECT count(*) FROM history"
        )
        return int(count)


@pytest.fixture
def scene() -> RecorderScene:
    return RecorderScene()


def texts(entries: list[HistoryEntry]) -> list[str]:
    """
    Return the texts of messages.
    """
    return [plainText(entry.event.content[:1]) for entry in entries]


def test_pages(scene: RecorderScene) -> None:
    """
    The history of two accounts is read in pages, the oldest first, by either.
    """
    for n in range(7):
        scene.tell((Text(f"{n}"),), (ALICE, BOB)[n % 2])
    assert scene.recorder.pages(PAIR, 3) == 3
    pages = [texts(scene.recorder.page(PAIR, page, 3)) for page in (1, 2, 3, 4)]
    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6"], []]
    senders = [e.event.ids.sender for e in scene.recorder.page(PAIR, 1, 2)]
    assert senders == [ALICE, BOB]
    assert scene.recorder.pages(conversationOf(ALICE, CAROL), 3) == 0


def test_exact(scene: RecorderScene) -> None:
    """
    Messages are read as they were sent, with all segments.
    """
    content = (
        Text("\"'\\ <script> \U0001f468\u200d\U0001f469 \u202e NUL \0"),
        Face(14),
        GroupPicture("a.jpg", 7, "key", "1.2.3.4:80"),
    )
    scene.tell(content)
    [entry] = scene.recorder.page(PAIR, 1, 10)
    assert entry.event.content == content


def test_between(scene: RecorderScene) -> None:
    """
    The messages of a group are found by their numbers.
    """
    for n in range(10):
        scene.meow(f"{n}")

    def between(first: int, last: int, limit: int, newest: bool) -> list[str]:
        return texts(scene.recorder.between(HOME, first, last, limit, newest))

    assert between(0, 0, 3, True) == ["7", "8", "9"]
    assert between(0, 0, 3, False) == ["0", "1", "2"]
    assert between(103, 105, 9, True) == ["2", "3", "4"]
    assert between(103, 105, 2, True) == ["3", "4"]
    assert between(103, 105, 2, False) == ["2", "3"]
    assert between(500, 0, 5, True) == []
    assert [e.sequence for e in scene.recorder.between(HOME, 104, 105, 5, True)] == [
        104,
        105,
    ]


def test_apart(scene: RecorderScene) -> None:
    """
    Conversations are separate.
    """
    scene.tell((Text("secret"),))
    scene.meow("meow")
    assert texts(scene.recorder.page(PAIR, 1, 10)) == ["secret"]
    assert texts(scene.recorder.page(HOME, 1, 10)) == ["meow"]
    assert scene.recorder.page(conversationOf(BOB, CAROL), 1, 10) == []
    assert scene.recorder.page((GROUP, ALICE, 0), 1, 10) == []


def test_bySender(scene: RecorderScene) -> None:
    """
    The messages of one member are found, since a time.
    """
    for n in range(6):
        scene.now = START + n
        scene.meow(f"{n}", (ALICE, BOB)[n % 2])
    assert texts(scene.recorder.bySender(HOME, BOB, 0, 10)) == ["1", "3", "5"]
    assert texts(scene.recorder.bySender(HOME, BOB, START + 3, 1)) == ["3"]
    assert scene.recorder.bySender(HOME, CAROL, 0, 10) == []


def test_dates(scene: RecorderScene) -> None:
    """
    Days begin at midnight in China.
    """
    for time, text in (
        # 2013-04-15 23:59:59 and 2013-04-16 00:00:00 in Beijing.
        (1366041599, "yesterday"),
        (1366041600, "today"),
        (1366041700, "still"),
    ):
        scene.now = time
        scene.meow(text)
    [first, second] = scene.recorder.dates(HOME)
    assert (first[1:], second[1:]) == ((101, 101), (102, 103))
    assert second[0] - first[0] == 1
    assert scene.recorder.dates(PAIR) == []


def test_count(scene: RecorderScene) -> None:
    """
    Only the last messages of a conversation are kept, exactly for readers and
    nearly on the disk; other conversations do not shorten it.
    """
    scene.recorder.keep = 100
    scene.meow("meow")
    for n in range(1050):
        scene.tell((Text(f"{n}"),))
    assert scene.recorder.pages(PAIR, 100) == 1
    assert texts(scene.recorder.page(PAIR, 1, 100)) == [
        f"{n}" for n in range(950, 1050)
    ]
    assert scene.rows <= 121
    assert texts(scene.recorder.page(HOME, 1, 10)) == ["meow"]


def test_days(scene: RecorderScene) -> None:
    """
    Old messages are deleted: at once for readers, within an hour on the disk.
    """
    scene.recorder.days = 2
    scene.tell((Text("old"),))
    scene.recorder.flush()
    scene.now += 2 * DAY
    assert texts(scene.recorder.page(PAIR, 1, 10)) == ["old"]
    scene.now += 1
    scene.meow("new")
    assert scene.recorder.pages(PAIR, 10) == 0
    assert scene.recorder.page(PAIR, 1, 10) == []
    scene.now += HOUR
    scene.recorder.flush()
    assert scene.rows == 1


def test_none(scene: RecorderScene) -> None:
    """
    A server without a history keeps no messages.
    """
    scene.recorder.keep = 0
    scene.tell((Text("x"),))
    assert scene.recorder.pages(PAIR, 10) == 0
    assert scene.recorder.between(HOME, 0, 0, 10, True) == []
    assert scene.rows == 0


def test_batches(scene: RecorderScene) -> None:
    """
    Messages are written in batches: C{wake} is called once, or the batch is full.
    """
    woken: list[int] = []
    scene.recorder.wake = lambda: woken.append(1)
    for _ in range(BATCH - 1):
        scene.tell((Text("x"),))
    assert (scene.rows, len(woken)) == (0, 1)
    scene.tell((Text("x"),))
    assert (scene.rows, len(woken)) == (BATCH, 1)
    scene.tell((Text("x"),))
    assert len(woken) == 2
    scene.recorder.flush()
    assert scene.rows == BATCH + 1


def test_alone(scene: RecorderScene) -> None:
    """
    Messages to a group are kept also without recipients.
    """
    ids = MessageIds(ALICE, START, 1, 2)
    event = GROUP_MESSAGE.new(ids, (Text("hello?"),), group=CATS, sequence=7)
    scene.recorder.record(event, encodeQueued(event), [])
    assert texts(scene.recorder.page(HOME, 1, 10)) == ["hello?"]


def test_restart(tmp_path: Path) -> None:
    """
    The history is kept when the server is restarted.
    """
    before = RecorderScene(tmp_path / "world.db")
    before.tell((Text("one"),))
    before.recorder.flush()
    before.store.close()
    after = RecorderScene(tmp_path / "world.db")
    after.tell((Text("two"),))
    entries = after.recorder.page(PAIR, 1, 10)
    assert texts(entries) == ["one", "two"]
    assert entries[0].sequence < entries[1].sequence
    after.store.close()


def test_lastSequence(scene: RecorderScene) -> None:
    """
    The store knows the last sequence number of a group, also of one without a history.
    """
    for sequence in (7, 9):
        ids = MessageIds(ALICE, START, 1, sequence)
        event = GROUP_MESSAGE.new(ids, (Text("hello"),), group=CATS, sequence=sequence)
        scene.recorder.record(event, encodeQueued(event), [])
    scene.recorder.flush()
    last = scene.store.history.lastSequence
    assert (last(CATS), last(ALICE)) == (9, 0)


def test_find(scene: RecorderScene) -> None:
    """
    A message is found by its id, also if it is not on the disk yet and if newer texts
    have its digits; one beyond the limits or of another conversation is not.
    """
    scene.recorder.keep = 30
    for n in range(1, 41):
        ids = MessageIds(ALICE, int(scene.now), 1, 1000 + n)
        event = GROUP_MESSAGE.new(ids, (Text(",1035]"),), group=CATS, sequence=n)
        scene.recorder.record(event, encodeQueued(event), [BOB, CAROL], n)
    found = scene.recorder.find(HOME, 1035)
    assert found is not None
    assert found.event.ids.messageId2 == 1035
    assert (found.stored.sequence, found.stored.eventSerial) == (35, 35)
    assert scene.recorder.find(HOME, 1010) is None
    assert scene.recorder.find(HOME, 1011) is not None
    assert scene.recorder.find(PAIR, 1035) is None
    scene.recorder.delete(found)
    assert scene.recorder.find(HOME, 1035) is None
    assert scene.recorder.find(HOME, 1036) is not None
    scene.now += scene.recorder.days * DAY + 1
    assert scene.recorder.find(HOME, 1036) is None


def test_findByIds(scene: RecorderScene) -> None:
    """
    A message is found by its id, without a look at the texts of others: these may
    have the same digits.
    """
    for messageId in (5, 6, 7):
        ids = MessageIds(ALICE, START, 1, messageId)
        event = FRIEND_MESSAGE.new(ids, (Text(",6] ,9]"),))
        scene.recorder.record(event, encodeQueued(event), [BOB])
    with patch(f"{history.__name__}.decodeQueued", wraps=decodeQueued) as decoded:
        assert scene.recorder.find(PAIR, 9) is None
        assert scene.recorder.find(PAIR, 1) is None
        assert not decoded.called
        found = scene.recorder.find(PAIR, 6)
    assert found is not None
    assert found.event.ids.messageId2 == 6
    assert decoded.call_count == 1
