"""
The gateway in memory, from an IRC client's bytes to QQ and back.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure

from tests.irc.memorygateway import Client, MemoryGateway, Transport
from txwebqq.errors import Unreachable
from txwebqq.irc.gateway.connection import PING_INTERVAL
from txwebqq.irc.gateway.sendqueue import MAX_UNREGISTERED, MAX_WAITING
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.lineconnection import REGISTRATION_TIMEOUT
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Code, Font, FriendshipNotice, Status, Uin, plainText
from txwebqq.net.endpoints import listeningService
from txwebqq.protocol import WebQQProtocol

PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52f"
    "OPeGAAAAAElFTkSuQmCC"
)


def test_welcome(gateway: MemoryGateway) -> None:
    """
    After registration a client is sent the welcome, its channels and their
    members.
    """
    seen = gateway.client().seen
    for text in (
        ":qq.test 001 me ",
        "CASEMAPPING=rfc1459",
        "LINELEN=4096",
        ":me!alice@qq.test JOIN #猫咪",
        "353 me = #猫咪",
        "@小明",
        "366 me #猫咪",
    ):
        assert text in seen


def test_bothWays(gateway: MemoryGateway) -> None:
    """
    Messages are sent to friends and groups, and received from them.
    """
    client = gateway.client()
    client.send("PRIVMSG 小明 :你好[微笑]", "PRIVMSG #猫咪,小明 :hello")
    assert sorted(gateway.ming.heard) == ["hello", "hello", "你好"]
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "在吗")
    gateway.ming.tellGroup("猫咪", "都在吗")
    gateway.web.settle(3)
    number = gateway.ming.number
    assert f":小明!{number}@qq.test PRIVMSG me :在吗\r\n" in client.seen
    assert f":小明!{number}@qq.test PRIVMSG #猫咪 :都在吗\r\n" in client.seen


def test_missed(gateway: MemoryGateway) -> None:
    """
    Messages that arrived while no client was attached are played back once to
    each client with a name of its own.
    """
    gateway.client().close()
    gateway.client(login="alice/phone").close()
    gateway.ming.tell(gateway.alice, "等你回来")
    gateway.web.settle(3)
    for login in ("alice", "alice/phone"):
        client = gateway.client("server-time", login=login)
        assert "等你回来" in client.seen
        assert "@time=" in client.seen
        client.close()
        assert "等你回来" not in gateway.client(login=login).seen


def test_severalClients(gateway: MemoryGateway) -> None:
    """
    A message from one client is shown to the others, and to itself with
    C{echo-message}.
    """
    first, second = gateway.client(), gateway.client("echo-message", "message-tags")
    assert "hi" not in first.send("PRIVMSG 小明 :hi")
    assert "PRIVMSG 小明 :hi" in second.seen
    assert "msgid=" in second.send("PRIVMSG 小明 :ho")
    assert second.seen.count("PRIVMSG 小明 :ho") == 1


def test_lineBreaks(gateway: MemoryGateway) -> None:
    """
    A message with line breaks is shown as several lines, none of them a
    command.
    """
    client = gateway.client()
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "a\r\nQUIT :x\n\x01DCC SEND x\x01\0")
    gateway.web.settle(3)
    heads = [line.split(" ")[1] for line in client.seen.splitlines()]
    assert heads == ["PRIVMSG"] * 3
    assert "\x01" not in client.seen


@pytest.mark.parametrize("name", ["\r\nQUIT :x", "a!b@c d", "\x01\x02", "", ":x #y"])
def test_hostileNick(name: str) -> None:
    """
    A friend with any name can be sent messages.
    """
    gateway = MemoryGateway(name)
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    nick = gateway.aliceUser.directory.nameOf(
        Target(TargetKind.CONTACT, gateway.ming.number)
    )
    client.send(f"PRIVMSG {nick} :hello")
    assert gateway.ming.heard == ["hello"]


def test_longMessage(gateway: MemoryGateway) -> None:
    """
    A long message is split into lines of 512 bytes, without loss.
    """
    client = gateway.client()
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "茶" * 1000)
    gateway.web.settle(3)
    lines = client.transport.value().split(b"\r\n")[:-1]
    assert all(len(line) <= 510 for line in lines)
    assert client.seen.count("茶") == 1000


def test_gbk(gateway: MemoryGateway) -> None:
    """
    A client that writes GB18030 is answered in it.
    """
    client = gateway.client()
    client.send("PRIVMSG 小明 :你好".encode("gb18030"))
    assert gateway.ming.heard == ["你好"]
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "再见")
    gateway.web.settle(3)
    assert "再见".encode("gb18030") in client.transport.value()


def test_invalidLines(gateway: MemoryGateway) -> None:
    """
    Lines that are too long, invalid or unknown are answered with a reply.
    """
    client = gateway.client()
    assert " 417 " in client.send(b"x" * 100_000)
    assert " 417 " in client.send(b"@" + b"a;" * 1_000_000 + b" PING")
    assert "NOTICE me" in client.send(b"PRIVMSG a :\0")
    assert " 421 " in client.send("NONSENSE")
    assert "PONG qq.test :x" in client.send("PING x")


def test_slow(gateway: MemoryGateway) -> None:
    """
    A client that does not read is disconnected, and others are not.
    """
    slow, other = gateway.client(), gateway.client()
    assert slow.transport.producer is not None
    slow.transport.producer.pauseProducing()
    line = Line("NOTICE", ("me", "x" * 400))
    for _ in range(MAX_WAITING // 400):
        for client in (slow, other):
            client.connection.sendLine(line)
    assert slow.transport.isAborted
    assert not other.transport.isAborted


def test_slowStranger(gateway: MemoryGateway) -> None:
    """
    A client that has not registered and does not read is disconnected far sooner.
    """
    client = Client(gateway)
    assert client.transport.producer is not None
    client.transport.producer.pauseProducing()
    line = b"CAP LS 302\r\n"
    for _ in range(MAX_UNREGISTERED // 200):
        client.connection.dataReceived(line)
    assert client.transport.isAborted


def test_guesses(gateway: MemoryGateway) -> None:
    """
    After five wrong passwords, the right one is refused for a minute.
    """
    for _ in range(5):
        client = Client(gateway)
        assert " 464 " in client.send("PASS alice:green", "NICK me", "USER me 0 * x")
        assert client.transport.disconnecting
    right = ("PASS alice:oolong", "NICK me", "USER me 0 * x")
    assert " 464 " in Client(gateway, "10.0.0.9").send(*right)
    gateway.web.settle(61)
    assert " 001 " in Client(gateway).send(*right)


def test_sasl(gateway: MemoryGateway) -> None:
    """
    SASL accepts a login with a client name.
    """
    blob = b64encode(b"\0alice/phone\0oolong").decode()
    client = Client(gateway)
    client.send("CAP REQ :sasl", "NICK me", "USER me 0 * x", "AUTHENTICATE PLAIN")
    assert " 903 " in client.send(f"AUTHENTICATE {blob}")
    assert " 001 " in client.send("CAP END")
    assert [each.key for each in gateway.aliceUser.clients] == ["phone"]


def test_silence(gateway: MemoryGateway) -> None:
    """
    A client that does not register is disconnected; a silent one is sent
    C{PING} first.
    """
    silent = Client(gateway)
    gateway.web.settle(REGISTRATION_TIMEOUT + 1)
    assert silent.transport.disconnecting
    client = gateway.client()
    client.transport.clear()
    gateway.clock.advance(PING_INTERVAL + 1)
    assert "PING :qq.test" in client.seen
    gateway.clock.advance(PING_INTERVAL + 1)
    assert client.transport.disconnecting


def test_notSilent(gateway: MemoryGateway) -> None:
    """
    A client is sent C{PING} when it has been silent as long as that after what
    it sent last, and again after its answer.
    """
    client = gateway.client()
    for _ in range(2):
        gateway.clock.advance(PING_INTERVAL / 2)
        client.connection.dataReceived(b"PONG\r\n")
        client.transport.clear()
        gateway.clock.advance(PING_INTERVAL - 1)
        assert "PING" not in client.seen
        gateway.clock.advance(2)
        assert client.seen.count("PING :qq.test") == 1
    client.connection.dataReceived(b"PONG\r\n")
    gateway.clock.advance(PING_INTERVAL - 1)
    assert not client.transport.disconnecting
    gateway.clock.advance(2)
    assert client.seen.count("PING :qq.test") == 2
    gateway.clock.advance(PING_INTERVAL + 1)
    assert client.transport.disconnecting


def test_offline(gateway: MemoryGateway) -> None:
    """
    A message that cannot be delivered is answered with 404, one to an unknown
    nick with 401.
    """
    client = gateway.client()
    gateway.alice.stop()
    gateway.web.settle(3)
    assert " 404 " in client.send("PRIVMSG 小明 :hello")
    assert " 401 " in client.send("PRIVMSG nobody :hello")


def test_queries(gateway: MemoryGateway) -> None:
    """
    Queries, joins and nick changes have their usual replies.
    """
    client = gateway.client("away-notify", "userhost-in-names", "extended-join")
    number = gateway.ming.number
    for question, answer in (
        ("WHO #猫咪", f"352 me #猫咪 {number} qq.test qq.test 小明 H@"),
        ("WHOIS 小明", f"311 me 小明 {number}"),
        ("WHOIS 小明", "319 me 小明 :#猫咪"),
        ("NAMES #猫咪", f"@小明!{number}@qq.test"),
        ("LIST", "322 me #猫咪 2"),
        ("ISON 小明 nobody *qq", "303 me :小明 *qq"),
        ("MODE #猫咪", "324 me #猫咪 +nt"),
        ("TOPIC #猫咪", "331 me #猫咪"),
        ("PART #猫咪", "PART #猫咪"),
        ("JOIN #猫咪", "JOIN #猫咪"),
        ("JOIN #nowhere", " 403 "),
        ("NICK 小明", " 433 "),
        ("NICK other", "NICK :other"),
    ):
        assert answer in client.send(question), question
    client.transport.clear()
    gateway.ming.appear(Status.AWAY)
    gateway.web.settle(3)
    assert f":小明!{number}@qq.test AWAY :away" in client.seen


def test_botCommands(gateway: MemoryGateway) -> None:
    """
    The bot answers each command, and names the error in a wrong one.
    """
    client = gateway.client()
    for command, answer in (
        ("help", "rename NICK NEW"),
        ("accounts", f"{gateway.alice.number} is online"),
        ("status busy", "is now busy"),
        ("status nonsense", "unknown status"),
        ("list", f"小明: {gateway.ming.number}, online"),
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
    assert gateway.ming.heard == ["hello"]


def test_names(gateway: MemoryGateway) -> None:
    """
    A nick is kept after another sign-on.
    """
    client = gateway.client()
    client.send("PRIVMSG *qq :rename 小明 Ming")
    gateway.alice.stop()
    gateway.web.settle(3)
    gateway.signOn(gateway.alice)
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "still me")
    gateway.web.settle(3)
    assert ":Ming!" in client.seen


def test_action(gateway: MemoryGateway) -> None:
    """
    CTCP C{ACTION} is sent as C{/me}; other CTCP requests are ignored.
    """
    client = gateway.client()
    client.send("PRIVMSG 小明 :\x01ACTION waves\x01")
    assert gateway.ming.heard == ["/me waves"]
    assert client.send("PRIVMSG 小明 :\x01VERSION\x01") == ""


def test_discussion(gateway: MemoryGateway) -> None:
    """
    A discussion is a channel from its first message on, which is shown.
    """
    client = gateway.client()
    client.transport.clear()
    ming = gateway.ming
    did = gateway.web.discussion("Weekend", ming, gateway.alice)
    gateway.web.result(ming.protocol.sendDiscussionMessage(did, "Sunday?"))
    gateway.web.settle(3)
    seen = client.seen
    assert "JOIN #Weekend" in seen
    assert "PRIVMSG #Weekend :Sunday?" in seen.partition("JOIN #Weekend")[2]
    client.send("PRIVMSG #Weekend :yes")
    assert ming.heard[-1] == "yes"


def test_picture(gateway: MemoryGateway) -> None:
    """
    A picture is shown as a link to it.
    """
    client = gateway.client()
    client.transport.clear()
    gid = gateway.ming.groupCalled("猫咪").gid
    gateway.web.result(gateway.ming.protocol.sendGroupPicture(gid, PICTURE, "tea.png"))
    gateway.web.settle(5)
    [path] = re.findall(r"http://qq\.test/p/(\S+)", client.seen)
    picture = gateway.links.find(path)
    assert picture is not None
    assert picture.data == PICTURE


def test_captcha(gateway: MemoryGateway) -> None:
    """
    A captcha is shown as a link, and answered once.
    """
    client = gateway.client()
    client.transport.clear()
    account = gateway.aliceUser.accounts[gateway.alice.number]
    answer = gateway.aliceUser.captchaRequired(account, PICTURE)
    assert "http://qq.test/p/" in client.seen
    client.send("PRIVMSG *qq :captcha abcd")
    assert isinstance(answer, Deferred)
    assert gateway.web.result(answer) == "abcd"
    assert "There is no captcha" in client.send("PRIVMSG *qq :captcha abcd")


def test_botAnswersAreNotPlayedBack(gateway: MemoryGateway) -> None:
    """
    The bot's answers are shown to the asking client only, and not played back.
    """
    asking, other = gateway.client(), gateway.client(login="alice/phone")
    other.transport.clear()
    assert "rename NICK NEW" in asking.send("PRIVMSG *qq :help")
    assert "rename NICK NEW" not in other.seen
    other.close()
    assert "rename NICK NEW" not in gateway.client(login="alice/phone").seen


def test_kicked(gateway: MemoryGateway) -> None:
    """
    The end of a session by another sign-on is shown once.
    """
    client = gateway.client()
    client.transport.clear()
    gateway.alice.run()
    gateway.web.settle(3)
    assert client.seen.count("has lost its connection") == 1
    assert "login" in client.seen


def test_signedOnAgain(gateway: MemoryGateway) -> None:
    """
    Each sign-on is shown.
    """
    client = gateway.client()
    gateway.alice.stop()
    gateway.web.settle(3)
    client.transport.clear()
    gateway.signOn(gateway.alice)
    assert client.seen.count(f"{gateway.alice.number} is signed on") == 1


def test_beforeTheSignOn(gateway: MemoryGateway) -> None:
    """
    Messages in a group are played back before the account is signed on again,
    as after a restart.
    """
    gateway.client(login="alice/phone").close()
    gateway.ming.tellGroup("猫咪", "都等你")
    gateway.web.settle(3)
    account = gateway.aliceUser.accounts[gateway.alice.number]
    account.contacts.sessionEnded()
    account.contacts.conversations.clear()
    seen = gateway.client(login="alice/phone").seen
    assert "PRIVMSG #猫咪 :都等你" in seen.partition("JOIN #猫咪")[2]


def test_partlyKnown(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A group whose details cannot be fetched has a channel, and its messages are
    shown; others are not affected.
    """
    gateway.alice.stop()
    gateway.web.settle(3)

    def refuse(self: WebQQProtocol, code: Code) -> Deferred[Any]:
        return fail(Unreachable("gone"))

    monkeypatch.setattr(WebQQProtocol, "fetchGroup", refuse)
    account = gateway.aliceUser.accounts[gateway.alice.number]
    account.contacts.conversations.clear()
    gateway.signOn(gateway.alice)
    client = gateway.client()
    client.send("PRIVMSG 小明 :hello")
    assert gateway.ming.heard == ["hello"]
    client.transport.clear()
    gateway.ming.tellGroup("猫咪", "still here")
    gateway.web.settle(3)
    assert "still here" in client.seen


def test_order(gateway: MemoryGateway) -> None:
    """
    Messages are sent in the order in which the client sent them.
    """
    client = gateway.client()
    asked: list[Deferred[None]] = []
    account = gateway.aliceUser.accounts[gateway.alice.number]
    send, said = account.online.sendMessage, []

    def later(uin: Uin, content: Any, font: Font) -> Deferred[None]:
        said.append(plainText(content))
        asked.append(Deferred())
        return asked[-1].addCallback(lambda _: send(uin, content, font))

    account.online.sendMessage = later  # type: ignore[assignment, method-assign]
    client.send("PRIVMSG 小明 :one", "PRIVMSG 小明 :two")
    assert said == ["one"]
    asked[0].callback(None)
    gateway.web.settle(1)
    asked[1].callback(None)
    gateway.web.settle(1)
    assert gateway.ming.heard == ["one", "two"]


def test_actionsAreShown(gateway: MemoryGateway) -> None:
    """
    Actions are shown as CTCP C{ACTION}, to the sender with C{echo-message} and
    to other clients.
    """
    client, other = gateway.client("echo-message"), gateway.client()
    client.transport.clear()
    other.transport.clear()
    gateway.ming.tell(gateway.alice, "/me waves")
    gateway.web.settle(3)
    assert ":\x01ACTION waves\x01" in client.seen
    assert ":\x01ACTION nods\x01" in client.send("PRIVMSG 小明 :\x01ACTION nods\x01")
    assert "PRIVMSG 小明 :\x01ACTION nods\x01" in other.seen


def test_nothingTooLong() -> None:
    """
    No line is too long, with any message of the day and any announcement.
    """
    gateway = MemoryGateway()
    gateway.factory.motd = "茶" * 400
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    ming = gateway.ming
    code = ming.groupCalled("猫咪").code
    gateway.web.result(ming.protocol.editGroup(code, notice="茶" * 400))
    gateway.web.settle(3)
    client.send("PRIVMSG *qq :list")
    for line in client.transport.value().split(b"\r\n"):
        assert len(line) <= 510
    for line in gateway.client().transport.value().split(b"\r\n"):
        assert len(line) <= 510


def test_invalidParameters(gateway: MemoryGateway) -> None:
    """
    Parameters that cannot be repeated are replaced by C{*}.
    """
    client = gateway.client()
    for question, answer in (
        ("WHO :a b", "315 me * "),
        ("WHOIS :a b", "401 me * "),
        ("JOIN :a b", "403 me * "),
        ("PART ::x", "403 me * "),
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
    gateway = MemoryGateway(name)
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    nick = gateway.aliceUser.directory.nameOf(
        Target(TargetKind.CONTACT, gateway.ming.number)
    )
    assert casefold(nick) != "alice"
    assert nick.endswith(str(gateway.ming.number))


def test_ison(gateway: MemoryGateway) -> None:
    """
    A friend whose status is not known is not reported as online.
    """
    client = gateway.client()
    assert "303 me :小明" in client.send("ISON 小明")
    gateway.alice.stop()
    gateway.web.settle(3)
    assert "小明" not in client.send("ISON 小明")


def test_away(gateway: MemoryGateway) -> None:
    """
    C{AWAY} sets the status on QQ.
    """
    client = gateway.client()
    uin = gateway.ming.uinOf(gateway.alice)
    for line, status in (("AWAY :lunch", Status.AWAY), ("AWAY", Status.ONLINE)):
        client.send(line)
        gateway.web.settle(3)
        assert gateway.ming.protocol.buddies[uin].status is status


def test_awayAndBack(gateway: MemoryGateway) -> None:
    """
    A second C{AWAY} takes effect after the first, also if it comes at once.
    """
    client = gateway.client()
    seen = client.send("AWAY :lunch", "AWAY")
    assert " 306 " in seen
    assert " 305 " in seen
    gateway.web.settle(3)
    uin = gateway.ming.uinOf(gateway.alice)
    assert gateway.ming.protocol.buddies[uin].status is Status.ONLINE


def test_awayWhileHidden(gateway: MemoryGateway) -> None:
    """
    C{AWAY}, which clients send by themselves, does not show an account that is
    hidden, and restores the status that was there before.
    """
    client = gateway.client()
    online = gateway.aliceUser.accounts[gateway.alice.number].online
    for status, away in (("hidden", "hidden"), ("busy", "away"), ("away", "away")):
        client.send(f"PRIVMSG *qq :status {status}")
        assert " 306 " in client.send("AWAY :lunch", "AWAY :still lunch")
        assert online.status.value == away
        assert " 305 " in client.send("AWAY")
        assert online.status.value == ("online" if status == "away" else status)
    assert "AWAY" not in client.send("AWAY")


def test_haproxy(gateway: MemoryGateway) -> None:
    """
    Behind a C{haproxy:} endpoint, wrong passwords are counted for the address
    of the client, so that one client does not lock out the others.
    """
    reactor = MemoryReactor()
    listening = listeningService("haproxy:tcp:6667", gateway.factory, reactor)
    listening.privilegedStartService()
    factory: Any = reactor.tcpServers[0][1]
    balancer = IPv4Address("TCP", "127.0.0.1", 54321)

    def signIn(address: str, password: str) -> bytes:
        transport = Transport(peerAddress=balancer)
        protocol = factory.buildProtocol(balancer)
        protocol.makeConnection(transport)
        head = f"PROXY TCP4 {address} 192.0.2.1 5000 6667\r\n"
        lines = f"PASS {password}\r\nNICK me\r\nUSER me 0 * :Me\r\n"
        protocol.dataReceived((head + lines).encode())
        seen: bytes = transport.value()
        protocol.connectionLost(Failure(ConnectionDone()))
        return seen

    for name in range(6):
        refused = signIn("192.0.2.66", f"nobody{name}:x")
    assert b"Too many" in refused
    assert b" 001 " in signIn("192.0.2.7", "alice:oolong")


def test_part(gateway: MemoryGateway) -> None:
    """
    After C{PART}, a channel is mute until C{JOIN}, which plays back the missed
    messages once.
    """
    client = gateway.client()
    client.send("PART #猫咪")
    client.transport.clear()
    gateway.ming.tellGroup("猫咪", "quiet?")
    gateway.web.settle(3)
    assert client.seen == ""
    seen = client.send("JOIN #猫咪")
    assert "PRIVMSG #猫咪 :quiet?" in seen.partition("JOIN #猫咪")[2]
    assert "quiet?" not in client.send("JOIN #猫咪", "PART #猫咪", "JOIN #猫咪")
    gateway.ming.tellGroup("猫咪", "loud")
    gateway.web.settle(3)
    assert "PRIVMSG #猫咪 :loud" in client.seen


def test_clientsNick(gateway: MemoryGateway) -> None:
    """
    A new friend does not get the nick of a client.
    """
    client = gateway.client()
    hua = gateway.web.person("me")
    account = gateway.aliceUser.accounts[gateway.alice.number]
    hua.run()
    gateway.web.result(account.online.requestFriendship(hua.number))
    gateway.web.settle(3)
    [request] = [e for e in hua.events if isinstance(e, FriendshipNotice)]
    gateway.web.result(hua.protocol.acceptFriendship(request))
    gateway.web.settle(3)
    hua.tell(gateway.alice, "hello")
    gateway.web.settle(3)
    assert f":me_{hua.number}!{hua.number}@qq.test PRIVMSG me :hello" in client.seen


def test_partIsKept(gateway: MemoryGateway) -> None:
    """
    C{PART} holds for the client when it reconnects, and for no other client;
    no message is lost.
    """
    client = gateway.client(login="alice/phone")
    client.send("PART #猫咪")
    client.close()
    gateway.ming.tellGroup("猫咪", "quiet?")
    gateway.web.settle(3)
    assert "JOIN #猫咪" in gateway.client().seen
    again = gateway.client(login="alice/phone")
    assert "#猫咪" not in again.seen
    gateway.ming.tellGroup("猫咪", "still?")
    gateway.web.settle(3)
    assert "still?" not in again.seen
    seen = again.send("JOIN #猫咪")
    assert seen.index("quiet?") < seen.index("still?")
    again.close()
    assert "JOIN #猫咪" in gateway.client(login="alice/phone").seen


def test_renamedMember(gateway: MemoryGateway) -> None:
    """
    A renamed member is listed by the new nick, and has not left the channel.
    """
    client = gateway.client()
    assert "NICK :Ming" in client.send("PRIVMSG *qq :rename 小明 Ming")
    assert "@Ming" in client.send("NAMES #猫咪")
    client.transport.clear()
    group = gateway.ming.groupCalled("猫咪")
    gateway.web.result(gateway.ming.protocol.editGroup(group.code, notice="tea"))
    account = gateway.aliceUser.accounts[gateway.alice.number]
    target = next(iter(account.contacts.conversations))
    gateway.web.result(Deferred.fromCoroutine(account.actions.refresh(target)))
    assert client.seen == ":qq.test TOPIC #猫咪 :tea\r\n"
