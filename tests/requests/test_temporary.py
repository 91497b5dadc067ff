"""
Requests about temporary chats, from the callback interface to the database.
"""

from __future__ import annotations

import pytest

from tests.requests.discussionscene import ODD, DiscussionScene
from txwebqq.errors import RequestRefused
from txwebqq.model import StrangerMessage, Text, Uin
from txwebqq.testing import MemoryPerson, MemoryWebQQ
from txwebqq.wire.commands.temporary import GetC2cmsgSig2, GetSessionSig3, SendSessMsg2


@pytest.fixture
def scene() -> DiscussionScene:
    return DiscussionScene()


def test_strangers(scene: DiscussionScene) -> None:
    """
    A member of the same group who is no friend gets a message, answers, and
    knows which group and which account it came from.
    """
    web, alice, eve = scene.web, scene.alice, scene.eve
    uin, gid = eve.memberOf("cats", alice), eve.groupCalled("cats").gid
    web.result(eve.protocol.sendStrangerMessage(uin, ODD, group=gid))
    web.settle()
    [message] = [e for e in alice.events if isinstance(e, StrangerMessage)]
    assert (message.text, message.number) == (ODD, eve.number)
    assert message.place == alice.groupCalled("cats").gid
    assert message.service == 0
    eve.stop()
    web.result(alice.protocol.answerStranger(message, "later"))
    eve.run()
    web.settle()
    assert eve.heard == ["later"]


def test_strangersInDiscussions() -> None:
    """
    A member of the same discussion who is no friend gets a message in the same
    way.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    eve = web.person("Eve")
    web.befriend(alice, eve)
    did = web.discussion("x", alice, bob, eve)
    bob.run()
    eve.run()
    web.settle()
    details = web.result(bob.protocol.fetchDiscussion(did))
    [uin] = [m.uin for m in details.members if m.number == eve.number]
    web.result(bob.protocol.sendStrangerMessage(uin, "hi", discussion=did))
    web.settle()
    [message] = [e for e in eve.events if isinstance(e, StrangerMessage)]
    assert (message.place, message.service) == (did, 1)
    web.result(eve.protocol.answerStranger(message, "hi yourself"))
    web.settle()
    assert bob.heard == ["hi yourself"]


def test_strangersPlaces(scene: DiscussionScene) -> None:
    """
    One group or discussion has to be named, and both accounts must be members
    of it.
    """
    web, eve = scene.web, scene.eve
    uin, gid = eve.memberOf("cats", scene.alice), eve.groupCalled("cats").gid
    send = eve.protocol.sendStrangerMessage
    with pytest.raises(ValueError, match="either"):
        web.result(send(uin, "x"))
    with pytest.raises(ValueError, match="either"):
        web.result(send(uin, "x", group=gid, discussion=scene.did))
    with pytest.raises(RequestRefused):
        web.result(send(uin, "x", discussion=scene.did))
    session = web.state.sessions.online(eve.number)
    assert session is not None
    for number in (scene.bob.number, eve.number):
        with pytest.raises(RequestRefused):
            web.result(send(session.sessionIds.uin(number), "x", group=gid))
    assert scene.alice.heard == scene.bob.heard == []


def test_signatures(scene: DiscussionScene) -> None:
    """
    A signature is good for one sender, one recipient and one place, and no
    longer than they share it.
    """
    web, alice, eve = scene.web, scene.alice, scene.eve
    uin, gid = eve.memberOf("cats", alice), eve.groupCalled("cats").gid
    good = web.result(
        eve.protocol.transport.call(lambda t: GetC2cmsgSig2(t, gid, uin, 0))
    )

    def send(
        signature: str,
        to: Uin = uin,
        service: int = 0,
        person: MemoryPerson = eve,
    ) -> None:
        web.result(
            person.protocol.transport.call(
                lambda t: SendSessMsg2(t, to, signature, service, (Text("x"),), 1)
            )
        )

    session = web.state.sessions.online(eve.number)
    assert session is not None
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for signature in ("", "x", flipped, good[:8], "-" + good[1:], good.upper() + "0"):
        with pytest.raises(RequestRefused):
            send(signature)
    with pytest.raises(RequestRefused):
        send(good, to=session.sessionIds.uin(scene.bob.number))
    with pytest.raises(RequestRefused):
        send(good, service=1)
    with pytest.raises(RequestRefused):
        send(good, to=alice.memberOf("cats", eve), person=alice)
    send(good)
    web.result(eve.protocol.leaveGroup(eve.groupCalled("cats").code))
    with pytest.raises(RequestRefused):
        send(good)
    web.settle()
    assert alice.heard == ["x"]


def test_olderSignatures(scene: DiscussionScene) -> None:
    """
    Older clients ask for a discussion's signature in another way.
    """
    web, bob = scene.web, scene.bob
    uin = bob.uinOf(scene.alice)
    asked = bob.protocol.transport.call(lambda t: GetSessionSig3(t, scene.did, uin))
    signature = web.result(asked)
    web.result(
        bob.protocol.transport.call(
            lambda t: SendSessMsg2(t, uin, signature, 1, (Text("old"),), 1)
        )
    )
    web.settle()
    assert scene.alice.heard == ["old"]


def test_signaturesAreKept(scene: DiscussionScene) -> None:
    """
    A signature is asked for once in five minutes.
    """
    web, eve = scene.web, scene.eve
    uin, gid = eve.memberOf("cats", scene.alice), eve.groupCalled("cats").gid
    transport = eve.protocol.transport
    asked: list[object] = []
    call = transport.call

    def counting(make, *args):  # type: ignore[no-untyped-def]
        def made(ticket):  # type: ignore[no-untyped-def]
            command = make(ticket, *args)
            asked.append(type(command))
            return command

        return call(made)

    transport.call = counting  # type: ignore[method-assign,assignment]
    send = eve.protocol.sendStrangerMessage
    for wait in (0, 299, 0):
        web.settle(wait)
        web.result(send(uin, "x", group=gid))
    assert asked.count(GetC2cmsgSig2) == 1
    web.settle(2)
    web.result(send(uin, "x", group=gid))
    assert asked.count(GetC2cmsgSig2) == 2
    assert asked.count(SendSessMsg2) == 4
