"""
Values outside of the process that received them.
"""

from __future__ import annotations

import copy
import pickle
from enum import Enum
from typing import Any

import pytest
from msgspec import Struct

from tests.wire.rows import HELLO
from txwebqq import model
from txwebqq.wire.events.envelope import decodeEnvelope, encodeEvent

CLASSES = [
    value
    for name in model.__all__
    if isinstance(value := getattr(model, name), type)
    and issubclass(value, (Struct, Enum))
]


def example(cls: type[Any]) -> Any:
    if issubclass(cls, Enum):
        return next(iter(cls))
    # Of any type: what is in the fields does not matter here.
    return cls(*[(name,) for name in cls.__struct_fields__])


@pytest.mark.parametrize("cls", CLASSES)
def test_copies(cls: type[Any]) -> None:
    """
    A value can be copied and pickled.
    """
    value = example(cls)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) == copy.deepcopy(value) == value


def test_received() -> None:
    """
    So can an event as a poll brings it.
    """
    event = decodeEnvelope(encodeEvent(HELLO))
    copied = pickle.loads(pickle.dumps(event))
    assert copied == copy.copy(event) == event
    assert type(copied) is type(HELLO)
