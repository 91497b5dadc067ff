"""
Mentions, replies, recalls, mutes, pokes and reactions of a bot.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import succeed

from tests.onebot.surface.bots import MemoryBot
from tests.onebot.surface.test_events import Scene
from txwebqq.model import (
    Content,
    Face,
    GroupMessage,
    MemberMuted,
    MemberPoked,
    Mention,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    Reaction,
    Reply,
    Text,
    Uin,
)
from txwebqq.onebot.faces import emojiId, emojiOf


@pytest.fixture
def scene() -> Scene:
    """
    A bot, which owns a group, its friend Alice, and Carol in the group.
    """
    scene = Scene()
    scene.alice.run()
    scene.carol.run()
    return scene


class Requests:
    """
    Records requests instead of making them.
    """

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[Any, ...]] = []
        for name in (
            "recallMessage",
            "recallGroupMessage",
            "muteMember",
            "muteGroup",
            "pokeMember",
            "setReaction",
        ):
            monkeypatch.setattr(scene.bot.account.online, name, self._recorder(name))

    def _recorder(self, name: str) -> Any:
        def make(*args: Any) -> Any:
            self.made.append((name, *args))
            return succeed(None)

        return make


@pytest.fixture
def requests(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """
    The requests about earlier messages and members.
    """
    return Requests(scene, monkeypatch)


def place(scene: Scene) -> dict[str, Any]:
    """
    Return the members of an event that name the group.
    """
    group = scene.person.groupCalled("猫咪")
    return {"group": group.gid, "code": group.code, "number": scene.group}


def happened(scene: Scene, callback: str, event: object) -> dict[str, Any]:
    """
    Have the account told of an event, and return the bot's.
    """
    before = len(scene.bot.events)
    getattr(scene.bot.account.online, callback)(event)
    scene.web.settle()
    (told,) = scene.bot.events[before:]
    assert told["post_type"] == "notice"
    assert told["self_id"] == scene.person.number
    return {
        name: value
        for name, value in told.items()
        if name not in ("time", "self_id", "post_type")
    }


def received(scene: Scene, person: Any, content: Any) -> GroupMessage:
    """
    Have Alice or Carol send a message to the group, and return it as the other
    knows it.
    """
    known = len(scene.carol.events), len(scene.alice.events)
    other = scene.carol if person is scene.alice else scene.alice
    person.tellGroup("猫咪", content)
    scene.web.settle(1)
    at = known[0] if other is scene.carol else known[1]
    (message,) = [e for e in other.events[at:] if isinstance(e, GroupMessage)]
    return message


def test_mentioned(scene: Scene) -> None:
    """
    A mention is told of by its number; a text beside it that looks like one is none.
    """
    number = scene.person.number
    group = {"group_id": scene.group, "user_id": scene.carol.number}
    scene.bot.call("set_group_admin", **group)
    scene.carol.tellGroup(
        "猫咪",
        [Mention(number, "Bot"), Text(" @阿梨 来 "), Mention(Number(0), "全体成员")],
    )
    event = scene.happened()[-1]
    assert event["message"] == [
        {"type": "at", "data": {"qq": str(number), "name": "Bot"}},
        {"type": "text", "data": {"text": " @阿梨 来 "}},
        {"type": "at", "data": {"qq": "all", "name": "全体成员"}},
    ]
    assert event["raw_message"].startswith(f"[CQ:at,qq={number},name=Bot] @阿梨 来 ")


def test_replied(scene: Scene) -> None:
    """
    A reply names the message by the id that the bot knows, also one to a message of
    its own, in the event and in the history.
    """
    first = received(scene, scene.alice, "谁在?")
    known = scene.happened()[-1]["message_id"]
    received(scene, scene.carol, [Reply(first.id), Text("我")])
    event = scene.happened()[-1]
    assert event["message"][0] == {"type": "reply", "data": {"id": str(known)}}
    assert scene.bot.call("get_msg", message_id=str(known))["raw_message"] == "谁在?"
    own = scene.bot.call("send_group_msg", group_id=scene.group, message="都在")
    (sent,) = [
        e
        for e in scene.alice.events
        if isinstance(e, GroupMessage) and e.text == "都在"
    ]
    received(scene, scene.alice, [Reply(sent.id), Text("好")])
    event = scene.happened()[-1]
    reply = {"type": "reply", "data": {"id": str(own["message_id"])}}
    assert event["message"][0] == reply
    history = scene.bot.call("get_group_msg_history", group_id=scene.group, count=1)
    assert history["messages"][0]["message"][0] == reply


def heard(person: Any) -> Content:
    """
    Return the content of the last message.
    """
    message = person.events[-1]
    assert isinstance(message, Message | GroupMessage)
    return message.content


def test_sendMention(scene: Scene) -> None:
    """
    A mention that is sent is one for the recipients, with the name of the member; of
    an account that is no member it is a text.
    """
    alice, carol = scene.alice.number, scene.carol.number
    code = scene.carol.groupCalled("猫咪").code
    scene.web.result(scene.carol.protocol.setGroupCard(code, name="卡罗"))
    at = [{"type": "at", "data": {"qq": each}} for each in (alice, str(carol), "all")]
    sent = scene.bot.call(
        "send_group_msg",
        group_id=scene.group,
        message=[*at, {"type": "text", "data": {"text": "来"}}],
    )
    assert heard(scene.alice) == (
        Mention(alice, "阿梨"),
        Text(" "),
        Mention(carol, "卡罗"),
        Text(" "),
        Mention(Number(0), "全体成员"),
        Text(" 来"),
    )
    event = scene.bot.call("get_msg", message_id=sent["message_id"])
    assert event["message"][0]["data"] == {"qq": str(alice), "name": "阿梨"}
    scene.bot.call(
        "send_group_msg",
        group_id=scene.group,
        message="[CQ:at,qq=77,name=别人]来[CQ:at,qq=x]",
    )
    assert heard(scene.alice) == (Text("@别人 来@x"),)
    scene.bot.call("send_private_msg", user_id=alice, message="[CQ:at,qq=77]")
    assert heard(scene.alice) == (Text("@77"),)


def test_sendReply(scene: Scene) -> None:
    """
    A reply comes first, and once, also in private and to a message of the bot's own.
    """
    first = received(scene, scene.alice, "谁在?")
    known = scene.happened()[-1]["message_id"]
    scene.bot.call(
        "send_group_msg",
        group_id=scene.group,
        message=f"我[CQ:reply,id={known}][CQ:reply,id={known}]",
    )
    assert heard(scene.alice) == (Reply(first.id), Text("我"))
    alice = scene.alice.number
    own = scene.bot.call("send_private_msg", user_id=alice, message="在吗")
    sent = scene.alice.events[-1]
    assert isinstance(sent, Message)
    scene.bot.call(
        "send_private_msg",
        user_id=alice,
        message=f"[CQ:reply,id={own['message_id']}]?",
    )
    assert heard(scene.alice) == (Reply(sent.id), Text("?"))
    reason = scene.bot.refused(
        "send_private_msg", user_id=alice, message=f"[CQ:reply,id={own['message_id']}]"
    )
    assert reason == "1400 message is empty"


def test_quote(scene: Scene) -> None:
    """
    A message of another conversation is quoted, and one that is not known left out.
    """
    received(scene, scene.alice, "谁在?")
    known = scene.happened()[-1]["message_id"]
    for message in (f"[CQ:reply,id={known}]看", "[CQ:reply,id=5]看"):
        scene.bot.call("send_private_msg", user_id=scene.alice.number, message=message)
    assert scene.alice.heard[-2:] == ["「阿梨: 谁在?」\n看", "看"]


def test_recallNotice(scene: Scene) -> None:
    """
    The recall of a message names it by the id of its event, also of one that is not
    known any more.
    """
    message = received(scene, scene.alice, "x")
    known = scene.happened()[-1]["message_id"]
    alice = scene.person.memberOf("猫咪", scene.alice)
    recall = MessageRecalled(
        **place(scene),
        sender=alice,
        operator=Uin(scene.person.number),
        id=message.id,
    )
    expected = {
        "notice_type": "group_recall",
        "group_id": scene.group,
        "user_id": scene.alice.number,
        "operator_id": scene.person.number,
        "message_id": known,
    }
    assert happened(scene, "messageRecalled", recall) == expected
    scene.bot.account.messages._messages.clear()
    assert happened(scene, "messageRecalled", recall) == expected


def test_friendRecallNotice(scene: Scene) -> None:
    """
    The recall of a message of a friend, or of one of ours to a friend, names both.
    """
    scene.alice.tell(scene.person, "x")
    event = scene.happened()[-1]
    nowhere: dict[str, Any] = {"group": 0, "code": 0, "number": 0}
    store = scene.bot.account.messages
    (wireId,) = store._messages[event["message_id"]].wireIds
    alice = scene.person.uinOf(scene.alice)
    recall = MessageRecalled(**nowhere, sender=alice, operator=alice, id=wireId)
    expected = {
        "notice_type": "friend_recall",
        "user_id": scene.alice.number,
        "message_id": event["message_id"],
    }
    assert happened(scene, "messageRecalled", recall) == expected
    own = scene.bot.call("send_private_msg", user_id=scene.alice.number, message="y")[
        "message_id"
    ]
    (wireId,) = store._messages[own].wireIds
    me = Uin(scene.person.number)
    recall = MessageRecalled(**nowhere, sender=me, operator=me, id=wireId)
    expected["message_id"] = own
    assert happened(scene, "messageRecalled", recall) == expected


@pytest.mark.parametrize(
    ("isCarol", "seconds", "how", "duration"),
    [
        (True, 600, "ban", 600),
        (True, 0, "lift_ban", 0),
        (False, 2**31 - 1, "ban", -1),
        (False, 0, "lift_ban", 0),
    ],
)
def test_muteNotice(
    scene: Scene, isCarol: bool, seconds: int, how: str, duration: int
) -> None:
    """
    A mute of a member, or of all, and its end.
    """
    carol = scene.person.memberOf("猫咪", scene.carol)
    mute = MemberMuted(
        **place(scene),
        member=carol if isCarol else Uin(0),
        operator=scene.person.memberOf("猫咪", scene.alice),
        seconds=seconds,
    )
    assert happened(scene, "memberMuted", mute) == {
        "notice_type": "group_ban",
        "sub_type": how,
        "group_id": scene.group,
        "user_id": scene.carol.number if isCarol else 0,
        "operator_id": scene.alice.number,
        "duration": duration,
    }


def test_pokeNotice(scene: Scene) -> None:
    """
    A poke in a group, of which the server may not tell the number.
    """
    names = {**place(scene), "number": Number(0)}
    poke = MemberPoked(
        **names,
        sender=scene.person.memberOf("猫咪", scene.carol),
        target=Uin(scene.person.number),
    )
    assert happened(scene, "memberPoked", poke) == {
        "notice_type": "notify",
        "sub_type": "poke",
        "group_id": scene.group,
        "user_id": scene.carol.number,
        "target_id": scene.person.number,
    }


def test_reactionNotice(scene: Scene) -> None:
    """
    A reaction to a message, with an emoticon or an emoji, and its end.
    """
    message = received(scene, scene.alice, "x")
    known = scene.happened()[-1]["message_id"]
    for face, isSet, number in ((Face(51), True, "16"), (Text("👍"), False, "128077")):
        reaction = Reaction(
            **place(scene),
            sender=scene.person.memberOf("猫咪", scene.carol),
            id=message.id,
            face=face,
            isSet=isSet,
        )
        assert happened(scene, "reactionChanged", reaction) == {
            "notice_type": "group_msg_emoji_like",
            "group_id": scene.group,
            "user_id": scene.carol.number,
            "message_id": known,
            "likes": [{"emoji_id": number, "count": 1}],
            "is_add": isSet,
        }


@pytest.mark.parametrize(
    ("emoji", "face"),
    [
        ("16", Face(51)),
        ("178", Text("[斜眼笑]")),
        ("128077", Text("👍")),
        ("9829", Text("♥")),
        ("👍", Text("👍")),
    ],
)
def test_emoji(emoji: str, face: Face | Text) -> None:
    """
    The number of an emoticon, or the code point of an emoji, is a reaction and back.
    """
    assert emojiOf(emoji) == face
    assert emojiOf(emojiId(face)) == face


@pytest.mark.parametrize("emoji", ["", "1114112", "55296", "9" * 30, "9" * 5000])
def test_noEmoji(emoji: str) -> None:
    """
    A number beyond all characters, or of none that can be shown, is no reaction.
    """
    assert emojiOf(emoji) is None


def test_delete(scene: Scene, requests: Requests) -> None:
    """
    A message of a group is recalled by the server's id, and so is one of the bot's own
    to a friend, in all its parts; one of a friend is not.
    """
    message = received(scene, scene.alice, "x")
    known = scene.happened()[-1]["message_id"]
    scene.bot.call("delete_msg", message_id=str(known))
    gid = scene.person.groupCalled("猫咪").gid
    assert requests.made == [("recallGroupMessage", gid, message.id)]
    alice = scene.alice.number
    own = scene.bot.call("send_private_msg", user_id=alice, message="long " * 4000)
    parts = [e for e in scene.alice.events if isinstance(e, Message)]
    assert len(parts) > 1
    scene.bot.call("delete_msg", message_id=own["message_id"])
    uin = scene.person.uinOf(scene.alice)
    assert requests.made[1:] == [("recallMessage", uin, e.id) for e in parts]
    scene.alice.tell(scene.person, "x")
    known = scene.happened()[-1]["message_id"]
    assert "the friend alone" in scene.bot.refused("delete_msg", message_id=known)
    assert "not known" in scene.bot.refused("delete_msg", message_id=1)
    sent = scene.bot.call("send_group_msg", group_id=scene.discussion, message="x")
    assert "a discussion" in scene.bot.refused("delete_msg", **sent)
    assert len(requests.made) == 1 + len(parts)


def test_mute(scene: Scene, requests: Requests) -> None:
    """
    A member is muted for half an hour or the time that is given, and all members.
    """
    group, carol = {"group_id": str(scene.group)}, {"user_id": scene.carol.number}
    scene.bot.call("set_group_ban", **group, **carol)
    scene.bot.call("set_group_ban", **group, **carol, duration="60")
    scene.bot.call("set_group_ban", **group, **carol, duration=0)
    scene.bot.call("set_group_whole_ban", **group)
    scene.bot.call("set_group_whole_ban", **group, enable="false")
    code = scene.person.groupCalled("猫咪").code
    uin = scene.person.memberOf("猫咪", scene.carol)
    assert requests.made == [
        ("muteMember", code, uin, 1800),
        ("muteMember", code, uin, 60),
        ("muteMember", code, uin, 0),
        ("muteGroup", code, True),
        ("muteGroup", code, False),
    ]
    refused = scene.bot.refused
    assert "1400" in refused("set_group_ban", **group, **carol, duration=-1)
    assert "1400" in refused("set_group_ban", **group)
    assert "not in the group" in refused("set_group_ban", **group, user_id=77)
    assert "discussion" in refused("set_group_whole_ban", group_id=scene.discussion)


def test_pokeMember(scene: Scene, requests: Requests) -> None:
    """
    A member of a group is poked, by a call or a segment.
    """
    params = {"group_id": scene.group, "user_id": scene.carol.number}
    scene.bot.call("group_poke", **params)
    scene.bot.call("send_poke", **params)
    gid = scene.person.groupCalled("猫咪").gid
    uin = scene.person.memberOf("猫咪", scene.carol)
    assert requests.made == [("pokeMember", gid, uin)] * 2
    assert "1400" in scene.bot.refused("group_poke", user_id=scene.carol.number)
    carol = scene.carol.number
    segment = {"type": "poke", "data": {"qq": str(carol)}}
    scene.bot.call("send_group_msg", group_id=scene.group, message=segment)
    assert requests.made == [("pokeMember", gid, uin)] * 3
    for place, message in (
        (scene.group, "[CQ:poke,type=1,id=-1]hi"),
        (scene.group, "[CQ:poke,qq=77]"),
        (scene.discussion, f"[CQ:poke,qq={scene.alice.number}]"),
    ):
        assert "needs qq" in scene.bot.refused(
            "send_group_msg", group_id=place, message=message
        )
    scene.bot.call("send_poke", user_id=scene.alice.number)
    assert len(requests.made) == 3
    assert scene.alice.heard == []


def test_react(scene: Scene, requests: Requests) -> None:
    """
    A message of a group is reacted to, and the reaction taken back.
    """
    message = received(scene, scene.alice, "x")
    known = {"message_id": scene.happened()[-1]["message_id"]}
    scene.bot.call("set_msg_emoji_like", **known, emoji_id=16)
    scene.bot.call("set_msg_emoji_like", **known, emoji_id="128077", set=False)
    gid = scene.person.groupCalled("猫咪").gid
    assert requests.made == [
        ("setReaction", gid, message.id, Face(51), True),
        ("setReaction", gid, message.id, Text("👍"), False),
    ]
    refused = scene.bot.refused
    assert "1400" in refused("set_msg_emoji_like", **known)
    assert "1400" in refused("set_msg_emoji_like", **known, emoji_id="1114112")
    assert "not known" in refused("set_msg_emoji_like", message_id=1, emoji_id=16)
    own = scene.bot.call("send_msg", user_id=scene.alice.number, message="x")
    assert "in groups" in refused("set_msg_emoji_like", **own, emoji_id=16)


def test_quickOperations(scene: Scene, requests: Requests) -> None:
    """
    A quick operation recalls the message, and mutes its sender.
    """
    message = received(scene, scene.alice, "x")
    context = scene.happened()[-1]
    gid, code = place(scene)["group"], place(scene)["code"]
    uin = scene.person.memberOf("猫咪", scene.alice)
    for operation in (
        {"delete": True},
        {"ban": True},
        {"ban": "true", "ban_duration": 60},
        {"delete": False, "ban": False},
    ):
        scene.bot.call(".handle_quick_operation", context=context, operation=operation)
    assert requests.made == [
        ("recallGroupMessage", gid, message.id),
        ("muteMember", code, uin, 1800),
        ("muteMember", code, uin, 60),
    ]


def test_ownMessages(scene: Scene) -> None:
    """
    A bot that wants them is told of messages of the account's own, once each: those
    that bots and other clients of the account have sent. Another bot is not.
    """
    other = MemoryBot(scene.web, scene.person, hasOwn=True)
    other.account = scene.bot.account
    other.socket, other.connection = other.connect()
    sent = scene.bot.call("send_group_msg", group_id=scene.group, message="一")
    event = other.events[-1]
    assert event["post_type"] == "message_sent"
    assert event["message_sent_type"] == "self"
    assert event["message_id"] == sent["message_id"]
    assert event["user_id"] == scene.person.number
    assert event["target_id"] == event["group_id"] == scene.group
    elsewhere = MessageSent(
        **{**place(scene), "group": 0, "code": 0, "number": 0},
        to=scene.person.uinOf(scene.alice),
        content=(Text("二"),),
        id=12345,
        time=1366004000,
    )
    online: Any = scene.bot.account.online
    for _ in range(2):
        online.messageSent(elsewhere)
        scene.web.settle()
    assert [each["raw_message"] for each in other.events] == ["一", "二"]
    event = other.events[-1]
    assert event["message_type"] == "private"
    assert event["target_id"] == scene.alice.number
    assert scene.bot.events == []
    known = scene.bot.call("get_msg", message_id=event["message_id"])
    assert known["raw_message"] == "二"
