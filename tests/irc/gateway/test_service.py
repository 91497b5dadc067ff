"""
The gateway, from an IRC client's bytes to QQ and back, in memory.
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
    Whoever comes in is told who is there.
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
    Words go to friends and groups, and come from them.
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
    What was said while nobody was there is played back, once, to each of
    those who tell themselves apart.
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


def test_several(scene: Scene) -> None:
    """
    What one client says the others see, and itself only when it wants to.
    """
    first, second = scene.client(), scene.client("echo-message", "message-tags")
    assert "hi" not in first.send("PRIVMSG 小明 :hi")
    assert "PRIVMSG 小明 hi" in second.seen
    assert "msgid=" in second.send("PRIVMSG 小明 :ho")
    assert second.seen.count("PRIVMSG 小明 ho") == 1


def test_hostileWords(scene: Scene) -> None:
    """
    A message of several lines is several messages, and no command.
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
    Whatever a friend calls themselves, they can be talked to.
    """
    scene = Scene(name)
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    client = scene.client()
    nick = scene.alices.directory.nameOf(Target(TargetKind.CONTACT, scene.ming.number))
    client.send(f"PRIVMSG {nick} :hello")
    assert scene.ming.heard == ["hello"]


def test_longWords(scene: Scene) -> None:
    """
    Nothing is longer than a line, and nothing is lost of it.
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
    A client that writes GBK is understood, and answered so.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :你好".encode("gb18030"))
    assert scene.ming.heard == ["你好"]
    client.transport.clear()
    scene.ming.tell(scene.alice, "再见")
    scene.web.settle(3)
    assert "再见".encode("gb18030") in client.transport.value()


def test_hostileLines(scene: Scene) -> None:
    """
    Lines without end, without sense or with NUL harm nobody.
    """
    client = scene.client()
    assert " 417 " in client.send(b"x" * 100_000)
    assert " 417 " in client.send(b"@" + b"a;" * 1_000_000 + b" PING")
    assert "NOTICE me" in client.send(b"PRIVMSG a :\0")
    assert " 421 " in client.send("NONSENSE")
    assert "PONG qq.test x" in client.send("PING x")


def test_slow(scene: Scene) -> None:
    """
    Who does not read is cut off, and others are not.
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
    After five wrong passwords even the right one has to wait a minute.
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
    SASL lets in, also with the name of the client.
    """
    blob = b64encode(b"\0alice/phone\0oolong").decode()
    client = Client(scene)
    client.send("CAP REQ :sasl", "NICK me", "USER me 0 * x", "AUTHENTICATE PLAIN")
    assert " 903 " in client.send(f"AUTHENTICATE {blob}")
    assert " 001 " in client.send("CAP END")
    assert [each.key for each in scene.alices.clients] == ["phone"]


def test_silence(scene: Scene) -> None:
    """
    Who never registers is shown out, and who is silent is asked first.
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
    What cannot be delivered is told, and so is the loss of the account.
    """
    client = scene.client()
    scene.alice.stop()
    scene.web.settle(3)
    assert " 404 " in client.send("PRIVMSG 小明 :hello")
    assert " 401 " in client.send("PRIVMSG nobody :hello")


def test_questions(scene: Scene) -> None:
    """
    The questions of IRC clients have their answers.
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


def test_desk(scene: Scene) -> None:
    """
    The service does what it says, and names what it cannot do.
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
    A nick stays, also after another sign-on.
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
    What somebody does is told with their words.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :\x01ACTION waves\x01")
    assert scene.ming.heard == ["/me waves"]
    assert client.send("PRIVMSG 小明 :\x01VERSION\x01") == ""


def test_discussion(scene: Scene) -> None:
    """
    A discussion is a channel as soon as somebody speaks there, and nothing
    that is said there is lost.
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
    A picture is a link to what was sent.
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
    A captcha is shown by a link, and its text is taken once.
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


def test_answersAreNotNews(scene: Scene) -> None:
    """
    What the service answers is for who asked, and is not played back.
    """
    asking, other = scene.client(), scene.client(login="alice/phone")
    other.transport.clear()
    assert "rename NICK NEW" in asking.send("PRIVMSG *qq :help")
    assert "rename NICK NEW" not in other.seen
    other.close()
    assert "rename NICK NEW" not in scene.client(login="alice/phone").seen


def test_kicked(scene: Scene) -> None:
    """
    A kick is told once, with the server's words.
    """
    client = scene.client()
    client.transport.clear()
    scene.alice.run()
    scene.web.settle(3)
    assert client.seen.count("has lost its connection") == 1
    assert "login" in client.seen


def test_backAgain(scene: Scene) -> None:
    """
    A sign-on is told each time, also after a sign-off.
    """
    client = scene.client()
    scene.alice.stop()
    scene.web.settle(3)
    client.transport.clear()
    scene.signOn(scene.alice)
    assert client.seen.count(f"{scene.alice.number} is signed on") == 1


def test_beforeTheSignOn(scene: Scene) -> None:
    """
    Words in a group are played back also before the account is signed on
    again, as after a restart.
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
    A group that the server does not tell about costs nothing but its name:
    the others are there, and what is said in it arrives.
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
    What is said at once arrives in the order in which it was said.
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


def test_actions(scene: Scene) -> None:
    """
    What somebody does is an action at both ends, and in other clients.
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
    Whatever an operator or a group's owner has written, no line is too long.
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


def test_oddQuestions(scene: Scene) -> None:
    """
    Names that cannot be repeated are answered all the same.
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
    A friend who is called as the user is, in whatever case, is somebody else.
    """
    scene = Scene(name)
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    nick = scene.alices.directory.nameOf(Target(TargetKind.CONTACT, scene.ming.number))
    assert casefold(nick) != "alice"
    assert nick.endswith(str(scene.ming.number))


def test_whoIsThere(scene: Scene) -> None:
    """
    Nobody is said to be there of whom nothing is known.
    """
    client = scene.client()
    assert "303 me 小明" in client.send("ISON 小明")
    scene.alice.stop()
    scene.web.settle(3)
    assert "小明" not in client.send("ISON 小明")


def test_away(scene: Scene) -> None:
    """
    Who is away here is away there.
    """
    client = scene.client()
    uin = scene.ming.uinOf(scene.alice)
    for line, status in (("AWAY :lunch", Status.AWAY), ("AWAY", Status.ONLINE)):
        client.send(line)
        scene.web.settle(3)
        assert scene.ming.protocol.buddies[uin].status is status


def test_part(scene: Scene) -> None:
    """
    Who has parted from a group hears nothing of it until they join again, and
    then all of it, once.
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
    A new friend is not called what one of our own clients is called.
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


def test_partForLong(scene: Scene) -> None:
    """
    Who has parted has parted, also when they come again; other clients have
    not, and nothing is missed.
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
    Who is called otherwise has not left, and is listed so.
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
