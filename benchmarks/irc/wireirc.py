"""
C{wire-irc}: lines of IRC parsed per second.
"""

from __future__ import annotations

import time

from benchmarks.measures import Measure

LINES = [
    ":ming!20002@qq.localhost PRIVMSG #猫咪 :你好，今天怎么样？".encode(),
    b":irc.example.org 353 alice = #cats :@bob alice carol dave eve frank",
    b"PING :irc.example.org",
    b":bob!~b@host.example.org JOIN #cats",
    b":bob!~b@host.example.org PRIVMSG #cats :hello there, how are you today",
]


def ours(times: int) -> float:
    """
    Measure lines per second of CPU time, from bytes to values.
    """
    from txwebqq.irc.protocol.line import parse

    began = time.process_time()
    for _ in range(times):
        for raw in LINES:
            parse(raw)
    return times * len(LINES) / (time.process_time() - began)


def twistedWords(times: int) -> float:
    """
    Measure the same with L{twisted.words}, after the decoding that it does not
    do.
    """
    from twisted.words.protocols.irc import parsemsg

    began = time.process_time()
    for _ in range(times):
        for raw in LINES:
            parsemsg(raw.decode("utf-8"))
    return times * len(LINES) / (time.process_time() - began)


MEASURES = [
    Measure(
        "wire-irc",
        "benchmarks.irc.wireirc:ours",
        "benchmarks.irc.wireirc:twistedWords",
        1.0,
        "lines/s",
        isLimit=False,
        size={"times": 50_000},
        quickSize={"times": 20_000},
        # So short a measure differs much from one run to the next.
        rounds=15,
        quickRounds=5,
    )
]
