"""
C{python -m tests.fleet}: run the chaos at several server processes, and print the
ledger. The exit code is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.fleet.run import PASSWORDS, SIGN_ONS, FleetChaos, Size, Trouble
from tests.irc.programs import PROGRAMS
from tests.ledger.book import Verdict
from tests.ledger.crowdreport import complaints, ledgerTable, table
from tests.ledger.seeds import playSeeds
from tests.postgresql.server import programs


def report(run: FleetChaos, verdict: Verdict) -> str:
    """
    Write the ledger of a run.
    """
    size = run.size
    engine = "SQLite" if size.isSQLite else "PostgreSQL"
    head = (
        f"seed {run.seed}: {size.accounts} accounts, {size.processes} processes on"
        f" {engine}, {run.troubles.total()} troubles, {len(verdict.wrongs)} wrongs,"
        f" {run.seconds:.0f} s"
    )
    troubles = [(each.value, run.troubles[each]) for each in Trouble]
    signedOn = [
        (path, *(run.requests[path, status] for status in ("200", "502", "503")))
        for path in (PASSWORDS, SIGN_ONS, "/channel/poll2")
    ]
    phases = ", ".join(f"{what} {at:.0f} s" for what, at in run.phases.items())
    parts = [
        head,
        ledgerTable(run.ledger),
        table(("trouble", "times"), troubles),
        table(("requests", "200", "502", "503"), signedOn),
        f"  phases ended after: {phases}",
    ]
    return "\n\n".join([*parts, *complaints(verdict)])


async def play(options: argparse.Namespace) -> None:
    """
    Run with each seed.
    """
    size = Size(
        options.accounts,
        options.minutes,
        1 if options.sqlite else options.processes,
        options.pause,
        options.sqlite,
    )

    async def playOne(folder: Path, seed: int) -> tuple[Verdict, str]:
        run = FleetChaos(folder, seed, size)
        verdict = await run.play()
        return verdict, report(run, verdict)

    await playSeeds(options.seed, options.folder, "chaos-fleet-", playOne)


def main() -> None:
    """
    Read the arguments, and run.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fleet")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument(
        "--pause", type=float, default=12.0, help="seconds between messages of one"
    )
    parser.add_argument(
        "--sqlite", action="store_true", help="one process with an SQLite database"
    )
    parser.add_argument("--folder", type=Path, help="keep the files and logs there")
    options = parser.parse_args()
    if options.accounts < 10:
        parser.error("--accounts is less than 10")
    if shutil.which("haproxy", path=PROGRAMS) is None:
        parser.error("haproxy is not installed")
    if programs() is None and not options.sqlite:
        parser.error("PostgreSQL is not installed")
    react(lambda reactor: Deferred.fromCoroutine(play(options)))


if __name__ == "__main__":
    main()
