"""
Attribution of relayed messages.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.relay.storage.outbox import MessageKind, OutboxMessage
from txwebqq.irc.relay.text.attribution import (
    attributions,
    comparable,
    linesOf,
    nextLine,
    senderPrefix,
    short,
    withoutHighlight,
)

TEXTS = st.text(st.sampled_from("ab c茶é\u0301👨\u200d👩🇨🇳\n"), max_size=200)


@given(TEXTS, st.integers(40, 120))
def test_lines(text: str, room: int) -> None:
    """
    No line is longer than the limit or contains a line end, and only spaces are
    lost.
    """
    lines = linesOf(text, room)
    assert all(len(line.encode()) <= room and "\n" not in line for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_narrow() -> None:
    """
    A line has a minimum of text, even when the prefix leaves no space.
    """
    said, rest = nextLine("茶" * 100, 1)
    assert (said, rest) == ("茶" * 13, "茶" * 87)


@pytest.mark.parametrize(
    ("kind", "isQuiet", "wanted"),
    [
        (MessageKind.TEXT, False, "<小明> "),
        (MessageKind.TEXT, True, "<小\u200b明> "),
        (MessageKind.ACTION, True, "* 小\u200b明 "),
        (MessageKind.SYSTEM, True, ""),
    ],
)
def test_senderPrefix(kind: MessageKind, isQuiet: bool, wanted: str) -> None:
    """
    Each line begins with the author's name, which on IRC highlights nobody.
    """
    assert senderPrefix(OutboxMessage("", "", 0, "小明", "x", kind), isQuiet) == wanted


def test_names() -> None:
    """
    A name is cut to whole characters, and one with a zero width space compares
    equal to the name without it.
    """
    assert len(short("茶" * 100).encode()) <= 60
    assert withoutHighlight("👨\u200d👩x") == "👨\u200d👩\u200bx"
    assert comparable(withoutHighlight("Bob")) == comparable("\x02bob")
    assert senderPrefix(OutboxMessage("", "", 0, "", "x"), isQuiet=False) == "<?> "


def test_attributions() -> None:
    """
    The names at the start of a message are found, the outermost first; not more
    than a message that was relayed can have.
    """
    assert list(attributions("<a> [b] * c waves")) == [
        ("a", "[b] * c waves"),
        ("b", "* c waves"),
        ("c", "waves"),
    ]
    assert [name for name, _ in attributions("(a) " * 100 + "x")] == ["a"] * 4
    assert list(attributions("[微笑]茶")) == []
    assert list(attributions("a < b > c")) == []
