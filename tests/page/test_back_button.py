"""
The Back button of the browser on narrow screens.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE = {"width": 360, "height": 720}


def test_back(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    It leads from a conversation to the lists, also from one that a reload has opened
    again, and no entry of the history does nothing.
    """
    with users(browser, server, tmp_path, viewport=PHONE) as (alice,):
        page = alice.page
        alice.signOn(10001).isOn()
        entries = page.evaluate("history.length")
        tab = page.get_by_role("tab", name="Friends")
        alice.open("Friends", "Bobby")
        expect(tab).to_be_hidden()
        page.go_back()
        alice.isOn().open("Friends", "小明")
        page.get_by_role("button", name="Back").click()
        alice.isOn()
        page.wait_for_function("history.state === null")
        alice.open("Friends", "Bobby")
        alice.isKept()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Bobby")
        expect(tab).to_be_hidden()
        page.wait_for_function("history.state !== null")
        page.go_back()
        alice.isOn()
        page.reload()
        alice.isOn().open("Friends", "小明")
        page.go_back()
        alice.isOn()
        page.go_forward()
        alice.isOn()
        page.wait_for_function("history.state === null")
        assert page.evaluate("history.length") == entries + 1
