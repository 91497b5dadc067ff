"""
C{route}: messages that a server delivers per second of its CPU time; each is a
send and the reply to a held poll.
"""

from __future__ import annotations

import json
import select

from benchmarks.measures import Measure
from benchmarks.processes import Running
from benchmarks.server.http import Socket, form, poll, tickets
from benchmarks.servers import running

PAIRS = 20
"""Number of pairs of a sender and a recipient."""

FONT = ["font", {"name": "Arial", "size": "10", "style": [0, 0, 0], "color": "000000"}]


def message(to: int, n: int, ticket: str, clientid: str) -> bytes:
    """
    Make the request body of a message to a friend.

    @param n: a number that makes the message differ from others.
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


def friend(connection: Socket, ticket: str, clientid: str) -> int:
    """
    Return the uin of the only friend of an account. The first poll reports the
    presence of friends.
    """
    connection.post("/channel/poll2", poll(ticket, clientid))
    for event in json.loads(connection.read())["result"]:
        uin = event["value"].get("uin")
        if uin:
            return int(uin)
    raise AssertionError("no friend is online")


def _deliver(
    server: Running, sends: list[list[bytes]], polls: list[bytes], rounds: int
) -> float:
    """
    Measure the messages delivered per second of the server's CPU time. In each
    round the sender of each pair sends a message to its recipient, whose poll
    is held.
    """
    senders = [Socket(server.port) for _ in polls]
    recipients = [Socket(server.port) for _ in polls]
    for recipient, request in zip(recipients, polls, strict=True):
        recipient.post("/channel/poll2", request)
        if select.select([recipient], [], [], 0.2)[0]:
            # The presence of friends, which is not measured.
            recipient.read()
            recipient.post("/channel/poll2", request)
    other = Socket(server.port)
    before = server.cpu()
    for n in range(rounds):
        # When this has its reply, the polls sent before it are held.
        other.get("/")
        for sender, bodies in zip(senders, sends, strict=True):
            sender.post("/channel/send_buddy_msg2", bodies[n])
        for sender, recipient, request in zip(senders, recipients, polls, strict=True):
            sender.read()
            recipient.read()
            recipient.post("/channel/poll2", request)
    return rounds * len(polls) / (server.cpu() - before)


def ours(messages: int) -> float:
    """
    Measure the server of txwebqq, with a database for messages that are not
    delivered.
    """
    rounds = messages // PAIRS
    with running("webqq", accounts=2 * PAIRS, friends=1) as server:
        ids = tickets(server.port, 2 * PAIRS)
        sends, polls = [], []
        for n in range(0, 2 * PAIRS, 2):
            to = friend(Socket(server.port), ids[n], str(n))
            bodies = [message(to, one, ids[n], str(n)) for one in range(rounds)]
            sends.append(bodies)
            polls.append(poll(ids[n + 1], str(n + 1)))
        return _deliver(server, sends, polls, rounds)


def bare(messages: int) -> float:
    """
    Measure the same two requests to a resource without a protocol.
    """
    rounds = messages // PAIRS
    with running("bare", byClient=True) as server:
        sends = [
            [message(2963008411, one, "x" * 192, str(n)) for one in range(rounds)]
            for n in range(PAIRS)
        ]
        return _deliver(
            server, sends, [poll("x" * 192, str(n)) for n in range(PAIRS)], rounds
        )


MEASURES = [
    Measure(
        "route",
        "benchmarks.server.route:ours",
        "benchmarks.server.route:bare",
        0.6,
        "messages/s CPU",
        isLimit=False,
        size={"messages": 5000},
        quickSize={"messages": 1500},
    )
]
