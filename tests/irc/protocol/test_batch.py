"""
Batches and labeled responses.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.protocol.batch import batch, labeledResponse
from txwebqq.irc.protocol.line import Line, serialise

ONE = Line("PONG", ("qq", "x"), "qq")
BATCH = (Line("BATCH", ("+in", "chathistory", "#a"), "qq"), ONE)
OVER = Line("BATCH", ("-in",), "qq")


def serialised(lines: list[Line]) -> list[str]:
    return [serialise(line).decode().strip() for line in lines]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), ["@label=7 :qq ACK"]),
        ((ONE,), ["@label=7 :qq PONG qq :x"]),
        (
            (ONE, ONE),
            [
                "@label=7 :qq BATCH +out labeled-response",
                "@batch=out :qq PONG qq :x",
                "@batch=out :qq PONG qq :x",
                ":qq BATCH -out",
            ],
        ),
        (
            (*BATCH, OVER),
            [
                "@label=7 :qq BATCH +in chathistory #a",
                ":qq PONG qq :x",
                ":qq BATCH -in",
            ],
        ),
    ],
)
def test_labeledResponse(lines: tuple[Line, ...], expected: list[str]) -> None:
    """
    A response has its label once, whether it is empty, a line, several lines or
    a batch.
    """
    assert serialised(labeledResponse("7", lines, "out", "qq")) == expected


def test_nested() -> None:
    """
    The lines of a nested batch keep the reference of the nested batch.
    """
    inner = batch("in", "draft/multiline", ("#a",), [ONE], "qq")
    assert serialised(batch("out", "chathistory", ("#a",), inner, "qq")) == [
        ":qq BATCH +out chathistory #a",
        "@batch=out :qq BATCH +in draft/multiline #a",
        "@batch=in :qq PONG qq :x",
        "@batch=out :qq BATCH -in",
        ":qq BATCH -out",
    ]
