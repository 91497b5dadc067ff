"""
What is sent back to servers.
"""

from __future__ import annotations

import time

import pytest

from txwebqq.cookies import Cookies

POLL = "http://d.web2.qq.com/channel/poll2"
LOGIN = "http://ptlogin2.qq.com/login"


def test_changes() -> None:
    """
    Each URL gets what is for its host, as it is by now.
    """
    cookies = Cookies()
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
    One that expires is not sent any more then, though it was a moment before.
    """
    cookies = Cookies()
    cookies.keep(POLL, ["short=x; PATH=/; DOMAIN=qq.com; Max-Age=60"])
    assert cookies.header(POLL) == "short=x"
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    assert cookies.header(POLL) == ""
