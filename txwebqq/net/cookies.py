"""
Cookies of one account, by historical host, also when another server replaces
those hosts.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit
from urllib.request import Request

# It has no state of its own.
_POLICY = DefaultCookiePolicy()

_NO_ATTRIBUTES: dict[str, str] = {}


class _Jar(CookieJar):
    """
    A jar whose cookies share the dictionary of their other attributes, which are
    not used.
    """

    def set_cookie(self, cookie: Cookie) -> None:
        untyped: Any = cookie
        untyped._rest = _NO_ATTRIBUTES
        super().set_cookie(cookie)


class CookieStore:
    """
    The cookies that servers have set, and those that the scripts of the
    original page would set.
    """

    def __init__(self) -> None:
        self._jar = _Jar(_POLICY)
        # The headers by URL, as long as no cookie changes.
        self._headers: dict[str, str] = {}

    def clear(self) -> None:
        """
        Delete all cookies.
        """
        self._jar.clear()
        self._headers.clear()

    def header(self, url: str) -> str:
        """
        Return the C{Cookie} header for a request to a URL, C{""} for none.
        """
        known = self._headers.get(url)
        if known is None:
            cookies = list(self._jar)
            known = _header(cookies, urlsplit(url))
            # A cookie that expires has to be checked for each request.
            if all(cookie.expires is None for cookie in cookies):
                # Most URLs have the same header, which is long.
                same = (each for each in self._headers.values() if each == known)
                self._headers[url] = known = next(same, known)
        return known

    def keep(self, url: str, values: Iterable[str]) -> None:
        """
        Store the cookies of a reply.

        @param url: the URL of the request.
        @param values: the values of C{Set-Cookie}.
        """
        values = list(values)
        if values:
            self._headers.clear()
            # The jar reads only the headers of a response.
            self._jar.extract_cookies(cast(Any, _HeadersOnly(values)), Request(url))

    def value(self, name: str, domain: str) -> str:
        """
        Return the value of a cookie, C{""} when there is none.
        """
        for cookie in self._jar:
            if cookie.name == name and cookie.domain == domain:
                return cookie.value or ""
        return ""

    def set(self, name: str, value: str, domain: str) -> None:
        """
        Set a cookie, as a script of the original page does.
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
    Make the header that the jar would make too. The jar follows RFC 2965 and
    takes ten times as long.
    """
    host = f".{url.hostname}"
    matching = [cookie for cookie in cookies if _matches(cookie, host, url)]
    matching.sort(key=lambda cookie: len(cookie.path), reverse=True)
    return "; ".join(
        cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}"
        for cookie in matching
    )


def _matches(cookie: Cookie, host: str, url: SplitResult) -> bool:
    domain, path = cookie.domain.removeprefix("."), cookie.path.removesuffix("/")
    isDomain = host.endswith(f".{domain}")
    isPath = url.path == cookie.path or url.path.startswith(f"{path}/")
    isSecure = url.scheme == "https" or not cookie.secure
    isFresh = cookie.expires is None or not cookie.is_expired()
    return isDomain and isPath and isSecure and isFresh


class _HeadersOnly:
    """
    The part of a response that the cookie jar of the standard library reads.
    """

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def info(self) -> _HeadersOnly:
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._values if name.lower() == "set-cookie" else default
