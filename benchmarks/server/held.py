"""
C{held}: memory of a server for each account that is signed on and has a held
poll.
"""

from __future__ import annotations

import time

from benchmarks.measures import Measure
from benchmarks.processes import allowFiles
from benchmarks.server.http import Socket, poll, tickets
from benchmarks.servers import running

QUIET = 1.0
"""Seconds to wait until the server has read all requests."""


def ours(accounts: int) -> float:
    """
    Measure the memory per account, session and held poll together, in KiB.
    """
    allowFiles(accounts + 500)
    with running("webqq", accounts=accounts + 1, friends=2) as server:
        tickets(server.port, 1)
        before = server.memory()
        found = tickets(server.port, accounts)
        sockets = []
        for n, ticket in enumerate(found):
            one = Socket(server.port)
            one.post("/channel/poll2", poll(ticket, str(n)))
            sockets.append(one)
        time.sleep(QUIET)
        for n, (one, ticket) in enumerate(zip(sockets, found, strict=True)):
            # The reply to the first poll tells which friends are online.
            if one.isReadable():
                one.read()
                one.post("/channel/poll2", poll(ticket, str(n)))
        time.sleep(QUIET)
        return (server.memory() - before) / accounts


def bare(accounts: int) -> float:
    """
    Measure the memory per request that a bare resource of twisted.web holds, in
    KiB.
    """
    allowFiles(accounts + 500)
    with running("bare") as server:
        Socket(server.port).get("/")
        before = server.memory()
        sockets = []
        for n in range(accounts):
            one = Socket(server.port)
            one.post("/channel/poll2", poll("x" * 192, str(n)))
            sockets.append(one)
        time.sleep(QUIET)
        return (server.memory() - before) / accounts


MEASURES = [
    Measure(
        "held",
        "benchmarks.server.held:ours",
        "benchmarks.server.held:bare",
        0.6,
        "KiB/held",
        size={"accounts": 5000},
        quickSize={"accounts": 1000},
        rounds=3,
    )
]
