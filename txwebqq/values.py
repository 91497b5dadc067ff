"""
The base class of all values of this package.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, dataclass_transform, get_args, get_type_hints

from msgspec import Meta, Struct, field

SECRET = Meta(extra={"isSecret": True})
"""Marks a field that C{repr} leaves out."""

Secret = Annotated[str, SECRET]


def _isSecret(hint: Any) -> bool:
    # Also inside of a union or a tuple: C{Secret | None}.
    return hint == SECRET or any(map(_isSecret, get_args(hint)))


@cache
def _shownFields(cls: type[Value]) -> tuple[str, ...]:
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError:
        # A subclass of an application, with types for type checkers only.
        return ()
    return tuple(n for n in cls.__struct_fields__ if not _isSecret(hints[n]))


# Not by a metaclass in Python, which would make each value cost half as much again.
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(Struct, frozen=True):
    """
    Base of all values: compared and hashed by their fields, which cannot be
    changed. C{msgspec.structs.replace} makes a changed copy; since Python 3.13,
    C{copy.replace} does so as well.

    A class with C{gc=False} has no fields by which a value may be part of a cycle. A
    subclass of it that has such fields says C{gc=True}.
    """

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _shownFields(type(self))]
