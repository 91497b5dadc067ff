"""
Names for the tables of a configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = Mapping[str, Any]
"""Tables by their names, and values by their keys."""


def labelled(values: Tree) -> dict[str, Any]:
    """
    Replace arrays of tables by tables, whose names have the number, the name or the
    position of each: C{"user alice"}.
    """
    tree: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            tree[key] = labelled(value)
        elif _isArrayOfTables(value):
            for position, table in enumerate(value, 1):
                label = f"{key} {_label(value, table) or position}"
                tree[label] = labelled(table)
        else:
            tree[key] = value
    return tree


def _isArrayOfTables(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) for each in value)
    )


def _label(tables: list[Tree], table: Tree) -> object:
    for key in ("number", "name"):
        labels = [each.get(key) for each in tables]
        if None not in labels and len(set(map(str, labels))) == len(labels):
            return table[key]
    return None
