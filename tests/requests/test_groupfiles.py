"""
Files of groups, from the callback interface to the database.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.requests.test_media import fileOf
from txwebqq.errors import RequestRefused
from txwebqq.model import Gid, GroupFile
from txwebqq.server.uploadquotas import DAY
from txwebqq.testing import MemoryPerson, MemoryWebQQ

DATA = bytes(range(256)) * 4096


class GroupFileTests(SynchronousTestCase):
    """
    Alice, who owns the cats, Bob and Carol are members, Dave is not.
    """

    def setUp(self) -> None:
        self.web = MemoryWebQQ()
        self.addCleanup(self.web.stop)
        self.alice, self.bob, self.carol, self.dave = map(
            self.web.person, ("Alice", "Bob", "Carol", "Dave")
        )
        self.web.group("cats", self.alice, self.bob, self.carol)
        for person in (self.alice, self.bob, self.carol, self.dave):
            person.run()
            self.addCleanup(person.stop)

    def result(self, deferred: Deferred[Any]) -> Any:
        return self.web.result(deferred)

    def gid(self, person: MemoryPerson) -> Gid:
        return person.groupCalled("cats").gid

    def share(self, person: MemoryPerson, name: str = "报告.txt") -> GroupFile:
        shared = person.protocol.sendGroupFile(self.gid(person), DATA, name)
        file: GroupFile = self.result(shared)
        return file

    def shared(self, person: MemoryPerson) -> list[GroupFile]:
        """
        Return the files that an account was told of.
        """
        self.web.settle(2)
        return [event for event in person.events if isinstance(event, GroupFile)]

    def test_share(self) -> None:
        """
        All other members are told of a file, and each fetches it, into memory or
        a sink, whole or the rest.
        """
        mine = self.share(self.bob)
        self.assertEqual(self.shared(self.bob), [])
        self.assertEqual(self.shared(self.dave), [])
        for person in (self.alice, self.carol):
            (file,) = self.shared(person)
            self.assertEqual((file.name, file.size), ("报告.txt", len(DATA)))
            self.assertEqual(file.group, self.gid(person))
            self.assertEqual((file.key, file.messageId), (mine.key, mine.messageId))
            protocol = person.protocol
            sender = self.result(protocol.fetchNumber(file.sender))
            self.assertEqual(sender, self.bob.number)
            self.assertEqual(self.result(protocol.fetchGroupFile(file)), DATA)
            sink = BytesIO()
            count = self.result(protocol.fetchGroupFile(file, sink, len(DATA) - 5))
            self.assertEqual((count, sink.getvalue()), (5, DATA[-5:]))
        self.assertEqual(self.result(self.bob.protocol.fetchGroupFile(mine)), DATA)

    def test_path(self) -> None:
        """
        A file on the disk is shared under its own name.
        """
        path = fileOf(self, b"line\n")
        protocol = self.alice.protocol
        file = self.result(protocol.sendGroupFile(self.gid(self.alice), path))
        self.assertEqual((file.name, file.size), (path.name, 5))
        missing = protocol.sendGroupFile(self.gid(self.alice), "/nowhere/at/all")
        self.failureResultOf(missing, FileNotFoundError)

    def test_away(self) -> None:
        """
        A member who was offline is told at the next sign-on.
        """
        self.carol.stop()
        self.share(self.alice)
        self.carol.run()
        (file,) = self.shared(self.carol)
        self.assertEqual(self.result(self.carol.protocol.fetchGroupFile(file)), DATA)

    def test_nextSession(self) -> None:
        """
        A file of an earlier session can be fetched, though the ids of sessions
        differ.
        """
        self.share(self.alice)
        (file,) = self.shared(self.carol)
        self.carol.stop()
        self.web.settle(2)
        self.carol.run()
        self.assertNotEqual(self.gid(self.carol), file.group)
        self.assertEqual(self.result(self.carol.protocol.fetchGroupFile(file)), DATA)

    def test_list(self) -> None:
        """
        The list of files is that of the events.
        """
        names = ("a.txt", "b.txt")
        for name in names:
            self.share(self.alice, name)
            self.web.settle(2)
        listed = self.result(self.bob.protocol.fetchGroupFiles(self.gid(self.bob)))
        told = self.shared(self.bob)
        self.assertEqual([each.name for each in listed], [*names])
        for one, other in zip(listed, told, strict=True):
            self.assertEqual(
                (one.key, one.group, one.number, one.sender, one.size, one.expires),
                (
                    other.key,
                    other.group,
                    other.number,
                    other.sender,
                    other.size,
                    other.expires,
                ),
            )
        self.assertEqual(self.result(self.bob.protocol.fetchGroupFile(listed[0])), DATA)
        with self.assertRaises(RequestRefused):
            self.result(self.dave.protocol.fetchGroupFiles(self.gid(self.bob)))

    def test_delete(self) -> None:
        """
        The member who has shared a file deletes it, and so does the owner of the
        group.
        """
        first, second = self.share(self.bob), self.share(self.bob)
        with self.assertRaises(RequestRefused):
            self.result(
                self.carol.protocol.deleteGroupFile(self.gid(self.carol), first)
            )
        self.result(self.bob.protocol.deleteGroupFile(self.gid(self.bob), first))
        self.result(self.alice.protocol.deleteGroupFile(self.gid(self.alice), second))
        for file in (first, second):
            with self.assertRaises(RequestRefused) as caught:
                self.result(self.carol.protocol.fetchGroupFile(file))
            self.assertEqual(caught.exception.retcode, 102)
        files = self.carol.protocol.fetchGroupFiles(self.gid(self.carol))
        self.assertEqual(self.result(files), ())

    def test_left(self) -> None:
        """
        A member who has left fetches nothing any more, and another account never
        did.
        """
        file = self.share(self.alice)
        self.assertEqual(self.result(self.carol.protocol.fetchGroupFile(file)), DATA)
        code = self.carol.groupCalled("cats").code
        self.result(self.carol.protocol.leaveGroup(code))
        for person in (self.carol, self.dave):
            with self.assertRaises(RequestRefused):
                self.result(person.protocol.fetchGroupFile(file))

    def test_expired(self) -> None:
        """
        An expired file is refused as one that is gone.
        """
        file = self.share(self.alice)
        self.assertEqual(file.expires, file.time + 7 * DAY)
        self.web.state.store.media.deleteGroupFile(file.key)
        with self.assertRaises(RequestRefused) as caught:
            self.result(self.bob.protocol.fetchGroupFile(file))
        self.assertNotIn(file.key, str(caught.exception))
