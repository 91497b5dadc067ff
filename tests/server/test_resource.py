"""
The HTTP side: request lines, bodies, cookies, limits and errors.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from treq.testing import StubTreq
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.server.harness import ALICE, BOB, ServerHarness, request
from txwebqq.server.commandresource import IDLE_TIMEOUT
from txwebqq.server.http.exchange import parseCookies
from txwebqq.server.http.refusallog import ALL_LINES, LINES, WINDOW
from txwebqq.server.request import MAX_BODY

CHECK = "/check?uin=10001&appid=1&r=1"


@pytest.mark.parametrize(
    "target",
    [
        CHECK,
        f"http://check.ptlogin2.qq.com{CHECK}",
        f"https://ssl.ptlogin2.qq.com:443{CHECK}",
        f"HTTP://CHECK.PTLOGIN2.QQ.COM{CHECK}",
    ],
)
def test_absoluteURI(target: str) -> None:
    """
    A request is routed by its path alone, also when its target is a URI with a
    host, as proxies get it.
    """
    assert ServerHarness().get(target).response.body.startswith(b"ptui_checkVC(")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 404),
        ("/health", 404),
        ("/favicon.ico", 404),
        ("/nowhere/at/all", 404),
        ("/channel", 404),
        ("/check/", 404),
        ("//check", 404),
        ("http://d.web2.qq.com", 404),
        ("nonsense", 404),
        ("/%2e%2e/etc/passwd", 404),
        ("/channel/poll2/", 200),
        ("/channel/../check", 200),
        ("/api/get_something2", 200),
        ("http://web2.qq.com/cgi-bin/something", 200),
    ],
)
def test_unknownPath(target: str, status: int) -> None:
    """
    Unknown paths are answered in WebQQ's own form: with 404, and with 200 beside
    the commands, where some clients of 2012 to 2014 stop after a 404.
    """
    response = ServerHarness().get(target).response
    assert response.status == status
    assert response.body == b'{"retcode":100000,"errmsg":"no such path"}'
    assert response.all("Content-Length") == [str(len(response.body))]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "BREW"])
def test_methods(method: str) -> None:
    """
    Only GET and POST are answered, and others take no mail.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    alice.tell(BOB, "hi")
    target = f"/channel/poll2?psessionid={bob.psessionid}"
    wire = harness.send(request(method, target))
    assert wire.response.status == 405
    assert wire.response.all("Allow") == ["GET, POST"]
    assert b"hi" in bob.poll().raw


@pytest.mark.parametrize(
    ("body", "errmsg"),
    [
        ("r={", "not JSON"),
        ("r=%7B%22a%22", "not JSON"),
        ("r=", "not JSON"),
        ("r=[1]", "r is not a JSON object"),
        ('r={"newstatus":"asleep"}', "newstatus is not a status"),
        ('r={"newstatus":["online"]}', "newstatus is missing"),
        (b"r=%FF%FF", "a field is neither UTF-8 nor GB18030"),
        (b"\xff\x00=\xff\xff", "a field is neither UTF-8 nor GB18030"),
        (b'r={"a":' + b"[" * 100_000, "not JSON"),
        ("", "newstatus is missing"),
    ],
)
def test_malformed(body: bytes | str, errmsg: str) -> None:
    """
    A body that cannot be read is answered with the reason.
    """
    response = ServerHarness().post("/channel/change_status2", body).response
    assert response.status == 200
    assert response.json == {"retcode": 100003, "errmsg": errmsg}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", CHECK), 200),
        (request("GET", "/cgi-bin/ver"), 200),
        (request("POST", "/channel/change_status2", body="r={"), 200),
        (request("GET", "/favicon.ico"), 404),
        (request("PUT", CHECK), 405),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /check?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"&" * 300), 414),
    ],
)
def test_headers(data: bytes, status: int) -> None:
    """
    No reply is stored by a browser or a proxy, or taken for another type.
    """
    response = ServerHarness().send(data).response
    assert response.status == status
    assert response.all("Cache-Control") == ["no-store"]
    assert response.all("X-Content-Type-Options") == ["nosniff"]


class LimitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()

    def test_largest(self) -> None:
        """
        A body of 128 KiB is read.
        """
        wire = self.harness.post("/channel/poll2", b"x" * MAX_BODY)
        self.harness.clock.advance(1)
        self.assertEqual(wire.response.json["retcode"], 121)

    def test_announced(self) -> None:
        """
        A larger body is refused before any of it has come.
        """
        for path in ("/channel/poll2", "/nowhere"):
            head = f"POST {path} HTTP/1.1\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
            wire = self.harness.send(head.encode())
            response = wire.response
            self.assertEqual(response.status, 413)
            self.assertEqual(response.json["retcode"], 100004)
            self.assertIn(str(MAX_BODY), response.json["errmsg"])
            self.assertTrue(wire.transport.disconnecting)

    def test_moreThanAnnounced(self) -> None:
        """
        Bytes that come after a refusal are dropped, and not answered.
        """
        length = MAX_BODY + 5
        head = f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
        wire = self.harness.send(head.encode())
        wire.send(b"x" * length).send(request("GET", CHECK))
        self.assertEqual(wire.raw.count(b"HTTP/1.1"), 1)
        wire.close()

    def test_chunked(self) -> None:
        """
        A body without a length is refused as soon as it is too large.
        """
        wire = self.harness.send(
            b"POST /channel/poll2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"2000\r\n" + b"x" * 8192 + b"\r\n"
        for _ in range(16):
            wire.send(chunk)
        self.assertFalse(wire.isAnswered)
        wire.send(chunk)
        self.assertEqual(wire.response.status, 413)
        self.assertTrue(wire.transport.disconnecting)

    def test_chunkedSmall(self) -> None:
        """
        A chunked body of reasonable size is read.
        """
        wire = self.harness.send(
            b"POST /channel/change_status2 HTTP/1.1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            b"f\r\nnewstatus=busy&\r\n0\r\n\r\n"
        )
        self.assertEqual(wire.response.json["retcode"], 121)

    def test_idle(self) -> None:
        """
        A connection that says nothing is closed, but not before the next
        heartbeat can be due.
        """
        wire = self.harness.get(CHECK)
        self.harness.clock.advance(61)
        self.assertFalse(wire.transport.disconnecting)
        self.harness.clock.advance(IDLE_TIMEOUT)
        self.assertTrue(wire.transport.disconnecting)

    def test_slow(self) -> None:
        """
        A request that never ends is not waited for without end.
        """
        wire = self.harness.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx")
        self.harness.clock.advance(IDLE_TIMEOUT + 1)
        self.assertTrue(wire.transport.disconnecting)

    def test_lowerCaseHeaders(self) -> None:
        """
        Header names may be written in lower case, and are answered canonically.
        """
        body = b"newstatus=busy"
        wire = self.harness.send(
            b"post /channel/change_status2 HTTP/1.1\r\nhost: x\r\ncontent-length: 14"
            b"\r\nconnection: TE\r\nte: gzip\r\n\r\n".replace(b"post", b"POST")
            + body
        )
        names = {name for name, _ in wire.response.headers}
        self.assertEqual(wire.response.json["retcode"], 121)
        self.assertLessEqual({"Content-Length", "Content-Type"}, names)


class LogTests(SynchronousTestCase):
    def test_noAccessLog(self) -> None:
        """
        No line tells of a request, whose path may hold a digest, and no timer
        runs for the time of such lines.
        """
        file = StringIO()
        self.patch(log, "logfile", file)
        harness = ServerHarness()
        harness.site.doStart()
        harness.get(CHECK)
        harness.disconnectAll()
        self.assertEqual(file.getvalue(), "")
        self.assertEqual(harness.clock.getDelayedCalls(), [])
        harness.site.doStop()

    def logged(self) -> list[str]:
        """
        The lines about refused requests that are logged from now on.
        """
        lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if formatEvent(event).startswith("Refused"):
                lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return lines

    def test_unknownPath(self) -> None:
        """
        Requests of unknown paths are logged, without their query and what may be a
        secret.
        """
        lines = self.logged()
        harness = ServerHarness()
        secret = "5ec4e7" * 32
        for target in (
            "/health?password=x",
            f"/v3/{secret}/file",
            "/long" * 1000,
        ):
            harness.get(target, address="10.0.0.9")
        self.assertEqual(
            lines[:2],
            [
                "Refused a request of /health from 10.0.0.9: no such path.",
                "Refused a request of /v3/.../file from 10.0.0.9: no such path.",
            ],
        )
        self.assertLess(len(lines[2]), 250)

    def test_limit(self) -> None:
        """
        Nobody fills the log: the lines about the refused requests of an address and
        of all addresses are limited, and the last one says so.
        """
        lines = self.logged()
        harness = ServerHarness()
        for _ in range(LINES):
            harness.get("/health")
            harness.post("/channel/change_status2", "r={")
        self.assertEqual(len(lines), LINES)
        self.assertIn("not JSON", lines[1])
        self.assertTrue(
            lines[-1].endswith(
                "Further ones of this address are not logged for up to ten minutes."
            )
        )
        for number in range(ALL_LINES):
            harness.get("/health", address=f"10.0.0.{number}")
        self.assertEqual(len(lines), ALL_LINES)
        self.assertIn(". Further ones are not logged", lines[-1])
        harness.clock.advance(WINDOW)
        harness.get("/health")
        self.assertEqual(len(lines), ALL_LINES + 1)


class FaultTests(SynchronousTestCase):
    def test_fault(self) -> None:
        """
        A fault of ours is answered as one, logged without the question, and
        does not stop the server.
        """
        harness = ServerHarness()
        alice = harness.client(ALICE)
        harness.store.close()
        response = alice.lookUp("get_friend_info2", f"tuin={ALICE}")
        self.assertEqual(response.status, 500)
        self.assertEqual(response.json["retcode"], 100000)
        (failure,) = self.flushLoggedErrors()
        self.assertNotIn(alice.vfwebqq, str(failure))
        self.assertEqual(harness.get(CHECK).response.status, 200)


class StubTreqTests(SynchronousTestCase):
    def test_stubTreq(self) -> None:
        """
        The resource alone serves an in-memory client, held polls too.
        """
        harness = ServerHarness()
        alice, bob = harness.client(ALICE), harness.client(BOB)
        treq: Any = StubTreq(harness.server)
        poll = treq.post(
            "http://d.web2.qq.com/channel/poll2",
            data={"r": f'{{"psessionid":"{bob.psessionid}"}}'},
        )
        self.assertNoResult(poll)
        alice.tell(BOB, "hi")
        treq.flush()
        response = self.successResultOf(poll)
        self.assertIn('"hi "', self.successResultOf(response.text()))

    def test_limit(self) -> None:
        """
        A body over the limit is refused by the resource alone, too.
        """
        treq: Any = StubTreq(ServerHarness().server)
        posting = treq.post(f"http://x{CHECK}", data=b"x" * (MAX_BODY + 1))
        self.assertEqual(self.successResultOf(posting).code, 413)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ([], {}),
        ([b""], {}),
        ([b"a=1; b=2"], {"a": "1", "b": "2"}),
        ([b"a=1", b"b=2"], {"a": "1", "b": "2"}),
        ([b"a=1;b=2;;  ; c = 3 "], {"a": "1", "b": "2", "c": "3"}),
        ([b"a=1; a=2"], {"a": "2"}),
        ([b"a=x=y; $Version=1; HttpOnly; =z"], {"a": "x=y", "$Version": "1"}),
        ([b"\xe5\xae=\xff"], {"\xe5\xae": "\xff"}),
    ],
)
def test_cookies(header: list[bytes], expected: dict[str, str]) -> None:
    """
    Cookie headers with any bytes are read.
    """
    assert parseCookies(header) == expected
