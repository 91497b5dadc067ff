"""
C{python -m tests.ledger}: run one bad day or several, and print the result. The
exit code is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.ledger.report import complaint, table
from tests.ledger.run import Run, Size


async def play(options: argparse.Namespace) -> None:
    """
    Play a day for each seed.
    """
    wrongs = 0
    size = Size(options.faults, options.kills, options.tls, options.incurable)
    for seed in options.seed:
        with TemporaryDirectory() as folder:
            run = Run(Path(folder), seed, size)
            verdict = await run.play()
        wrongs += len(verdict.wrongs)
        tell = complaint if verdict.wrongs else table
        sys.stdout.write(f"{tell(run, verdict)}\n\n")
        sys.stdout.flush()
    if wrongs:
        sys.exit(1)


def main() -> None:
    """
    Read the arguments, and play.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.ledger")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--tls", action="store_true", help="speak TLS everywhere")
    parser.add_argument(
        "--incurable",
        action="store_true",
        help="also do what cannot be cured to clients that send no ack",
    )
    options = parser.parse_args()
    react(lambda reactor: Deferred.fromCoroutine(play(options)))


if __name__ == "__main__":
    main()
