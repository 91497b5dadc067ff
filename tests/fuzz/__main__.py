"""
C{python -m tests.fuzz}: give objects in memory hostile input of every kind, and print
the inputs that make one fail, as Python. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.fuzz.kinds import KINDS
from tests.fuzz.slices import give, slices


def main() -> None:
    """
    Read the arguments, and give the inputs.
    """
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100_000, help="of each kind")
    parser.add_argument("--kind", nargs="+", choices=names, default=names)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    problems: dict[str, None] = {}
    totals = {name: [0, 0.0, 0.0] for name in options.kind}
    began = time.monotonic()
    with ProcessPoolExecutor(options.processes, max_tasks_per_child=1) as pool:
        given = {
            pool.submit(give, name, options.seed, start, stop): (name, stop - start)
            for start, stop in slices(options.count)
            for name in options.kind
        }
        for future in as_completed(given):
            name, count = given[future]
            found, slowest, spent = future.result()
            total = totals[name]
            total[0] += count
            total[1] = max(total[1], slowest)
            total[2] += spent
            sys.stdout.write(f"{name}: {total[0]} of {options.count}\n")
            for problem in found:
                if problem not in problems:
                    sys.stdout.write(f"{problem}\n\n")
                    problems[problem] = None
            if total[0] >= options.count:
                sys.stdout.write(
                    f"{name}: {total[0]} inputs in {total[2]:.0f} s of CPU time, the"
                    f" slowest in {total[1] * 1000:.0f} ms\n"
                )
            sys.stdout.flush()
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(
        f"seed {options.seed}: {len(problems)} problems in {minutes:.1f} minutes\n"
    )
    if problems:
        sys.exit(1)


if __name__ == "__main__":
    main()
