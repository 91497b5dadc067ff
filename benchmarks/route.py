"""
C{route}: messages that a server takes and delivers for a second of its CPU:
one send, and one poll that was held is answered.
"""

from __future__ import annotations

import json
import select

from benchmarks.http import Socket, form, poll, tickets
from benchmarks.measures import Measure
from benchmarks.servers import running

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


def _friend(alice: Socket, bob: Socket, asked: list[str]) -> int:
    """
    The uin under which Alice knows Bob: the one that he hears her by.
    """
    alice.post("/channel/poll2", poll(asked[0], "0"))
    for event in json.loads(alice.read())["result"]:
        uin = event["value"].get("uin")
        if uin:
            return int(uin)
    raise AssertionError("nobody is there")


def ours(messages: int) -> float:
    """
    Messages per second of CPU, with a database for what is not delivered.
    """
    with running("webqq", accounts=2, friends=2) as server:
        asked = tickets(server.port, 2)
        alice, bob = Socket(server.port), Socket(server.port)
        to = _friend(alice, bob, asked)
        question = poll(asked[1], "1")
        bob.post("/channel/poll2", question)
        if select.select([bob], [], [], 0.3)[0]:
            bob.read()
            bob.post("/channel/poll2", question)
        sends = [message(to, n, asked[0], "0") for n in range(messages)]
        before = server.cpu()
        for send in sends:
            alice.post("/channel/send_buddy_msg2", send)
            alice.read()
            bob.read()
            bob.post("/channel/poll2", question)
        return messages / (server.cpu() - before)


def bare(messages: int) -> float:
    """
    The same two requests, of a resource that knows no protocol.
    """
    with running("bare") as server:
        alice, bob = Socket(server.port), Socket(server.port)
        question = poll("x" * 192, "1")
        bob.post("/channel/poll2", question)
        sends = [message(2963008411, n, "x" * 192, "0") for n in range(messages)]
        before = server.cpu()
        for send in sends:
            alice.post("/channel/send_buddy_msg2", send)
            alice.read()
            bob.read()
            bob.post("/channel/poll2", question)
        return messages / (server.cpu() - before)


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
