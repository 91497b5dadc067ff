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
  notices.tell("Your request was sent", "request:1");
  notices.forget("request:1");
  for (let i = 0; i < 30; i += 1) {
    notices.tell(`news ${i}`);
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


ANSWERED_ELSEWHERE = """async () => {
  const { Notices } = await import("./page/views/notices.js");
  const notices = new Notices();
  document.body.replaceChildren(notices.element);
  const fail = [];
  const decide = () => new Promise((_, reject) => fail.push(reject));
  for (const key of ["group:1:7", "group:1:8", "group:2:7", "group:2:8"]) {
    notices.ask({ key, text: key, decide });
  }
  for (const place of [2, 1]) {
    notices.list.children[place].querySelector("button").click();
  }
  const keys = ["group:1:8", "group:1:9", "group:1:8"];
  const isWaiting = keys.map((key) => notices.answered(key));
  notices.withdraw("group:2:");
  fail.forEach((each) => each(new Error("no network")));
  await new Promise((resolve) => setTimeout(resolve));
  return isWaiting;
}"""


def test_bounds(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    News push out older news, and never a request or a draft; the newest is the first,
    and the same twice is one. A request that comes again replaces the one before, and
    one whose answer fails stays.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        alice.page.evaluate(SHOW_MANY)
        notices = alice.page.locator(".notices li")
        expect(notices).to_have_count(22)
        expect(notices.nth(21)).to_contain_text("a draft")
        expect(notices.nth(20)).to_contain_text("may I, please?")
        expect(notices.nth(19)).to_contain_text("news 10")
        expect(notices.nth(0)).to_contain_text("news 29")
        alice.page.get_by_role("button", name="Close all news").click()
        expect(notices).to_have_count(2)
        notices.nth(0).get_by_role("button", name="Accept").click()
        expect(notices.nth(0)).to_contain_text("may I, please? (The server")
        for _ in range(2):
            notices.nth(0).get_by_role("button", name="Close").click()
        expect(notices).to_have_count(0)


def test_answeredElsewhere(
    browser: Browser, server: PageServer, tmp_path: Path
) -> None:
    """
    A request that another administrator has answered, or that one may answer no longer,
    does not come back when one's own answer to it fails.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        assert alice.page.evaluate(ANSWERED_ELSEWHERE) == [True, False, False]
        expect(alice.page.locator(".notices li")).to_have_text(
            ["group:1:7 Accept Refuse"]
        )


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
        expect(notices.nth(1)).to_contain_text("of another")
        expect(notices.nth(0)).to_contain_text("2 earlier news 2 news 3 news 4")
        notices.nth(0).get_by_role("button", name="Close").click()
        alice.page.get_by_role("button", name="Close", exact=True).click()
        expect(notices).to_have_count(0)


def test_joinRequest(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A request to join that one administrator refuses goes from the page of the other
    one, who reads who has refused it.
    """
    with users(browser, server, tmp_path, 3) as (alice, bob, ming):
        alice.signOn(10001).isOn()
        bob.signOn(10002).isOn()
        ming.signOn(10003).isOn().open("Groups", "cats").act("More", "Leave")
        ming.confirm("Leave")
        alice.open("Groups", "cats").act("More", "Manage members")
        dialog = alice.page.get_by_role("dialog")
        dialog.get_by_label("Member").select_option(label="Bobby")
        dialog.get_by_label("What to do").select_option(label="Make an administrator")
        alice.confirm("Continue")
        expect(bob.page.locator(".notices")).to_contain_text("You are an administrator")
        ming.act("Add", "Join a group")
        ming.fill("Number or words", "cats", "Search")
        ming.fill("Message to them", "again", "Ask to join")
        notices = [each.page.locator(".notices li") for each in (alice, bob)]
        asked = "asks to join cats: again"
        for each in notices:
            expect(each.filter(has_text=asked)).to_have_count(1)
        notices[1].filter(has_text=asked).get_by_role("button", name="Refuse").click()
        for each in notices:
            expect(each.filter(has_text=asked)).to_have_count(0)
        told = "Bobby has refused the request of 小明 to join cats."
        expect(notices[0].first).to_contain_text(told)
        expect(notices[1].filter(has_text="has refused")).to_have_count(0)
