"""
Typing notifications, shakes, notices, and messages to several targets.
"""

from __future__ import annotations

import pytest

from tests.irc.scene import Scene
from txwebqq.model import Shake, Typing


def test_typing(scene: Scene) -> None:
    """
    Clients with C{message-tags} are shown that a friend is typing.
    """
    can, cannot = scene.client("message-tags"), scene.client()
    can.transport.clear()
    cannot.transport.clear()
    uin = scene.ming.uinOf(scene.alice)
    scene.web.result(scene.ming.protocol.sendTyping(uin))
    scene.web.settle(3)
    mask = f"小明!{scene.ming.number}@qq.test"
    assert can.seen == f"@+typing=active :{mask} TAGMSG me\r\n"
    assert cannot.seen == ""


def typings(scene: Scene) -> int:
    scene.web.settle(1)
    return len([e for e in scene.ming.events if isinstance(e, Typing)])


def test_sendTyping(scene: Scene) -> None:
    """
    A friend is told that the user is typing, once in three seconds.
    """
    client = scene.client("message-tags")
    line = "@+typing=active TAGMSG 小明"
    assert client.send(line, line) == ""
    assert typings(scene) == 1
    scene.web.settle(3)
    client.send("@+typing=done TAGMSG 小明", "TAGMSG 小明")
    assert typings(scene) == 1
    client.send(line)
    assert typings(scene) == 2


@pytest.mark.parametrize("target", ["nobody", "#猫咪", "*qq", ":", ""])
def test_sendTypingToNobody(scene: Scene, target: str) -> None:
    """
    A typing notification to a target other than a friend is ignored without an
    error.
    """
    client = scene.client("message-tags")
    assert client.send(f"@+typing=active TAGMSG {target}") == ""
    assert typings(scene) == 0


def test_shaken(scene: Scene) -> None:
    """
    A shake is shown as a notice, and played back to other clients.
    """
    scene.client(login="alice/phone").close()
    client = scene.client()
    client.transport.clear()
    uin = scene.ming.uinOf(scene.alice)
    scene.web.result(scene.ming.protocol.shakeWindow(uin))
    scene.web.settle(3)
    words = "NOTICE me :shakes your window"
    assert words in client.seen
    assert words in scene.client(login="alice/phone").seen


def test_sendShake(scene: Scene) -> None:
    """
    CTCP C{SHAKE} shakes a friend's window; to other targets it is answered
    with 404.
    """
    client = scene.client()
    assert client.send("PRIVMSG 小明 :\x01SHAKE\x01") == ""
    scene.web.settle(1)
    assert len([e for e in scene.ming.events if isinstance(e, Shake)]) == 1
    assert " 404 " in client.send("PRIVMSG #猫咪 :\x01SHAKE\x01")
    assert " 404 " in client.send("PRIVMSG *qq :\x01SHAKE\x01")
    assert client.send("NOTICE 小明 :\x01SHAKE\x01") == ""
    assert scene.ming.heard == []


def test_notice(scene: Scene) -> None:
    """
    C{NOTICE} sends a message, and is never answered with an error.
    """
    client, other = scene.client("echo-message"), scene.client()
    other.transport.clear()
    assert "NOTICE 小明 psst" in client.send("NOTICE 小明 psst")
    assert "NOTICE 小明 psst" in other.seen
    assert scene.ming.heard == ["psst"]
    for line in ("nobody x", "*qq help", "小明", "", "#nowhere,nobody x"):
        assert client.send(f"NOTICE {line}") == "", line
    scene.alice.stop()
    scene.web.settle(3)
    assert client.send("NOTICE 小明 psst") == ""
    assert client.send("NOTICE 小明 :\x01VERSION x\x01") == ""


def test_tooManyTargets(scene: Scene) -> None:
    """
    A message is sent to four targets at most; each further one is answered
    with 407.
    """
    client = scene.client()
    seen = client.send("PRIVMSG 小明,小明,小明,小明,#猫咪 x")
    assert "407 me #猫咪 " in seen
    assert scene.ming.heard == ["x"] * 4
