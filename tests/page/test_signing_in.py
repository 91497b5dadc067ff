"""
The sign-in form: where the focus is after a mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PASSWORDS, PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_mistakes(browser: Browser, tmp_path: Path) -> None:
    """
    After a wrong password the password is typed again, and after wrong characters of a
    captcha those of another one; a captcha without characters is not sent.
    """
    options = ("--captcha", "always", "--captcha-text", "TEST")
    with (
        PageServer(tmp_path, *options) as server,
        users(browser, server, tmp_path) as (alice,),
    ):
        page = alice.signOn(10001, "wrong").page
        code = page.get_by_label("The characters in the picture")
        problem = page.get_by_role("alert")
        expect(code).to_be_focused()
        page.keyboard.press("Enter")
        assert not code.evaluate("each => each.checkValidity()")
        code.fill("nope")
        page.keyboard.press("Enter")
        expect(problem).to_have_text("The characters were wrong.")
        expect(code).to_be_focused()
        expect(code).to_have_value("")
        code.fill("test")
        page.keyboard.press("Enter")
        expect(problem).to_have_text("The number or the password is wrong.")
        password = page.get_by_label("Password")
        expect(password).to_be_focused()
        page.keyboard.type(PASSWORDS[10001])
        page.keyboard.press("Enter")
        expect(code).to_be_focused()
        code.fill("test")
        page.keyboard.press("Enter")
        alice.isOn()
