"""
The bytes that are sent in place of a reply.
"""

from __future__ import annotations

import json
from random import Random

import pytest

from txwebqq.server.faults.plan import (
    Delay,
    Duplicate,
    Fault,
    Garbage,
    Kick,
    Lose,
    Parts,
    Reorder,
    Reset,
    Retcode,
    Slow,
    Status,
    Truncate,
    WrongLength,
)
from txwebqq.server.faults.replies import Ending, HTTPReply, Output, alter, eventsOf
from txwebqq.wire.commands.messages import Poll2, PollResult

HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"
BODY = '{"retcode":0,"result":[{"n":1},{"n":"二"},{"n":3}],"ack":7}'.encode()
REPLY = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def altered(fault: Fault, data: bytes = REPLY) -> Output:
    return alter(data, fault, Random(1))


def bodyOf(fault: Fault) -> bytes:
    """
    Return the body of an altered reply, whose length is right.
    """
    data = altered(fault).data
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    return body


@pytest.mark.parametrize("fault", [Reset(isAfter=True), Lose()])
def test_nothing(fault: Fault) -> None:
    """
    A reset reply, and a lost one, have no byte.
    """
    assert altered(fault) == Output(b"", ending=Ending.RESET)


def test_truncate() -> None:
    """
    A truncated reply ends anywhere but at its end.
    """
    random = Random(1)
    outputs = [alter(REPLY, Truncate(), random) for _ in range(2000)]
    assert {len(each.data) for each in outputs} == set(range(1, len(REPLY)))
    assert all(REPLY.startswith(each.data) for each in outputs)
    assert {each.ending for each in outputs} == {Ending.CLOSED}


@pytest.mark.parametrize("by", [16, -16])
def test_wrongLength(by: int) -> None:
    """
    The length is wrong, and the body is not.
    """
    output = altered(WrongLength(by))
    assert output.data.endswith(b"\r\n\r\n" + BODY)
    assert output.data.count(b"Content-Length") == 1
    assert b"Content-Length: %d\r\n" % (len(BODY) + by) in output.data
    assert output.ending is (Ending.CLOSED if by > 0 else Ending.KEPT)


def test_time() -> None:
    """
    Delays, slow bytes and parts change nothing of the reply.
    """
    assert altered(Delay(2, 2, isAfter=True)) == Output(REPLY, delay=2)
    assert altered(Slow(100)) == Output(REPLY, size=10, interval=0.1)
    assert altered(Slow(1)) == Output(REPLY, size=1, interval=1)
    size = -(-len(REPLY) // 3)
    assert altered(Parts(3, 0.5)) == Output(REPLY, size=size, interval=0.5)


def test_status() -> None:
    """
    A page comes in place of the reply.
    """
    output = altered(Status(302, "<p>", "http://portal.test/"))
    assert output.data == (
        b"HTTP/1.1 302 Fault\r\nContent-Type: text/html\r\n"
        b"Location: http://portal.test/\r\nContent-Length: 3\r\n\r\n<p>"
    )


def test_retcode() -> None:
    """
    A refusal comes in place of the reply.
    """
    assert json.loads(bodyOf(Retcode(121)))["retcode"] == 121


def test_garbage() -> None:
    """
    The body is no JSON, or not even UTF-8.
    """
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodyOf(Garbage(isText=True)).decode())
    with pytest.raises(UnicodeDecodeError):
        bodyOf(Garbage(isText=False)).decode()


@pytest.mark.parametrize("seed", range(10))
def test_duplicate(seed: int) -> None:
    """
    One event comes twice, and the order of a client that keeps the older one is as
    it was. Replies have the newest event first.
    """
    body = alter(REPLY, Duplicate(), Random(seed)).data.partition(b"\r\n\r\n")[2]
    value = json.loads(body)
    oldestFirst = [event["n"] for event in reversed(value["result"])]
    assert len(oldestFirst) == 4
    assert list(dict.fromkeys(oldestFirst)) == [3, "二", 1]
    assert value["ack"] == 7


@pytest.mark.parametrize("seed", range(10))
def test_reorder(seed: int) -> None:
    """
    The events come in another order.
    """
    body = alter(REPLY, Reorder(), Random(seed)).data.partition(b"\r\n\r\n")[2]
    value = json.loads(body)
    numbers = [event["n"] for event in value["result"]]
    assert numbers != [1, "二", 3]
    assert sorted(map(str, numbers)) == ["1", "3", "二"]


def test_kick() -> None:
    """
    A kick has no C{ack}, so the events of the reply are not acknowledged.
    """
    result = Poll2.decodeReply(bodyOf(Kick()))
    assert isinstance(result, PollResult)
    assert [type(event).__name__ for event in result.events] == ["KickNotice"]
    assert result.ack is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"retcode":102}', b'{"retcode":0,"result":"ok"}', b"\xff"]
)
def test_noEvents(body: bytes) -> None:
    """
    Other replies than those with events are none of a successful poll.
    """
    assert eventsOf(HTTPReply((HEAD,), body).encode()) is None
    assert eventsOf(REPLY) == [{"n": 1}, {"n": "二"}, {"n": 3}]
