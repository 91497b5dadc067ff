"""
History, from the callback interface to the database.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Code,
    Did,
    Face,
    GroupMessage,
    HistoryPage,
    HistoryStretch,
    Message,
    Text,
    Uin,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.testing import BASE, MemoryPerson, MemoryWebQQ
from txwebqq.wire.commands.history import HistoryRange


class Histories(SynchronousTestCase):
    """
    Alice, Bob and Carol are friends, Alice and Bob are in a group; Eve has no
    friends.
    """

    def setUp(self) -> None:
        self.web = MemoryWebQQ()
        self.addCleanup(self.web.stop)
        self.alice, self.bob, self.carol = self.web.friends("Alice", "Bob", "Carol")
        self.eve = self.web.person("Eve")
        self.web.group("cats", self.alice, self.bob)
        for person in (self.alice, self.bob, self.carol, self.eve):
            person.run()

    def history(self, who: MemoryPerson, other: MemoryPerson) -> HistoryPage:
        return self.web.result(who.protocol.fetchHistory(who.uinOf(other)))

    def refused(self, asked: Deferred[Any]) -> int:
        with self.assertRaises(RequestRefused) as caught:
            self.web.result(asked)
        retcode: int = caught.exception.retcode
        return retcode


class FriendTests(Histories):
    """
    Conversations of two.
    """

    def test_sameIds(self) -> None:
        """
        The sender, the recipients and the histories of both know a message by one
        id.
        """
        toBob = self.alice.uinOf(self.bob)
        [toCats] = self.alice.protocol.groups
        sent = self.web.result(self.alice.protocol.sendMessage(toBob, "a"))
        long = self.web.result(self.alice.protocol.sendMessage(toBob, "b" * 30_000))
        meow = self.web.result(self.alice.protocol.sendGroupMessage(toCats, "meow"))
        self.web.settle(3)
        ids = [sent.messageId, *long.earlier, long.messageId]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertGreater(len(long.earlier), 0)
        events = self.bob.events
        self.assertEqual([e.id for e in events if isinstance(e, Message)], ids)
        self.assertEqual(
            [e.id for e in events if isinstance(e, GroupMessage)], [meow.messageId]
        )
        for who, other in ((self.alice, self.bob), (self.bob, self.alice)):
            page = self.history(who, other)
            self.assertEqual([message.id for message in page.messages], ids)
            self.assertEqual(page.messages[0].time, sent.time)
        [group] = self.bob.protocol.groups.values()
        stretch = self.web.result(self.bob.protocol.fetchGroupHistory(group.code))
        self.assertEqual([m.id for m in stretch.messages], [meow.messageId])

    def test_both(self) -> None:
        """
        Both friends read the same history, each with own ids, also of messages
        that came while a friend was offline.
        """
        self.alice.tell(self.bob, [Text("hi "), Face(14)])
        uin = self.bob.uinOf(self.alice)
        self.alice.stop()
        self.web.result(self.bob.protocol.sendMessage(uin, "gone?"))
        self.alice.run()
        for who, other, mine in (
            (self.alice, self.bob, [True, False]),
            (self.bob, self.alice, [False, True]),
        ):
            page = self.history(who, other)
            self.assertEqual((page.page, page.pages), (1, 1))
            self.assertEqual(
                [m.content for m in page.messages],
                [(Text("hi "), Face(14)), (Text("gone?"),)],
            )
            senders = [Uin(who.number) if own else who.uinOf(other) for own in mine]
            self.assertEqual([m.sender for m in page.messages], senders)
            times = [m.time for m in page.messages]
            self.assertEqual(times, [1366004000] * 2)

    def test_pages(self) -> None:
        """
        Pages go from the oldest to the newest, which is what comes unasked.
        """
        for n in range(5):
            self.alice.tell(self.bob, f"{n}")
        uin = self.alice.uinOf(self.bob)
        fetch = self.alice.protocol.fetchHistory
        pages = [self.web.result(fetch(uin, n, 2)) for n in range(5)]
        self.assertEqual(
            [[m.text for m in page.messages] for page in pages],
            [["4"], ["0", "1"], ["2", "3"], ["4"], []],
        )
        self.assertEqual([p.pages for p in pages], [3] * 5)
        self.assertEqual(pages[0].page, 3)

    def test_private(self) -> None:
        """
        No account reads the history of two others, by any id.
        """
        self.alice.tell(self.bob, "secret")
        self.assertEqual(self.history(self.carol, self.bob).messages, ())
        self.assertEqual(self.history(self.carol, self.alice).messages, ())
        for person in (self.alice, self.bob):
            for uin in (Uin(person.number), self.carol.uinOf(person)):
                asked = self.eve.protocol.fetchHistory(uin)
                self.assertEqual(self.web.result(asked).messages, ())

    def test_nobody(self) -> None:
        """
        An id that no account can have is refused; without a session every id
        is.
        """
        fetch = self.alice.protocol.fetchHistory
        for uin in (Uin(0), Uin(self.alice.number), Uin(2**33)):
            self.assertEqual(self.refused(fetch(uin)), NO_SUCH_ID)
        url = f"{BASE}/cgi-bin/webqq_chat/?cmd=1&tuin=5&vfwebqq=x"
        response = self.web.result(self.web.treq.request("GET", url))
        self.assertEqual(self.web.result(response.json())["retcode"], 100000)

    def test_script(self) -> None:
        """
        The answer is a call of the function that was asked for, and of no
        other text.
        """
        session = self.web.state.sessions.online(self.alice.number)
        assert session is not None
        base = f"{BASE}/cgi-bin/webqq_chat/?cmd=1&vfwebqq={session.vfwebqq}&tuin=5"
        for callback, good in (("a.b", True), ("alert(1)//", False)):
            url = f"{base}&callback={callback}"
            response = self.web.result(self.web.treq.request("GET", url))
            body = self.web.result(response.text())
            self.assertEqual(body.startswith(f"{callback}("), good, body)


class GroupTests(Histories):
    """
    Groups.
    """

    def setUp(self) -> None:
        super().setUp()
        self.code = self.alice.groupCalled("cats").code

    def fetch(self, stretch: HistoryRange | None = None) -> HistoryStretch:
        fetch = self.alice.protocol.fetchGroupHistory
        asked = fetch(self.code) if stretch is None else fetch(self.code, stretch)
        return self.web.result(asked)

    def test_group(self) -> None:
        """
        Members read what was said, by themselves and others.
        """
        self.alice.tellGroup("cats", "one")
        self.bob.tellGroup("cats", [Text("two "), Face(0)])
        found = self.fetch()
        self.assertEqual(
            [(m.sender, m.content) for m in found.messages],
            [
                (Uin(self.alice.number), (Text("one"),)),
                (self.alice.uinOf(self.bob), (Text("two "), Face(0))),
            ],
        )
        self.assertEqual(found.place, self.code)
        self.assertEqual(found.last, found.first + 1)

    def test_backwards(self) -> None:
        """
        History is read backwards from the newest message with the numbers in
        each answer.
        """
        for n in range(5):
            self.alice.tellGroup("cats", f"{n}")
        found = self.fetch(HistoryRange(2))
        self.assertEqual([m.text for m in found.messages], ["3", "4"])
        found = self.fetch(HistoryRange(2, last=found.first - 1))
        self.assertEqual([m.text for m in found.messages], ["1", "2"])
        found = self.fetch(HistoryRange(2, backwards=False))
        self.assertEqual([m.text for m in found.messages], ["0", "1"])

    def test_silence(self) -> None:
        """
        A conversation without messages has an empty history, without an error.
        """
        protocol = self.alice.protocol
        nothing = HistoryStretch(())
        self.assertEqual(self.fetch(), nothing)
        uin = self.alice.uinOf(self.bob)
        asked = protocol.fetchMemberHistory(self.code, uin)
        self.assertEqual(self.web.result(asked), nothing)
        self.assertEqual(self.web.result(protocol.fetchHistoryDays(self.code)), ())

    def test_members(self) -> None:
        """
        The history of a group can be read for one member, and has its days.
        """
        self.alice.tellGroup("cats", "one")
        self.bob.tellGroup("cats", "two")
        protocol = self.alice.protocol
        asked = protocol.fetchMemberHistory(self.code, self.alice.uinOf(self.bob))
        found = self.web.result(asked)
        self.assertEqual([m.text for m in found.messages], ["two"])
        [day] = self.web.result(protocol.fetchHistoryDays(self.code))
        # 13:33 in Beijing.
        self.assertEqual(day.date, date(2013, 4, 15))
        self.assertEqual((day.first, day.last), (self.fetch().first, self.fetch().last))

    def test_strangers(self) -> None:
        """
        Only members read a group's history; a member who leaves cannot read on.
        """
        self.alice.tellGroup("cats", "secret")
        session = self.web.state.sessions.online(self.carol.number)
        assert session is not None
        [membership] = self.web.state.store.groups.memberships(self.alice.number)
        code = session.sessionIds.code(membership.number)
        protocol = self.carol.protocol
        for asked in (
            protocol.fetchGroupHistory(code),
            protocol.fetchGroupHistory(Code(membership.number)),
            protocol.fetchMemberHistory(code, Uin(self.carol.number)),
            protocol.fetchHistoryDays(code),
            protocol.fetchDiscussionHistory(Did(membership.number)),
            protocol.fetchDiscussionHistory(Did(0)),
        ):
            self.assertEqual(self.refused(asked), NO_SUCH_ID)
