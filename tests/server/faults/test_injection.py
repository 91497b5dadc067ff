"""
Faults of a server that is sent bytes.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import ALICE, BOB, HTTPClient, ServerHarness, Wire, textsOf
from txwebqq.server.faults.faultsfile import parseFaults
from txwebqq.server.faults.injection import FaultyResource

VERSION = b"GET /cgi-bin/ver HTTP/1.1\r\nHost: x\r\n\r\n"
SEND = "/channel/send_buddy_msg2"


class InjectionTests(SynchronousTestCase):
    def begin(self, text: str) -> tuple[HTTPClient, HTTPClient]:
        """
        Start a server with faults, and sign two clients on before there are any.
        """
        self.harness = ServerHarness()
        alice, bob = (self.harness.client(n) for n in (ALICE, BOB))
        self.faulty = FaultyResource(
            self.harness.server, parseFaults(text), self.harness.clock
        )
        self.harness.site.resource = self.faulty
        alice.catchUp()
        bob.catchUp()
        return alice, bob

    def fault(self, text: str) -> tuple[HTTPClient, HTTPClient]:
        """
        Start a server with one kind of fault, of which each request has one.
        """
        return self.begin(f"[[fault]]\nevery = 1\n{text}")

    def heard(self, client: HTTPClient, ack: int = 0) -> list[str]:
        return textsOf(client.poll(ack).response)

    def open(self, data: bytes) -> Wire:
        return Wire(self.harness, "127.0.0.1").send(data)

    def test_resetBefore(self) -> None:
        """
        A reset before the handler: the request has no effect.
        """
        alice, bob = self.fault(f'kind = "reset"\npaths = ["{SEND}"]\nlimit = 1')
        wire = alice.ask(SEND, psessionid=alice.psessionid, to=alice.uin(BOB))
        assert wire.isAborted
        assert wire.raw == b""
        alice.tell(BOB, "second")
        assert self.heard(bob) == ["second"]

    def test_resetAfter(self) -> None:
        """
        A reset after the handler: the request takes effect, and its reply is lost.
        """
        alice, bob = self.fault(
            f'kind = "reset"\nwhen = "after"\npaths = ["{SEND}"]\nlimit = 1'
        )
        content = json.dumps(["first", ["font", {}]])
        wire = alice.ask(
            SEND,
            psessionid=alice.psessionid,
            to=alice.uin(BOB),
            content=content,
            msg_id=1,
        )
        assert wire.isAborted
        assert wire.raw == b""
        assert self.heard(bob) == ["first"]

    def test_delayBefore(self) -> None:
        """
        A delayed request is handled later, and not at all when its client has gone
        or the server stops.
        """
        self.fault('kind = "delay"\nseconds = 2')
        before = len(self.harness.clock.getDelayedCalls())
        wire, gone = self.open(VERSION), self.open(VERSION)
        gone.close()
        self.harness.clock.advance(1.9)
        assert not wire.isAnswered
        self.harness.clock.advance(0.1)
        assert b"ptuiV" in wire.raw
        assert not gone.isAnswered
        stopped = self.open(VERSION)
        self.faulty.stop()
        self.harness.clock.advance(5)
        assert not stopped.isAnswered
        for each in (wire, stopped):
            each.close()
        assert len(self.harness.clock.getDelayedCalls()) <= before

    def test_delayAfter(self) -> None:
        """
        A reply is delayed, and the next request on the connection is answered after
        it.
        """
        self.fault('kind = "delay"\nseconds = 2\nwhen = "after"\nlimit = 1')
        wire = self.open(VERSION)
        wire.send(VERSION)
        self.harness.clock.advance(1.9)
        assert not wire.isAnswered
        self.harness.clock.advance(0.1)
        assert wire.raw.count(b"ptuiV") == 2
        wire.send(VERSION)
        assert wire.raw.count(b"ptuiV") == 3

    def test_slow(self) -> None:
        """
        A slow reply comes byte by byte, and is whole at the end.
        """
        self.fault('kind = "slow"\nrate = 100')
        wire = self.open(VERSION)
        assert len(wire.raw) == 10
        self.harness.clock.advance(0.1)
        assert len(wire.raw) == 20
        self.harness.clock.pump([0.1] * 50)
        assert wire.raw.endswith(b"ptuiV(201304110930);")

    def test_closing(self) -> None:
        """
        The connection of a client that asks for it is closed after the last part.
        """
        self.fault('kind = "parts"\ncount = 2\nseconds = 1')
        wire = self.open(VERSION.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert not wire.transport.disconnecting
        self.harness.clock.advance(1)
        assert wire.raw.endswith(b"ptuiV(201304110930);")
        assert wire.transport.disconnecting

    def test_truncate(self) -> None:
        """
        The connection of a truncated reply is closed.
        """
        self.fault('kind = "truncate"')
        wire = self.open(VERSION)
        assert len(wire.raw) > 0
        assert not wire.raw.endswith(b"ptuiV(201304110930);")
        assert wire.transport.disconnecting

    def test_page(self) -> None:
        """
        A page in HTML comes in place of a reply, before or after the handler.
        """
        for when in ("before", "after"):
            self.fault(f'kind = "status"\ncode = 503\nhtml = "<b>"\nwhen = "{when}"')
            response = self.open(VERSION).response
            assert response.status == 503
            assert response.body == b"<b>"

    def test_retcode(self) -> None:
        """
        A refusal comes in place of a reply; after the handler, the request has
        taken effect.
        """
        for when, heard in (("before", []), ("after", ["first"])):
            alice, bob = self.fault(
                f'kind = "retcode"\ncode = 108\nwhen = "{when}"\npaths = ["{SEND}"]'
            )
            assert alice.tell(BOB, "first").json["retcode"] == 108
            assert (self.heard(bob) if heard else []) == heard

    def test_lose(self) -> None:
        """
        A lost poll reply leaves its events unacknowledged: the next poll has them.
        """
        alice, bob = self.fault('kind = "lose"\nlimit = 1')
        bob.poll(0)
        alice.tell(BOB, "first")
        alice.tell(BOB, "second")
        assert self.heard(bob) == ["first"]

    def test_heldPoll(self) -> None:
        """
        A poll that is held gets its faults when it is answered.
        """
        alice, bob = self.fault('kind = "duplicate"')
        wire = bob.poll(0)
        assert not wire.isAnswered
        alice.tell(BOB, "first")
        assert textsOf(wire.response) == ["first", "first"]

    def test_lostClient(self) -> None:
        """
        A client that goes while its poll is held leaves nothing behind.
        """
        alice, bob = self.fault('kind = "duplicate"')
        bob.poll(0).close()
        alice.tell(BOB, "first")
        assert self.heard(bob) == ["first", "first"]

    def test_upload(self) -> None:
        """
        Uploads are received as without faults.
        """
        self.fault('kind = "reset"\npaths = ["/none"]')
        server = self.harness.server
        assert self.faulty.plainPaths is server.plainPaths
        wire = self.harness.post("/cgi-bin/cface_upload?time=1", b"")
        assert wire.isAnswered
