"""
Whatever happens to somebody who is offline waits for them, also through a
restart of the server, and comes once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

# What registers its letters.
import txwebqq.server.resource  # noqa: F401
from tests.server.harness import BOB, HTTPClient, ServerHarness
from txwebqq.model import Face, Font, GroupPicture, Text, UnknownEvent, UnknownSegment
from txwebqq.server.events.queued import (
    KINDS,
    MessageIds,
    QueuedEvent,
    QueuedFriendMessage,
    QueuedGroupMessage,
    decodeQueued,
    encodeQueued,
)
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.storage.store import Store
from txwebqq.wire.events.envelope import encodeEvent

WORDS = ("group_join", "recv", "verify_required", '"a" 微 \\ \U0001f600')
CONTENT = (
    Text("one \U0001f468\u200d\U0001f469 \0 <b>"),
    Face(14),
    GroupPicture("a.jpg", 7, "key", "1.2.3.4:80"),
    UnknownSegment(["cface_idx", 0]),
)


def examples(kind: type[Any], start: int) -> Iterator[QueuedEvent]:
    """
    Letters of a kind, with a number or a text in each of its members.
    """
    for word in WORDS:
        values: dict[str, Any] = {}
        for n, (name, hint) in enumerate(get_type_hints(kind).items()):
            if hint is MessageIds:
                values[name] = MessageIds(10001, 1366004000, start, start + 1)  # type: ignore[arg-type]
            elif hint is Font:
                values[name] = Font("Tahoma", 12, True, color="ff0000")
            elif hint is str:
                values[name] = word
            elif hint is bool:
                values[name] = True
            elif name == "content":
                values[name] = CONTENT
            elif name == "sender":
                values[name] = 10001
            else:
                values[name] = start + n + 10
        yield kind(**{f.name: values[f.name] for f in fields(kind)})


KINDS = {"buddy": QueuedFriendMessage, "group": QueuedGroupMessage, **KINDS}


ALIASES = SessionIds(BOB, 12345)


def example(name: str, start: int = 30_000) -> QueuedEvent:
    """
    A letter of a kind that is an event: some members are words of the wire.
    """
    for event in examples(KINDS[name], start):
        with suppress(ValueError):
            event.event(ALIASES)
            return event
    raise AssertionError(f"no example of {name} is an event")


def everything(bob: HTTPClient) -> list[Any]:
    """
    All that waits for Bob, in order.
    """
    events: list[Any] = []
    for _ in range(100):
        poll = bob.poll()
        bob.harness.clock.advance(0)
        if not poll.isAnswered:
            poll.close()
            return events
        events.extend(poll.response.result)
        for _ in range(3):
            bob.harness.clock.advance(0)
    raise AssertionError("this never ends")


def asSeen(event: QueuedEvent, bob: HTTPClient) -> Any:
    """
    The event that Bob's session has of a letter.
    """
    session = bob.harness.state.sessions.online(BOB)
    assert session is not None
    return json.loads(json.dumps(encodeEvent(event.event(session.sessionIds))))


@pytest.mark.parametrize("name", KINDS)
def test_stored(name: str) -> None:
    """
    A letter of any kind is on the disk what it was.
    """
    event = example(name)
    assert decodeQueued(encodeQueued(event)) == event
    assert not isinstance(event.event(ALIASES), UnknownEvent)


def test_restart(tmp_path: Path) -> None:
    """
    One of each kind is there after a restart, whole and once; and none is
    there after another one.
    """
    path = tmp_path / "world.db"
    letters = [example(name, 1000 * n) for n, name in enumerate(KINDS, 30)]
    store = Store(path)
    harness = ServerHarness(store=store)
    for event in letters:
        harness.state.router.route(event, [BOB])
    harness.state.router.commit()
    # As if it were killed.
    store.close()

    store = Store(path)
    bob = ServerHarness(store=store, seed=2).client(BOB)
    events = everything(bob)
    expected = [asSeen(letter, bob) for letter in letters]
    assert sorted(map(json.dumps, events)) == sorted(map(json.dumps, expected))
    bob.harness.server.stop()
    store.close()

    store = Store(path)
    assert everything(ServerHarness(store=store, seed=3).client(BOB)) == []
    store.close()


def test_order(tmp_path: Path) -> None:
    """
    Letters of one conversation come in the order in which they were posted.
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
    What was given to a poll whose connection had gone is there after a
    restart.
    """
    path = tmp_path / "world.db"
    events = [example(name, 1000 * n) for n, name in enumerate(KINDS, 30)]
    store = Store(path)
    bob = ServerHarness(store=store).client(BOB)
    poll = bob.poll()
    for event in events:
        bob.harness.state.router.route(event, [BOB])
    bob.harness.state.router.commit()
    poll.close()
    store.close()
    store = Store(path)
    bob = ServerHarness(store=store, seed=2).client(BOB)
    assert len(everything(bob)) == len(events)
    store.close()
