"""
Uploaded pictures and offline files, over HTTP.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.server.forms import JPG, MediaTestCase, faceOf
from tests.server.harness import ALICE, BOB, DAVE, Response
from txwebqq.server.uploadquotas import DAY


class BuddyPictureTests(MediaTestCase):
    def test_photo(self) -> None:
        """
        A photo is uploaded, sent, and downloaded by the friend alone, from another
        path.
        """
        stored = self.uploadFile(self.alice, name="Beaver <1>.jpg")
        self.assertEqual(stored["retcode"], 0)
        self.assertEqual(stored["filename"], "Beaver%20%3C1%3E.jpg")
        self.assertEqual(stored["filesize"], len(JPG))
        path = stored["filepath"]
        self.assertEqual(self.tell([["offpic", path, "a.jpg", 7]]).json["retcode"], 0)
        (event,) = self.events(self.bob)
        kind, picture = event["value"]["content"][1]
        self.assertEqual((kind, picture["success"]), ("offpic", 1))
        self.assertNotEqual(picture["file_path"], path)
        target = (
            f"/channel/get_offpic2?file_path={quote(picture['file_path'], safe='')}"
            f"&f_uin={event['value']['from_uin']}"
        )
        self.assertEqual(self.follow(self.get(self.bob, target)).body, JPG)
        self.assertEqual(self.get(self.carol, target).json["retcode"], 100001)
        mine = f"/channel/get_offpic2?file_path={quote(path)}&f_uin={ALICE}"
        self.assertEqual(self.get(self.bob, mine).json["retcode"], 100001)

    def test_preview(self) -> None:
        """
        The uploader of a photo may download it before it is sent.
        """
        path = self.uploadFile(self.alice)["filepath"]
        target = f"/channel/apply_offline_pic_dl2?f_uin={ALICE}&file_path={path}&t=1"
        result = self.get(self.alice, target).result
        self.assertEqual(result["file_path"], path)
        parts = urlsplit(result["url"])
        shown = self.harness.get(f"{parts.path}?{parts.query}").response
        self.assertEqual((shown.status, shown.body), (200, JPG))
        self.assertEqual(self.get(self.bob, target).json["retcode"], 100001)

    def test_notMine(self) -> None:
        """
        The upload of another account cannot be sent.
        """
        path = self.uploadFile(self.bob)["filepath"]
        _, name = faceOf(self.uploadFace(self.bob))
        for element in (["offpic", path, "a", 1], ["cface", name]):
            self.assertEqual(self.tell([element]).json["retcode"], 100001)

    def test_refusedUploads(self) -> None:
        """
        Uploads with another account's uin, of a file that is no picture, of a file
        that is too large and without a session are refused in the callback.
        """
        codes = [
            self.uploadFile(self.alice, uin=str(BOB))["retcode"],
            self.uploadFile(self.alice, b"MZ")["retcode"],
            self.uploadFile(self.alice, JPG + bytes(1024 * 1024))["retcode"],
            self.uploadFile(self.alice, name="../../x")["retcode"],
        ]
        self.alice.vfwebqq = "0"
        codes.append(self.uploadFile(self.alice)["retcode"])
        self.assertEqual(codes, [100001, -30014, -30003, 100001, 121])


class OfflineFileTests(MediaTestCase):
    def give(
        self, path: str, name: str = "", to: int | None = None, **members: str
    ) -> Response:
        to = self.alice.uin(BOB) if to is None else to
        return self.alice.channel(
            "send_offfile2", to=to, file_path=path, filename=name, to_uin=to, **members
        )

    def test_give(self) -> None:
        """
        A file is uploaded, sent and downloaded by its key, and the sender is
        notified once.
        """
        data = bytes(range(256)) * 1000
        path = self.uploadFile(self.alice, data, "报告 1.txt", "file")["filepath"]
        self.assertEqual(self.give(path, "报告 1.txt").json["retcode"], 0)
        (event,) = self.events(self.bob)
        self.assertEqual(event["poll_type"], "push_offfile")
        value = event["value"]
        self.assertEqual((value["name"], value["size"]), ("报告 1.txt", len(data)))
        self.assertEqual(value["expire_time"] - value["time"], 7 * DAY)
        target = f"/{quote(value['name'])}?ver=2173&rkey={value['rkey']}&range="
        part = self.harness.get(target + "255999").response
        self.assertEqual(part.body, data[255999:])
        for _ in range(2):
            whole = self.harness.get(target + "0").response
            self.assertEqual(whole.body, data)
            self.assertIn("attachment", whole.all("Content-Disposition")[0])
        (answer,) = self.events(self.alice)
        self.assertEqual(answer["poll_type"], "notify_offfile")
        value = answer["value"]
        self.assertEqual(
            (value["action"], value["filename"], value["filesize"]),
            (1, "报告 1.txt", len(data)),
        )

    def test_again(self) -> None:
        """
        A file that is sent again under the client's own id is accepted, and not
        delivered twice; without an id it is.
        """
        path = self.uploadFile(self.alice, name="a.txt", what="file")["filepath"]
        self.assertEqual(self.give("/nothing", send_id="a").json["retcode"], 100001)
        ids = []
        for sendId in ("a", "a", "b", "", ""):
            sent = self.give(path, "a.txt", send_id=sendId).json
            self.assertEqual((sent["retcode"], sent["result"]), (0, "ok"))
            ids.append(sent["msg_id2"])
        self.assertEqual(len(self.events(self.bob)), 4)
        self.assertEqual((ids[0], len(set(ids))), (ids[1], 4))

    def test_namedLikeAPath(self) -> None:
        """
        A file with the name of one of the server's paths can be downloaded.
        """
        path = self.uploadFile(self.alice, b"x", "check", "file")["filepath"]
        self.give(path, "check")
        (event,) = self.events(self.bob)
        target = f"/check?ver=2173&rkey={event['value']['rkey']}&range=0"
        self.assertEqual(self.harness.get(target).response.body, b"x")

    def test_chineseName(self) -> None:
        """
        A file name may be in the Chinese code page, whose second bytes look like
        backslashes.
        """
        name = "許功蓋.txt"
        stored = self.uploadFile(self.alice, b"x", name.encode("gb18030"), "file")
        self.assertEqual(stored["filename"], quote(name))

    def test_refuse(self) -> None:
        """
        The recipient may refuse a file: it is deleted, and the sender is notified.
        """
        path = self.uploadFile(self.alice, b"x", "a.txt", "file")["filepath"]
        self.give(path, "a.txt")
        (event,) = self.events(self.bob)
        query = "file_name=a.txt&file_size=1&action=2&t=1"
        target = f"/channel/notify_offfile2?{query}&to="
        stranger = self.get(self.carol, f"{target}{self.carol.uin(ALICE)}")
        self.assertEqual(stranger.json["retcode"], 100001)
        done = self.get(self.bob, f"{target}{self.bob.uin(ALICE)}")
        self.assertEqual(done.json["retcode"], 0)
        (answer,) = self.events(self.alice)
        self.assertEqual(answer["value"]["action"], 2)
        gone = self.harness.get(f"/a.txt?ver=2173&rkey={event['value']['rkey']}")
        self.assertEqual(gone.response.status, 404)

    def test_notMine(self) -> None:
        """
        Only the account's own uploads can be sent, and only to friends.
        """
        path = self.uploadFile(self.bob, b"x", "a.txt", "file")["filepath"]
        self.assertEqual(self.give(path).json["retcode"], 100001)
        path = self.uploadFile(self.alice, b"x", "a.txt", "file")["filepath"]
        dave = self.alice.uin(DAVE)
        self.assertEqual(self.give(path, to=dave).json["retcode"], 100001)
        self.assertEqual(self.give(path, "../x").json["retcode"], 100001)

    def test_expires(self) -> None:
        """
        After seven days a file is deleted, from the disk as well.
        """
        path = self.uploadFile(self.alice, b"x", "a.txt", "file")["filepath"]
        self.give(path)
        (event,) = self.events(self.bob)
        folder = self.harness.server._blobs.incoming().parent
        self.assertEqual(_files(folder), 1)
        target = f"/a.txt?ver=2173&rkey={event['value']['rkey']}"
        self.harness.clock.advance(7 * DAY - 1)
        self.assertEqual(self.harness.get(target).response.status, 200)
        self.harness.clock.advance(3600)
        self.assertEqual(self.harness.get(target).response.status, 404)
        self.harness.client(ALICE)
        self.harness.clock.pump([60] * 70)
        self.assertEqual(_files(folder), 0)


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))
