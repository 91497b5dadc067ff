"""
Tickets that the server replaces (retcode 116) while other requests are on their way.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.server import NOT_DONE_YET, Request

from tests.rig import HEARTBEAT, LOGIN2, NO_EVENTS, POLL, SEND, Rig, batch, message
from txwebqq.model import Sent
from txwebqq.wire.form import Form

ROTATED = b'{"retcode":116,"p":"new-one"}'


class Held:
    """
    Requests that are answered when a test says so, and the tickets that they carry.
    """

    def __init__(self, rig: Rig, path: str) -> None:
        self.rig = rig
        self.requests: list[Request] = []
        self.cookies: list[bool] = []
        rig.server.replies[path] = [self.hold] * 4

    def hold(self, request: Request) -> int:
        self.requests.append(request)
        self.cookies.append("ptwebqq=new-one" in (request.getHeader("Cookie") or ""))
        return NOT_DONE_YET

    def answer(self, reply: bytes) -> None:
        request = self.requests.pop(0)
        request.write(reply)
        request.finish()
        self.rig.web.settle(1)


def test_inPoll(rig: Rig) -> None:
    """
    The next poll has the new ticket, and events come as before; twice in a row too.
    """
    polls = Held(rig, POLL)
    rig.start()
    polls.answer(ROTATED)
    polls.answer(ROTATED)
    polls.answer(batch(message(1, 5, "a")))
    assert polls.cookies == [False, True, True, True]
    assert rig.factory.logs == [["made", "on", "a"]]


def test_inSend(rig: Rig) -> None:
    """
    A send that is on its way is not disturbed, and the next one has the new ticket.
    """
    polls, sends = Held(rig, POLL), Held(rig, SEND)
    rig.start()
    uin = next(iter(rig.protocol.buddies))
    results: list[Any] = []
    rig.protocol.sendMessage(uin, "one").addBoth(results.append)
    rig.web.settle()
    polls.answer(ROTATED)
    assert results == []
    sends.answer(b'{"retcode":0,"result":"ok","msg_id2":7,"time":9}')
    assert results == [Sent(7, 9)]
    rig.protocol.sendMessage(uin, "two").addBoth(results.append)
    rig.web.settle()
    sends.answer(b'{"retcode":0,"result":"ok"}')
    assert sends.cookies == [False, True]
    assert len(results) == 2
    assert rig.factory.logs == [["made", "on"]]


def test_withHeartbeat(rig: Rig) -> None:
    """
    A heartbeat that was sent with the old ticket changes nothing, with any reply.
    """
    beats = Held(rig, HEARTBEAT)
    rig.polls(NO_EVENTS)
    polls = Held(rig, POLL)
    rig.web.settle(60)
    assert len(beats.requests) == 1
    polls.answer(ROTATED)
    beats.answer(b'{"retcode":100,"errmsg":""}')
    rig.web.settle(60)
    assert beats.cookies == [False, True]
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize("isRotatedFirst", [True, False])
def test_withRejoin(rig: Rig, isRotatedFirst: bool) -> None:
    """
    A rejoin has the new ticket if there was one before it began; the reply to a poll
    that the rejoin has given up is not looked at.
    """
    polls = Held(rig, POLL)
    rig.start()
    joins = Held(rig, LOGIN2)
    if isRotatedFirst:
        polls.answer(ROTATED)
    rig.service._driver._machine.expired(0.0)
    rig.web.settle()
    assert joins.cookies == [isRotatedFirst]
    request = joins.requests[0]
    assert request.content is not None
    request.content.seek(0)
    ticket = Form.parse(b"", request.content.read()).ticket
    assert (ticket.ptwebqq == "new-one") is isRotatedFirst
    joins.answer(b'{"retcode":103,"errmsg":""}')
    rig.server.replies.clear()
    rig.web.settle(10)
    assert rig.factory.logs[-1] == ["made", "on"]
