"""
Creating an account from the chat page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_signUp(browser: Browser, tmp_path: Path) -> None:
    """
    The page leads to the form if sign-up is open, and the form back to the page with
    the number of the new account, which signs on.
    """
    options = ("--database", "p.db", "--signup", "open", "--captcha-text", "ABCD")
    with (
        PageServer(tmp_path, *options) as server,
        users(browser, server, tmp_path) as (user,),
    ):
        page = user.page
        page.goto(server.url)
        page.get_by_role("link", name="Create an account").click()
        page.get_by_role("link", name="Back to the sign-in").click()
        page.get_by_role("link", name="Create an account").click()
        page.get_by_label("Nick").fill("Dora")
        page.get_by_label("Password").fill("open sesame")
        page.get_by_label("Once more").fill("open sesame")
        page.get_by_label("What the picture says").fill("ABCD")
        page.get_by_role("button", name="Sign up").click()
        page.get_by_role("link", name="Sign in").click()
        number = page.get_by_label("Number")
        expect(number).to_have_value(re.compile("[1-9][0-9]{4,9}"))
        assert page.url == server.url
        page.get_by_label("Password").fill("open sesame")
        page.keyboard.press("Enter")
        user.isOn()
