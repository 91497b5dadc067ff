"""
The base class of all values of this package.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, dataclass_transform, get_args, get_type_hints

from msgspec import Meta, Struct, StructMeta, field

SECRET = Meta(extra={"isSecret": True})
"""Marks a field that C{repr} leaves out."""

Secret = Annotated[str, SECRET]


@cache
def _shownFields(cls: type[Value]) -> tuple[str, ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple(n for n in cls.__struct_fields__ if SECRET not in get_args(hints[n]))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class ValueMeta(StructMeta):
    """
    The metaclass of values, which tells type checkers that they are frozen.
    """


class Value(Struct, frozen=True, metaclass=ValueMeta):
    """
    Base of all values: compared and hashed by their fields, which cannot be
    changed. C{msgspec.structs.replace} makes a changed copy; since Python 3.13,
    C{copy.replace} does so as well.
    """

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _shownFields(type(self))]
