"""
The conversation that a tab has open: after a reload, and after another sign-on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.page.browser import PASSWORDS, PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def draft(user: User, tab: str, name: str) -> None:
    """
    Open a conversation, and write half a message.
    """
    user.open(tab, name)
    user.page.get_by_role("textbox", name="Message").fill(f"dear {name}")
    user.isKept()


def isThere(page: Page, name: str) -> None:
    """
    Wait until the conversation is open, with its draft.
    """
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    field = page.get_by_role("textbox", name="Message")
    expect(field).to_have_value(f"dear {name}")


def signOnAgain(page: Page) -> None:
    """
    Sign on with the number that the form has.
    """
    expect(page.get_by_label("Number")).to_have_value("10001")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORDS[10001])
    page.keyboard.press("Enter")


def test_reopened(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The conversation that was open is open again, with its draft, after a reload, and
    after a sign-on elsewhere when one signs on again, also if the page was reloaded
    before. One that is gone, or that was left, is not, and that of another account
    neither.
    """
    with users(browser, server, tmp_path, 2) as (alice, other):
        page = alice.page
        alice.signOn(10001).isOn()
        for tab, name in (("Groups", "cats"), ("Friends", "小明")):
            draft(alice, tab, name)
            page.reload()
            isThere(page, name)
        other.signOn(10001).isOn()
        expect(alice.banner).to_contain_text("signed in somewhere else")
        page.reload()
        signOnAgain(page)
        isThere(page, "小明")

        other.signOn(10001).isOn().open("Friends", "小明")
        expect(alice.banner).to_contain_text("signed in somewhere else")
        other.act("More", "Remove from friends")
        other.confirm("Remove")
        signOnAgain(page)
        alice.isOn()
        # The draft is told as the friend is gone, so all has been looked for.
        expect(page.locator(".notices")).to_contain_text("dear 小明")
        nothing = page.get_by_text("Choose a conversation")
        expect(nothing).to_be_visible()

        draft(alice, "Groups", "cats")
        page.get_by_role("button", name="Sign out").click()
        page.reload()
        expect(page.get_by_label("Number")).to_have_value("")
        alice.signOn(10002).isOn()
        expect(nothing).to_be_visible()


def test_files(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    After a reload, a file is where it was among the messages, for its recipient and
    its sender, and both can download it.
    """
    file = tmp_path / "tea.txt"
    file.write_bytes(b"oolong")
    with users(browser, server, tmp_path, 2) as (alice, bob):
        bob.signOn(10002).isOn()
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        alice.say("before")
        alice.page.locator("input[type=file]").last.set_input_files(file)
        expect(alice.page.locator(".content", has_text=file.name)).to_be_visible()
        expect(alice.page.locator(".state").last).to_have_text("")
        alice.say("behind")
        bob.open("Friends", "Alice")
        bob.hears("behind")
        bob.isKept()
        for user in (bob, alice):
            user.page.reload()
            contents = user.page.locator(".content")
            expect(contents).to_have_text(["before", re.compile("^tea.txt"), "behind"])
            with user.page.expect_download() as download:
                contents.nth(1).get_by_role("button", name="Download").click()
            assert Path(download.value.path()).read_bytes() == b"oolong"
            expect(user.page.locator(".actions-of:visible")).to_have_count(2)
