"""
The table of reactions.
"""

from __future__ import annotations

import pytest

from tests.server.harness import ALICE, BOB, CATS
from txwebqq.server.storage.messages import reactions
from txwebqq.server.storage.messages.reactions import LIFE
from txwebqq.server.storage.store import Store


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Old reactions of a group are deleted, and those that are too many.
    """
    monkeypatch.setattr(reactions, "MAX_REACTIONS", 3)
    monkeypatch.setattr(reactions, "_CHECKED", 2)
    store = Store()
    try:
        store.reactions.add(CATS, 1, "14", ALICE, 5)
        for time in range(LIFE, LIFE + 7):
            store.reactions.add(CATS, time, "14", BOB, time)
        kept = store.reactions.of(CATS, [1, *range(LIFE, LIFE + 7)])
        assert sorted(kept) == [LIFE + 3, LIFE + 4, LIFE + 5, LIFE + 6]
        store.groups.dissolve(CATS)
        assert store.reactions.of(CATS, [LIFE + 6]) == {}
    finally:
        store.close()
