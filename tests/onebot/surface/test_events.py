"""
Events of an account, as a bot is told.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.onebot.surface.bots import PNG, MemoryBot
from txwebqq.model import (
    CustomFace,
    Face,
    GroupNotice,
    GroupPicture,
    Number,
    OfflinePicture,
    Status,
    StrangerMessage,
    Text,
    Uin,
)
from txwebqq.onebot.surface import account
from txwebqq.onebot.surface.directory import MAX_REQUESTS
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.replies import CallFailed
from txwebqq.onebot.surface.segments import pictureName, segmentsOf
from txwebqq.testing import MemoryPerson, MemoryWebQQ


class Scene:
    """
    A bot, its friend Alice and Carol, who is only in the same group.
    """

    def __init__(self, **options: Any) -> None:
        self.web = MemoryWebQQ()
        self.alice, self.person = self.web.friends("阿梨", "Bot")
        self.carol = self.web.person("Carol")
        self.group = self.web.group("猫咪", self.person, self.alice, self.carol)
        self.discussion = self.web.discussion("茶", self.alice, self.person)
        self.bot = MemoryBot(self.web, self.person, **options)
        self.bot.signOn()

    def happened(self) -> list[dict[str, Any]]:
        """
        Settle, and return the events.
        """
        self.web.settle(5)
        return self.bot.events


@pytest.fixture
def scene() -> Scene:
    """
    The scene.
    """
    return Scene()


def test_private(scene: Scene) -> None:
    """
    A friend's message has all the fields that NoneBot's models require, and an
    emoticon has today's number.
    """
    scene.alice.tell(scene.person, ["在吗[&]", Face(51)])
    (event,) = scene.happened()
    number = event.pop("message_id")
    assert 0 < number < 2**31
    assert event.pop("message_seq") == event.pop("real_id") == number
    assert event == {
        "time": 1366004000,
        "self_id": scene.person.number,
        "post_type": "message",
        "message_type": "private",
        "sub_type": "friend",
        "user_id": scene.alice.number,
        "target_id": scene.alice.number,
        "font": 0,
        "raw_message": "在吗&#91;&amp;&#93;[CQ:face,id=16]",
        "message_format": "array",
        "message": [
            {"type": "text", "data": {"text": "在吗[&]"}},
            {"type": "face", "data": {"id": "16"}},
        ],
        "sender": {
            "user_id": scene.alice.number,
            "nickname": "阿梨",
            "card": "",
            "sex": "unknown",
            "age": 0,
        },
    }


def test_string() -> None:
    """
    A connection may have its messages as texts.
    """
    scene = Scene(isArray=False)
    scene.alice.tell(scene.person, ["[x]", Face(14)])
    (event,) = scene.happened()
    assert event["message"] == event["raw_message"] == "&#91;x&#93;[CQ:face,id=14]"
    assert event["message_format"] == "string"


def test_group(scene: Scene) -> None:
    """
    A message of a group has the member's role; a member's name after an at sign is
    a mention, any other is not.
    """
    scene.carol.tellGroup("猫咪", "@Bot @nobody 开饭")
    scene.alice.tellGroup("猫咪", "a@Bot.example")
    event, other = scene.happened()
    assert event["group_id"] == scene.group
    assert event["group_name"] == "猫咪"
    assert event["anonymous"] is None
    assert event["sender"]["role"] == "member"
    assert event["sender"]["nickname"] == "Carol"
    assert event["message"] == [
        {"type": "at", "data": {"qq": str(scene.person.number), "name": "Bot"}},
        {"type": "text", "data": {"text": " @nobody 开饭"}},
    ]
    assert other["raw_message"] == "a@Bot.example"
    assert event["message_id"] != other["message_id"]


def test_discussion(scene: Scene) -> None:
    """
    A discussion is a group.
    """
    protocol = scene.alice.protocol
    scene.web.result(protocol.sendDiscussionMessage(scene.discussion, "茶好了"))
    (event,) = scene.happened()
    assert event["message_type"] == "group"
    assert event["group_id"] == scene.discussion
    assert event["group_name"] == "茶"
    assert event["sender"]["role"] == "owner"


def test_sameNumber() -> None:
    """
    A discussion that has the number of a group is left out: the group is meant.
    """
    web = MemoryWebQQ()
    alice, person = web.friends("Alice", "Bot")
    discussion = web.discussion("discussion", alice, person)
    web._groupNumbers = iter([discussion])  # type: ignore[assignment]
    web.group("group", person, alice)
    bot = MemoryBot(web, person)
    bot.signOn()
    web.result(alice.protocol.sendDiscussionMessage(discussion, "in the discussion"))
    alice.tellGroup("group", "in the group")
    web.settle(1)
    assert [each["raw_message"] for each in bot.events] == ["in the group"]
    assert [each["group_name"] for each in bot.call("get_group_list")] == ["group"]


def test_stranger(scene: Scene) -> None:
    """
    A message of a temporary chat names the group, and can be answered.
    """
    gid = scene.carol.groupCalled("猫咪").gid
    uin = scene.carol.memberOf("猫咪", scene.person)
    sent = scene.carol.protocol.sendStrangerMessage(uin, "hello", group=gid)
    scene.web.result(sent)
    (event,) = scene.happened()
    assert event["sub_type"] == "group"
    assert event["group_id"] == scene.group
    assert event["user_id"] == scene.carol.number
    assert event["sender"]["nickname"] == "Carol"
    scene.bot.call("send_private_msg", user_id=scene.carol.number, message="hi")
    assert scene.carol.heard == ["hi"]


def test_manyStrangers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The latest temporary chats are remembered, up to a number.
    """
    monkeypatch.setattr(account, "MAX_REQUESTS", 2)
    protocol: Any = scene.bot.account.online
    for number in (1, 2, 1, 3):
        protocol.strangerMessageReceived(
            StrangerMessage(
                Uin(0),
                scene.person.number,
                0,
                0,
                Number(number),
                (Text("hi"),),
                0,
                1,
                1,
            )
        )
    assert len(scene.happened()) == 4
    assert list(protocol.strangers) == [1, 3]


def test_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose sender's number takes long to fetch comes before a later one of a
    friend.
    """
    number: Deferred[Number] = Deferred()
    monkeypatch.setattr(scene.bot.account.online, "fetchNumber", lambda uin: number)
    scene.carol.tellGroup("猫咪", "first")
    scene.alice.tell(scene.person, "second")
    assert scene.happened() == []
    number.callback(scene.carol.number)
    raw = [each["raw_message"] for each in scene.happened()]
    assert raw == ["first", "second"]


def test_picture(scene: Scene) -> None:
    """
    A received picture can be asked for, and be sent again by its name.
    """
    uin = scene.alice.uinOf(scene.person)
    scene.web.result(scene.alice.protocol.sendPicture(uin, PNG))
    gid = scene.alice.groupCalled("猫咪").gid
    scene.web.result(scene.alice.protocol.sendGroupPicture(gid, PNG))
    for event in scene.happened():
        (segment,) = event["message"]
        assert segment["type"] == "image"
        image = scene.bot.call("get_image", file=segment["data"]["file"])
        assert int(image["file_size"]) == len(PNG)
        scene.bot.call("send_msg", group_id=scene.group, message=[segment])
        scene.bot.call(
            "send_msg",
            user_id=scene.alice.number,
            message=[{"type": "image", "data": {"file": image["url"]}}],
        )
    assert len(scene.alice.events) >= 4
    assert "not known" in scene.bot.refused("get_image", file="other.png")


@pytest.mark.parametrize(
    "named", ["file:///srv/{}", "/srv/{}", "http://10.0.0.1/{}", "{}", "file:{}"]
)
def test_pictureName(named: str) -> None:
    """
    The name of a received picture, which the sender may have chosen, is no path and no
    URL: a bot that sends the message on must not have the file there read.
    """
    for segment in (
        GroupPicture(named.format("a.png")),
        CustomFace(named.format("a.png")),
        OfflinePicture(named.format("a.png"), "b.png"),
    ):
        (translated,) = segmentsOf((segment,))
        name = translated["data"]["file"]
        assert name == pictureName(segment)
        failures: list[Any] = []
        loading = Deferred.fromCoroutine(PictureLoader(Clock()).load(name))
        loading.addErrback(failures.append)
        assert failures[0].check(CallFailed)
        assert "not known" in failures[0].getErrorMessage()


def test_manyGroups() -> None:
    """
    The numbers of groups are asked for a few at a time.
    """
    web = MemoryWebQQ()
    alice, person = web.friends("Alice", "Bot")
    for n in range(20):
        web.group(f"group {n}", person, alice)
    bot = MemoryBot(web, person)
    bot.signOn()
    asked: list[Deferred[Number]] = []

    def fetchGroupNumber(code: object) -> Deferred[Number]:
        asked.append(Deferred())
        return asked[-1]

    online: Any = bot.account.online
    online.fetchGroupNumber = fetchGroupNumber
    loading = Deferred.fromCoroutine(online.directory.loadGroups())
    assert len(asked) == MAX_REQUESTS
    for n in range(20):
        asked[n].callback(Number(n + 1))
    web.settle()
    assert loading.called


def test_friendNotices(scene: Scene) -> None:
    """
    A window shake is a poke, and a typing notice an input status.
    """
    uin = scene.alice.uinOf(scene.person)
    scene.web.result(scene.alice.protocol.shakeWindow(uin))
    scene.web.result(scene.alice.protocol.sendTyping(uin))
    poke, typing = scene.happened()
    assert poke["notice_type"] == typing["notice_type"] == "notify"
    assert poke["sub_type"] == "poke"
    assert poke["user_id"] == typing["user_id"] == scene.alice.number
    assert poke["target_id"] == scene.person.number
    assert "group_id" not in poke
    assert typing["sub_type"] == "input_status"
    assert typing["event_type"] == 1


def ask(scene: Scene) -> dict[str, Any]:
    """
    Have Carol ask for the bot's friendship.
    """
    asked = scene.carol.protocol.requestFriendship(scene.person.number, "我是 Carol")
    scene.web.result(asked)
    return scene.happened()[-1]


def test_friendRequest(scene: Scene) -> None:
    """
    A friend request has a flag with which it is accepted, once; the new friend is
    told of and can be written to.
    """
    request = ask(scene)
    assert request["post_type"] == "request"
    assert request["request_type"] == "friend"
    assert request["user_id"] == scene.carol.number
    assert request["comment"] == "我是 Carol"
    flag = request["flag"]
    scene.bot.call("set_friend_add_request", flag=flag, approve="true", remark="C")
    notice = scene.happened()[-1]
    assert notice["notice_type"] == "friend_add"
    assert notice["user_id"] == scene.carol.number
    friends = scene.bot.call("get_friend_list")
    assert {"user_id": scene.carol.number, "nickname": "Carol", "remark": "C"} in (
        friends
    )
    assert "no request" in scene.bot.refused("set_friend_add_request", flag=flag)
    scene.bot.call("send_private_msg", user_id=scene.carol.number, message="hi")
    assert scene.carol.heard[-1] == "hi"


def test_friendRefused(scene: Scene) -> None:
    """
    A friend request is refused.
    """
    flag = ask(scene)["flag"]
    scene.bot.call("set_friend_add_request", flag=flag, approve=False)
    assert len(scene.bot.call("get_friend_list")) == 1


def join(scene: Scene, dave: MemoryPerson) -> None:
    """
    Have an account ask to join the group.
    """
    found = scene.web.result(dave.protocol.searchGroups(str(scene.group)))
    code = found.groups[0].code
    scene.web.result(dave.protocol.joinGroup(code, "让我进去"))


def test_members(scene: Scene) -> None:
    """
    A join request, a new member, a new administrator and members who leave or are
    removed are told of.
    """
    dave = scene.web.person("Dave")
    join(scene, dave)
    request = scene.happened()[-1]
    assert request["request_type"] == "group"
    assert request["sub_type"] == "add"
    assert request["group_id"] == scene.group
    assert request["user_id"] == dave.number
    assert request["comment"] == "让我进去"
    flag = request["flag"]
    scene.bot.call("set_group_add_request", flag=flag, sub_type="add", approve=True)
    notice = scene.happened()[-1]
    assert notice["notice_type"] == "group_increase"
    assert notice["sub_type"] == "approve"
    assert notice["user_id"] == dave.number
    group = {"group_id": scene.group, "user_id": dave.number}
    scene.bot.call("set_group_admin", **group)
    assert scene.bot.call("get_group_member_info", **group)["role"] == "admin"
    code = scene.carol.groupCalled("猫咪").code
    scene.web.result(scene.carol.protocol.leaveGroup(code))
    notice = scene.happened()[-1]
    assert notice["notice_type"] == "group_decrease"
    assert notice["sub_type"] == "leave"
    assert notice["user_id"] == notice["operator_id"] == scene.carol.number
    scene.bot.call("set_group_kick", **group)
    assert "not in the group" in scene.bot.refused("get_group_member_info", **group)


def test_cards(scene: Scene) -> None:
    """
    A new card is told of, with the one before; a new announcement is known at once.
    """
    code = scene.carol.groupCalled("猫咪").code
    scene.bot.call("get_group_member_list", group_id=scene.group)
    for old, new in (("", "队员"), ("队员", "")):
        scene.web.result(scene.carol.protocol.setGroupCard(code, name=new))
        notice = scene.happened()[-1]
        assert notice["notice_type"] == "group_card"
        assert (notice["card_old"], notice["card_new"]) == (old, new)
        assert notice["user_id"] == scene.carol.number
        group = {"group_id": scene.group, "user_id": scene.carol.number}
        assert scene.bot.call("get_group_member_info", **group)["card"] == new
    own = scene.person.groupCalled("猫咪").code
    scene.web.result(scene.person.protocol.editGroup(own, notice="五点"))
    scene.web.settle(1)
    info = scene.bot.call("get_group_info", group_id=scene.group)
    assert info["group_memo"] == "五点"


def test_joined(scene: Scene) -> None:
    """
    The account is told when it may join a group, and when others join there.
    """
    group = scene.web.group("别处", scene.alice)
    dave = scene.web.person("Dave")
    for person in (scene.person, dave):
        found = scene.web.result(person.protocol.searchGroups(str(group)))
        scene.web.result(person.protocol.joinGroup(found.groups[0].code))
        scene.web.settle(1)
        requests = [e for e in scene.alice.events if isinstance(e, GroupNotice)]
        answered = scene.alice.protocol.answerJoinRequest(requests[-1], agree=True)
        scene.web.result(answered)
        notice = scene.happened()[-1]
        assert notice["notice_type"] == "group_increase"
        assert (notice["group_id"], notice["user_id"]) == (group, person.number)
        members = scene.bot.call("get_group_member_list", group_id=group)
        assert members[-1]["user_id"] == person.number


def test_ownMembership(scene: Scene) -> None:
    """
    The account is told when it is removed from a group, and has lost the group.
    """
    group = scene.web.group("别处", scene.alice, scene.person)
    scene.person.stop()
    scene.bot.signOn()
    code = scene.alice.groupCalled("别处").code
    uin = scene.alice.memberOf("别处", scene.person)
    scene.web.result(scene.alice.protocol.setAdmin(code, uin))
    scene.web.result(scene.alice.protocol.removeMember(code, uin))
    admin, gone = scene.happened()[-2:]
    assert admin["notice_type"] == "group_admin"
    assert admin["sub_type"] == "set"
    assert admin["user_id"] == scene.person.number
    assert gone["notice_type"] == "group_decrease"
    assert gone["sub_type"] == "kick_me"
    assert gone["user_id"] == scene.person.number
    assert gone["operator_id"] == scene.alice.number
    assert "in no group" in scene.bot.refused("get_group_info", group_id=group)


def test_kicked(scene: Scene) -> None:
    """
    A kicked account is told of by a notice, its calls fail with the reason, and
    heartbeats say that it is offline.
    """
    scene.person.run()
    notice = scene.happened()[-1]
    assert notice["notice_type"] == "bot_offline"
    assert notice["tag"] == "Kicked"
    reason = scene.bot.refused(
        "send_private_msg", user_id=scene.alice.number, message="x"
    )
    assert "not signed on" in reason
    assert scene.bot.call("get_status")["online"] is False
    assert scene.bot.call("get_login_info")["user_id"] == scene.person.number
    scene.bot.signOn()
    assert scene.happened()[-1]["notice_type"] == "bot_online"
    assert scene.bot.call("get_status")["online"] is True


def test_twoBots(scene: Scene) -> None:
    """
    Each of two bots hears of everything; one that goes away is forgotten.
    """
    other, _ = scene.bot.connect()
    scene.alice.tell(scene.person, "both")
    scene.web.settle(1)
    assert other.sent[-1]["raw_message"] == "both"
    scene.bot.disconnect()
    assert len(scene.bot.account._listeners) == 1
    scene.alice.tell(scene.person, "one")
    scene.web.settle(1)
    assert other.sent[-1]["raw_message"] == "one"
    assert scene.bot.events[-1]["raw_message"] == "both"


def test_lifecycle() -> None:
    """
    A connection begins with its lifecycle event, and has heartbeats until it ends.
    """
    scene = Scene(heartbeat=15.0)
    first = scene.bot.socket.sent[0]
    assert first["meta_event_type"] == "lifecycle"
    assert first["sub_type"] == "connect"
    assert first["self_id"] == scene.person.number
    scene.web.settle(31)
    beats = scene.bot.socket.sent[1:]
    assert [each["meta_event_type"] for each in beats] == ["heartbeat"] * 2
    assert beats[0]["interval"] == 15000
    assert beats[0]["status"]["online"] is True
    scene.bot.disconnect()
    scene.web.settle(31)
    assert len(scene.bot.socket.sent) == 3


def test_silent(scene: Scene) -> None:
    """
    The presence is set by its number.
    """
    scene.bot.call("set_online_status", status=70, ext_status=0, battery_status=0)
    assert scene.person.service is not None
    uin = scene.alice.uinOf(scene.person)
    assert scene.alice.protocol.buddies[uin].status is Status.SILENT
    assert "1400" in scene.bot.refused("set_online_status", status=11)


def test_unknownMessage(scene: Scene) -> None:
    """
    An empty content does no harm.
    """
    scene.alice.tell(scene.person, [Text(" ")])
    assert scene.happened()[0]["raw_message"] == " "
    assert Number(scene.happened()[0]["user_id"]) == scene.alice.number
