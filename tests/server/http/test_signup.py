"""
The page on which users create accounts.
"""

from __future__ import annotations

import re

import pytest

from tests.server.harness import START, Response, ServerHarness
from tests.server.signups import ask, filled, signUpHarness, submit
from txwebqq.model import Number
from txwebqq.server.population import parse
from txwebqq.server.records import HIGHEST_NUMBER
from txwebqq.server.sessions.registration import (
    ACCOUNTS,
    ACCOUNTS_WINDOW,
    FORMS,
    TRIES,
    TRIES_WINDOW,
    problemOf,
)
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.wire.digests import passwordHash


def problem(page: Response) -> str:
    found = re.search("<strong>(.+?)</strong>", page.body.decode())
    assert found is not None, page.body
    assert page.status >= 400
    assert b"<form" in page.body
    return found[1]


def test_signUp() -> None:
    """
    A form with the right captcha creates the next number, which can sign on.
    """
    harness = signUpHarness()
    page = submit(harness)
    assert page.status == 200
    assert b"<strong>10005</strong>" in page.body
    account = harness.store.accounts.get(Number(10005))
    assert account is not None
    assert (account.nick, account.firstHash) == ("Zoë", passwordHash("open sesame"))
    assert submit(harness, nick="  茶🍵👩‍👧  ").body.count(b"10006") == 1
    account = harness.store.accounts.get(Number(10006))
    assert account is not None
    assert account.nick == "茶🍵👩‍👧"


def test_page() -> None:
    """
    The page loads nothing from other sites, has no scripts, and is not cached.
    """
    page = ask(signUpHarness(), "GET")
    headers = {name.lower(): value for name, value in page.headers}
    assert page.status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]
    assert b"<script" not in page.body


def test_chinese() -> None:
    """
    A browser that takes Chinese is answered in it, with each sentence.
    """
    harness = signUpHarness()
    page = ask(harness, "GET", languages="en-US,en;q=0.9,zh-CN;q=0.8").body.decode()
    assert '<html lang="zh-CN">' in page
    assert "密码（6 到 64 个字符）" in page
    refused = ask(harness, "POST", b"nick=a", languages="zh")
    assert problem(refused) == "提交的内容不是此表单的内容。"
    for languages in ("", "en-US", "de, x-zh"):
        page = ask(harness, "GET", languages=languages).body.decode()
        assert '<html lang="en">' in page
        assert "Password (6 to 64 characters)" in page


def test_captcha() -> None:
    """
    A captcha can be tried once, in the browser that fetched it, for a while.
    """
    harness = signUpHarness()
    assert problem(submit(harness, code="nope")).startswith(
        "The text does not match the picture"
    )
    assert problem(submit(harness, cookie="x")).startswith("This form is not yours")
    assert problem(submit(harness, cookie="", session="")).startswith(
        "This form is not"
    )
    body, session = filled(ask(harness, "GET"), nick="")
    assert problem(ask(harness, "POST", body, session)).startswith("The nick must have")
    assert problem(ask(harness, "POST", body, session)).startswith(
        "The text does not match"
    )
    body, session = filled(ask(harness, "GET"))
    harness.clock.advance(301)
    assert problem(ask(harness, "POST", body, session)).startswith(
        "The text does not match"
    )
    assert harness.store.accounts.get(Number(10005)) is None


@pytest.mark.parametrize(
    ("nick", "password", "again", "expected"),
    [
        ("", "secret", "secret", "The nick must have 1 to 64 characters."),
        ("x" * 65, "secret", "secret", "The nick must have 1 to 64 characters."),
        ("a\nb", "secret", "secret", "an invisible character"),
        ("a\0b", "secret", "secret", "an invisible character"),
        ("a\u202eb", "secret", "secret", "an invisible character"),
        ("\u200b\u200b", "secret", "secret", "an invisible character"),
        ("a", "short", "short", "The password must have 6 to 64 characters."),
        ("a", "x" * 65, "x" * 65, "The password must have 6 to 64 characters."),
        ("a", "secret\0", "secret\0", "a character that cannot be typed"),
        ("a", "secret", "Secret", "The two passwords differ."),
        ("מ\"'<b>\\", "密码密码密码", "密码密码密码", None),
    ],
)
def test_problems(nick: str, password: str, again: str, expected: str | None) -> None:
    """
    The page has a sentence for each problem of a nick or a password.
    """
    found = problemOf(nick, password, again)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert expected in found


def test_escaped() -> None:
    """
    The nick of the form is escaped in the reply, and passwords are not repeated.
    """
    page = submit(
        signUpHarness(), nick='"><script>', password="hunter22", again="hunter23"
    )
    assert problem(page) == "The two passwords differ."
    assert b"&quot;&gt;&lt;script&gt;" in page.body
    assert b"<script" not in page.body
    assert b"hunter2" not in page.body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"nick=a", 400),
        (b"nick=%ff&password=a&again=a&session=a&code=a", 400),
        (b"nick=a&nick=b&password=a&again=a&session=a", 400),
        (b"nick=a&password=a&again=a&session=a&code=a&more=a", 400),
        (b"nick=" + b"a" * 5000, 413),
    ],
)
def test_malformed(body: bytes, status: int) -> None:
    """
    A malformed form is refused with a new form.
    """
    page = ask(signUpHarness(), "POST", body, "a")
    assert problem(page)
    assert page.status == status


def test_tries() -> None:
    """
    The number of tries of an address is limited within a time.
    """
    harness = signUpHarness()
    for _ in range(TRIES):
        assert problem(submit(harness, code="nope")).startswith(
            "The text does not match"
        )
    assert problem(submit(harness)).startswith("Too many attempts")
    assert submit(harness, address="127.0.0.2").status == 200
    harness.clock.advance(TRIES_WINDOW)
    assert submit(harness).status == 200


def test_forms() -> None:
    """
    The number of forms of an address is limited within a time, also for a form in
    the reply to another; the forms that it has may still be sent.
    """
    harness = signUpHarness()
    fetched = ask(harness, "GET")
    for _ in range(FORMS - 1):
        assert ask(harness, "GET").status == 200
    page = ask(harness, "GET")
    assert page.status == 429
    assert b"Too many forms for your address: come back in ten minutes" in page.body
    assert b"<form" not in page.body
    assert page.cookies == {}
    page = ask(harness, "POST", b"")
    assert page.status == 429
    assert b"That is not what this form sends. Too many forms" in page.body
    assert ask(harness, "GET", address="127.0.0.2").status == 200
    assert ask(harness, "POST", *filled(fetched)).status == 200
    harness.clock.advance(TRIES_WINDOW)
    assert ask(harness, "GET").status == 200


def test_accounts() -> None:
    """
    The number of accounts of an address is limited; clients of a trusted proxy have
    their own addresses.
    """
    harness = signUpHarness(proxies=("127.0.0.9",))
    for _ in range(ACCOUNTS):
        assert submit(harness, address="127.0.0.9", forwarded="192.0.2.1").status == 200
    more = submit(harness, address="127.0.0.9", forwarded="192.0.2.1")
    assert problem(more).startswith("Too many new accounts")
    assert submit(harness, address="127.0.0.9", forwarded="192.0.2.2").status == 200
    harness.clock.advance(ACCOUNTS_WINDOW)
    assert submit(harness, address="127.0.0.9", forwarded="192.0.2.1").status == 200
    assert harness.clock.seconds() > START


def test_full() -> None:
    """
    The page says so when all numbers are taken.
    """
    harness = signUpHarness()
    number = f"number = {HIGHEST_NUMBER}"
    importPopulation(harness.store, parse(f'[[account]]\n{number}\npassword = "x"'))
    assert problem(submit(harness)).startswith("There are no free numbers")


def test_closed() -> None:
    """
    Without the option there is no such page.
    """
    assert b"no such path" in ServerHarness().get("/signup").response.body
