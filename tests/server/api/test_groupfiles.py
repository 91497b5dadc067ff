"""
Files of groups, over HTTP.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.server.forms import JPG, MediaTestCase
from tests.server.harness import (
    BOB,
    CATS,
    DAVE,
    START,
    HTTPClient,
    Response,
    ServerHarness,
)
from txwebqq.model import Number
from txwebqq.ratelimit import limitersOf
from txwebqq.server.domain.files import offline
from txwebqq.server.records import GroupRecord
from txwebqq.server.sessions.sendinglimits import SendingLimiter, SendingLimits
from txwebqq.server.storage.store import Store
from txwebqq.server.uploadquotas import DAY, FileLimits

DATA = bytes(range(256)) * 1000

NOT_YOURS, TOO_MANY, GONE, TOO_FAST, ENDED = 100001, -30001, 102, 112, 121


def gidOf(client: HTTPClient, group: Number = CATS) -> int:
    """
    Return the gid of a group in the session of a client.
    """
    session = client.harness.state.sessions.online(client.number)
    assert session is not None
    return session.sessionIds.gid(group)


class GroupFileTestCase(MediaTestCase):
    """
    Alice, who owns the cats, Bob, an administrator, and Dave are members, Carol is
    not.
    """

    def share(
        self,
        client: HTTPClient | None = None,
        data: bytes = DATA,
        name: str = "a.txt",
        **members: Any,
    ) -> Response:
        client = client or self.dave
        path = self.uploadFile(client, data, "a.txt", "file")["filepath"]
        members = {
            "group_uin": gidOf(client),
            "file_path": path,
            "filename": name,
        } | members
        return client.channel("send_group_file2", **members)

    def events(self, client: HTTPClient) -> list[Any]:
        """
        Poll all events that wait for a client, which acknowledges replies: others
        are not told of files in groups.
        """
        found: list[Any] = []
        ack = 0
        while True:
            poll = client.poll(ack)
            if not poll.isAnswered:
                poll.close()
                return found
            reply = poll.response.json
            ack = reply["ack"]
            found += reply["result"]

    def listed(self, client: HTTPClient, gid: int | None = None) -> Response:
        gid = gidOf(client) if gid is None else gid
        return self.get(client, f"/channel/get_group_file_list2?group_uin={gid}")

    def files(self, client: HTTPClient) -> list[Any]:
        found: list[Any] = self.listed(client).result["files"]
        return found

    def fetch(self, client: HTTPClient, key: str, start: int | str = 0) -> Response:
        return self.get(client, f"/channel/get_group_file2?rkey={key}&range={start}")

    def delete(self, client: HTTPClient, key: str, gid: int | None = None) -> int:
        gid = gidOf(client) if gid is None else gid
        reply = client.channel("delete_group_file2", group_uin=gid, rkey=key)
        code: int = reply.json["retcode"]
        return code


class GroupFileTests(GroupFileTestCase):
    def test_share(self) -> None:
        """
        A file is shared with the other members, and each downloads it as often as
        they like, also from the middle; the sender is not told.
        """
        accepted = self.share(name="报告 1.txt").result
        self.assertEqual(self.events(self.dave), [])
        for client in (self.alice, self.bob):
            (event,) = self.events(client)
            self.assertEqual(event["poll_type"], "group_file")
            value = event["value"]
            self.assertEqual((value["name"], value["size"]), ("报告 1.txt", len(DATA)))
            self.assertEqual(value["from_uin"], gidOf(client))
            self.assertEqual(value["info_seq"], CATS)
            self.assertEqual(value["send_uin"], client.uin(DAVE))
            self.assertEqual(value["expire_time"] - value["time"], 7 * DAY)
            for name in ("rkey", "time", "expire_time", "msg_id", "msg_id2"):
                self.assertEqual(value[name], accepted[name])
            for _ in range(2):
                whole = self.fetch(client, value["rkey"])
                self.assertEqual((whole.status, whole.body), (200, DATA))
                self.assertIn("attachment", whole.all("Content-Disposition")[0])
                self.assertEqual(
                    whole.all("Content-Type"), ["application/octet-stream"]
                )
            part = self.fetch(client, value["rkey"], len(DATA) - 1)
            self.assertEqual(part.body, DATA[-1:])
        self.assertEqual(self.fetch(self.dave, accepted["rkey"]).body, DATA)
        self.assertEqual(self.events(self.dave), [])

    def test_again(self) -> None:
        """
        A file that is shared again under the client's own id is answered as before, and
        not shared twice; without an id, or with another one, it is.
        """
        first = self.share(send_id="a").result
        self.assertEqual(self.share(send_id="a").result["rkey"], first["rkey"])
        self.assertEqual(len(self.events(self.bob)), 1)
        for sendId in ("b", "", ""):
            self.assertNotEqual(
                self.share(send_id=sendId).result["rkey"], first["rkey"]
            )
        self.assertEqual(len(self.files(self.bob)), 4)
        self.assertEqual(self.delete(self.dave, self.files(self.bob)[-1]["rkey"]), 0)
        refused = self.share(send_id="a", name="b.txt").json
        self.assertEqual(refused["retcode"], GONE)
        long = self.share(send_id="x" * 65).json
        self.assertNotEqual(long["retcode"], 0)

    def test_oldClients(self) -> None:
        """
        A client that does not acknowledge replies is not told, and other events come
        as ever.
        """
        self.share()
        self.dave.tellCats("see?")
        (event,) = MediaTestCase.events(self, self.bob)
        self.assertEqual(event["poll_type"], "group_message")
        self.assertEqual(MediaTestCase.events(self, self.bob), [])
        self.assertEqual(len(self.files(self.bob)), 1)

    def test_page(self) -> None:
        """
        A shared page is no page of the server: it is a download, also if the name
        and the content say otherwise.
        """
        key = self.share(data=JPG + b"<script>", name="a.html").result["rkey"]
        shown = self.fetch(self.bob, key)
        self.assertEqual(shown.all("Content-Type"), ["application/octet-stream"])
        self.assertIn("attachment", shown.all("Content-Disposition")[0])

    def test_strangers(self) -> None:
        """
        The key is of no use without a session of a member: not to another account,
        not to a member who has left, and not as the key of an offline file.
        """
        key = self.share().result["rkey"]
        self.assertEqual(self.fetch(self.carol, key).json["retcode"], GONE)
        self.assertEqual(self.fetch(self.bob, key[:-1]).json["retcode"], GONE)
        target = f"/channel/get_group_file2?rkey={key}"
        self.assertEqual(self.harness.get(target).response.json["retcode"], ENDED)
        bare = self.harness.get(f"/a.txt?ver=2173&rkey={key}&range=0").response
        self.assertEqual(bare.status, 404)
        self.harness.store.groups.removeMember(CATS, BOB)
        self.assertEqual(self.fetch(self.bob, key).json["retcode"], GONE)
        self.assertEqual(self.listed(self.bob).json["retcode"], NOT_YOURS)
        self.harness.store.groups.addMember(CATS, BOB)
        self.assertEqual(self.fetch(self.bob, key).body, DATA)

    def test_foreignGroup(self) -> None:
        """
        Only members share files in a group, and see and delete its files.
        """
        key = self.share().result["rkey"]
        gid = gidOf(self.carol)
        codes = [
            self.share(self.carol).json["retcode"],
            self.share(self.bob, group_uin=gid + 1).json["retcode"],
            self.listed(self.carol, gid).json["retcode"],
            self.delete(self.carol, key),
            self.delete(self.bob, key, gid + 1),
        ]
        self.assertEqual(codes, [NOT_YOURS] * 5)
        self.assertEqual(len(self.files(self.bob)), 1)

    def test_notMine(self) -> None:
        """
        The upload of another account cannot be shared, nor a path that is none.
        """
        path = self.uploadFile(self.alice, b"x", "a.txt", "file")["filepath"]
        paths: tuple[Any, ...] = (path, "", "/", "../../etc/passwd", 5, None, {})
        for each in paths:
            code = self.share(file_path=each).json["retcode"]
            self.assertIn(code, (NOT_YOURS, 100003))
        self.assertEqual(self.files(self.bob), [])

    def test_names(self) -> None:
        """
        Names that are no file names are refused, and half a surrogate pair is
        replaced.
        """
        for name in ("../x", "a/b", "..", ".", "a\0b", "a\nb", "x" * 256, "微" * 86):
            refused = self.share(data=b"x", name=name).json
            self.assertEqual(refused["retcode"], NOT_YOURS)
            self.assertIn("name", refused["errmsg"])
        self.assertEqual(self.files(self.bob), [])
        for name, kept in (
            ("", "a.txt"),
            ("a\ud800.txt", "a\ufffd.txt"),
            ("\";='%2F<b>", "\";='%2F<b>"),
        ):
            key = self.share(data=b"x", name=name).result["rkey"]
            self.assertEqual(self.files(self.bob)[-1]["name"], kept)
            self.assertEqual(self.fetch(self.bob, key).body, b"x")

    def test_ranges(self) -> None:
        """
        A range outside of the file, or one that is no number, is refused.
        """
        key = self.share(data=b"12345").result["rkey"]
        self.assertEqual(self.fetch(self.bob, key, 5).body, b"")
        for start in (6, -1, 2**63, 10**30, "x", "1.5"):
            refused = self.fetch(self.bob, key, start)
            self.assertEqual(refused.json["retcode"], NOT_YOURS)
            self.assertEqual(refused.all("Content-Disposition"), [])

    def test_numbers(self) -> None:
        """
        A gid that is no number, or too large, is refused.
        """
        gids: tuple[Any, ...] = (0, -1, 2**32, 2**63, "x", None, [], {})
        for gid in gids:
            reply = self.share(data=b"x", group_uin=gid)
            self.assertIn(reply.json["retcode"], (NOT_YOURS, 100003))
        self.assertEqual(self.files(self.bob), [])

    def test_list(self) -> None:
        """
        The list has the files of a group, the oldest first, and a member who joins
        later can fetch them.
        """
        self.share(name="first.txt")
        self.harness.clock.advance(60)
        self.share(self.bob, b"22", "second.txt")
        self.harness.store.groups.addMember(CATS, self.carol.number)
        files = self.files(self.carol)
        self.assertEqual(
            [(each["name"], each["size"], each["send_uin"]) for each in files],
            [
                ("first.txt", len(DATA), self.carol.uin(DAVE)),
                ("second.txt", 2, self.carol.uin(BOB)),
            ],
        )
        self.assertEqual(self.fetch(self.carol, files[1]["rkey"]).body, b"22")

    def test_delete(self) -> None:
        """
        The member who has shared a file and administrators delete it, other members
        do not.
        """
        own, others, alices = (
            self.share(client).result["rkey"]
            for client in (self.dave, self.dave, self.alice)
        )
        self.assertEqual(self.delete(self.dave, alices), NOT_YOURS)
        self.assertEqual(self.delete(self.dave, own), 0)
        self.assertEqual(self.delete(self.dave, own), GONE)
        self.assertEqual(self.delete(self.bob, others), 0)
        self.assertEqual(self.fetch(self.alice, own).json["retcode"], GONE)
        self.assertEqual([each["rkey"] for each in self.files(self.bob)], [alices])

    def test_otherGroup(self) -> None:
        """
        The owner of another group deletes no file of this one.
        """
        key = self.share(self.alice).result["rkey"]
        dogs = GroupRecord(Number(0), "dogs", DAVE)
        number = self.harness.store.groups.create(dogs, [DAVE])
        self.assertEqual(self.delete(self.dave, key, gidOf(self.dave, number)), GONE)
        self.assertEqual(self.fetch(self.bob, key).body, DATA)

    def test_dissolved(self) -> None:
        """
        The files of a group are deleted with it.
        """
        key = self.share().result["rkey"]
        self.harness.store.groups.dissolve(CATS)
        self.assertEqual(self.fetch(self.dave, key).json["retcode"], GONE)
        self.assertIsNone(self.harness.store.media.groupFile(key))

    def test_expires(self) -> None:
        """
        After seven days a file is in no list and cannot be fetched, and is deleted,
        from the disk as well.
        """
        key = self.share().result["rkey"]
        folder = self.harness.server._blobs.incoming().parent
        self.harness.clock.advance(7 * DAY - 1)
        bob = self.harness.client(BOB)
        self.assertEqual(self.fetch(bob, key).body, DATA)
        self.harness.clock.advance(1)
        self.assertEqual(self.files(bob), [])
        self.assertEqual(self.fetch(bob, key).json["retcode"], GONE)
        self.assertEqual(self.delete(bob, key), GONE)
        self.harness.clock.pump([60] * 70)
        self.assertIsNone(self.harness.store.media.groupFile(key))
        self.assertEqual([p for p in folder.rglob("*") if p.is_file()], [])

    def test_blobs(self) -> None:
        """
        The content of a file stays on the disk as long as a group has it, also when
        the upload has expired.
        """
        path = self.uploadFile(self.dave, DATA, "a.txt", "file")["filepath"]
        self.harness.clock.advance(6 * DAY)
        dave = self.harness.client(DAVE)
        gid = gidOf(dave)
        reply = dave.channel("send_group_file2", group_uin=gid, file_path=path)
        self.harness.clock.advance(2 * DAY)
        bob = self.harness.client(BOB)
        self.harness.clock.pump([60] * 70)
        self.assertIsNone(self.harness.store.media.upload(path))
        bob = self.harness.client(BOB)
        self.assertEqual(self.fetch(bob, reply.result["rkey"]).body, DATA)


class LimitTests(GroupFileTestCase):
    def test_counts(self) -> None:
        """
        The files of one member in a group are limited, and those of all; a deleted
        one makes room.
        """
        with (
            patch.object(offline, "MAX_SHARED", 2),
            patch.object(offline, "MAX_GROUP_FILES", 3),
        ):
            keys = [self.share().result["rkey"] for _ in range(2)]
            refused = self.share().json
            self.assertEqual(refused["retcode"], TOO_MANY)
            self.assertIn("2 files of yours", refused["errmsg"])
            self.assertEqual(self.share(self.bob).json["retcode"], 0)
            refused = self.share(self.alice).json
            self.assertEqual(refused["retcode"], TOO_MANY)
            self.assertIn("3 files are in the group", refused["errmsg"])
            self.assertEqual(self.delete(self.alice, keys[0]), 0)
            self.assertEqual(self.share(self.alice).json["retcode"], 0)

    def test_muted(self) -> None:
        """
        A muted member shares no files, and still fetches and deletes them.
        """
        key = self.share(self.dave).result["rkey"]
        self.harness.store.mutes.add(CATS, DAVE, int(START) + 60, int(START))
        refused = self.share(self.dave).json
        self.assertEqual(refused["retcode"], 113)
        self.assertIn("you are muted in the group until", refused["errmsg"])
        self.assertEqual(self.share(self.bob).json["retcode"], 0)
        self.assertEqual(self.fetch(self.dave, key).body, DATA)
        self.assertEqual(self.delete(self.dave, key), 0)
        self.harness.clock.advance(61)
        self.assertEqual(self.share(self.dave).json["retcode"], 0)

    def test_rate(self) -> None:
        """
        Files that are shared count as messages to the group.
        """
        limits = SendingLimits(messages=10, conversation=2)
        clock = self.harness.clock
        self.harness.state.sendingLimiter = SendingLimiter(
            limitersOf(clock.seconds), limits
        )
        codes = [self.share().json["retcode"] for _ in range(3)]
        self.assertEqual(codes, [0, 0, TOO_FAST])
        self.assertEqual(self.dave.tellCats("x").json["retcode"], TOO_FAST)
        self.assertEqual(len(self.files(self.bob)), 2)

    def test_daily(self) -> None:
        """
        The uploads for groups count to those of a day: one beyond them is refused,
        and there is nothing to share.
        """
        quotas = self.harness.server._streamed._uploads.quotas
        quotas.limits = FileLimits(dailyCount=2)
        for _ in range(2):
            self.assertEqual(self.share().json["retcode"], 0)
        refused = self.uploadFile(self.dave, b"x", "a.txt", "file")
        self.assertEqual(refused["retcode"], TOO_MANY)
        self.assertNotIn("filepath", refused)
        self.harness.clock.advance(DAY + 1)
        self.dave = self.harness.client(DAVE)
        self.assertEqual(self.share().json["retcode"], 0)


class SecretTests(GroupFileTestCase):
    def test_key(self) -> None:
        """
        The key has 256 bits, and is in no text about the record.
        """
        key = self.share().result["rkey"]
        self.assertEqual(len(bytes.fromhex(key)), 32)
        record = self.harness.store.media.groupFile(key)
        self.assertNotIn(key, repr(record))


def test_restart(tmp_path: Path) -> None:
    """
    A shared file, and its event for a member who was offline, survive a restart.
    """
    path, files = tmp_path / "world.db", tmp_path / "world.db.files"

    class Case(GroupFileTestCase):
        def runTest(self) -> None:
            pass

    def start(seed: int) -> tuple[Case, Store]:
        case = Case()
        store = Store(path)
        case.harness = ServerHarness(store=store, seed=seed, folder=files)
        return case, store

    case, store = start(1)
    dave = case.harness.client(DAVE)
    key = case.share(dave).result["rkey"]
    case.harness.server.stop()
    store.close()

    case, store = start(2)
    bob = case.harness.client(BOB)
    (event,) = case.events(bob)
    assert event["poll_type"] == "group_file"
    assert event["value"]["rkey"] == key
    assert [each["rkey"] for each in case.files(bob)] == [key]
    assert case.fetch(bob, key).body == DATA
    assert case.events(bob) == []
    case.harness.server.stop()
    store.close()
