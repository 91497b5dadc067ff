"""
The notices of the chat page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHOW_MANY = """async () => {
  const { Notices } = await import("./page/views/notices.js");
  const notices = new Notices();
  document.body.replaceChildren(notices.element);
  const decide = () => Promise.reject(new Error("no network"));
  notices.keep("a draft");
  notices.ask({ key: "friend:1", text: "may I?", decide });
  for (let i = 0; i < 30; i += 1) {
    notices.tell(`news ${i}`);
  }
  notices.ask({ key: "friend:1", text: "may I, please?", decide });
}"""

SHOW_TOGETHER = """async () => {
  const { Notices } = await import("./page/views/notices.js");
  const notices = new Notices();
  document.body.replaceChildren(notices.element);
  const decide = () => Promise.resolve();
  notices.ask({ key: "group:1:7", text: "may I?", decide });
  notices.tell("of another", "group:2");
  for (let i = 0; i < 5; i += 1) {
    notices.tell(`news ${i}`, "group:1");
  }
  notices.answered("group:1:7");
}"""


def test_bounds(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    News push out older news, and never a request or a draft; a request that comes again
    replaces the one before, and one whose answer fails stays.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        alice.page.evaluate(SHOW_MANY)
        notices = alice.page.locator(".notices li")
        expect(notices).to_have_count(22)
        expect(notices.nth(0)).to_contain_text("a draft")
        expect(notices.nth(1)).to_contain_text("may I, please?")
        expect(notices.nth(2)).to_contain_text("news 10")
        alice.page.get_by_role("button", name="Close all news").click()
        expect(notices).to_have_count(2)
        notices.nth(1).get_by_role("button", name="Accept").click()
        expect(notices.nth(1)).to_contain_text("may I, please? (The server")
        for _ in range(2):
            notices.nth(0).get_by_role("button", name="Close").click()
        expect(notices).to_have_count(0)


def test_together(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    News of one group are one notice, with the newest three; a request that was answered
    elsewhere is gone.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        alice.page.evaluate(SHOW_TOGETHER)
        notices = alice.page.locator(".notices li")
        expect(notices).to_have_count(2)
        expect(notices.nth(0)).to_contain_text("of another")
        expect(notices.nth(1)).to_contain_text("2 earlier news 2 news 3 news 4")
        notices.nth(1).get_by_role("button", name="Close").click()
        alice.page.get_by_role("button", name="Close", exact=True).click()
        expect(notices).to_have_count(0)
