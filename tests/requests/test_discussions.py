"""
Requests about discussions, from the callback interface to the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from twisted.internet.defer import Deferred, succeed

from tests.requests.discussionscene import ODD, DiscussionScene
from txwebqq.errors import CaptchaNeeded, MessageTooLong, RequestRefused
from txwebqq.model import (
    Did,
    Discussion,
    DiscussionMessage,
    Face,
    Font,
    Gid,
    Number,
    Status,
    Text,
    Uin,
)
from txwebqq.protocol import WebQQFactory
from txwebqq.server.records import DiscussionEntry as Record
from txwebqq.server.records import Population
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.testing import MemoryWebQQ, RecordingProtocol
from txwebqq.wire.command import Refusal


class Reader(RecordingProtocol):
    """
    Reads the captchas of L{MemoryWebQQ}.
    """

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        return succeed(MemoryWebQQ.captchaText)


class Reading(WebQQFactory):
    protocol = Reader


@pytest.fixture
def scene() -> DiscussionScene:
    return DiscussionScene()


def test_list(scene: DiscussionScene) -> None:
    """
    The discussions are there soon after a sign-on, for their members alone.
    """
    did = scene.did
    for person in (scene.alice, scene.bob):
        assert person.protocol.discussions == {did: Discussion(did, "周末")}
    assert scene.dave.protocol.discussions == {}


def test_details(scene: DiscussionScene) -> None:
    """
    A discussion tells its members' numbers, nicks and presence.
    """
    web, alice = scene.web, scene.alice
    scene.bob.appear(Status.AWAY)
    scene.carol.appear(Status.HIDDEN)
    details = web.result(alice.protocol.fetchDiscussion(scene.did))
    assert (details.name, details.owner) == ("周末", Uin(alice.number))
    seen = {m.nick: (m.number, m.status) for m in details.members}
    assert seen == {
        "Alice": (alice.number, Status.ONLINE),
        "Bob": (scene.bob.number, Status.AWAY),
        "Carol": (scene.carol.number, Status.OFFLINE),
    }
    present = web.result(alice.protocol.fetchDiscussionPresence(scene.did))
    assert {p.status for p in present} == {Status.ONLINE, Status.AWAY}
    assert len(present) == 2


def test_talking(scene: DiscussionScene) -> None:
    """
    Words reach the other members, with faces and font, now or later.
    """
    web, alice = scene.web, scene.alice
    scene.carol.stop()
    font = Font("Arial", 12, bold=True)
    web.result(
        alice.protocol.sendDiscussionMessage(scene.did, [Text(ODD), Face(14)], font)
    )
    scene.carol.run()
    web.settle()
    for person in (scene.bob, scene.carol):
        [message] = [e for e in person.events if isinstance(e, DiscussionMessage)]
        assert message.content == (Text(ODD), Face(14))
        assert (message.discussion, message.font) == (scene.did, font)
        assert message.recipient == person.number
        sender = web.result(person.protocol.fetchNumber(message.sender))
        assert sender == alice.number
    assert alice.heard == []


def test_order(scene: DiscussionScene) -> None:
    """
    Words arrive in order, once each, numbered upwards.
    """
    texts = [str(n) for n in range(20)]
    scene.bob.stop()
    for text in texts:
        scene.say(scene.alice, text)
    scene.bob.run()
    scene.web.settle(5)
    assert scene.bob.heard == texts
    messages = [e for e in scene.bob.events if isinstance(e, DiscussionMessage)]
    numbers = [message.sequence for message in messages]
    assert numbers == sorted(set(numbers))


def test_tooLong(scene: DiscussionScene) -> None:
    """
    A message that is too long arrives in parts, or is refused.
    """
    text = "长" * 20_000
    scene.say(scene.alice, text)
    scene.web.settle(5)
    assert "".join(scene.bob.heard) == text
    send = scene.alice.protocol.sendDiscussionMessage
    with pytest.raises(MessageTooLong):
        scene.web.result(send(scene.did, text, tooLong="refuse"))


def test_outside(scene: DiscussionScene) -> None:
    """
    An account that is no member reads and changes nothing, and is not told
    whether the discussion exists.
    """
    web, protocol = scene.web, scene.dave.protocol
    bob = scene.dave.uinOf(scene.bob)
    asks: tuple[Callable[[Did], Deferred[Any]], ...] = (
        protocol.fetchDiscussion,
        protocol.fetchDiscussionPresence,
        protocol.leaveDiscussion,
        lambda did: protocol.sendDiscussionMessage(did, "x"),
        lambda did: protocol.inviteToDiscussion(did, [bob]),
        lambda did: protocol.renameDiscussion(did, "x"),
        lambda did: protocol.sendStrangerMessage(bob, "x", discussion=did),
    )
    for did in (scene.did, Did(4_000_000_000), Did(0)):
        for ask in asks:
            with pytest.raises(RequestRefused):
                web.result(ask(did))
        web.result(protocol.setDiscussionMask(did, 2))
    assert scene.names(scene.alice) == {"Alice", "Bob", "Carol"}
    scene.say(scene.alice, "still here")
    assert scene.bob.heard == ["still here"]


def test_creating(scene: DiscussionScene) -> None:
    """
    A discussion is begun with friends and fellow members, who learn of it from
    its first message.
    """
    web, alice = scene.web, scene.alice
    eve = alice.memberOf("cats", scene.eve)
    gid = alice.groupCalled("cats").gid
    did = web.result(
        alice.protocol.createDiscussion(ODD, [alice.uinOf(scene.bob)], [(eve, gid)])
    )
    assert alice.protocol.discussions[did].name == ODD
    assert did not in scene.eve.protocol.discussions
    web.result(alice.protocol.sendDiscussionMessage(did, "hi"))
    web.settle()
    assert scene.bob.heard == scene.eve.heard == ["hi"]
    assert scene.eve.protocol.discussions[did].name == ODD
    another = web.result(
        alice.protocol.createDiscussion(
            "", [alice.uinOf(scene.bob), alice.uinOf(scene.carol)]
        )
    )
    assert another > did


def test_refusedCreation(scene: DiscussionScene) -> None:
    """
    An account cannot add accounts that are not its friends to a discussion.
    """
    web, alice, dave = scene.web, scene.alice, scene.dave
    gid = alice.groupCalled("cats").gid
    bob, carol = alice.uinOf(scene.bob), alice.uinOf(scene.carol)
    eve = alice.memberOf("cats", scene.eve)
    create = alice.protocol.createDiscussion
    for uins, members in (
        ([bob, eve], []),
        ([bob, carol, Uin(5)], []),
        ([carol], [(bob, gid)]),
        ([bob, carol], [(eve, Gid(7))]),
    ):
        with pytest.raises(RequestRefused, match="names"):
            web.result(create("x", uins, members))
    daves = [dave.uinOf(scene.alice), dave.uinOf(scene.bob)]
    with pytest.raises(RequestRefused, match="names"):
        web.result(dave.protocol.createDiscussion("x", daves, [(eve, gid)]))
    for few in ([], [bob], [bob, bob], [bob, Uin(alice.number)]):
        with pytest.raises(RequestRefused):
            web.result(create("x", few))
    with pytest.raises(MessageTooLong):
        web.result(create("x" * 20_000, [bob, carol]))
    assert web.result(alice.protocol.fetchDiscussions()).discussions == {
        scene.did: Discussion(scene.did, "周末")
    }


def test_inviting(scene: DiscussionScene) -> None:
    """
    Each member may add others, which changes the version; no account is in a
    discussion twice.
    """
    web, bob, dave = scene.web, scene.bob, scene.dave
    scene.say(scene.alice, "before")
    uins = [bob.uinOf(dave), bob.uinOf(scene.carol)]
    web.result(bob.protocol.inviteToDiscussion(scene.did, uins))
    assert scene.names(scene.alice) == {"Alice", "Bob", "Carol", "Dave"}
    scene.say(scene.alice, "after")
    first, second = (
        e.version for e in scene.carol.events if isinstance(e, DiscussionMessage)
    )
    assert second == first + 1
    assert dave.heard == ["after"]
    assert dave.protocol.discussions[scene.did].name == "周末"
    assert scene.carol.protocol.discussions[scene.did].version == second


def test_crowd() -> None:
    """
    A discussion does not take more than fifty.
    """
    web = MemoryWebQQ()
    alice, *others = (web.person(f"p{n}") for n in range(52))
    for other in others:
        web.befriend(alice, other)
    alice.run()
    uins = list(alice.protocol.buddies)
    with pytest.raises(RequestRefused, match="too many"):
        web.result(alice.protocol.createDiscussion("x", uins))
    did = web.result(alice.protocol.createDiscussion("x", uins[:49]))
    with pytest.raises(RequestRefused, match="50"):
        web.result(alice.protocol.inviteToDiscussion(did, uins[49:]))


def test_renaming(scene: DiscussionScene) -> None:
    """
    A new name is seen at once by the member who has set it, and by the others
    with the next message.
    """
    web, bob, carol = scene.web, scene.bob, scene.carol
    scene.say(scene.alice, "before")
    web.result(bob.protocol.renameDiscussion(scene.did, ODD))
    assert bob.protocol.discussions[scene.did].name == ODD
    assert carol.protocol.discussions[scene.did].name == "周末"
    scene.say(scene.alice, "after")
    assert carol.protocol.discussions[scene.did].name == ODD
    for name in ("", "  ", "x" * 20_000):
        with pytest.raises(RequestRefused, match="name"):
            web.result(bob.protocol.renameDiscussion(scene.did, name))


def test_leaving(scene: DiscussionScene) -> None:
    """
    A member who leaves gets no further events; the next member becomes the
    owner, and the discussion ends with its last member.
    """
    web, did = scene.web, scene.did
    web.result(scene.alice.protocol.leaveDiscussion(did))
    assert scene.alice.protocol.discussions == {}
    scene.say(scene.bob, "alone?")
    assert scene.alice.heard == []
    assert scene.carol.heard == ["alone?"]
    details = web.result(scene.carol.protocol.fetchDiscussion(did))
    owner = web.result(scene.carol.protocol.fetchNumber(details.owner))
    assert owner == scene.bob.number
    # A population that is merged again brings nobody back.
    people = tuple(p.number for p in (scene.alice, scene.bob, scene.carol))
    record = Record(Number(did), "", people[0], people)
    web.state.merge(Population(discussions=(record,)))
    assert scene.names(scene.bob) == {"Bob", "Carol"}
    for person in (scene.bob, scene.carol):
        web.result(person.protocol.leaveDiscussion(did))
    with pytest.raises(RequestRefused) as raised:
        web.result(scene.bob.protocol.sendDiscussionMessage(did, "anybody?"))
    assert raised.value.retcode == 3


def test_mask(scene: DiscussionScene) -> None:
    """
    A blocked discussion's messages do not come and are not kept.
    """
    web, bob, did = scene.web, scene.bob, scene.did
    for mask, expected in ((2, []), (1, ["1"]), (0, ["1", "0"])):
        web.result(bob.protocol.setDiscussionMask(did, mask))
        scene.say(scene.alice, str(mask))
        assert bob.heard == expected
    web.result(bob.protocol.setDiscussionMask(did, 2))
    bob.stop()
    scene.say(scene.alice, "while away")
    bob.run()
    web.settle()
    assert bob.heard == []
    assert bob.protocol.discussions[did].mask == 2
    with pytest.raises(RequestRefused, match="mask"):
        web.result(bob.protocol.setDiscussionMask(did, 3))


def test_captcha() -> None:
    """
    A server that wants captchas wants one for a new discussion.
    """
    web = MemoryWebQQ(CaptchaMode.ALWAYS)
    alice, *_ = web.friends("Alice", "Bob", "Carol")
    alice.run(Reading())
    uins = list(alice.protocol.buddies)
    create = alice.protocol.createDiscussion
    for text, retcode in (("", 1000), ("wrong", 1001)):
        captcha = web.result(alice.protocol.fetchCaptcha())
        with pytest.raises(CaptchaNeeded) as raised:
            web.result(create("x", uins, captcha=structs.replace(captcha, text=text)))
        assert raised.value.retcode == retcode
    captcha = web.result(alice.protocol.fetchCaptcha())
    captcha = structs.replace(captcha, text=web.captchaText.lower())
    assert web.result(create("x", uins, captcha=captcha))


def test_noList() -> None:
    """
    A server without a list of discussions is asked twice, and signed on to all
    the same.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    route = web.server._routes.pop(b"/channel/get_discu_list_new2")
    asked = []

    def refuse(command: object, session: object, exchange: object) -> Refusal:
        asked.append(command)
        return Refusal(100000, "no discussions today")

    web.server._routes[b"/channel/get_discu_list_new2"] = replace(route, handler=refuse)
    alice.run()
    web.settle()
    assert len(asked) == 2
    assert alice.protocol.discussions == {}
    alice.tell(bob, "hi")
    alice.stop()
    assert not [c for c in web.clock.getDelayedCalls() if "RosterSync" in str(c)]
