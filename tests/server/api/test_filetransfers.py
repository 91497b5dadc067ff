"""
Forms with a file, and file transfers, over HTTP.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.server.forms import BOUNDARY, PNG, MediaTestCase, faceOf, form, upload
from tests.server.harness import ALICE, BOB, DAVE, HTTPClient, Wire, request
from txwebqq.server.http.filerelay import FOLLOW, OFFER
from txwebqq.server.limits import ConnectionLimits


class TransferTests(MediaTestCase):
    """
    File transfers from Alice to Bob, who is online.
    """

    data = bytes(range(256)) * 1500

    def offer(self, whole: bool = True, name: str = "t.txt") -> Wire:
        target = (
            f"/v2/{ALICE}/{self.alice.uin(BOB)}/77/0/0/1/f/1/0/0"
            f"?psessionid={self.alice.psessionid}"
        )
        body = form({}, "file", name, self.data)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        sent = request("POST", target, {"Content-Type": kind}, body)
        self.rest = sent[-200_000:]
        return self.harness.send(sent if whole else sent[:-200_000])

    def accept(self, session: int) -> Wire:
        target = (
            f"/channel/get_file2?lcid={session}&guid=t.txt&to={self.bob.uin(ALICE)}"
        )
        response = self.get(self.bob, target)
        self.assertEqual(response.status, 302, response.body)
        parts = urlsplit(response.all("Location")[0])
        return self.harness.get(f"{parts.path}?{parts.query}")

    def offered(self) -> Any:
        (event,) = self.events(self.bob)
        self.assertEqual(event["poll_type"], "file_message")
        return event["value"]

    def steps(self, client: HTTPClient) -> list[tuple[str, int]]:
        """
        Return the events of a transfer that an account has got.
        """
        return [
            (e["value"]["mode"], e["value"].get("cancel_type", 0))
            if e["poll_type"] == "file_message"
            else ("progress", e["value"]["file_infos"][0]["file_status"])
            for e in self.events(client)
        ]

    def test_offer(self) -> None:
        """
        An offer has the name, and a session with the sender's id in it.
        """
        self.offer()
        value = self.offered()
        self.assertEqual((value["mode"], value["name"]), ("recv", "t.txt"))
        self.assertEqual(value["type"], 101)
        self.assertEqual(value["from_uin"], self.bob.uin(ALICE))
        self.assertEqual(value["session_id"] % 4096, 77)

    def test_transfer(self) -> None:
        """
        The download is equal to the upload, and both accounts are notified.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        self.assertFalse(upload.isAnswered)
        download = self.accept(session)
        self.assertEqual(_unchunked(download.response.body), self.data)
        self.harness.clock.advance(0)
        self.assertEqual(upload.response.json, {"retcode": 0, "result": "ok"})
        self.assertEqual(
            self.steps(self.alice), [("send_ack", 0), ("progress", 10), ("progress", 0)]
        )
        self.assertEqual(self.steps(self.bob), [("progress", 10), ("progress", 0)])

    def test_answeredWhenStored(self) -> None:
        """
        The sender gets the reply after the events of the transfer are stored.
        """
        upload = self.offer()
        self.accept(self.offered()["session_id"])
        self.assertFalse(upload.isAnswered)
        self.harness.clock.advance(0)
        self.assertTrue(upload.isAnswered)

    def test_backPressure(self) -> None:
        """
        The server does not read from the sender before the file is accepted, nor
        while the recipient reads more slowly.
        """
        upload = self.offer(whole=False)
        self.assertEqual(upload.transport.producerState, "paused")
        download = self.accept(self.offered()["session_id"])
        self.assertEqual(upload.transport.producerState, "producing")
        producer: Any = download.transport.producer
        producer.pauseProducing()
        self.assertEqual(upload.transport.producerState, "paused")
        producer.resumeProducing()
        self.assertEqual(upload.transport.producerState, "producing")
        upload.send(self.rest)
        self.assertEqual(_unchunked(download.response.body), self.data)

    def test_accepts(self) -> None:
        """
        A recipient that takes its time to accept does not end the upload, and the
        sender then has the usual time for the rest.
        """
        seconds = ConnectionLimits().seconds
        upload = self.offer(whole=False)
        session = self.offered()["session_id"]
        self.harness.clock.pump([seconds, seconds, seconds - 1])
        download = self.accept(session)
        self.harness.clock.advance(2)
        self.assertFalse(upload.isAborted)
        upload.send(self.rest)
        self.assertEqual(_unchunked(download.response.body), self.data)

    def test_slowSender(self) -> None:
        """
        A sender that stops sending when the file is accepted is disconnected.
        """
        upload = self.offer(whole=False)
        self.accept(self.offered()["session_id"])
        self.harness.clock.pump([ConnectionLimits().seconds] * 2)
        self.assertTrue(upload.isAborted)
        upload.close()

    def test_refuse(self) -> None:
        """
        A refusal ends the upload, and its reason is in the reply to the sender.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        target = f"/channel/refuse_file2?lcid={session}&to={self.bob.uin(ALICE)}&t=1"
        stranger = self.get(self.carol, target)
        self.assertEqual(stranger.json["retcode"], 102)
        self.assertEqual(self.get(self.bob, target).json["retcode"], 0)
        self.assertEqual(upload.response.json["retcode"], 102)
        self.assertEqual(self.steps(self.alice), [("refuse", 2), ("progress", 53)])

    def test_takenBack(self) -> None:
        """
        A sender withdraws an offer by its own id.
        """
        upload = self.offer()
        self.offered()
        target = f"/channel/refuse_file2?lcid=77&to={self.alice.uin(BOB)}&t=1"
        self.assertEqual(self.get(self.alice, target).json["retcode"], 0)
        self.assertEqual(upload.response.json["retcode"], 102)
        self.assertEqual(self.steps(self.bob), [("refuse", 1), ("progress", 50)])

    def test_senderGone(self) -> None:
        """
        When the sender disconnects, the recipient's connection is closed before the
        end of the file, and the recipient is notified.
        """
        upload = self.offer(whole=False)
        download = self.accept(self.offered()["session_id"])
        upload.close()
        self.assertTrue(download.transport.disconnecting)
        self.assertFalse(download.raw.endswith(b"0\r\n\r\n"))
        self.assertIn(("refuse", 1), self.steps(self.bob))

    def test_receiverGone(self) -> None:
        """
        When the recipient disconnects, the sender is notified, and gets the reply
        when the upload is complete.
        """
        upload = self.offer(whole=False)
        download = self.accept(self.offered()["session_id"])
        download.close()
        self.assertIn(("refuse", 1), self.steps(self.alice))
        upload.send(self.rest)
        self.assertEqual(upload.response.json["retcode"], 102)

    def test_tooLate(self) -> None:
        """
        An offer that is not accepted in time ends: both accounts are notified, and
        get_file2 replies 102.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        self.harness.clock.advance(OFFER - 1)
        # Who does not poll for so long is away.
        self.assertEqual(self.steps(self.alice) + self.steps(self.bob), [])
        self.harness.clock.advance(1)
        self.assertEqual(upload.response.json["retcode"], 102)
        for client in (self.alice, self.bob):
            self.assertIn(("refuse", 3), self.steps(client))
        target = f"/channel/get_file2?lcid={session}&guid=t&to={self.bob.uin(ALICE)}"
        self.assertEqual(self.get(self.bob, target).json["retcode"], 102)

    def test_acceptedAndForgotten(self) -> None:
        """
        An accepted offer ends when the recipient does not download the file.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        target = f"/channel/get_file2?lcid={session}&guid=t&to={self.bob.uin(ALICE)}"
        self.assertEqual(self.get(self.bob, target).status, 302)
        self.harness.clock.advance(FOLLOW)
        self.assertEqual(upload.response.json["retcode"], 102)

    def test_strangers(self) -> None:
        """
        No other account may accept or download the file.
        """
        self.offer()
        session = self.offered()["session_id"]
        uin = self.carol.uin(ALICE)
        target = f"/channel/get_file2?lcid={session}&guid=t&to={uin}"
        self.assertEqual(self.get(self.carol, target).json["retcode"], 102)
        own = f"/channel/get_file2?lcid={session}&guid=t&to={ALICE}"
        self.assertEqual(self.get(self.alice, own).json["retcode"], 102)
        for client in (self.carol, self.alice, self.bob):
            direct = f"/v2/{client.number}/1/{session}/0/0/0/0/1/f/1/t.txt?x=1"
            self.assertEqual(self.get(client, direct).json["retcode"], 102)

    def test_offline(self) -> None:
        """
        Offers to offline friends and to other accounts are refused.
        """
        self.get(self.bob, "/channel/logout2?ids=")
        self.assertEqual(self.offer().response.json["retcode"], 102)
        other = self.alice.uin(DAVE)
        target = f"/v2/{ALICE}/{other}/77/0/0/1/f/1/0/0?psessionid="
        body = form({}, "file", "t", b"x")
        refused = upload(self.harness, target + self.alice.psessionid, body).response
        self.assertEqual(refused.json["retcode"], 100001)
        refused = upload(self.harness, target + "0", body).response
        self.assertEqual(refused.json["retcode"], 121)

    def test_stop(self) -> None:
        """
        A stopped server leaves no transfer on the clock.
        """
        upload = self.offer()
        self.harness.server.stop()
        self.assertEqual(upload.response.json["retcode"], 102)
        self.harness.disconnectAll()
        self.assertEqual(self.harness.clock.getDelayedCalls(), [])


class FormTests(MediaTestCase):
    def test_broken(self) -> None:
        """
        A malformed form is refused with the reply of its command.
        """
        target = "/cgi-bin/cface_upload"
        fields = {"vfwebqq": self.alice.vfwebqq}
        whole = form(fields, "custom_face", "a.png", PNG)
        for body in (b"", b"nonsense", whole[:-10], whole[:60]):
            self.assertEqual(faceOf(upload(self.harness, target, body).response)[0], 2)
        other = self.harness.post(target, whole, {"Content-Type": "text/plain"})
        self.assertEqual(faceOf(other.response)[0], 2)
        missing = form(fields, "file", "a.png", PNG)
        self.assertEqual(faceOf(upload(self.harness, target, missing).response)[0], 2)
        folder = self.harness.server._blobs.incoming()
        self.assertEqual(list(folder.iterdir()), [])

    def test_byteByByte(self) -> None:
        """
        A form may arrive byte by byte.
        """
        body = form({"vfwebqq": self.alice.vfwebqq}, "custom_face", "a.png", PNG)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        whole = request("POST", "/cgi-bin/cface_upload", {"Content-Type": kind}, body)
        wire = self.harness.send(whole[:1])
        for index in range(1, len(whole)):
            wire.send(whole[index : index + 1])
        self.assertEqual(faceOf(wire.response)[0], 0)

    def test_announced(self) -> None:
        """
        A body whose announced length is too large is refused before it arrives.
        """
        head = (
            b"POST /cgi-bin/cface_upload HTTP/1.1\r\nHost: h\r\n"
            b"Content-Length: 900000000\r\n\r\n"
        )
        self.assertEqual(self.harness.send(head).response.status, 413)

    def test_abandoned(self) -> None:
        """
        An incomplete upload leaves no file.
        """
        body = form({"vfwebqq": self.alice.vfwebqq}, "custom_face", "a", PNG)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        whole = request("POST", "/cgi-bin/cface_upload", {"Content-Type": kind}, body)
        wire = self.harness.send(whole[:-100])
        folder = self.harness.server._blobs.incoming()
        self.assertEqual(len(list(folder.iterdir())), 1)
        wire.close()
        self.assertEqual(list(folder.iterdir()), [])


def _unchunked(body: bytes) -> bytes:
    data = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        data, body = data + body[:length], body[length + 2 :]
    return data
