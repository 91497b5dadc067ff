"""
Friend requests that are sent more than once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import HOSTILE, PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def ask(user: User, number: int, text: str) -> None:
    """
    Ask an account to be a friend.
    """
    user.act("Add", "Add a friend")
    user.fill("Number", str(number), "Search")
    user.fill("Message to them", text, "Add")
    expect(user.page.get_by_role("dialog")).to_have_count(0)


def test_askedAgain(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A request that is sent again while it waits is one request, with the new text;
    after a refusal it comes again. Who asks in return accepts it, and a friend is not
    asked.
    """
    bobs, mings = 10002, 10003
    with users(browser, server, tmp_path, 2) as (bob, ming):
        bob.signOn(bobs).isOn()
        ming.signOn(mings).isOn()
        told, asked = bob.page.locator(".notices li"), ming.page.locator(".notices li")
        for text in ("one", "two"):
            ask(bob, mings, text)
            expect(told).to_contain_text("Your request was sent")
        expect(told).to_have_count(1)
        assert told.inner_text().count("Your request was sent") == 1
        expect(asked).to_have_count(1)
        expect(asked).to_contain_text("asks to be your friend: one")
        ming.page.reload()
        expect(asked).to_contain_text("asks to be your friend: two")
        expect(asked).to_have_count(1)

        asked.get_by_role("button", name="Refuse").click()
        expect(told.first).to_contain_text("小明 (10003) has refused your request.")
        expect(told).to_have_count(1)
        expect(asked).to_have_count(0)
        ask(bob, mings, "please")
        expect(asked).to_contain_text("asks to be your friend: please")

        ming.act("Add", "Add a friend")
        ming.fill("Number", str(bobs), "Search")
        dialog = ming.page.get_by_role("dialog")
        expect(dialog).to_contain_text("They have asked to be your friend.")
        dialog.get_by_role("button", name="Add").click()
        expect(told.first).to_contain_text("小明 (10003) is your friend now.")
        expect(told).to_have_count(1)
        expect(asked.get_by_role("button", name="Accept")).to_have_count(0)
        expect(asked).to_contain_text("(10002) is your friend now.")
        bob.open("Friends", "小明").say("at last")
        ming.open("Friends", HOSTILE).hears("at last")

        bob.act("Add", "Add a friend")
        bob.fill("Number", str(mings), "Search")
        dialog = bob.page.get_by_role("dialog")
        expect(dialog.get_by_role("alert")).to_have_text("You are friends already.")
        expect(dialog).to_have_count(1)
