"""
Bot commands for contacts and settings.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from tests.irc.scene import Scene
from txwebqq.errors import Unreachable
from txwebqq.model import Birthday, Code, GroupStep, StrangerMessage
from txwebqq.protocol import WebQQProtocol
from txwebqq.testing import MemoryPerson


def withOwnGroup() -> tuple[Scene, MemoryPerson]:
    """
    A scene in which the user owns the group #狗, and a third account, which has
    no friends, is signed on.
    """
    scene = Scene()
    scene.dogs = scene.web.group("狗", scene.alice, scene.ming)
    hua = scene.web.person("阿花")
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    hua.run()
    return scene, hua


def test_acceptJoinRequest() -> None:
    """
    C{accept} admits the sender of a request to join a group.
    """
    scene, hua = withOwnGroup()
    client = scene.client()
    client.transport.clear()
    scene.requestJoin(hua, scene.dogs)
    number = hua.number
    assert f"{number} wants to join #狗: me too" in client.seen
    assert f"{number} wants to join #狗" in client.send("PRIVMSG *qq :requests")
    seen = client.send(f"PRIVMSG *qq :accept {number} #猫咪")
    assert "has not asked to join this group" in seen
    seen = client.send(f"PRIVMSG *qq :accept {number}")
    assert f"no friend request from {number}." in seen
    seen = client.send(f"PRIVMSG *qq :accept {number} #狗")
    assert f"{number} is now a member of #狗" in seen
    scene.web.settle(3)
    assert f":阿花!{number}@qq.test JOIN #狗" in seen + client.seen
    assert "There are no requests." in client.send("PRIVMSG *qq :requests")


def test_denyJoinRequest() -> None:
    """
    C{deny} declines a request to join a group, with a text.
    """
    scene, hua = withOwnGroup()
    client = scene.client()
    scene.requestJoin(hua, scene.dogs)
    seen = client.send(f"PRIVMSG *qq :deny {hua.number} #狗 no cats here")
    assert "has been declined" in seen
    scene.web.settle(3)
    [notice] = [e for e in hua.events if getattr(e, "step", "") is GroupStep.DENIED]
    assert getattr(notice, "text", "") == "no cats here"


def test_temporaryChat() -> None:
    """
    A fellow member who is not a friend has a nick that can be answered, and
    sent the first message.
    """
    scene = Scene()
    hua, lan = scene.web.person("阿花"), scene.web.person("阿兰")
    scene.web.group("花园", hua, lan, scene.alice)
    for person in (hua, lan, scene.alice):
        scene.signOn(person)
    client = scene.client()
    client.transport.clear()
    uin = hua.memberOf("花园", scene.alice)
    gid = hua.groupCalled("花园").gid
    scene.web.result(hua.protocol.sendStrangerMessage(uin, "是你吗", group=gid))
    scene.web.settle(3)
    assert f":阿花!{hua.number}@qq.test PRIVMSG me 是你吗\r\n" in client.seen
    client.send("PRIVMSG 阿花 :是我", "PRIVMSG 阿兰 :你好")
    for person, text in ((hua, "是我"), (lan, "你好")):
        [received] = [e for e in person.events if isinstance(e, StrangerMessage)]
        assert received.text == text
    assert " 404 " in client.send("PRIVMSG 阿花 :\x01SHAKE\x01")


def test_set(scene: Scene) -> None:
    """
    C{set} changes profile details and shows them.
    """
    client = scene.client()
    for command, answer in (
        ("set signature 喝茶 中", "signature is now 喝茶 中"),
        ("set city 杭州", "city is now 杭州"),
        (f"set {scene.alice.number} birthday 1990-4-1", "birthday is now 1990-4-1"),
        ("set birthday soon", "a birthday is YEAR-MONTH-DAY"),
        ("set gender tea", "set failed"),
        ("set password x", "unknown detail"),
        ("set 10999 city x", "not the number of an account of yours"),
        ("set", "city: 杭州"),
        ("set", "birthday: 1990-4-1"),
        ("set", "signature: 喝茶 中"),
    ):
        assert answer in client.send(f"PRIVMSG *qq :{command}"), command
    account = scene.alices.accounts[scene.alice.number]
    profile = scene.web.result(account.online.fetchSelf())
    assert (profile.city, profile.birthday) == ("杭州", Birthday(1990, 4, 1))


def test_temporaryChatInUnknownGroup(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A temporary chat can be answered when the members of its group could not be
    fetched.
    """
    scene = Scene()
    hua = scene.web.person("阿花")
    scene.web.group("花园", hua, scene.alice)
    scene.signOn(hua)
    uin = hua.memberOf("花园", scene.alice)

    def refuse(self: WebQQProtocol, code: Code) -> Deferred[Any]:
        return fail(Unreachable("gone"))

    monkeypatch.setattr(WebQQProtocol, "fetchGroup", refuse)
    scene.signOn(scene.alice)
    gid = hua.groupCalled("花园").gid
    scene.web.result(hua.protocol.sendStrangerMessage(uin, "是你吗", group=gid))
    scene.web.settle(3)
    scene.client().send(f"PRIVMSG qq{hua.number} :是我")
    assert hua.heard == ["是我"]
