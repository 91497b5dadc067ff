"""
Draws the measures of servers as they grow: C{python -m benchmarks curve-memory |
python -m benchmarks.peers.plot > docs/peers-memory.svg}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from itertools import pairwise
from math import log10
from typing import Any

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 120, 30, 45

COLOURS = ("#357", "#c63", "#693", "#969")

_FIELDS = {"name", "unit", "rounds"}

_AXES = {"curve-memory": "held sessions", "curve-group": "members of the group"}


def draw(lines: Iterable[str]) -> str:
    """
    Draw an SVG image with a curve for each server.

    @param lines: the output of C{python -m benchmarks} for one kind of curve.
    """
    rows = [json.loads(line) for line in lines if line.startswith('{"name": "curve-')]
    points = {int(row["name"].rpartition("-")[2]): row for row in rows}
    sizes = sorted(points)
    peers = list(
        dict.fromkeys(key for row in rows for key in row if key not in _FIELDS)
    )
    most = max(row[peer] for row in rows for peer in peers if peer in row)
    step = _step(most)
    top = step * (int(most / step) + 1)
    kind = rows[0]["name"].rpartition("-")[0]

    def x(size: int) -> float:
        share = log10(size / sizes[0]) / (log10(sizes[-1] / sizes[0]) or 1.0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(figure: float) -> float:
        return HEIGHT - BOTTOM - figure / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="8" y="18">{rows[0]["unit"]}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{_AXES.get(kind, kind)}</text>',
    ]
    for n in range(round(top / step) + 1):
        at = y(n * step)
        parts.append(
            f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
            f"{n * step:g}</text>"
        )
    parts += [
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 16}"'
        f' text-anchor="middle">{size}</text>'
        for size in sizes
    ]
    for peer, colour in zip(peers, COLOURS, strict=False):
        known = [size for size in sizes if peer in points[size]]
        parts += _curve([(x(size), y(points[size][peer])) for size in known], colour)
        last = y(points[known[-1]][peer])
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{last + 4:.1f}" fill="{colour}">'
            f"{peer}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _curve(points: list[tuple[float, float]], colour: str) -> list[str]:
    lines = [
        f'<path d="M{x:.1f} {y:.1f}L{right:.1f} {other:.1f}" stroke="{colour}"'
        ' stroke-width="2"/>'
        for (x, y), (right, other) in pairwise(points)
    ]
    return lines + [
        f'<path d="M{x:.1f} {y:.1f}h0" stroke="{colour}" stroke-width="7"'
        ' stroke-linecap="round"/>'
        for x, y in points
    ]


def _step(most: Any) -> float:
    """
    Return the distance of the lines of a scale: 1, 2 or 5 times a power of ten.
    """
    power: float = 10.0 ** int(log10(most / 4)) if most >= 4 else 1.0
    return next(n * power for n in (1, 2, 5, 10) if most / (n * power) <= 6)


if __name__ == "__main__":
    print(draw(sys.stdin))
