"""
Letters about groups, discussions and strangers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.harness import ALICE, BOB, CATS, keep
from txwebqq.model import Font, GroupStep, Number, OfflinePicture, Text
from txwebqq.server.events.groupnotices import (
    QueuedDiscussionMessage,
    QueuedGroupNotice,
    QueuedGroupShare,
    QueuedTemporaryMessage,
)
from txwebqq.server.events.queued import (
    MessageIds,
    QueuedEvent,
    decodeQueued,
    encodeQueued,
)
from txwebqq.server.storage.store import Store

WEEKEND = 300001

MARK = MessageIds(ALICE, 1366004047, 10171, 158459)

CONTENT = (Text("a\0\n😀"), OfflinePicture("/x"))

LETTERS: tuple[QueuedEvent, ...] = (
    QueuedGroupNotice(
        GroupStep.JOINED.value, CATS, 1, 2, BOB, ALICE, "创建者", text="x"
    ),
    QueuedGroupShare(CATS, ALICE, "<d/>", 1, 2),
    QueuedDiscussionMessage(
        MARK, CONTENT, Font("Arial", 12, True), Number(WEEKEND), 3, 4
    ),
    QueuedTemporaryMessage(MARK, CONTENT, Font(), CATS, 0),
)


@pytest.mark.parametrize("event", LETTERS, ids=lambda event: type(event).__name__)
def test_stored(event: QueuedEvent, tmp_path: Path) -> None:
    """
    A letter outlives the server as it was.
    """
    assert decodeQueued(encodeQueued(event)) == event
    path = tmp_path / "letters.db"
    store = Store(path)
    keep(store, event, [BOB])
    store.close()
    again = Store(path)
    assert [kept for _, kept in again.messages.waiting(BOB, 0, 5)] == [event]
    again.close()
