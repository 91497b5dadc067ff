"""
Whom an account knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tests.irc.scene import Scene
from txwebqq.irc.qq.contacts import MAX_REQUESTS
from txwebqq.model import Code, GroupNotice, Uin
from txwebqq.protocol import WebQQProtocol


class Counter:
    """
    Counts the questions of one kind that are asked, and that wait for their
    answer, which takes a second, at once.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, scene: Scene, name: str
    ) -> None:
        self.asked: list[object] = []
        self.waiting = self.most = 0
        ask: Callable[[Any, Any], Deferred[Any]] = getattr(WebQQProtocol, name)

        def done(result: object) -> object:
            self.waiting -= 1
            return result

        def counted(online: WebQQProtocol, what: Code | Uin) -> Deferred[Any]:
            self.asked.append(what)
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            waited: Deferred[None] = deferLater(scene.clock, 1)
            return waited.addCallback(lambda _: ask(online, what)).addBoth(done)

        monkeypatch.setattr(WebQQProtocol, name, counted)


def test_oneGroup(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When somebody joins a group, nothing is asked about others.
    """
    web = scene.web
    hua = web.person("阿花")
    web.group("狗", scene.ming, scene.alice)
    scene.alice.stop()
    scene.signOn(scene.alice)
    client = scene.client()
    scene.asksToJoin(hua, scene.cats)
    [notice] = [e for e in scene.ming.events if isinstance(e, GroupNotice)]
    counter = Counter(monkeypatch, scene, "fetchGroup")
    web.result(scene.ming.protocol.answerJoinRequest(notice, True))
    web.settle(3)
    assert len(counter.asked) == 1
    assert f":阿花!{hua.number}@qq.test JOIN #猫咪" in client.seen


def test_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Of a long list many are asked about at once, but not all.
    """
    scene = Scene()
    counter = Counter(monkeypatch, scene, "fetchNumber")
    others = [scene.web.person(f"n{n}") for n in range(50)]
    for other in others:
        scene.web.befriend(scene.alice, other)
    scene.web.group("all", scene.ming, scene.alice, *others)
    scene.signOn(scene.alice)
    scene.web.settle(20)
    assert len(scene.alices.accounts[scene.alice.number].contacts.friends) == 51
    assert counter.most == MAX_REQUESTS
    assert len(counter.asked) == len(set(counter.asked))


def test_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever is known is not asked about when they say something.
    """
    client = scene.client()
    counter = Counter(monkeypatch, scene, "fetchNumber")
    scene.ming.tellGroup("猫咪", "tea?")
    scene.web.settle(3)
    assert "tea?" in client.seen
    assert counter.asked == []
