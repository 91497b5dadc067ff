"""
Limits of connections and requests, against clients that try to keep a server busy.
"""

from __future__ import annotations

import resource
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.server.forms import BOUNDARY, JPG, form
from tests.server.harness import ALICE, ServerHarness, Wire, request
from txwebqq.server.limits import (
    RESERVED_DESCRIPTORS,
    AddressLimits,
    ConnectionLimits,
    raiseDescriptorLimit,
)

CHECK = request("GET", "/check?uin=10001&appid=1003903&r=0.1")

LIMITS = ConnectionLimits(connections=4, rate=10.0, burst=20)


class TurnTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()

    def turn(self) -> None:
        """
        Make the calls that are due now, and not those that they schedule.
        """
        clock = self.harness.clock
        for call in [c for c in clock.calls if c.getTime() <= clock.seconds()]:
            clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def answers(self, wire: Wire) -> int:
        return wire.raw.count(b"HTTP/1.1 200")

    def test_oneATurn(self) -> None:
        """
        Of the requests that a client has sent at once, one is answered in a turn of
        the reactor, in their order, and the connection is not read meanwhile.
        """
        post = request("POST", "/channel/change_status2", body="newstatus=busy")
        for data in (CHECK, post):
            wire = self.harness.send(data * 5)
            for count in range(1, 6):
                self.assertEqual(self.answers(wire), count)
                state = "paused" if count < 5 else "producing"
                self.assertEqual(wire.transport.producerState, state)
                self.turn()
            self.assertEqual(self.answers(wire), 5)
            wire.close()

    def test_parts(self) -> None:
        """
        Requests that arrive in parts, with others, are answered in their order.
        """
        wire = self.harness.send(CHECK + CHECK[:20])
        wire.send(CHECK[20:] + CHECK + CHECK[:-1])
        for _ in range(5):
            self.harness.clock.advance(0)
        self.assertEqual(self.answers(wire), 3)
        wire.send(CHECK[-1:])
        self.assertEqual(self.answers(wire), 4)
        wire.close()

    def test_behindAPoll(self) -> None:
        """
        A request behind a held poll waits for the poll, and is answered a turn later.
        """
        alice = self.harness.client(ALICE).catchUp()
        alice.poll().close()
        wire = self.harness.send(alice.pollBytes() + CHECK + CHECK)
        self.assertEqual(self.answers(wire), 0)
        self.harness.server.stop()
        self.assertEqual(self.answers(wire), 1)
        wire.close()
        self.harness.disconnectAll()
        self.assertEqual(self.harness.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """
        A client that disconnects before its requests are answered leaves nothing.
        """
        wire = self.harness.send(CHECK * 5)
        wire.close()
        self.assertEqual(self.harness.clock.getDelayedCalls(), [])


class SlowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.seconds = ConnectionLimits().seconds

    def drip(self, wire: Wire, data: bytes, seconds: float) -> None:
        """
        Send bytes with a pause after each.
        """
        for n in range(len(data)):
            if wire.isAborted:
                return
            wire.send(data[n : n + 1])
            self.harness.clock.advance(seconds)

    def isEnded(self, wire: Wire) -> bool:
        return wire.isAborted

    def test_silent(self) -> None:
        """
        A client that connects and sends nothing is disconnected.
        """
        wire = self.harness.send(b"")
        self.harness.clock.advance(self.seconds - 1)
        self.assertFalse(self.isEnded(wire))
        self.harness.clock.advance(2)
        self.assertTrue(self.isEnded(wire))

    def test_slowHead(self) -> None:
        """
        A head that arrives a byte at a time ends the connection, also on a connection
        that was used before.
        """
        for before in (b"", CHECK):
            wire = self.harness.send(before)
            self.drip(wire, CHECK, 1.0)
            self.assertTrue(self.isEnded(wire))

    def test_slowForm(self) -> None:
        """
        A form that arrives a byte at a time ends the connection.
        """
        post = request("POST", "/channel/poll2", body="x" * 10_000)
        head, mark, body = post.partition(b"\r\n\r\n")
        wire = self.harness.send(head + mark)
        self.drip(wire, body, 1.0)
        self.assertTrue(self.isEnded(wire))

    def test_slowUpload(self) -> None:
        """
        A file that arrives a byte at a time, also after a fast beginning, ends the
        connection and leaves nothing on the disk; files that arrive slowly but
        steadily are received.
        """
        alice = self.harness.client(ALICE)
        self.addCleanup(self.harness.server.stop)
        fields = {"uin": str(ALICE), "skey": alice.skey}
        tail = {"vfwebqq": alice.vfwebqq}
        body = form(fields, "file", "a.jpg", JPG + bytes(200_000), tail)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        target = "/ftn_access/upload_offline_file"
        whole = request("POST", target, {"Content-Type": kind}, body)
        steady = self.harness.send(b"")
        for count in (1, 2):
            for start in range(0, len(whole), 20_000):
                self.harness.clock.advance(self.seconds - 1)
                steady.send(whole[start : start + 20_000])
            self.assertEqual(steady.raw.count(b'"retcode":0'), count)
        steady.close()
        slow = self.harness.send(whole[:50_000])
        self.drip(slow, whole[50_000:60_000], 1.0)
        self.assertTrue(self.isEnded(slow))
        slow.close()
        folder = self.harness.server._blobs.incoming()
        self.assertEqual(list(folder.iterdir()), [])

    def test_unread(self) -> None:
        """
        A client that does not read its reply is disconnected, one that reads slowly
        is not, and one that disconnects itself leaves nothing.
        """
        unread = ConnectionLimits().unread
        for disconnects in (False, True):
            harness = ServerHarness(pollTimeout=20 * unread)
            wire = harness.client(ALICE).catchUp().poll()
            for _ in range(3):
                wire.channel.pauseProducing()
                harness.clock.advance(unread - 1)
                wire.channel.resumeProducing()
            harness.clock.advance(2 * unread)
            self.assertFalse(self.isEnded(wire))
            wire.channel.pauseProducing()
            if not disconnects:
                harness.clock.advance(unread + 1)
                self.assertTrue(self.isEnded(wire))
            harness.disconnectAll()
            harness.server.stop()
            self.assertEqual(harness.clock.getDelayedCalls(), [])

    def test_unreadEnd(self) -> None:
        """
        A client that does not read the end of its reply has no more time because the
        server has written it.
        """
        unread = ConnectionLimits().unread
        wire = self.harness.client(ALICE).catchUp().poll()
        wire.channel.pauseProducing()
        self.harness.clock.advance(1)
        self.harness.server.stop()
        self.assertTrue(wire.isAnswered)
        self.assertFalse(self.isEnded(wire))
        self.harness.clock.advance(unread)
        self.assertTrue(self.isEnded(wire))
        wire.close()


class ConnectionTests(SynchronousTestCase):
    def test_oneAddress(self) -> None:
        """
        The connections of an address are limited, those of others are not touched,
        and a closed connection makes room.
        """
        harness = ServerHarness(connections=LIMITS)
        wires = [harness.send(CHECK, "192.0.2.1") for _ in range(4)]
        refused = harness.send(b"", "192.0.2.1")
        self.assertTrue(refused.isAborted)
        self.assertEqual(harness.send(CHECK, "192.0.2.2").response.status, 200)
        refused.close()
        self.assertEqual(len(harness.server._addresses), 5)
        wires[0].close()
        self.assertFalse(harness.send(CHECK, "192.0.2.1").isAborted)

    def test_half(self) -> None:
        """
        One address has at most half of all connections.
        """
        harness = ServerHarness(connections=ConnectionLimits(total=6))
        for _ in range(3):
            self.assertFalse(harness.send(CHECK, "192.0.2.1").isAborted)
        self.assertTrue(harness.send(CHECK, "192.0.2.1").isAborted)

    def test_network(self) -> None:
        """
        The addresses of an IPv6 /64 are one.
        """
        harness = ServerHarness(connections=LIMITS)
        for n in range(4):
            harness.send(CHECK, f"2001:db8::{n}")
        self.assertTrue(harness.send(b"", "2001:db8::9").isAborted)
        self.assertFalse(harness.send(b"", "2001:db8:0:1::9").isAborted)

    def test_proxyProtocol(self) -> None:
        """
        Behind the PROXY protocol a connection is counted by the address that the
        protocol tells; the requests of one too many are not answered.
        """
        harness = ServerHarness(connections=LIMITS)
        site = HAProxyWrappingFactory(harness.site)

        def connect(address: str) -> StringTransport:
            peer = IPv4Address("TCP", "10.0.0.1", 31337)
            transport = StringTransport(peerAddress=peer)
            protocol: Any = site.buildProtocol(peer)
            protocol.makeConnection(transport)
            head = f"PROXY TCP4 {address} 10.0.0.1 31337 80\r\n"
            protocol.dataReceived(head.encode() + CHECK)
            return transport

        served = [connect("192.0.2.1") for _ in range(4)]
        self.assertTrue(all(b" 200 OK" in one.value() for one in served))
        refused = connect("192.0.2.1")
        self.assertTrue(refused.disconnected)
        self.assertEqual(refused.value(), b"")
        self.assertIn(b" 200 OK", connect("192.0.2.2").value())

    def test_full(self) -> None:
        """
        When all connections are open, the oldest idle one of the address with the
        most makes room; a held poll does not.
        """
        limits = ConnectionLimits(total=6)
        harness = ServerHarness(connections=limits)
        alice = harness.client(ALICE).catchUp()
        harness.disconnectAll()
        poll = harness.send(alice.pollBytes(), "192.0.2.1")
        poll = poll if not poll.isAnswered else poll.send(alice.pollBytes())
        idle = harness.send(CHECK, "192.0.2.1")
        others = [harness.send(CHECK, f"192.0.2.{n}") for n in range(2, 6)]
        late = harness.send(CHECK, "192.0.2.6")
        self.assertEqual(late.response.status, 200)
        self.assertTrue(idle.isAborted)
        self.assertFalse(poll.isAborted)
        idle.close()
        self.assertEqual(len(harness.server._addresses), 6)
        self.assertFalse(any(one.isAborted for one in others))
        busiest = harness.send(CHECK, "192.0.2.1")
        self.assertEqual(busiest.response.status, 200)

    def test_proxied(self) -> None:
        """
        Behind a trusted proxy the open requests of each client are limited, and not
        the connections of the proxy.
        """
        harness = ServerHarness(connections=LIMITS, proxies=("10.0.0.1",))
        data = request(
            "POST", "/channel/poll2", {"X-Forwarded-For": "192.0.2.1"}, "r=%7B%7D"
        )
        for _ in range(4):
            # Each poll without a session is held for a second.
            harness.send(data, "10.0.0.1")
        refused = harness.send(data, "10.0.0.1").response
        self.assertEqual((refused.status, refused.json["retcode"]), (503, 100004))
        other = data.replace(b"192.0.2.1", b"192.0.2.2")
        self.assertNotIn(b"503", harness.send(other, "10.0.0.1").raw)
        harness.clock.advance(1)
        held = [harness.send(data, "10.0.0.1") for _ in range(4)]
        self.assertNotIn(b"503", b"".join(each.raw for each in held))
        self.assertIn(b"503", harness.send(data, "10.0.0.1").raw)
        held[0].close()
        self.assertNotIn(b"503", harness.send(data, "10.0.0.1").raw)


class RateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = ServerHarness(connections=LIMITS)
        self.clock = self.harness.clock

    def test_wait(self) -> None:
        """
        Requests of an address beyond the rate wait; those of another do not.
        """
        wire = self.harness.send(b"", "192.0.2.1")
        for _ in range(20):
            wire.send(CHECK)
            self.clock.advance(0)
        self.assertEqual(wire.raw.count(b"HTTP/1.1 200"), 20)
        wire.send(CHECK)
        self.assertEqual(wire.raw.count(b"HTTP/1.1 200"), 20)
        self.assertTrue(self.harness.send(CHECK, "192.0.2.2").isAnswered)
        self.clock.advance(0.11)
        self.assertEqual(wire.raw.count(b"HTTP/1.1 200"), 21)
        wire.send(CHECK)
        wire.close()
        self.harness.disconnectAll()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_proxied(self) -> None:
        """
        Behind a trusted proxy the requests of each client are counted.
        """
        harness = ServerHarness(connections=LIMITS, proxies=("10.0.0.1",))

        def isAnswered(address: str) -> bool:
            target = "/check?uin=10001&appid=1003903&r=0.1"
            sent = request("GET", target, {"X-Forwarded-For": address})
            return harness.send(sent, "10.0.0.1").isAnswered

        self.assertTrue(all(isAnswered("192.0.2.1") for _ in range(20)))
        self.assertFalse(isAnswered("192.0.2.1"))
        self.assertTrue(isAnswered("192.0.2.2"))

    def test_bodies(self) -> None:
        """
        A large form counts as several requests.
        """
        addresses = AddressLimits(self.clock.seconds, LIMITS)
        self.assertEqual(addresses.delay("a", 19 * 4096), 0.0)
        self.assertGreater(addresses.delay("a", 0), 0.0)
        self.assertEqual(addresses.delay("b", 0), 0.0)

    def test_upload(self) -> None:
        """
        The upload of a file leaves the address its requests, though it is larger than
        many forms.
        """
        alice = self.harness.client(ALICE)
        self.addCleanup(self.harness.server.stop)
        fields = {"uin": str(ALICE), "skey": alice.skey, "vfwebqq": alice.vfwebqq}
        body = form(fields, "file", "a.jpg", JPG + bytes(200_000))
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        target = "/ftn_access/upload_offline_file"
        whole = request("POST", target, {"Content-Type": kind}, body)
        wire = self.harness.send(whole, "192.0.2.7")
        self.assertIn(b'"retcode":0', wire.raw)
        self.assertTrue(self.harness.send(CHECK, "192.0.2.7").isAnswered)

    def test_local(self) -> None:
        """
        Clients of a UNIX socket are not counted by address.
        """
        addresses = AddressLimits(self.clock.seconds, LIMITS)
        self.assertEqual([addresses.delay("", 0) for _ in range(99)], [0.0] * 99)


@pytest.mark.parametrize(
    "limits",
    [(1024, 4096), (4096, 4096), (100, 100), (1024, resource.RLIM_INFINITY)],
)
def test_descriptors(limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The server uses as many descriptors as the system allows, and leaves some for
    files.
    """
    now = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: now.append(pair))
    total = raiseDescriptorLimit()
    soft = now[-1][0]
    assert soft == (65_536 if limits[1] == resource.RLIM_INFINITY else limits[1])
    assert total == max(soft - RESERVED_DESCRIPTORS, soft // 2)


def test_addressesAreBounded() -> None:
    """
    The number of addresses in memory is limited.
    """
    addresses = AddressLimits(Clock().seconds, LIMITS)
    for n in range(10_100):
        addresses.delay(str(IPv4Address("TCP", f"a{n}", 1)), 0)
    assert len(addresses._paid) == 10_000
