"""
Mentions in the texts of other users, and hostile texts.
"""

from __future__ import annotations

from typing import SupportsIndex
from unittest.mock import patch

import pytest

from txwebqq.irc.relay.text import mentions
from txwebqq.irc.relay.text.attribution import comparableName
from txwebqq.irc.relay.text.mentions import MAX_BEGINNINGS, MentionFinder
from txwebqq.model import Mention, Number

LIN, BOB = Mention(Number(7), "Lin!"), Mention(Number(8), "a.b")


class CountedText(str):
    """
    A text that counts the comparisons with its parts.
    """

    compared = 0

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        self.compared += 1
        return super().__getitem__(key)

    def startswith(
        self,
        prefix: str | tuple[str, ...],
        start: SupportsIndex | None = None,
        end: SupportsIndex | None = None,
    ) -> bool:
        self.compared += 1
        return super().startswith(prefix, start, end)


@pytest.fixture
def finder() -> MentionFinder:
    """
    A finder for a group with two members.
    """
    return MentionFinder({7: "Lin!", 8: "a.b"})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("@Lin!?", [LIN, "?"]),
        ("@a.b.", [BOB, "."]),
        ("hi @a.b" + "." * 40, ["hi ", BOB, "." * 40]),
        ("@a.b" + "..x" * 12, [BOB, "..x" * 12]),
        ("x@a.b", ["x@a.b"]),
    ],
)
def test_punctuation(
    finder: MentionFinder, text: str, parts: list[str | Mention]
) -> None:
    """
    A name may have punctuation marks in it, and behind it.
    """
    assert list(finder.find(text, (), False)) == parts


def test_given(finder: MentionFinder) -> None:
    """
    Of the mentions that the author has made, the longest name counts, and of several
    with one name the first.
    """
    given = [(0, "a"), (7, "a.b"), (8, "a.b"), (8, "")]
    found = list(finder.find("@a.b @a @", given, False))
    assert found == [Mention(Number(7), "a.b"), " @a @"]


def test_manyMarks(finder: MentionFinder) -> None:
    """
    A word of punctuation marks costs a few comparisons.
    """
    text = "@" + "x." * 30
    name = f"{mentions.__name__}.comparableName"
    with patch(name, wraps=comparableName) as compared:
        assert list(finder.find(text, (), False)) == [text]
    assert compared.call_count <= 2 * (MAX_BEGINNINGS + 1) + 2


def test_manyGiven(finder: MentionFinder) -> None:
    """
    A thousand mentions cost no comparison with each sign in the text.
    """
    given = [(7, f"n{number}") for number in range(1000)]
    text = CountedText("@a " * 100)
    assert list(finder.find(text, given, False)) == [text]
    assert text.compared < 2000
