"""
Offline files in the history, from the callback interface to the database
(protocol.md 2.2.12).
"""

from __future__ import annotations

from txwebqq.model import (
    RECENT_BUDDY,
    OfflineFile,
    OfflineFileNotice,
    PastFile,
    RecentContact,
    Uin,
)
from txwebqq.server.uploadquotas import DAY
from txwebqq.testing import MemoryPerson, MemoryWebQQ


class Scene:
    """
    Alice and Bob are friends.
    """

    def __init__(self) -> None:
        self.web = MemoryWebQQ()
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        for person in (self.alice, self.bob):
            person.run()
        self.web.settle()

    def other(self, who: MemoryPerson) -> RecentContact:
        other = self.bob if who is self.alice else self.alice
        return RecentContact(RECENT_BUDDY, who.uinOf(other))

    def say(self, who: MemoryPerson, text: str) -> int:
        uin = self.other(who).id
        return self.web.result(
            who.protocol.sendMessage(uin, text)  # type: ignore[arg-type]
        ).messageId

    def give(self, who: MemoryPerson, name: str, data: bytes = b"data") -> int:
        uin = self.other(who).id
        return self.web.result(
            who.protocol.sendOfflineFile(uin, data, name)  # type: ignore[arg-type]
        ).messageId

    def past(self, who: MemoryPerson, **bounds: int) -> list[str]:
        """
        Return the messages and the names of the files, in their order.
        """
        found = self.web.result(who.protocol.fetchMessages(self.other(who), **bounds))
        entries = [(m.sequence, m.text) for m in found.messages]
        entries += [(file.sequence, file.name) for file in found.files]
        return [text for _, text in sorted(entries)]

    def files(self, who: MemoryPerson) -> tuple[PastFile, ...]:
        return self.web.result(who.protocol.fetchMessages(self.other(who))).files


def test_inOrder() -> None:
    """
    Files of both directions are among the messages between which they were sent, and
    each of them is in exactly one page, whichever way the history is read.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    scene.give(alice, "a.txt")
    first = scene.say(alice, "1")
    scene.give(bob, "b.txt")
    second = scene.say(bob, "2")
    scene.give(alice, "c.txt")
    scene.say(alice, "3")
    scene.give(bob, "d.txt")
    for who in (alice, bob):
        assert scene.past(who) == ["a.txt", "1", "b.txt", "2", "c.txt", "3", "d.txt"]
        assert scene.past(who, count=1) == ["3", "d.txt"]
        assert scene.past(who, before=second, count=1) == ["a.txt", "1", "b.txt"]
        assert scene.past(who, before=first) == ["a.txt"]
        assert scene.past(who, after=first, count=1) == ["b.txt", "2"]
        assert scene.past(who, after=second) == ["c.txt", "3", "d.txt"]


def test_onlyFiles() -> None:
    """
    Two friends who have sent each other nothing but files have these alone, and the
    ways of the original page to the history have none of them.
    """
    scene = Scene()
    scene.give(scene.alice, "a.txt")
    assert scene.past(scene.bob) == ["a.txt"]
    uin = scene.bob.uinOf(scene.alice)
    page = scene.web.result(scene.bob.protocol.fetchHistory(uin))
    assert page.messages == ()
    assert scene.web.result(scene.bob.protocol.fetchRecent()) == ()


def test_fetched() -> None:
    """
    The recipient fetches a file of the history, of which the sender is told; the
    sender fetches it by another key, of which nobody is told.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    sent = scene.give(alice, "a.txt", b"tea")
    (event,) = [each for each in bob.events if isinstance(each, OfflineFile)]
    (own,), (theirs,) = scene.files(alice), scene.files(bob)
    assert (own.sender, theirs.sender) == (Uin(alice.number), bob.uinOf(alice))
    assert own.id == theirs.id == sent
    for file in (own, theirs):
        assert (file.name, file.size, file.isFetched) == ("a.txt", 3, False)
        assert file.expires == file.time + 7 * DAY
    assert (theirs.key, theirs.messageId) == (event.key, event.messageId)
    assert own.key not in ("", theirs.key)
    assert scene.web.result(alice.protocol.fetchOfflineFile(own)) == b"tea"
    assert not [e for e in alice.events if isinstance(e, OfflineFileNotice)]
    assert scene.web.result(bob.protocol.fetchOfflineFile(theirs)) == b"tea"
    (told,) = [e for e in alice.events if isinstance(e, OfflineFileNotice)]
    assert told.action == 1
    (own,) = scene.files(alice)
    assert own.isFetched


def test_gone() -> None:
    """
    A file that was refused, or has expired, is still told of, without a key.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    scene.give(alice, "a.txt")
    scene.give(alice, "b.txt")
    first, second = scene.files(bob)
    scene.web.result(bob.protocol.refuseOfflineFile(first))
    assert [file.key for file in scene.files(bob)] == ["", second.key]
    scene.web.clock.advance(7 * DAY)
    scene.web.settle()
    for who in (alice, bob):
        assert [(f.name, f.key) for f in scene.files(who)] == [
            ("a.txt", ""),
            ("b.txt", ""),
        ]
