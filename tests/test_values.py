"""
Values of subclasses in applications.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

from txwebqq.model import Message, Number, Uin
from txwebqq.values import Secret, Value

if TYPE_CHECKING:
    from decimal import Decimal


class Keys(Value):
    """
    A value with secrets inside of other types.
    """

    first: Secret | None = None
    others: tuple[Secret, ...] = ()


class Priced(Message):
    """
    A message with a type that is imported for type checkers only.
    """

    price: Decimal | None = None


class Boxed(Message, gc=True):
    """
    A message that may be part of a cycle.
    """

    box: Any = None


class Box(list[Any]):
    """
    A list that can be referred to weakly.
    """


def test_secrets() -> None:
    """
    A secret that may be missing is not shown either.
    """
    assert repr(Keys("s3cret", ("t0ken",))) == "Keys()"


def test_unresolved() -> None:
    """
    A value is shown although a type of its fields cannot be found.
    """
    assert repr(Priced(Uin(1), Number(2), (), 3, 4, 5)) == "Priced()"


def test_cycle() -> None:
    """
    A subclass of a message can be part of a cycle that is freed.
    """
    box = Box()
    box.append(Boxed(Uin(1), Number(2), (), 3, 4, 5, box=box))
    gone = weakref.ref(box)
    del box
    gc.collect()
    assert gone() is None
