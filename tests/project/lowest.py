"""
The lowest versions that pyproject.toml allows, as constraints for pip.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("irc", "postgresql", "metrics", "bench", "test")
"""The extras that the tests need. Pages are built with the newest versions."""

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?[>=]=([\w.]+)(?:,<[\w.]+)?")


def constraints(project: str) -> list[str]:
    """
    Return a line C{name==version} for each direct dependency.

    @param project: the text of pyproject.toml.
    @raise ValueError: when a requirement has no lowest version.
    """
    table = tomllib.loads(project)["project"]
    extras = table["optional-dependencies"]
    lines = []
    for requirement in (
        *table["dependencies"],
        *(one for extra in EXTRAS for one in extras[extra]),
    ):
        found = _REQUIREMENT.fullmatch(requirement)
        if found is None:
            raise ValueError(f"{requirement} has no lowest version")
        lines.append(f"{found[1]}=={found[2]}")
    return lines


if __name__ == "__main__":
    path = Path(__file__).parents[2] / "pyproject.toml"
    lines = constraints(path.read_text(encoding="utf-8"))
    sys.stdout.write("\n".join([*lines, ""]))
