"""
The JavaScript calls that ptlogin answers with: C{ptuiCB('0','0','...');}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from txwebqq.errors import MalformedReply

_OPEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\(\s*")
# Possessive, so that what does not match is given up at once.
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
    # Escapes name halves of surrogate pairs, of which some lack the other one.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parseCall(text: str, *names: str) -> tuple[str, ...]:
    """
    The arguments of a call whose arguments are all strings.

    @param names: how the function may be called.

    @raise MalformedReply: for any other text, an HTML page for example.
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
        raise MalformedReply(f"a broken call of {names[0]}")
    return tuple(arguments)


def quoteArgument(value: str) -> str:
    """
    A string literal that clients may evaluate, as some of them did.

    Apostrophes become typographic ones: several clients split at C{'}.
    """
    clean = "".join(" " if ord(c) < 32 else c for c in value.replace("'", "\u2019"))
    return "'" + clean.replace("\\", "\\\\") + "'"


def quoteBytes(value: bytes) -> str:
    r"""
    Bytes as the literal C{\xNN} text that salts are written in.
    """
    return "'" + "".join(f"\\x{byte:02x}" for byte in value) + "'"


def encodeCall(name: str, literals: Sequence[str]) -> str:
    """
    A call without spaces, as clients that cut it at fixed places need it.
    """
    return f"{name}({','.join(literals)});"
