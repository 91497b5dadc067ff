"""
Requests that arrive whole are answered as those that arrive in parts.
"""

from __future__ import annotations

import gc
import json
import re
from urllib.parse import quote

import pytest

from tests.server.harness import ALICE, BOB, ServerHarness, Wire, request
from txwebqq.server.commandresource import IDLE_TIMEOUT

CHECK = "/check?uin=10001&appid=1003903&r=0.1"


def reply(data: bytes, parts: int) -> Wire:
    """
    The connection on which a new server has answered a request that arrived in
    parts.
    """
    harness = ServerHarness()
    wire = Wire(harness, "192.0.2.1")
    size = max(1, len(data) // parts)
    for start in range(0, len(data), size):
        wire.send(data[start : start + size])
    harness.clock.advance(0)
    return wire


@pytest.mark.parametrize(
    "data",
    [
        request("GET", CHECK),
        request("GET", CHECK, {"Connection": "close"}),
        request("GET", "/cgi-bin/ver"),
        request("GET", "/nowhere"),
        request("PUT", CHECK),
        request("HEAD", CHECK),
        request("OPTIONS", "*"),
        request("POST", "/channel/send_buddy_msg2", body="r={}"),
        request("POST", "/channel/send_buddy_msg2", body="a=" + "b" * 200_000),
        request("POST", "/channel/login2", {"Expect": "100-continue"}, "r=%7B%7D"),
        request("GET", CHECK) * 2,
        request("GET", CHECK + "&" * 300),
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_alike(data: bytes) -> None:
    """
    The reply does not depend on the parts, except for its date.
    """
    one, other = (
        re.sub(rb"\r\nDate: [^\r]*", b"", reply(data, parts).raw) for parts in (1, 7)
    )
    assert one == other
    assert one


@pytest.mark.parametrize("parts", [1, 7])
def test_idle(parts: int) -> None:
    """
    A connection is closed when it has been idle for some time after its last reply,
    and leaves nothing on the clock.
    """
    harness = ServerHarness()
    wire, other = Wire(harness, "192.0.2.1"), Wire(harness, "192.0.2.1")
    data = request("GET", "/cgi-bin/ver")
    size = len(data) // parts
    for _ in range(3):
        for start in range(0, len(data), size):
            wire.send(data[start : start + size])
        other.send(data)
        harness.clock.advance(IDLE_TIMEOUT - 1)
        assert not wire.transport.disconnecting
    other.close()
    harness.clock.advance(1)
    assert wire.transport.disconnecting
    wire.close()
    assert harness.clock.getDelayedCalls() == []


def test_pipelined() -> None:
    """
    Of several requests that follow a whole one, only one is answered at once.
    """
    harness = ServerHarness()
    wire = Wire(harness, "192.0.2.1")
    data = request("GET", "/cgi-bin/ver")

    def answered() -> int:
        return wire.raw.count(b"HTTP/1.1 200 OK")

    wire.send(data)
    assert answered() == 1
    wire.send(data * 4)
    assert answered() == 2
    # This clock goes through all turns.
    harness.clock.advance(0)
    assert answered() == 5
    wire.send(data)
    assert answered() == 6


def test_headers() -> None:
    """
    Both ways write the same headers.
    """
    harness = ServerHarness()
    client = harness.client(ALICE)
    whole = client.ask("/channel/send_buddy_msg2", to=1, content="a").response
    odd = harness.get("/nowhere").response
    for name in ("Server", "Date", "Cache-Control", "X-Content-Type-Options"):
        assert len(whole.all(name)) == len(odd.all(name)) == 1
    harness.disconnectAll()


@pytest.mark.parametrize("isProxy", [False, True])
def test_held(isProxy: bool) -> None:
    """
    While a poll is held, the server keeps those of its headers alone that say how the
    client reaches it.
    """
    proxies = ("192.0.2.1",) if isProxy else ()
    harness = ServerHarness(proxies=proxies)
    bob = harness.client(BOB)
    r = quote(json.dumps({"clientid": bob.clientid, "psessionid": bob.psessionid}))
    headers = {"Cookie": "a=" + "b" * 500, "X-Forwarded-Proto": "https"}
    wire = Wire(harness, "192.0.2.1")
    wire.send(request("POST", "/channel/poll2", headers, f"r={r}"))
    harness.clock.advance(1)
    session = harness.state.sessions.online(BOB)
    assert session is not None
    assert wire.raw == b""
    (held,) = wire.channel.requests
    assert "requestHeaders" not in vars(held)
    assert len(held.headerLines) < 100
    assert held.getHeader(b"host") is not None
    assert held.getHeader(b"x-forwarded-proto") == b"https"
    assert held.getHeader(b"cookie") is None
    wire.close()


def test_garbage() -> None:
    """
    A message and the poll that it answers leave nothing to the garbage collector.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    session = harness.state.sessions.online(ALICE)
    assert session is not None
    members = {
        "to": session.sessionIds.uin(BOB),
        "content": '["hello",["font",{"name":"Arial"}]]',
        "clientid": alice.clientid,
        "psessionid": alice.psessionid,
    }
    body = "r=" + quote(json.dumps(members))
    send = request("POST", "/channel/send_buddy_msg2", body=body)
    sender, recipient = Wire(harness, "192.0.2.1"), Wire(harness, "192.0.2.2")

    def exchange() -> None:
        recipient.send(bob.pollBytes())
        sender.send(send)
        harness.clock.advance(0)

    exchange()
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            exchange()
        found = gc.collect()
    finally:
        gc.enable()
    assert recipient.raw.count(b'"poll_type":"message"') == 11
    assert found == 0
