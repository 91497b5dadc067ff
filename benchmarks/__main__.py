"""
C{python -m benchmarks [--quick] [NAME ...]}: runs measures, prints each result as
a line of JSON, and all results as a table.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.measures import Measure, inProcess, table

MODULES = (
    "client.polls",
    "client.events",
    "client.push",
    "client.accounts",
    "server.held",
    "server.route",
    "server.fanout",
    "client.signon",
    "irc.wireirc",
    "irc.gatewayline",
    "many.growth",
    "many.scale",
)


def main(arguments: list[str]) -> int:
    """
    Run the measures with these names, or whose names begin so; all measures
    without names.

    @return: the exit code.
    """
    isQuick = "--quick" in arguments
    names = [argument for argument in arguments if not argument.startswith("-")]
    known: dict[str, Measure] = {}
    for module in MODULES:
        found: list[Measure] = import_module(f"benchmarks.{module}").MEASURES
        known.update((measure.name, measure) for measure in found)
    for name in names:
        if not any(each.startswith(name) for each in known):
            print(f"{name!r} is none of: {', '.join(known)}", file=sys.stderr)
            return 1
    results = []
    for measure in known.values():
        wanted = measure.name in names or any(
            name not in known and measure.name.startswith(name) for name in names
        )
        if names and not wanted:
            continue
        result = measure.take(isQuick, inProcess)
        print(result.line(), flush=True)
        results.append(result)
    print()
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
