"""
The ledger of C{make chaos} and C{make soak} as tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.ledger.book import Kind, Ledger, Outcome, Verdict
from tests.ledger.measures import TITLES, Measure, Reading, shown

MOST = 20
"""The wrongs that are told at full length."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """
    Write a table: the first column to the left, the others to the right.
    """
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        columns = [first.ljust(widths[0])]
        columns += [
            cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append("  " + "  ".join(columns).rstrip())
    return "\n".join(lines)


def ledgerTable(ledger: Ledger) -> str:
    """
    Write how many messages of each kind were accepted, and became of them.
    """
    head = ("", "sent", "accepted", "uncertain", "refused", "shown", "again", "lost")
    rows = list(_kindRows(ledger))
    total = [sum(int(row[n]) for row in rows) for n in range(1, len(head))]
    return table(head, [*rows, ("all", *total)])


def _kindRows(ledger: Ledger) -> Iterator[tuple[str, *tuple[int, ...]]]:
    for kind in Kind:
        entries = [each for each in ledger.entries.values() if each.kind is kind]
        if not entries:
            continue
        outcomes = [each.outcome for each in entries]
        showings = [len(shown) for each in entries for shown in each.shown.values()]
        lost = sum(
            len(each.recipients.difference(each.shown))
            for each in entries
            if each.outcome is Outcome.ACCEPTED
        )
        yield (
            kind.value,
            len(entries),
            outcomes.count(Outcome.ACCEPTED),
            outcomes.count(Outcome.UNCERTAIN),
            outcomes.count(Outcome.REFUSED),
            len(showings),
            sum(showings) - len(showings),
            lost,
        )


def sizesTable(
    before: Mapping[str, Reading], after: Mapping[str, Reading], when: str
) -> str:
    """
    Write the sizes of daemons before and after.

    @param when: the moments that are compared.
    """
    rows = []
    for name, sizes in after.items():
        row: list[object] = [name]
        for measure in Measure:
            was, now = shown(measure, before[name][measure]), sizes[measure]
            row.append(f"{was} -> {shown(measure, now)}")
        rows.append(row)
    return table((when, *(TITLES[measure] for measure in Measure)), rows)


def complaints(verdict: Verdict) -> list[str]:
    """
    Return the first of the broken promises.
    """
    rest = len(verdict.wrongs) - MOST
    more = [f"... and {rest} more"] if rest > 0 else []
    return [*verdict.wrongs[:MOST], *more]
