"""
The numbers of a bad day, and its wrongs, for people.
"""

from __future__ import annotations

from tests.ledger.book import POLL, Outcome, Verdict
from tests.ledger.people import EVERYBODY, NAMES
from tests.ledger.run import Run

MOST = 20
"""The wrongs that are told at full length."""


def table(run: Run, verdict: Verdict) -> str:
    """
    The numbers of a run.
    """
    counts = verdict.outcomes
    accepted = ", ".join(f"{n} {k.value}" for k, n in verdict.accepted.most_common())
    lines = [
        f"seed {run.seed}{', TLS' if run.size.isSecure else ''}: {run.faults} faults,",
        f"{len(run.ledger.kills)} kills, {counts[Outcome.ACCEPTED]} accepted,",
        f"{counts[Outcome.UNCERTAIN]} uncertain, {counts[Outcome.REFUSED]} not sent,",
        f"{len(verdict.wrongs)} wrongs, {run.seconds:.0f} s",
    ]
    head = " ".join(lines)
    columns = ("polls", "faults", "shown", "doubles", "lost", "excused")
    rows = [head, f"  accepted: {accepted}", _row("client", *columns)]
    for number in EVERYBODY:
        name = NAMES[number]
        proxy = run.proxies.get(number)
        exchanges = [] if proxy is None else proxy.exchanges
        rows.append(
            _row(
                name,
                sum(exchange.request.path == POLL for exchange in exchanges),
                0 if proxy is None else proxy.counts.total(),
                verdict.shown[name],
                verdict.doubles[name],
                verdict.lost[name],
                verdict.excused[name],
            )
        )
    return "\n".join(rows)


def _row(name: str, *values: object) -> str:
    return f"  {name:<26}" + "".join(f"{value!s:>9}" for value in values)


def complaint(run: Run, verdict: Verdict) -> str:
    """
    Write the table, and the first of the broken promises.
    """
    rest = len(verdict.wrongs) - MOST
    more = [f"... and {rest} more"] if rest > 0 else []
    return "\n\n".join([table(run, verdict), *verdict.wrongs[:MOST], *more])
