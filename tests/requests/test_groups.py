"""
Groups, from the callback interface to the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from txwebqq.errors import CaptchaNeeded, MessageTooLong, RequestRefused
from txwebqq.model import (
    DISSOLVED,
    LEFT_ALONE,
    MAY_JOIN,
    MAY_NOT_JOIN,
    OWNER_CHANGED,
    REMOVED,
    BusinessCard,
    Captcha,
    CardChanged,
    Code,
    FriendshipNotice,
    FriendshipStep,
    GroupEdited,
    GroupMessage,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
    JoinRequestAnswered,
    Member,
    Status,
    Uin,
)
from txwebqq.protocol import WebQQFactory
from txwebqq.server.records import GroupEntry, GroupRecord, Population
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ, RecordingProtocol

ODD = "'; DROP TABLE room; -- \"\\ %_ <script> 😀 عربى end"


class Reader(RecordingProtocol):
    """
    Reads the captchas of L{MemoryWebQQ}.
    """

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        return succeed(MemoryWebQQ.captchaText)


class Reading(WebQQFactory):
    protocol = Reader


class Cats:
    """
    A group of three members, and an account that is no member.
    """

    def __init__(self, captcha: CaptchaMode = CaptchaMode.NEVER) -> None:
        self.web = MemoryWebQQ(captcha)
        self.alice, self.bob, self.carol, self.dave = (
            self.web.person(nick) for nick in ("Alice", "Bob", "Carol", "Dave")
        )
        self.number = self.web.group("cats", self.alice, self.bob, self.carol)
        if captcha is CaptchaMode.NEVER:
            for person in (self.alice, self.bob, self.carol, self.dave):
                person.run()

    def code(self, person: MemoryPerson) -> Code:
        return person.groupCalled("cats").code

    def members(self, person: MemoryPerson) -> dict[str, Member]:
        details = self.web.result(person.protocol.fetchGroup(self.code(person)))
        return {member.nick: member for member in details.members}

    def find(self, person: MemoryPerson) -> Code:
        found = self.web.result(person.protocol.searchGroups(str(self.number)))
        return found.groups[0].code

    def makeAdmin(self, person: MemoryPerson) -> None:
        uin = self.alice.memberOf("cats", person)
        self.web.result(self.alice.protocol.setAdmin(self.code(self.alice), uin))


@pytest.fixture
def cats() -> Cats:
    return Cats()


def notices(person: MemoryPerson) -> list[GroupNotice]:
    """
    List the group notices that an account has received.
    """
    return [event for event in person.events if isinstance(event, GroupNotice)]


def steps(person: MemoryPerson) -> list[GroupStep]:
    return [notice.step for notice in notices(person)]


# ---- in


def test_joining(cats: Cats) -> None:
    """
    An administrator accepts a request to join; all accounts concerned are told,
    and the lists of the new member and of the other members are up to date.
    """
    web, alice, dave = cats.web, cats.alice, cats.dave
    code = cats.find(dave)
    web.result(dave.protocol.joinGroup(code, ODD))
    [request] = notices(alice)
    assert (request.step, request.text) == (GroupStep.REQUESTED, ODD)
    assert request.number == cats.number
    assert request.memberNumber == dave.number
    assert web.result(alice.protocol.fetchNumber(request.member)) == dave.number
    assert notices(cats.bob) == []
    assert not dave.protocol.groups

    web.result(alice.protocol.answerJoinRequest(request, True, "welcome"))
    web.settle()
    [agreed] = notices(dave)
    assert (agreed.step, agreed.text) == (GroupStep.AGREED, "welcome")
    assert dave.groupCalled("cats").code == code
    for person in (alice, cats.bob, cats.carol):
        joined = notices(person)[-1]
        assert joined.step is GroupStep.JOINED
        assert joined.memberNumber == dave.number
        assert joined.adminTitle == "创建者"
        assert "Dave" in cats.members(person)
    dave.tellGroup("cats", "hello")
    web.settle()
    assert cats.bob.heard == ["hello"]


def test_joiningWhileOffline(cats: Cats) -> None:
    """
    A request waits for an owner who is offline, and the answer for the account
    that asked.
    """
    web, alice, dave = cats.web, cats.alice, cats.dave
    alice.stop()
    web.result(dave.protocol.joinGroup(cats.find(dave), "please"))
    dave.stop()
    alice.run()
    web.settle()
    [request] = notices(alice)
    web.result(alice.protocol.answerJoinRequest(request, False, "no"))
    dave.run()
    web.settle()
    [denied] = notices(dave)
    assert (denied.step, denied.text) == (GroupStep.DENIED, "no")
    assert not dave.protocol.groups


def test_answeringOnce(cats: Cats) -> None:
    """
    A request can be answered once, and asked again only then.
    """
    web, alice, dave = cats.web, cats.alice, cats.dave
    code = cats.find(dave)
    for _ in range(2):
        web.result(dave.protocol.joinGroup(code))
    [request] = notices(alice)
    web.result(alice.protocol.answerJoinRequest(request, False))
    with pytest.raises(RequestRefused, match="req_uin"):
        web.result(alice.protocol.answerJoinRequest(request, True))
    web.result(dave.protocol.joinGroup(code))
    assert len(notices(alice)) == 2


def test_otherAdministrators(cats: Cats) -> None:
    """
    Administrators hear who has answered a request, and how; members do not.
    """
    web, alice, bob, dave = cats.web, cats.alice, cats.bob, cats.dave
    cats.makeAdmin(bob)
    for agrees in (False, True):
        web.result(dave.protocol.joinGroup(cats.find(dave)))
        web.result(bob.protocol.answerJoinRequest(notices(bob)[-1], agrees))
    web.settle()
    for person in (alice, bob):
        answers = [e for e in person.events if isinstance(e, JoinRequestAnswered)]
        assert [answer.isAccepted for answer in answers] == [False, True]
        [answer, _] = answers
        assert answer.number == cats.number
        for uin, number in (
            (answer.applicant, dave.number),
            (answer.operator, bob.number),
        ):
            assert web.result(person.protocol.fetchNumber(uin)) == number
    assert not any(isinstance(e, JoinRequestAnswered) for e in cats.carol.events)


def test_unansweredRequests(cats: Cats) -> None:
    """
    An administrator who signs on again is given the requests that wait for an answer
    once more, with ids by which they are answered; those that are answered no longer.
    """
    web, alice, dave = cats.web, cats.alice, cats.dave
    web.result(dave.protocol.joinGroup(cats.find(dave), ODD))
    profile = web.result(dave.protocol.searchNumber(alice.number))
    web.result(dave.protocol.requestFriendship(alice.number, "hi", found=profile))
    alice.stop()
    alice.run()
    asked, joins = web.result(alice.protocol.fetchRequests())
    assert isinstance(asked, FriendshipNotice)
    assert isinstance(joins, GroupNotice)
    assert (asked.step, asked.number, asked.text) == (
        FriendshipStep.REQUESTED,
        dave.number,
        "hi",
    )
    assert (joins.step, joins.number, joins.text) == (
        GroupStep.REQUESTED,
        cats.number,
        ODD,
    )
    assert joins.memberNumber == dave.number
    assert web.result(cats.bob.protocol.fetchRequests()) == ()
    web.result(alice.protocol.answerJoinRequest(joins, True))
    web.result(alice.protocol.acceptFriendship(asked))
    assert web.result(alice.protocol.fetchRequests()) == ()


def test_noInvitations(cats: Cats) -> None:
    """
    Servers of WebQQ have no invitations, and refuse the answer to one.
    """
    web, alice = cats.web, cats.alice
    group = alice.groupCalled("cats")
    invitation = GroupNotice(
        GroupStep.INVITED, group.gid, group.code, cats.number, admin=Uin(1)
    )
    for accept in (True, False):
        with pytest.raises(RequestRefused):
            web.result(alice.protocol.answerInvitation(invitation, accept))


def test_answeringIsForAdmins(cats: Cats) -> None:
    """
    A member who is no administrator cannot accept a request, nor can an account
    outside; an administrator can.
    """
    web, bob, dave = cats.web, cats.bob, cats.dave
    cats.makeAdmin(bob)
    web.result(dave.protocol.joinGroup(cats.find(dave)))
    request = notices(bob)[-1]
    assert request.step is GroupStep.REQUESTED
    assert GroupStep.REQUESTED not in steps(cats.carol)
    forged = replace(
        request, group=cats.carol.groupCalled("cats").gid, member=request.member
    )
    for stranger in (cats.carol, dave):
        with pytest.raises(RequestRefused, match="administer"):
            web.result(stranger.protocol.answerJoinRequest(forged, True))
    web.result(bob.protocol.answerJoinRequest(request, True))
    assert notices(cats.carol)[-1].adminTitle == "管理员"


def test_openGroup(cats: Cats) -> None:
    """
    A group that every account may join accepts at once; a group that no account
    may join is not found.
    """
    web, alice, dave = cats.web, cats.alice, cats.dave
    code = cats.find(dave)
    edit = alice.protocol.editGroup
    web.result(edit(cats.code(alice), option=MAY_NOT_JOIN))
    assert web.result(dave.protocol.searchGroups("cats")).total == 0
    with pytest.raises(RequestRefused, match="can be joined"):
        web.result(dave.protocol.joinGroup(code))
    with pytest.raises(RequestRefused, match="can be joined"):
        web.result(dave.protocol.fetchGroupProfile(code))
    web.result(edit(cats.code(alice), option=MAY_JOIN))
    web.result(dave.protocol.joinGroup(code))
    web.settle()
    assert steps(dave) == [GroupStep.AGREED]
    assert dave.groupCalled("cats").code == code
    with pytest.raises(RequestRefused, match="you are in that group"):
        web.result(dave.protocol.joinGroup(code))


def test_joiningText(cats: Cats) -> None:
    """
    A text that is too long is refused with a name and a limit.
    """
    with pytest.raises(MessageTooLong):
        cats.web.result(
            cats.dave.protocol.joinGroup(cats.find(cats.dave), "x" * 20_000)
        )
    assert notices(cats.alice) == []


# ---- searching


def test_search(cats: Cats) -> None:
    """
    Groups are found by number and by words, page by page, and what is special
    to a database is not to a search.
    """
    web, dave = cats.web, cats.dave
    for n in range(12):
        web.group(f"many {n:02}", cats.alice)
    odd = web.group(ODD, cats.alice)
    search = dave.protocol.searchGroups
    first, second = (web.result(search("many", page)) for page in (1, 2))
    assert (first.total, first.page, len(first.groups)) == (12, 1, 10)
    assert [group.name for group in second.groups] == ["many 10", "many 11"]
    [found] = web.result(search("%_")).groups
    assert (found.number, found.name, found.owner) == (odd, ODD, cats.alice.number)
    [found] = web.result(search(str(odd))).groups
    assert found.name == ODD
    for nothing in ("", "  ", "nothing like it", "9" * 30):
        assert web.result(search(nothing)).groups == ()
    for length in (200, 20_000):
        with pytest.raises(MessageTooLong):
            web.result(search("x" * length))


def test_profile(cats: Cats) -> None:
    """
    An account outside sees the profile of a group, but not its announcement.
    """
    web = cats.web
    web.result(
        cats.alice.protocol.editGroup(
            cats.code(cats.alice), notice="for us", description="for all"
        )
    )
    profile = web.result(cats.dave.protocol.fetchGroupProfile(cats.find(cats.dave)))
    assert (profile.name, profile.description, profile.memo) == ("cats", "for all", "")
    assert profile.memberCount == 3
    inside = web.result(cats.bob.protocol.fetchGroupProfile(cats.code(cats.bob)))
    assert inside.memo == "for us"


def test_captcha() -> None:
    """
    A server that wants captchas wants them for searching and joining; a wrong
    one is refused and none is good twice.
    """
    cats = Cats(CaptchaMode.ALWAYS)
    web, dave = cats.web, cats.dave
    dave.run(Reading())
    protocol = dave.protocol
    with pytest.raises(CaptchaNeeded) as raised:
        web.result(protocol.searchGroups("cats"))
    assert raised.value.retcode == 100110
    captcha = web.result(protocol.fetchCaptcha())
    assert captcha.image.startswith(b"\xff\xd8\xff")
    with pytest.raises(CaptchaNeeded) as raised:
        web.result(protocol.searchGroups("cats", captcha=replace(captcha, text="-")))
    assert raised.value.retcode == 100102

    captcha = replace(web.result(protocol.fetchCaptcha()), text=web.captchaText)
    [found] = web.result(protocol.searchGroups("cats", captcha=captcha)).groups
    for wrong, retcode in ((Captcha(), 1000), (captcha, 1001)):
        with pytest.raises(CaptchaNeeded) as raised:
            web.result(protocol.joinGroup(found.code, captcha=wrong))
        assert raised.value.retcode == retcode
    captcha = replace(web.result(protocol.fetchCaptcha()), text=web.captchaText)
    web.result(protocol.joinGroup(found.code, captcha=captcha))
    cats.alice.run(Reading())
    web.settle()
    assert steps(cats.alice) == [GroupStep.REQUESTED]


# ---- out


def test_leaving(cats: Cats) -> None:
    """
    A member who leaves is removed from all lists and gets no further events,
    and the others are told.
    """
    web, bob = cats.web, cats.bob
    gid, code = bob.groupCalled("cats").gid, cats.code(bob)
    web.result(bob.protocol.leaveGroup(code))
    assert not bob.protocol.groups
    assert notices(bob) == []
    for person in (cats.alice, cats.carol):
        [left] = notices(person)
        assert (left.step, left.operation) == (GroupStep.LEFT, LEFT_ALONE)
        assert left.memberNumber == bob.number
        assert set(cats.members(person)) == {"Alice", "Carol"}
    cats.alice.tellGroup("cats", "is he gone?")
    web.settle()
    assert bob.heard == []
    asked: tuple[Deferred[Any], ...] = (
        bob.protocol.sendGroupMessage(gid, "hello?"),
        bob.protocol.fetchGroup(code),
        bob.protocol.leaveGroup(code),
    )
    for ask in asked:
        with pytest.raises(RequestRefused):
            web.result(ask)


def test_ownerCannotLeave(cats: Cats) -> None:
    """
    An owner gives a group away before leaving it.
    """
    web, alice = cats.web, cats.alice
    code = cats.code(alice)
    with pytest.raises(RequestRefused, match="owner"):
        web.result(alice.protocol.leaveGroup(code))
    heir = alice.memberOf("cats", cats.bob)
    web.result(alice.protocol.transferGroup(code, heir))
    for person in (alice, cats.bob, cats.carol):
        [changed] = notices(person)
        assert (changed.step, changed.operation) == (GroupStep.ADMIN, OWNER_CHANGED)
        former = web.result(person.protocol.fetchNumber(changed.previous))
        numbers = (former, changed.memberNumber)
        assert numbers == (alice.number, cats.bob.number)
    web.result(alice.protocol.leaveGroup(code))
    details = web.result(cats.bob.protocol.fetchGroup(cats.code(cats.bob)))
    assert int(details.owner) == int(cats.bob.number)


def test_removing(cats: Cats) -> None:
    """
    A removed member is told so, and may ask to join again.
    """
    web, alice, bob = cats.web, cats.alice, cats.bob
    web.result(
        alice.protocol.removeMember(cats.code(alice), alice.memberOf("cats", bob))
    )
    web.settle()
    for person in (alice, bob, cats.carol):
        [left] = notices(person)
        assert (left.step, left.operation) == (GroupStep.LEFT, REMOVED)
        assert (left.memberNumber, left.adminTitle) == (bob.number, "创建者")
    assert not bob.protocol.groups
    web.result(bob.protocol.joinGroup(cats.find(bob)))
    web.result(alice.protocol.answerJoinRequest(notices(alice)[-1], True))
    web.settle()
    bob.tellGroup("cats", "back again")


def test_dissolving(cats: Cats) -> None:
    """
    A dissolved group is removed for all members, also for those that were
    offline, and a population file does not restore it.
    """
    web, alice = cats.web, cats.alice
    cats.carol.stop()
    web.result(alice.protocol.dissolveGroup(cats.code(alice)))
    web.settle()
    cats.carol.run()
    web.settle()
    for person in (alice, cats.bob, cats.carol):
        [left] = notices(person)
        assert (left.step, left.operation) == (GroupStep.LEFT, DISSOLVED)
        assert left.member == Uin(person.number)
        assert not person.protocol.groups
        assert web.result(person.protocol.fetchGroups()).groups == {}
    assert web.result(cats.dave.protocol.searchGroups("cats")).total == 0
    assert web.state.store.groups.get(cats.number) is None


# ---- administration


def test_admins(cats: Cats) -> None:
    """
    Administrators are made and unmade by the owner, and everybody is told.
    """
    web, alice = cats.web, cats.alice
    cats.makeAdmin(cats.bob)
    assert cats.members(cats.carol)["Bob"].isAdmin
    uin = alice.memberOf("cats", cats.bob)
    for _ in range(2):
        web.result(alice.protocol.setAdmin(cats.code(alice), uin, granted=False))
    assert not cats.members(cats.carol)["Bob"].isAdmin
    for person in (alice, cats.bob, cats.carol):
        operations = [(n.step, n.operation, n.memberNumber) for n in notices(person)]
        bob = cats.bob.number
        assert operations == [
            (GroupStep.ADMIN, 1, bob),
            (GroupStep.ADMIN, 0, bob),
        ]


def test_powers(cats: Cats) -> None:
    """
    No member can do in a group more than the role allows.
    """
    web, alice, bob, carol = cats.web, cats.alice, cats.bob, cats.carol
    cats.makeAdmin(bob)
    told = {p.nick: len(notices(p)) for p in (alice, bob, carol)}

    def refused(person: MemoryPerson, victim: MemoryPerson, *names: str) -> None:
        code, uin = cats.code(person), person.memberOf("cats", victim)
        protocol = person.protocol
        asks = {
            "remove": lambda: protocol.removeMember(code, uin),
            "admin": lambda: protocol.setAdmin(code, uin),
            "unadmin": lambda: protocol.setAdmin(code, uin, granted=False),
            "transfer": lambda: protocol.transferGroup(code, uin),
            "dissolve": lambda: protocol.dissolveGroup(code),
            "edit": lambda: protocol.editGroup(code, name="mine"),
        }
        for name in names:
            with pytest.raises(RequestRefused):
                web.result(asks[name]())

    refused(carol, bob, "remove", "admin", "unadmin", "transfer", "dissolve", "edit")
    refused(bob, alice, "remove", "admin", "unadmin", "transfer", "dissolve")
    refused(bob, bob, "remove")
    refused(alice, alice, "remove", "admin", "unadmin", "transfer")
    assert set(cats.members(alice)) == {"Alice", "Bob", "Carol"}
    assert told == {p.nick: len(notices(p)) for p in (alice, bob, carol)}
    cats.makeAdmin(carol)
    refused(bob, carol, "remove")
    web.result(
        alice.protocol.setAdmin(
            cats.code(alice), alice.memberOf("cats", carol), granted=False
        )
    )
    web.result(bob.protocol.removeMember(cats.code(bob), bob.memberOf("cats", carol)))
    assert set(cats.members(alice)) == {"Alice", "Bob"}


def test_strangersPowers(cats: Cats) -> None:
    """
    An account outside that knows a group's code sees and changes nothing of it.
    """
    web, protocol = cats.web, cats.dave.protocol
    code = cats.find(cats.dave)
    session = web.state.sessions.online(cats.dave.number)
    assert session is not None
    uin, gid = (
        session.sessionIds.uin(cats.bob.number),
        session.sessionIds.gid(cats.number),
    )
    asks: tuple[Callable[[], Deferred[Any]], ...] = (
        lambda: protocol.fetchGroup(code),
        lambda: protocol.fetchGroupNotice(code),
        lambda: protocol.fetchGroupPresence(code),
        lambda: protocol.fetchOwnCard(code),
        lambda: protocol.setGroupCard(code, "x"),
        lambda: protocol.setGroupMarkname(code, "x"),
        lambda: protocol.leaveGroup(code),
        lambda: protocol.editGroup(code, name="x"),
        lambda: protocol.removeMember(code, uin),
        lambda: protocol.setAdmin(code, uin),
        lambda: protocol.transferGroup(code, uin),
        lambda: protocol.dissolveGroup(code),
        lambda: protocol.sendGroupMessage(gid, "x"),
        lambda: protocol.shareInGroup(gid, "x"),
        lambda: protocol.sendStrangerMessage(uin, "x", group=gid),
    )
    for ask in asks:
        with pytest.raises(RequestRefused) as raised:
            web.result(ask())
        assert raised.value.retcode == 100001
    web.result(protocol.setGroupMask(gid, 2))
    assert cats.bob.events == []
    assert set(cats.members(cats.alice)) == {"Alice", "Bob", "Carol"}


def test_creating() -> None:
    """
    A new group has its owner and the friends that were named, each is told, and
    no other account can be put into it.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    eve = web.person("Eve")
    web.group("cats", alice, eve)
    for person in (alice, bob, eve):
        person.run()
    create = alice.protocol.createGroup
    group = web.result(create(ODD, [alice.uinOf(bob)], notice="first", description="d"))
    web.settle()
    assert [(n.step, n.member) for n in notices(alice)] == [
        (GroupStep.CREATED, Uin(alice.number))
    ]
    [joined] = notices(bob)
    assert (joined.step, joined.member) == (GroupStep.JOINED, Uin(bob.number))
    assert alice.groupCalled(ODD).gid == group.gid
    bob.tellGroup(ODD, "hi")
    web.settle()
    [heard] = [e for e in alice.events if isinstance(e, GroupMessage)]
    assert heard.number == group.number
    assert web.result(alice.protocol.fetchGroupNotice(group.code)) == "first"
    with pytest.raises(RequestRefused, match="no friend"):
        web.result(create("x", [alice.memberOf("cats", eve)]))
    with pytest.raises(RequestRefused, match="name is empty"):
        web.result(create("  "))
    with pytest.raises(RequestRefused, match="invisible"):
        web.result(create("dogs\u202e"))
    with pytest.raises(RequestRefused, match="option"):
        web.result(create("x", option=9))
    with pytest.raises(MessageTooLong):
        web.result(create("x" * 20_000))
    assert notices(eve) == []
    another = web.result(create("dogs"))
    assert another.number > group.number


# ---- what one keeps


def test_cards(cats: Cats) -> None:
    """
    A card is seen by the others, member by member, and gone with its owner.
    """
    web, bob = cats.web, cats.bob
    code = cats.code(bob)
    assert web.result(bob.protocol.fetchOwnCard(code)) is None
    web.result(bob.protocol.setGroupCard(code, ODD, phone="1", gender=0))
    web.result(bob.protocol.setGroupCard(code, email="bob@example.com"))
    assert web.result(bob.protocol.fetchOwnCard(code)) == BusinessCard(
        ODD, "1", "bob@example.com", "", 0
    )
    assert cats.members(cats.carol)["Bob"].card == ODD
    assert web.result(cats.carol.protocol.fetchOwnCard(cats.code(cats.carol))) is None
    with pytest.raises(MessageTooLong):
        web.result(bob.protocol.setGroupCard(code, "x" * 20_000))
    web.result(bob.protocol.setGroupCard(code, name=""))
    assert cats.members(cats.carol)["Bob"].name == "Bob"


def test_markname(cats: Cats) -> None:
    """
    An account's markname for a group is seen by that account only.
    """
    web, bob = cats.web, cats.bob
    web.result(bob.protocol.setGroupMarkname(cats.code(bob), ODD))
    assert bob.groupCalled("cats").markname == ODD
    bob.stop()
    bob.run()
    assert bob.groupCalled("cats").markname == ODD
    assert cats.alice.groupCalled("cats").markname == ""


def test_masks(cats: Cats) -> None:
    """
    A blocked group's messages do not come and are not kept; quiet ones come.
    """
    web, alice, bob = cats.web, cats.alice, cats.bob
    gid = bob.groupCalled("cats").gid
    for mask, expected in ((2, []), (1, ["1"]), (0, ["1", "0"])):
        web.result(bob.protocol.setGroupMask(gid, mask))
        assert bob.groupCalled("cats").mask == mask
        alice.tellGroup("cats", str(mask))
        web.settle()
        assert bob.heard == expected
    web.result(bob.protocol.setGroupMask(gid, 2))
    bob.stop()
    alice.tellGroup("cats", "while away")
    bob.run()
    web.settle()
    assert bob.heard == []
    assert bob.groupCalled("cats").mask == 2
    assert cats.carol.heard == ["2", "1", "0", "while away"]


def test_globalMask(cats: Cats) -> None:
    """
    The mask for all groups goes before that of each.
    """
    web, alice, bob = cats.web, cats.alice, cats.bob
    gid = bob.groupCalled("cats").gid
    web.result(bob.protocol.setGroupMask(gid, 2))
    for mask, expected in ((3, []), (1, ["1"]), (2, ["1", "2"]), (0, ["1", "2"])):
        web.result(bob.protocol.setGlobalGroupMask(mask))
        alice.tellGroup("cats", str(mask))
        web.settle()
        assert bob.heard == expected
    web.result(bob.protocol.setGlobalGroupMask(3))
    assert web.result(bob.protocol.fetchGroups()).globalMask == 3
    with pytest.raises(RequestRefused, match="mask"):
        web.result(bob.protocol.setGroupMask(gid, 7))
    with pytest.raises(RequestRefused, match="cAll"):
        web.result(bob.protocol.setGlobalGroupMask(7))


# ---- the rest


def test_details(cats: Cats) -> None:
    """
    Memo and description are what an administrator wrote, to the character.
    """
    web, alice = cats.web, cats.alice
    code = cats.code(alice)
    web.result(alice.protocol.editGroup(code, notice=ODD, description="d", name="dogs"))
    assert alice.groupCalled("dogs").code == code
    web.settle()
    carolsCode = cats.carol.groupCalled("dogs").code
    details = web.result(cats.carol.protocol.fetchGroup(carolsCode))
    assert (details.name, details.memo, details.description) == ("dogs", ODD, "d")
    notice = cats.bob.protocol.fetchGroupNotice(cats.bob.groupCalled("dogs").code)
    assert web.result(notice) == ODD
    with pytest.raises(MessageTooLong):
        web.result(alice.protocol.editGroup(code, notice="x" * 20_000))


def test_presence(cats: Cats) -> None:
    """
    A member who is online is shown as online, and a hidden one is not.
    """
    web = cats.web
    cats.carol.appear(Status.HIDDEN)
    cats.bob.appear(Status.BUSY)
    ask = cats.alice.protocol.fetchGroupPresence(cats.code(cats.alice))
    seen = {
        web.result(cats.alice.protocol.fetchNumber(p.uin)): p.status
        for p in web.result(ask)
    }
    assert seen == {
        cats.alice.number: Status.ONLINE,
        cats.bob.number: Status.BUSY,
    }


def test_sharing(cats: Cats) -> None:
    """
    Shared markup reaches the other members unchanged, now or when they sign on.
    """
    web, alice, bob = cats.web, cats.alice, cats.bob
    cats.carol.stop()
    gid = alice.groupCalled("cats").gid
    markup = f'<?xml version="1.0"?><d><n t="t" s="{ODD}"/></d>'
    web.result(alice.protocol.shareInGroup(gid, markup))
    cats.carol.run()
    web.settle()
    for person in (bob, cats.carol):
        [share] = [e for e in person.events if isinstance(e, GroupWebMessage)]
        assert share.markup == markup
        assert share.group == person.groupCalled("cats").gid
    assert alice.events == []
    with pytest.raises(MessageTooLong):
        web.result(alice.protocol.shareInGroup(gid, "x" * 20_000))


def test_unknownGroup(cats: Cats) -> None:
    """
    A group that only its messages tell of is put on the list, with its name.
    """
    bob = cats.bob
    bob.protocol.transport.roster.groups.clear()
    cats.alice.tellGroup("cats", "hello")
    cats.web.settle()
    [message] = [e for e in bob.events if isinstance(e, GroupMessage)]
    assert bob.groupCalled("cats").gid == message.group


def test_mergingAgain() -> None:
    """
    A member who has left is not added when the population is imported again,
    and a notice is still there after a restart of the server.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    number = web.group("cats", alice, bob)
    bob.run()
    web.result(bob.protocol.leaveGroup(bob.groupCalled("cats").code))
    store = web.state.store
    assert isinstance(store, Store)
    room = GroupEntry(
        GroupRecord(number, "cats", alice.number), (alice.number, bob.number)
    )
    web.state.merge(Population(groups=(room,)))
    assert store.groups.memberNumbers(number) == [alice.number]
    [(_, event)] = store.messages.waiting(alice.number, 0, 10)
    assert event.conversation == ("group", number)
    alice.run()
    web.settle()
    assert steps(alice) == [GroupStep.LEFT]


def test_edits(cats: Cats) -> None:
    """
    All members are told of what has changed in a group, and of nothing else; lists of
    groups have the new name.
    """
    web, alice, bob = cats.web, cats.alice, cats.bob
    code = cats.code(alice)
    web.result(alice.protocol.editGroup(code, name=ODD, notice="", option=1))
    web.result(alice.protocol.editGroup(code, name=ODD, option=1))
    web.settle()
    for person in (alice, bob, cats.carol):
        [edit] = [e for e in person.events if isinstance(e, GroupEdited)]
        assert (edit.name, edit.memo, edit.option) == (ODD, None, 1)
        assert edit.number == cats.number
        assert web.result(person.protocol.fetchNumber(edit.operator)) == alice.number
        assert person.protocol.groups[edit.group].name == ODD


def test_memberCards(cats: Cats) -> None:
    """
    The owner and administrators change the names of members, of administrators the
    owner alone; all members are told.
    """
    web, alice, bob, carol = cats.web, cats.alice, cats.bob, cats.carol

    def rename(person: MemoryPerson, member: MemoryPerson, card: str) -> None:
        uin = person.memberOf("cats", member)
        web.result(person.protocol.setMemberCard(cats.code(person), uin, card))

    with pytest.raises(RequestRefused, match="only the owner and administrators"):
        rename(bob, carol, "C")
    rename(bob, bob, "B")
    cats.makeAdmin(bob)
    rename(bob, carol, ODD)
    with pytest.raises(RequestRefused, match="only the owner may"):
        rename(bob, alice, "A")
    cats.makeAdmin(carol)
    with pytest.raises(RequestRefused, match="only the owner may"):
        rename(carol, bob, "x")
    with pytest.raises(RequestRefused, match="more than"):
        rename(alice, bob, "x" * 129)
    rename(alice, bob, "Bo")
    web.result(bob.protocol.setGroupCard(cats.code(bob), phone="1"))
    web.result(bob.protocol.setGroupCard(cats.code(bob), name="Bo"))
    web.settle()
    told = [(e.card, e.number) for e in carol.events if isinstance(e, CardChanged)]
    assert told == [(card, cats.number) for card in ("B", ODD, "Bo")]
    changes = [e for e in carol.events if isinstance(e, CardChanged)]
    assert {web.result(carol.protocol.fetchNumber(e.member)) for e in changes} == {
        bob.number,
        carol.number,
    }
    last = web.result(carol.protocol.fetchNumber(changes[-1].operator))
    assert last == alice.number
    assert cats.members(carol)["Bob"].card == "Bo"
    own = web.result(bob.protocol.fetchOwnCard(cats.code(bob)))
    assert own == BusinessCard("Bo", phone="1")


def test_editingTooOften(cats: Cats) -> None:
    """
    Each change is an event for all members, so too many are refused; what changes
    nothing does not count.
    """
    web, alice = cats.web, cats.alice
    web.state.sendingLimiter.setLimits(SendingLimits(messages=2))
    code = cats.code(alice)
    for card in ("A", "A", "A", "B"):
        web.result(alice.protocol.setGroupCard(code, name=card))
    for refused in (
        alice.protocol.setGroupCard(code, name="C"),
        alice.protocol.editGroup(code, name="dogs"),
    ):
        with pytest.raises(RequestRefused) as caught:
            web.result(refused)
        assert caught.value.retcode == 112
    web.result(alice.protocol.editGroup(code, name="cats"))
    assert web.result(alice.protocol.fetchGroup(code)).name == "cats"
