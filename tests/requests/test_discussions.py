"""
Discussions and temporary conversations, from the callback interface to the
database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

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
    StrangerMessage,
    Text,
    Uin,
)
from txwebqq.protocol import WebQQFactory
from txwebqq.server.records import DiscussionEntry as Record
from txwebqq.server.records import Population
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.testing import MemoryPerson, MemoryWebQQ, RecordingProtocol
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.temporary import GetC2cmsgSig2, GetSessionSig3, SendSessMsg2

ODD = "'; DROP TABLE room; -- \"\\ %_ <script> 😀 \u202e عربى \0 end"


class Reader(RecordingProtocol):
    """
    Reads the captchas of L{MemoryWebQQ}.
    """

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        return succeed(MemoryWebQQ.captchaText)


class Reading(WebQQFactory):
    protocol = Reader


class Weekend:
    """
    Friends who talk of the weekend, and somebody who does not.
    """

    def __init__(self) -> None:
        self.web = MemoryWebQQ()
        people = self.web.friends("Alice", "Bob", "Carol", "Dave")
        self.alice, self.bob, self.carol, self.dave = people
        self.eve = self.web.person("Eve")
        self.did = self.web.discussion("周末", self.alice, self.bob, self.carol)
        self.web.group("cats", self.alice, self.eve)
        for person in (*people, self.eve):
            person.run()
        self.web.settle()

    def say(self, person: MemoryPerson, text: str) -> None:
        self.web.result(person.protocol.sendDiscussionMessage(self.did, text))
        self.web.settle()

    def names(self, person: MemoryPerson) -> set[str]:
        details = self.web.result(person.protocol.fetchDiscussion(self.did))
        return {member.nick for member in details.members}


@pytest.fixture
def weekend() -> Weekend:
    return Weekend()


# ---- discussions


def test_list(weekend: Weekend) -> None:
    """
    The discussions are there soon after a sign-on, for their members alone.
    """
    did = weekend.did
    for person in (weekend.alice, weekend.bob):
        assert person.protocol.discussions == {did: Discussion(did, "周末")}
    assert weekend.dave.protocol.discussions == {}


def test_details(weekend: Weekend) -> None:
    """
    A discussion tells its members' numbers, nicks and presence.
    """
    web, alice = weekend.web, weekend.alice
    weekend.bob.appear(Status.AWAY)
    weekend.carol.appear(Status.HIDDEN)
    details = web.result(alice.protocol.fetchDiscussion(weekend.did))
    assert (details.name, details.owner) == ("周末", Uin(alice.number))
    seen = {m.nick: (m.number, m.status) for m in details.members}
    assert seen == {
        "Alice": (alice.number, Status.ONLINE),
        "Bob": (weekend.bob.number, Status.AWAY),
        "Carol": (weekend.carol.number, Status.OFFLINE),
    }
    present = web.result(alice.protocol.fetchDiscussionPresence(weekend.did))
    assert {p.status for p in present} == {Status.ONLINE, Status.AWAY}
    assert len(present) == 2


def test_talking(weekend: Weekend) -> None:
    """
    Words reach the other members, with faces and font, now or later.
    """
    web, alice = weekend.web, weekend.alice
    weekend.carol.stop()
    font = Font("Arial", 12, bold=True)
    web.result(
        alice.protocol.sendDiscussionMessage(weekend.did, [Text(ODD), Face(14)], font)
    )
    weekend.carol.run()
    web.settle()
    for person in (weekend.bob, weekend.carol):
        [message] = [e for e in person.events if isinstance(e, DiscussionMessage)]
        assert message.content == (Text(ODD), Face(14))
        assert (message.discussion, message.font) == (weekend.did, font)
        assert message.recipient == person.number
        sender = web.result(person.protocol.fetchNumber(message.sender))
        assert sender == alice.number
    assert alice.heard == []


def test_order(weekend: Weekend) -> None:
    """
    Words arrive in order, once each, numbered upwards.
    """
    texts = [str(n) for n in range(20)]
    weekend.bob.stop()
    for text in texts:
        weekend.say(weekend.alice, text)
    weekend.bob.run()
    weekend.web.settle(5)
    assert weekend.bob.heard == texts
    messages = [e for e in weekend.bob.events if isinstance(e, DiscussionMessage)]
    numbers = [message.sequence for message in messages]
    assert numbers == sorted(set(numbers))


def test_tooLong(weekend: Weekend) -> None:
    """
    What is too long arrives in pieces, or not at all.
    """
    text = "长" * 20_000
    weekend.say(weekend.alice, text)
    weekend.web.settle(5)
    assert "".join(weekend.bob.heard) == text
    send = weekend.alice.protocol.sendDiscussionMessage
    with pytest.raises(MessageTooLong):
        weekend.web.result(send(weekend.did, text, tooLong="refuse"))


def test_outside(weekend: Weekend) -> None:
    """
    Somebody outside reads and changes nothing, and does not even learn
    whether there is such a discussion.
    """
    web, protocol = weekend.web, weekend.dave.protocol
    bob = weekend.dave.uinOf(weekend.bob)
    asks: tuple[Callable[[Did], Deferred[Any]], ...] = (
        protocol.fetchDiscussion,
        protocol.fetchDiscussionPresence,
        protocol.leaveDiscussion,
        lambda did: protocol.sendDiscussionMessage(did, "x"),
        lambda did: protocol.inviteToDiscussion(did, [bob]),
        lambda did: protocol.renameDiscussion(did, "x"),
        lambda did: protocol.sendStrangerMessage(bob, "x", discussion=did),
    )
    for did in (weekend.did, Did(4_000_000_000), Did(0)):
        for ask in asks:
            with pytest.raises(RequestRefused):
                web.result(ask(did))
        web.result(protocol.setDiscussionMask(did, 2))
    assert weekend.names(weekend.alice) == {"Alice", "Bob", "Carol"}
    weekend.say(weekend.alice, "still here")
    assert weekend.bob.heard == ["still here"]


def test_creating(weekend: Weekend) -> None:
    """
    A discussion is begun with friends and fellow members, who learn of it from
    its first message.
    """
    web, alice = weekend.web, weekend.alice
    eve = alice.memberOf("cats", weekend.eve)
    gid = alice.groupCalled("cats").gid
    did = web.result(
        alice.protocol.createDiscussion(ODD, [alice.uinOf(weekend.bob)], [(eve, gid)])
    )
    assert alice.protocol.discussions[did].name == ODD
    assert did not in weekend.eve.protocol.discussions
    web.result(alice.protocol.sendDiscussionMessage(did, "hi"))
    web.settle()
    assert weekend.bob.heard == weekend.eve.heard == ["hi"]
    assert weekend.eve.protocol.discussions[did].name == ODD
    another = web.result(
        alice.protocol.createDiscussion(
            "", [alice.uinOf(weekend.bob), alice.uinOf(weekend.carol)]
        )
    )
    assert another > did


def test_refusedCreation(weekend: Weekend) -> None:
    """
    Nobody is taken into a discussion by somebody who does not know them.
    """
    web, alice, dave = weekend.web, weekend.alice, weekend.dave
    gid = alice.groupCalled("cats").gid
    bob, carol = alice.uinOf(weekend.bob), alice.uinOf(weekend.carol)
    eve = alice.memberOf("cats", weekend.eve)
    create = alice.protocol.createDiscussion
    for uins, members in (
        ([bob, eve], []),
        ([bob, carol, Uin(5)], []),
        ([carol], [(bob, gid)]),
        ([bob, carol], [(eve, Gid(7))]),
    ):
        with pytest.raises(RequestRefused, match="names"):
            web.result(create("x", uins, members))
    daves = [dave.uinOf(weekend.alice), dave.uinOf(weekend.bob)]
    with pytest.raises(RequestRefused, match="names"):
        web.result(dave.protocol.createDiscussion("x", daves, [(eve, gid)]))
    for few in ([], [bob], [bob, bob], [bob, Uin(alice.number)]):
        with pytest.raises(RequestRefused):
            web.result(create("x", few))
    with pytest.raises(MessageTooLong):
        web.result(create("x" * 20_000, [bob, carol]))
    assert web.result(alice.protocol.fetchDiscussions()).discussions == {
        weekend.did: Discussion(weekend.did, "周末")
    }


def test_inviting(weekend: Weekend) -> None:
    """
    Any member takes in others, which makes another version; nobody is in
    twice.
    """
    web, bob, dave = weekend.web, weekend.bob, weekend.dave
    weekend.say(weekend.alice, "before")
    uins = [bob.uinOf(dave), bob.uinOf(weekend.carol)]
    web.result(bob.protocol.inviteToDiscussion(weekend.did, uins))
    assert weekend.names(weekend.alice) == {"Alice", "Bob", "Carol", "Dave"}
    weekend.say(weekend.alice, "after")
    first, second = (
        e.version for e in weekend.carol.events if isinstance(e, DiscussionMessage)
    )
    assert second == first + 1
    assert dave.heard == ["after"]
    assert dave.protocol.discussions[weekend.did].name == "周末"
    assert weekend.carol.protocol.discussions[weekend.did].version == second


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


def test_renaming(weekend: Weekend) -> None:
    """
    Another name is seen at once by who gave it, and by the others with the
    next message.
    """
    web, bob, carol = weekend.web, weekend.bob, weekend.carol
    weekend.say(weekend.alice, "before")
    web.result(bob.protocol.renameDiscussion(weekend.did, ODD))
    assert bob.protocol.discussions[weekend.did].name == ODD
    assert carol.protocol.discussions[weekend.did].name == "周末"
    weekend.say(weekend.alice, "after")
    assert carol.protocol.discussions[weekend.did].name == ODD
    for name in ("", "  ", "x" * 20_000):
        with pytest.raises(RequestRefused, match="name"):
            web.result(bob.protocol.renameDiscussion(weekend.did, name))


def test_leaving(weekend: Weekend) -> None:
    """
    Who leaves hears no more; the discussion is then the next one's, and ends
    with its last member.
    """
    web, did = weekend.web, weekend.did
    web.result(weekend.alice.protocol.leaveDiscussion(did))
    assert weekend.alice.protocol.discussions == {}
    weekend.say(weekend.bob, "alone?")
    assert weekend.alice.heard == []
    assert weekend.carol.heard == ["alone?"]
    details = web.result(weekend.carol.protocol.fetchDiscussion(did))
    owner = web.result(weekend.carol.protocol.fetchNumber(details.owner))
    assert owner == weekend.bob.number
    # A population that is merged again brings nobody back.
    people = tuple(p.number for p in (weekend.alice, weekend.bob, weekend.carol))
    record = Record(Number(did), "", people[0], people)
    web.state.merge(Population(discussions=(record,)))
    assert weekend.names(weekend.bob) == {"Bob", "Carol"}
    for person in (weekend.bob, weekend.carol):
        web.result(person.protocol.leaveDiscussion(did))
    with pytest.raises(RequestRefused) as raised:
        web.result(weekend.bob.protocol.sendDiscussionMessage(did, "anybody?"))
    assert raised.value.retcode == 3


def test_mask(weekend: Weekend) -> None:
    """
    A blocked discussion's messages do not come and are not kept.
    """
    web, bob, did = weekend.web, weekend.bob, weekend.did
    for mask, expected in ((2, []), (1, ["1"]), (0, ["1", "0"])):
        web.result(bob.protocol.setDiscussionMask(did, mask))
        weekend.say(weekend.alice, str(mask))
        assert bob.heard == expected
    web.result(bob.protocol.setDiscussionMask(did, 2))
    bob.stop()
    weekend.say(weekend.alice, "while away")
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
            web.result(create("x", uins, captcha=replace(captcha, text=text)))
        assert raised.value.retcode == retcode
    captcha = web.result(alice.protocol.fetchCaptcha())
    captcha = replace(captcha, text=web.captchaText.lower())
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

    def refuse(question: object, exchange: object) -> Refusal:
        asked.append(question)
        return Refusal(100000, "no discussions today")

    web.server._routes[b"/channel/get_discu_list_new2"] = replace(route, handler=refuse)
    alice.run()
    web.settle()
    assert len(asked) == 2
    assert alice.protocol.discussions == {}
    alice.tell(bob, "hi")
    alice.stop()
    assert not [c for c in web.clock.getDelayedCalls() if "Reading" in str(c)]


# ---- temporary conversations


def test_strangers(weekend: Weekend) -> None:
    """
    Somebody from a group who is no friend is written to, answers, and knows
    from where and from whom.
    """
    web, alice, eve = weekend.web, weekend.alice, weekend.eve
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
    So is somebody from a discussion.
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


def test_strangersPlaces(weekend: Weekend) -> None:
    """
    One place has to be named, and it must be one that both are in.
    """
    web, eve = weekend.web, weekend.eve
    uin, gid = eve.memberOf("cats", weekend.alice), eve.groupCalled("cats").gid
    send = eve.protocol.sendStrangerMessage
    with pytest.raises(ValueError, match="either"):
        web.result(send(uin, "x"))
    with pytest.raises(ValueError, match="either"):
        web.result(send(uin, "x", group=gid, discussion=weekend.did))
    with pytest.raises(RequestRefused):
        web.result(send(uin, "x", discussion=weekend.did))
    session = web.state.sessions.online(eve.number)
    assert session is not None
    for number in (weekend.bob.number, eve.number):
        with pytest.raises(RequestRefused):
            web.result(send(session.sessionIds.uin(number), "x", group=gid))
    assert weekend.alice.heard == weekend.bob.heard == []


def test_signatures(weekend: Weekend) -> None:
    """
    A signature is good for one sender, one recipient and one place, and no
    longer than they share it.
    """
    web, alice, eve = weekend.web, weekend.alice, weekend.eve
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
        send(good, to=session.sessionIds.uin(weekend.bob.number))
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


def test_olderSignatures(weekend: Weekend) -> None:
    """
    Older clients ask for a discussion's signature in another way.
    """
    web, bob = weekend.web, weekend.bob
    uin = bob.uinOf(weekend.alice)
    asked = bob.protocol.transport.call(lambda t: GetSessionSig3(t, weekend.did, uin))
    signature = web.result(asked)
    web.result(
        bob.protocol.transport.call(
            lambda t: SendSessMsg2(t, uin, signature, 1, (Text("old"),), 1)
        )
    )
    web.settle()
    assert weekend.alice.heard == ["old"]


def test_signaturesAreKept(weekend: Weekend) -> None:
    """
    A signature is asked for once in five minutes.
    """
    web, eve = weekend.web, weekend.eve
    uin, gid = eve.memberOf("cats", weekend.alice), eve.groupCalled("cats").gid
    transport = eve.protocol.transport
    asked: list[object] = []
    call = transport.call

    def counting(make):  # type: ignore[no-untyped-def]
        def made(ticket):  # type: ignore[no-untyped-def]
            command = make(ticket)
            asked.append(type(command))
            return command

        return call(made)

    transport.call = counting  # type: ignore[method-assign]
    send = eve.protocol.sendStrangerMessage
    for wait in (0, 299, 0):
        web.settle(wait)
        web.result(send(uin, "x", group=gid))
    assert asked.count(GetC2cmsgSig2) == 1
    web.settle(2)
    web.result(send(uin, "x", group=gid))
    assert asked.count(GetC2cmsgSig2) == 2
    assert asked.count(SendSessMsg2) == 4
