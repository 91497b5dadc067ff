"""
JSON as WebQQ writes it, and as its clients and servers are known to write it.

Valid JSON is parsed by msgspec. The standard library parses the rest: text with
unescaped control characters, or with one half of a pair of surrogates. Both parse
alike what both accept.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

from txwebqq.errors import MalformedReply

_strict = Decoder()


def _refuseConstant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        # Infinity could not be written as JSON again.
        raise ValueError("a number out of range")
    return value


# Some clients do not escape line breaks and tabs in strings, and some servers wrote
# nicknames with any control character as it was.
_lenient = json.JSONDecoder(
    parse_constant=_refuseConstant, parse_float=_finite, strict=False
)
_encoder = json.JSONEncoder(separators=(",", ":"))
_fast = Encoder().encode
# Characters that JSON escapes in another way than the error handler
# "backslashreplace", which writes \xff and \U0001f600.
_ESCAPED_OTHERWISE = re.compile("[\x7f-\xff\U00010000-\U0010ffff]")
_unescaped = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_ESCAPE = re.compile(
    r"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F])",
    re.DOTALL,
)


def _withoutSurrogates(value: Any, source: str) -> Any:
    """
    Return a JSON value with a replacement character for each unpaired surrogate,
    which could not be written as UTF-8.

    @param source: the JSON text; one look at it shows that most have none.
    """
    if _SURROGATE_ESCAPE.search(source) is None:
        return value
    # Behind an escaped backslash, the characters of an escape are none.
    if "\\\\u" not in source and _LONE_ESCAPE.search(source) is None:
        return value
    text = json.dumps(value, ensure_ascii=False)
    if _SURROGATE.search(text) is None:
        return value
    return json.loads(_SURROGATE.sub("\ufffd", text))


def parseJSON(text: str | bytes) -> Any:
    """
    Parse a JSON text, or its bytes in UTF-8; unpaired surrogates are replaced.

    @raise MalformedReply: when the text is not JSON.
    """
    try:
        return _strict.decode(text)
    except (DecodeError, ValueError, RecursionError):
        pass
    if isinstance(text, bytes):
        text = decodeText(text)
    try:
        return _withoutSurrogates(_lenient.decode(text), text)
    except (ValueError, RecursionError):
        raise MalformedReply("not JSON") from None


def parseJSONPrefix(text: str) -> tuple[Any, str]:
    """
    Parse the JSON value at the beginning of a text, since some clients write further
    parameters behind the JSON of one.

    @return: the value, and the rest of the text.

    @raise MalformedReply: when the text does not begin with JSON.
    """
    text = text.strip()
    try:
        return _strict.decode(text), ""
    except (DecodeError, ValueError, RecursionError):
        pass
    try:
        value, end = _lenient.raw_decode(text)
        return _withoutSurrogates(value, text), text[end:]
    except (ValueError, RecursionError) as e:
        raise MalformedReply("not JSON") from e


def encodeJSON(value: Any) -> str:
    """
    Return JSON as WebQQ writes it: no spaces, non-ASCII characters escaped.

    @param value: made of the types that JSON has. Some others, as C{bytes}, become
        texts; L{encodeGivenJSON} refuses them.
    """
    try:
        text = _fast(value).decode()
    except (TypeError, ValueError, RecursionError):
        # Names of members that are no texts, single surrogates.
        return _encoder.encode(value)
    if text.isascii() and "\x7f" not in text:
        return text
    if _ESCAPED_OTHERWISE.search(text) is not None:
        return _encoder.encode(value)
    return text.encode("ascii", "backslashreplace").decode()


def encodeGivenJSON(value: Any) -> str:
    """
    Return the same JSON as L{encodeJSON}, of a value that an application has given.

    @raise TypeError: when it has a type that JSON does not have.
    """
    return _encoder.encode(value)


def encodeUnescapedJSON(value: Any) -> bytes:
    """
    Return JSON as Tencent's look-ups wrote it: in UTF-8, with non-ASCII characters
    as they are.
    """
    return encodeText(_unescaped.encode(value))


def replaceSurrogates(text: str) -> str:
    """
    Return a text that can be written as UTF-8: halves of surrogate pairs are joined,
    and single ones become the replacement character.
    """
    utf16 = text.encode("utf-16", "surrogatepass")
    return utf16.decode("utf-16", "replace")


def encodeText(text: str) -> bytes:
    """
    Encode a text as UTF-8, after L{replaceSurrogates} where that is needed.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return replaceSurrogates(text).encode()


def decodeText(body: bytes) -> str:
    """
    Decode a body as UTF-8.

    @raise MalformedReply: when the body is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as e:
        raise MalformedReply("not UTF-8") from e
