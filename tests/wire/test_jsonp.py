"""
Calls in which ptlogin replies.
"""

from __future__ import annotations

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.wire.jsonp import encodeCall, parseCall, quoteArgument, quoteBytes


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("f('a')", ("a",)),
        ("f('')", ("",)),
        (" \r\n f ( 'a' , 'b' ) ; \r\n", ("a", "b")),
        ("f('a','b','c');", ("a", "b", "c")),
        (r"f('\x00\xA6\x4a')", ("\x00\xa6\x4a",)),
        (r"f('\u4F60\u597d')", ("你好",)),
        (r"f('\ud83d\ude00')", ("😀",)),
        (r"f('\ud83d')", ("\ufffd",)),
        (r"f('\'\"\\\n\t\/\q')", ("'\"\\\n\t/q",)),
        (r"f('\x4','\u12')", ("x4", "u12")),
        ("f('登录成功！', 'Wen');\r\n", ("登录成功！", "Wen")),
        ("f('(', '),', ';')", ("(", "),", ";")),
    ],
)
def test_parse(call: str, arguments: tuple[str, ...]) -> None:
    """
    The arguments are those that a browser would see.
    """
    assert parseCall(call, "f") == arguments
    assert parseCall(call, "g", "f") == arguments


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f",
        "f()",
        "f(",
        "f('a'",
        "f('a'))",
        "f('a')b",
        "f('a') f('b')",
        "f('a' 'b')",
        "f(a)",
        "f('a\nb')",
        "f('a\\",
        "f('a\\\n')",
        'f("a")',
        "f('a'+'b')",
        "g('a')",
        "ff('a')",
        "x" * 100 + "('a')",
        "<html>f('a')</html>",
    ],
)
def test_malformed(text: str) -> None:
    """
    A text that is not one call with string arguments is malformed, and never evaluated.
    """
    with pytest.raises(MalformedReply):
        parseCall(text, "f")


@pytest.mark.parametrize(
    "text",
    [
        "f('" + "a" * 500_000,
        "f('" + "\\" * 500_001,
        "f('a')" + " " * 500_000 + "x",
        "f('a');" + " " * 500_000 + "x",
        " " * 500_000,
        "f" + " " * 500_000,
        "f('a'" + " " * 500_000,
        "f('a'," + " " * 500_000,
        "f(" + "'a'," * 200_000,
        "f('" + "\\x4" * 200_000,
    ],
)
def test_linear(text: str) -> None:
    """
    Half a megabyte of malformed input fails at once; a pattern of quadratic time would
    take minutes.
    """
    with pytest.raises(MalformedReply):
        parseCall(text, "f")


def test_encode() -> None:
    """
    A call has no spaces, an argument has no apostrophe, and all bytes are escaped.
    """
    literals = [quoteArgument("a'b\\\n"), quoteBytes(b"\x00A\xff")]
    assert encodeCall("f", literals) == "f('a’b\\\\ ','\\x00\\x41\\xff');"
    assert parseCall(encodeCall("f", literals), "f") == ("a’b\\ ", "\x00A\xff")
