"""
Letters about groups, discussions and strangers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.harness import ALICE, BOB, CATS, keep
from txwebqq.model import Font, GroupStep, Number, OfflinePicture, Text
from txwebqq.server.events.groupnotices import (
    DiscussionLetter,
    GroupNoticeLetter,
    GroupShareLetter,
    StrangerLetter,
)
from txwebqq.server.events.queued import Letter, Postmark, decodeLetter, encodeLetter
from txwebqq.server.storage.store import Store

WEEKEND = 300001

MARK = Postmark(ALICE, 1366004047, 10171, 158459)

CONTENT = (Text("a\0\n😀"), OfflinePicture("/x"))

LETTERS: tuple[Letter, ...] = (
    GroupNoticeLetter(
        GroupStep.JOINED.value, CATS, 1, 2, BOB, ALICE, "创建者", text="x"
    ),
    GroupShareLetter(CATS, ALICE, "<d/>", 1, 2),
    DiscussionLetter(MARK, CONTENT, Font("Arial", 12, True), Number(WEEKEND), 3, 4),
    StrangerLetter(MARK, CONTENT, Font(), CATS, 0),
)


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: type(letter).__name__)
def test_stored(letter: Letter, tmp_path: Path) -> None:
    """
    A letter outlives the server as it was.
    """
    assert decodeLetter(encodeLetter(letter)) == letter
    path = tmp_path / "letters.db"
    store = Store(path)
    keep(store, letter, [BOB])
    store.close()
    again = Store(path)
    assert [kept for _, kept in again.waiting(BOB, 0, 5)] == [letter]
    again.close()
