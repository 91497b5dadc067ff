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


def test_wireId() -> None:
    """
    A message that the server knows by an id has one that is the same in each run of
    the program, and another one in another conversation.
    """
    group, friend = ("group", 10001), ("private", 10001)
    assert MessageStore().fromWireId(group, 886022) == MessageStore().fromWireId(
        group, 886022
    )
    store = MessageStore()
    numbers = {store.fromWireId(place, n) for place in (group, friend) for n in (5, 6)}
    assert len(numbers) == 4
    assert all(0 < number < 2**31 for number in numbers)


def test_peer() -> None:
    """
    The friend is found with whom the latest of several messages was exchanged.
    """
    store = MessageStore()
    for number, peer in ((1, 10001), (2, 10002)):
        place = "private", peer
        store.keep(StoredMessage(place, {"message_id": number}, wireIds=(5, 6)))
    store.keep(StoredMessage(("group", 7), {"message_id": 3}, wireIds=(5,)))
    assert store.peerOf(5) == 10002
    assert store.peerOf(9) == 0
