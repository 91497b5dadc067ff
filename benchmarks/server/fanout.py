"""
C{fan-out}: CPU time of a server for each recipient of a group message whose poll
is held.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from benchmarks.measures import Measure
from benchmarks.processes import allowFiles
from benchmarks.server.http import Socket, form, poll, sessions
from benchmarks.server.route import FONT
from benchmarks.servers import running


def gidOf(port: int, vfwebqq: str) -> int:
    """
    Return the gid of the first group of an account.
    """
    connection = Socket(port)
    r = quote(json.dumps({"vfwebqq": vfwebqq, "hash": "x"}))
    connection.post("/api/get_group_name_list_mask2", f"r={r}".encode())
    return int(json.loads(connection.read())["result"]["gnamelist"][0]["gid"])


def groupMessage(gid: int, n: int, ticket: str, clientid: str) -> bytes:
    """
    Make the request body of a message to a group.

    @param n: a number that makes the message differ from others.
    """
    members = {
        "group_uin": gid,
        "content": json.dumps([f"hello all {n}", FONT]),
        "msg_id": 1000 + n,
        "clientid": clientid,
        "psessionid": ticket,
    }
    return form(members, ticket, clientid)


def _round(members: list[Socket], polls: list[bytes]) -> None:
    for member, request in zip(members, polls, strict=True):
        member.read()
        member.post("/channel/poll2", request)


def ours(members: int, messages: int) -> float:
    """
    Measure the CPU time for each member, including the next poll, in
    microseconds.
    """
    allowFiles(members + 500)
    with running("webqq", accounts=members, friends=0, members=members) as server:
        found = sessions(server.port, members)
        ids = [ticket for ticket, _ in found]
        sockets = [Socket(server.port) for _ in ids]
        polls = [poll(ticket, str(n)) for n, ticket in enumerate(ids)]
        gid = gidOf(server.port, found[0][1])
        for one, request in zip(sockets, polls, strict=True):
            one.post("/channel/poll2", request)
        sends = [groupMessage(gid, n, ids[0], "0") for n in range(messages + 1)]
        sender = Socket(server.port)
        used = 0.0
        for n, send in enumerate(sends):
            # When this has its reply, all polls are held.
            sender.get("/")
            before = server.cpu()
            sender.post("/channel/send_qun_msg2", send)
            sender.read()
            _round(sockets[1:], polls[1:])
            sender.get("/")
            # The first message does not count: the server loads the group.
            used += (server.cpu() - before) if n else 0.0
        return used / messages / (members - 1) * 1e6


def bare(members: int, messages: int) -> float:
    """
    Measure the CPU time for each poll that a bare resource answers, including
    the next poll, in microseconds.
    """
    allowFiles(members + 500)
    with running("bare") as server:
        polls = [poll("x" * 192, str(n)) for n in range(members - 1)]
        sockets = [Socket(server.port) for _ in polls]
        for one, request in zip(sockets, polls, strict=True):
            one.post("/channel/poll2", request)
        sender = Socket(server.port)
        used = 0.0
        for n in range(messages + 1):
            sender.get("/")
            before = server.cpu()
            sender.post("/channel/send_qun_msg2", polls[0])
            sender.read()
            _round(sockets, polls)
            sender.get("/")
            used += (server.cpu() - before) if n else 0.0
        return used / messages / (members - 1) * 1e6


MEASURES = [
    Measure(
        "fan-out",
        "benchmarks.server.fanout:ours",
        "benchmarks.server.fanout:bare",
        1.3,
        "us CPU/recipient",
        size={"members": 500, "messages": 20},
        quickSize={"members": 500, "messages": 5},
    )
]
