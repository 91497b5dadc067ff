"""
Menus and dialogs: how they open and close, and where the focus is then.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NARROW = {"width": 360, "height": 740}


def test_menus(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    One menu is open at a time, all of it in sight; Escape and a click elsewhere close
    it.
    """
    with users(browser, server, tmp_path, viewport=NARROW) as (alice,):
        page = alice.signOn(10001).isOn().open("Groups", "cats").page
        for number in range(9):
            alice.say(f"message {number}")
        expect(page.locator('.message[data-state="sent"]')).to_have_count(9)
        menus = page.locator(".actions-of summary")
        opened = page.locator("details[open]")
        menus.first.click()
        entries = opened.get_by_role("button")
        expect(entries.first).to_be_in_viewport(ratio=1)
        menus.last.click()
        expect(opened).to_have_count(1)
        expect(entries.last).to_have_text("Recall")
        for entry in (entries.first, entries.last):
            expect(entry).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        expect(opened).to_have_count(0)
        expect(menus.last).to_be_focused()
        page.get_by_text("More", exact=True).click()
        expect(entries.first).to_be_in_viewport(ratio=1)
        page.get_by_role("heading", level=1).click()
        expect(opened).to_have_count(0)


def test_focus(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A dialog that is closed, also one that followed another, gives the focus back to
    the menu that opened it; what is chosen in one opens as before.
    """
    with users(browser, server, tmp_path) as (bob,):
        page = bob.signOn(10002).isOn().page
        add = page.locator("summary", has_text="Add")
        bob.act("Add", "New group")
        page.keyboard.press("Escape")
        expect(add).to_be_focused()
        bob.act("Add", "Add a friend")
        bob.fill("Number", "10003", "Search")
        expect(page.get_by_role("heading", name="(10003)")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(add).to_be_focused()
