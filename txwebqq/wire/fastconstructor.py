"""
Values of frozen classes, built faster than by their classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, make_dataclass
from typing import Any, TypeVar, cast

V = TypeVar("V")


def fastConstructor(cls: Callable[..., V]) -> Callable[..., V]:
    """
    What builds values of a frozen class by position, four times faster than
    the class itself, which sets each field past its own guard: worth it for
    what nearly all polls bring.
    """
    members = [
        (f.name, object) if f.default is MISSING else (f.name, object, f.default)
        for f in fields(cast(Any, cls))
    ]
    thawed: Any = make_dataclass(
        cls.__name__, members, bases=cast(Any, cls).__bases__, slots=True
    )

    def build(*values: Any) -> V:
        value = thawed(*values)
        value.__class__ = cls
        return cast(V, value)

    return build
