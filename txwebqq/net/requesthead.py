"""
Heads of HTTP/1.1 requests: the parts that are the same for all requests of a kind
are made once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from twisted.python.url import URL

FORM = "application/x-www-form-urlencoded"
"""The type of the body of a form."""

USER_AGENT = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 txwebqq"
"""Some servers replied to browsers only (protocol.md 1.4)."""

MAX_KNOWN = 256
"""Number of URLs whose heads are kept."""

_ENCODED = re.compile(r"[!$-;=?-Z_a-z~]+")
"""URLs without a character that has to be encoded, and without a fragment."""


_END = b"\r\n\r\n"


def encodedText(url: str) -> str:
    """
    Encode the characters of a URL that need it.

    @raise ValueError: when that is impossible, as the text is not a URL.
    """
    if _ENCODED.fullmatch(url) is None:
        url = URL.fromText(url).replace(fragment="").asURI().asText()
        if _ENCODED.fullmatch(url) is None:
            raise ValueError("the text is not a URL")
    return url


def split(url: str) -> tuple[str, str]:
    """
    Divide a URL into its server and its path.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", f"{slash or '/'}{path}"


@lru_cache(MAX_KNOWN)
def _constantParts(
    method: str, url: str, referer: str | None
) -> tuple[str, bytes, bytes]:
    """
    @return: the server of a URL, and the parts of the head before and after the
        query.
    """
    server, path = split(encodedText(url))
    host = server.partition("//")[2]
    lines = [" HTTP/1.1", f"Host: {host}", f"User-Agent: {USER_AGENT}"]
    if referer is not None:
        lines.append(f"Referer: {referer}")
    if method == "POST":
        lines.append(f"Content-Type: {FORM}")
    head = "\r\n".join(lines)
    return server, f"{method} {path}".encode("ascii"), head.encode("ascii")


def encodeRequest(
    method: str, url: str, referer: str | None, cookies: bytes, form: bytes
) -> tuple[str, Sequence[bytes]]:
    """
    Encode a request. It is returned in parts, since most of them are shared by
    many requests, and a poll is kept until it is answered.

    @param url: the URL, without a query.
    @param cookies: the value of the header C{Cookie}, C{""} for none.
    @param form: the parameters, already encoded: the body of a C{POST} and the
        query of a C{GET}.

    @return: the server, which is the part of the URL before its path, and the
        parts of the request.

    @raise ValueError: when the URL is none.
    """
    server, start, rest = _constantParts(method, url, referer)
    if method == "POST":
        end = b"\r\nContent-Length: %d\r\n\r\n" % len(form)
        if cookies:
            return server, (start, rest, b"\r\nCookie: ", cookies, end, form)
        return server, (start, rest, end, form)
    mark = b"?" if form else b""
    if cookies:
        return server, (start, mark, form, rest, b"\r\nCookie: ", cookies, _END)
    return server, (start, mark, form, rest, _END)
