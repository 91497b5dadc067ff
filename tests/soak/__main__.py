"""
C{python -m tests.soak}: work steadily for some minutes, and print the ledger and the
sizes of the daemons. The exit code is 1 when a promise was broken, or a size was not
flat.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.irc.programs import PROGRAMS
from tests.ledger.book import Verdict
from tests.ledger.crowdreport import complaints, ledgerTable, table
from tests.ledger.measures import TITLES, Measure, shown
from tests.soak.run import DAEMONS, Soak

WIDTH = 60
"""The characters of a curve."""


def report(run: Soak, verdict: Verdict) -> str:
    """
    Write the ledger of a run, and the sizes of the daemons.
    """
    head = (
        f"{run.total / 60:g} minutes, {len(run.crowd.clients) + 3} accounts,"
        f" {len(run.ledger.entries)} messages, {len(verdict.wrongs)} wrongs"
    )
    done = ", ".join(f"{n} {what}" for what, n in run.done.most_common())
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    parts = [head, ledgerTable(run.ledger), f"  {done}\n  load at the end: {load}"]
    if run.isWatched:
        parts += [drifts(run), curves(run)]
    return "\n\n".join([*parts, *complaints(verdict)])


def drifts(run: Soak) -> str:
    """
    Write the means of the second and of the last third.
    """
    rows = []
    for name in DAEMONS:
        row = [name]
        for measure in Measure:
            drift = run.curves[name].drift(measure, run.total)
            early, late = shown(measure, drift.early), shown(measure, drift.late)
            row.append(f"{early} -> {late} {drift.share:+.1%}")
        rows.append(row)
    titles = (TITLES[measure] for measure in Measure)
    return table(("second third -> last third", *titles), rows)


def curves(run: Soak) -> str:
    """
    Draw the sizes over the time, each between its least and its largest.
    """
    rows = []
    for name in DAEMONS:
        curve = run.curves[name]
        for measure in Measure:
            low, high = (shown(measure, each) for each in curve.bounds(measure))
            width = min(WIDTH, len(curve.readings))
            line = curve.drawn(measure, run.total, width)
            rows.append(f"  {name:<8} {TITLES[measure]:<14} {low:>7} {line} {high}")
    return "\n".join(rows)


async def play(options: argparse.Namespace) -> None:
    """
    Run.
    """
    folder = options.folder or Path(mkdtemp(prefix="soak-"))
    run = Soak(folder, options.seed, options.accounts, options.minutes)
    verdict = await run.play()
    if verdict.wrongs:
        sys.stdout.write(f"The databases and logs are in {folder}.\n")
    elif options.folder is None:
        rmtree(folder)
    sys.stdout.write(f"{report(run, verdict)}\n")
    if verdict.wrongs:
        sys.exit(1)


def main() -> None:
    """
    Read the arguments, and run.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the files and logs there")
    options = parser.parse_args()
    if options.accounts < 10:
        parser.error("--accounts is less than 10")
    if options.minutes <= 0:
        parser.error("--minutes is not more than 0")
    if shutil.which("ngircd", path=PROGRAMS) is None:
        parser.error("ngircd is not installed")
    react(lambda reactor: Deferred.fromCoroutine(play(options)))


if __name__ == "__main__":
    main()
