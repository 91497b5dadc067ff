"""
Sign-on and logout over HTTP, byte for byte.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

import pytest
from twisted.internet.task import Clock
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    formatEvent,
    globalLogPublisher,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.server.harness import ALICE, BOB, CAROL, HTTPClient, ServerHarness, textsOf
from txwebqq.server.api.signon import CAPTCHA_WINDOW, CAPTCHAS
from txwebqq.server.domain.authenticator import LoginResult
from txwebqq.server.domain.state import ServerState
from txwebqq.server.population import parse
from txwebqq.server.resource import POLL_TIMEOUT, SWEEP
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.session import EndReason
from txwebqq.server.sessions.sessions import LAPSE
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor


class CheckTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()

    def test_threeArguments(self) -> None:
        """
        C{check} has no space after its commas, no line end, and three
        arguments.
        """
        body = self.harness.get("/check?uin=10897944&appid=1003903&r=0.9").response.body
        self.assertRegex(
            body,
            rb"\Aptui_checkVC\('0','![A-Z0-9]{3}',"
            rb"'\\x00\\x00\\x00\\x00\\x00\\xa6\\x4a\\x18'\);\Z",
        )

    def test_fiveArguments(self) -> None:
        """
        Clients with C{pt_tea} get two arguments more, others with C{js_ver} do not.
        """
        later = "/check?uin=10001&appid=1003903&js_ver=10079&r=0.9"
        body = self.harness.get(later).response.body
        self.assertRegex(body, rb"\A[^,]*,[^,]*,'(\\x..){8}'\);\Z")
        wire = self.harness.get(later + "&pt_tea=1")
        self.assertRegex(wire.response.body, rb"','\\x00[^']*','[0-9a-f]{64}','0'\);\Z")

    def test_script(self) -> None:
        """
        Ptlogin answers are scripts with a length, and nothing is compressed.
        """
        response = self.harness.get(
            "/check?uin=10001&appid=1&r=1", {"Accept-Encoding": "gzip"}
        ).response
        self.assertEqual(
            response.all("Content-Type"), ["application/x-javascript; charset=utf-8"]
        )
        self.assertEqual(response.all("Content-Length"), [str(len(response.body))])
        self.assertEqual(response.all("Content-Encoding"), [])

    def test_noProbing(self) -> None:
        """
        Numbers without an account, and names that are not numbers, get the same
        replies as accounts.
        """
        for name in ("99999", "4294967296", "1" * 30, "a@qq.com", ""):
            body = self.harness.get(f"/check?uin={name}&appid=1&r=1").response.body
            self.assertRegex(body, rb"\Aptui_checkVC\('0','!...','(\\x..){8}'\);\Z")

    def test_withoutAccount(self) -> None:
        """
        The reply to a C{check} without an account is an error that says so.
        """
        response = self.harness.get("/check?appid=1&r=1").response
        self.assertEqual(response.json, {"retcode": 100003, "errmsg": "uin is missing"})


class LoginTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.alice = HTTPClient(self.harness, ALICE)

    def login(self, query: str) -> bytes:
        return self.harness.get(f"/login?{query}").response.body

    def test_success(self) -> None:
        """
        C{ptuiCB} has six arguments, one space before the nick, and CRLF.
        """
        response = self.alice.logIn()
        self.assertRegex(
            response.body.decode(),
            r"\AptuiCB\('0','0','http://ptlogin4\.web2\.qq\.com/check_sig\?[^' ]+','0',"
            r"'登录成功！', 'Alice'\);\r\n\Z",
        )

    def test_cookies(self) -> None:
        """
        The sign-on is in three cookies for all hosts of C{qq.com}.
        """
        lines = self.alice.logIn().all("Set-Cookie")
        for pattern in (
            r"\Aptwebqq=[0-9a-f]{64}; PATH=/; DOMAIN=qq\.com;\Z",
            r"\Askey=@[0-9a-f]{32}; PATH=/; DOMAIN=qq\.com;\Z",
            r"\Auin=o0000010001; PATH=/; DOMAIN=qq\.com;\Z",
            r"\Asuperuin=o0000010001; ",
        ):
            self.assertEqual(
                len([line for line in lines if re.search(pattern, line)]), 1, pattern
            )

    def test_apostrophe(self) -> None:
        """
        An apostrophe in a nick does not end the argument.
        """
        bob = HTTPClient(self.harness, BOB)
        self.assertTrue(bob.logIn().body.decode().endswith(", 'Bob\u2019s');\r\n"))

    def test_wrongPassword(self) -> None:
        """
        A wrong password and an unknown account get the same reply, without cookies.
        """
        nobody = HTTPClient(self.harness, 99999)  # type: ignore[arg-type]
        bodies = set()
        for client in (self.alice, nobody):
            response = client.tryLogin("wrong", client.check()[1])
            self.assertEqual(response.cookies, {})
            bodies.add(response.body.replace(str(client.number).encode(), b""))
        self.assertEqual(len(bodies), 1)
        self.assertTrue(bodies.pop().startswith(b"ptuiCB('3','0','','0','"))

    def test_wrongCode(self) -> None:
        """
        A code that C{check} did not give is a wrong captcha, even with the right
        password.
        """
        response = self.alice.tryLogin("correct horse", "!???")
        self.assertTrue(response.body.startswith(b"ptuiCB('4','0','','0','"))

    def test_staleCode(self) -> None:
        """
        A verify code expires after some minutes.
        """
        code = self.alice.check()[1]
        self.harness.clock.advance(290)
        self.assertIn(b"'0','0'", self.alice.tryLogin("correct horse", code).body)
        self.harness.clock.advance(300)
        self.assertIn(b"'4','0'", self.alice.tryLogin("correct horse", code).body)

    def test_missing(self) -> None:
        """
        A login without one of its parameters is code 7.
        """
        for query in ("", "u=10001&p=AB", "p=AB&verifycode=C", "u=1&verifycode=C"):
            self.assertTrue(self.login(query).startswith(b"ptuiCB('7','0','','0','"))

    def test_nonsense(self) -> None:
        """
        Malformed digests and codes are wrong, not errors of the server.
        """
        for p in ("", "%00", "%E5%AE%8B", "A" * 500):
            code = quote(self.alice.check()[1])
            body = self.login(f"u=10001&p={p}&verifycode={code}")
            self.assertIn(b"ptuiCB('3'", body)

    def test_digestIsNotLogged(self) -> None:
        """
        No line of the log holds a digest or a ticket.
        """
        lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(f"{event} {formatEvent(event)}")

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.alice.logIn()
        self.harness.get("/login?u=1&p=5EC4E7D16E57&x=y")
        self.alice.ask("/channel/login2", ptwebqq="5EC4E7", status="asleep")
        text = "\n".join(lines)
        self.assertIn("verifycode is missing", text)
        self.assertNotIn("5EC4E7", text)
        self.assertNotIn(self.alice.ptwebqq, text)


class LandingTests(SynchronousTestCase):
    def test_checkSig(self) -> None:
        """
        The landing URL replies C{0}, sets cookies and redirects to an existing
        page; a second question mark is accepted.
        """
        harness = ServerHarness()
        login = HTTPClient(harness, ALICE).logIn().body.decode()
        url = login.split("'")[5]
        for target in (url, url + "?"):
            response = harness.get(target).response
            self.assertEqual((response.status, response.body), (302, b"0"))
            self.assertIn("p_skey", response.cookies)
            self.assertIn("p_uin", response.cookies)
            (location,) = response.all("Location")
            self.assertEqual(harness.get(location).response.status, 200)

    def test_landsOnOurPagesOnly(self) -> None:
        """
        The landing URL redirects to pages of this server only.
        """
        response = (
            ServerHarness().get("/check_sig?uin=1&s_url=http://evil.example/").response
        )
        self.assertTrue(response.all("Location")[0].startswith("http://web2.qq.com/"))


class Login2Tests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.alice = HTTPClient(self.harness, ALICE)
        self.alice.logIn()

    def test_session(self) -> None:
        """
        The reply has all members that clients read.
        """
        result = self.alice.login2().result
        self.assertEqual(result["uin"], ALICE)
        self.assertEqual(result["status"], "online")
        self.assertRegex(result["vfwebqq"], r"\A[0-9a-f]{80}\Z")
        self.assertRegex(result["psessionid"], r"\A[0-9a-f]{100,}\Z")
        self.assertLessEqual({"index", "port", "cip", "f", "user_state"}, set(result))

    def test_forms(self) -> None:
        """
        The body is accepted in every form that clients send.
        """
        r = json.dumps(
            {"status": "online", "ptwebqq": self.alice.ptwebqq, "clientid": "41 32585"}
        )
        negative = r.replace('"41 32585"', '-126429035, "psessionid": "null"')
        for body in (
            f"r={quote(r)}&clientid=1&psessionid=null",
            f"clientid=1&psessionid=null&r={quote(r)}",
            f"r={quote(r)}",
            f"r={r}",
            f"r={negative}&clientid=1&psessionid=",
            "r=" + quote(r + "&clientid=1&psessionid=null"),
        ):
            wire = self.harness.post("/channel/login2", body)
            self.assertEqual(wire.response.json["retcode"], 0, body)

    def test_ptwebqqInCookieOnly(self) -> None:
        """
        The cookie is not enough: a page of another site that has a browser send
        it neither opens a session nor ends the present one.
        """
        self.alice.join()
        poll = self.alice.poll()
        cookie = {"Cookie": f"ptwebqq={self.alice.ptwebqq}; uin=o0000010001"}
        for body in ("", 'r={"status":"online"}', 'r={"ptwebqq":"","clientid":"5"}'):
            wire = self.harness.post("/channel/login2", body, cookie)
            self.assertEqual(wire.response.json["retcode"], 103, body)
        self.assertFalse(poll.isAnswered)
        self.assertEqual(self.alice.channel("get_online_buddies2").json["retcode"], 0)

    def test_unknown(self) -> None:
        """
        A C{login2} without a login gets 103, also as a relink.
        """
        self.alice.ptwebqq = "0" * 64
        for psessionid in (None, "", "8368", "null"):
            self.assertEqual(
                self.alice.login2(psessionid).body, b'{"retcode":103,"errmsg":""}'
            )

    def test_tooLate(self) -> None:
        """
        A login without a C{login2} expires.
        """
        self.harness.clock.advance(601)
        self.assertEqual(self.alice.login2().json["retcode"], 103)

    def test_status(self) -> None:
        """
        An unknown status is an error that says so.
        """
        response = self.alice.login2(status="asleep")
        self.assertEqual(response.json["retcode"], 100003)


class RelinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.alice = self.harness.client(ALICE)
        self.bob = self.harness.client(BOB)
        self.alice.catchUp()

    def test_keepsIds(self) -> None:
        """
        A relink gives new tickets, and keeps the uins of the session.
        """
        before = self.alice.uin(BOB), self.alice.gid, self.alice.psessionid
        self.alice.join(self.alice.psessionid)
        self.assertEqual((self.alice.uin(BOB), self.alice.gid), before[:2])
        self.assertNotEqual(self.alice.psessionid, before[2])

    def test_oldTicket(self) -> None:
        """
        The ticket from before a relink is unknown afterwards.
        """
        old = self.alice.psessionid
        self.alice.join(old)
        poll = self.alice.ask("/channel/poll2", psessionid=old)
        self.harness.clock.advance(1)
        self.assertEqual(poll.response.body, b'{"retcode":121,"t":"0"}')

    def test_lostAnswer(self) -> None:
        """
        A client that did not receive the reply to its relink can repeat it.
        """
        self.alice.login2(self.alice.psessionid)
        self.assertEqual(self.alice.login2(self.alice.psessionid).json["retcode"], 0)

    def test_heldPoll(self) -> None:
        """
        The poll from before a relink ends without events, which the next one gets.
        """
        poll = self.alice.poll()
        self.harness.clock.advance(5)
        self.alice.join(self.alice.psessionid)
        self.assertEqual(poll.response.body, b'{"retcode":102,"errmsg":""}')
        self.bob.tell(ALICE, "hello")
        self.assertEqual(textsOf(self.alice.poll().response), ["hello"])

    def test_reloadedPage(self) -> None:
        """
        A page that is reloaded, and has lost its ticket and what it was given, is
        given the last reply again, however often: its connections say nothing.
        """
        for n in range(10):
            self.bob.tell(ALICE, f"message {n}")
            lost = self.alice.catchUp().poll()
            if n % 2:
                lost.close()
            self.alice.join(None)
            self.alice.catchUp()
            self.assertEqual(textsOf(self.alice.poll().response), [f"message {n}"])
        self.assertFalse(self.alice.poll().isAnswered)

    def test_relinkKeepsShown(self) -> None:
        """
        A client that relinks with its ticket is not given again what it was given,
        and a page that names what it has shown is not given that again.
        """
        self.bob.tell(ALICE, "once")
        self.assertEqual(textsOf(self.alice.catchUp().poll().response), ["once"])
        self.alice.join(self.alice.psessionid)
        poll = self.alice.catchUp().poll()
        self.assertFalse(poll.isAnswered)
        self.bob.tell(ALICE, "shown")
        (event,) = poll.response.result
        self.alice.join(None)
        shown = (str(event["value"]["msg_id"]),)
        self.assertFalse(self.alice.catchUp().poll(ids=shown).isAnswered)

    def test_afterLapse(self) -> None:
        """
        A lapsed session is offline, and its poll gets 121; a relink resumes it with
        its ids, its events and the changes of its friends.
        """
        before = self.alice.uin(BOB)
        self.bob.poll()
        self.harness.clock.advance(49)
        self.bob.poll()
        self.harness.clock.advance(49)
        bob = self.bob.poll()
        self.harness.clock.advance(40)
        self.assertEqual(
            [event["value"]["status"] for event in bob.response.result], ["offline"]
        )
        self.bob.tell(ALICE, "where are you?")
        self.bob.channel("change_status2", newstatus="away")
        poll = self.alice.poll()
        self.harness.clock.advance(1)
        self.assertEqual(poll.response.json, {"retcode": 121, "t": "0"})
        bob = self.bob.poll()
        self.alice.join(self.alice.psessionid)
        self.assertEqual(self.alice.uin(BOB), before)
        self.assertEqual(bob.response.result[0]["value"]["status"], "online")
        response = self.alice.poll().response
        self.assertEqual(textsOf(response), ["where are you?"])
        self.assertEqual(
            [e["value"]["status"] for e in response.result if "status" in e["value"]],
            ["away"],
        )

    def test_forgotten(self) -> None:
        """
        A session that lapsed long ago cannot be resumed.
        """
        self.harness.clock.pump([15] * 250)
        self.assertEqual(self.alice.login2(self.alice.psessionid).json["retcode"], 103)
        self.assertEqual(len(self.harness.state.sessions), 0)

    def test_noTimers(self) -> None:
        """
        Without sessions and logins there is nothing to wait for.
        """
        self.harness.clock.pump([15] * 250)
        self.assertFalse(self.harness.state.sessions.hasTimers)


class KickTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.old = self.harness.client(ALICE)

    def assertKick(self, event: dict[str, object]) -> None:
        self.assertEqual(event["poll_type"], "kick_message")
        value = event["value"]
        assert isinstance(value, dict)
        self.assertEqual(value["show_reason"], 1)
        self.assertEqual(value["to_uin"], ALICE)
        self.assertEqual(value["msg_id2"], value["msg_id"] + 1)
        self.assertTrue(value["reason"])

    def test_heldPoll(self) -> None:
        """
        The poll of the older session is answered with the kick at once.
        """
        poll = self.old.poll()
        self.harness.client(ALICE, clientid="5")
        (event,) = poll.response.result
        self.assertKick(event)

    def test_forEver(self) -> None:
        """
        Each poll of the older session is kicked: the first time at once, later
        after the time of a poll, since some clients show each kick and continue to
        poll; and still after days.
        """
        self.harness.client(ALICE, clientid="5")
        self.assertKick(self.old.poll().response.result[0])
        for wait in (0, 86400, 0):
            self.harness.clock.advance(wait)
            poll = self.old.poll()
            self.harness.clock.advance(POLL_TIMEOUT - 1)
            self.assertFalse(poll.isAnswered)
            self.harness.clock.advance(1)
            self.assertKick(poll.response.result[0])

    def test_stopped(self) -> None:
        """
        A kick that is delayed is given when the server stops, and dropped when the
        client disconnects.
        """
        self.harness.client(ALICE, clientid="5")
        self.old.poll()
        gone, poll = self.old.poll(), self.old.poll()
        gone.close()
        self.harness.server.stop()
        self.assertKick(poll.response.result[0])
        self.assertFalse(gone.isAnswered)
        self.harness.disconnectAll()
        self.assertEqual(self.harness.clock.getDelayedCalls(), [])

    def test_noRelink(self) -> None:
        """
        The older sign-on cannot resume its session.
        """
        new = self.harness.client(ALICE, clientid="5")
        for psessionid in (self.old.psessionid, None):
            self.assertEqual(self.old.login2(psessionid).json["retcode"], 103)
        self.assertFalse(new.poll().isAnswered)

    def test_sharedSignOn(self) -> None:
        """
        Two clients that share one sign-on do not replace each other in turns.
        """
        new = HTTPClient(self.harness, ALICE, clientid="5")
        new.ptwebqq = self.old.ptwebqq
        new.join()
        self.assertKick(self.old.poll().response.result[0])
        self.assertEqual(self.old.login2(self.old.psessionid).json["retcode"], 103)
        self.assertFalse(new.poll().isAnswered)

    def test_copiedTab(self) -> None:
        """
        Of two clients with the same session, such as two copies of a browser tab,
        one is kicked: they do not relink by turns.
        """
        for isNamed in (True, False):
            self.setUp()
            other = HTTPClient(self.harness, ALICE)
            other.ptwebqq, other.psessionid = self.old.ptwebqq, self.old.psessionid
            other.join(other.psessionid if isNamed else None)
            held = other.catchUp().poll()
            refused = self.old.poll()
            self.harness.clock.advance(1)
            self.assertEqual(refused.response.json["retcode"], 121)
            relink = self.old.login2(self.old.psessionid if isNamed else None)
            self.assertEqual(relink.json["retcode"], 103)
            self.assertTrue(relink.json["errmsg"])
            self.assertFalse(held.isAnswered)
            self.assertKick(self.old.poll().response.result[0])
            # The other tab can be reloaded.
            other.join(other.psessionid if isNamed else None)
            self.assertFalse(other.poll().isAnswered)

    def test_afterTheCopy(self) -> None:
        """
        A copy whose other has lapsed may relink with an older ticket.
        """
        other = HTTPClient(self.harness, ALICE)
        other.ptwebqq = self.old.ptwebqq
        other.join(self.old.psessionid)
        other.channel("get_online_buddies2")
        self.harness.clock.pump([SWEEP] * int(2 * LAPSE / SWEEP))
        self.harness.sweep()
        self.assertEqual(self.old.login2(self.old.psessionid).json["retcode"], 0)

    def test_othersTicket(self) -> None:
        """
        The ticket of another account's session, present, replaced, lapsed or ended,
        does not relink to the account of the C{ptwebqq}.
        """
        self.harness.sweep()
        bob = self.harness.client(BOB)
        self.old.catchUp()
        poll, first = self.old.poll(), bob.psessionid
        self.assertEqual(self.old.login2(first).body, b'{"retcode":103,"errmsg":""}')
        bob.join(bob.psessionid)
        self.assertEqual(self.old.login2(first).json["retcode"], 103)
        session = self.harness.state.sessions.online(BOB)
        assert session is not None
        session.lapsed = True
        self.assertEqual(self.old.login2(bob.psessionid).json["retcode"], 103)
        self.harness.state.sessions.end(session, EndReason.LOGGED_OUT)
        self.assertEqual(self.old.login2(bob.psessionid).json["retcode"], 103)
        self.assertFalse(poll.isAnswered)

    def test_otherCalls(self) -> None:
        """
        Every other command of the older session gets the reason.
        """
        new = self.harness.client(ALICE, clientid="5")
        for path in ("change_status2", "get_online_buddies2", "logout2"):
            answer = self.old.channel(path, newstatus="away").json
            self.assertEqual(answer["retcode"], 100)
            self.assertTrue(answer["errmsg"])
        uin = new.uin(BOB)
        answer = self.old.channel("send_buddy_msg2", to=uin, content='["x"]').json
        self.assertEqual(answer["retcode"], 100)

    def test_mailGoesToTheNewer(self) -> None:
        """
        Events that the older session has not got or not acknowledged are delivered
        to the newer one.
        """
        bob = self.harness.client(BOB)
        bob.tell(ALICE, "one")
        bob.tell(ALICE, "two")
        self.assertEqual(textsOf(self.old.poll().response), ["one"])
        new = self.harness.client(ALICE, clientid="5")
        self.assertEqual(textsOf(new.poll().response), ["one"])
        self.assertEqual(textsOf(new.poll().response), ["two"])
        self.assertFalse(new.poll().isAnswered)

    def test_sameClient(self) -> None:
        """
        A client that repeats C{login2} without its session does not kick
        itself.
        """
        poll = self.old.poll()
        self.harness.clock.advance(2)
        self.old.join(None)
        self.assertEqual(poll.response.json["retcode"], 102)

    def test_friendsSeeNothing(self) -> None:
        """
        Friends see no change when a session of the same account replaces another.
        """
        bob = self.harness.client(BOB)
        poll = bob.poll()
        self.harness.client(ALICE, clientid="5")
        self.assertFalse(poll.isAnswered)


class LogoutTests(SynchronousTestCase):
    def test_logout(self) -> None:
        """
        After a logout every command gets 100, and friends are notified.
        """
        harness = ServerHarness()
        alice, bob = harness.client(ALICE), harness.client(BOB)
        bobsPoll, poll = bob.poll(), alice.catchUp().poll()
        target = (
            f"/channel/logout2?ids=&clientid=47&psessionid={alice.psessionid}&t=1.3e+12"
        )
        self.assertEqual(
            harness.get(target).response.body, b'{"retcode":0,"result":"ok"}'
        )
        self.assertEqual(poll.response.json["retcode"], 100)
        self.assertEqual(harness.get(target).response.json["retcode"], 100)
        self.assertEqual(bobsPoll.response.result[0]["value"]["status"], "offline")
        self.assertEqual(alice.login2(alice.psessionid).json["retcode"], 103)

    def test_unknown(self) -> None:
        """
        The session of another run of the server gets 121 with C{t}.
        """
        response = (
            ServerHarness().get("/channel/logout2?clientid=1&psessionid=83").response
        )
        self.assertEqual(response.body, b'{"retcode":121,"t":"0"}')


class CaptchaTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.drawn: list[str] = []
        self.mode(CaptchaMode.ALWAYS)

    def mode(self, mode: CaptchaMode) -> None:
        def draw(text: str) -> bytes:
            self.drawn.append(text)
            return b"\xff\xd8\xff"

        self.harness = ServerHarness(mode, draw=draw)
        self.alice = HTTPClient(self.harness, ALICE)

    def getImage(self) -> dict[str, str]:
        response = self.harness.get("/getimage?aid=1003903&r=0.8&uin=10001").response
        self.assertEqual(response.all("Content-Type"), ["image/jpeg"])
        return {"Cookie": f"verifysession={response.cookies['verifysession']}"}

    def test_always(self) -> None:
        """
        C{check} asks for a captcha; its text, in any case, is accepted.
        """
        self.assertEqual(self.alice.check()[0], "1")
        cookie = self.getImage()
        text = self.drawn[-1].lower()
        response = self.alice.tryLogin("correct horse", text, cookie)
        self.assertIn(b"ptuiCB('0'", response.body)

    def test_once(self) -> None:
        """
        A captcha can be tried once.
        """
        cookie = self.getImage()
        text = self.drawn[-1]
        self.assertIn(b"ptuiCB('3'", self.alice.tryLogin("wrong", text, cookie).body)
        self.assertIn(
            b"ptuiCB('4'", self.alice.tryLogin("correct horse", text, cookie).body
        )

    def test_misread(self) -> None:
        """
        A wrong captcha is code 4, and cannot be tried again.
        """
        cookie = self.getImage()
        for text in ("????", self.drawn[-1]):
            body = self.alice.tryLogin("correct horse", text, cookie).body
            self.assertIn(b"ptuiCB('4'", body)

    def test_expires(self) -> None:
        """
        A captcha expires.
        """
        cookie = self.getImage()
        self.harness.clock.advance(301)
        body = self.alice.tryLogin("correct horse", self.drawn[-1], cookie).body
        self.assertIn(b"ptuiCB('4'", body)

    def test_legible(self) -> None:
        """
        Texts have four characters that do not look alike.
        """
        for _ in range(50):
            self.getImage()
        for text in self.drawn:
            self.assertRegex(text, r"\A[A-Z0-9]{4}\Z")
            for alike in ("0O", "1IL", "5S", "2Z", "8B", "G6", "UV"):
                self.assertLessEqual(len(set(_alphabet(self.drawn)) & set(alike)), 1)

    def test_tooMany(self) -> None:
        """
        The number of captchas for an address is limited within a time; other
        addresses are not affected.
        """
        for _ in range(CAPTCHAS):
            self.getImage()
        target = "/getimage?aid=1003903&r=0.8&uin=10001"
        refused = self.harness.get(target).response
        self.assertEqual(refused.json["retcode"], 100000)
        self.assertIn("come back in ten minutes", refused.json["errmsg"])
        self.assertEqual(len(self.drawn), CAPTCHAS)
        elsewhere = self.harness.get(target, address="127.0.0.2").response
        self.assertEqual(elsewhere.body, b"\xff\xd8\xff")
        self.harness.clock.advance(CAPTCHA_WINDOW)
        self.getImage()

    def test_suspicious(self) -> None:
        """
        Three wrong passwords make an account suspicious for ten minutes.
        """
        self.mode(CaptchaMode.SUSPICIOUS)
        for _ in range(3):
            self.assertEqual(self.alice.check()[0], "0")
            self.alice.tryLogin("wrong", self.alice.check()[1])
        self.assertEqual(self.alice.check()[0], "1")
        self.harness.clock.advance(601)
        self.assertEqual(self.alice.check()[0], "0")

    def test_suspiciousAddress(self) -> None:
        """
        Three wrong passwords make their address suspicious, and no other one.
        """
        self.mode(CaptchaMode.SUSPICIOUS)
        for number in (ALICE, BOB, CAROL):
            client = HTTPClient(self.harness, number)
            client.tryLogin("wrong", client.check()[1])
        check = "/check?uin=10004&appid=1&r=1"
        self.assertIn(b"VC('1'", self.harness.get(check).response.body)
        elsewhere = self.harness.get(check, address="10.0.0.1").response.body
        self.assertIn(b"VC('0'", elsewhere)

    def test_suspiciousNetwork(self) -> None:
        """
        The addresses of an IPv6 /64 are one.
        """
        self.mode(CaptchaMode.SUSPICIOUS)
        login = "/login?u=10002&p=x&verifycode={}&webqq_type=10&aid=1"
        code = HTTPClient(self.harness, BOB).check()[1]
        for n in range(3):
            self.harness.get(login.format(code), address=f"2001:db8::{n}")
        check = "/check?uin=10003&appid=1&r=1"
        same = self.harness.get(check, address="2001:db8::9").response.body
        self.assertIn(b"VC('1'", same)
        other = self.harness.get(check, address="2001:db8:0:1::9").response.body
        self.assertIn(b"VC('0'", other)

    def test_codeNoLongerEnough(self) -> None:
        """
        An older verify code does not replace the captcha.
        """
        self.mode(CaptchaMode.SUSPICIOUS)
        code = self.alice.check()[1]
        for _ in range(3):
            self.alice.tryLogin("wrong", code)
        body = self.alice.tryLogin("correct horse", code).body
        self.assertIn(b"ptuiCB('4'", body)

    def test_successClears(self) -> None:
        """
        After the right password an account is no longer suspicious.
        """
        self.mode(CaptchaMode.SUSPICIOUS)
        code = self.alice.check()[1]
        for password in ("wrong", "wrong", "correct horse", "wrong"):
            body = self.alice.tryLogin(password, code).body
        elsewhere = self.harness.get("/check?uin=10001&appid=1", address="::1")
        self.assertIn(b"ptuiCB('3'", body)
        self.assertIn(b"VC('0'", elsewhere.response.body)


def _alphabet(texts: list[str]) -> str:
    return "".join(texts)


@pytest.mark.parametrize(
    ("path", "needle"),
    [
        ("/cgi-bin/login?daid=164", b'var g_login_sig=encodeURIComponent("'),
        ("/cgi-bin/ver", b"ptuiV("),
        ("/loginproxy.html?login2qq=1", b"<html>"),
    ],
)
def test_pages(path: str, needle: bytes) -> None:
    """
    The pages exist that clients fetch around a sign-on.
    """
    response = ServerHarness().get(path).response
    assert response.status == 200
    assert needle in response.body


def test_loginSig() -> None:
    """
    The login page has a signature of sixty-four characters.
    """
    body = ServerHarness().get("/cgi-bin/login").response.body.decode()
    assert len(body.split('encodeURIComponent("')[1].split('"')[0]) == 64


def test_loginForm() -> None:
    """
    The form of the login page has the fields that clients copy from it to their
    login, and nothing that a browser would send a password with.
    """
    fields: dict[str, str] = {}
    forms: list[dict[str, str | None]] = []

    class Reader(HTMLParser):
        def handle_starttag(
            self, tag: str, attrs: list[tuple[str, str | None]]
        ) -> None:
            values = dict(attrs)
            if tag == "form":
                forms.append(values)
            elif forms:
                assert (tag, values["type"]) == ("input", "hidden")
                fields[str(values["name"])] = str(values["value"])

    harness = ServerHarness()
    reader = Reader()
    reader.feed(harness.get("/cgi-bin/login").response.body.decode())
    reader.close()
    assert [form["id"] for form in forms] == ["loginform"]
    assert fields["aid"] == "1003903"
    assert fields["u1"].startswith("http://webqq.qq.com/loginproxy.html?login2qq=1&")
    assert {"h", "ptredirect", "ptlang", "from_ui", "fp", "action", "g"} <= set(fields)
    alice = HTTPClient(harness, ALICE)
    code = alice.check()[1]
    p = passwordDigest(passwordHash("correct horse"), saltFor(ALICE), code)
    fields |= {"u": f"{ALICE}", "p": p, "verifycode": code}
    body = harness.get(f"/login?{urlencode(fields)}").response.body
    assert body.startswith(b"ptuiCB('0'")


def test_recordedDigest() -> None:
    """
    The password digests of five public clients are accepted (compatibility.md 3).
    """

    class Captured:
        def getrandbits(self, k: int, /) -> int:
            return 0

        def randrange(self, start: int, stop: int, /) -> int:
            return start

    state = ServerState(
        Store(), Clock(), Captured(), Logger().failure, captchaText="ABCD"
    )
    state.merge(parse('[[account]]\nnumber = 10897944\npassword = "secret123"'))
    verifySession, text = state.authenticator.captchas.issue()
    assert text == "ABCD"
    digest = "CD1AC46BBE45D487644C7A836B16C343"
    result = state.authenticator.logIn(10897944, digest, "abcd", verifySession, "")  # type: ignore[arg-type]
    assert isinstance(result, LoginResult)
    assert (
        passwordDigest(passwordHash("secret123"), saltFor(10897944), "abcd") == digest
    )
