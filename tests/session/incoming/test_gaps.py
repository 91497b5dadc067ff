"""
Reports of messages that did not come, at our server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred

from tests.rig import CapturedLog
from txwebqq.errors import WebQQError
from txwebqq.model import Event, Gid, GroupMessage, MessagesMissed, Number, Sent
from txwebqq.protocol import WebQQFactory
from txwebqq.session.incoming.gaps import PATIENCE
from txwebqq.testing import MemoryWebQQ, RecordingProtocol


class Missing(RecordingProtocol):
    """
    Records what was missed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.missed: list[MessagesMissed] = []

    def messagesMissed(self, missed: MessagesMissed) -> None:
        self.missed.append(missed)


class MissingFactory(WebQQFactory):
    """
    Builds them.
    """

    protocol = Missing


class GroupScene:
    """
    A group of three, of whom one is watched.
    """

    def __init__(self) -> None:
        self.web = MemoryWebQQ()
        self.bot, self.bob, self.carol = self.web.friends("Bot", "Bob", "Carol")
        self.group = self.web.group("cats", self.bob, self.bot, self.carol)
        for person in (self.bob, self.carol):
            person.run()
        self.factory = MissingFactory()
        self.bot.run(self.factory)
        self.service = self.bot.service
        self.recipients = self.web.state.store.groups.recipients

    @property
    def protocol(self) -> Missing:
        protocol = self.web.result(self.service.whenSignedOn())
        assert isinstance(protocol, Missing)
        return protocol

    @property
    def heard(self) -> list[str]:
        events: list[Event] = self.protocol.events
        return [e.text for e in events if isinstance(e, GroupMessage)]

    def say(self, *texts: str) -> None:
        for text in texts:
            self.bob.tellGroup("cats", text)

    def lose(self, monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
        """
        Have messages that do not reach the bot.
        """

        def recipients(group: Number) -> list[Number]:
            return [n for n in self.recipients(group) if n != self.bot.number]

        with monkeypatch.context() as patch:
            patch.setattr(self.web.state.store.groups, "recipients", recipients)
            self.say(*texts)

    def wait(self) -> list[MessagesMissed]:
        """
        Let gaps be judged.
        """
        self.web.settle(PATIENCE + 2)
        return self.protocol.missed


@pytest.fixture
def scene() -> Iterator[GroupScene]:
    """
    A group, which leaves nothing behind.
    """
    scene = GroupScene()
    yield scene
    for person in (scene.bot, scene.bob, scene.carol):
        person.stop()
    scene.web.stop()
    assert scene.web.clock.getDelayedCalls() == []


def test_missed(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Messages that did not come are told of once, with their group and count, and are
    counted and logged.
    """
    scene.say("a")
    scene.lose(monkeypatch, "b", "c")
    with CapturedLog() as logged:
        scene.say("d")
        assert scene.protocol.missed == []
        [missed] = scene.wait()
    assert scene.heard == ["a", "d"]
    assert missed.count == 2
    assert missed.before - missed.after == 3
    assert missed.number == scene.group
    assert missed.code == scene.protocol.groups[missed.group].code
    assert scene.service.signOns.incoming.missed == 2
    assert (
        f"Messages were missed (account {scene.bot.number}): 2 in group {scene.group},"
        in logged.text
    )
    scene.say("e")
    assert len(scene.wait()) == 1


def test_inHistory(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The application finds what it has missed in the history.
    """
    scene.say("a")
    scene.lose(monkeypatch, "b")
    scene.say("c")
    [missed] = scene.wait()
    found = scene.web.result(scene.protocol.fetchGroupHistory(missed.code))
    between = [m for m in found.messages if missed.after < m.sequence < missed.before]
    assert ["".join(str(s) for s in m.content) for m in between] != []
    assert len(between) == 1


def test_own(scene: GroupScene) -> None:
    """
    Own messages, also many of them and in any order with those of others, are not
    missed.
    """
    scene.say("a")
    [gid] = scene.protocol.groups
    sent: list[Deferred[Sent]] = []
    for n in range(30):
        sent.append(scene.protocol.sendGroupMessage(gid, str(n)))
        if n % 4 == 0:
            scene.say(f"between {n}")
        scene.web.settle(1)
    scene.say("b")
    assert scene.wait() == []
    assert scene.service.signOns.incoming.missed == 0


def test_recalled(scene: GroupScene) -> None:
    """
    A message that was recalled before it came is not missed.
    """
    scene.say("a")
    release = scene.protocol.transport.holdEvents()
    # The poll that is held brings it; no other one is sent until the release.
    scene.say("b")
    bob = scene.bob.protocol
    [gid] = bob.groups
    sent = scene.web.result(bob.sendGroupMessage(gid, "oops"))
    scene.web.result(bob.recallGroupMessage(gid, sent.messageId))
    scene.say("c")
    release()
    assert scene.wait() == []
    assert scene.heard == ["a", "b", "c"]


def test_masked(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Messages that the account did not want are not missed.
    """
    monkeypatch.setattr(
        type(scene.web.state.recorder), "between", lambda *args, **kwargs: []
    )
    scene.say("a")
    scene.web.settle(30)
    scene.say("a")
    [gid] = scene.protocol.groups
    scene.web.result(scene.protocol.setGroupMask(gid, 2))
    scene.say("b", "c")
    scene.web.result(scene.protocol.setGroupMask(gid, 0))
    scene.say("d", "e")
    assert scene.wait() == []
    assert scene.heard == ["a", "a", "d", "e"]


def test_restartedServer(scene: GroupScene) -> None:
    """
    The higher numbers of a server that was started again are no gap.
    """
    scene.say("a")
    scene.web.settle(300)
    scene.web.state.messageIds._sequences.clear()
    scene.say("b", "c")
    assert scene.wait() == []


def test_newSignOn(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A new sign-on begins with its first message.
    """
    scene.say("a")
    scene.web.result(scene.service.signOff())
    scene.lose(monkeypatch, "b")
    scene.service.signOn()
    scene.web.settle(1)
    scene.say("c", "d")
    assert scene.wait() == []
    assert scene.heard == ["c", "d"]


def test_withoutHistory(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server without a history is taken at its numbers, when these are certain.
    """
    scene.say("a")
    scene.web.settle(10)
    scene.say("a")
    scene.lose(monkeypatch, "b", "c")
    monkeypatch.setattr(
        type(scene.web.state.recorder), "between", lambda *args, **kwargs: []
    )
    scene.say("d")
    [missed] = scene.wait()
    assert missed.count == 2


def test_signOff(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A gap that is not judged yet is forgotten with its sign-on.
    """
    scene.say("a")
    scene.lose(monkeypatch, "b")
    scene.say("c")
    protocol = scene.protocol
    scene.web.result(scene.service.signOff())
    scene.web.settle(10)
    assert protocol.missed == []


def test_signOffWithinCallback(
    scene: GroupScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An application that signs off when it is told of a gap is not told of another one.
    """
    bob, protocol = scene.bob.protocol, scene.protocol
    did = scene.web.result(bob.createDiscussion("tea", list(bob.buddies)))
    ended: list[Deferred[None]] = []

    def missed(missed: MessagesMissed) -> None:
        protocol.missed.append(missed)
        ended.append(scene.service.signOff())

    def say() -> None:
        scene.say("a")
        scene.web.result(bob.sendDiscussionMessage(did, "a"))

    monkeypatch.setattr(protocol, "messagesMissed", missed)
    monkeypatch.setattr(
        type(scene.web.state.recorder), "between", lambda *args, **kwargs: []
    )
    say()
    scene.web.settle(10)
    say()
    for number in (scene.group, Number(int(did))):
        scene.web.state.messageIds.nextSequence(number)
    say()
    scene.web.settle(PATIENCE + 2)
    assert len(protocol.missed) == 1
    scene.web.result(ended[0])


def test_discussion(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Messages of discussions are told of by the did.
    """
    bob = scene.bob.protocol
    did = scene.web.result(bob.createDiscussion("tea", list(bob.buddies)))

    def say(text: str) -> None:
        scene.web.result(bob.sendDiscussionMessage(did, text))

    say("a")
    scene.web.settle(10)
    say("a")
    scene.web.state.messageIds.nextSequence(Number(int(did)))
    monkeypatch.setattr(
        type(scene.web.state.recorder), "between", lambda *args, **kwargs: []
    )
    say("b")
    [missed] = scene.wait()
    assert (missed.discussion, missed.group, missed.count) == (did, 0, 1)


def test_ownAndMissed(scene: GroupScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Own messages in the same gap are not counted, nor are those that were refused.
    """
    scene.say("a")
    [gid] = scene.protocol.groups
    scene.web.result(scene.protocol.setGroupMask(gid, 0))
    scene.say("b")
    sent = scene.protocol.sendGroupMessage(Gid(0), "hm")
    with pytest.raises(WebQQError):
        scene.web.result(sent)
    scene.web.result(scene.protocol.sendGroupMessage(gid, "mine"))
    scene.lose(monkeypatch, "c")
    scene.say("d")
    [missed] = scene.wait()
    assert missed.count == 1
