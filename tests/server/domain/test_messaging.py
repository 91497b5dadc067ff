"""
Typing and shake signals reach friends that are online, soon or never.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.harness import ALICE, BOB, DAVE, HTTPClient, ServerHarness
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.events import kinds
from txwebqq.server.sessions.sessions import LAPSE

TYPING, SHAKE = "input_notify2", "shake2"


class Scene:
    """
    Alice, who sends signals to Bob.
    """

    def __init__(self) -> None:
        self.harness = ServerHarness()
        self.alice = self.harness.client(ALICE)
        self.bob = self.harness.client(BOB).catchUp()
        self.alice.catchUp()

    def give(self, path: str, to: int | None = None) -> Any:
        """
        The retcode of a signal to Bob, or to another uin.
        """
        uin = self.alice.uin(BOB) if to is None else to
        query = f"to_uin={uin}&clientid=1&psessionid={self.alice.psessionid}&t=1"
        return self.harness.get(f"/channel/{path}?{query}").response.json["retcode"]

    def poll(self, who: HTTPClient | None = None) -> list[str]:
        """
        The events that a new poll is answered with immediately.
        """
        wire = (who or self.bob).poll()
        if not wire.isAnswered:
            wire.close()
            return []
        return [event["poll_type"] for event in wire.response.result]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("path", "pollType", "kind"),
    [(TYPING, "input_notify", 121), (SHAKE, "shake_message", 9)],
)
def test_listening(scene: Scene, path: str, pollType: str, kind: int) -> None:
    """
    A held poll is answered with the signal, in the format of protocol.md 5.7.
    """
    poll = scene.bob.poll()
    assert scene.give(path) == 0
    scene.harness.clock.advance(0)
    [event] = poll.response.result
    assert event["poll_type"] == pollType
    value = event["value"]
    assert value["from_uin"] == scene.bob.uin(ALICE)
    assert value["to_uin"] == BOB
    assert value["msg_type"] == kind
    assert {"msg_id", "msg_id2", "reply_ip"} <= set(value)
    assert "time" not in value


def test_between(scene: Scene) -> None:
    """
    A client between two polls gets one signal of each kind with its next poll.
    """
    for path in (TYPING, TYPING, SHAKE, SHAKE, TYPING):
        assert scene.give(path) == 0
    assert scene.poll() == ["shake_message", "input_notify"]
    assert scene.poll() == []


@pytest.mark.parametrize(
    ("path", "life", "pollType"),
    [
        (TYPING, kinds.TYPING.lifetime, "input_notify"),
        (SHAKE, kinds.SHAKE.lifetime, "shake_message"),
    ],
)
def test_tooLate(scene: Scene, path: str, life: float, pollType: str) -> None:
    """
    A signal is dropped after its lifetime.
    """
    scene.give(path)
    scene.harness.clock.advance(life - 1)
    assert scene.poll() == [pollType]
    scene.give(path)
    scene.harness.clock.advance(life)
    assert scene.poll() == []


def test_abandoned(scene: Scene) -> None:
    """
    A signal for a client that has disconnected is dropped as well.
    """
    scene.bob.poll().close()
    scene.give(TYPING)
    scene.harness.clock.advance(LAPSE + 30)
    scene.bob.join(scene.bob.psessionid)
    assert "input_notify" not in scene.poll()


def test_offline(scene: Scene) -> None:
    """
    A signal to an offline friend is accepted and dropped.
    """
    scene.bob.channel("logout2")
    harness, bob = scene.harness, scene.bob
    query = f"clientid=1&psessionid={bob.psessionid}&t=1"
    harness.get(f"/channel/logout2?{query}")
    uin = scene.alice.uin(BOB)
    assert scene.give(SHAKE, uin) == 0
    returned = harness.client(BOB)
    assert "shake_message" not in scene.poll(returned)


@pytest.mark.parametrize("path", [TYPING, SHAKE])
def test_authorisation(scene: Scene, path: str) -> None:
    """
    Signals need a session and a uin, and reach friends only, not other members
    of a group.
    """
    dave = scene.harness.client(DAVE).catchUp()
    assert scene.give(path, scene.alice.uin(DAVE)) == NO_SUCH_ID
    assert scene.give(path, BOB) == NO_SUCH_ID
    assert scene.give(path, -1) == NO_SUCH_ID
    assert scene.poll(dave) == []
    assert scene.poll() == []
    without = scene.harness.get(f"/channel/{path}?to_uin=5&clientid=1&psessionid=x")
    assert without.response.json["retcode"] == 121
    nobody = scene.harness.get(
        f"/channel/{path}?clientid=1&psessionid={scene.alice.psessionid}"
    ).response.json
    assert (nobody["retcode"], nobody["errmsg"]) == (100003, "to_uin is missing")


def test_crowd(scene: Scene) -> None:
    """
    Of any number of typing signals from one sender, one is queued.
    """
    for _ in range(1000):
        scene.give(TYPING)
    session = scene.harness.state.sessions.online(BOB)
    assert session is not None
    assert len(session.mailbox.transient) == 1
    assert scene.poll() == ["input_notify"]
