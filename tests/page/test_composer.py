"""
The field to write in, and what is written about other messages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_emoticons(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    An emoticon that was chosen can be undone, and Escape closes their list. A file that
    is dropped outside a conversation does not lead away from the page.
    """
    with users(browser, server, tmp_path) as (alice,):
        page = alice.signOn(10001).isOn().open("Friends", "小明").page
        field = page.get_by_role("textbox", name="Message")
        field.press_sequentially("ab")
        page.keyboard.press("ArrowLeft")
        button = page.get_by_role("button", name="Emoticons")
        button.click()
        faces = page.locator(".faces")
        faces.get_by_role("button", name="Smile", exact=True).click()
        expect(field).to_have_value("a[Smile]b")
        expect(field).to_be_focused()
        expect(faces).to_be_hidden()
        page.keyboard.press("Control+z")
        expect(field).to_have_value("ab")
        button.press("Enter")
        faces.get_by_role("button").first.press("Escape")
        expect(faces).to_be_hidden()
        expect(button).to_be_focused()
        isPrevented = """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["x"], "x.txt"));
            const options = { dataTransfer, bubbles: true, cancelable: true };
            const event = new DragEvent("drop", options);
            document.querySelector(".side").dispatchEvent(event);
            return event.defaultPrevented;
        }"""
        assert page.evaluate(isPrevented)


def test_quotes(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A reply says whose words it quotes, also when the quoted message is loaded later,
    and a recalled message says who has recalled it. Shakes are one notice.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        ming.signOn(10003).isOn().open("Groups", "cats").say("feed them")
        alice.signOn(10001).isOn().open("Groups", "cats").hears("feed them")
        asked = alice.page.locator(".message").first
        asked.locator(".actions-of summary").click()
        asked.get_by_role("button", name="Reply").click()
        replying = alice.page.locator(".replying")
        expect(replying).to_contain_text("Reply to Ming:")
        expect(replying.get_by_role("button", name="Cancel reply")).to_be_visible()
        alice.say("I did")
        quote = alice.page.locator(".content .quoted")
        expect(quote).to_have_text("\u2068Ming\u2069: feed them")
        ming.page.reload()
        ming.isOn().open("Recent", "cats")
        quoted = ming.page.locator(".content .quoted")
        expect(quoted).to_have_text("\u2068小明\u2069: feed them")
        asked.locator(".actions-of summary").click()
        asked.get_by_role("button", name="Recall").click()
        recalled = ming.page.get_by_text("recalled by Alice")
        expect(recalled).to_have_count(1)
        expect(quoted).to_contain_text("recalled")
        alice.open("Friends", "小明")
        for _ in range(3):
            alice.page.get_by_role("button", name="Shake").click()
        shaken = ming.page.locator(".notices li")
        expect(shaken).to_have_text("Alice has shaken your window 3 times. Close")
        shaken.get_by_role("button").click()
        expect(shaken).to_have_count(0)
        expect(ming.page.locator(".notices")).to_be_focused()
