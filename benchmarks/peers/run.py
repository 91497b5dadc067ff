"""
C{python -m benchmarks peers}: runs the measures of servers side by side, prints each
result as a line of JSON, and all results as a table.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.bitlbee import ATTACHABLE
from benchmarks.peers.chatmeasures import STARTERS
from benchmarks.peers.measures import (
    Goal,
    Part,
    PeerMeasure,
    PeerResult,
    available,
    table,
)
from benchmarks.peers.processes import temporaryFolder
from benchmarks.workers import inProcess

INTERRUPTED = 130
"""The exit code after Ctrl-C or SIGTERM."""

_CHAT = "benchmarks.peers.chatmeasures"
_RELAY = "benchmarks.peers.relaymeasures"

_SERVERS = ("ours", "prosody", "ejabberd", "ejabberd-archive")
_CURVES = ("ours", "prosody", "ejabberd")
_RELAYS = ("ours", "znc", "ngircd")

MEASURES = [
    PeerMeasure(
        "peers-messages",
        f"{_CHAT}:messages",
        _SERVERS,
        (Part("peers-messages", "messages/s CPU", Goal("ejabberd", isMore=True)),),
        size={"messages": 10_000},
        quickSize={"messages": 2000},
    ),
    PeerMeasure(
        "peers-delay",
        f"{_CHAT}:delay",
        _SERVERS,
        (Part("peers-delay", "ms p50", Goal("prosody")),),
        size={"messages": 500, "pause": 0.02},
        quickSize={"messages": 200},
    ),
    PeerMeasure(
        "peers-held",
        f"{_CHAT}:held",
        _SERVERS,
        (
            Part("peers-held", "KiB PSS/session", Goal("prosody")),
            Part("peers-held-rss", "KiB/session"),
        ),
        size={"sessions": 1000},
        quickSize={"sessions": 300},
    ),
    PeerMeasure(
        "peers-group",
        f"{_CHAT}:group",
        _SERVERS,
        (Part("peers-group", "us CPU/recipient", Goal("ejabberd")),),
        size={"members": 200, "messages": 30},
        quickSize={"messages": 10},
    ),
    PeerMeasure(
        "peers-offline",
        f"{_CHAT}:offline",
        _SERVERS,
        (Part("peers-offline", "us CPU/message", Goal("ejabberd")),),
        size={"messages": 10_000},
        quickSize={"messages": 2000},
    ),
    PeerMeasure(
        "peers-waiting",
        f"{_CHAT}:waiting",
        _SERVERS,
        (Part("peers-waiting", "ms CPU/sign-on", Goal("ejabberd")),),
        size={"accounts": 100, "messages": 50},
        quickSize={"accounts": 30},
    ),
    PeerMeasure(
        "peers-line",
        f"{_RELAY}:line",
        _RELAYS,
        (Part("peers-line", "us CPU/line", Goal(limit=150)),),
        size={"lines": 3000},
        quickSize={"lines": 500},
    ),
    PeerMeasure(
        "peers-sent",
        f"{_RELAY}:sent",
        _RELAYS,
        (Part("peers-sent", "us CPU/line", Goal(limit=250)),),
        size={"lines": 3000},
        quickSize={"lines": 500},
    ),
    PeerMeasure(
        "peers-delivery",
        f"{_RELAY}:delivery",
        _RELAYS,
        (Part("peers-delivery", "us CPU/delivery", Goal(limit=60)),),
        size={"lines": 200, "clients": 50},
        quickSize={"lines": 50},
    ),
    PeerMeasure(
        "peers-attached",
        f"{_RELAY}:attached",
        (*_RELAYS, "bitlbee"),
        (
            Part("peers-attached", "KiB PSS/user", Goal(limit=100)),
            Part("peers-attached-rss", "KiB/user"),
        ),
        size={"users": 45},
        quickSize={"users": 15},
    ),
    *(
        PeerMeasure(
            f"curve-memory-{sessions}",
            f"{_CHAT}:whole",
            _CURVES,
            (Part(f"curve-memory-{sessions}", "MiB PSS"),),
            size={"sessions": sessions},
            rounds=1,
        )
        for sessions in (100, 300, 1000, 3000)
    ),
    *(
        PeerMeasure(
            f"curve-group-{members}",
            f"{_CHAT}:group",
            _CURVES,
            (Part(f"curve-group-{members}", "us CPU/recipient"),),
            size={"members": members, "messages": max(5, 3000 // members)},
            rounds=1,
        )
        for members in (10, 50, 200, 500)
    ),
]


def main(arguments: Sequence[str]) -> int:
    """
    Run the measures whose names begin with one of these.

    @param arguments: the names and options of the command line.

    @return: the exit code: 1 when a server could not be measured.
    """
    parser = ArgumentParser("python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--json", type=Path, help="the file for the lines of JSON")
    parser.add_argument("--only", default="", help="names of servers, with commas")
    parser.add_argument("names", nargs="+", metavar="NAME")
    options = parser.parse_args(arguments)
    names, only = options.names, list(filter(None, options.only.split(",")))
    checks = {name: starter.check for name, starter in STARTERS.items()}
    checks.update((name, relay.check) for name, relay in ATTACHABLE.items())
    unknown = [name for name in only if name not in checks]
    if unknown:
        print(f"{unknown[0]!r} is none of: {', '.join(checks)}", file=sys.stderr)
        return 1
    wanted = {name: checks[name] for name in only or checks}
    known = {measure.name: measure for measure in MEASURES}
    unknown = [n for n in names if not any(each.startswith(n) for each in known)]
    if unknown:
        print(f"{unknown[0]!r} is none of: {', '.join(known)}", file=sys.stderr)
        return 1
    chosen = [
        measure
        for measure in MEASURES
        if measure.name in names
        or any(name not in known and measure.name.startswith(name) for name in names)
    ]
    peers = available(wanted, lambda line: print(line, flush=True))
    results: list[PeerResult] = []
    code = 0

    def report(line: str) -> None:
        nonlocal code
        code = 1
        print(line, file=sys.stderr, flush=True)

    # Workers that are killed leave their folders behind.
    with temporaryFolder() as folder:
        os.environ["TMPDIR"] = str(folder)
        try:
            for measure in chosen:
                found = measure.take(peers, options.quick, inProcess, report)
                for result in found:
                    print(result.line(), flush=True)
                results += found
                if options.json is not None:
                    lines = [f"{result.line()}\n" for result in results]
                    options.json.write_text("".join(lines), encoding="utf-8")
        except KeyboardInterrupt:
            print(f"\nInterrupted: {measure.name} and later measures have no result.")
            code = INTERRUPTED
    print()
    print(table(results))
    return code
