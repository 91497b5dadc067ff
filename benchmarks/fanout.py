"""
C{fan-out}: what a group message costs a server for each of many members whose
polls are held.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from benchmarks.http import Socket, form, poll, sessions
from benchmarks.measures import Measure
from benchmarks.route import FONT
from benchmarks.servers import allowFiles, running


def _gid(port: int, vfwebqq: str) -> int:
    asking = Socket(port)
    r = quote(json.dumps({"vfwebqq": vfwebqq, "hash": "x"}))
    asking.post("/api/get_group_name_list_mask2", f"r={r}".encode())
    return int(json.loads(asking.read())["result"]["gnamelist"][0]["gid"])


def _round(members: list[Socket], polls: list[bytes]) -> None:
    for member, question in zip(members, polls, strict=True):
        member.read()
        member.post("/channel/poll2", question)


def ours(members: int, messages: int) -> float:
    """
    Microseconds of CPU for each member, their next polls included.
    """
    allowFiles(members + 500)
    with running("webqq", accounts=members, friends=0, members=members) as server:
        found = sessions(server.port, members)
        asked = [ticket for ticket, _ in found]
        sockets = [Socket(server.port) for _ in asked]
        polls = [poll(ticket, str(n)) for n, ticket in enumerate(asked)]
        gid = _gid(server.port, found[0][1])
        for one, question in zip(sockets, polls, strict=True):
            one.post("/channel/poll2", question)
        sends = []
        for n in range(messages + 1):
            r = {
                "group_uin": gid,
                "content": json.dumps([f"hello all {n}", FONT]),
                "msg_id": 1000 + n,
                "clientid": "0",
                "psessionid": asked[0],
            }
            sends.append(form(r, asked[0], "0"))
        sender = Socket(server.port)
        used = 0.0
        for n, send in enumerate(sends):
            # Once this is answered, all polls are held.
            sender.get("/")
            before = server.cpu()
            sender.post("/channel/send_qun_msg2", send)
            sender.read()
            _round(sockets[1:], polls[1:])
            sender.get("/")
            # The first time everything is new to the server.
            used += (server.cpu() - before) if n else 0.0
        return used / messages / (members - 1) * 1e6


def bare(members: int, messages: int) -> float:
    """
    Microseconds for each poll that a bare resource lets go, likewise.
    """
    allowFiles(members + 500)
    with running("bare") as server:
        polls = [poll("x" * 192, str(n)) for n in range(members - 1)]
        sockets = [Socket(server.port) for _ in polls]
        for one, question in zip(sockets, polls, strict=True):
            one.post("/channel/poll2", question)
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
        "benchmarks.fanout:ours",
        "benchmarks.fanout:bare",
        1.5,
        "us CPU/recipient",
        size={"members": 500, "messages": 20},
        quickSize={"members": 500, "messages": 5},
    )
]
