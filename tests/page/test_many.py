"""
The chat page of an account with thousands of friends and members. The test prints
how long the browser worked; C{pytest -s -m long tests/page/test_many.py} shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.page.browser import PEOPLE, PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FRIENDS = 2000
GROUPS = 200

NUMBERS = range(20001, 20001 + FRIENDS)

MANY = PEOPLE + "".join(
    (
        *(
            f"""[[account]]
number = {number}
password = "p"
nick = "Friend {number}"
[[friendship]]
between = [10001, {number}]
"""
            for number in NUMBERS
        ),
        *(
            f"""[[group]]
number = {210001 + place}
name = "group {place}"
owner = 10001
members = {[10001, *(NUMBERS if place == 0 else NUMBERS[:3])]}
"""
            for place in range(GROUPS)
        ),
    )
)

WATCH = """() => {
  window.worked = [];
  const keep = (list) => {
    window.worked.push(...list.getEntries().map(({ duration }) => duration));
  };
  new PerformanceObserver(keep).observe({ type: "longtask" });
  new PerformanceObserver(keep).observe({ type: "event", durationThreshold: 16 });
}"""
"""Collect the tasks above 50 ms and the events above 16 ms, in milliseconds."""


def longest(page: Page, subject: str) -> None:
    """
    Print the longest work of the browser since the last call.
    """
    page.wait_for_function(
        "() => new Promise((r) => requestIdleCallback(() => r(true)))"
    )
    worked = page.evaluate("() => window.worked.splice(0)")
    sys.stdout.write(f"{subject}: {max(worked, default=0):.0f} ms\n")


@pytest.mark.long
def test_manyFriends(browser: Browser, tmp_path: Path) -> None:
    """
    A long list is drawn as far as it is looked at: it goes on when it is scrolled, and
    the search finds friends who are not drawn yet.
    """
    with (
        PageServer(tmp_path, people=MANY) as server,
        users(browser, server, tmp_path, 2) as (alice, bob),
    ):
        bob.signOn(10002).isOn().open("Friends", "Alice")
        page = alice.page
        alice.signOn(10001).isOn()
        page.evaluate(WATCH)
        page.get_by_role("tab", name="Friends").click()
        entries = page.locator(".entry")
        expect(entries.first).to_be_visible()
        assert entries.count() < 400
        longest(page, f"the list of {FRIENDS} friends")
        page.locator(".panel").evaluate("(panel) => panel.scrollTo(0, 1e9)")
        expect(entries.nth(200)).to_be_attached()
        longest(page, "a scroll to the end of what is drawn")
        for typed in ("F", "r", "22000"):
            page.get_by_role("searchbox").press_sequentially(typed)
            longest(page, f"the search of {typed}")
        page.get_by_role("searchbox").fill("Friend 22000")
        expect(entries).to_have_count(1)
        page.get_by_role("searchbox").fill("")
        longest(page, "the end of the search")
        alice.open("Groups", "group 0")
        expect(page.locator(".members li").first).to_be_visible()
        assert page.locator(".members li").count() < 400
        longest(page, f"the group of {FRIENDS} members")
        field = page.locator("textarea")
        for typed in ("@", "2", "2000"):
            field.press_sequentially(typed)
            expect(page.locator(".mentions")).to_be_visible()
            longest(page, f"a mention with {typed}")
        page.keyboard.press("Enter")
        expect(field).to_have_value("@Friend 22000 ")
        alice.act("Add", "New group")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("checkbox").first).to_be_visible()
        assert dialog.get_by_role("checkbox").count() < 400
        longest(page, f"the form of a new group, with {FRIENDS} friends")
        dialog.get_by_label("Search friends").fill("Friend 22000")
        expect(dialog.get_by_role("checkbox")).to_have_count(1)
        dialog.get_by_role("button", name="Cancel").click()
        page.get_by_role("tab", name="Friends").click()
        longest(page, "the friends again")
        bob.say("hello")
        expect(page).to_have_title("(1) WebQQ")
        longest(page, "a new message")
