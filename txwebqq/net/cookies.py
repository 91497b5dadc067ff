"""
Cookies of one account, by historical host, also when another server replaces
those hosts.

The rules are those of the standard library's C{http.cookiejar}, whose objects take
five times as much memory and whose policy takes ten times as long.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

MAX_KNOWN = 512
"""Number of different attributes of cookies that are kept, for all accounts."""


MAX_AGE = 100 * 366 * 86400
"""Maximum age of a cookie in seconds; it is kept no longer than the process runs."""


class _Key(NamedTuple):
    """
    The name, domain and path by which cookies are told apart.

    @ivar domain: the host, or C{.} and the domain whose hosts get the cookie.
    """

    domain: str
    path: str
    name: str


class _Place(NamedTuple):
    """
    All that a server says about a cookie but its value.

    @ivar expires: the time after which it is not sent, in seconds.
    @ivar maxAge: the seconds after which it is not sent, which count instead.
    """

    key: _Key
    isSecure: bool
    expires: float | None
    maxAge: int | None


class StoredCookie(NamedTuple):
    """
    A cookie that is kept over a restart.

    @ivar domain: as in L{CookieStore}: C{.} and a domain is for all of its hosts.
    @ivar expires: the time after which it is not sent, in seconds.
    """

    domain: str
    path: str
    name: str
    value: str | None
    isSecure: bool
    expires: float | None


class CookieStore:
    """
    The cookies that servers have set, and those that the scripts of the
    original page would set.
    """

    def __init__(self) -> None:
        self._values: dict[_Key, str | None] = {}
        # Whether a cookie is for https only, and when it expires; few have either.
        self._limits: dict[_Key, tuple[bool, float | None]] = {}
        # The headers by URL, as long as no cookie changes.
        self._headers: dict[str, bytes] = {}

    def clear(self) -> None:
        """
        Delete all cookies.
        """
        self._values.clear()
        self._limits.clear()
        self._headers.clear()

    def stored(self) -> tuple[StoredCookie, ...]:
        """
        Return all cookies.
        """
        return tuple(
            StoredCookie(*key, value, *self._limits.get(key, (False, None)))
            for key, value in self._values.items()
        )

    def restore(self, cookies: Iterable[StoredCookie]) -> None:
        """
        Add cookies that were kept over a restart.
        """
        self._headers.clear()
        for each in cookies:
            key = _Key(each.domain, each.path, each.name)
            self._store(_Place(key, each.isSecure, each.expires, None), each.value)

    def header(self, url: str) -> bytes:
        """
        Return the C{Cookie} header for a request to a URL, C{b""} for none.
        """
        known = self._headers.get(url)
        if known is None:
            known = self._header(urlsplit(url)).encode("latin-1", "replace")
            # A cookie that expires has to be checked for each request.
            if all(expires is None for _, expires in self._limits.values()):
                # Most URLs have the same header, which is long.
                same = (each for each in self._headers.values() if each == known)
                known = next(same, known)
                self._headers[sys.intern(url)] = known
        return known

    def keep(self, url: str, values: Iterable[str]) -> None:
        """
        Store the cookies of a reply.

        @param url: the URL of the request.
        @param values: the values of C{Set-Cookie}.
        """
        for line in values:
            self._headers.clear()
            pair, _, attributes = line.partition(";")
            name, equals, value = pair.partition("=")
            parts = urlsplit(url)
            host, page = parts.hostname or "", parts.path
            place = _placeOf(host, page, name.strip(), attributes)
            if place is not None:
                self._store(place, value.strip() if equals else None)

    def _store(self, place: _Place, value: str | None) -> None:
        key, expires, now = place.key, place.expires, time.time()
        if place.maxAge is not None:
            expires = now + place.maxAge
        self._limits.pop(key, None)
        if expires is not None and expires <= now:
            self._values.pop(key, None)
            return
        self._values[key] = value
        if place.isSecure or expires is not None:
            self._limits[key] = place.isSecure, expires

    def value(self, name: str, domain: str) -> str:
        """
        Return the value of a cookie, C{""} when there is none.
        """
        for key, value in self._values.items():
            if key.name == name and key.domain == domain:
                return value or ""
        return ""

    def set(self, name: str, value: str, domain: str) -> None:
        """
        Set a cookie, as a script of the original page does.
        """
        self._headers.clear()
        self._store(_Place(_Key(domain, "/", name), False, None, None), value)

    def _header(self, url: SplitResult) -> str:
        host = f".{url.hostname}"
        matching = [key for key in self._values if self._matches(key, host, url)]
        matching.sort(key=lambda key: len(key.path), reverse=True)
        values = [(key.name, self._values[key]) for key in matching]
        return "; ".join(
            name if value is None else f"{name}={value}" for name, value in values
        )

    def _matches(self, key: _Key, host: str, url: SplitResult) -> bool:
        domain, path = key.domain.removeprefix("."), key.path.removesuffix("/")
        isSecure, expires = self._limits.get(key, (False, None))
        isDomain = host.endswith(f".{domain}")
        isPath = url.path == key.path or url.path.startswith(f"{path}/")
        isSafe = url.scheme == "https" or not isSecure
        isFresh = expires is None or expires > time.time()
        return isDomain and isPath and isSafe and isFresh


@lru_cache(MAX_KNOWN)
def _placeOf(host: str, page: str, name: str, attributes: str) -> _Place | None:
    """
    Read the attributes of a cookie. All accounts share the results.

    @param host: the host of the request, and C{page} its path.

    @return: L{None} for a cookie that must not be stored.
    """
    known: dict[str, str | None] = {}
    maxAge = None
    for attribute in attributes.split(";"):
        word, equals, text = attribute.partition("=")
        word = word.strip().lower()
        if word == "max-age":
            try:
                # A sum with a longer number is no time.
                maxAge = max(0, min(int(text), MAX_AGE))
            except ValueError:
                return None
        else:
            known.setdefault(word, text.strip() if equals else None)
    domain = _domainOf(known, host)
    if not name or domain is None or known.get("path", "") is None:
        return None
    path = known.get("path") or page.rpartition("/")[0] or "/"
    return _Place(
        _Key(domain, path, name),
        "secure" in known and known["secure"] != "",
        _timeOf((known.get("expires") or "").strip('"')),
        maxAge,
    )


def _timeOf(date: str) -> float | None:
    """
    Read a date, as C{Fri, 02-Jan-2015 10:00:00 GMT}.

    @return: seconds, L{None} for a text that is no date.
    """
    parts = parsedate_tz(date)
    try:
        return None if parts is None else mktime_tz(parts)
    except (ValueError, OverflowError):
        return None


def _domainOf(attributes: dict[str, str | None], host: str) -> str | None:
    """
    @return: the domain of a cookie, L{None} when the host must not set cookies
        of the domain that it names.
    """
    if "domain" not in attributes:
        return host
    domain = (attributes["domain"] or "").lower()
    if not domain.startswith("."):
        domain = f".{domain}"
    isTop = "." not in domain[1:]
    return None if isTop or not f".{host}".endswith(domain) else domain
