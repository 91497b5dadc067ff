"""
JavaScript calls, in which ptlogin replies: C{ptuiCB('0','0','...');}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from txwebqq.errors import MalformedReply

_OPEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\(\s*")
# Possessive, so that a text that does not match fails in linear time.
_STRING = re.compile(r"'((?:[^'\\\r\n]++|\\[^\r\n])*+)'\s*+")
_COMMA = re.compile(r",\s*+")
_CLOSE = re.compile(r"\)\s*+;?\s*+\Z")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))")
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return _NAMED.get(found[3], found[3]) if code is None else chr(int(code, 16))


def _literal(source: str) -> str:
    text = _ESCAPE.sub(_unescape, source)
    if text.isascii():
        return text
    # Escapes are UTF-16 code units; some lack the other half of their pair.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parseCall(text: str, *names: str) -> tuple[str, ...]:
    """
    Return the arguments of a call, which are all strings.

    @param names: the allowed names of the function.

    @raise MalformedReply: for any other text, for example an HTML page.
    """
    found = _OPEN.match(text)
    if found is None or found[1] not in names:
        raise MalformedReply(f"not a call of {names[0]}")
    arguments = []
    at = found.end()
    while (string := _STRING.match(text, at)) is not None:
        arguments.append(_literal(string[1]))
        at = string.end()
        comma = _COMMA.match(text, at)
        if comma is None:
            break
        at = comma.end()
    if not arguments or _CLOSE.match(text, at) is None:
        raise MalformedReply(f"malformed call of {names[0]}")
    return tuple(arguments)


def quoteArgument(value: str) -> str:
    """
    Return a string literal. Some clients evaluate it as JavaScript; several split at
    C{'}, so apostrophes become typographic ones.
    """
    clean = "".join(" " if ord(c) < 32 else c for c in value.replace("'", "\u2019"))
    return "'" + clean.replace("\\", "\\\\") + "'"


def quoteBytes(value: bytes) -> str:
    r"""
    Return bytes as a literal with the text C{\xNN}, as salts are written.
    """
    return "'" + "".join(f"\\x{byte:02x}" for byte in value) + "'"


def encodeCall(name: str, literals: Sequence[str]) -> str:
    """
    Return a call without spaces, since some clients cut it at fixed places.
    """
    return f"{name}({','.join(literals)});"
