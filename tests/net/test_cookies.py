"""
The cookies that a client sends back to servers.
"""

from __future__ import annotations

import time
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
    assert cookies.header(POLL) == ""
    cookies.set("ptwebqq", "one", ".qq.com")
    assert cookies.header(POLL) == "ptwebqq=one"
    cookies.keep(LOGIN, ["ptwebqq=two; PATH=/; DOMAIN=qq.com;", "own=x; PATH=/"])
    assert cookies.header(POLL) == "ptwebqq=two"
    assert cookies.header(LOGIN) in ("ptwebqq=two; own=x", "own=x; ptwebqq=two")
    assert cookies.value("ptwebqq", ".qq.com") == "two"
    assert cookies.value("other", ".qq.com") == ""
    cookies.keep(POLL, [])
    assert cookies.header(POLL) == "ptwebqq=two"
    cookies.clear()
    assert cookies.header(POLL) == ""


def test_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A cookie is not sent after it has expired.
    """
    cookies = CookieStore()
    cookies.keep(POLL, ["short=x; PATH=/; DOMAIN=qq.com; Max-Age=60"])
    assert cookies.header(POLL) == "short=x"
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    assert cookies.header(POLL) == ""


hosts = st.sampled_from(
    ["qq.com", "web2.qq.com", "d.web2.qq.com", "ptlogin2.qq.com", "aqq.com"]
)
paths = st.sampled_from(["/", "/channel", "/channel/", "/channel/poll2", "/chan"])
domains = st.sampled_from(["", "; DOMAIN=qq.com", "; DOMAIN=.web2.qq.com"])


@given(
    st.lists(st.tuples(hosts, paths, domains, paths, st.booleans()), max_size=4),
    hosts,
    paths,
    st.sampled_from(["http", "https"]),
)
def test_asTheJar(
    kept: list[tuple[str, str, str, str, bool]], host: str, path: str, scheme: str
) -> None:
    """
    The cookies that are sent are those that the standard library's jar sends.
    """
    cookies = CookieStore()
    for n, (where, page, domain, below, isSecure) in enumerate(kept):
        secure = "; secure" if isSecure else ""
        value = f"c{n}=v{n}; PATH={below}{domain}{secure}"
        cookies.keep(f"https://{where}{page}", [value])
    url = f"{scheme}://{host}{path}"
    asked = Request(url)
    cookies._jar.add_cookie_header(asked)
    theirs = asked.get_header("Cookie") or ""
    assert sorted(cookies.header(url).split("; ")) == sorted(theirs.split("; "))
