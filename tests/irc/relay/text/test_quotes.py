"""
Quotes of the message that another one replies to.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.relay.text.quotes import (
    MAX_EXCERPT,
    excerptOf,
    quoteOf,
    withoutReferences,
)


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("hello", "hello"),
        ("hello\nworld", "hello…"),
        ("see http://qq.test/a?b=c now", "see [link] now"),
        ("茶" * 30, "茶" * 20 + "…"),
    ],
)
def test_excerpt(text: str, excerpt: str) -> None:
    """
    An excerpt is a part of the first line, without links.
    """
    assert excerptOf(text) == excerpt
    assert len(excerpt.removesuffix("…").encode()) <= MAX_EXCERPT


@pytest.mark.parametrize(
    ("author", "excerpt", "text"),
    [
        ("Bob (away)", "f(x)", "yes"),
        ("bob", "hello", "bob: yes"),
        ("bob", "hello", "@bob yes"),
        ("", "hello", "yes"),
        ("<bob>", ")", "yes"),
    ],
)
def test_removed(author: str, excerpt: str, text: str) -> None:
    """
    A quote and the name behind it are removed again.
    """
    assert withoutReferences(quoteOf(author, excerpt, text) + text) == (text, "yes")


@pytest.mark.parametrize(
    "text", ["yes", "(re) yes", "yes (re bob: hello) ", "@bob", ""]
)
def test_noQuote(text: str) -> None:
    """
    Other texts stay as they are.
    """
    assert withoutReferences(text) == (text, text)
