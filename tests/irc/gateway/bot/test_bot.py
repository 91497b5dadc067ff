"""
Bot commands for contacts and settings.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from tests.irc.memorygateway import MemoryGateway
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.model import Birthday, Code, GroupNotice, GroupStep, StrangerMessage
from txwebqq.protocol import WebQQProtocol
from txwebqq.testing import MemoryPerson


def withOwnGroup() -> tuple[MemoryGateway, MemoryPerson]:
    """
    A gateway in which the user owns the group #狗, and a third account, which has
    no friends, is signed on.
    """
    gateway = MemoryGateway()
    gateway.dogs = gateway.web.group("狗", gateway.alice, gateway.ming)
    hua = gateway.web.person("阿花")
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    hua.run()
    return gateway, hua


def test_acceptJoinRequest() -> None:
    """
    C{accept} admits the sender of a request to join a group.
    """
    gateway, hua = withOwnGroup()
    client = gateway.client()
    client.transport.clear()
    gateway.requestJoin(hua, gateway.dogs)
    number = hua.number
    assert f"{number} wants to join #狗: me too" in client.seen
    assert f"{number} wants to join #狗" in client.send("PRIVMSG *qq :requests")
    seen = client.send(f"PRIVMSG *qq :accept {number} #猫咪")
    assert "has not asked to join this group" in seen
    seen = client.send(f"PRIVMSG *qq :accept {number}")
    assert f"no friend request from {number}." in seen
    seen = client.send(f"PRIVMSG *qq :accept {number} #狗")
    assert f"{number} is now a member of #狗" in seen
    gateway.web.settle(3)
    assert f":阿花!{number}@qq.test JOIN #狗" in seen + client.seen
    assert "There are no requests." in client.send("PRIVMSG *qq :requests")


def test_denyJoinRequest() -> None:
    """
    C{deny} declines a request to join a group, with a text.
    """
    gateway, hua = withOwnGroup()
    client = gateway.client()
    gateway.requestJoin(hua, gateway.dogs)
    seen = client.send(f"PRIVMSG *qq :deny {hua.number} #狗 no cats here")
    assert "has been declined" in seen
    gateway.web.settle(3)
    [notice] = [e for e in hua.events if getattr(e, "step", "") is GroupStep.DENIED]
    assert getattr(notice, "text", "") == "no cats here"


@pytest.mark.parametrize("isAccepted", [False, True])
def test_answeredByAnother(isAccepted: bool) -> None:
    """
    A request to join that another administrator has answered waits no longer, and
    administrators are told who has declined it.
    """
    gateway, hua = withOwnGroup()
    client = gateway.client()
    alice, ming = gateway.alice, gateway.ming
    dogs = alice.groupCalled("狗")
    web = gateway.web
    web.result(alice.protocol.setAdmin(dogs.code, alice.memberOf("狗", ming)))
    gateway.requestJoin(hua, gateway.dogs)
    assert f"{hua.number} wants to join" in client.send("PRIVMSG *qq :requests")
    client.transport.clear()
    [request] = [e for e in ming.events if getattr(e, "text", "") == "me too"]
    assert isinstance(request, GroupNotice)
    web.result(ming.protocol.answerJoinRequest(request, isAccepted))
    web.settle(3)
    told = f"{ming.number} has declined the request of {hua.number} to join #狗"
    assert (told in client.seen) is not isAccepted
    assert "There are no requests." in client.send("PRIVMSG *qq :requests")


def test_temporaryChat() -> None:
    """
    A fellow member who is not a friend has a nick that can be answered, and
    sent the first message.
    """
    gateway = MemoryGateway()
    hua, lan = gateway.web.person("阿花"), gateway.web.person("阿兰")
    gateway.web.group("花园", hua, lan, gateway.alice)
    for person in (hua, lan, gateway.alice):
        gateway.signOn(person)
    client = gateway.client()
    client.transport.clear()
    uin = hua.memberOf("花园", gateway.alice)
    gid = hua.groupCalled("花园").gid
    gateway.web.result(hua.protocol.sendStrangerMessage(uin, "是你吗", group=gid))
    gateway.web.settle(3)
    assert f":阿花!{hua.number}@qq.test PRIVMSG me :是你吗\r\n" in client.seen
    client.send("PRIVMSG 阿花 :是我", "PRIVMSG 阿兰 :你好")
    for person, text in ((hua, "是我"), (lan, "你好")):
        [received] = [e for e in person.events if isinstance(e, StrangerMessage)]
        assert received.text == text
    assert " 404 " in client.send("PRIVMSG 阿花 :\x01SHAKE\x01")


def test_set(gateway: MemoryGateway) -> None:
    """
    C{set} changes profile details and shows them.
    """
    client = gateway.client()
    for command, answer in (
        ("set signature 喝茶 中", "signature is now 喝茶 中"),
        ("set city 杭州", "city is now 杭州"),
        (f"set {gateway.alice.number} birthday 1990-4-1", "birthday is now 1990-4-1"),
        ("set birthday soon", "a birthday is YEAR-MONTH-DAY"),
        ("set gender tea", "set failed"),
        ("set password x", "unknown detail"),
        ("set 10999 city x", "not the number of an account of yours"),
        ("set", "city: 杭州"),
        ("set", "birthday: 1990-4-1"),
        ("set", "signature: 喝茶 中"),
    ):
        assert answer in client.send(f"PRIVMSG *qq :{command}"), command
    account = gateway.aliceUser.accounts[gateway.alice.number]
    profile = gateway.web.result(account.online.fetchSelf())
    assert (profile.city, profile.birthday) == ("杭州", Birthday(1990, 4, 1))


def test_temporaryChatInUnknownGroup(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A temporary chat can be answered when the members of its group could not be
    fetched.
    """
    gateway = MemoryGateway()
    hua = gateway.web.person("阿花")
    gateway.web.group("花园", hua, gateway.alice)
    gateway.signOn(hua)
    uin = hua.memberOf("花园", gateway.alice)

    def refuse(self: WebQQProtocol, code: Code) -> Deferred[Any]:
        return fail(Unreachable("gone"))

    monkeypatch.setattr(WebQQProtocol, "fetchGroup", refuse)
    gateway.signOn(gateway.alice)
    gid = hua.groupCalled("花园").gid
    gateway.web.result(hua.protocol.sendStrangerMessage(uin, "是你吗", group=gid))
    gateway.web.settle(3)
    gateway.client().send(f"PRIVMSG qq{hua.number} :是我")
    assert hua.heard == ["是我"]


def test_block() -> None:
    """
    C{block} and C{unblock} take nicks, numbers and C{strangers}; C{block} alone
    lists who is blocked.
    """
    gateway = MemoryGateway()
    for person in (gateway.ming, gateway.alice):
        gateway.signOn(person)
    client = gateway.client()
    number = gateway.ming.number
    assert "no such nick" in client.send("PRIVMSG *qq :block nobody")
    assert "this is no QQ user" in client.send("PRIVMSG *qq :block #猫咪")
    assert "Nobody is blocked." in client.send("PRIVMSG *qq :block")
    assert "小明 is blocked" in client.send("PRIVMSG *qq :block 小明")
    assert f"小明: {number}" in client.send("PRIVMSG *qq :block")
    sending = gateway.ming.protocol.sendMessage(
        gateway.ming.uinOf(gateway.alice), "hello"
    )
    with pytest.raises(RequestRefused):
        gateway.web.result(sending)
    assert "is not blocked" in client.send(f"PRIVMSG *qq :unblock {number}")
    assert "Nobody is blocked." in client.send("PRIVMSG *qq :block")
    assert "are refused" in client.send("PRIVMSG *qq :block strangers")
    assert "are accepted" in client.send("PRIVMSG *qq :unblock strangers")
    gateway.alice.stop()
    assert "no account is signed on" in client.send("PRIVMSG *qq :block")


def test_requestInReturn() -> None:
    """
    A friend request to a QQ user who has sent one accepts it, so it waits no longer.
    """
    gateway, hua = withOwnGroup()
    client = gateway.client()
    gateway.web.result(hua.protocol.requestFriendship(gateway.alice.number, "hi"))
    gateway.web.settle(3)
    assert f"{hua.number} wants to be" in client.send("PRIVMSG *qq :requests")
    client.send(f"PRIVMSG *qq :add {hua.number}")
    gateway.web.settle(3)
    assert f"{hua.number} accepted your friend request" in client.seen
    assert "There are no requests." in client.send("PRIVMSG *qq :requests")


def test_forgedNotices() -> None:
    """
    The text of a request does not look like another notice of the bot.
    """
    gateway, hua = withOwnGroup()
    client = gateway.client()
    client.transport.clear()
    forged = "hi\n10002 accepted your friend request\r\n\u202e\x02\x0304x"
    requesting = hua.protocol.requestFriendship(gateway.alice.number, forged)
    gateway.web.result(requesting)
    gateway.web.settle(3)
    shown = client.seen + client.send("PRIVMSG *qq :requests")
    assert shown.count(f"{hua.number} wants to be a friend of") == 2
    for line in shown.splitlines():
        assert "NOTICE me :10002 accepted" not in line
        assert not set(line) & set("\u202e\x02\x03")


def test_forgedHistory(gateway: MemoryGateway) -> None:
    """
    Each line of C{history} names the sender.
    """
    client = gateway.client()
    gateway.ming.tellGroup("猫咪", "hi\n[11-27 10:00] <alice> send me money")
    gateway.web.settle(3)
    seen = client.send("PRIVMSG *qq :history #猫咪")
    lines = [line.partition(" NOTICE me :")[2] for line in seen.splitlines()]
    assert len(lines) == 2
    assert all(line.partition("] ")[2].startswith("<小明> ") for line in lines)
