"""
C{route}: messages that a server takes and delivers for a second of its CPU:
one send, and one poll that was held is answered.
"""

from __future__ import annotations

import json
import select

from benchmarks.http import Socket, form, poll, tickets
from benchmarks.measures import Measure
from benchmarks.servers import Running, running

PAIRS = 20
"""So many talk at a time."""

FONT = ["font", {"name": "Arial", "size": "10", "style": [0, 0, 0], "color": "000000"}]


def message(to: int, n: int, ticket: str, clientid: str) -> bytes:
    """
    The question that sends something to a friend.
    """
    members = {
        "to": to,
        "face": 0,
        "content": json.dumps([f"hello there, how are you {n}", FONT]),
        "msg_id": 1000 + n,
        "clientid": clientid,
        "psessionid": ticket,
    }
    return form(members, ticket, clientid)


def _friend(asking: Socket, ticket: str, clientid: str) -> int:
    """
    The uin under which somebody knows their only friend: the first poll tells
    who is there.
    """
    asking.post("/channel/poll2", poll(ticket, clientid))
    for event in json.loads(asking.read())["result"]:
        uin = event["value"].get("uin")
        if uin:
            return int(uin)
    raise AssertionError("nobody is there")


def _talk(
    server: Running, sends: list[list[bytes]], polls: list[bytes], rounds: int
) -> float:
    """
    In each round somebody of each pair says something to the other one, whose
    poll is held by then. Messages per second of CPU.
    """
    senders = [Socket(server.port) for _ in polls]
    hearers = [Socket(server.port) for _ in polls]
    for hearer, question in zip(hearers, polls, strict=True):
        hearer.post("/channel/poll2", question)
        if select.select([hearer], [], [], 0.2)[0]:
            # Who is there; that is not what is measured.
            hearer.read()
            hearer.post("/channel/poll2", question)
    witness = Socket(server.port)
    before = server.cpu()
    for n in range(rounds):
        # Once this is answered, the polls that were asked before it are held.
        witness.get("/")
        for sender, said in zip(senders, sends, strict=True):
            sender.post("/channel/send_buddy_msg2", said[n])
        for sender, hearer, question in zip(senders, hearers, polls, strict=True):
            sender.read()
            hearer.read()
            hearer.post("/channel/poll2", question)
    return rounds * len(polls) / (server.cpu() - before)


def ours(messages: int) -> float:
    """
    Messages per second of CPU, with a database for what is not delivered.
    """
    rounds = messages // PAIRS
    with running("webqq", accounts=2 * PAIRS, friends=1) as server:
        asked = tickets(server.port, 2 * PAIRS)
        sends, polls = [], []
        for n in range(0, 2 * PAIRS, 2):
            to = _friend(Socket(server.port), asked[n], str(n))
            said = [message(to, one, asked[n], str(n)) for one in range(rounds)]
            sends.append(said)
            polls.append(poll(asked[n + 1], str(n + 1)))
        return _talk(server, sends, polls, rounds)


def bare(messages: int) -> float:
    """
    The same two requests, of a resource that knows no protocol.
    """
    rounds = messages // PAIRS
    with running("bare", byClient=True) as server:
        sends = [
            [message(2963008411, one, "x" * 192, str(n)) for one in range(rounds)]
            for n in range(PAIRS)
        ]
        return _talk(
            server, sends, [poll("x" * 192, str(n)) for n in range(PAIRS)], rounds
        )


MEASURES = [
    Measure(
        "route",
        "benchmarks.route:ours",
        "benchmarks.route:bare",
        0.6,
        "messages/s CPU",
        isLimit=False,
        size={"messages": 5000},
        quickSize={"messages": 1500},
    )
]
