"""
Draws the measures of growth, or those of several servers: C{python -m benchmarks growth
| python -m benchmarks.plot > docs/growth.svg}, C{python -m benchmarks fleet | python -m
benchmarks.plot fleet > docs/fleet.svg}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

WIDTH, ROW, LEFT = 640, 44, 150


def draw(lines: Iterable[str]) -> str:
    """
    Draw an SVG image of the results of growth: for each measure, the cost of
    one item in the small case and in the large case.

    @param lines: the output of C{python -m benchmarks}.
    """
    rows = [json.loads(line) for line in lines if line.startswith('{"name": "growth-')]
    height = ROW * len(rows) + 30
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            ' font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for at, row in enumerate(rows):
        top = ROW * at + 8
        name = row["name"].removeprefix("growth-")
        parts.append(f'<text x="8" y="{top + 20}">{name}</text>')
        most = max(row["ours"], row["yardstick"])
        for which, (key, colour) in enumerate(
            (("yardstick", "#9ab"), ("ours", "#357"))
        ):
            y = top + which * 16
            width = round((WIDTH - LEFT - 150) * row[key] / most)
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width}" height="13"'
                f' fill="{colour}"/>'
                f'<text x="{LEFT + width + 6}" y="{y + 11}" font-size="11">'
                f"{row[key]:g} {row['unit']}</text>"
            )
    parts.append(
        f'<text x="{LEFT}" y="{height - 8}" font-size="11">'
        "light: a tenth as many; dark: all of them</text></svg>"
    )
    return "\n".join(parts)


def drawFleet(lines: Iterable[str]) -> str:
    """
    Draw an SVG image of the results of several servers: for each number of processes,
    the messages in a second and the delay of one.

    @param lines: the output of C{python -m benchmarks}.
    """
    rows = [json.loads(line) for line in lines if line.startswith('{"name": "fleet-')]
    height = ROW * len(rows) + 30
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            ' font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    figures = [(row["ours"], row["details"]["delay ms, median"]) for row in rows]
    scale = [max(some) for some in zip(*figures, strict=True)]
    for at, (row, some) in enumerate(zip(rows, figures, strict=True)):
        top = ROW * at + 8
        count = row["name"].removeprefix("fleet-")
        name = "SQLite" if count == "sqlite" else f"PostgreSQL, {count}"
        parts.append(f'<text x="8" y="{top + 20}">{name}</text>')
        for which, (unit, colour) in enumerate(
            (("messages/s", "#357"), ("ms until it arrives", "#9ab"))
        ):
            y = top + which * 16
            width = round((WIDTH - LEFT - 150) * some[which] / scale[which])
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width}" height="13"'
                f' fill="{colour}"/>'
                f'<text x="{LEFT + width + 6}" y="{y + 11}" font-size="11">'
                f"{some[which]:.3g} {unit}</text>"
            )
    parts.append(
        f'<text x="{LEFT}" y="{height - 8}" font-size="11">'
        "dark: messages in a second; light: the delay of one, without other load"
        "</text></svg>"
    )
    return "\n".join(parts)


if __name__ == "__main__":
    print((drawFleet if sys.argv[1:] == ["fleet"] else draw)(sys.stdin))
