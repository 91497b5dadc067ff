"""
The gateway in memory, from an IRC client's bytes to QQ and back.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from tests.irc.scene import Client, Scene
from txwebqq.errors import Unreachable
from txwebqq.irc.gateway.connection import PING_INTERVAL
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.lineconnection import REGISTRATION_TIMEOUT
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Code, Font, FriendshipNotice, Status, Uin, plainText
from txwebqq.protocol import WebQQProtocol

PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52f"
    "OPeGAAAAAElFTkSuQmCC"
)


def test_welcome(scene: Scene) -> None:
    """
    After registration a client is sent the welcome, its channels and their
    members.
    """
    seen = scene.client().seen
    for text in (
        ":qq.test 001 me ",
        "CASEMAPPING=rfc1459",
        "LINELEN=512",
        ":me!alice@qq.test JOIN #猫咪",
        "353 me = #猫咪",
        "@小明",
        "366 me #猫咪",
    ):
        assert text in seen


def test_bothWays(scene: Scene) -> None:
    """
    Messages are sent to friends and groups, and received from them.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :你好[微笑]", "PRIVMSG #猫咪,小明 :hello")
    assert sorted(scene.ming.heard) == ["hello", "hello", "你好"]
    client.transport.clear()
    scene.ming.tell(scene.alice, "在吗")
    scene.ming.tellGroup("猫咪", "都在吗")
    scene.web.settle(3)
    number = scene.ming.number
    assert f":小明!{number}@qq.test PRIVMSG me 在吗\r\n" in client.seen
    assert f":小明!{number}@qq.test PRIVMSG #猫咪 都在吗\r\n" in client.seen


def test_missed(scene: Scene) -> None:
    """
    Messages that arrived while no client was attached are played back once to
    each client with a name of its own.
    """
    scene.client().close()
    scene.client(login="alice/phone").close()
    scene.ming.tell(scene.alice, "等你回来")
    scene.web.settle(3)
    for login in ("alice", "alice/phone"):
        client = scene.client("server-time", login=login)
        assert "等你回来" in client.seen
        assert "@time=" in client.seen
        client.close()
        assert "等你回来" not in scene.client(login=login).seen


def test_severalClients(scene: Scene) -> None:
    """
    A message from one client is shown to the others, and to itself with
    C{echo-message}.
    """
    first, second = scene.client(), scene.client("echo-message", "message-tags")
    assert "hi" not in first.send("PRIVMSG 小明 :hi")
    assert "PRIVMSG 小明 hi" in second.seen
    assert "msgid=" in second.send("PRIVMSG 小明 :ho")
    assert second.seen.count("PRIVMSG 小明 ho") == 1


def test_lineBreaks(scene: Scene) -> None:
    """
    A message with line breaks is shown as several lines, none of them a
    command.
    """
    client = scene.client()
    client.transport.clear()
    scene.ming.tell(scene.alice, "a\r\nQUIT :x\n\x01DCC SEND x\x01\0")
    scene.web.settle(3)
    heads = [line.split(" ")[1] for line in client.seen.splitlines()]
    assert heads == ["PRIVMSG"] * 3
    assert "\x01" not in client.seen


@pytest.mark.parametrize("name", ["\r\nQUIT :x", "a!b@c d", "\x01\x02", "", ":x #y"])
def test_hostileNick(name: str) -> None:
    """
    A friend with any name can be sent messages.
    """
    scene = Scene(name)
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    client = scene.client()
    nick = scene.alices.directory.nameOf(Target(TargetKind.CONTACT, scene.ming.number))
    client.send(f"PRIVMSG {nick} :hello")
    assert scene.ming.heard == ["hello"]


def test_longMessage(scene: Scene) -> None:
    """
    A long message is split into lines of 512 bytes, without loss.
    """
    client = scene.client()
    client.transport.clear()
    scene.ming.tell(scene.alice, "茶" * 1000)
    scene.web.settle(3)
    lines = client.transport.value().split(b"\r\n")[:-1]
    assert all(len(line) <= 510 for line in lines)
    assert client.seen.count("茶") == 1000


def test_gbk(scene: Scene) -> None:
    """
    A client that writes GB18030 is answered in it.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :你好".encode("gb18030"))
    assert scene.ming.heard == ["你好"]
    client.transport.clear()
    scene.ming.tell(scene.alice, "再见")
    scene.web.settle(3)
    assert "再见".encode("gb18030") in client.transport.value()


def test_invalidLines(scene: Scene) -> None:
    """
    Lines that are too long, invalid or unknown are answered with a reply.
    """
    client = scene.client()
    assert " 417 " in client.send(b"x" * 100_000)
    assert " 417 " in client.send(b"@" + b"a;" * 1_000_000 + b" PING")
    assert "NOTICE me" in client.send(b"PRIVMSG a :\0")
    assert " 421 " in client.send("NONSENSE")
    assert "PONG qq.test x" in client.send("PING x")


def test_slow(scene: Scene) -> None:
    """
    A client that does not read is disconnected, and others are not.
    """
    slow, other = scene.client(), scene.client()
    assert slow.transport.producer is not None
    slow.transport.producer.pauseProducing()
    for _ in range(100):
        scene.alices.conversations.notify("x" * 20_000)
    assert slow.transport.isAborted
    assert not other.transport.isAborted


def test_guesses(scene: Scene) -> None:
    """
    After five wrong passwords, the right one is refused for a minute.
    """
    for _ in range(5):
        client = Client(scene)
        assert " 464 " in client.send("PASS alice:green", "NICK me", "USER me 0 * x")
        assert client.transport.disconnecting
    right = ("PASS alice:oolong", "NICK me", "USER me 0 * x")
    assert " 464 " in Client(scene, "10.0.0.9").send(*right)
    scene.web.settle(61)
    assert " 001 " in Client(scene).send(*right)


def test_sasl(scene: Scene) -> None:
    """
    SASL accepts a login with a client name.
    """
    blob = b64encode(b"\0alice/phone\0oolong").decode()
    client = Client(scene)
    client.send("CAP REQ :sasl", "NICK me", "USER me 0 * x", "AUTHENTICATE PLAIN")
    assert " 903 " in client.send(f"AUTHENTICATE {blob}")
    assert " 001 " in client.send("CAP END")
    assert [each.key for each in scene.alices.clients] == ["phone"]


def test_silence(scene: Scene) -> None:
    """
    A client that does not register is disconnected; a silent one is sent
    C{PING} first.
    """
    silent = Client(scene)
    scene.web.settle(REGISTRATION_TIMEOUT + 1)
    assert silent.transport.disconnecting
    client = scene.client()
    client.transport.clear()
    scene.clock.advance(PING_INTERVAL + 1)
    assert "PING qq.test" in client.seen
    scene.clock.advance(PING_INTERVAL + 1)
    assert client.transport.disconnecting


def test_offline(scene: Scene) -> None:
    """
    A message that cannot be delivered is answered with 404, one to an unknown
    nick with 401.
    """
    client = scene.client()
    scene.alice.stop()
    scene.web.settle(3)
    assert " 404 " in client.send("PRIVMSG 小明 :hello")
    assert " 401 " in client.send("PRIVMSG nobody :hello")


def test_queries(scene: Scene) -> None:
    """
    Queries, joins and nick changes have their usual replies.
    """
    client = scene.client("away-notify", "userhost-in-names", "extended-join")
    number = scene.ming.number
    for question, answer in (
        ("WHO #猫咪", f"352 me #猫咪 {number} qq.test qq.test 小明 H@"),
        ("WHOIS 小明", f"311 me 小明 {number}"),
        ("WHOIS 小明", "319 me 小明 #猫咪"),
        ("NAMES #猫咪", f"@小明!{number}@qq.test"),
        ("LIST", "322 me #猫咪 2"),
        ("ISON 小明 nobody *qq", "303 me :小明 *qq"),
        ("MODE #猫咪", "324 me #猫咪 +nt"),
        ("TOPIC #猫咪", "331 me #猫咪"),
        ("PART #猫咪", "PART #猫咪"),
        ("JOIN #猫咪", "JOIN #猫咪"),
        ("JOIN #nowhere", " 403 "),
        ("NICK 小明", " 433 "),
        ("NICK other", "NICK other"),
    ):
        assert answer in client.send(question), question
    client.transport.clear()
    scene.ming.appear(Status.AWAY)
    scene.web.settle(3)
    assert f":小明!{number}@qq.test AWAY away" in client.seen


def test_botCommands(scene: Scene) -> None:
    """
    The bot answers each command, and names the error in a wrong one.
    """
    client = scene.client()
    for command, answer in (
        ("help", "rename NICK NEW"),
        ("accounts", f"{scene.alice.number} is online"),
        ("status busy", "is now busy"),
        ("status nonsense", "unknown status"),
        ("list", f"小明: {scene.ming.number}, online"),
        ("rename 小明 Ming", "小明 is now Ming"),
        ("history Ming 5", ""),
        ("history Nobody", "no such nick or channel"),
        ("accept 10999", "no friend request from 10999"),
        ("accept", "NUMBER is missing"),
        ("search 1", "search failed"),
        ("nonsense", "Unknown command nonsense"),
    ):
        assert answer in client.send(f"PRIVMSG *qq :{command}"), command
    client.send("PRIVMSG Ming :hello")
    assert scene.ming.heard == ["hello"]


def test_names(scene: Scene) -> None:
    """
    A nick is kept after another sign-on.
    """
    client = scene.client()
    client.send("PRIVMSG *qq :rename 小明 Ming")
    scene.alice.stop()
    scene.web.settle(3)
    scene.signOn(scene.alice)
    client.transport.clear()
    scene.ming.tell(scene.alice, "still me")
    scene.web.settle(3)
    assert ":Ming!" in client.seen


def test_action(scene: Scene) -> None:
    """
    CTCP C{ACTION} is sent as C{/me}; other CTCP requests are ignored.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :\x01ACTION waves\x01")
    assert scene.ming.heard == ["/me waves"]
    assert client.send("PRIVMSG 小明 :\x01VERSION\x01") == ""


def test_discussion(scene: Scene) -> None:
    """
    A discussion is a channel from its first message on, which is shown.
    """
    client = scene.client()
    client.transport.clear()
    ming = scene.ming
    did = scene.web.discussion("Weekend", ming, scene.alice)
    scene.web.result(ming.protocol.sendDiscussionMessage(did, "Sunday?"))
    scene.web.settle(3)
    seen = client.seen
    assert "JOIN #Weekend" in seen
    assert "PRIVMSG #Weekend Sunday?" in seen.partition("JOIN #Weekend")[2]
    client.send("PRIVMSG #Weekend :yes")
    assert ming.heard[-1] == "yes"


def test_picture(scene: Scene) -> None:
    """
    A picture is shown as a link to it.
    """
    client = scene.client()
    client.transport.clear()
    gid = scene.ming.groupCalled("猫咪").gid
    scene.web.result(scene.ming.protocol.sendGroupPicture(gid, PICTURE, "tea.png"))
    scene.web.settle(5)
    [path] = re.findall(r"http://qq\.test/p/(\S+)", client.seen)
    picture = scene.links.find(path)
    assert picture is not None
    assert picture.data == PICTURE


def test_captcha(scene: Scene) -> None:
    """
    A captcha is shown as a link, and answered once.
    """
    client = scene.client()
    client.transport.clear()
    account = scene.alices.accounts[scene.alice.number]
    answer = scene.alices.captchaRequired(account, PICTURE)
    assert "http://qq.test/p/" in client.seen
    client.send("PRIVMSG *qq :captcha abcd")
    assert isinstance(answer, Deferred)
    assert scene.web.result(answer) == "abcd"
    assert "There is no captcha" in client.send("PRIVMSG *qq :captcha abcd")


def test_botAnswersAreNotPlayedBack(scene: Scene) -> None:
    """
    The bot's answers are shown to the asking client only, and not played back.
    """
    asking, other = scene.client(), scene.client(login="alice/phone")
    other.transport.clear()
    assert "rename NICK NEW" in asking.send("PRIVMSG *qq :help")
    assert "rename NICK NEW" not in other.seen
    other.close()
    assert "rename NICK NEW" not in scene.client(login="alice/phone").seen


def test_kicked(scene: Scene) -> None:
    """
    The end of a session by another sign-on is shown once.
    """
    client = scene.client()
    client.transport.clear()
    scene.alice.run()
    scene.web.settle(3)
    assert client.seen.count("has lost its connection") == 1
    assert "login" in client.seen


def test_signedOnAgain(scene: Scene) -> None:
    """
    Each sign-on is shown.
    """
    client = scene.client()
    scene.alice.stop()
    scene.web.settle(3)
    client.transport.clear()
    scene.signOn(scene.alice)
    assert client.seen.count(f"{scene.alice.number} is signed on") == 1


def test_beforeTheSignOn(scene: Scene) -> None:
    """
    Messages in a group are played back before the account is signed on again,
    as after a restart.
    """
    scene.client(login="alice/phone").close()
    scene.ming.tellGroup("猫咪", "都等你")
    scene.web.settle(3)
    account = scene.alices.accounts[scene.alice.number]
    account.contacts.sessionEnded()
    account.contacts.conversations.clear()
    seen = scene.client(login="alice/phone").seen
    assert "PRIVMSG #猫咪 都等你" in seen.partition("JOIN #猫咪")[2]


def test_partlyKnown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A group whose details cannot be fetched has a channel, and its messages are
    shown; others are not affected.
    """
    scene.alice.stop()
    scene.web.settle(3)

    def refuse(self: WebQQProtocol, code: Code) -> Deferred[Any]:
        return fail(Unreachable("gone"))

    monkeypatch.setattr(WebQQProtocol, "fetchGroup", refuse)
    account = scene.alices.accounts[scene.alice.number]
    account.contacts.conversations.clear()
    scene.signOn(scene.alice)
    client = scene.client()
    client.send("PRIVMSG 小明 :hello")
    assert scene.ming.heard == ["hello"]
    client.transport.clear()
    scene.ming.tellGroup("猫咪", "still here")
    scene.web.settle(3)
    assert "still here" in client.seen


def test_order(scene: Scene) -> None:
    """
    Messages are sent in the order in which the client sent them.
    """
    client = scene.client()
    asked: list[Deferred[None]] = []
    account = scene.alices.accounts[scene.alice.number]
    send, said = account.online.sendMessage, []

    def later(uin: Uin, content: Any, font: Font) -> Deferred[None]:
        said.append(plainText(content))
        asked.append(Deferred())
        return asked[-1].addCallback(lambda _: send(uin, content, font))

    account.online.sendMessage = later  # type: ignore[assignment, method-assign]
    client.send("PRIVMSG 小明 :one", "PRIVMSG 小明 :two")
    assert said == ["one"]
    asked[0].callback(None)
    scene.web.settle(1)
    asked[1].callback(None)
    scene.web.settle(1)
    assert scene.ming.heard == ["one", "two"]


def test_actionsAreShown(scene: Scene) -> None:
    """
    Actions are shown as CTCP C{ACTION}, to the sender with C{echo-message} and
    to other clients.
    """
    client, other = scene.client("echo-message"), scene.client()
    client.transport.clear()
    other.transport.clear()
    scene.ming.tell(scene.alice, "/me waves")
    scene.web.settle(3)
    assert ":\x01ACTION waves\x01" in client.seen
    assert ":\x01ACTION nods\x01" in client.send("PRIVMSG 小明 :\x01ACTION nods\x01")
    assert "PRIVMSG 小明 :\x01ACTION nods\x01" in other.seen


def test_nothingTooLong() -> None:
    """
    No line is too long, with any message of the day and any announcement.
    """
    scene = Scene()
    scene.factory.motd = "茶" * 400
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    client = scene.client()
    ming = scene.ming
    code = ming.groupCalled("猫咪").code
    scene.web.result(ming.protocol.editGroup(code, notice="茶" * 400))
    scene.web.settle(3)
    client.send("PRIVMSG *qq :list")
    for line in client.transport.value().split(b"\r\n"):
        assert len(line) <= 510
    for line in scene.client().transport.value().split(b"\r\n"):
        assert len(line) <= 510


def test_invalidParameters(scene: Scene) -> None:
    """
    Parameters that cannot be repeated are replaced by C{*}.
    """
    client = scene.client()
    for question, answer in (
        ("WHO :a b", "315 me * "),
        ("WHOIS :a b", "401 me * "),
        ("JOIN :a b", "403 me * "),
        ("PART ::x", "442 me * "),
        ("ISON :", "303 me :"),
        ("WHO", "315 me * "),
        ("TOPIC", "461 me TOPIC "),
    ):
        assert answer in client.send(question), question


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_namesake(name: str) -> None:
    """
    A friend with the user's name, in any case, gets another nick.
    """
    scene = Scene(name)
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    nick = scene.alices.directory.nameOf(Target(TargetKind.CONTACT, scene.ming.number))
    assert casefold(nick) != "alice"
    assert nick.endswith(str(scene.ming.number))


def test_ison(scene: Scene) -> None:
    """
    A friend whose status is not known is not reported as online.
    """
    client = scene.client()
    assert "303 me 小明" in client.send("ISON 小明")
    scene.alice.stop()
    scene.web.settle(3)
    assert "小明" not in client.send("ISON 小明")


def test_away(scene: Scene) -> None:
    """
    C{AWAY} sets the status on QQ.
    """
    client = scene.client()
    uin = scene.ming.uinOf(scene.alice)
    for line, status in (("AWAY :lunch", Status.AWAY), ("AWAY", Status.ONLINE)):
        client.send(line)
        scene.web.settle(3)
        assert scene.ming.protocol.buddies[uin].status is status


def test_part(scene: Scene) -> None:
    """
    After C{PART}, a channel is mute until C{JOIN}, which plays back the missed
    messages once.
    """
    client = scene.client()
    client.send("PART #猫咪")
    client.transport.clear()
    scene.ming.tellGroup("猫咪", "quiet?")
    scene.web.settle(3)
    assert client.seen == ""
    seen = client.send("JOIN #猫咪")
    assert "PRIVMSG #猫咪 quiet?" in seen.partition("JOIN #猫咪")[2]
    assert "quiet?" not in client.send("JOIN #猫咪", "PART #猫咪", "JOIN #猫咪")
    scene.ming.tellGroup("猫咪", "loud")
    scene.web.settle(3)
    assert "PRIVMSG #猫咪 loud" in client.seen


def test_clientsNick(scene: Scene) -> None:
    """
    A new friend does not get the nick of a client.
    """
    client = scene.client()
    hua = scene.web.person("me")
    account = scene.alices.accounts[scene.alice.number]
    hua.run()
    scene.web.result(account.online.requestFriendship(hua.number))
    scene.web.settle(3)
    [request] = [e for e in hua.events if isinstance(e, FriendshipNotice)]
    scene.web.result(hua.protocol.acceptFriendship(request))
    scene.web.settle(3)
    hua.tell(scene.alice, "hello")
    scene.web.settle(3)
    assert f":me_{hua.number}!{hua.number}@qq.test PRIVMSG me hello" in client.seen


def test_partIsKept(scene: Scene) -> None:
    """
    C{PART} holds for the client when it reconnects, and for no other client;
    no message is lost.
    """
    client = scene.client(login="alice/phone")
    client.send("PART #猫咪")
    client.close()
    scene.ming.tellGroup("猫咪", "quiet?")
    scene.web.settle(3)
    assert "JOIN #猫咪" in scene.client().seen
    again = scene.client(login="alice/phone")
    assert "#猫咪" not in again.seen
    scene.ming.tellGroup("猫咪", "still?")
    scene.web.settle(3)
    assert "still?" not in again.seen
    seen = again.send("JOIN #猫咪")
    assert seen.index("quiet?") < seen.index("still?")
    again.close()
    assert "JOIN #猫咪" in scene.client(login="alice/phone").seen


def test_renamedMember(scene: Scene) -> None:
    """
    A renamed member is listed by the new nick, and has not left the channel.
    """
    client = scene.client()
    assert "NICK Ming" in client.send("PRIVMSG *qq :rename 小明 Ming")
    assert "@Ming" in client.send("NAMES #猫咪")
    client.transport.clear()
    group = scene.ming.groupCalled("猫咪")
    scene.web.result(scene.ming.protocol.editGroup(group.code, notice="tea"))
    account = scene.alices.accounts[scene.alice.number]
    target = next(iter(account.contacts.conversations))
    scene.web.result(Deferred.fromCoroutine(account.actions.refresh(target)))
    assert client.seen == ":qq.test TOPIC #猫咪 tea\r\n"
