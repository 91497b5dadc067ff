"""
The cookies of one account, by the historical hosts, wherever those are now.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie, CookieJar
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit
from urllib.request import Request


class CookieStore:
    """
    What servers have asked us to send back, and what a page would set itself.
    """

    def __init__(self) -> None:
        self._jar = CookieJar()
        # What it says to URLs, as long as nothing in it changes.
        self._headers: dict[str, str] = {}

    def clear(self) -> None:
        """
        Forget all of them.
        """
        self._jar.clear()
        self._headers.clear()

    def header(self, url: str) -> str:
        """
        What to send to a URL, C{""} for nothing.
        """
        known = self._headers.get(url)
        if known is None:
            cookies = list(self._jar)
            known = _header(cookies, urlsplit(url))
            # One that expires is looked at anew each time.
            if all(cookie.expires is None for cookie in cookies):
                self._headers[url] = known
        return known

    def keep(self, url: str, values: Iterable[str]) -> None:
        """
        Take what a URL has answered with, the values of C{Set-Cookie}.
        """
        values = list(values)
        if values:
            self._headers.clear()
            # The jar asks of a response no more than its headers.
            self._jar.extract_cookies(cast(Any, _HeadersOnly(values)), Request(url))

    def value(self, name: str, domain: str) -> str:
        """
        The value of a cookie, C{""} when there is none.
        """
        for cookie in self._jar:
            if cookie.name == name and cookie.domain == domain:
                return cookie.value or ""
        return ""

    def set(self, name: str, value: str, domain: str) -> None:
        """
        Have a cookie, as a page's own script sets one.
        """
        dotted = domain.startswith(".")
        self._headers.clear()
        self._jar.set_cookie(
            Cookie(
                version=0,
                name=name,
                value=value,
                port=None,
                port_specified=False,
                domain=domain,
                domain_specified=dotted,
                domain_initial_dot=dotted,
                path="/",
                path_specified=True,
                secure=False,
                expires=None,
                discard=True,
                comment=None,
                comment_url=None,
                rest={},
            )
        )


def _header(cookies: Iterable[Cookie], url: SplitResult) -> str:
    """
    What the jar would say too, which goes about it by way of RFC 2965 and takes
    ten times as long.
    """
    going = [cookie for cookie in cookies if _goesTo(cookie, url)]
    going.sort(key=lambda cookie: len(cookie.path), reverse=True)
    return "; ".join(
        cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}"
        for cookie in going
    )


def _goesTo(cookie: Cookie, url: SplitResult) -> bool:
    domain, path = cookie.domain.removeprefix("."), cookie.path.removesuffix("/")
    isThere = f".{url.hostname}".endswith(f".{domain}")
    isBelow = url.path == cookie.path or url.path.startswith(f"{path}/")
    isAllowed = url.scheme == "https" or not cookie.secure
    return isThere and isBelow and isAllowed and not cookie.is_expired()


class _HeadersOnly:
    """
    A response and its headers, as the standard library's cookie jar sees them.
    """

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def info(self) -> _HeadersOnly:
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._values if name.lower() == "set-cookie" else default
