"""
Events for an account that is offline wait, also through a restart of the
server, and come once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.server.harness import BOB, HTTPClient, ServerHarness
from txwebqq.model import Face, Font, GroupPicture, Text, UnknownEvent, UnknownSegment
from txwebqq.server.events.kinds import KINDS, OFFLINE_FILE
from txwebqq.server.events.queued import EventKind, MessageIds, QueuedEvent
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.events.storedformat import decodeQueued, encodeQueued
from txwebqq.server.storage.store import Store
from txwebqq.wire.events.envelope import encodeEvent

WORDS = ("group_join", "recv", "verify_required", '"a" 微 \\ \U0001f600')
CONTENT = (
    Text("one \U0001f468\u200d\U0001f469 \0 <b>"),
    Face(14),
    GroupPicture("a.jpg", 7, "key", "1.2.3.4:80"),
    UnknownSegment(["cface_idx", 0]),
)
FONT = Font("Tahoma", 12, True, color="ff0000")
SESSION_IDS = SessionIds(BOB, 12345)


def example(name: str, start: int = 30_000) -> QueuedEvent:
    """
    An event of a kind, with a number or a text in each of its details, some of
    which are words of the wire.
    """
    for word in WORDS:
        event = _example(KINDS[name], start, word)
        with suppress(ValueError):
            event.event(SESSION_IDS)
            return event
    raise AssertionError(f"no example of {name} is an event")


def _example(kind: EventKind, start: int, word: str) -> QueuedEvent:
    types = {**kind.required, **{n: type(v) for n, v in kind.optional.items()}}
    details: dict[str, Any] = {}
    for n, (name, valueType) in enumerate(types.items()):
        number = 10001 if name == "sender" else start + n + 10
        details[name] = {str: word, bool: True}.get(valueType, number)
    if not kind.isMessage:
        return kind.new(**details)
    ids = MessageIds(10001, 1366004000, start, start + 1)  # type: ignore[arg-type]
    return kind.new(ids, CONTENT, FONT, **details)


def everything(bob: HTTPClient, isOld: bool = False) -> list[Any]:
    """
    Get all events that wait for Bob, in order.

    @param isOld: whether Bob's client is one that does not send C{ack}.
    """
    events: list[Any] = []
    ack = None if isOld else 0
    for _ in range(100):
        poll = bob.poll(ack=ack)
        bob.harness.clock.advance(0)
        if not poll.isAnswered:
            poll.close()
            return events
        # The newest one comes first.
        events.extend(reversed(poll.response.result))
        ack = poll.response.json.get("ack")
        for _ in range(3):
            bob.harness.clock.advance(0)
    raise AssertionError("this never ends")


def asSeen(event: QueuedEvent, bob: HTTPClient) -> Any:
    """
    The event that Bob's session sees.
    """
    session = bob.harness.state.sessions.online(BOB)
    assert session is not None
    seen = json.loads(json.dumps(encodeEvent(event.event(session.sessionIds))))
    if event.kind is OFFLINE_FILE:
        # The address at which Bob reaches the server.
        seen["value"] |= {"ip": "10.0.0.1", "port": 12345}
    return seen


@pytest.mark.parametrize("name", KINDS)
def test_stored(name: str) -> None:
    """
    An event of any kind is read as it was stored.
    """
    event = example(name)
    assert decodeQueued(encodeQueued(event)) == event
    assert not isinstance(event.event(SESSION_IDS), UnknownEvent)


def test_restart(tmp_path: Path) -> None:
    """
    An event of each kind is there after a restart, complete and once; after a
    second restart none is there.
    """
    path = tmp_path / "world.db"
    events = [example(name, 1000 * n) for n, name in enumerate(KINDS, 30)]
    store = Store(path)
    harness = ServerHarness(store=store)
    for event in events:
        harness.state.router.route(event, [BOB])
    harness.state.router.commit()
    # As if it were killed.
    store.close()

    store = Store(path)
    bob = ServerHarness(store=store, seed=2).client(BOB)
    seen = everything(bob)
    expected = [asSeen(event, bob) for event in events]
    assert sorted(map(json.dumps, seen)) == sorted(map(json.dumps, expected))
    bob.harness.server.stop()
    store.close()

    store = Store(path)
    assert everything(ServerHarness(store=store, seed=3).client(BOB)) == []
    store.close()


def test_oldClient(tmp_path: Path) -> None:
    """
    A client that does not send C{ack} is given the events of the original service
    alone; the others are not kept for it.
    """
    path = tmp_path / "world.db"
    events = [example(name, 1000 * n) for n, name in enumerate(KINDS, 30)]
    store = Store(path)
    harness = ServerHarness(store=store)
    for event in events:
        harness.state.router.route(event, [BOB])
    bob = harness.client(BOB)
    seen = {each["poll_type"] for each in everything(bob, isOld=True)}
    types = {asSeen(event, bob)["poll_type"] for event in events}
    assert seen < types
    assert types - seen == {
        "message_recalled",
        "group_mute",
        "group_poke",
        "group_reaction",
        "group_file",
        "group_edit",
        "group_card",
        "friend_edit",
        "group_request_answered",
    }
    harness.clock.advance(1)
    assert store.messages.waiting(BOB, 0, 5) == []
    harness.server.stop()
    store.close()


def test_order(tmp_path: Path) -> None:
    """
    Events of one conversation come in the order in which they were routed.
    """
    path = tmp_path / "world.db"
    store = Store(path)
    harness = ServerHarness(store=store)
    for name in KINDS:
        for n in range(3):
            harness.state.router.route(example(name, 30_000 + 100 * n), [BOB])
    harness.state.router.commit()
    store.close()
    store = Store(path)
    bob = ServerHarness(store=store, seed=2).client(BOB)
    seen = [json.dumps(event) for event in everything(bob)]
    for name in KINDS:
        three = [
            json.dumps(asSeen(example(name, 30_000 + 100 * n), bob)) for n in range(3)
        ]
        assert [event for event in seen if event in three] == three, name
    store.close()


def test_undelivered(tmp_path: Path) -> None:
    """
    Events that were given to a poll whose connection was lost are there after a
    restart.
    """
    path = tmp_path / "world.db"
    events = [example(name, 1000 * n) for n, name in enumerate(KINDS, 30)]
    store = Store(path)
    bob = ServerHarness(store=store).client(BOB)
    poll = bob.poll(ack=0)
    for event in events:
        bob.harness.state.router.route(event, [BOB])
    bob.harness.state.router.commit()
    poll.close()
    store.close()
    store = Store(path)
    bob = ServerHarness(store=store, seed=2).client(BOB)
    assert len(everything(bob)) == len(events)
    store.close()
