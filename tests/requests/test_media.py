"""
Pictures, avatars and files, from the callback interface to the database.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from txwebqq.client import Servers, WebQQClient
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.model import (
    CustomFace,
    Did,
    DiscussionMessage,
    Event,
    FileNotice,
    FileStep,
    GroupMessage,
    GroupPicture,
    Message,
    Number,
    OfflineFile,
    OfflineFileNotice,
    OfflinePicture,
    Text,
    TransferProgress,
    Uin,
)
from txwebqq.net.bodies import FileUpload, MultipartProducer
from txwebqq.server.records import DiscussionEntry, GroupEntry, GroupRecord, Population
from txwebqq.testing import MemoryPerson, MemoryWebQQ
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.offlinefiles import OfflineFileDownload
from txwebqq.wire.commands.pictures import CfaceUpload
from txwebqq.wire.form import Ticket

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
JPG = b"\xff\xd8\xff\xe0" + b"picture" * 20
DATA = bytes(range(256)) * 4096


def fileOf(case: SynchronousTestCase, data: bytes) -> Path:
    """
    A file with some bytes, gone after the test.
    """
    folder = TemporaryDirectory()
    case.addCleanup(folder.cleanup)
    path = Path(folder.name) / "picture.jpg"
    path.write_bytes(data)
    return path


class MediaTestCase(SynchronousTestCase):
    """
    Alice and Bob are friends and members of the cats, Carol has no friends.
    """

    def setUp(self) -> None:
        self.web = MemoryWebQQ()
        self.addCleanup(self.web.stop)
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        self.carol = self.web.person("Carol")
        self.web.group("cats", self.alice, self.bob)
        for person in (self.alice, self.bob, self.carol):
            person.run()
            self.addCleanup(person.stop)
        self.gid = self.alice.groupCalled("cats").gid

    def result(self, deferred: Deferred[Any]) -> Any:
        return self.web.result(deferred)

    def last(self, person: MemoryPerson, kind: type[Event]) -> Any:
        """
        Get the last event of a kind that an account has received.
        """
        self.web.settle(2)
        return [event for event in person.events if isinstance(event, kind)][-1]


class PictureTests(MediaTestCase):
    def test_group(self) -> None:
        """
        A picture that is shown in a group is what its members fetch.
        """
        segment = self.result(self.alice.protocol.uploadGroupPicture(PNG))
        self.result(
            self.alice.protocol.sendGroupMessage(self.gid, [Text("see "), segment])
        )
        message = self.last(self.bob, GroupMessage)
        self.assertEqual(message.content[0], Text("see "))
        picture = message.content[1]
        self.assertIsInstance(picture, GroupPicture)
        fetched = self.bob.protocol.fetchPicture(message, picture)
        self.assertEqual(self.result(fetched), PNG)
        denied = self.carol.protocol.fetchPicture(message, picture)
        with self.assertRaises(RequestRefused):
            self.result(denied)

    def test_discussion(self) -> None:
        """
        A picture that was uploaded for a group can be shown in a discussion.
        """
        people = (self.alice.number, self.bob.number)
        discussion = DiscussionEntry(Number(300001), "tea", self.alice.number, people)
        self.web.state.merge(Population(discussions=(discussion,)))
        segment = self.result(self.alice.protocol.uploadGroupPicture(PNG))
        did = Did(300001)
        sent = self.alice.protocol.transport.call(
            lambda ticket: SendDiscuMsg2(ticket, did, (segment,), 1)
        )
        self.result(sent)
        message = self.last(self.bob, DiscussionMessage)
        fetch = self.bob.protocol.fetchPicture
        self.assertEqual(self.result(fetch(message, message.content[0])), PNG)

    def test_later(self) -> None:
        """
        A member who joins a group later has not been sent its earlier pictures.
        """
        self.result(self.alice.protocol.sendGroupPicture(self.gid, PNG))
        message = self.last(self.bob, GroupMessage)
        group = GroupRecord(message.number, "cats", self.alice.number)
        late = GroupEntry(group, (self.carol.number,))
        self.web.state.merge(Population(groups=(late,)))
        denied = self.carol.protocol.fetchPicture(message, message.content[0])
        with self.assertRaises(RequestRefused):
            self.result(denied)

    def test_sendGroupPicture(self) -> None:
        """
        Uploading and showing a picture is one call, also of a file.
        """
        path = fileOf(self, JPG)
        self.result(self.alice.protocol.sendGroupPicture(self.gid, path))
        message = self.last(self.bob, GroupMessage)
        sink = BytesIO()
        fetched = self.bob.protocol.fetchPicture(message, message.content[0], sink)
        self.assertEqual(self.result(fetched), len(JPG))
        self.assertEqual(sink.getvalue(), JPG)

    def test_friend(self) -> None:
        """
        A friend fetches a photo, and a custom face.
        """
        face = self.result(self.alice.protocol.uploadFace(PNG, "smile.png"))
        self.assertIsInstance(face, CustomFace)
        photo = self.result(self.alice.protocol.uploadPicture(JPG, "Ä<b>.jpg"))
        self.assertEqual((photo.name, photo.size), ("Ä<b>.jpg", len(JPG)))
        self.alice.tell(self.bob, [photo, face])
        message = self.last(self.bob, Message)
        first, second = message.content
        self.assertIsInstance(first, OfflinePicture)
        fetch = self.bob.protocol.fetchPicture
        self.assertEqual(self.result(fetch(message, first)), JPG)
        self.assertEqual(self.result(fetch(message, second)), PNG)

    def test_noPicture(self) -> None:
        """
        Words cannot be fetched, and what is no picture cannot be uploaded.
        """
        self.alice.tell(self.bob, "hi")
        message = self.last(self.bob, Message)
        self.failureResultOf(
            self.bob.protocol.fetchPicture(message, Text("hi")), ValueError
        )
        for upload in (
            self.alice.protocol.uploadGroupPicture(b"<html>"),
            self.alice.protocol.uploadPicture(b"<html>"),
        ):
            with self.assertRaises(RequestRefused):
                self.result(upload)

    def test_noFile(self) -> None:
        """
        A file that is not there is the caller's own trouble.
        """
        for upload in (
            self.alice.protocol.uploadPicture("/nowhere/at/all"),
            self.alice.protocol.uploadGroupPicture("/nowhere/at/all"),
            self.alice.protocol.offerFile(Uin(1), "/nowhere/at/all"),
            self.alice.protocol.sendOfflineFile(Uin(1), "/nowhere/at/all"),
        ):
            self.failureResultOf(upload, FileNotFoundError)

    def test_faces(self) -> None:
        """
        Custom faces are listed, seen and deleted.
        """
        protocol = self.alice.protocol
        face = self.result(protocol.uploadFace(PNG))
        (entry,) = self.result(protocol.fetchFaces())
        self.assertEqual((entry.name, entry.size), (face.name, len(PNG)))
        self.assertEqual(self.result(protocol.fetchFace(face.name)), PNG)
        self.result(protocol.deleteFace(face.name))
        self.assertEqual(self.result(protocol.fetchFaces()), ())
        with self.assertRaises(RequestRefused):
            self.result(protocol.deleteFace(face.name))


class AvatarTests(MediaTestCase):
    def test_person(self) -> None:
        """
        Friends see the avatar that an account sets.
        """
        uin = self.bob.uinOf(self.alice)
        usual = self.result(self.bob.protocol.fetchAvatar(uin))
        self.assertTrue(usual.startswith(b"\x89PNG"))
        self.result(self.alice.protocol.setAvatar(JPG))
        self.assertEqual(self.result(self.bob.protocol.fetchAvatar(uin)), JPG)
        self.result(self.alice.protocol.setAvatar(None))
        self.assertEqual(self.result(self.bob.protocol.fetchAvatar(uin)), usual)

    def test_group(self) -> None:
        """
        The owner of a group sets its avatar, and nobody else.
        """
        codes = [p.groupCalled("cats").code for p in (self.alice, self.bob)]
        self.result(self.alice.protocol.setGroupAvatar(codes[0], JPG))
        with self.assertRaises(RequestRefused):
            self.result(self.bob.protocol.setGroupAvatar(codes[1], PNG))
        fetched = self.bob.protocol.fetchGroupAvatar(codes[1])
        self.assertEqual(self.result(fetched), JPG)


class OfflineFileTests(MediaTestCase):
    def give(self) -> OfflineFile:
        uin = self.alice.uinOf(self.bob)
        self.result(self.alice.protocol.sendOfflineFile(uin, DATA, "报告.txt"))
        file: OfflineFile = self.last(self.bob, OfflineFile)
        return file

    def test_fetch(self) -> None:
        """
        An offline file is fetched by its recipient, and the sender is told.
        """
        file = self.give()
        self.assertEqual((file.name, file.size), ("报告.txt", len(DATA)))
        self.assertEqual(self.result(self.bob.protocol.fetchOfflineFile(file)), DATA)
        answer = self.last(self.alice, OfflineFileNotice)
        self.assertEqual((answer.action, answer.name), (1, "报告.txt"))

    def test_resume(self) -> None:
        """
        The part of a file that is on disk already is not fetched again.
        """
        file = self.give()
        fetched = self.bob.protocol.fetchOfflineFile(file, start=len(DATA) - 5)
        self.assertEqual(self.result(fetched), DATA[-5:])

    def test_refuse(self) -> None:
        """
        A refused file is gone, and that is told.
        """
        file = self.give()
        self.result(self.bob.protocol.refuseOfflineFile(file))
        self.assertEqual(self.last(self.alice, OfflineFileNotice).action, 2)
        with self.assertRaises(Unreachable):
            self.result(self.bob.protocol.fetchOfflineFile(file))

    def test_away(self) -> None:
        """
        An offline file waits for a recipient who is offline.
        """
        self.bob.stop()
        uin = self.alice.uinOf(self.bob)
        self.result(self.alice.protocol.sendOfflineFile(uin, DATA, "a"))
        self.bob.run()
        file = self.last(self.bob, OfflineFile)
        self.assertEqual(self.result(self.bob.protocol.fetchOfflineFile(file)), DATA)


class TransferTests(MediaTestCase):
    def offer(self) -> tuple[Deferred[None], FileNotice]:
        uin = self.alice.uinOf(self.bob)
        sent = self.alice.protocol.offerFile(uin, DATA, "t.bin")
        return sent, self.last(self.bob, FileNotice)

    def test_accept(self) -> None:
        """
        An accepted file arrives, and both clients are told.
        """
        sent, offer = self.offer()
        self.assertNoResult(sent)
        self.assertEqual((offer.step, offer.name), (FileStep.OFFERED, "t.bin"))
        self.assertEqual(self.result(self.bob.protocol.acceptFile(offer)), DATA)
        self.assertIsNone(self.result(sent))
        self.assertEqual(self.last(self.alice, FileNotice).step, FileStep.ACCEPTED)
        progress = self.last(self.alice, TransferProgress)
        self.assertEqual((progress.files[0].status, progress.now), (0, len(DATA)))

    def test_refuse(self) -> None:
        """
        A file that is refused fails the offer.
        """
        sent, offer = self.offer()
        self.result(self.bob.protocol.refuseFile(offer))
        with self.assertRaises(RequestRefused):
            self.result(sent)
        notice = self.last(self.alice, FileNotice)
        self.assertEqual((notice.step, notice.reason), (FileStep.ENDED, 2))
        with self.assertRaises(RequestRefused):
            self.result(self.bob.protocol.acceptFile(offer))

    def test_nobodyComes(self) -> None:
        """
        An offer that is not accepted fails after two minutes.
        """
        sent, _ = self.offer()
        self.web.settle(125)
        with self.assertRaises(RequestRefused):
            self.result(sent)
        self.assertEqual(self.last(self.bob, FileNotice).reason, 3)

    def test_takenBack(self) -> None:
        """
        Cancelling an offer takes it back.
        """
        sent, _ = self.offer()
        sent.cancel()
        self.failureResultOf(sent, Unreachable)
        self.web.settle(2)
        self.assertEqual(self.last(self.bob, FileNotice).step, FileStep.ENDED)

    def test_notOnline(self) -> None:
        """
        A file is not offered to an account that is offline.
        """
        uin = self.alice.uinOf(self.bob)
        self.bob.stop()
        with self.assertRaises(RequestRefused):
            self.result(self.alice.protocol.offerFile(uin, DATA, "t.bin"))


@implementer(IConsumer)
class SlowConsumer:
    """
    Takes what it is given, and pauses at once.
    """

    def __init__(self) -> None:
        self.data = b""
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.data += data
        if self.producer is not None:
            self.producer.pauseProducing()


class BodyTests(SynchronousTestCase):
    upload = CfaceUpload(Ticket(vfwebqq="v"))

    def test_pauses(self) -> None:
        """
        A form is written as fast as it is taken, and as long as announced.
        """
        form = MultipartProducer(self.upload, FileUpload(DATA, "a"))
        consumer = SlowConsumer()
        consumer.registerProducer(form, True)
        done = form.startProducing(consumer)
        sizes = [len(consumer.data)]
        while not done.called:
            form.resumeProducing()
            sizes.append(len(consumer.data))
        self.assertIsNone(self.successResultOf(done))
        self.assertEqual(sizes[-1], form.length)
        self.assertGreater(len(sizes), len(DATA) // (64 * 1024))
        self.assertIn(DATA, consumer.data)

    def test_shrinks(self) -> None:
        """
        A file that is shorter than it was fails the upload.
        """
        file = BytesIO(DATA)
        form = MultipartProducer(self.upload, FileUpload(file, "a"))
        file.truncate(10)
        self.failureResultOf(form.startProducing(SlowConsumer()), OSError)

    def test_names(self) -> None:
        """
        A file has the name that the application gives, else the last part of
        its path.
        """
        path = fileOf(self, b"x")
        with path.open("rb") as file:
            sources = [
                FileUpload(path),
                FileUpload(file),
                FileUpload(b""),
                FileUpload(path, "b"),
            ]
            for source in sources:
                source.close()
            self.assertFalse(file.closed)
        names = [source.name for source in sources]
        self.assertEqual(names, [path.name, path.name, "file", "b"])

    def test_gbkName(self) -> None:
        """
        A name in bytes of GBK is read as such; any other name that is no text
        can be sent as well.
        """
        folder = Path(fileOf(self, b"")).parent
        path = os.fsencode(folder) + b"/" + "你好.png".encode("gbk")
        Path(os.fsdecode(path)).write_bytes(b"x")
        for file, name, expected in (
            (os.fsdecode(path), "", "你好.png"),
            (b"x", "half \ud83d.png", "half \ufffd.png"),
            (b"x", "\udcff.png", "\ufffd.png"),
        ):
            source = FileUpload(file, name)
            source.close()
            self.assertEqual(source.name, expected)


class FetchTests(MediaTestCase):
    def test_limit(self) -> None:
        """
        A file larger than the limit of the application is not received.
        """
        uin = self.alice.uinOf(self.bob)
        self.result(self.alice.protocol.sendOfflineFile(uin, DATA, "a"))
        file = self.last(self.bob, OfflineFile)
        client = self.web.client()
        command = OfflineFileDownload(file.key, file.name)
        self.assertEqual(
            self.result(client.fetch(command, BytesIO(), len(DATA))), len(DATA)
        )
        with self.assertRaises(Unreachable):
            self.result(client.fetch(command, BytesIO(), len(DATA) - 1))

    def test_redirects(self) -> None:
        """
        A redirect is followed to WebQQ's hosts, wherever they are, and to no
        other.
        """
        here = WebQQClient(None, Servers("http://h:1/x"), self.web.clock)  # type: ignore[arg-type]
        there = WebQQClient(None, Servers(None), self.web.clock)  # type: ignore[arg-type]
        target = ("http://a.qq.com/p", "q=1")
        for client in (here, there):
            self.assertEqual(client._redirectTarget("http://a.qq.com/p?q=1"), target)
            for foreign in (
                "http://evil.example/",
                "http://qq.com.example/",
                "file:///x",
            ):
                with self.assertRaises(Unreachable):
                    client._redirectTarget(foreign)
        self.assertEqual(
            here._redirectTarget("http://h:1/p")[0], "http://file1.web.qq.com/p"
        )
        with self.assertRaises(Unreachable):
            there._redirectTarget("http://h:1/p")
