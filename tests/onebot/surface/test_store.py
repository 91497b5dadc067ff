"""
Ids of messages.
"""

from __future__ import annotations

from txwebqq.onebot.surface.store import OWN_WINDOW, MessageStore, StoredMessage


def test_sameTextTwice() -> None:
    """
    A message of the history is the one that was sent nearest to its time, if the
    server gives no ids.
    """
    store = MessageStore()
    place = ("private", 10001)
    numbers = []
    for time in (1000, 1060):
        numbers.append(store.ownId(place, "hi", time))
        store.keep(StoredMessage(place, {"message_id": numbers[-1]}))
    assert numbers[0] != numbers[1]
    assert [store.sentId(place, "hi", at) for at in (1002, 1058)] == numbers
    assert store.sentId(place, "hi", 1060 + OWN_WINDOW + 1) is None
    assert store.sentId(place, "other", 1000) is None
