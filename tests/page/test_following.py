"""
The end of the open conversation: followed when messages come, or told of.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, User, png, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def isAtEnd(user: User) -> None:
    """
    Wait until the end of the open conversation is in sight.
    """
    user.page.wait_for_function(
        """() => {
            const { scrollHeight, scrollTop, clientHeight } =
                document.querySelector(".scroll");
            return scrollHeight - scrollTop - clientHeight < 2;
        }"""
    )


def test_following(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The view stays at the end when pictures come. When it is scrolled up, new messages
    are counted, and read only when their button has led to them.
    """
    file = tmp_path / "tall.png"
    file.write_bytes(png(30, 280))
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        alice.say("\n".join("first" * 40))
        for count in range(1, 3):
            alice.page.set_input_files("input[type=file]", file)
            for user in (alice, bob):
                shown = user.page.locator(".picture")
                expect(shown).to_have_count(count)
                expect(shown.last).to_have_js_property("naturalHeight", 280)
                isAtEnd(user)
        newest = bob.page.locator(".newest")
        expect(newest).to_be_hidden()
        bob.page.locator(".scroll").evaluate("each => each.scrollTop = 100")
        for number in range(1, 3):
            alice.say(f"new {number}")
        expect(newest).to_have_text("2 new messages")
        expect(bob.page).to_have_title("(2) WebQQ")
        with bob.page.expect_response("**/set_read2"):
            newest.click()
        isAtEnd(bob)
        expect(newest).to_be_hidden()
        expect(bob.page).to_have_title("WebQQ")
        alice.say("new 3")
        bob.hears("new 3")
        isAtEnd(bob)
