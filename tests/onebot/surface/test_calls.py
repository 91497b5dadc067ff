"""
Calls of a bot.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.iweb import UNKNOWN_LENGTH
from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.onebot.surface.bots import PNG, MemoryBot
from tests.onebot.surface.test_events import Scene
from txwebqq.errors import Unreachable
from txwebqq.model import Face, GroupMessage, GroupPicture, Message, Text
from txwebqq.onebot.surface.calls.contacts import LOGIN_PATIENCE
from txwebqq.onebot.surface.calls.dispatcher import (
    CALL_TIMEOUT,
    HANDLERS,
    MAX_IN_FLIGHT,
)
from txwebqq.onebot.surface.pictures import FETCH_TIMEOUT, PictureLoader
from txwebqq.onebot.surface.replies import CallFailed
from txwebqq.onebot.websocket import WebSocket
from txwebqq.testing import MemoryTreq, MemoryWebQQ


@pytest.fixture
def scene() -> Scene:
    """
    A bot, its friend and a group.
    """
    return Scene()


def answer(bot: MemoryBot, text: str) -> Any:
    """
    Send a text, and return the last reply.
    """
    bot.write(text)
    bot._web.settle()
    return bot.socket.sent[-1]


@pytest.mark.parametrize("echo", ["17", {"seq": 4}, 9, None, [1, "x"], False, 1.5])
def test_echo(scene: Scene, echo: Any) -> None:
    """
    An echo comes back as it was given.
    """
    text = json.dumps({"action": "get_status", "echo": echo, "params": None})
    reply = answer(scene.bot, text)
    assert reply["status"] == "ok"
    assert reply["echo"] == echo
    assert type(reply["echo"]) is type(echo)


def test_noEcho(scene: Scene) -> None:
    """
    Without echo the reply has none, and it has no type of an event.
    """
    reply = answer(scene.bot, '{"action":"get_status"}')
    assert set(reply) == {"status", "retcode", "data", "message", "wording"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        '"x"',
        '{"a":NaN}',
        "[" * 100_000,
        "\ufeff",
        "9" * 9999,
    ],
)
def test_malformed(scene: Scene, text: str) -> None:
    """
    A text that is no call is answered with 1400, and the next one is performed.
    """
    reply = answer(scene.bot, text)
    assert reply["retcode"] == 1400
    assert reply["status"] == "failed"
    assert reply["echo"] is None
    assert scene.bot.call("can_send_image") == {"yes": True}


@pytest.mark.parametrize(
    "call", [{"action": "no_such"}, {"action": 5}, {}, {"action": "no_such_async"}]
)
def test_unknown(scene: Scene, call: dict[str, Any]) -> None:
    """
    An unknown action is answered with 1404.
    """
    reply = answer(scene.bot, json.dumps({**call, "echo": 1}))
    assert reply["retcode"] == 1404
    assert reply["echo"] == 1


def test_async(scene: Scene) -> None:
    """
    A call with the suffix is answered at once, and performed.
    """
    scene.alice.run()
    params = {"user_id": scene.alice.number, "message": "later"}
    reply = scene.bot.reply("send_private_msg_async", **params)
    assert (reply["status"], reply["retcode"], reply["data"]) == ("async", 1, None)
    assert scene.alice.heard == ["later"]


def test_rateLimited(scene: Scene) -> None:
    """
    Calls with this suffix are performed one each half second.
    """
    scene.alice.run()
    for word in ("one", "two", "three"):
        params = {"user_id": scene.alice.number, "message": word}
        reply = scene.bot.reply("send_private_msg_rate_limited", **params)
        assert reply["status"] == "async"
    assert scene.alice.heard == ["one"]
    scene.web.settle(1)
    scene.web.settle(1)
    assert scene.alice.heard == ["one", "two", "three"]


def test_sendForms(scene: Scene) -> None:
    """
    A message is an array, one segment, or a text with CQ codes, which auto_escape
    leaves alone; emoticons get WebQQ's numbers, and those it lacks become texts.
    """
    scene.alice.run()
    bot, alice = scene.bot, str(scene.alice.number)
    segment = {"type": "face", "data": {"id": 16}}
    for message, escape in (
        ("a[CQ:face,id=16]&#91;b", False),
        ("a[CQ:face,id=16]", "true"),
        (segment, False),
        (["x", segment, {"type": "face", "data": {"id": "178"}}], False),
        (5, False),
    ):
        bot.call("send_msg", user_id=alice, message=message, auto_escape=escape)
    contents = [e.content for e in scene.alice.events if isinstance(e, Message)]
    assert contents == [
        (Text("a"), Face(51), Text("[b")),
        (Text("a[CQ:face,id=16]"),),
        (Face(51),),
        (Text("x"), Face(51), Text("[斜眼笑]")),
        (Text("5"),),
    ]


def test_sendGroup(scene: Scene) -> None:
    """
    A mention and a reply are shown by clients that know neither; the group comes before
    a user.
    """
    scene.alice.run()
    scene.alice.tellGroup("猫咪", "谁在?")
    quoted = scene.happened()[-1]["message_id"]
    sent = scene.bot.call(
        "send_msg",
        group_id=scene.group,
        user_id=scene.alice.number,
        message=[
            {"type": "reply", "data": {"id": str(quoted)}},
            {"type": "at", "data": {"qq": str(scene.alice.number)}},
            {"type": "text", "data": {"text": "我"}},
            {"type": "at", "data": {"qq": "all"}},
        ],
    )
    assert scene.alice.heard == ["@阿梨 我@全体成员"]
    event = scene.bot.call("get_msg", message_id=sent["message_id"])
    assert event["user_id"] == scene.person.number
    assert event["group_id"] == scene.group
    assert [each["type"] for each in event["message"]] == [
        "reply",
        "at",
        "text",
        "at",
    ]


def test_messageType(scene: Scene) -> None:
    """
    A message_type decides where a message goes.
    """
    scene.alice.run()
    scene.bot.call(
        "send_msg",
        message_type="private",
        group_id=scene.group,
        user_id=scene.alice.number,
        message="private",
    )
    assert isinstance(scene.alice.events[-1], Message)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"message": "x"}, "1400 user_id is missing"),
        ({"user_id": "x", "message": "x"}, "1400 user_id is missing or no number"),
        ({"user_id": 1}, "1400 message is missing or empty"),
        ({"user_id": 99, "message": ""}, "1400 message is missing or empty"),
        ({"user_id": 99, "message": {"type": 5}}, "1400 message is missing"),
        ({"user_id": 99, "message": "x"}, "1200 99 is neither a friend"),
        ({"group_id": 99, "message": "x"}, "1200 the account is in no group"),
        ({"group_id": 2**80, "message": "x"}, "1400 group_id is missing or no"),
        ({"user_id": 1, "message": [{"type": "record"}]}, "1200 a message cannot"),
        ({"user_id": 1, "message": [{"type": "json"}]}, "1200 a json segment"),
        ({"user_id": 1, "message": [{"type": "image"}]}, "1400 an image has no file"),
    ],
)
def test_notSent(scene: Scene, params: dict[str, Any], reason: str) -> None:
    """
    A message that cannot be sent is refused with the reason, and nothing of it is sent.
    """
    if params.get("user_id") == 1:
        params = {**params, "user_id": scene.alice.number}
    assert scene.bot.refused("send_msg", **params).startswith(reason)
    scene.alice.run()
    assert scene.alice.heard == []


def test_pictures(scene: Scene, tmp_path: Path) -> None:
    """
    Pictures are sent from base64 and from files, if they are pictures.
    """
    scene.alice.run()
    (tmp_path / "图 1.png").write_bytes(PNG)
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    files = [
        "base64://" + b64encode(PNG).decode(),
        (tmp_path / "图 1.png").as_uri(),
        str(tmp_path / "图 1.png"),
    ]
    for file in files:
        segment = {"type": "image", "data": {"file": file}}
        scene.bot.call("send_group_msg", group_id=scene.group, message=segment)
    got = [e.content for e in scene.alice.events if isinstance(e, GroupMessage)]
    assert [isinstance(c[0], GroupPicture) for c in got] == [True] * 3
    for file, reason in (
        ((tmp_path / "secret").as_uri(), "no JPEG"),
        ((tmp_path / "missing").as_uri(), "does not exist"),
        (tmp_path.as_uri(), "does not exist"),
        ("base64://?", "not in base64"),
        ("base64://eA==", "no JPEG"),
        ("other.png", "not known"),
        ("ftp://x/y.png", "not known"),
        ("file://[", "not known"),
        (f"file:{tmp_path}/图 1.png", "not known"),
    ):
        segment = {"type": "image", "data": {"file": file}}
        said = scene.bot.refused(
            "send_group_msg", group_id=scene.group, message=segment
        )
        assert reason in said
        assert str(tmp_path) not in said


class Host(Resource):
    """
    A web server with a picture.
    """

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """
        Send the picture, or the status that the path names.
        """
        if request.path == b"/picture":
            return PNG
        request.setResponseCode(int((request.path or b"")[1:]))
        return b"<p>none</p>"


def test_linkedPicture() -> None:
    """
    A picture is fetched from a web server; a text there is no picture.
    """
    clock = Clock()
    treq = MemoryTreq(Host())
    loader = PictureLoader(clock, treq)

    def load(url: str) -> Any:
        results: list[Any] = []
        Deferred.fromCoroutine(loader.load(url)).addBoth(results.append)
        treq.flush()
        (result,) = results
        return result.getErrorMessage() if isinstance(result, Failure) else result

    assert load("HTTP://host.test/picture") == PNG
    assert "status 404" in load("http://host.test/404")
    assert "no JPEG" in load("http://host.test/200")
    assert "not a URL" in load("http://[host/")
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("code", [200, 404])
def test_endlessPicture(code: int) -> None:
    """
    The connection to a web server that does not end its reply is closed: at once when
    there is no picture, else after a time.
    """
    clock = Clock()
    aborted: list[bool] = []

    class Transport(StringTransport):
        def abortConnection(self) -> None:
            aborted.append(True)

    def deliver(protocol: Any) -> None:
        protocol.makeConnection(Transport())

    def request(*args: Any, **options: Any) -> Deferred[Any]:
        answer: Any = SimpleNamespace(
            code=code, deliverBody=deliver, length=UNKNOWN_LENGTH
        )
        return succeed(answer)

    treq: Any = SimpleNamespace(request=request)
    failures: list[Any] = []
    loading = Deferred.fromCoroutine(PictureLoader(clock, treq).load("http://x/"))
    loading.addErrback(failures.append)
    clock.advance(FETCH_TIMEOUT if code == 200 else 0)
    assert failures[0].check(CallFailed)
    assert aborted
    assert clock.getDelayedCalls() == []


def test_stopWhileFetching() -> None:
    """
    Fetching a picture ends with the service, and leaves nothing on the clock.
    """
    clock = Clock()
    treq: Any = SimpleNamespace(request=lambda *args, **options: Deferred())
    loader = PictureLoader(clock, treq)
    failures: list[Any] = []
    loading = Deferred.fromCoroutine(loader.load("http://x/"))
    loading.addErrback(failures.append)
    assert clock.getDelayedCalls()
    loader.close()
    assert failures[0].check(CallFailed)
    assert clock.getDelayedCalls() == []


def test_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Messages of a bot to one conversation keep their order, though the first needs an
    upload; those of another bot do not wait.
    """
    scene.alice.run()
    online = scene.bot.account.online
    picture = scene.web.result(online.uploadPicture(PNG))
    uploaded: Deferred[Any] = Deferred()
    monkeypatch.setattr(online, "uploadPicture", lambda data: uploaded)
    other, connection = scene.bot.connect()
    image = "[CQ:image,file=base64://" + b64encode(PNG).decode() + "]"
    for write, message in (
        (scene.bot.write, f"{image}first"),
        (scene.bot.write, "second"),
        (partial(connection.textReceived, cast(WebSocket, other)), "other"),
    ):
        params = {"user_id": scene.alice.number, "message": message}
        write(json.dumps({"action": "send_private_msg", "params": params}))
    scene.web.settle()
    assert scene.alice.heard == ["other"]
    uploaded.callback(picture)
    scene.web.settle()
    assert scene.alice.heard == ["other", "first", "second"]


def test_getMessage(scene: Scene) -> None:
    """
    A received message can be asked for by its id; one that is not known cannot.
    """
    scene.alice.tell(scene.person, "x")
    event = scene.happened()[0]
    assert scene.bot.call("get_msg", message_id=str(event["message_id"])) == event
    assert "not known" in scene.bot.refused("get_msg", message_id=1)


def test_history(scene: Scene) -> None:
    """
    Messages of the history have the ids of their events and of what was sent, and
    the earlier ones are asked for by the id of one.
    """
    sent = []
    for n in range(3):
        scene.alice.tellGroup("猫咪", f"群 {n}")
        scene.alice.tell(scene.person, f"私 {n}")
        scene.web.settle(1)
        for key, number in (("group_id", scene.group), ("user_id", scene.alice.number)):
            data = scene.bot.call("send_msg", message=f"答 {n}", **{key: number})
            sent.append(data["message_id"])
    ids = {e["raw_message"]: e["message_id"] for e in scene.happened()}
    for action, name, key, number, own in (
        ("get_group_msg_history", "群", "group_id", scene.group, sent[::2]),
        ("get_friend_msg_history", "私", "user_id", scene.alice.number, sent[1::2]),
    ):
        data = scene.bot.call(action, count=20, **{key: number})
        listed = [(m["raw_message"], m["message_id"]) for m in data["messages"]]
        assert listed == [
            pair
            for n in range(3)
            for pair in ((f"{name} {n}", ids[f"{name} {n}"]), (f"答 {n}", own[n]))
        ]
        middle = listed[3][1]
        earlier = scene.bot.call(action, count=2, message_seq=middle, **{key: number})
        assert [m["message_id"] for m in earlier["messages"]] == [
            each[1] for each in listed[2:4]
        ]
        newest = scene.bot.call(action, count=2, **{key: number})
        assert [m["message_id"] for m in newest["messages"]] == [
            each[1] for each in listed[4:]
        ]
        assert "not known" in scene.bot.refused(action, message_seq=7, **{key: number})


def test_noHistory(scene: Scene) -> None:
    """
    A conversation without messages has an empty history.
    """
    for key, number, action in (
        ("group_id", scene.group, "get_group_msg_history"),
        ("group_id", scene.discussion, "get_group_msg_history"),
        ("user_id", scene.alice.number, "get_friend_msg_history"),
    ):
        assert scene.bot.call(action, **{key: number}) == {"messages": []}


def test_people(scene: Scene) -> None:
    """
    Profiles of friends, members, others and of the account itself.
    """
    dave = scene.web.person("Dave", gender="male")
    for person in (scene.alice, scene.carol, dave, scene.person):
        data = scene.bot.call("get_stranger_info", user_id=person.number)
        assert data["user_id"] == person.number
        assert data["nickname"] == person.nick
        assert data["sex"] == ("male" if person is dave else "unknown")
    info = scene.bot.call("get_login_info")
    assert info == {"user_id": scene.person.number, "nickname": "Bot"}
    scene.bot.call("set_friend_remark", user_id=scene.alice.number, remark="梨")
    friends = scene.bot.call("get_friend_list")
    assert friends == [
        {"user_id": scene.alice.number, "nickname": "阿梨", "remark": "梨"}
    ]
    (category,) = scene.bot.call("get_friends_with_category")
    assert category["buddyList"] == friends
    scene.bot.call("delete_friend", user_id=scene.alice.number)
    assert scene.bot.call("get_friend_list") == []


def test_loginInfo() -> None:
    """
    A bot that asks who it is before the account has signed on is told its name when
    that is done, and only the number if it takes too long.
    """
    web = MemoryWebQQ()
    person = web.person("Bot")
    bot = MemoryBot(web, person)
    bot.write('{"action":"get_login_info","echo":1}')
    web.settle(LOGIN_PATIENCE - 1)
    assert [e for e in bot.socket.sent if "echo" in e] == []
    web.settle(1)
    bot.write('{"action":"get_login_info","echo":2}')
    bot.signOn()
    first, second = [e["data"] for e in bot.socket.sent if "echo" in e]
    assert first == {"user_id": person.number, "nickname": ""}
    assert second == {"user_id": person.number, "nickname": "Bot"}


def test_groups(scene: Scene) -> None:
    """
    Groups and discussions are listed, renamed, and left.
    """
    bot = scene.bot
    listed = {each["group_id"]: each for each in bot.call("get_group_list")}
    assert listed[scene.group]["group_name"] == "猫咪"
    assert listed[scene.group]["member_count"] == 3
    assert listed[scene.discussion]["group_name"] == "茶"
    for number in listed:
        bot.call("set_group_name", group_id=number, group_name=f"新 {number}")
        info = bot.call("get_group_info", group_id=str(number), no_cache=True)
        assert info["group_name"] == f"新 {number}"
    group = {"group_id": scene.group}
    bot.call("set_group_card", user_id=scene.person.number, card="机器人", **group)
    members = {m["user_id"]: m for m in bot.call("get_group_member_list", **group)}
    assert members[scene.person.number]["card"] == "机器人"
    assert members[scene.person.number]["role"] == "owner"
    bot.call("set_group_card", user_id=scene.alice.number, card="x", **group)
    members = {m["user_id"]: m for m in bot.call("get_group_member_list", **group)}
    assert members[scene.alice.number]["card"] == "x"
    bot.call("_send_group_notice", content="五点喝茶", **group)
    (notice,) = bot.call("_get_group_notice", **group)
    assert notice["message"]["text"] == "五点喝茶"
    assert "discussion" in bot.refused(
        "set_group_kick", group_id=scene.discussion, user_id=scene.alice.number
    )
    bot.call("set_group_leave", group_id=scene.discussion)
    bot.call("set_group_leave", is_dismiss=True, **group)
    assert bot.call("get_group_list") == []


def test_poke(scene: Scene) -> None:
    """
    A friend is poked by a window shake, alone or within a message.
    """
    scene.alice.run()
    alice = {"user_id": scene.alice.number}
    scene.bot.call("friend_poke", **alice)
    scene.bot.call("set_input_status", event_type=1, **alice)
    scene.bot.call("send_private_msg", message="[CQ:shake]", **alice)
    kinds = [type(e).__name__ for e in scene.alice.events]
    assert [k for k in kinds if k in ("Shake", "Typing")] == [
        "Shake",
        "Typing",
        "Shake",
    ]


def test_quickReply(scene: Scene) -> None:
    """
    A quick operation answers a message, with a mention in a group unless it is not
    wanted.
    """
    scene.alice.run()
    scene.alice.tellGroup("猫咪", "ping")
    scene.alice.tell(scene.person, "ping")
    group, private = scene.happened()
    for context, operation in (
        (group, {"reply": "pong"}),
        (group, {"reply": "pong", "at_sender": False}),
        (private, {"reply": "[CQ:face,id=14]", "auto_escape": True}),
        (private, {}),
    ):
        scene.bot.call(".handle_quick_operation", context=context, operation=operation)
    assert scene.alice.heard == ["@阿梨 pong", "pong", "[CQ:face,id=14]"]
    reply = scene.bot.reply(
        ".handle_quick_operation_async", context=private, operation={"reply": "x"}
    )
    assert reply["status"] == "async"
    assert scene.alice.heard[-1] == "x"
    assert "1400" in scene.bot.refused(".handle_quick_operation")


def test_timeout(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A call that is not answered fails in time, is cancelled, and disturbs no other.
    """
    cancelled: list[object] = []
    protocol = scene.bot.account.online
    monkeypatch.setattr(protocol, "fetchSelf", lambda: Deferred(cancelled.append))
    number = scene.person.number
    text = {"action": "get_stranger_info", "params": {"user_id": number}, "echo": 1}
    scene.bot.write(json.dumps(text))
    scene.bot.call("get_friend_list")
    scene.web.settle(CALL_TIMEOUT - 1)
    assert [e for e in scene.bot.socket.sent if "echo" in e] == []
    scene.web.settle(2)
    (reply,) = [e for e in scene.bot.socket.sent if "echo" in e]
    assert reply["retcode"] == 1200
    assert reply["message"].startswith("Timeout")
    assert len(cancelled) == 1


def test_failures(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A request whose reply is lost fails with the hint that it may have been done.
    """
    protocol = scene.bot.account.online
    monkeypatch.setattr(
        protocol, "sendMessage", lambda *args: fail(Unreachable("no reply"))
    )
    reason = scene.bot.refused("send_msg", user_id=scene.alice.number, message="x")
    assert "may have been done" in reason


def test_tooMany(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A bot that calls without end is refused; another one is not.
    """
    protocol = scene.bot.account.online
    monkeypatch.setattr(protocol, "fetchSelf", lambda: Deferred())
    number = scene.person.number
    text = json.dumps({"action": "get_stranger_info", "params": {"user_id": number}})
    for _ in range(MAX_IN_FLIGHT):
        scene.bot.write(text)
    assert "too many" in scene.bot.refused("get_status")
    other, connection = scene.bot.connect()
    connection.textReceived(other, '{"action":"get_status"}')  # type: ignore[arg-type]
    assert other.sent[-1]["status"] == "ok"


def test_standard() -> None:
    """
    All calls of the standard that WebQQ has an equivalent of exist.
    """
    standard = """
        send_private_msg send_group_msg send_msg delete_msg get_msg set_group_kick
        set_group_admin set_group_card set_group_name set_group_leave
        set_friend_add_request set_group_add_request get_login_info get_stranger_info
        get_friend_list get_group_info get_group_list get_group_member_info
        get_group_member_list get_image can_send_image can_send_record get_status
        get_version_info .handle_quick_operation get_group_msg_history
        get_friend_msg_history friend_poke set_input_status set_self_longnick
        set_online_status set_group_ban set_group_whole_ban group_poke send_poke
        set_msg_emoji_like upload_group_file get_group_root_files
        get_group_file_url delete_group_file
    """
    assert set(standard.split()) <= set(HANDLERS)
