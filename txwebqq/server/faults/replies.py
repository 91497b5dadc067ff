"""
Replies with faults: the bytes of a whole HTTP reply, and what is sent in their place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Any, assert_never

from txwebqq.model import KickNotice
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
from txwebqq.wire.command import Refusal, encodeRefusal
from txwebqq.wire.commands.messages import Poll2, PollResult

KICKED = "the account signed on elsewhere (a fault on purpose)"

TURNS = 10
"""The number of times in a second at which a slow reply is continued."""


class Ending(Enum):
    """
    The end of a connection after a reply.
    """

    KEPT = "kept"
    CLOSED = "closed"
    RESET = "reset"


@dataclass(frozen=True)
class Output:
    """
    The bytes that are sent in place of a reply.

    @ivar delay: the time before the first byte, in seconds.
    @ivar size: the size of the parts, in bytes; 0 for one part.
    @ivar interval: the time between two parts, in seconds.
    """

    data: bytes
    delay: float = 0.0
    size: int = 0
    interval: float = 0.0
    ending: Ending = Ending.KEPT


@dataclass(frozen=True)
class HTTPReply:
    """
    A reply, taken apart.

    @ivar lines: the status line and the lines of the headers.
    """

    lines: tuple[bytes, ...]
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> HTTPReply:
        """
        Take the bytes of a reply apart.
        """
        head, _, body = data.partition(b"\r\n\r\n")
        return cls(tuple(head.split(b"\r\n")), body)

    def encode(self, length: int | None = None) -> bytes:
        """
        Return the bytes.

        @param length: the C{Content-Length}, by default that of the body.
        """
        kept = [line for line in self.lines if not _isLength(line)]
        size = len(self.body) if length is None else length
        kept.append(b"Content-Length: %d" % size)
        return b"\r\n".join(kept) + b"\r\n\r\n" + self.body


def _isLength(line: bytes) -> bool:
    name = line.partition(b":")[0].lower()
    return name in (b"content-length", b"transfer-encoding")


def eventsOf(data: bytes) -> list[Any] | None:
    """
    Return the events of a successful reply to a poll, L{None} for other replies.

    @param data: the bytes of the whole reply.
    """
    value = _value(HTTPReply.parse(data).body)
    events = value.get("result") if value.get("retcode") == 0 else None
    return events if isinstance(events, list) else None


def _value(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def alter(data: bytes, fault: Fault, random: Random) -> Output:
    """
    Return what is sent in place of a reply.

    @param data: the bytes of the whole reply.
    """
    match fault:
        case Delay(least=least, most=most):
            return Output(data, delay=random.uniform(least, most))
        case Reset() | Lose():
            return Output(b"", ending=Ending.RESET)
        case Truncate():
            end = random.randrange(1, max(2, len(data)))
            return Output(data[:end], ending=Ending.CLOSED)
        case WrongLength(by=by):
            reply = HTTPReply.parse(data)
            ending = Ending.CLOSED if by > 0 else Ending.KEPT
            return Output(reply.encode(max(0, len(reply.body) + by)), ending=ending)
        case Slow(rate=rate):
            size = max(1, rate // TURNS)
            return Output(data, size=size, interval=size / rate)
        case Parts(count=count, interval=interval):
            size = max(1, -(-len(data) // count))
            return Output(data, size=size, interval=interval)
        case Status():
            return Output(_page(fault))
        case Retcode(code=code):
            return Output(_withBody(data, encodeRefusal(Refusal(code))))
        case Garbage(isText=isText):
            body = HTTPReply.parse(data).body
            if isText:
                return Output(_withBody(data, b"{" + body[: len(body) // 2]))
            # Inside a string, lenient clients would take them for a part of the text.
            return Output(_withBody(data, b"\xff\xfe" + body))
        case Duplicate() | Reorder() | Kick():
            body = _polled(HTTPReply.parse(data).body, fault, random)
            return Output(_withBody(data, body))
        case _:
            assert_never(fault)


def _withBody(data: bytes, body: bytes) -> bytes:
    return replace(HTTPReply.parse(data), body=body).encode()


def _page(fault: Status) -> bytes:
    lines = [b"HTTP/1.1 %d Fault" % fault.code, b"Content-Type: text/html"]
    if fault.location:
        lines.append(b"Location: " + fault.location.encode())
    return HTTPReply(tuple(lines), fault.html.encode()).encode()


def _polled(body: bytes, fault: Duplicate | Reorder | Kick, random: Random) -> bytes:
    if isinstance(fault, Kick):
        return Poll2.encodeReply(PollResult((KickNotice(KICKED),)))
    value = _value(body)
    events: list[Any] = value["result"]
    if isinstance(fault, Duplicate):
        at = random.randrange(len(events))
        # Before the event is later than it: the newest comes first. Elsewhere it would
        # be another order, for clients that drop the later one.
        events.insert(random.randrange(at + 1), events[at])
    else:
        before = events[:]
        random.shuffle(events)
        if events == before:
            events.reverse()
    return json.dumps(value, ensure_ascii=False).encode()
