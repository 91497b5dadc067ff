"""
Custom faces, pictures of messages, and avatars, over HTTP.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from tests.server.forms import JPG, PNG, MediaTestCase, faceOf, form, upload
from tests.server.harness import ALICE, BOB, CATS, DAVE, START, HTTPClient, Response
from txwebqq.model import Number
from txwebqq.server.http.downloads import LINK_LIFE
from txwebqq.server.uploadquotas import DAY


class FaceTests(MediaTestCase):
    def test_upload(self) -> None:
        """
        An uploaded picture becomes a custom face that is named by its MD5.
        """
        response = self.uploadFace(self.alice)
        self.assertEqual(response.all("Content-Type"), ["text/html; charset=utf-8"])
        self.assertIn(b"parent.EQQ.Model.ChatMsg.callbackSendPicGroup({", response.body)
        ret, name = faceOf(response)
        self.assertEqual(ret, 0)
        self.assertRegex(name, r"^[0-9A-F]{32}\.png$")

    def test_twice(self) -> None:
        """
        A picture that is a custom face already is ret 4, with its name first.
        """
        _, name = faceOf(self.uploadFace(self.alice))
        again = faceOf(self.uploadFace(self.alice))
        self.assertEqual(again, (4, f"{name} -6102 upload cface failed"))
        self.assertEqual(faceOf(self.uploadFace(self.bob)), (0, name))

    def test_refused(self) -> None:
        """
        A file that is no picture is ret 1, a request without a session 2, a file
        that is too large 3; none of them is kept.
        """
        self.assertEqual(faceOf(self.uploadFace(self.alice, b"<svg/>"))[0], 1)
        stranger = HTTPClient(self.harness, Number(1))
        stranger.vfwebqq = "f" * 80
        self.assertEqual(faceOf(self.uploadFace(stranger))[0], 2)
        big = PNG + bytes(250 * 1024)
        self.assertEqual(faceOf(self.uploadFace(self.alice, big))[0], 3)
        listed = self.harness.get(
            f"/cgi-bin/webqq_app/?cmd=1&vfwebqq={self.alice.vfwebqq}"
        )
        self.assertEqual(listed.response.body, b'var custom_face={"ret":"0",data:[]};')

    def test_cookies(self) -> None:
        """
        The cookie of the login is accepted in place of the vfwebqq.
        """
        cookie = f"ptwebqq={self.alice.ptwebqq}; skey=@x"
        self.alice.vfwebqq = ""
        self.assertEqual(faceOf(self.uploadFace(self.alice, PNG, Cookie=cookie))[0], 0)

    def test_callback(self) -> None:
        """
        The callback in the page is a function name for every text of a client.
        """
        fields = {"f": "alert(1);//", "vfwebqq": self.alice.vfwebqq}
        body = form(fields, "custom_face", "a.png", PNG)
        response = upload(self.harness, "/cgi-bin/cface_upload", body).response
        self.assertNotIn(b"alert", response.body)

    def test_library(self) -> None:
        """
        Custom faces can be listed, read and deleted by their owner only.
        """
        _, name = faceOf(self.uploadFace(self.alice))
        base = "/cgi-bin/webqq_app/?vfwebqq="
        mine, theirs = base + self.alice.vfwebqq, base + self.bob.vfwebqq
        listed = self.harness.get(f"{mine}&cmd=1").response
        row = json.dumps([name, int(START), len(PNG)], separators=(",", ":"))
        self.assertEqual(
            listed.body.decode(), f'var custom_face={{"ret":"0",data:[{row}]}};'
        )
        shown = self.harness.get(f"{mine}&cmd=2&bd={name}").response
        self.assertEqual(shown.body, PNG)
        self.assertEqual(shown.all("Content-Type"), ["image/png"])
        denied = self.harness.get(f"{theirs}&cmd=2&bd={name}").response
        self.assertEqual(denied.json["retcode"], 100001)
        self.assertIn(
            b'"ret":"1"', self.harness.get(f"{theirs}&cmd=12&bd={name}").response.body
        )
        self.assertIn(
            b'"ret":"0"', self.harness.get(f"{mine}&cmd=12&bd={name}").response.body
        )
        self.assertEqual(
            self.harness.get(f"{mine}&cmd=2&bd={name}").response.json["retcode"], 100001
        )

    def test_face(self) -> None:
        """
        A custom face in a message can be downloaded by the friend, by either name.
        """
        _, name = faceOf(self.uploadFace(self.alice))
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


class GroupPictureTests(MediaTestCase):
    def signature(self, client: HTTPClient) -> dict[str, str]:
        result = self.get(client, "/channel/get_gface_sig2?t=1").result
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

    def code(self, client: HTTPClient) -> int:
        session = self.harness.state.sessions.online(client.number)
        assert session is not None
        return session.sessionIds.code(CATS)

    def test_send(self) -> None:
        """
        A picture in a group message can be downloaded by the members, and by no
        other account.
        """
        _, name = faceOf(self.uploadFace(self.alice))
        sent = self.send(
            name, group_code=self.code(self.alice), **self.signature(self.alice)
        )
        self.assertEqual((sent.json["retcode"], sent.json["result"]), (0, "ok"))
        for client in (self.bob, self.dave):
            (event,) = self.events(client)
            text, (kind, picture), _ = event["value"]["content"][1:]
            self.assertEqual((text, kind), ("see: ", "cface"))
            self.assertEqual(set(picture), {"name", "file_id", "key", "server"})
            target = (
                f"/cgi-bin/get_group_pic?type=0&gid={event['value']['group_code']}"
                f"&uin={event['value']['send_uin']}&rip=1.2.3.4&rport=80"
                f"&fid={picture['file_id']}&pic={quote(picture['name'])}&t=1"
            )
            fetched = self.follow(
                self.harness.get(f"{target}&vfwebqq={client.vfwebqq}").response
            )
            self.assertEqual(fetched.body, PNG)
            self.assertEqual(fetched.all("Content-Type"), ["image/png"])
        denied = self.harness.get(f"{target}&vfwebqq={self.carol.vfwebqq}").response
        self.assertEqual(denied.json["retcode"], 100001)
        own = self.harness.get(f"{target}&vfwebqq={self.alice.vfwebqq}").response
        self.assertEqual(self.follow(own).body, PNG)

    def test_link(self) -> None:
        """
        A link to a picture leads to no other picture, is good for ten minutes, and
        ends with its session.
        """
        _, name = faceOf(self.uploadFace(self.alice))
        self.uploadFace(self.alice, other := PNG + b"2")
        self.send(name, **self.signature(self.alice))
        (event,) = self.events(self.bob)
        picture = quote(event["value"]["content"][2][1]["name"])

        def link() -> str:
            query = f"type=0&gid=1&uin=1&rip=1.2.3.4&rport=80&fid=1&pic={picture}&t=1"
            target = f"/cgi-bin/get_group_pic?{query}&vfwebqq={self.bob.vfwebqq}"
            found = self.harness.get(target).response
            return found.all("Location")[0].removeprefix("http://anything.example")

        path = link()
        self.assertEqual(self.harness.get(path).response.body, PNG)
        digest, another = (sha256(each).hexdigest() for each in (PNG, other))
        for forged in (
            path.replace(digest, another),
            path.replace(f"{BOB:x}-", f"{ALICE:x}-"),
        ):
            self.assertNotEqual(forged, path)
            self.assertEqual(self.harness.get(forged).response.status, 404)
        self.bob.join(self.bob.psessionid)
        self.assertEqual(self.harness.get(path).response.body, PNG)
        self.harness.clock.advance(LINK_LIFE)
        self.assertEqual(self.harness.get(path).response.status, 404)
        self.bob.join(self.bob.psessionid)
        path = link()
        self.get(self.bob, "/channel/logout2?ids=")
        self.assertEqual(self.harness.get(path).response.status, 404)

    def test_unsigned(self) -> None:
        """
        A picture needs the sender's own valid signature, and must be the sender's
        own.
        """
        _, name = faceOf(self.uploadFace(self.alice))
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
        A signature is valid for five days.
        """
        _, name = faceOf(self.uploadFace(self.alice))
        signature = self.signature(self.alice)
        self.harness.state.sessions._idle.clear()
        self.harness.clock.advance(5 * DAY)
        self.assertEqual(self.send(name, **signature).json["retcode"], 100001)

    def test_offline(self) -> None:
        """
        A picture in a message can be downloaded by a recipient who was offline.
        """
        self.get(self.dave, "/channel/logout2?ids=")
        _, name = faceOf(self.uploadFace(self.alice))
        self.send(name, **self.signature(self.alice))
        dave = self.harness.client(DAVE)
        dave.catchUp()
        (event,) = self.events(dave)
        picture = event["value"]["content"][2][1]
        target = (
            f"/cgi-bin/get_group_pic?type=0&gid=1&uin=1&fid={picture['file_id']}"
            f"&pic={quote(picture['name'])}&vfwebqq={dave.vfwebqq}"
        )
        self.assertEqual(self.follow(self.harness.get(target).response).body, PNG)


class AvatarTests(MediaTestCase):
    def face(
        self, client: HTTPClient, whose: int, kind: int = 1, tag: str = ""
    ) -> Response:
        target = (
            f"/cgi/svr/face/getface?cache=0&type={kind}&fid=0&uin={whose}"
            f"&vfwebqq={client.vfwebqq}&t=1"
        )
        return self.harness.get(target, {"If-None-Match": tag}).response

    def test_usual(self) -> None:
        """
        An account that has set no avatar has an identicon.
        """
        own = self.face(self.alice, ALICE)
        self.assertEqual(own.all("Content-Type"), ["image/png"])
        self.assertTrue(own.body.startswith(b"\x89PNG"))
        self.assertEqual(self.face(self.bob, self.bob.uin(ALICE)).body, own.body)
        self.assertNotEqual(self.face(self.alice, self.alice.uin(BOB)).body, own.body)

    def test_cache(self) -> None:
        """
        A request with the current tag of an avatar gets 304.
        """
        (tag,) = self.face(self.alice, ALICE).all("ETag")
        again = self.face(self.alice, ALICE, tag=tag)
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.all("Cache-Control"), ["private, max-age=60"])
        self.assertEqual(again.all("X-Content-Type-Options"), ["nosniff"])

    def test_set(self) -> None:
        """
        A custom face becomes an avatar for all accounts, and can be removed.
        """
        usual = self.face(self.alice, ALICE).body
        _, name = faceOf(self.uploadFace(self.alice, JPG))
        self.assertEqual(self.modify(self.bob, custom_face=name), 100001)
        self.assertEqual(self.modify(self.alice, custom_face=name), 0)
        seen = self.face(self.bob, self.bob.uin(ALICE))
        self.assertEqual(seen.body, JPG)
        self.assertEqual(seen.all("Content-Type"), ["image/jpeg"])
        self.assertEqual(self.modify(self.alice, custom_face=""), 0)
        self.assertEqual(self.face(self.bob, self.bob.uin(ALICE)).body, usual)

    def modify(self, client: HTTPClient, **members: Any) -> int:
        wire = client.ask("/api/modify_my_head", vfwebqq=client.vfwebqq, **members)
        code: int = wire.response.json["retcode"]
        return code

    def test_group(self) -> None:
        """
        The owner and administrators set the avatar of a group.
        """
        codes = {}
        for client in (self.alice, self.bob, self.dave):
            session = self.harness.state.sessions.online(client.number)
            assert session is not None
            codes[client] = session.sessionIds.code(CATS)
        _, name = faceOf(self.uploadFace(self.dave, JPG))
        code = codes[self.dave]
        self.assertEqual(self.modify(self.dave, custom_face=name, gcode=code), 100001)
        _, name = faceOf(self.uploadFace(self.bob, JPG))
        code = codes[self.bob]
        self.assertEqual(self.modify(self.bob, custom_face=name, gcode=code), 0)
        self.assertEqual(self.face(self.alice, codes[self.alice], 4).body, JPG)

    def test_nobody(self) -> None:
        """
        An unknown uin has no avatar, and a request without a session is refused.
        """
        self.assertEqual(self.face(self.alice, 0).json["retcode"], 100001)
        self.alice.vfwebqq = "0"
        self.assertEqual(self.face(self.alice, ALICE).json["retcode"], 121)
