"""
Limits of what one account may do to another.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from twisted.internet.task import Clock

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    HTTPClient,
    ServerHarness,
    Wire,
)
from txwebqq.model import Number, Text
from txwebqq.ratelimit import limitersOf
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.sessions.sendinglimits import (
    MINUTE,
    SendingLimiter,
    SendingLimits,
)
from txwebqq.wire.commands.settings import PRIVACY

BLOCKED, TOO_FAST, MUTED, NOT_FRIEND = 111, 112, 113, 100001

LIMITS = SendingLimits(messages=5, conversation=3, signals=2, waiting=4)


@pytest.fixture
def harness() -> ServerHarness:
    harness = ServerHarness()
    harness.limit(LIMITS)
    return harness


def uin(client: HTTPClient, number: Number) -> int:
    session = client.harness.state.sessions.online(client.number)
    assert session is not None
    return session.sessionIds.uin(number)


def tell(client: HTTPClient, number: Number, text: str = "hello") -> int:
    """
    Send a message to a friend.

    @return: the retcode.
    """
    answer = client.channel(
        "send_buddy_msg2", to=uin(client, number), content=json.dumps([text, []])
    )
    code: int = answer.json["retcode"]
    return code


def tellCats(client: HTTPClient) -> int:
    session = client.harness.state.sessions.online(client.number)
    assert session is not None
    answer = client.channel(
        "send_qun_msg2",
        group_uin=session.sessionIds.gid(CATS),
        content='["meow",[]]',
    )
    code: int = answer.json["retcode"]
    return code


def shake(client: HTTPClient, number: Number) -> int:
    session = client.harness.state.sessions.online(client.number)
    assert session is not None
    query = f"to_uin={uin(client, number)}&clientid={client.clientid}"
    wire = client.harness.get(
        f"/channel/shake2?{query}&psessionid={client.psessionid}&t=1"
    )
    code: int = wire.response.json["retcode"]
    return code


def change(client: HTTPClient, **values: Any) -> None:
    """
    Set settings that the server acts on.
    """
    r = quote(json.dumps({"appid": PRIVACY, "itemlist": values}))
    wire: Wire = client.harness.post(
        "/keycgi/qqweb/newuac/set.do", f"r={r}&vfwebqq={client.vfwebqq}"
    )
    assert wire.response.json["retcode"] == 0


def test_rates(harness: ServerHarness) -> None:
    """
    Messages are limited for each conversation and for each account; a minute
    later there may be more.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB)
    assert [tell(alice, BOB) for _ in range(4)] == [0, 0, 0, TOO_FAST]
    assert [tellCats(alice) for _ in range(3)] == [0, 0, TOO_FAST]
    assert tell(bob, ALICE) == 0
    harness.clock.advance(MINUTE)
    bob.poll()
    assert tell(alice, BOB) == 0


def test_mutes(harness: ServerHarness) -> None:
    """
    Mutes count as messages to the group: each is stored for all members.
    """
    alice = harness.client(ALICE)
    bob = harness.client(BOB)
    session = harness.state.sessions.online(ALICE)
    assert session is not None
    code = session.sessionIds.code(CATS)
    members = {"gcode": code, "muin": uin(alice, BOB), "vfwebqq": alice.vfwebqq}

    def mute(seconds: int) -> int:
        r = {**members, "seconds": seconds}
        body = f"r={quote(json.dumps(r))}"
        response = harness.post("/api/mute_group_member2", body).response
        retcode: int = response.json["retcode"]
        return retcode

    assert [mute(seconds) for seconds in (60, 0, 60, 0)] == [0, 0, 0, TOO_FAST]
    assert alice.tellCats("hello").json["retcode"] == TOO_FAST
    assert bob.tellCats("hello").json["retcode"] == MUTED
    harness.clock.advance(MINUTE)
    assert mute(0) == 0


def test_sharedLinks(harness: ServerHarness) -> None:
    """
    So do links that are shared in it.
    """
    alice = harness.client(ALICE)
    answers = [
        alice.channel("send_group_web_msg2", group_uin=alice.gid, xml="<link/>")
        for _ in range(LIMITS.conversation + 1)
    ]
    assert [each.json["retcode"] for each in answers] == [0, 0, 0, TOO_FAST]


def test_refusedAreNotCounted() -> None:
    """
    A message that the limit of the account refuses does not count for the
    conversation.
    """
    clock = Clock()
    limits = SendingLimits(messages=1, conversation=2)
    limiter = SendingLimiter(limitersOf(clock.seconds), limits)
    assert limiter.takeMessage(ALICE, CATS)
    clock.advance(MINUTE / 2)
    assert not any(limiter.takeMessage(ALICE, BOB) for _ in range(3))
    clock.advance(MINUTE / 2)
    assert limiter.takeMessage(ALICE, BOB)


def test_signals(harness: ServerHarness) -> None:
    """
    Shakes of one friend are limited.
    """
    alice = harness.client(ALICE)
    harness.client(BOB)
    assert [shake(alice, BOB) for _ in range(3)] == [0, 0, TOO_FAST]


def test_waiting(harness: ServerHarness) -> None:
    """
    Of one sender only some messages wait for an account that is offline, those
    of others are accepted, and all of it when they have been received.
    """
    harness.limit(SendingLimits(waiting=4))
    bob, carol = harness.client(BOB), harness.client(CAROL)
    assert [tell(bob, ALICE) for _ in range(5)] == [0, 0, 0, 0, TOO_FAST]
    assert (tell(carol, ALICE), tellCats(bob)) == (0, 0)
    alice = harness.client(ALICE)
    for _ in range(6):
        alice.poll()
        harness.clock.advance(1)
    assert tell(bob, ALICE) == 0


def test_waitingSize(harness: ServerHarness) -> None:
    """
    The size of what waits is limited, too.
    """
    harness.limit(SendingLimits(waitingSize=2000))
    alice = harness.client(ALICE)
    assert [tell(alice, BOB, "x" * 3000) for _ in range(2)] == [0, TOO_FAST]


def test_removed(harness: ServerHarness) -> None:
    """
    An account that was removed from a friend list can no longer write, shake or
    send files; one that is still in the list of the other can.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB)
    harness.store.friends.remove(BOB, ALICE)
    assert tell(alice, BOB) == NOT_FRIEND
    assert shake(alice, BOB) == NOT_FRIEND
    file = alice.channel(
        "send_offfile2", to=uin(alice, BOB), file_path="x", filename="a.txt"
    )
    assert "friend list" in file.json["errmsg"]
    assert tell(bob, ALICE) == 0


def test_blocked(harness: ServerHarness) -> None:
    """
    A blocked account cannot write or shake; others can, and so can the account when
    it is unblocked.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB)
    change(bob, blocked=[ALICE, "x", None])
    assert (tell(alice, BOB), shake(alice, BOB)) == (BLOCKED, BLOCKED)
    assert tellCats(alice) == 0
    assert tell(bob, ALICE) == 0
    change(bob, blocked=[])
    assert tell(alice, BOB) == 0


@pytest.mark.parametrize("value", [None, 5, {}, "10001", [True, 10001.0, [10001]]])
def test_blockedOdd(harness: ServerHarness, value: Any) -> None:
    """
    A value that is no list of numbers blocks nobody.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB)
    change(bob, blocked=value)
    assert tell(alice, BOB) == 0


def test_share() -> None:
    """
    A message of a friend is in the first reply, also behind many of another
    sender, and all messages are given once, in the order of their conversations.
    """
    harness = ServerHarness()
    for n in range(250):
        harness.storeEvent(said(BOB, n), [ALICE])
    harness.storeEvent(said(CAROL, 1000), [ALICE])
    alice = harness.client(ALICE)
    seen: list[tuple[int, int]] = []
    first = 0
    for _ in range(300):
        poll = alice.poll()
        if not poll.isAnswered:
            poll.close()
            break
        batch = [
            (each["value"]["from_uin"], int(each["value"]["content"][1]))
            for each in poll.response.result
        ]
        first = first or len(batch)
        seen += batch
        if len(seen) == 10:
            harness.storeEvent(said(CAROL, 1001), [ALICE])
    bob, other = uin(alice, BOB), uin(alice, CAROL)
    assert first == 2
    assert [n for sender, n in seen if sender == bob] == list(range(250))
    assert [n for sender, n in seen if sender == other] == [1000, 1001]


def said(sender: Number, n: int) -> Any:
    return FRIEND_MESSAGE.new(MessageIds(sender, 1366004000, n, n), (Text(str(n)),))
