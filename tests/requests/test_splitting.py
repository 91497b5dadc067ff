"""
What is too long for one message is cut where nobody sees it.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.errors import MessageTooLong
from txwebqq.model import Content, Face, Segment, Text, UnknownSegment
from txwebqq.requests.splitting import splitContent
from txwebqq.wire.content import MAX_TEXT, sizeOf

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def joined(pieces: list[Content]) -> list[Segment]:
    """
    Pieces put together, with neighbouring texts made one.
    """
    segments: list[Segment] = []
    for segment in (segment for piece in pieces for segment in piece):
        last = segments[-1] if segments else None
        if isinstance(segment, Text) and isinstance(last, Text):
            segments[-1] = Text(last.text + segment.text)
        else:
            segments.append(segment)
    return segments


def test_short() -> None:
    """
    What fits stays one message, to the byte.
    """
    content = (Text("微" * 4999), Text("abc"))
    assert splitContent(content, MAX_TEXT, "split") == [content]
    assert splitContent(content, MAX_TEXT, "refuse") == [content]
    assert splitContent((), MAX_TEXT, "split") == [()]


def test_refused() -> None:
    """
    What must not be cut is refused, with the sizes.
    """
    with pytest.raises(MessageTooLong, match="15001 bytes, where 15000") as caught:
        splitContent((Text("x" * 15_001),), MAX_TEXT, "refuse")
    assert caught.value.retcode == 123


def test_characters() -> None:
    """
    No character is cut, however many code points it has.
    """
    pieces = splitContent((Text(FAMILY * 10),), 40, "split")
    # One has 18 bytes.
    assert pieces == [(Text(FAMILY * 2),)] * 5


def test_words() -> None:
    """
    Cuts are made behind a space, if one is near.
    """
    pieces = splitContent((Text("one two three fours"),), 10, "split")
    assert pieces == [(Text("one two "),), (Text("three "),), (Text("fours"),)]


def test_longWord() -> None:
    """
    A space far back is not worth the room.
    """
    pieces = splitContent((Text("a " + "x" * 2000),), 1000, "split")
    assert [sizeOf(piece) for piece in pieces] == [1000, 1000, 2]


def test_mixed() -> None:
    """
    Faces stay whole and in their places.
    """
    content = (Text("abc"), Face(14), Text("defghijk"), Face(1))
    # A face counts as much as its JSON: 11 and 10 bytes.
    pieces = splitContent(content, 16, "split")
    assert pieces == [
        (Text("abc"), Face(14), Text("de")),
        (Text("fghijk"), Face(1)),
    ]


def test_unsplittable() -> None:
    """
    A segment that cannot be split is refused when it is too long.
    """
    with pytest.raises(MessageTooLong, match="cannot be split"):
        splitContent((Text("x"), UnknownSegment(["y" * 100])), 50, "split")


def test_hugeCharacter() -> None:
    """
    A character that is too long alone is cut all the same.
    """
    text = "e" + "\u0301" * 50
    pieces = splitContent((Text("ab " + text),), 20, "split")
    assert joined(pieces) == [Text("ab " + text)]
    assert max(map(sizeOf, pieces)) <= 20


def test_unknownWord() -> None:
    """
    A misspelt choice is an error, also for short messages.
    """
    with pytest.raises(ValueError, match="'splitt'"):
        splitContent((), 10, "splitt")  # type: ignore[arg-type]


@given(
    st.lists(
        st.one_of(
            st.text(min_size=1).map(Text),
            st.lists(st.sampled_from([FAMILY, "e\u0301", "x", " "]), min_size=1).map(
                lambda parts: Text("".join(parts))
            ),
            st.integers(0, 134).map(Face),
        )
    ),
    st.integers(24, 60),
)
def test_lossless(segments: list[Segment], limit: int) -> None:
    """
    Pieces are in order, none is too long or empty, and together they are all
    there was.
    """
    content = tuple(segments)
    pieces = splitContent(content, limit, "split")
    assert joined(pieces) == joined([content])
    if not content:
        return
    assert all(0 < sizeOf(piece) <= limit for piece in pieces)
    assert Text("") not in [segment for piece in pieces for segment in piece]
