"""
Uploads of strangers, and the limits of accounts and addresses.
"""

from __future__ import annotations

from pathlib import Path

from tests.server.forms import BOUNDARY, JPG, MediaTestCase, faceOf, form
from tests.server.harness import ALICE, BOB, HTTPClient, Wire, request
from txwebqq.model import Number
from txwebqq.server.http.uploads import UNCLAIMED
from txwebqq.server.uploadquotas import DAY, FULL, TOO_MANY, FileLimits, UploadQuotas
from txwebqq.wire.command import Refusal

FACE = "/cgi-bin/cface_upload?time=1"
FILE = "/ftn_access/upload_offline_file?time=1"
MEGABYTE = 1024 * 1024


class StrangerTests(MediaTestCase):
    def stored(self) -> list[Path]:
        """
        List the files that the server has on its disk.
        """
        folder = self.harness.server._blobs.incoming().parent
        return [path for path in folder.rglob("*") if path.is_file()]

    def upload(
        self,
        target: str,
        fields: dict[str, str],
        data: bytes,
        address: str = "127.0.0.1",
        **headers: str,
    ) -> Wire:
        """
        Send a form whose file is complete and whose end is not.
        """
        fileField = "custom_face" if target == FACE else "file"
        body = form(fields, fileField, "a.jpg", data)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        whole = request("POST", target, {"Content-Type": kind, **headers}, body)
        return self.harness.send(whole[:-10], address)

    def mine(self, client: HTTPClient) -> dict[str, str]:
        return {"uin": str(client.number), "skey": client.skey}

    def test_anonymous(self) -> None:
        """
        Nothing of a file is stored before the server knows who sends it, also if the
        form has wrong secrets.
        """
        face, file = JPG + bytes(200_000), bytes(MEGABYTE)
        wires = [
            self.upload(FACE, {"vfwebqq": "f" * 80}, face),
            self.upload(FILE, {"uin": str(ALICE), "skey": "@x"}, file),
            self.upload(FILE, {}, file, Cookie=f"uin=o{ALICE}; skey=@x"),
            self.upload(FILE, {"vfwebqq": ""}, file, Cookie="ptwebqq=x"),
            self.upload(FILE, {"uin": str(BOB), "skey": self.alice.skey}, file),
        ]
        self.assertEqual(self.stored(), [])
        for wire in wires:
            wire.close()

    def test_known(self) -> None:
        """
        The file of an account is stored while it arrives, however the account is
        named, and is deleted when the client disconnects.
        """
        query = f"{FILE}&vfwebqq={self.alice.vfwebqq}"
        cookies = f"uin=o{ALICE:010d}; skey={self.alice.skey}"
        data = bytes(MEGABYTE)
        wires = [
            self.upload(query, {}, data),
            self.upload(FILE, {"vfwebqq": self.alice.vfwebqq}, data),
            self.upload(FILE, {}, data, Cookie=f"ptwebqq={self.alice.ptwebqq}"),
            self.upload(FILE, {}, data, Cookie=cookies),
            self.upload(FILE, self.mine(self.alice), data),
        ]
        self.assertEqual(len(self.stored()), len(wires))
        for wire in wires:
            wire.close()
        self.assertEqual(self.stored(), [])

    def test_late(self) -> None:
        """
        A small file may come before the field that says who sends it; of a larger
        file the server says what was wrong.
        """
        small, large = JPG + bytes(1000), JPG + bytes(UNCLAIMED)
        stored = self.uploadFile(self.alice, small, skey="")
        self.assertEqual(stored["retcode"], 0)
        refused = self.uploadFile(self.alice, large, skey="")
        self.assertEqual(refused["retcode"], 100001)
        self.assertIn("before the file", refused["result"])
        self.assertEqual(len(self.stored()), 1)

    def test_refused(self) -> None:
        """
        A file that is refused is not on the disk afterwards: one with a bad name, no
        picture, one that is too large, and one that exists already.
        """
        self.assertEqual(self.uploadFile(self.alice, name="../x")["retcode"], 100001)
        self.assertEqual(self.uploadFile(self.alice, b"MZ")["retcode"], -30014)
        self.assertEqual(faceOf(self.uploadFace(self.alice, b"MZ"))[0], 1)
        large = JPG + bytes(2 * MEGABYTE)
        self.assertEqual(self.uploadFile(self.alice, large)["retcode"], -30003)
        self.assertEqual(self.stored(), [])
        self.assertEqual(faceOf(self.uploadFace(self.alice))[0], 0)
        self.assertEqual(faceOf(self.uploadFace(self.alice))[0], 4)
        self.assertEqual(len(self.stored()), 1)

    def test_announcedTooLarge(self) -> None:
        """
        Nothing is stored of a form that announces more than its file may have.
        """
        target = "/ftn_access/upload_offline_pic?time=1"
        wire = self.upload(target, self.mine(self.alice), JPG + bytes(1_500_000))
        self.assertEqual(self.stored(), [])
        wire.close()

    def test_atOnce(self) -> None:
        """
        An account may send a number of files at the same time, and any other account
        as well.
        """
        count = FileLimits().atOnce
        data = bytes(MEGABYTE)
        wires = [self.upload(FILE, self.mine(self.alice), data) for _ in range(count)]
        self.assertEqual(len(self.stored()), count)
        refused = self.uploadFile(self.alice)
        self.assertEqual(refused["retcode"], TOO_MANY)
        self.assertEqual(self.uploadFile(self.bob)["retcode"], 0)
        wires[0].close()
        self.assertEqual(self.uploadFile(self.alice)["retcode"], 0)
        for wire in wires[1:]:
            wire.close()


class QuotaTests(MediaTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.limits = FileLimits(daily=1000, dailyCount=4, atOnce=2, addressFactor=2)
        self.quotas = UploadQuotas(self.harness.clock.seconds, self.limits)

    def keep(self, owner: int, address: str, size: int) -> Refusal | None:
        """
        Upload a file.
        """
        refusal = self.quotas.admit(Number(owner), address, size)
        if refusal is None:
            self.quotas.ended(Number(owner), address, size, size)
        return refusal

    def test_bytes(self) -> None:
        """
        The bytes of an account are limited within a day, with those that are arriving
        and those of files that were deleted since.
        """
        self.assertIsNone(self.quotas.admit(ALICE, "a", 600))
        refusal = self.quotas.admit(ALICE, "a", 401)
        assert refusal is not None
        self.assertEqual(refusal.retcode, FULL)
        self.quotas.ended(ALICE, "a", 600, None)
        self.assertIsNone(self.keep(ALICE, "a", 600))
        self.assertIsNotNone(self.keep(ALICE, "a", 401))
        self.assertIsNone(self.keep(BOB, "a", 401))
        self.harness.clock.advance(DAY)
        self.assertIsNone(self.keep(ALICE, "a", 401))

    def test_count(self) -> None:
        """
        The number of files of an account within a day is limited.
        """
        for _ in range(4):
            self.assertIsNone(self.keep(ALICE, "a", 1))
        refusal = self.keep(ALICE, "a", 1)
        assert refusal is not None
        self.assertEqual(refusal.retcode, TOO_MANY)

    def test_address(self) -> None:
        """
        All accounts of an address together may store a multiple of what one may.
        """
        self.assertIsNone(self.keep(1, "a", 1000))
        self.assertIsNone(self.keep(2, "a", 999))
        self.assertIsNotNone(self.keep(3, "a", 2))
        self.assertIsNone(self.keep(3, "b", 2))
        for number in range(10, 14):
            self.assertIsNone(self.quotas.admit(Number(number), "c", 1))
        self.assertIsNotNone(self.quotas.admit(Number(14), "c", 1))


class DailyTests(MediaTestCase):
    def test_facesCount(self) -> None:
        """
        Custom faces count as uploads of the day.
        """
        self.uploadFace(self.alice)
        self.uploadFile(self.alice)
        count, size = self.harness.store.media.uploadedSince(ALICE, 0)
        self.assertEqual((count, size > len(JPG)), (2, True))
