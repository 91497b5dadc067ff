"""
C{python -m tests.ledger.chaos}: run the chaos once or several times, and print the
ledger. The exit code is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.irc.programs import PROGRAMS
from tests.ledger.book import Outcome, Verdict
from tests.ledger.chaosrun import Chaos, Size

MOST = 20
"""The wrongs that are told at full length."""


def report(run: Chaos, verdict: Verdict) -> str:
    """
    Write the ledger of a run.
    """
    faults, counts = run.faults(), verdict.outcomes
    kinds = ", ".join(f"{n} {kind}" for kind, n in faults.most_common())
    kills = ", ".join(f"{n} {name}" for name, n in run.killed.most_common())
    sent = ", ".join(f"{n} {k.value}" for k, n in verdict.accepted.most_common())
    head = (
        f"seed {run.seed}: {run.size.accounts} accounts, {faults.total()} faults,"
        f" {run.killed.total()} kills, {len(verdict.wrongs)} wrongs,"
        f" {run.seconds:.0f} s"
    )
    messages = (
        f"  messages: {len(run.ledger.entries)}, of them"
        f" {counts[Outcome.ACCEPTED]} accepted, {counts[Outcome.UNCERTAIN]} uncertain,"
        f" {counts[Outcome.REFUSED]} refused"
    )
    shown = (
        f"  shown: {verdict.shown.total()}, twice with a reason:"
        f" {verdict.doubles.total()}, lost: {verdict.lost.total()}"
    )
    phases = ", ".join(f"{what} {at:.0f} s" for what, at in run.phases.items())
    rows = [
        head,
        f"  faults: {kinds}",
        f"  kills: {kills}",
        messages,
        f"  accepted: {sent}",
        shown,
        f"  phases ended after: {phases}",
    ]
    rest = len(verdict.wrongs) - MOST
    more = [f"... and {rest} more"] if rest > 0 else []
    return "\n\n".join(["\n".join(rows), *verdict.wrongs[:MOST], *more])


async def play(options: argparse.Namespace) -> None:
    """
    Run with each seed.
    """
    wrongs = 0
    size = Size(options.accounts, options.faults, options.kills)
    for seed in options.seed:
        folder = options.folder or Path(mkdtemp(prefix="chaos-"))
        run = Chaos(folder, seed, size)
        verdict = await run.play()
        if verdict.wrongs:
            sys.stdout.write(f"The databases and logs are in {folder}.\n")
        elif options.folder is None:
            rmtree(folder)
        wrongs += len(verdict.wrongs)
        sys.stdout.write(f"{report(run, verdict)}\n\n")
        sys.stdout.flush()
    if wrongs:
        sys.exit(1)


def main() -> None:
    """
    Read the arguments, and run.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.chaos")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--folder", type=Path, help="keep the files and logs there")
    options = parser.parse_args()
    if options.accounts < 10:
        parser.error("--accounts is less than 10")
    if shutil.which("ngircd", path=PROGRAMS) is None:
        parser.error("ngircd is not installed")
    react(lambda reactor: Deferred.fromCoroutine(play(options)))


if __name__ == "__main__":
    main()
