"""
Typing notifications, shakes, notices, and messages to several targets.
"""

from __future__ import annotations

import pytest

from tests.irc.memorygateway import MemoryGateway
from txwebqq.model import Shake, Typing


def test_typing(gateway: MemoryGateway) -> None:
    """
    Clients with C{message-tags} are shown that a friend is typing.
    """
    can, cannot = gateway.client("message-tags"), gateway.client()
    can.transport.clear()
    cannot.transport.clear()
    uin = gateway.ming.uinOf(gateway.alice)
    gateway.web.result(gateway.ming.protocol.sendTyping(uin))
    gateway.web.settle(3)
    mask = f"小明!{gateway.ming.number}@qq.test"
    assert can.seen == f"@+typing=active :{mask} TAGMSG me\r\n"
    assert cannot.seen == ""


def typings(gateway: MemoryGateway) -> int:
    gateway.web.settle(1)
    return len([e for e in gateway.ming.events if isinstance(e, Typing)])


def test_sendTyping(gateway: MemoryGateway) -> None:
    """
    A friend is told that the user is typing, once in three seconds.
    """
    client = gateway.client("message-tags")
    line = "@+typing=active TAGMSG 小明"
    assert client.send(line, line) == ""
    assert typings(gateway) == 1
    gateway.web.settle(3)
    client.send("@+typing=done TAGMSG 小明", "TAGMSG 小明")
    assert typings(gateway) == 1
    client.send(line)
    assert typings(gateway) == 2


@pytest.mark.parametrize("target", ["nobody", "#猫咪", "*qq", ":", ""])
def test_sendTypingToNobody(gateway: MemoryGateway, target: str) -> None:
    """
    A typing notification to a target other than a friend is ignored without an
    error.
    """
    client = gateway.client("message-tags")
    assert client.send(f"@+typing=active TAGMSG {target}") == ""
    assert typings(gateway) == 0


def test_shaken(gateway: MemoryGateway) -> None:
    """
    A shake is shown as a notice, and played back to other clients.
    """
    gateway.client(login="alice/phone").close()
    client = gateway.client()
    client.transport.clear()
    uin = gateway.ming.uinOf(gateway.alice)
    gateway.web.result(gateway.ming.protocol.shakeWindow(uin))
    gateway.web.settle(3)
    words = "NOTICE me :shakes your window"
    assert words in client.seen
    assert words in gateway.client(login="alice/phone").seen


def test_sendShake(gateway: MemoryGateway) -> None:
    """
    CTCP C{SHAKE} shakes a friend's window; to other targets it is answered
    with 404.
    """
    client = gateway.client()
    assert client.send("PRIVMSG 小明 :\x01SHAKE\x01") == ""
    gateway.web.settle(1)
    assert len([e for e in gateway.ming.events if isinstance(e, Shake)]) == 1
    assert " 404 " in client.send("PRIVMSG #猫咪 :\x01SHAKE\x01")
    assert " 404 " in client.send("PRIVMSG *qq :\x01SHAKE\x01")
    assert client.send("NOTICE 小明 :\x01SHAKE\x01") == ""
    assert gateway.ming.heard == []


def test_notice(gateway: MemoryGateway) -> None:
    """
    C{NOTICE} sends a message, and is never answered with an error.
    """
    client, other = gateway.client("echo-message"), gateway.client()
    other.transport.clear()
    assert "NOTICE 小明 :psst" in client.send("NOTICE 小明 psst")
    assert "NOTICE 小明 :psst" in other.seen
    assert gateway.ming.heard == ["psst"]
    for line in ("nobody x", "*qq help", "小明", "", "#nowhere,nobody x"):
        assert client.send(f"NOTICE {line}") == "", line
    gateway.alice.stop()
    gateway.web.settle(3)
    assert client.send("NOTICE 小明 psst") == ""
    assert client.send("NOTICE 小明 :\x01VERSION x\x01") == ""


@pytest.mark.parametrize(
    "text", [" ", "\u3000", "\x02 \x02", "\x01ACTION\x01", "\x01ACTION \x01"]
)
def test_blank(gateway: MemoryGateway, text: str) -> None:
    """
    A message of which nothing can be seen is not sent, and answered with 412.
    """
    client = gateway.client("echo-message")
    assert client.send(f"PRIVMSG 小明 :{text}") == (
        ":qq.test 412 me :No text to send\r\n"
    )
    assert client.send(f"NOTICE 小明 :{text}") == ""
    gateway.web.settle(3)
    assert gateway.ming.heard == []


def test_echoOfCommands(gateway: MemoryGateway) -> None:
    """
    With C{echo-message} a client is sent its commands to the bot, too, before the
    answer.
    """
    client = gateway.client("echo-message")
    seen = client.send("PRIVMSG *qq :accounts").splitlines()
    assert seen == [
        ":me!alice@qq.test PRIVMSG *qq :accounts",
        ":*qq!qq@qq.test NOTICE me :10001 is online",
    ]
    other = gateway.client()
    assert " PRIVMSG " not in other.send("PRIVMSG *qq :accounts")


def test_tooManyTargets(gateway: MemoryGateway) -> None:
    """
    A message is sent to four targets at most; each further one is answered
    with 407.
    """
    client = gateway.client()
    seen = client.send("PRIVMSG 小明,a,b,c,#猫咪 x")
    assert "407 me #猫咪 " in seen
    assert gateway.ming.heard == ["x"]


def test_targetsOnce(gateway: MemoryGateway) -> None:
    """
    A target that is named several times gets the message once.
    """
    client = gateway.client("echo-message")
    seen = client.send("PRIVMSG 小明,#猫咪,小明,小明,#猫咪,小明 x")
    assert " 407 " not in seen
    assert seen.count("PRIVMSG") == 2
    gateway.web.settle(3)
    assert gateway.ming.heard == ["x", "x"]


def test_longLine(gateway: MemoryGateway) -> None:
    """
    A line of 4096 bytes is one message, a longer one is refused with 417.
    """
    client = gateway.client()
    text = "你" * ((4096 - len("PRIVMSG 小明 :\r\n".encode())) // 3)
    assert client.send(f"PRIVMSG 小明 :{text}") == ""
    gateway.web.settle(3)
    assert gateway.ming.heard == [text]
    assert " 417 " in client.send(f"PRIVMSG 小明 :{text}你")
    tagged = f"@+a={'b' * 8000} PRIVMSG 小明 :{text}"
    assert client.send(tagged) == ""
