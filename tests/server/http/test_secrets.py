"""
Secrets that clients send: none gets into the log or to another account, and none is
good after a change of the password.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from zope.interface import implementer

from tests.server.forms import JPG, MediaTestCase, form, storedOf, upload
from tests.server.harness import (
    ALICE,
    BOB,
    PASSWORDS,
    HTTPClient,
    ServerHarness,
    request,
)
from txwebqq.model import Number
from txwebqq.server.resource import SWEEP
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordHash


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """
    Collect the log lines, with the texts of all their fields.
    """
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: Any) -> None:
        lines.append(f"{formatEvent(event)} {event}")

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "OPTIONS", "GET"])
@pytest.mark.parametrize("path", ["/login", "/channel/logout2", "/nowhere"])
def test_queries(method: str, path: str, logged: list[str]) -> None:
    """
    The query of a request is not logged, for any method.
    """
    secret = "f" * 40
    harness = ServerHarness()
    harness.send(request(method, f"{path}?p={secret}&psessionid={secret}"))
    harness.server.stop()
    assert [line for line in logged if secret in line] == []


def test_head() -> None:
    """
    HEAD is answered with 405, and without a body.
    """
    raw = ServerHarness().send(request("HEAD", "/check?uin=1")).raw
    assert raw.startswith(b"HTTP/1.1 405")
    assert raw.endswith(b"\r\n\r\n")


def test_description() -> None:
    """
    The description of a request has no query.
    """
    harness = ServerHarness()
    wire = harness.client(ALICE).poll()
    for one in (wire.channel.requests or [None])[:1]:
        assert "?" not in repr(one)


def test_skey() -> None:
    """
    The skey has 128 bits behind its at sign.
    """
    assert (
        len(int(ServerHarness().client(ALICE).skey[1:], 16).to_bytes(16, "big")) == 16
    )


class HostTests(MediaTestCase):
    def members(self, client: HTTPClient, **members: Any) -> str:
        """
        The r of a request.
        """
        proof = {"psessionid": client.psessionid, "clientid": client.clientid}
        return json.dumps(members | proof)

    def test_offlineFile(self) -> None:
        """
        The recipient of an offline file is told the address at which it reaches the
        server itself, and not what the sender has written.
        """
        path = self.uploadFile(self.alice, b"x", "a.txt", "file")["filepath"]
        r = self.members(
            self.alice, to=self.alice.uin(BOB), file_path=path, filename="a.txt"
        )
        evil = b"203.0.113.66:81"
        data = request("POST", "/channel/send_offfile2", body=f"r={quote(r)}")
        self.harness.send(data.replace(b"anything.example", evil))
        poll = self.bob.pollBytes().replace(b"anything.example", b"192.0.2.7:8890")
        (event,) = self.harness.send(poll).response.result
        value = event["value"]
        self.assertEqual((value["ip"], value["port"]), ("192.0.2.7", 8890))

    def test_groupPicture(self) -> None:
        """
        The members of a group are told the address of the server, and not what the
        sender of a picture has written.
        """
        self.uploadFace(self.alice, JPG)
        (face,) = self.harness.store.media.customFaces(ALICE)
        signed = self.get(self.alice, "/channel/get_gface_sig2?t=1").result
        content = [["cface", "group", face[0]], "", ["font", {}]]
        r = self.members(
            self.alice,
            group_uin=self.alice.gid,
            content=json.dumps(content),
            key=signed["gface_key"],
            sig=signed["gface_sig"],
            msg_id=1,
        )
        data = request("POST", "/channel/send_qun_msg2", body=f"r={quote(r)}")
        self.harness.send(data.replace(b"anything.example", b"evil.example"))
        (event,) = self.events(self.bob)
        picture = event["value"]["content"][1]
        self.assertEqual(picture[1]["server"], "10.0.0.1:12345")


def changed(harness: ServerHarness, number: Number, password: str) -> None:
    """
    Change a password in the database, as C{webqq-admin} does.
    """
    store = Store(harness.database, shared=True)
    store.accounts.setPassword(number, passwordHash(password))
    store.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ServerHarness]:
    """
    A server with a database file.
    """
    harness = ServerHarness(file=tmp_path / "q.db")
    yield harness
    harness.close()


def test_passwordChanged(harness: ServerHarness) -> None:
    """
    The session of an account ends when its password changes, and cannot be resumed;
    those of other accounts go on.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB)
    alice.catchUp()
    bob.catchUp()
    held = alice.poll()
    assert not held.isAnswered
    changed(harness, ALICE, "new")
    harness.clock.advance(SWEEP)
    assert held.response.json["retcode"] == 100
    assert alice.login2(alice.psessionid).json["retcode"] == 103
    cookie = {"Cookie": f"uin=o{ALICE}; skey={alice.skey}"}
    refused = harness.get("/api/get_self_info2?t=1", cookie).response
    assert b"cookies uin and skey are not of one login" in refused.body
    (event,) = bob.poll().response.result
    assert event["value"]["status"] == "offline"
    assert bob.login2(bob.psessionid).json["retcode"] == 0


def test_everyKey(harness: ServerHarness) -> None:
    """
    After a change of the password no key of the former session is good: neither its
    psessionid, vfwebqq, ptwebqq and skey, nor a link to a picture that it was given.
    """
    alice = harness.client(ALICE)
    before = {"callback": "f", "uin": str(ALICE), "skey": alice.skey, "peeruin": "1"}
    body = form(before, "file", "a.jpg", JPG, {"vfwebqq": alice.vfwebqq})
    path = storedOf(
        upload(harness, "/ftn_access/upload_offline_pic?time=1", body).response
    )["filepath"]
    ticket = f"f_uin={ALICE}&clientid=1&psessionid={alice.psessionid}"
    target = f"/channel/get_offpic2?file_path={quote(path)}&{ticket}"
    (link,) = harness.get(target).response.all("Location")
    key = link.partition("anything.example")[2]

    uin = alice.uin(BOB)

    def answers() -> list[bool]:
        cookies = {"Cookie": f"uin=o{ALICE}; skey={alice.skey}"}
        ptwebqq = {"Cookie": f"ptwebqq={alice.ptwebqq}"}
        face = "/cgi-bin/webqq_app/?cmd=2"
        return [
            alice.channel("get_online_buddies2").json["retcode"] == 0,
            alice.lookUp("get_friend_info2", f"tuin={uin}").json["retcode"] == 0,
            # The session is known, but has no picture without a name.
            harness.get(face, ptwebqq).response.json["retcode"] == 100001,
            b'"retcode":0'
            in harness.get("/api/get_self_info2?t=1", cookies).response.body,
            harness.get(key).response.body == JPG,
        ]

    assert answers() == [True] * 5
    changed(harness, ALICE, "new")
    harness.clock.advance(SWEEP)
    assert answers() == [False] * 5


def test_passwordChangedAtLogin(harness: ServerHarness) -> None:
    """
    A login that has no session yet is worth nothing after a change of the password.
    """
    alice = HTTPClient(harness, ALICE)
    alice.logIn()
    changed(harness, ALICE, "new")
    assert alice.login2().json["retcode"] == 103
    assert b"ptuiCB('0'" in alice.tryLogin("new", alice.check()[1]).body


def test_otherChange(harness: ServerHarness) -> None:
    """
    A session goes on when another process changes another account, or sets the same
    password.
    """
    alice = harness.client(ALICE)
    changed(harness, BOB, "new")
    changed(harness, ALICE, PASSWORDS[ALICE])
    harness.clock.advance(SWEEP)
    assert alice.login2(alice.psessionid).json["retcode"] == 0
