"""
C{python -m benchmarks [--quick] [--json FILE] [--compare FILE] [NAME ...]}: runs
measures, prints each result as a line of JSON, and all results as a table.
"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import machine, resultsfile
from benchmarks.comparison import compare, summary
from benchmarks.measures import Failure, Measure, NotMeasured, Outcome, Reading
from benchmarks.peers.run import main as peers
from benchmarks.processes import find
from benchmarks.table import line, table
from benchmarks.workers import inProcess

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
    "many.fleet",
    "many.restart",
    "many.scale",
)

PEERS = ("peers", "curve")
"""The beginnings of the names of measures with other programs."""

FOLDER = machine.ROOT / "bench-results"
"""The folder of the results without C{--json}."""

INTERRUPTED = 130
"""The exit code after Ctrl-C or SIGTERM."""


def main(arguments: Sequence[str], measures: Sequence[Measure] | None = None) -> int:
    """
    Run the measures with these names, or whose names begin so; all measures
    without names.

    @param measures: the known measures; L{None} for those of L{MODULES}.
    @return: the exit code: 1 when a measure has failed.
    """
    parser = ArgumentParser("python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--json", type=Path, help="the file for the results")
    parser.add_argument("--compare", type=Path, help="a file of an earlier run")
    parser.add_argument("--only", help="names of servers, with commas (of peers)")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args(arguments)
    if measures is None and any(name.startswith(PEERS) for name in options.names):
        # Other programs beside ours: only on demand, since they take long.
        return peers(arguments)
    if options.only is not None:
        parser.error("--only is for the measures beside other servers: peers")
    if measures is None:
        measures = [
            measure
            for module in MODULES
            for measure in import_module(f"benchmarks.{module}").MEASURES
        ]
    try:
        wanted = _wanted(measures, options.names)
        date = datetime.now().astimezone()
        path = options.json or FOLDER / f"{date:%Y-%m-%d-%H%M%S}.json"
        earlier = resultsfile.read(options.compare) if options.compare else None
        resultsfile.checkWritable(path)
    except (LookupError, resultsfile.UnusableFile) as e:
        print(e.args[0], file=sys.stderr)
        return 1
    description = machine.describe()
    outcomes: list[Outcome] = []
    code = 0

    def save() -> None:
        stamp = date.isoformat(timespec="seconds")
        resultsfile.write(path, outcomes, description, options.quick, stamp)

    try:
        for measure in wanted:
            outcome = take(measure, options.quick, inProcess)
            print(line(outcome), flush=True)
            outcomes.append(outcome)
            # Now, for the case that this process is killed.
            save()
    except KeyboardInterrupt:
        print(f"\nInterrupted: {measure.name} and later measures have no result.")
        code = INTERRUPTED
    except resultsfile.UnusableFile as e:
        print(e, file=sys.stderr)
        code = 1
    if any(isinstance(each, Failure) and not each.isSkipped for each in outcomes):
        code = code or 1
    changes = None if earlier is None else compare(outcomes, earlier)
    print(f"\n{machine.text(description, machine.load())}\n")
    print(table(outcomes, changes))
    if earlier is not None and changes is not None:
        print(f"\n{summary(outcomes, changes)}")
        if not machine.isSame(description, earlier.machine):
            print("The earlier run was on another machine, or with other versions.")
    if path.exists():
        print(f"\nWritten to {path}")
    return code


def _wanted(measures: Sequence[Measure], names: Sequence[str]) -> list[Measure]:
    """
    Select measures by their names, or by how their names begin.

    @raise LookupError: for a name that no measure has.
    """
    known = [measure.name for measure in measures]
    for name in names:
        if not any(each.startswith(name) for each in known):
            raise LookupError(f"{name!r} is none of: {', '.join(known)}")
    return [
        measure
        for measure in measures
        if not names
        or measure.name in names
        or any(name not in known and measure.name.startswith(name) for name in names)
    ]


def take(
    measure: Measure,
    isQuick: bool,
    run: Callable[[str, Mapping[str, Any]], Reading],
) -> Outcome:
    """
    Take a measure; any exception becomes its outcome.
    """
    if measure.program and find(measure.program) is None:
        reason = f"the program {measure.program} is not installed"
        return Failure(measure, reason, isSkipped=True)
    try:
        return measure.take(isQuick, run)
    except NotMeasured as e:
        return Failure(measure, _oneLine(str(e)))
    except Exception as e:
        # Of any class, so that the other measures are taken.
        return Failure(measure, _oneLine(f"{type(e).__name__}: {e}"))


def _oneLine(text: str) -> str:
    return " ".join(text.split())[:200]


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def start(measures: Sequence[Measure] | None = None) -> NoReturn:
    """
    Run L{main} with the arguments of the command line. SIGTERM ends it as Ctrl-C
    does.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:], measures))


if __name__ == "__main__":
    start()
