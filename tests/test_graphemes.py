"""
Characters are those that readers see.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.graphemes import graphemes

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WAVING = "\U0001f44b\U0001f3fd"
HEART = "\u2764\ufe0f"
CHINA, JAPAN = "\U0001f1e8\U0001f1f3", "\U0001f1ef\U0001f1f5"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e007f"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        ["a", "b"],
        ["a", "\r\n", "b", "\n", "\r", "c"],
        ["e\u0301", "x"],
        ["微", "笑"],
        [FAMILY, "!"],
        [WAVING, HEART, "1\ufe0f\u20e3"],
        [CHINA, JAPAN, "\U0001f1e8"],
        [SCOTLAND, "."],
        ["\u1112\u1161\u11ab", "각", "한"],
        ["न", "म", "स्ते"],
        ["\u0e19\u0e33"],
        ["a\u200d", "b"],
        ["\ud83d", "\ude00"],
        ["\U0001f468", "\U0001f469"],
    ],
    ids=ascii,
)
def test_characters(parts: list[str]) -> None:
    """
    A text falls into the characters that it shows.
    """
    assert list(graphemes("".join(parts))) == parts


@given(
    st.text(
        alphabet=st.one_of(
            st.characters(),
            st.sampled_from("\r\n\u200d\u0301\u094d\u0915\ufe0f\u1100\u1161\U0001f1e8")
            | st.just("\U0001f468"),
        )
    )
)
def test_lossless(text: str) -> None:
    """
    Characters joined are the text again, and none is empty.
    """
    parts = list(graphemes(text))
    assert "".join(parts) == text
    assert "" not in parts
