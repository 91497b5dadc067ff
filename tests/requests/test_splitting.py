"""
Messages that are too long are cut between characters.
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


def joined(parts: list[Content]) -> list[Segment]:
    """
    Join parts, with neighbouring texts made one segment.
    """
    segments: list[Segment] = []
    for segment in (segment for part in parts for segment in part):
        last = segments[-1] if segments else None
        if isinstance(segment, Text) and isinstance(last, Text):
            segments[-1] = Text(last.text + segment.text)
        else:
            segments.append(segment)
    return segments


def test_short() -> None:
    """
    A message within the limit is not cut, to the byte.
    """
    content = (Text("微" * 4999), Text("abc"))
    assert splitContent(content, MAX_TEXT, "split") == [content]
    assert splitContent(content, MAX_TEXT, "refuse") == [content]
    assert splitContent((), MAX_TEXT, "split") == [()]


def test_refused() -> None:
    """
    A message that must not be cut is refused, with its size and the limit.
    """
    with pytest.raises(MessageTooLong, match="15001 bytes, where 15000") as caught:
        splitContent((Text("x" * 15_001),), MAX_TEXT, "refuse")
    assert caught.value.retcode == 123


def test_characters() -> None:
    """
    No character is cut, however many code points it has.
    """
    parts = splitContent((Text(FAMILY * 10),), 40, "split")
    # One has 18 bytes.
    assert parts == [(Text(FAMILY * 2),)] * 5


def test_words() -> None:
    """
    Cuts are made behind a space, if one is near.
    """
    parts = splitContent((Text("one two three fours"),), 10, "split")
    assert parts == [(Text("one two "),), (Text("three "),), (Text("fours"),)]


def test_longWord() -> None:
    """
    A space far back is not worth the room.
    """
    parts = splitContent((Text("a " + "x" * 2000),), 1000, "split")
    assert [sizeOf(part) for part in parts] == [1000, 1000, 2]


def test_mixed() -> None:
    """
    Faces stay whole and in their places.
    """
    content = (Text("abc"), Face(14), Text("defghijk"), Face(1))
    # A face counts as much as its JSON: 11 and 10 bytes.
    parts = splitContent(content, 16, "split")
    assert parts == [
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
    parts = splitContent((Text("ab " + text),), 20, "split")
    assert joined(parts) == [Text("ab " + text)]
    assert max(map(sizeOf, parts)) <= 20


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
    The parts are in order, none is too long or empty, and together they have
    the whole message.
    """
    content = tuple(segments)
    parts = splitContent(content, limit, "split")
    assert joined(parts) == joined([content])
    if not content:
        return
    assert all(0 < sizeOf(part) <= limit for part in parts)
    assert Text("") not in [segment for part in parts for segment in part]
