"""
Avatars, over HTTP.
"""

from __future__ import annotations

from typing import Any

from tests.server.forms import JPG, MediaTestCase, faceOf
from tests.server.harness import ALICE, BOB, CATS, HTTPClient, Response


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

    def modify(self, client: HTTPClient, **members: Any) -> int:
        wire = client.ask("/api/modify_my_head", vfwebqq=client.vfwebqq, **members)
        code: int = wire.response.json["retcode"]
        return code

    def test_group(self) -> None:
        """
        The owner and administrators decide what a group looks like.
        """
        codes = {}
        for client in (self.alice, self.bob, self.dave):
            session = self.harness.state.sessions.online(client.number)
            assert session is not None
            codes[client] = session.sessionIds.code(CATS)
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
