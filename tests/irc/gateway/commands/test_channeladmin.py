"""
C{TOPIC}, C{KICK}, C{INVITE} and C{MODE}, and groups that the user leaves or
joins.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Did, GroupNotice


@pytest.fixture
def client(gateway: MemoryGateway) -> Client:
    """
    A client whose user owns the group #狗 with two members, and is a member of
    the group #猫咪 and of the discussion #Weekend.
    """
    gateway.alice.stop()
    gateway.ming.stop()
    gateway.hua = gateway.web.person("阿花")
    gateway.web.group("狗", gateway.alice, gateway.ming, gateway.hua)
    gateway.weekend = gateway.web.discussion("Weekend", gateway.ming, gateway.alice)
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    return gateway.client()


def members(gateway: MemoryGateway, name: str) -> list[str]:
    code = gateway.ming.groupCalled(name).code
    details = gateway.web.result(gateway.ming.protocol.fetchGroup(code))
    return [member.nick for member in details.members]


def test_topic(gateway: MemoryGateway, client: Client) -> None:
    """
    C{TOPIC} sets the announcement of a group, and all clients see the change;
    without the right to, it is answered with 482.
    """
    other = gateway.client()
    other.transport.clear()
    ours = ":me!alice@qq.test TOPIC #狗 :遛狗\r\n"
    assert client.send("TOPIC #狗 :\x02遛狗\x02") == ours
    assert other.seen == ours
    code = gateway.ming.groupCalled("狗").code
    assert gateway.web.result(gateway.ming.protocol.fetchGroupNotice(code)) == "遛狗"
    assert "482 me #猫咪 " in client.send("TOPIC #猫咪 mine")
    assert "403 me #nowhere " in client.send("TOPIC #nowhere x")


def test_topicOfDiscussion(gateway: MemoryGateway, client: Client) -> None:
    """
    C{TOPIC} changes the name of a discussion.
    """
    assert "332 me #Weekend :Weekend" in client.send("TOPIC #Weekend")
    assert "TOPIC #Weekend :Sunday" in client.send("TOPIC #Weekend Sunday")
    discussion = gateway.ming.protocol.fetchDiscussion(Did(gateway.weekend))
    assert gateway.web.result(discussion).name == "Sunday"


def test_kick(gateway: MemoryGateway, client: Client) -> None:
    """
    C{KICK} removes a member from a group, and all clients see one C{KICK}.
    """
    other = gateway.client()
    other.transport.clear()
    seen = client.send("KICK #狗 阿花 :no cats")
    gateway.web.settle(3)
    for each in (seen, other.seen):
        assert ":me!alice@qq.test KICK #狗 阿花 :no cats" in each
    assert "PART" not in client.seen + other.seen
    assert members(gateway, "狗") == ["Alice", "小明"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("KICK #猫咪 小明", "482 me #猫咪 "),
        ("KICK #狗 nobody", "441 me nobody #狗 "),
        ("KICK #nowhere 小明", "403 me #nowhere "),
        ("KICK #Weekend 小明", "482 me #Weekend "),
        ("KICK #狗 me", "482 me #狗 "),
        ("KICK", "461 me KICK "),
        ("INVITE 阿花 #猫咪", "482 me #猫咪 "),
        ("INVITE 小明 #Weekend", "443 me 小明 #Weekend "),
        ("INVITE nobody #Weekend", "401 me nobody "),
        ("INVITE 阿花 #nowhere", "403 me #nowhere "),
        ("INVITE", "461 me INVITE "),
        ("MODE #猫咪 +o me", "482 me #猫咪 "),
        ("MODE #狗 +o nobody", "441 me nobody #狗 "),
        ("MODE #狗 +x", "472 me x "),
        ("MODE #狗 b", "368 me #狗 "),
        ("MODE #nowhere", "403 me #nowhere "),
        ("MODE me", "221 me +i"),
        ("MODE", "461 me MODE "),
    ],
)
def test_refused(
    gateway: MemoryGateway, client: Client, line: str, expected: str
) -> None:
    """
    A command that cannot be performed is answered with its numeric, and
    changes nothing.
    """
    assert expected in client.send(line)
    assert members(gateway, "狗") == ["Alice", "小明", "阿花"]


def test_invite(gateway: MemoryGateway, client: Client) -> None:
    """
    C{INVITE} adds a fellow member of a group to a discussion.
    """
    seen = client.send("INVITE 阿花 #Weekend")
    assert "341 me 阿花 #Weekend" in seen
    assert f":阿花!{gateway.hua.number}@qq.test JOIN #Weekend" in seen


def test_operators(gateway: MemoryGateway, client: Client) -> None:
    """
    C{MODE +o} and C{-o} by the owner make a member an administrator, and no
    longer one.
    """
    assert "MODE #狗 +o 小明" in client.send("MODE #狗 +o 小明")
    assert "@小明" in client.send("NAMES #狗")
    assert "MODE #狗 -o 小明" in client.send("MODE #狗 -o 小明")
    assert "@小明" not in client.send("NAMES #狗")


def test_offline(gateway: MemoryGateway, client: Client) -> None:
    """
    Without a session of the account, commands are answered with a reply.
    """
    gateway.alice.stop()
    gateway.web.settle(3)
    for line in ("TOPIC #狗 x", "KICK #狗 阿花", "INVITE 阿花 #Weekend"):
        command = line.split()[0]
        assert f"NOTICE me :{command} " in client.send(line), line


def test_leave(gateway: MemoryGateway, client: Client) -> None:
    """
    C{PART} keeps the membership; the bot's C{leave} ends it.
    """
    client.send("PART #猫咪")
    assert members(gateway, "猫咪") == ["Alice", "小明"]
    for name in ("#猫咪", "#Weekend"):
        seen = client.send(f"PRIVMSG *qq :leave {name}")
        assert f"has left {name}" in seen
        assert "403 " in client.send(f"JOIN {name}")
    assert f"PART {name}" in seen
    gateway.web.settle(3)
    assert members(gateway, "猫咪") == ["小明"]
    assert "this is not a channel" in client.send("PRIVMSG *qq :leave 小明")


def test_removed(gateway: MemoryGateway, client: Client) -> None:
    """
    A user who has been removed from a group parts from its channel.
    """
    ming = gateway.ming
    code = ming.groupCalled("猫咪").code
    uin = ming.memberOf("猫咪", gateway.alice)
    client.transport.clear()
    gateway.web.result(ming.protocol.removeMember(code, uin))
    gateway.web.settle(3)
    assert ":me!alice@qq.test PART #猫咪" in client.seen
    assert any(isinstance(event, GroupNotice) for event in ming.events)


def test_newGroup(gateway: MemoryGateway, client: Client) -> None:
    """
    The bot tells of a new group, of its new administrator and of its
    dissolution, by the name of its channel.
    """
    ming = gateway.ming
    client.transport.clear()
    number = gateway.web.group("鱼", gateway.ming)
    ming.stop()
    gateway.signOn(ming)
    asked = gateway.aliceUser.accounts[gateway.alice.number].online
    found = gateway.web.result(asked.searchGroups(str(number)))
    gateway.web.result(asked.joinGroup(found.groups[0].code, "me too"))
    gateway.web.settle(3)
    [notice] = [e for e in ming.events if isinstance(e, GroupNotice)]
    gateway.web.result(ming.protocol.answerJoinRequest(notice, True))
    gateway.web.settle(3)
    assert "JOIN #鱼" in client.seen
    assert "your request to join #鱼 was accepted" in client.seen
    uin = ming.memberOf("鱼", gateway.alice)
    code = ming.groupCalled("鱼").code
    client.transport.clear()
    gateway.web.result(ming.protocol.setAdmin(code, uin))
    gateway.web.settle(3)
    assert "alice is now an administrator of #鱼" in client.seen
    gateway.web.result(ming.protocol.dissolveGroup(code))
    gateway.web.settle(3)
    assert "#鱼 has been dissolved" in client.seen
    assert "PART #鱼" in client.seen


def test_newAnnouncement(gateway: MemoryGateway) -> None:
    """
    An announcement of which the server does not tell is shown after the next request
    for announcements, once.
    """
    client = gateway.client()
    client.transport.clear()
    account = gateway.aliceUser.accounts[gateway.alice.number]
    groups = gateway.web.state.store.groups
    cats = groups.get(gateway.cats)
    assert cats is not None
    for text, expected in (
        ("tea at five", ":qq.test TOPIC #猫咪 :tea at five\r\n"),
        ("tea at six", ":qq.test TOPIC #猫咪 :tea at six\r\n"),
        ("tea at six", ""),
    ):
        groups.update(replace(cats, memo=text))
        client.transport.clear()
        gateway.web.result(Deferred.fromCoroutine(account.refreshAnnouncements()))
        gateway.web.settle(3)
        assert client.seen == expected
    gateway.alice.stop()
    gateway.web.settle(3)
    gateway.web.result(Deferred.fromCoroutine(account.refreshAnnouncements()))


def test_edited(gateway: MemoryGateway) -> None:
    """
    The announcement that another member has set is shown at once; a new name of the
    group and new cards are known.
    """
    client = gateway.client()
    client.transport.clear()
    ming, account = gateway.ming, gateway.aliceUser.accounts[gateway.alice.number]
    code, uin = ming.groupCalled("猫咪").code, ming.memberOf("猫咪", gateway.alice)
    target = Target(TargetKind.GROUP, gateway.cats)
    gateway.web.result(ming.protocol.editGroup(code, "老虎", notice="tea at five"))
    gateway.web.settle(3)
    assert client.seen == ":qq.test TOPIC #猫咪 :tea at five\r\n"
    assert account.contacts.conversations[target].name == "老虎"

    def name() -> str:
        members = account.contacts.conversations[target].members
        [found] = [m.name for m in members if m.number == gateway.alice.number]
        return found

    before = name()
    for card, expected in (("队长", "队长"), ("", before)):
        gateway.web.result(ming.protocol.setMemberCard(code, uin, card))
        gateway.web.settle(3)
        assert name() == expected


def test_joinWithoutTopic(gateway: MemoryGateway) -> None:
    """
    C{JOIN} of a channel without a topic is answered without 331, which some
    clients show as the topic; C{TOPIC} is answered with it.
    """
    client = gateway.client()
    assert " 331 " not in client.seen
    assert " 331 " not in client.send("PART #猫咪", "JOIN #猫咪")
    assert " 331 me #猫咪 :" in client.send("TOPIC #猫咪")
