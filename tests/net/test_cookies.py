"""
The cookies that a client sends back to servers.
"""

from __future__ import annotations

import time
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.request import Request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.net.cookies import CookieStore

POLL = "http://d.web2.qq.com/channel/poll2"
LOGIN = "http://ptlogin2.qq.com/login"


def test_changes() -> None:
    """
    Each URL gets what is for its host, as it is by now.
    """
    cookies = CookieStore()
    assert cookies.header(POLL) == b""
    cookies.set("ptwebqq", "one", ".qq.com")
    assert cookies.header(POLL) == b"ptwebqq=one"
    cookies.keep(LOGIN, ["ptwebqq=two; PATH=/; DOMAIN=qq.com;", "own=x; PATH=/"])
    assert cookies.header(POLL) == b"ptwebqq=two"
    assert cookies.header(LOGIN) in (b"ptwebqq=two; own=x", b"own=x; ptwebqq=two")
    assert cookies.value("ptwebqq", ".qq.com") == "two"
    assert cookies.value("other", ".qq.com") == ""
    cookies.keep(POLL, [])
    assert cookies.header(POLL) == b"ptwebqq=two"
    cookies.clear()
    assert cookies.header(POLL) == b""


def test_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A cookie is not sent after it has expired.
    """
    cookies = CookieStore()
    cookies.keep(POLL, ["short=x; PATH=/; DOMAIN=qq.com; Max-Age=60"])
    assert cookies.header(POLL) == b"short=x"
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    assert cookies.header(POLL) == b""


@pytest.mark.parametrize(
    "line", ["Max-Age=0", "Max-Age=-5", "Expires=Thu, 01-Jan-1970 00:00:00 GMT"]
)
def test_deleted(line: str) -> None:
    """
    A server deletes a cookie by letting it expire.
    """
    cookies = CookieStore()
    cookies.keep(POLL, ["a=1; PATH=/; DOMAIN=qq.com", "b=2; PATH=/; DOMAIN=qq.com"])
    cookies.keep(POLL, [f"a=x; PATH=/; DOMAIN=qq.com; {line}"])
    assert cookies.header(POLL) == b"b=2"
    assert cookies.value("a", ".qq.com") == ""


def test_replaced() -> None:
    """
    A cookie that replaces another one takes over none of its limits.
    """
    cookies = CookieStore()
    cookies.keep(POLL, ["a=1; PATH=/; secure"])
    assert cookies.header(POLL) == b""
    cookies.keep(POLL, ["a=2; PATH=/"])
    assert cookies.header(POLL) == b"a=2"


def test_longLife() -> None:
    """
    An age that is not a time does no harm.
    """
    cookies = CookieStore()
    cookies.keep(POLL, [f"a=1; Max-Age={'9' * digits}" for digits in (400, 5000)])
    assert cookies.header(POLL) == b"a=1"


class Headers:
    """
    The part of a response that the jar of the standard library reads.
    """

    def __init__(self, line: str) -> None:
        self._line = line

    def info(self) -> Headers:
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return [self._line] if name.lower() == "set-cookie" else default


hosts = st.sampled_from(
    ["qq.com", "web2.qq.com", "d.web2.qq.com", "ptlogin2.qq.com", "aqq.com"]
)
paths = st.sampled_from(["/", "/channel", "/channel/", "/channel/poll2", "/chan"])
attributes = st.sampled_from(
    [
        "DOMAIN=qq.com",
        "domain = .web2.qq.com",
        "Domain=com",
        "DOMAIN=.",
        "DOMAIN=",
        "DOMAIN",
        "DOMAIN=elsewhere.org",
        "PATH=/",
        "path=/channel",
        "PATH=/channel/",
        "PATH=/%7echannel/x",
        "PATH=",
        "PATH",
        "secure",
        "Secure=",
        "Secure=1",
        "HttpOnly",
        "Max-Age=60",
        "Max-Age=0",
        "Max-Age=x",
        "EXPIRES=Fri, 02-Jan-2120 00:00:00 GMT",
        'expires="Fri, 02-Jan-1970 00:00:00 GMT"',
        "EXPIRES=never",
        "EXPIRES",
        "",
        "=x",
    ]
)
pairs = st.sampled_from(
    ["a=1", "b=2", "b = 3 ", "c", "d=", 'e="x y"', "", "=z", "f=g=h"]
)


@given(
    st.lists(st.tuples(hosts, paths, pairs, st.lists(attributes)), max_size=6),
    hosts,
    paths,
    st.sampled_from(["http", "https"]),
)
def test_asTheJar(
    kept: list[tuple[str, str, str, list[str]]], host: str, path: str, scheme: str
) -> None:
    """
    The cookies that are sent are those that the standard library's jar sends.
    """
    cookies, jar = CookieStore(), CookieJar()
    for where, page, pair, words in kept:
        url, line = f"https://{where}{page}", ";".join([pair, *words])
        cookies.keep(url, [line])
        jar.extract_cookies(cast(Any, Headers(line)), Request(url))
    url = f"{scheme}://{host}{path}"
    asked = Request(url)
    jar.add_cookie_header(asked)
    theirs = asked.get_header("Cookie") or ""
    ours = cookies.header(url).decode()
    assert sorted(ours.split("; ")) == sorted(theirs.split("; "))
