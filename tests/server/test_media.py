"""
Pictures, avatars and files, over HTTP.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    START,
    House,
    Response,
    Visitor,
    Wire,
    request,
)
from txwebqq.model import Number
from txwebqq.server.files import DAY
from txwebqq.server.relay import FOLLOW, OFFER

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
JPG = b"\xff\xd8\xff\xe0" + b"picture" * 20
BOUNDARY = "----WebKitFormBoundaryxyz"


def form(
    fields: dict[str, str],
    fileField: str,
    name: str | bytes,
    data: bytes,
    tail: dict[str, str] | None = None,
) -> bytes:
    """
    The body of a form, as browsers write it.
    """
    raw = name if isinstance(name, bytes) else name.encode()
    parts = [_field(*pair) for pair in fields.items()]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{fileField}"; '.encode()
        + b'filename="'
        + raw
        + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
        + data
        + b"\r\n"
    )
    parts += [_field(*pair) for pair in (tail or {}).items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        f"{value}\r\n"
    ).encode()


def upload(house: House, target: str, body: bytes, **headers: str) -> Wire:
    """
    Send a form.
    """
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return house.post(target, body, {"Content-Type": kind, **headers})


def faceOf(response: Response) -> tuple[int, str]:
    """
    What the callback of C{cface_upload} was called with.
    """
    found = re.search(rb"\(\{'ret':(-?\d+),'msg':'(.*?)'\}\)", response.body)
    assert found is not None, response.body
    return int(found[1]), found[2].decode()


def storedOf(response: Response) -> Any:
    """
    The object in an answer of the weboffline host.
    """
    text = response.body.decode()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


class MediaTestCase(SynchronousTestCase):
    """
    Alice is signed on, and so are Bob, her friend, and Dave, who is in the
    cats as they are; Carol is Alice's friend and in no group.
    """

    def setUp(self) -> None:
        self.house = House()
        self.addCleanup(self.house.server.stop)
        self.alice, self.bob, self.carol, self.dave = (
            self.house.visitor(number) for number in (ALICE, BOB, CAROL, DAVE)
        )
        for visitor in (self.alice, self.bob, self.carol, self.dave):
            visitor.catchUp()

    def shelve(self, visitor: Visitor, data: bytes = PNG, **headers: str) -> Response:
        fields = {
            "from": "control",
            "f": "EQQ.Model.ChatMsg.callbackSendPicGroup",
            "vfwebqq": visitor.vfwebqq,
        }
        body = form(fields, "custom_face", "a.png", data, {"fileid": "1"})
        target = "/cgi-bin/cface_upload?time=1"
        return upload(self.house, target, body, **headers).response

    def deposit(
        self,
        visitor: Visitor,
        data: bytes = JPG,
        name: str | bytes = "a.jpg",
        what: str = "pic",
        **fields: str,
    ) -> Any:
        before = {
            "callback": "parent.EQQ.Model.ChatMsg.callbackSendPic",
            "uin": str(visitor.number),
            "skey": "@x",
            "appid": "1002101",
            "peeruin": "593023668",
            **fields,
        }
        tail = {"fileid": "1", "vfwebqq": visitor.vfwebqq, "senderviplevel": "0"}
        body = form(before, "file", name, data, tail)
        target = f"/ftn_access/upload_offline_{what}?time=1"
        return storedOf(upload(self.house, target, body).response)

    def get(
        self, visitor: Visitor, path: str, headers: dict[str, str] | None = None
    ) -> Response:
        target = f"{path}&psessionid={visitor.psessionid}&clientid=1"
        return self.house.get(target, headers).response

    def events(self, visitor: Visitor) -> list[Any]:
        """
        All that waits for somebody.
        """
        found: list[Any] = []
        while True:
            poll = visitor.poll()
            if not poll.isAnswered:
                poll.close()
                return found
            found += poll.response.result

    def follow(self, response: Response) -> Response:
        """
        The answer that a redirect leads to.
        """
        self.assertEqual(response.status, 302, response.body)
        parts = urlsplit(response.all("Location")[0])
        self.assertEqual(parts.netloc, "anything.example")
        return self.house.get(f"{parts.path}?{parts.query}").response


class FaceTests(MediaTestCase):
    def test_upload(self) -> None:
        """
        A picture becomes a custom face that is called by its MD5.
        """
        response = self.shelve(self.alice)
        self.assertEqual(response.all("Content-Type"), ["text/html; charset=utf-8"])
        self.assertIn(b"parent.EQQ.Model.ChatMsg.callbackSendPicGroup({", response.body)
        ret, name = faceOf(response)
        self.assertEqual(ret, 0)
        self.assertRegex(name, r"^[0-9A-F]{32}\.png$")

    def test_twice(self) -> None:
        """
        What is there already is ret 4, with its name first.
        """
        _, name = faceOf(self.shelve(self.alice))
        again = faceOf(self.shelve(self.alice))
        self.assertEqual(again, (4, f"{name} -6102 upload cface failed"))
        self.assertEqual(faceOf(self.shelve(self.bob)), (0, name))

    def test_refused(self) -> None:
        """
        No picture is ret 1, nobody 2, too much 3; none of them is kept.
        """
        self.assertEqual(faceOf(self.shelve(self.alice, b"<svg/>"))[0], 1)
        stranger = Visitor(self.house, Number(1))
        stranger.vfwebqq = "f" * 80
        self.assertEqual(faceOf(self.shelve(stranger))[0], 2)
        big = PNG + bytes(250 * 1024)
        self.assertEqual(faceOf(self.shelve(self.alice, big))[0], 3)
        listed = self.house.get(
            f"/cgi-bin/webqq_app/?cmd=1&vfwebqq={self.alice.vfwebqq}"
        )
        self.assertEqual(listed.response.body, b'var custom_face={"ret":"0",data:[]};')

    def test_cookies(self) -> None:
        """
        The cookie of the login does for the vfwebqq.
        """
        cookie = f"ptwebqq={self.alice.ptwebqq}; skey=@x"
        self.alice.vfwebqq = ""
        self.assertEqual(faceOf(self.shelve(self.alice, PNG, Cookie=cookie))[0], 0)

    def test_callback(self) -> None:
        """
        What a page is told to call is a name, whatever a client says.
        """
        fields = {"f": "alert(1);//", "vfwebqq": self.alice.vfwebqq}
        body = form(fields, "custom_face", "a.png", PNG)
        response = upload(self.house, "/cgi-bin/cface_upload", body).response
        self.assertNotIn(b"alert", response.body)

    def test_library(self) -> None:
        """
        Custom faces can be listed, seen and deleted, each by its owner only.
        """
        _, name = faceOf(self.shelve(self.alice))
        base = "/cgi-bin/webqq_app/?vfwebqq="
        mine, theirs = base + self.alice.vfwebqq, base + self.bob.vfwebqq
        listed = self.house.get(f"{mine}&cmd=1").response
        row = json.dumps([name, int(START), len(PNG)], separators=(",", ":"))
        self.assertEqual(
            listed.body.decode(), f'var custom_face={{"ret":"0",data:[{row}]}};'
        )
        shown = self.house.get(f"{mine}&cmd=2&bd={name}").response
        self.assertEqual(shown.body, PNG)
        self.assertEqual(shown.all("Content-Type"), ["image/png"])
        denied = self.house.get(f"{theirs}&cmd=2&bd={name}").response
        self.assertEqual(denied.json["retcode"], 100001)
        self.assertIn(
            b'"ret":"1"', self.house.get(f"{theirs}&cmd=12&bd={name}").response.body
        )
        self.assertIn(
            b'"ret":"0"', self.house.get(f"{mine}&cmd=12&bd={name}").response.body
        )
        self.assertEqual(
            self.house.get(f"{mine}&cmd=2&bd={name}").response.json["retcode"], 100001
        )


class GroupPictureTests(MediaTestCase):
    def signature(self, visitor: Visitor) -> dict[str, str]:
        result = self.get(visitor, "/channel/get_gface_sig2?t=1").result
        self.assertEqual(len(result["gface_key"]), 16)
        return {"key": result["gface_key"], "sig": result["gface_sig"]}

    def send(self, name: str, **more: Any) -> Response:
        members: dict[str, Any] = {
            "group_uin": self.alice.gid,
            "content": json.dumps(
                ["see: ", ["cface", "group", name], "", ["font", {}]]
            ),
            "msg_id": 1,
            **more,
        }
        return self.alice.channel("send_qun_msg2", **members)

    def code(self, visitor: Visitor) -> int:
        session = self.house.world.sessions.of(visitor.number)
        assert session is not None
        return session.aliases.code(CATS)

    def test_send(self) -> None:
        """
        A picture that was sent to a group reaches its members, and nobody
        else may fetch it.
        """
        _, name = faceOf(self.shelve(self.alice))
        sent = self.send(
            name, group_code=self.code(self.alice), **self.signature(self.alice)
        )
        self.assertEqual(sent.json, {"retcode": 0, "result": "ok"})
        for visitor in (self.bob, self.dave):
            (event,) = self.events(visitor)
            text, (kind, picture), _ = event["value"]["content"][1:]
            self.assertEqual((text, kind), ("see: ", "cface"))
            self.assertEqual(set(picture), {"name", "file_id", "key", "server"})
            target = (
                f"/cgi-bin/get_group_pic?type=0&gid={event['value']['group_code']}"
                f"&uin={event['value']['send_uin']}&rip=1.2.3.4&rport=80"
                f"&fid={picture['file_id']}&pic={quote(picture['name'])}&t=1"
            )
            fetched = self.follow(
                self.house.get(f"{target}&vfwebqq={visitor.vfwebqq}").response
            )
            self.assertEqual(fetched.body, PNG)
            self.assertEqual(fetched.all("Content-Type"), ["image/png"])
        denied = self.house.get(f"{target}&vfwebqq={self.carol.vfwebqq}").response
        self.assertEqual(denied.json["retcode"], 100001)
        own = self.house.get(f"{target}&vfwebqq={self.alice.vfwebqq}").response
        self.assertEqual(self.follow(own).body, PNG)

    def test_unsigned(self) -> None:
        """
        Key and sig have to be one's own and not too old; the picture has to be
        one's own, too.
        """
        _, name = faceOf(self.shelve(self.alice))
        mine, theirs = self.signature(self.alice), self.signature(self.bob)
        for wrong in ({}, theirs, mine | {"sig": "é" * 72}, mine | {"key": "x"}):
            self.assertEqual(self.send(name, **wrong).json["retcode"], 100001)
        self.assertEqual(self.send("0" * 32 + ".png", **mine).json["retcode"], 100001)
        self.assertEqual(self.send(name, group_code=5, **mine).json["retcode"], 100001)
        many = json.dumps([["cface", "group", name]] * 11)
        self.assertEqual(self.send(name, content=many, **mine).json["retcode"], 123)
        self.assertEqual(self.events(self.bob), [])
        self.assertEqual(self.send(name, **mine).json["retcode"], 0)

    def test_old(self) -> None:
        """
        A signature is good for five days.
        """
        _, name = faceOf(self.shelve(self.alice))
        signature = self.signature(self.alice)
        self.house.world.sessions._idle.clear()
        self.house.clock.advance(5 * DAY)
        self.assertEqual(self.send(name, **signature).json["retcode"], 100001)

    def test_offline(self) -> None:
        """
        A picture waits with its message for whoever is away.
        """
        self.get(self.dave, "/channel/logout2?ids=")
        _, name = faceOf(self.shelve(self.alice))
        self.send(name, **self.signature(self.alice))
        dave = self.house.visitor(DAVE)
        dave.catchUp()
        (event,) = self.events(dave)
        picture = event["value"]["content"][2][1]
        target = (
            f"/cgi-bin/get_group_pic?type=0&gid=1&uin=1&fid={picture['file_id']}"
            f"&pic={quote(picture['name'])}&vfwebqq={dave.vfwebqq}"
        )
        self.assertEqual(self.follow(self.house.get(target).response).body, PNG)


class BuddyPictureTests(MediaTestCase):
    def tell(self, content: list[Any]) -> Response:
        return self.alice.channel(
            "send_buddy_msg2",
            to=self.alice.uin(BOB),
            content=json.dumps([*content, "", ["font", {}]]),
            msg_id=1,
        )

    def test_photo(self) -> None:
        """
        A photo is uploaded, sent, and fetched by the friend alone, under
        another path.
        """
        stored = self.deposit(self.alice, name="Beaver <1>.jpg")
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
        Whoever uploaded a photo may see it before it is sent.
        """
        path = self.deposit(self.alice)["filepath"]
        target = f"/channel/apply_offline_pic_dl2?f_uin={ALICE}&file_path={path}&t=1"
        result = self.get(self.alice, target).result
        self.assertEqual(result["file_path"], path)
        parts = urlsplit(result["url"])
        shown = self.house.get(f"{parts.path}?{parts.query}").response
        self.assertEqual((shown.status, shown.body), (200, JPG))
        self.assertEqual(self.get(self.bob, target).json["retcode"], 100001)

    def test_face(self) -> None:
        """
        A custom face goes to a friend, who may fetch it, by either name.
        """
        _, name = faceOf(self.shelve(self.alice))
        self.assertEqual(self.tell([["cface", name]]).json["retcode"], 0)
        (event,) = self.events(self.bob)
        self.assertEqual(event["value"]["content"][1], ["cface", name, ""])
        lcid, sender = event["value"]["msg_id"], event["value"]["from_uin"]
        digits, _, ending = name.partition(".")
        guid = "-".join(re.findall("^.{8}|.{4}(?=.{12})|.{12}$", digits))
        for target in (
            f"/channel/get_cface2?lcid={lcid}&guid={name}&to={sender}&count=5&time=1",
            f"/channel/get_image2?lcid={lcid}&guid=%7B{guid}%7D0.{ending}&to={sender}",
        ):
            response = self.get(self.bob, target)
            self.assertEqual(response.body, PNG)
            self.assertEqual(response.all("Content-Type"), ["image/png"])
        uin = self.carol.uin(ALICE)
        denied = f"/channel/get_cface2?lcid={lcid}&guid={name}&to={uin}"
        self.assertEqual(self.get(self.carol, denied).json["retcode"], 100001)

    def test_notMine(self) -> None:
        """
        What somebody else uploaded cannot be sent.
        """
        path = self.deposit(self.bob)["filepath"]
        _, name = faceOf(self.shelve(self.bob))
        for element in (["offpic", path, "a", 1], ["cface", name]):
            self.assertEqual(self.tell([element]).json["retcode"], 100001)

    def test_refusedUploads(self) -> None:
        """
        Somebody else's uin, a file that is no picture, one that is too large,
        and nobody: each is refused in the callback.
        """
        codes = [
            self.deposit(self.alice, uin=str(BOB))["retcode"],
            self.deposit(self.alice, b"MZ")["retcode"],
            self.deposit(self.alice, JPG + bytes(1024 * 1024))["retcode"],
            self.deposit(self.alice, name="../../x")["retcode"],
        ]
        self.alice.vfwebqq = "0"
        codes.append(self.deposit(self.alice)["retcode"])
        self.assertEqual(codes, [100001, -30014, -30003, 100001, 121])


class AvatarTests(MediaTestCase):
    def face(
        self, visitor: Visitor, whose: int, kind: int = 1, tag: str = ""
    ) -> Response:
        target = (
            f"/cgi/svr/face/getface?cache=0&type={kind}&fid=0&uin={whose}"
            f"&vfwebqq={visitor.vfwebqq}&t=1"
        )
        return self.house.get(target, {"If-None-Match": tag}).response

    def test_usual(self) -> None:
        """
        Whoever has set no avatar has one that is theirs all the same.
        """
        own = self.face(self.alice, ALICE)
        self.assertEqual(own.all("Content-Type"), ["image/png"])
        self.assertTrue(own.body.startswith(b"\x89PNG"))
        self.assertEqual(self.face(self.bob, self.bob.uin(ALICE)).body, own.body)
        self.assertNotEqual(self.face(self.alice, self.alice.uin(BOB)).body, own.body)

    def test_cache(self) -> None:
        """
        Asked with the tag it has, an avatar is answered 304.
        """
        (tag,) = self.face(self.alice, ALICE).all("ETag")
        again = self.face(self.alice, ALICE, tag=tag)
        self.assertEqual((again.status, again.body), (304, b""))

    def test_set(self) -> None:
        """
        A custom face becomes an avatar, for everybody, and can be taken off.
        """
        usual = self.face(self.alice, ALICE).body
        _, name = faceOf(self.shelve(self.alice, JPG))
        self.assertEqual(self.modify(self.bob, custom_face=name), 100001)
        self.assertEqual(self.modify(self.alice, custom_face=name), 0)
        seen = self.face(self.bob, self.bob.uin(ALICE))
        self.assertEqual(seen.body, JPG)
        self.assertEqual(seen.all("Content-Type"), ["image/jpeg"])
        self.assertEqual(self.modify(self.alice, custom_face=""), 0)
        self.assertEqual(self.face(self.bob, self.bob.uin(ALICE)).body, usual)

    def modify(self, visitor: Visitor, **members: Any) -> int:
        wire = visitor.ask("/api/modify_my_head", vfwebqq=visitor.vfwebqq, **members)
        code: int = wire.response.json["retcode"]
        return code

    def test_group(self) -> None:
        """
        The owner and administrators decide what a group looks like.
        """
        codes = {}
        for visitor in (self.alice, self.bob, self.dave):
            session = self.house.world.sessions.of(visitor.number)
            assert session is not None
            codes[visitor] = session.aliases.code(CATS)
        _, name = faceOf(self.shelve(self.dave, JPG))
        code = codes[self.dave]
        self.assertEqual(self.modify(self.dave, custom_face=name, gcode=code), 100001)
        _, name = faceOf(self.shelve(self.bob, JPG))
        code = codes[self.bob]
        self.assertEqual(self.modify(self.bob, custom_face=name, gcode=code), 0)
        self.assertEqual(self.face(self.alice, codes[self.alice], 4).body, JPG)

    def test_nobody(self) -> None:
        """
        Nobody has no avatar, and nobody is shown one.
        """
        self.assertEqual(self.face(self.alice, 0).json["retcode"], 100001)
        self.alice.vfwebqq = "0"
        self.assertEqual(self.face(self.alice, ALICE).json["retcode"], 121)


class OfflineFileTests(MediaTestCase):
    def give(self, path: str, name: str = "", to: int | None = None) -> Response:
        to = self.alice.uin(BOB) if to is None else to
        return self.alice.channel(
            "send_offfile2", to=to, file_path=path, filename=name, to_uin=to
        )

    def test_give(self) -> None:
        """
        A file is uploaded, given, fetched by its key, and its sender is told
        once.
        """
        data = bytes(range(256)) * 1000
        path = self.deposit(self.alice, data, "报告 1.txt", "file")["filepath"]
        self.assertEqual(self.give(path, "报告 1.txt").json["retcode"], 0)
        (event,) = self.events(self.bob)
        self.assertEqual(event["poll_type"], "push_offfile")
        value = event["value"]
        self.assertEqual((value["name"], value["size"]), ("报告 1.txt", len(data)))
        self.assertEqual(value["expire_time"] - value["time"], 7 * DAY)
        target = f"/{quote(value['name'])}?ver=2173&rkey={value['rkey']}&range="
        part = self.house.get(target + "255999").response
        self.assertEqual(part.body, data[255999:])
        for _ in range(2):
            whole = self.house.get(target + "0").response
            self.assertEqual(whole.body, data)
            self.assertIn("attachment", whole.all("Content-Disposition")[0])
        (answer,) = self.events(self.alice)
        self.assertEqual(answer["poll_type"], "notify_offfile")
        value = answer["value"]
        self.assertEqual(
            (value["action"], value["filename"], value["filesize"]),
            (1, "报告 1.txt", len(data)),
        )

    def test_namedLikeAPath(self) -> None:
        """
        A file that is called like one of our paths is fetched all the same.
        """
        path = self.deposit(self.alice, b"x", "check", "file")["filepath"]
        self.give(path, "check")
        (event,) = self.events(self.bob)
        target = f"/check?ver=2173&rkey={event['value']['rkey']}&range=0"
        self.assertEqual(self.house.get(target).response.body, b"x")

    def test_chineseName(self) -> None:
        """
        The name of a file may come in the Chinese code page, whose second
        bytes look like backslashes.
        """
        name = "許功蓋.txt"
        stored = self.deposit(self.alice, b"x", name.encode("gb18030"), "file")
        self.assertEqual(stored["filename"], quote(name))

    def test_refuse(self) -> None:
        """
        Whoever gets a file may refuse it: it is gone, and its sender told.
        """
        path = self.deposit(self.alice, b"x", "a.txt", "file")["filepath"]
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
        gone = self.house.get(f"/a.txt?ver=2173&rkey={event['value']['rkey']}")
        self.assertEqual(gone.response.status, 404)

    def test_notMine(self) -> None:
        """
        Only one's own files are given, and only to friends.
        """
        path = self.deposit(self.bob, b"x", "a.txt", "file")["filepath"]
        self.assertEqual(self.give(path).json["retcode"], 100001)
        path = self.deposit(self.alice, b"x", "a.txt", "file")["filepath"]
        dave = self.alice.uin(DAVE)
        self.assertEqual(self.give(path, to=dave).json["retcode"], 100001)
        self.assertEqual(self.give(path, "../x").json["retcode"], 100001)

    def test_expires(self) -> None:
        """
        After seven days a file is gone, from the disk as well.
        """
        path = self.deposit(self.alice, b"x", "a.txt", "file")["filepath"]
        self.give(path)
        (event,) = self.events(self.bob)
        folder = self.house.server._media._blobs.incoming().parent
        self.assertEqual(_files(folder), 1)
        target = f"/a.txt?ver=2173&rkey={event['value']['rkey']}"
        self.house.clock.advance(7 * DAY - 1)
        self.assertEqual(self.house.get(target).response.status, 200)
        self.house.clock.advance(3600)
        self.assertEqual(self.house.get(target).response.status, 404)
        self.house.visitor(ALICE)
        self.house.clock.pump([60] * 70)
        self.assertEqual(_files(folder), 0)


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


class TransferTests(MediaTestCase):
    """
    Alice sends Bob a file while he is online.
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
        return self.house.send(sent if whole else sent[:-200_000])

    def accept(self, session: int) -> Wire:
        target = (
            f"/channel/get_file2?lcid={session}&guid=t.txt&to={self.bob.uin(ALICE)}"
        )
        response = self.get(self.bob, target)
        self.assertEqual(response.status, 302, response.body)
        parts = urlsplit(response.all("Location")[0])
        return self.house.get(f"{parts.path}?{parts.query}")

    def offered(self) -> Any:
        (event,) = self.events(self.bob)
        self.assertEqual(event["poll_type"], "file_message")
        return event["value"]

    def steps(self, visitor: Visitor) -> list[tuple[str, int]]:
        """
        What somebody was told of a transfer.
        """
        return [
            (e["value"]["mode"], e["value"].get("cancel_type", 0))
            if e["poll_type"] == "file_message"
            else ("progress", e["value"]["file_infos"][0]["file_status"])
            for e in self.events(visitor)
        ]

    def test_offer(self) -> None:
        """
        An offer tells the name, and a session with the sender's id in it.
        """
        self.offer()
        value = self.offered()
        self.assertEqual((value["mode"], value["name"]), ("recv", "t.txt"))
        self.assertEqual(value["type"], 101)
        self.assertEqual(value["from_uin"], self.bob.uin(ALICE))
        self.assertEqual(value["session_id"] % 4096, 77)

    def test_transfer(self) -> None:
        """
        What is uploaded is what is downloaded, and both are told of it.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        self.assertFalse(upload.isAnswered)
        download = self.accept(session)
        self.assertEqual(_unchunked(download.response.body), self.data)
        self.assertEqual(upload.response.json, {"retcode": 0, "result": "ok"})
        self.assertEqual(
            self.steps(self.alice), [("send_ack", 0), ("progress", 10), ("progress", 0)]
        )
        self.assertEqual(self.steps(self.bob), [("progress", 10), ("progress", 0)])

    def test_backPressure(self) -> None:
        """
        Nothing is read from the sender before somebody wants it, nor while the
        receiver cannot take more.
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

    def test_refuse(self) -> None:
        """
        A refused file ends the upload, and its sender is told why.
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
        A sender takes an offer back by the id of their own.
        """
        upload = self.offer()
        self.offered()
        target = f"/channel/refuse_file2?lcid=77&to={self.alice.uin(BOB)}&t=1"
        self.assertEqual(self.get(self.alice, target).json["retcode"], 0)
        self.assertEqual(upload.response.json["retcode"], 102)
        self.assertEqual(self.steps(self.bob), [("refuse", 1), ("progress", 50)])

    def test_senderGone(self) -> None:
        """
        When the sender's connection is lost, the receiver's is closed before
        the end of the file, and the receiver is told.
        """
        upload = self.offer(whole=False)
        download = self.accept(self.offered()["session_id"])
        upload.close()
        self.assertTrue(download.transport.disconnecting)
        self.assertFalse(download.raw.endswith(b"0\r\n\r\n"))
        self.assertIn(("refuse", 1), self.steps(self.bob))

    def test_receiverGone(self) -> None:
        """
        When the receiver's connection is lost, the sender is told, and
        answered once the upload is over.
        """
        upload = self.offer(whole=False)
        download = self.accept(self.offered()["session_id"])
        download.close()
        self.assertIn(("refuse", 1), self.steps(self.alice))
        upload.send(self.rest)
        self.assertEqual(upload.response.json["retcode"], 102)

    def test_tooLate(self) -> None:
        """
        Nobody wants it in time: both are told, and get_file2 says 102.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        self.house.clock.advance(OFFER - 1)
        # Who does not poll for so long is away.
        self.assertEqual(self.steps(self.alice) + self.steps(self.bob), [])
        self.house.clock.advance(1)
        self.assertEqual(upload.response.json["retcode"], 102)
        for visitor in (self.alice, self.bob):
            self.assertIn(("refuse", 3), self.steps(visitor))
        target = f"/channel/get_file2?lcid={session}&guid=t&to={self.bob.uin(ALICE)}"
        self.assertEqual(self.get(self.bob, target).json["retcode"], 102)

    def test_acceptedAndForgotten(self) -> None:
        """
        Whoever accepts has to come for the file.
        """
        upload = self.offer()
        session = self.offered()["session_id"]
        target = f"/channel/get_file2?lcid={session}&guid=t&to={self.bob.uin(ALICE)}"
        self.assertEqual(self.get(self.bob, target).status, 302)
        self.house.clock.advance(FOLLOW)
        self.assertEqual(upload.response.json["retcode"], 102)

    def test_strangers(self) -> None:
        """
        Nobody else may accept a file, or fetch it.
        """
        self.offer()
        session = self.offered()["session_id"]
        uin = self.carol.uin(ALICE)
        target = f"/channel/get_file2?lcid={session}&guid=t&to={uin}"
        self.assertEqual(self.get(self.carol, target).json["retcode"], 102)
        own = f"/channel/get_file2?lcid={session}&guid=t&to={ALICE}"
        self.assertEqual(self.get(self.alice, own).json["retcode"], 102)
        for visitor in (self.carol, self.alice, self.bob):
            direct = f"/v2/{visitor.number}/1/{session}/0/0/0/0/1/f/1/t.txt?x=1"
            self.assertEqual(self.get(visitor, direct).json["retcode"], 102)

    def test_offline(self) -> None:
        """
        Nothing is offered to friends who are away, or to others.
        """
        self.get(self.bob, "/channel/logout2?ids=")
        self.assertEqual(self.offer().response.json["retcode"], 102)
        other = self.alice.uin(DAVE)
        target = f"/v2/{ALICE}/{other}/77/0/0/1/f/1/0/0?psessionid="
        body = form({}, "file", "t", b"x")
        refused = upload(self.house, target + self.alice.psessionid, body).response
        self.assertEqual(refused.json["retcode"], 100001)
        refused = upload(self.house, target + "0", body).response
        self.assertEqual(refused.json["retcode"], 121)

    def test_stop(self) -> None:
        """
        A server that stops leaves no transfer on the clock.
        """
        upload = self.offer()
        self.house.server.stop()
        self.assertEqual(upload.response.json["retcode"], 102)
        self.house.hangUpAll()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])


class FormTests(MediaTestCase):
    def test_broken(self) -> None:
        """
        A form that cannot be read is refused in the way of its exchange.
        """
        target = "/cgi-bin/cface_upload"
        fields = {"vfwebqq": self.alice.vfwebqq}
        whole = form(fields, "custom_face", "a.png", PNG)
        for body in (b"", b"nonsense", whole[:-10], whole[:60]):
            self.assertEqual(faceOf(upload(self.house, target, body).response)[0], 2)
        other = self.house.post(target, whole, {"Content-Type": "text/plain"})
        self.assertEqual(faceOf(other.response)[0], 2)
        missing = form(fields, "file", "a.png", PNG)
        self.assertEqual(faceOf(upload(self.house, target, missing).response)[0], 2)
        folder = self.house.server._media._blobs.incoming()
        self.assertEqual(list(folder.iterdir()), [])

    def test_pieces(self) -> None:
        """
        A form may come byte by byte.
        """
        body = form({"vfwebqq": self.alice.vfwebqq}, "custom_face", "a.png", PNG)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        whole = request("POST", "/cgi-bin/cface_upload", {"Content-Type": kind}, body)
        wire = self.house.send(whole[:1])
        for index in range(1, len(whole)):
            wire.send(whole[index : index + 1])
        self.assertEqual(faceOf(wire.response)[0], 0)

    def test_announced(self) -> None:
        """
        What is announced to be far too large is refused before it comes.
        """
        head = (
            b"POST /cgi-bin/cface_upload HTTP/1.1\r\nHost: h\r\n"
            b"Content-Length: 900000000\r\n\r\n"
        )
        self.assertEqual(self.house.send(head).response.status, 413)

    def test_abandoned(self) -> None:
        """
        Half an upload leaves nothing behind.
        """
        body = form({"vfwebqq": self.alice.vfwebqq}, "custom_face", "a", PNG)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        whole = request("POST", "/cgi-bin/cface_upload", {"Content-Type": kind}, body)
        wire = self.house.send(whole[:-100])
        folder = self.house.server._media._blobs.incoming()
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
