"""
Runs with several seeds, one after another.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tests.ledger.book import Verdict


async def playSeeds(
    seeds: Iterable[int],
    folder: Path | None,
    prefix: str,
    play: Callable[[Path, int], Awaitable[tuple[Verdict, str]]],
) -> None:
    """
    Run with each seed, and print the reports; exit with code 1 when a promise was
    broken.

    @param folder: the folder of files and logs; L{None} for a temporary one, which is
        kept when a promise was broken.
    @param prefix: the beginning of its name.
    @param play: runs in a folder with a seed, and returns the verdict and the report.
    """
    wrongs = 0
    for seed in seeds:
        used = folder or Path(mkdtemp(prefix=prefix))
        used.mkdir(exist_ok=True)
        verdict, text = await play(used, seed)
        if verdict.wrongs:
            sys.stdout.write(f"The databases and logs are in {used}.\n")
        elif folder is None:
            rmtree(used)
        wrongs += len(verdict.wrongs)
        sys.stdout.write(f"{text}\n\n")
        sys.stdout.flush()
    if wrongs:
        sys.exit(1)
