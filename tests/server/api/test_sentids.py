"""
Messages that a client sends again under its own id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from txwebqq.errors import MalformedReply, RequestRefused
from txwebqq.model import Sent, Text, Uin
from txwebqq.server.storage.messages.sentids import REMEMBERED
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.messages import GetSent2, SendBuddyMsg2, SendQunMsg2

CONTENT = (Text("x"),)


class Scene:
    """
    Three friends at a server with a database.
    """

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "server.db")
        self.web = MemoryWebQQ(store=self.store)
        self.alice, self.bob, self.carol = self.web.friends("Alice", "Bob", "Carol")
        self.web.group("cats", self.alice, self.bob)
        for person in (self.alice, self.bob, self.carol):
            person.run()

    def call(self, person: MemoryPerson, make: Callable[[Any], Any]) -> Any:
        return self.web.result(person.protocol.transport.call(make))

    def send(self, sender: MemoryPerson, to: Uin, sendId: str) -> Any:
        return self.call(
            sender, lambda ticket: SendBuddyMsg2(ticket, to, CONTENT, 1, sendId=sendId)
        )

    def ask(self, person: MemoryPerson, sendId: str) -> Any:
        return self.call(person, lambda ticket: GetSent2(ticket, sendId))

    def finish(self) -> None:
        for person in (self.alice, self.bob, self.carol):
            person.stop()
        self.web.stop()
        self.store.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """
    Make the friends, who are signed on.
    """
    scene = Scene(tmp_path)
    yield scene
    scene.finish()


def test_again(scene: Scene) -> None:
    """
    A message with an id that came before is answered as the first one, and not
    delivered again.
    """
    bob = scene.alice.uinOf(scene.bob)
    first = scene.send(scene.alice, bob, "a")
    scene.web.settle(5)
    assert first.messageId
    assert scene.send(scene.alice, bob, "a") == first
    assert scene.ask(scene.alice, "a") == first
    assert scene.ask(scene.alice, "b") is None
    assert scene.ask(scene.alice, "") is None
    scene.send(scene.alice, bob, "b")
    scene.send(scene.alice, bob, "")
    scene.send(scene.alice, bob, "")
    assert scene.bob.heard == ["x"] * 4


def test_everywhere(scene: Scene) -> None:
    """
    So it is in groups and discussions.
    """
    gid = scene.alice.groupCalled("cats").gid
    bob, carol = scene.alice.uinOf(scene.bob), scene.alice.uinOf(scene.carol)
    did = scene.web.result(scene.alice.protocol.createDiscussion("d", [bob, carol]))
    for n, make in enumerate(
        (
            lambda ticket: SendQunMsg2(ticket, gid, CONTENT, 1, sendId="0"),
            lambda ticket: SendDiscuMsg2(ticket, did, CONTENT, 1, sendId="1"),
        )
    ):
        first = scene.call(scene.alice, make)
        assert scene.call(scene.alice, make) == first
        assert scene.bob.heard == ["x"] * (n + 1)


def test_atOnce(scene: Scene) -> None:
    """
    Two with one id in the same turn are one message, too.
    """
    bob = scene.alice.uinOf(scene.bob)
    transport = scene.alice.protocol.transport

    def make(ticket: Any) -> SendBuddyMsg2:
        return SendBuddyMsg2(ticket, bob, CONTENT, 1, sendId="a")

    sends = [transport.call(make), transport.call(make)]
    answers = [scene.web.result(each) for each in sends]
    assert answers[0] == answers[1]
    assert scene.bob.heard == ["x"]


def test_others(scene: Scene) -> None:
    """
    The ids of one account are not those of another.
    """
    scene.send(scene.alice, scene.alice.uinOf(scene.bob), "a")
    assert scene.ask(scene.carol, "a") is None
    scene.send(scene.carol, scene.carol.uinOf(scene.bob), "a")
    assert scene.bob.heard == ["x", "x"]


def test_refused(scene: Scene) -> None:
    """
    A message that was refused may be sent again.
    """
    with pytest.raises(RequestRefused):
        scene.send(scene.alice, Uin(5), "a")
    assert scene.ask(scene.alice, "a") is None
    scene.send(scene.alice, scene.alice.uinOf(scene.bob), "a")
    assert scene.bob.heard == ["x"]


def test_tooLong(scene: Scene) -> None:
    """
    An id of more than 64 characters is refused.
    """
    bob = scene.alice.uinOf(scene.bob)
    scene.send(scene.alice, bob, "a" * 64)
    with pytest.raises(RequestRefused, match="100003"):
        scene.send(scene.alice, bob, "a" * 65)


def test_restart(scene: Scene, tmp_path: Path) -> None:
    """
    Ids are kept over restarts of the server, and for three days.
    """
    first = scene.send(scene.alice, scene.alice.uinOf(scene.bob), "a")
    number = scene.alice.number
    scene.finish()
    store = Store(tmp_path / "server.db")
    ids = store.messages.sentIds
    assert ids.find(number, "a") == first
    ids.write({(number, "b"): Sent(7, first.time + REMEMBERED)})
    assert ids.find(number, "a") == first
    store.close()
    store = Store(tmp_path / "server.db")
    ids = store.messages.sentIds
    ids.write({(number, "c"): Sent(8, first.time + REMEMBERED + 1)})
    assert ids.find(number, "a") is None
    assert ids.find(number, "b") == Sent(7, first.time + REMEMBERED)
    store.close()
    scene.store = Store(tmp_path / "server.db")


def test_inMemory() -> None:
    """
    A server without a database, which forgets its messages, does not know the command.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    protocol = alice.run()
    with pytest.raises(RequestRefused, match="100000"):
        web.result(protocol.transport.call(GetSent2, "a"))


@pytest.mark.parametrize("result", ['"ok"', "[]", '{"msg_id2":5}', '{"time":-1}'])
def test_malformed(result: str) -> None:
    """
    Another answer is none.
    """
    with pytest.raises(MalformedReply):
        GetSent2.decodeReply(f'{{"retcode":0,"result":{result}}}'.encode())
