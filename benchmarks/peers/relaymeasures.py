"""
The work that is measured on programs that IRC clients connect to.
"""

from __future__ import annotations

import time

from benchmarks.peers.bitlbee import ATTACHABLE
from benchmarks.peers.relays import RELAYS

FIRST = 20
"""Number of lines before the measured ones."""

QUIET = 1.0
"""Seconds of silence after which a program has done what it had to."""

TEXT = "hello there, how are you {:05d}"


def line(peer: str, lines: int) -> float:
    """
    Measure the CPU time for a line of a channel that is relayed to a client, in
    microseconds.
    """
    return _relayed(peer, lines, 1)


def delivery(peer: str, lines: int, clients: int) -> float:
    """
    Measure the CPU time for each delivery of a line to many clients of one user,
    in microseconds.
    """
    return _relayed(peer, lines, clients)


def _relayed(peer: str, lines: int, clients: int) -> float:
    with RELAYS[peer].shared(clients) as attached:
        before = 0.0
        for n in range(FIRST + lines):
            if n == FIRST:
                time.sleep(QUIET)
                before = attached.process.cpu()
            attached.speak(TEXT.format(n))
            for client in attached.clients:
                client.readUntil("PRIVMSG")
        time.sleep(QUIET)
        return (attached.process.cpu() - before) / lines / clients * 1e6


def sent(peer: str, lines: int) -> float:
    """
    Measure the CPU time for a line that a client sends to a channel, in
    microseconds.
    """
    with RELAYS[peer].shared(1) as attached:
        [client] = attached.clients
        before = 0.0
        for n in range(FIRST + lines):
            if n == FIRST:
                time.sleep(QUIET)
                before = attached.process.cpu()
            client.send(f"PRIVMSG {attached.channel} :{TEXT.format(n)}")
            attached.hear()
        time.sleep(QUIET)
        used = attached.process.cpu() - before
        return used / lines * 1e6


def attached(peer: str, users: int) -> dict[str, float]:
    """
    Measure the memory for each user with a client, in KiB: the share (PSS), and the
    rss memory.
    """
    figures = []
    for count in (1, 1 + users):
        with ATTACHABLE[peer].users(count) as process:
            time.sleep(3 * QUIET)
            figures.append(process.memory())
    (rssBefore, shareBefore), (rss, share) = figures
    return {
        "": (share - shareBefore) / users,
        "rss": (rss - rssBefore) / users,
    }
