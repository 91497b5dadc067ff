"""
JSON, parsed with msgspec and with the standard library.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError
from msgspec.json import Decoder

from txwebqq.errors import MalformedReply
from txwebqq.wire import jsontext
from txwebqq.wire.jsontext import (
    encodeJSON,
    encodeUnescapedJSON,
    parseJSON,
    parseJSONPrefix,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)

ODD = [
    "",
    " ",
    "{",
    "NaN",
    "[Infinity]",
    "1e999",
    "9" * 5000,
    "[" * 100_000,
    '"\\ud800"',
    '"\\udc00\\ud800 \\ud83c\\udf75"',
    '"\\\\ud800"',
    '["a\tb\n"]',
    '{"a":1,"a":2}',
    '{"a":1}&b=2',
    ' {"a": -0} ',
    "\ufeff{}",
    "[1,]",
    "'a'",
    "\ud800",
]


class Refusing:
    """
    A decoder that accepts nothing, so that the standard library parses everything.
    """

    def decode(self, text: str | bytes) -> Any:
        """
        Refuse a text.
        """
        raise DecodeError


DECODERS = (Decoder(), Refusing())


@pytest.fixture(params=DECODERS, ids=["msgspec", "standard"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Run a test with each of the two libraries.
    """
    monkeypatch.setattr(jsontext, "_strict", request.param)


def _outcome(text: str | bytes) -> Any:
    try:
        return parseJSON(text)
    except MalformedReply as e:
        return str(e)


@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:20]))
def test_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Both parse unusual JSON alike, or fail with the same text.
    """
    found = []
    for decoder in DECODERS:
        monkeypatch.setattr(jsontext, "_strict", decoder)
        raw = text.encode("utf-8", "surrogatepass")
        found.append([_outcome(text), _outcome(raw)])
    assert found[0] == found[1]


@given(values)
def test_roundTrip(value: Any) -> None:
    """
    Encoded JSON is ASCII, and parsed to the same value.
    """
    text = encodeJSON(value)
    assert text.isascii()
    assert " " not in encodeJSON([1, {"a": 2}])
    with pytest.MonkeyPatch.context() as patch:
        for decoder in DECODERS:
            patch.setattr(jsontext, "_strict", decoder)
            assert parseJSON(text) == parseJSON(text.encode()) == value
            assert parseJSON(encodeUnescapedJSON(value)) == value


@pytest.mark.usefixtures("library")
def test_repaired() -> None:
    """
    A lone surrogate becomes the replacement character, when it is read and when it
    is written unescaped; the text behind the JSON is returned.
    """
    assert parseJSON('["\\ud800x","\\ud83c\\udf75"]') == ["\ufffdx", "🍵"]
    assert encodeUnescapedJSON("\ud800x\ud83c\udf75") == '"\ufffdx🍵"'.encode()
    assert parseJSONPrefix('{"a":"b"}&c=d') == ({"a": "b"}, "&c=d")
    odd = "".join(map(chr, range(32)))
    assert parseJSON(f'["a{odd}b"]') == [f"a{odd}b"]
    assert parseJSON("[18446744073709551617]") == [2**64 + 1]
    with pytest.raises(MalformedReply, match=r"^not JSON$"):
        parseJSON('["a\tb]')
    with pytest.raises(MalformedReply, match=r"^not UTF-8$"):
        parseJSON(b'"\xff"')


@pytest.mark.usefixtures("library")
def test_asStandard() -> None:
    """
    A reply to a poll is parsed as the standard library parses it.
    """
    text = '{"retcode":0,"result":[{"poll_type":"x","value":[1.5,null,"\\u8336"]}]}'
    assert parseJSON(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        '\\ " / \b\f\n\r\t\0\x1f\x7f',
        "\x80\xa0\xff",
        "在吗 \\u4e00",
        "é在",
        "在😀",
        "\ud83d\ude00",
        "x\udc00",
        "\u2028\ufffe\uffff",
    ],
)
def test_standard(text: str) -> None:
    """
    JSON is written as the standard library writes it.
    """
    value = {"a": [text, 2**63, 2**70, -1, True, None], text: (), 1: 1.5}
    assert encodeJSON(value) == json.dumps(value, separators=(",", ":"))
    del value[1]
    assert encodeJSON(value) == json.dumps(value, separators=(",", ":"))
