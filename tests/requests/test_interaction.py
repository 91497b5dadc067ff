"""
Recalls, mutes, pokes and reactions, from the callback interface to the server and
back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.requests.interactionscene import Cats
from txwebqq.model import (
    RECENT_GROUP,
    DiscussionMessage,
    Face,
    GroupDetails,
    GroupMessage,
    GroupMute,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    Reaction,
    RecentContact,
    StrangerMessage,
    Text,
    Uin,
)
from txwebqq.requests.interaction import FOREVER
from txwebqq.server.domain.interaction.mutes import MAX_MUTE
from txwebqq.server.domain.interaction.recalls import RECALL_WITHIN
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson

NO_MESSAGE = "msg_id2 is not the id of a message in the history, or no longer"
TOO_LATE = "the message is older than 2 minutes"


@pytest.fixture
def cats() -> Cats:
    return Cats()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """
    Call to open the database of the test, as a server does that is started again.
    """
    stores: list[Store] = []

    def openAgain() -> Store:
        while stores:
            stores.pop().close()
        stores.append(Store(tmp_path / "q.db"))
        return stores[0]

    yield openAgain
    while stores:
        stores.pop().close()


# ---- recalls


@pytest.mark.parametrize("pause", [0, 5, RECALL_WITHIN])
def test_recall(cats: Cats, pause: int) -> None:
    """
    The sender recalls a message within two minutes: it is gone from the history,
    whether it was written to the database or not, and the others are told its id.
    """
    kept = cats.say(cats.carol, "kept")
    recalled = cats.say(cats.carol, "oops")
    cats.web.settle(pause)
    cats.recall(cats.carol, recalled)
    assert cats.history(cats.dave) == ["kept"]
    for person in (cats.alice, cats.bob, cats.dave):
        [recall] = cats.of(person, MessageRecalled)
        assert cats.idsOf(person) == [kept, recalled]
        assert (recall.id, recall.number) == (recalled, cats.number)
        assert recall.sender == recall.operator == person.memberOf("cats", cats.carol)
        assert recall.group == cats.gid(person)
        assert recall.code == cats.code(person)
        assert recall.time == int(cats.web.clock.seconds())
    assert cats.of(cats.carol, MessageRecalled) == []


def test_recallTooLate(cats: Cats) -> None:
    """
    After two minutes a member does not recall a message, but the owner and an
    administrator do, and its sender is told who did.
    """
    first, second = cats.say(cats.carol, "one"), cats.say(cats.carol, "two")
    cats.web.settle(RECALL_WITHIN + 1)
    protocol = cats.carol.protocol
    refused = cats.refusalOf(protocol.recallGroupMessage(cats.gid(cats.carol), first))
    assert refused.startswith(TOO_LATE)
    assert cats.history(cats.dave) == ["one", "two"]
    cats.recall(cats.alice, first)
    cats.recall(cats.bob, second)
    assert cats.history(cats.dave) == []
    recalls = cats.of(cats.carol, MessageRecalled)
    assert [recall.id for recall in recalls] == [first, second]
    assert {recall.sender for recall in recalls} == {Uin(cats.carol.number)}
    operators = [recall.operator for recall in recalls]
    admins = (cats.alice, cats.bob)
    assert operators == [cats.carol.memberOf("cats", admin) for admin in admins]
    assert [recall.id for recall in cats.of(cats.bob, MessageRecalled)] == [first]


def test_recallOfAdmin(cats: Cats) -> None:
    """
    The owner and administrators recall their own messages at any time.
    """
    said = [cats.say(person, "x") for person in (cats.alice, cats.bob)]
    cats.web.settle(RECALL_WITHIN * 2)
    for person, messageId in zip((cats.alice, cats.bob), said, strict=True):
        cats.recall(person, messageId)
    assert cats.history(cats.dave) == []


def test_recallOfOthers(cats: Cats) -> None:
    """
    A member recalls no message of another one, one that is no member recalls none,
    and nobody recalls one twice, or one of another conversation.
    """
    said = cats.say(cats.carol, "x")
    dave = cats.dave.protocol
    refusal = cats.refusalOf(dave.recallGroupMessage(cats.gid(cats.dave), said))
    assert "only its sender, the owner and administrators" in refusal
    refusal = cats.refusalOf(
        cats.eve.protocol.recallGroupMessage(cats.gid(cats.dave), said)
    )
    assert "group_uin is not the gid of a group of yours" in refusal
    carol, alice = cats.carol.protocol, cats.carol.uinOf(cats.alice)
    assert NO_MESSAGE in cats.refusalOf(carol.recallMessage(alice, said))
    cats.recall(cats.carol, said)
    again = carol.recallGroupMessage(cats.gid(cats.carol), said)
    assert NO_MESSAGE in cats.refusalOf(again)
    assert len(cats.of(cats.dave, MessageRecalled)) == 1


def test_recallFromFriend(cats: Cats) -> None:
    """
    The sender alone recalls a message to a friend.
    """
    alice, carol = cats.alice, cats.carol
    uin = alice.uinOf(carol)
    first = cats.idOf(alice.protocol.sendMessage(uin, "one"))
    second = cats.idOf(alice.protocol.sendMessage(uin, "two"))
    [message, _] = cats.of(carol, Message)
    refused = carol.protocol.recallMessage(message.sender, first)
    assert "only its sender can recall" in cats.refusalOf(refused)
    cats.web.result(alice.protocol.recallMessage(uin, first))
    [recall] = cats.of(carol, MessageRecalled)
    assert recall.sender == recall.operator == message.sender
    assert (recall.id, recall.group, recall.code, recall.number) == (first, 0, 0, 0)
    history = cats.web.result(carol.protocol.fetchHistory(message.sender))
    assert [each.text for each in history.messages] == ["two"]
    cats.web.settle(RECALL_WITHIN + 1)
    refused = alice.protocol.recallMessage(uin, second)
    assert TOO_LATE in cats.refusalOf(refused)


def test_recallFromStranger(cats: Cats) -> None:
    """
    So is one of a temporary chat.
    """
    carol, dave = cats.carol, cats.dave
    uin, gid = carol.memberOf("cats", dave), cats.gid(carol)
    sent = cats.idOf(carol.protocol.sendStrangerMessage(uin, "x", group=gid))
    cats.web.result(carol.protocol.recallMessage(uin, sent))
    [message] = cats.of(dave, StrangerMessage)
    [recall] = cats.of(dave, MessageRecalled)
    assert (recall.id, recall.sender) == (message.id, message.sender)


def test_recallBeforeDelivery(cats: Cats) -> None:
    """
    An account that was not given the message yet gets neither it nor its recall; what
    was sent before and after it, it does.
    """
    for person in (cats.dave, cats.eve):
        person.stop()
    uin = cats.alice.uinOf(cats.eve)
    for text in ("one", "oops", "two"):
        inGroup = cats.say(cats.carol, text)
        toEve = cats.idOf(cats.alice.protocol.sendMessage(uin, text))
        if text == "oops":
            cats.recall(cats.carol, inGroup)
            cats.web.result(cats.alice.protocol.recallMessage(uin, toEve))
    for person in (cats.dave, cats.eve):
        person.run()
        cats.web.settle()
        assert person.heard == ["one", "two"]
        assert cats.of(person, MessageRecalled) == []
    assert len(cats.of(cats.bob, MessageRecalled)) == 1
    assert cats.waiting == 0


def test_recallWithoutHistory(cats: Cats) -> None:
    """
    A server that keeps no history says that it recalls nothing.
    """
    cats.web.state.recorder.keep = 0
    said = cats.say(cats.carol, "x")
    recalled = cats.carol.protocol.recallGroupMessage(cats.gid(cats.carol), said)
    assert "this server keeps no history" in cats.refusalOf(recalled)


def test_recallOfMany(cats: Cats) -> None:
    """
    The id of the message decides, not its digits in a text.
    """
    one = cats.say(cats.carol, "one")
    cats.say(cats.carol, f",{one}] and [1,2,3,{one}]")
    cats.recall(cats.carol, one)
    assert cats.history(cats.dave) == [f",{one}] and [1,2,3,{one}]"]


def test_recallAfterRestart(opened: Callable[[], Store]) -> None:
    """
    A message that was sent before a restart is recalled, for those that were given it
    and those that were not; another event that has its serial number stays.
    """
    cats = Cats(opened())
    cats.dave.stop()
    given = cats.say(cats.carol, "oops")
    cats.web.stop()
    cats = Cats(opened(), isNew=False)
    cats.eve.stop()
    # Dave is given it now, so its serial number is free after the next restart.
    assert cats.waiting == 0
    cats.web.stop()
    cats = Cats(opened(), isNew=False)
    cats.eve.stop()
    cats.web.result(
        cats.alice.protocol.sendMessage(cats.alice.uinOf(cats.eve), "stays")
    )
    cats.recall(cats.carol, given)
    assert len(cats.of(cats.dave, MessageRecalled)) == 1
    cats.eve.run()
    cats.web.settle()
    assert cats.eve.heard == ["stays"]
    cats.web.stop()


def test_recallStored(opened: Callable[[], Store]) -> None:
    """
    A recall, a mute and a reaction wait for a member over a restart, in order.
    """
    cats = Cats(opened())
    said = cats.say(cats.carol, "oops")
    assert cats.idsOf(cats.dave) == [said]
    cats.dave.stop()
    react = cats.carol.protocol.setReaction(cats.gid(cats.carol), said, Face(14))
    cats.web.result(react)
    cats.recall(cats.carol, said)
    cats.mute(cats.bob, cats.carol, 60)
    cats.web.stop()
    cats = Cats(opened(), isNew=False)
    cats.dave.stop()
    assert cats.waiting == 0
    cats.web.stop()


def test_recallTooOften(cats: Cats) -> None:
    """
    Recalls count as messages for the rate limits.
    """
    cats.web.state.sendingLimiter.limits = SendingLimits()
    protocol, gid = cats.carol.protocol, cats.gid(cats.carol)
    limit = SendingLimits().conversation
    refusals = [
        cats.refusalOf(protocol.recallGroupMessage(gid, n + 1))
        for n in range(limit + 1)
    ]
    assert NO_MESSAGE in refusals[-2]
    assert "too many messages" in refusals[-1]


# ---- mutes


def forbidden(cats: Cats, person: MemoryPerson) -> list[str]:
    """
    Return the refusals of all that a muted member may not send.
    """
    protocol, gid = person.protocol, cats.gid(person)
    requests: list[Callable[[], Any]] = [
        lambda: protocol.sendGroupMessage(gid, "x"),
        lambda: protocol.shareInGroup(gid, "<x/>"),
        lambda: protocol.pokeMember(gid, person.memberOf("cats", cats.alice)),
        lambda: protocol.setReaction(gid, 5, Face(14)),
    ]
    return [cats.refusalOf(request()) for request in requests]


def test_mute(cats: Cats) -> None:
    """
    A muted member sends nothing to the group until the time is over, and is told when
    that is; all members get a notice of the mute, and none of its end.
    """
    cats.mute(cats.bob, cats.carol, 600)
    for person in cats.people[:4]:
        [mute] = cats.of(person, MemberMuted)
        assert mute.member == person.memberOf("cats", cats.carol)
        assert mute.operator == person.memberOf("cats", cats.bob)
        assert (mute.seconds, mute.number) == (600, cats.number)
        assert (mute.group, mute.code) == (cats.gid(person), cats.code(person))
    assert cats.of(cats.eve, MemberMuted) == []
    for refusal in forbidden(cats, cats.carol):
        assert refusal == (
            "you are muted in the group until 2013-04-15 05:43:20 UTC (retcode 113)"
        )
    cats.web.result(cats.carol.protocol.sendMessage(cats.carol.uinOf(cats.alice), "hi"))
    cats.say(cats.dave, "we go on")
    cats.web.settle(599)
    assert len(forbidden(cats, cats.carol)) == 4
    cats.web.settle(1)
    cats.say(cats.carol, "again")
    assert cats.dave.heard == ["again"]
    assert len(cats.of(cats.dave, MemberMuted)) == 1


def test_unmute(cats: Cats) -> None:
    """
    The end of a mute is a notice; ending one that there is not is none.
    """
    cats.mute(cats.alice, cats.carol, 600)
    for _ in range(2):
        cats.mute(cats.bob, cats.carol, 0)
    cats.say(cats.carol, "again")
    mutes = cats.of(cats.carol, MemberMuted)
    assert [mute.seconds for mute in mutes] == [600, 0]


def test_muteLonger(cats: Cats) -> None:
    """
    A mute replaces the one before.
    """
    cats.mute(cats.alice, cats.carol, 60)
    cats.mute(cats.alice, cats.carol, 10)
    cats.web.settle(10)
    cats.say(cats.carol, "again")


def test_mayMute(cats: Cats) -> None:
    """
    The owner mutes all others, an administrator members only, a member nobody.
    """
    cats.mute(cats.alice, cats.bob, 60)
    assert len(forbidden(cats, cats.bob)) == 4
    cats.mute(cats.alice, cats.bob, 0)
    makeAdmin = cats.alice.protocol.setAdmin(
        cats.code(cats.alice), cats.alice.memberOf("cats", cats.dave), True
    )
    cats.web.result(makeAdmin)
    for person, member, reason in (
        (cats.bob, cats.dave, "only the owner may do that"),
        (cats.bob, cats.alice, "the owner cannot be muted"),
        (cats.alice, cats.alice, "the owner cannot be muted"),
        (cats.carol, cats.bob, "only the owner and administrators may do that"),
    ):
        uin = person.memberOf("cats", member)
        muted = person.protocol.muteMember(cats.code(person), uin, 60)
        assert reason in cats.refusalOf(muted)
    protocol, code = cats.bob.protocol, cats.code(cats.bob)
    stranger = protocol.muteMember(code, cats.alice.uinOf(cats.eve), 60)
    assert "muin is not the uin of a member" in cats.refusalOf(stranger)
    carol = cats.bob.memberOf("cats", cats.carol)
    tooLong = protocol.muteMember(code, carol, MAX_MUTE + 1)
    assert "seconds is more than 2592000 (30 days)" in cats.refusalOf(tooLong)
    for uin in (carol, Uin(0)):
        negative = protocol.muteMember(code, uin, -1)
        assert "seconds is below 0" in cats.refusalOf(negative)
    cats.mute(cats.bob, cats.carol, MAX_MUTE)


def test_muteOfOwner(cats: Cats) -> None:
    """
    A muted member who is made the owner is muted no longer.
    """
    cats.mute(cats.alice, cats.carol, 600)
    cats.muteAll(cats.alice, True)
    uin = cats.alice.memberOf("cats", cats.carol)
    protocol = cats.alice.protocol
    cats.web.result(protocol.transferGroup(cats.code(cats.alice), uin))
    cats.say(cats.carol, "mine")
    assert cats.dave.heard == ["mine"]


def test_muteGroup(cats: Cats) -> None:
    """
    A mute of all members spares the owner and administrators, and lasts until it is
    ended.
    """
    cats.muteAll(cats.bob, True)
    [mute] = cats.of(cats.carol, MemberMuted)
    assert (mute.member, mute.seconds) == (0, FOREVER)
    cats.web.settle(700)
    for refusal in forbidden(cats, cats.carol):
        assert refusal.startswith("all members but the owner and administrators")
    cats.say(cats.alice, "owner")
    cats.say(cats.bob, "administrator")
    cats.muteAll(cats.alice, False)
    cats.say(cats.carol, "member")
    assert cats.dave.heard == ["owner", "administrator", "member"]
    assert [each.seconds for each in cats.of(cats.carol, MemberMuted)] == [FOREVER, 0]


def test_muteStored(opened: Callable[[], Store]) -> None:
    """
    Mutes survive a restart, until their time is over.
    """
    cats = Cats(opened())
    cats.mute(cats.alice, cats.carol, 90)
    cats.web.stop()
    cats = Cats(opened(), isNew=False)
    assert len(forbidden(cats, cats.carol)) == 4
    cats.web.settle(90)
    cats.say(cats.carol, "again")
    cats.web.stop()


@pytest.mark.parametrize("isRemoved", [True, False])
def test_muteLeft(cats: Cats, isRemoved: bool) -> None:
    """
    The mute of a member ends when the member leaves or is removed.
    """
    cats.mute(cats.alice, cats.carol, 90)
    if isRemoved:
        uin = cats.alice.memberOf("cats", cats.carol)
        protocol = cats.alice.protocol
        cats.web.result(protocol.removeMember(cats.code(cats.alice), uin))
    else:
        cats.web.result(cats.carol.protocol.leaveGroup(cats.code(cats.carol)))
    groups = cats.web.state.store.groups
    groups.addMember(cats.number, cats.carol.number)
    cats.carol.stop()
    cats.carol.run()
    cats.say(cats.carol, "again")


# ---- pokes and reactions


def test_poke(cats: Cats) -> None:
    """
    All members that are online see a poke but its sender; one that was offline does
    not learn of it later.
    """
    cats.dave.stop()
    protocol = cats.carol.protocol
    target = cats.carol.memberOf("cats", cats.bob)
    cats.web.result(protocol.pokeMember(cats.gid(cats.carol), target))
    for person in (cats.alice, cats.bob):
        [poke] = cats.of(person, MemberPoked)
        assert poke.sender == person.memberOf("cats", cats.carol)
        assert poke.target == person.memberOf("cats", cats.bob)
        assert (poke.group, poke.number) == (cats.gid(person), cats.number)
        assert poke.time == int(cats.web.clock.seconds())
    assert cats.of(cats.carol, MemberPoked) == []
    cats.dave.run()
    assert cats.of(cats.dave, MemberPoked) == []
    eve = cats.alice.uinOf(cats.eve)
    refused = cats.alice.protocol.pokeMember(cats.gid(cats.alice), eve)
    assert "muin is not the uin of a member" in cats.refusalOf(refused)
    refused = cats.eve.protocol.pokeMember(cats.gid(cats.alice), eve)
    assert "group_uin is not the gid of a group of yours" in cats.refusalOf(refused)


def test_pokeTooOften(cats: Cats) -> None:
    """
    Pokes have the limit of other signals.
    """
    cats.web.state.sendingLimiter.limits = SendingLimits()
    protocol, gid = cats.carol.protocol, cats.gid(cats.carol)
    target = cats.carol.memberOf("cats", cats.bob)
    for _ in range(SendingLimits().signals):
        cats.web.result(protocol.pokeMember(gid, target))
    refused = protocol.pokeMember(gid, target)
    assert "too many messages in a minute" in cats.refusalOf(refused)


@pytest.mark.parametrize(
    "face", [Face(14), Face(0), Text("👍"), Text("👩\u200d👩\u200d👧"), Text("1\ufe0f⃣")]
)
def test_reaction(cats: Cats, face: Face | Text) -> None:
    """
    A reaction reaches all other members, offline ones later, and behind the message;
    it is set and taken back as often as the client says so.
    """
    cats.dave.stop()
    said = cats.say(cats.carol, "x")
    protocol, gid = cats.bob.protocol, cats.gid(cats.bob)
    for isSet in (True, True, False):
        cats.web.result(protocol.setReaction(gid, said, face, isSet))
    cats.dave.run()
    for person in (cats.alice, cats.carol, cats.dave):
        reactions = cats.of(person, Reaction)
        assert [each.isSet for each in reactions] == [True, True, False]
        assert {each.face for each in reactions} == {face}
        assert {each.id for each in reactions} == {said}
        assert {e.sender for e in reactions} == {person.memberOf("cats", cats.bob)}
        assert {each.group for each in reactions} == {cats.gid(person)}
    assert isinstance(cats.dave.events[-4], GroupMessage)
    assert cats.of(cats.bob, Reaction) == []


def test_rememberedReactions(opened: Callable[[], Store]) -> None:
    """
    The history has the reactions of members, also after a restart of the server, until
    they are taken back or the message is recalled.
    """
    cats = Cats(opened())
    said = cats.say(cats.alice, "five o'clock?")
    heart = Text("\u2665")

    def react(person: MemoryPerson, face: Face | Text, isSet: bool = True) -> None:
        gid = cats.gid(person)
        cats.web.result(person.protocol.setReaction(gid, said, face, isSet))

    def seen(person: MemoryPerson) -> list[tuple[Face | Text, list[Uin]]]:
        contact = RecentContact(RECENT_GROUP, person.groupCalled("cats").code)
        past = cats.web.result(person.protocol.fetchMessages(contact)).messages[-1]
        return [(each.face, list(each.uins)) for each in past.reactions]

    react(cats.bob, heart)
    react(cats.bob, heart)
    react(cats.carol, heart)
    react(cats.carol, Face(14))
    react(cats.alice, Face(14))
    react(cats.alice, Face(14), isSet=False)
    cats.web.stop()
    cats = Cats(opened(), isNew=False)
    bob, carol = (cats.alice.memberOf("cats", each) for each in (cats.bob, cats.carol))
    assert seen(cats.alice) == [(heart, [bob, carol]), (Face(14), [carol])]
    assert cats.web.state.store.reactions.of(cats.number, [said, 5]).keys() == {said}
    cats.recall(cats.alice, said)
    assert cats.web.state.store.reactions.of(cats.number, [said]) == {}
    cats.web.stop()


def test_reactionAsStr(cats: Cats) -> None:
    """
    An emoji may be given as a C{str}, like the text of a message.
    """
    said = cats.say(cats.carol, "x")
    protocol, gid = cats.bob.protocol, cats.gid(cats.bob)
    cats.web.result(protocol.setReaction(gid, said, "👍"))
    assert [each.face for each in cats.of(cats.alice, Reaction)] == [Text("👍")]


@pytest.mark.parametrize("emoji", ["a b", "\x02", "a\nb", "\u2028", "x" * 65, ""])
def test_noEmoji(cats: Cats, emoji: str) -> None:
    """
    A text with spaces or control characters is no reaction, nor is a long one.
    """
    protocol, gid = cats.bob.protocol, cats.gid(cats.bob)
    refusal = cats.refusalOf(protocol.setReaction(gid, 5, Text(emoji)))
    assert "face" in refusal
    assert "100003" in refusal
    assert cats.of(cats.alice, Reaction) == []


def test_discussions(cats: Cats) -> None:
    """
    Messages in discussions cannot be recalled: no request names them.
    """
    did = cats.web.discussion("trip", cats.alice, cats.bob, cats.carol)
    sent = cats.idOf(cats.alice.protocol.sendDiscussionMessage(did, "x"))
    assert len(cats.of(cats.bob, DiscussionMessage)) == 1
    refused = cats.alice.protocol.recallGroupMessage(cats.gid(cats.alice), sent)
    assert NO_MESSAGE in cats.refusalOf(refused)


def test_mutesInDetails(cats: Cats) -> None:
    """
    The details of a group have the mutes that last, with the rest of their lengths.
    """
    alice, web = cats.alice, cats.web
    code, carol = cats.code(alice), alice.memberOf("cats", cats.carol)

    def mutes() -> tuple[GroupMute, ...]:
        details: GroupDetails = web.result(alice.protocol.fetchGroup(code))
        return details.mutes

    web.result(alice.protocol.muteMember(code, carol, 60))
    web.result(alice.protocol.muteGroup(code, True))
    web.clock.advance(20)
    assert mutes() == (GroupMute(Uin(0), FOREVER), GroupMute(carol, 40))
    web.result(alice.protocol.muteGroup(code, False))
    web.clock.advance(40)
    assert mutes() == ()
