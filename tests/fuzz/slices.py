"""
The parts of a long campaign, each of which is the work of one process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.fuzz.campaign import Campaign
from tests.fuzz.kinds import KINDS

SLICE = 5000
"""Number of inputs that one process is given at a time."""


def slices(count: int) -> Iterator[tuple[int, int]]:
    """
    Divide a number of inputs.
    """
    for start in range(0, count, SLICE):
        yield start, min(count, start + SLICE)


def give(name: str, seed: int, start: int, stop: int) -> tuple[list[str], float, float]:
    """
    Give inputs with some numbers.

    @return: the problems, and the CPU times of the slowest one and of all.
    """
    kind = next(each for each in KINDS if each.name == name)
    campaign = Campaign(kind, seed, isLong=True)
    before = time.process_time()
    campaign.run(start, stop)
    spent = time.process_time() - before
    return [str(each) for each in campaign.problems], campaign.slowest, spent
