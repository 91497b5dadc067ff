"""
JSON as WebQQ writes it, and as its clients and servers are known to.

With the extra C{speed}, what servers say is read by orjson. It takes less than
the standard library does, and what it takes it reads alike, but for whole
numbers of more than 64 bits, which are none of WebQQ's; so the rest is left to
the other, which then finds what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from typing import Any

from txwebqq.errors import MalformedReply

_quick: Callable[[bytes | str], Any] | None
try:
    from orjson import loads as _quick
except ImportError:
    _quick = None


def _refuseConstant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        # It could not be written as JSON again.
        raise ValueError("a number out of range")
    return value


_strict = json.JSONDecoder(parse_constant=_refuseConstant, parse_float=_finite)
# Some clients put bare line breaks and tabs into strings.
_lenient = json.JSONDecoder(
    parse_constant=_refuseConstant, parse_float=_finite, strict=False
)
_encoder = json.JSONEncoder(separators=(",", ":"))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_ESCAPE = re.compile(
    r"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F])",
    re.DOTALL,
)


def _withoutSurrogates(value: Any, source: str) -> Any:
    """
    A JSON value whose text can be written as UTF-8 again.

    @param source: the JSON; one look at it settles nearly all cases.
    """
    if _SURROGATE_ESCAPE.search(source) is None:
        return value
    # Behind an escaped backslash, what looks like an escape is none.
    if "\\\\u" not in source and _LONE_ESCAPE.search(source) is None:
        return value
    text = json.dumps(value, ensure_ascii=False)
    if _SURROGATE.search(text) is None:
        return value
    return json.loads(_SURROGATE.sub("\ufffd", text))


def parseJSON(text: str | bytes, strict: bool = True) -> Any:
    """
    The JSON value that a text holds, or its bytes in UTF-8; unpaired surrogates
    are replaced.

    @param strict: whether control characters in strings are an error.

    @raise MalformedReply: for any other text.
    """
    if _quick is not None and strict:
        with suppress(ValueError):
            return _quick(text)
    if isinstance(text, bytes):
        text = decodeText(text)
    decoder = _strict if strict else _lenient
    try:
        return _withoutSurrogates(decoder.decode(text), text)
    except (ValueError, RecursionError) as e:
        raise MalformedReply("not JSON") from e


def parseJSONPrefix(text: str) -> tuple[Any, str]:
    """
    The JSON value that a text begins with, and the rest of the text, without
    space around.

    Some clients put further fields behind the JSON in one value.

    @raise MalformedReply: when it does not begin with any.
    """
    text = text.strip()
    try:
        value, end = _lenient.raw_decode(text)
        return _withoutSurrogates(value, text), text[end:]
    except (ValueError, RecursionError) as e:
        raise MalformedReply("not JSON") from e


def encodeJSON(value: Any) -> str:
    """
    JSON as WebQQ writes it: no spaces, everything beyond ASCII escaped.
    """
    return _encoder.encode(value)


def decodeText(body: bytes) -> str:
    """
    A body as text.

    @raise MalformedReply: when it is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as e:
        raise MalformedReply("not UTF-8") from e
