"""
Messages by the ids of others, read markers and unread counts, from the callback
interface to the database (protocol.md 2.2.12).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from txwebqq.errors import RequestRefused
from txwebqq.model import (
    MANY_UNREAD,
    RECENT_BUDDY,
    RECENT_DISCUSSION,
    RECENT_GROUP,
    Code,
    Font,
    Message,
    PastMessage,
    RecentContact,
    Text,
)
from txwebqq.server.domain.refusals import MALFORMED, NO_SUCH_ID
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ


class Scene:
    """
    Alice, Bob and Carol are friends, and all are in the group cats.
    """

    def __init__(self, web: MemoryWebQQ | None = None) -> None:
        self.web = MemoryWebQQ() if web is None else web
        self.alice, self.bob, self.carol = self.web.friends("Alice", "Bob", "Carol")
        self.web.group("cats", self.alice, self.bob, self.carol)
        for person in (self.alice, self.bob, self.carol):
            person.run()
        self.web.settle()

    def friend(self, who: MemoryPerson, other: MemoryPerson) -> RecentContact:
        return RecentContact(RECENT_BUDDY, who.uinOf(other))

    def cats(self, who: MemoryPerson) -> RecentContact:
        return RecentContact(RECENT_GROUP, who.groupCalled("cats").code)

    def unread(self, who: MemoryPerson, contact: RecentContact) -> int:
        for each in self.web.result(who.protocol.fetchRecent()):
            if (each.kind, each.id) == (contact.kind, contact.id):
                return each.unread
        return 0

    def send(self, who: MemoryPerson, contact: RecentContact, text: str) -> int:
        protocol = who.protocol
        if contact.kind == RECENT_BUDDY:
            sent = protocol.sendMessage(contact.id, text)  # type: ignore[arg-type]
        elif contact.kind == RECENT_GROUP:
            sent = protocol.sendGroupMessage(who.groupCalled("cats").gid, text)
        else:
            sent = protocol.sendDiscussionMessage(contact.id, text)  # type: ignore[arg-type]
        return self.web.result(sent).messageId

    def read(self, who: MemoryPerson, contact: RecentContact, message: int) -> None:
        self.web.result(who.protocol.markRead(contact, message))

    def texts(
        self, who: MemoryPerson, contact: RecentContact, **bounds: int
    ) -> tuple[list[str], bool]:
        found = self.web.result(who.protocol.fetchMessages(contact, **bounds))
        return [message.text for message in found.messages], found.hasMore

    def refused(self, asked: Deferred[Any]) -> int:
        with pytest.raises(RequestRefused) as caught:
            self.web.result(asked)
        retcode: int = caught.value.retcode
        return retcode


def test_sinceAnId() -> None:
    """
    The messages after the last one that a client has seen are read in pages, each
    once, in all kinds of conversations, by the ids of events.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    did = scene.web.result(
        alice.protocol.createDiscussion(
            "tea", [alice.uinOf(bob), alice.uinOf(scene.carol)]
        )
    )
    for mine, theirs in (
        (scene.friend(alice, bob), scene.friend(bob, alice)),
        (scene.cats(alice), scene.cats(bob)),
        (RecentContact(RECENT_DISCUSSION, did),) * 2,
    ):
        ids = [scene.send(alice, mine, str(n)) for n in range(5)]
        assert scene.texts(bob, theirs) == (["0", "1", "2", "3", "4"], False)
        assert scene.texts(bob, theirs, count=2) == (["3", "4"], True)
        assert scene.texts(bob, theirs, after=ids[0], count=3) == (
            ["1", "2", "3"],
            True,
        )
        assert scene.texts(bob, theirs, after=ids[3], count=3) == (["4"], False)
        assert scene.texts(bob, theirs, after=ids[4]) == ([], False)
        assert scene.texts(bob, theirs, before=ids[3], count=2) == (["1", "2"], True)
        assert scene.texts(bob, theirs, before=ids[1]) == (["0"], False)
        assert scene.texts(bob, theirs, after=ids[0], before=ids[4], count=2) == (
            ["1", "2"],
            True,
        )
    seen = [event.id for event in bob.events if isinstance(event, Message)]
    assert scene.texts(bob, scene.friend(bob, alice), after=seen[-2])[0] == ["4"]


def test_likeTheEvent() -> None:
    """
    A message of the history has the author, time, ids and font of its event, and the
    own messages have one's own number as their author.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    font = Font("Arial", 12, bold=True)
    sent = alice.protocol.sendMessage(alice.uinOf(bob), "hi", font)
    scene.web.result(sent)
    [event] = [each for each in bob.events if isinstance(each, Message)]
    found = scene.web.result(
        bob.protocol.fetchMessages(scene.friend(bob, alice))
    ).messages
    assert found == (
        PastMessage(
            event.sender,
            event.time,
            (Text("hi"),),
            found[0].sequence,
            event.id,
            event.messageId,
            font,
        ),
    )
    [mine] = scene.web.result(
        alice.protocol.fetchMessages(scene.friend(alice, bob))
    ).messages
    assert (int(mine.sender), mine.id) == (alice.number, event.id)


def test_unknownIds() -> None:
    """
    A message that is not there, and a conversation that is not one's own, are
    refused, by both calls.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    contact = scene.friend(alice, bob)
    group = scene.cats(alice)
    other = scene.send(alice, group, "in the group")
    recalled = scene.send(alice, contact, "oops")
    scene.web.result(alice.protocol.recallMessage(alice.uinOf(bob), recalled))
    for message in (other, recalled, 77):
        for asked in (
            alice.protocol.fetchMessages(contact, after=message),
            alice.protocol.fetchMessages(contact, before=message),
            alice.protocol.markRead(contact, message),
        ):
            assert scene.refused(asked) == NO_SUCH_ID
    eve = scene.web.person("Eve")
    eve.run()
    for strange in (
        group,
        RecentContact(RECENT_GROUP, Code(0)),
        RecentContact(RECENT_DISCUSSION, 5),
        RecentContact(RECENT_BUDDY, eve.number),
        RecentContact(RECENT_BUDDY, 0),
    ):
        assert scene.refused(eve.protocol.fetchMessages(strange)) == NO_SUCH_ID
        assert scene.refused(eve.protocol.markRead(strange, other)) == NO_SUCH_ID
    odd = RecentContact(3, 5)
    assert scene.refused(eve.protocol.fetchMessages(odd)) == MALFORMED


def test_withoutHistory() -> None:
    """
    A server without a history says so when a conversation is to be marked as read.
    """
    scene = Scene()
    scene.web.state.recorder.keep = 0
    message = scene.send(scene.bob, scene.friend(scene.bob, scene.alice), "hi")
    contact = scene.friend(scene.alice, scene.bob)
    with pytest.raises(RequestRefused, match="keeps no history"):
        scene.web.result(scene.alice.protocol.markRead(contact, message))
    assert scene.texts(scene.alice, contact) == ([], False)


def test_unread() -> None:
    """
    Messages of others count as unread until they are marked, over sign-ons; the
    marker does not go back.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    contact, group = scene.friend(alice, bob), scene.cats(alice)
    ids = [scene.send(bob, scene.friend(bob, alice), str(n)) for n in range(3)]
    meow = scene.send(bob, scene.cats(bob), "meow")
    assert (scene.unread(alice, contact), scene.unread(alice, group)) == (3, 1)
    assert scene.unread(bob, scene.cats(bob)) == 0
    scene.send(alice, contact, "mine")
    assert scene.unread(alice, contact) == 3
    scene.read(alice, contact, ids[1])
    scene.read(alice, contact, ids[0])
    assert (scene.unread(alice, contact), scene.unread(alice, group)) == (1, 1)
    alice.stop()
    alice.run()
    contact, group = scene.friend(alice, bob), scene.cats(alice)
    assert (scene.unread(alice, contact), scene.unread(alice, group)) == (1, 1)
    scene.read(alice, group, meow)
    assert scene.unread(alice, group) == 0
    assert scene.unread(scene.carol, scene.cats(scene.carol)) == 1
    [newest, *_] = scene.web.result(alice.protocol.fetchRecent())
    assert newest.last is not None
    assert newest.last.text == "mine"
    authors = [each.author for each in scene.web.result(alice.protocol.fetchRecent())]
    assert authors == ["", "Bob"]


def test_many() -> None:
    """
    Unread messages are counted up to a hundred, one's own among them left out.
    """
    scene = Scene()
    alice, bob = scene.alice, scene.bob
    contact = scene.friend(alice, bob)
    for n in range(MANY_UNREAD + 2):
        scene.send(bob, scene.friend(bob, alice), str(n))
        if n % 50 == 0:
            scene.send(alice, contact, "mine")
    assert scene.unread(alice, contact) == MANY_UNREAD
    first = scene.web.result(alice.protocol.fetchMessages(contact, count=100))
    scene.read(alice, contact, first.messages[-3].id)
    assert scene.unread(alice, contact) == 1


def test_joined() -> None:
    """
    Messages of before an account joined count as read, also when it comes back.
    """
    scene = Scene()
    alice, web = scene.alice, scene.web
    dave = web.person("Dave")
    dave.run()
    scene.send(alice, scene.cats(alice), "before")
    number = alice.groupCalled("cats")
    record = web.state.sessions.existing(alice.number)
    assert record is not None
    group = record.sessionIds.groupOfGid(number.gid)
    assert group is not None
    web.state.recorder.flush()
    groups = web.state.store.groups
    groups.addMember(group, dave.number)
    dave.stop()
    dave.run()
    contact = scene.cats(dave)
    assert scene.unread(dave, contact) == 0
    scene.send(alice, scene.cats(alice), "after")
    assert scene.unread(dave, contact) == 1
    # A member who is added once more has not read it.
    groups.addMember(group, dave.number)
    assert scene.unread(dave, contact) == 1
    groups.removeMember(group, dave.number)
    groups.addMember(group, dave.number)
    assert scene.unread(dave, contact) == 0


def test_restart(tmp_path: Path) -> None:
    """
    Markers survive a restart, also when the message that was read last is gone.
    """
    store = Store(tmp_path / "q.db")
    scene = Scene(MemoryWebQQ(store=store))
    alice, bob = scene.alice, scene.bob
    scene.send(bob, scene.friend(bob, alice), "one")
    last = scene.send(bob, scene.friend(bob, alice), "two")
    scene.read(alice, scene.friend(alice, bob), last)
    scene.web.result(bob.protocol.recallMessage(bob.uinOf(alice), last))
    scene.web.stop()
    store.close()
    again = Store(tmp_path / "q.db")
    scene = Scene(MemoryWebQQ(store=again))
    alice, bob = scene.alice, scene.bob
    contact = scene.friend(alice, bob)
    assert scene.unread(alice, contact) == 0
    scene.send(bob, scene.friend(bob, alice), "three")
    assert scene.unread(alice, contact) == 1
    scene.web.stop()
    again.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "read", "recall"]),
        st.integers(0, 2),
        st.integers(0, 3),
        st.integers(0, 1000),
    ),
    max_size=12,
)


class Model:
    """
    All conversations of three accounts: the messages, their senders and the markers.
    """

    def __init__(self) -> None:
        self.scene = Scene()
        self.people = self.scene.alice, self.scene.bob, self.scene.carol
        self.messages: dict[object, list[tuple[int, int]]] = {}
        self.markers: dict[object, int] = {}
        self.order: dict[int, int] = {}

    def target(self, me: int, which: int) -> tuple[object, RecentContact]:
        """
        Return a key for a conversation, and its name for one of its members.
        """
        if which in (me, 3):
            return "cats", self.scene.cats(self.people[me])
        contact = self.scene.friend(self.people[me], self.people[which])
        return frozenset((me, which)), contact

    def step(self, action: str, me: int, which: int, choice: int) -> None:
        key, contact = self.target(me, which)
        said = self.messages.setdefault(key, [])
        if action == "send":
            message = self.scene.send(self.people[me], contact, "x")
            self.order[message] = len(self.order)
            said.append((message, me))
        elif said and action == "read":
            message, _ = said[choice % len(said)]
            self.scene.read(self.people[me], contact, message)
            before = self.markers.get((me, key), -1)
            self.markers[me, key] = max(before, self.order[message])
        elif said:
            message, sender = said.pop(choice % len(said))
            self.recall(key, sender, message)

    def recall(self, key: object, sender: int, message: int) -> None:
        who = self.people[sender]
        if isinstance(key, frozenset):
            [other] = key - {sender}
            recalled = who.protocol.recallMessage(
                who.uinOf(self.people[other]), message
            )
        else:
            gid = who.groupCalled("cats").gid
            recalled = who.protocol.recallGroupMessage(gid, message)
        self.scene.web.result(recalled)

    def unread(self, me: int, key: object) -> int:
        marker = self.markers.get((me, key), -1)
        count = sum(
            1
            for message, sender in self.messages.get(key, [])
            if sender != me and self.order[message] > marker
        )
        return min(count, MANY_UNREAD)


def test_likeAModel() -> None:
    """
    The counts are those of a model, after any sends, reads and recalls of three
    accounts in all of their conversations.
    """
    # Its messages stay for the next example, since signing on takes most of the time.
    model = Model()

    @settings(max_examples=10, deadline=None)
    @given(STEPS)
    def run(steps: list[tuple[str, int, int, int]]) -> None:
        for step in steps:
            model.step(*step)
        for me, who in enumerate(model.people):
            for which in range(3):
                key, contact = model.target(me, which)
                assert model.scene.unread(who, contact) == model.unread(me, key)

    run()
    model.scene.web.stop()
