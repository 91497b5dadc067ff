"""
What was said can be read again, for a while, by those who took part.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from txwebqq.model import Content, Face, Font, GroupPicture, Number, Text
from txwebqq.server.domain.history import (
    BATCH,
    DAY,
    HOUR,
    HistoryEntry,
    HistoryRecorder,
    placeOf,
)
from txwebqq.server.events.queued import (
    MessageIds,
    QueuedFriendMessage,
    QueuedGroupMessage,
    encodeQueued,
)
from txwebqq.server.storage.history import GROUP
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import MEMORY

ALICE, BOB, CAROL, CATS = map(Number, (10001, 10002, 10003, 200001))
PAIR = placeOf(BOB, ALICE)
HOME = (GROUP, CATS, 0)
START = 1366004047


class Desk:
    """
    An archive, and what fills it.
    """

    def __init__(self, path: Path | str = MEMORY) -> None:
        self.store = Store(path)
        self.now = float(START)
        self.recorder = HistoryRecorder(self.store, lambda: self.now)
        self._sequence = 100

    def tell(self, content: Content, sender: Number = ALICE) -> None:
        """
        Alice and Bob talk.
        """
        mark = MessageIds(sender, int(self.now), 1, 2)
        event = QueuedFriendMessage(mark, content, Font())
        body = encodeQueued(event)
        self.recorder.record(event, body, [BOB if sender == ALICE else ALICE])

    def meow(self, text: str, sender: Number = ALICE) -> None:
        """
        Somebody talks to the cats.
        """
        self._sequence += 1
        mark = MessageIds(sender, int(self.now), 1, 2)
        event = QueuedGroupMessage(mark, (Text(text),), Font(), CATS, self._sequence)
        self.recorder.record(event, encodeQueued(event), [BOB, CAROL])

    @property
    def rows(self) -> int:
        """
        How many messages lie on the disk.
        """
        [(count,)] = self.store._db.execute("SELECT count(*) FROM history")
        return int(count)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def texts(entries: list[HistoryEntry]) -> list[str]:
    """
    What messages say.
    """
    return [entry.event.content[0].text for entry in entries]


def test_pages(desk: Desk) -> None:
    """
    A conversation of two is read in pages, the oldest first, by either.
    """
    for n in range(7):
        desk.tell((Text(f"{n}"),), (ALICE, BOB)[n % 2])
    assert desk.recorder.pages(PAIR, 3) == 3
    pages = [texts(desk.recorder.page(PAIR, page, 3)) for page in (1, 2, 3, 4)]
    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6"], []]
    senders = [e.event.mark.sender for e in desk.recorder.page(PAIR, 1, 2)]
    assert senders == [ALICE, BOB]
    assert desk.recorder.pages(placeOf(ALICE, CAROL), 3) == 0


def test_exact(desk: Desk) -> None:
    """
    Messages are what they were, to the last segment.
    """
    content = (
        Text("\"'\\ <script> \U0001f468\u200d\U0001f469 \u202e NUL \0"),
        Face(14),
        GroupPicture("a.jpg", 7, "key", "1.2.3.4:80"),
    )
    desk.tell(content)
    [entry] = desk.recorder.page(PAIR, 1, 10)
    assert entry.event.content == content


def test_between(desk: Desk) -> None:
    """
    A group's messages are found by their running numbers.
    """
    for n in range(10):
        desk.meow(f"{n}")

    def between(first: int, last: int, limit: int, newest: bool) -> list[str]:
        return texts(desk.recorder.between(HOME, first, last, limit, newest))

    assert between(0, 0, 3, True) == ["7", "8", "9"]
    assert between(0, 0, 3, False) == ["0", "1", "2"]
    assert between(103, 105, 9, True) == ["2", "3", "4"]
    assert between(103, 105, 2, True) == ["3", "4"]
    assert between(103, 105, 2, False) == ["2", "3"]
    assert between(500, 0, 5, True) == []
    assert [e.sequence for e in desk.recorder.between(HOME, 104, 105, 5, True)] == [
        104,
        105,
    ]


def test_apart(desk: Desk) -> None:
    """
    No conversation shows up in another one.
    """
    desk.tell((Text("secret"),))
    desk.meow("meow")
    assert texts(desk.recorder.page(PAIR, 1, 10)) == ["secret"]
    assert texts(desk.recorder.page(HOME, 1, 10)) == ["meow"]
    assert desk.recorder.page(placeOf(BOB, CAROL), 1, 10) == []
    assert desk.recorder.page((GROUP, ALICE, 0), 1, 10) == []


def test_saidBy(desk: Desk) -> None:
    """
    What one member has said is found, since a time.
    """
    for n in range(6):
        desk.now = START + n
        desk.meow(f"{n}", (ALICE, BOB)[n % 2])
    assert texts(desk.recorder.saidBy(HOME, BOB, 0, 10)) == ["1", "3", "5"]
    assert texts(desk.recorder.saidBy(HOME, BOB, START + 3, 1)) == ["3"]
    assert desk.recorder.saidBy(HOME, CAROL, 0, 10) == []


def test_dates(desk: Desk) -> None:
    """
    Days begin when they begin in China.
    """
    for time, text in (
        # 2013-04-15 23:59:59 and 2013-04-16 00:00:00 in Beijing.
        (1366041599, "yesterday"),
        (1366041600, "today"),
        (1366041700, "still"),
    ):
        desk.now = time
        desk.meow(text)
    [first, second] = desk.recorder.dates(HOME)
    assert (first[1:], second[1:]) == ((101, 101), (102, 103))
    assert second[0] - first[0] == 1
    assert desk.recorder.dates(PAIR) == []


def test_count(desk: Desk) -> None:
    """
    Only the last messages of a conversation are kept, exactly for readers and
    nearly on the disk; other conversations do not shorten it.
    """
    desk.recorder.keep = 100
    desk.meow("meow")
    for n in range(1050):
        desk.tell((Text(f"{n}"),))
    assert desk.recorder.pages(PAIR, 100) == 1
    assert texts(desk.recorder.page(PAIR, 1, 100)) == [f"{n}" for n in range(950, 1050)]
    assert desk.rows <= 121
    assert texts(desk.recorder.page(HOME, 1, 10)) == ["meow"]


def test_days(desk: Desk) -> None:
    """
    What is too old is gone: at once for readers, within the hour on the disk.
    """
    desk.recorder.days = 2
    desk.tell((Text("old"),))
    desk.recorder.flush()
    desk.now += 2 * DAY
    assert texts(desk.recorder.page(PAIR, 1, 10)) == ["old"]
    desk.now += 1
    desk.meow("new")
    assert desk.recorder.pages(PAIR, 10) == 0
    assert desk.recorder.page(PAIR, 1, 10) == []
    desk.now += HOUR
    desk.recorder.flush()
    assert desk.rows == 1


def test_none(desk: Desk) -> None:
    """
    A server that keeps no history has none.
    """
    desk.recorder.keep = 0
    desk.tell((Text("x"),))
    assert desk.recorder.pages(PAIR, 10) == 0
    assert desk.recorder.between(HOME, 0, 0, 10, True) == []
    assert desk.rows == 0


def test_batches(desk: Desk) -> None:
    """
    Nothing is written for each message: somebody is woken once, or there are
    enough of them.
    """
    woken: list[int] = []
    desk.recorder.wake = lambda: woken.append(1)
    for _ in range(BATCH - 1):
        desk.tell((Text("x"),))
    assert (desk.rows, len(woken)) == (0, 1)
    desk.tell((Text("x"),))
    assert (desk.rows, len(woken)) == (BATCH, 1)
    desk.tell((Text("x"),))
    assert len(woken) == 2
    desk.recorder.flush()
    assert desk.rows == BATCH + 1


def test_alone(desk: Desk) -> None:
    """
    What is said in a group is kept also when nobody else receives it.
    """
    mark = MessageIds(ALICE, START, 1, 2)
    event = QueuedGroupMessage(mark, (Text("hello?"),), Font(), CATS, 7)
    desk.recorder.record(event, encodeQueued(event), [])
    assert texts(desk.recorder.page(HOME, 1, 10)) == ["hello?"]


def test_restart(tmp_path: Path) -> None:
    """
    History outlives the server, and goes on where it was.
    """
    before = Desk(tmp_path / "world.db")
    before.tell((Text("one"),))
    before.recorder.flush()
    before.store.close()
    after = Desk(tmp_path / "world.db")
    after.tell((Text("two"),))
    entries = after.recorder.page(PAIR, 1, 10)
    assert texts(entries) == ["one", "two"]
    assert entries[0].sequence < entries[1].sequence
    after.store.close()
