"""
C{python -m tests.ledger.chaos}: run the chaos once or several times, and print the
ledger. The exit code is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.irc.programs import PROGRAMS
from tests.ledger.book import Verdict
from tests.ledger.chaosrun import DAEMONS, Chaos, Size
from tests.ledger.crowdreport import complaints, ledgerTable, sizesTable, table
from tests.ledger.seeds import playSeeds

SIGNALS = {"KILL": "killed", "TERM": "ended", "STOP": "stopped for some seconds"}


def report(run: Chaos, verdict: Verdict) -> str:
    """
    Write the ledger of a run.
    """
    faults = run.faults()
    head = (
        f"seed {run.seed}: {run.size.accounts} accounts, {faults.total()} faults,"
        f" {run.killed.total()} kills and pauses, {len(verdict.wrongs)} wrongs,"
        f" {run.seconds:.0f} s"
    )
    kinds = ", ".join(f"{n} {kind}" for kind, n in faults.most_common())
    phases = ", ".join(f"{what} {at:.0f} s" for what, at in run.phases.items())
    signals = table(
        ("daemon", *SIGNALS.values()),
        [(name, *(run.killed[name, each] for each in SIGNALS)) for name in DAEMONS],
    )
    parts = [head, ledgerTable(run.ledger), signals]
    if run.after:
        parts.append(sizesTable(run.before, run.after, "after sign-on -> at the end"))
    parts.append(f"  faults: {kinds}\n  phases ended after: {phases}")
    return "\n\n".join([*parts, *complaints(verdict)])


async def play(options: argparse.Namespace) -> None:
    """
    Run with each seed.
    """
    size = Size(options.accounts, options.faults, options.kills)

    async def playOne(folder: Path, seed: int) -> tuple[Verdict, str]:
        run = Chaos(folder, seed, size)
        verdict = await run.play()
        return verdict, report(run, verdict)

    await playSeeds(options.seed, options.folder, "chaos-", playOne)


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
