"""
Mentions in groups: the members that the page offers while one is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import HOSTILE, PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


def chosen(user: User) -> str | None:
    """
    Return the name of the member that Enter would take, as a screen reader finds it.
    """
    field = user.page.get_by_role("combobox", name="Message")
    expect(field).to_have_attribute("aria-expanded", "true")
    listed = user.page.locator(f"#{field.get_attribute('aria-controls')}")
    expect(listed).to_have_role("listbox")
    option = listed.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(option).to_have_role("option")
    expect(option).to_have_attribute("aria-selected", "true")
    return option.locator("span").first.text_content()


def test_mention(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A member is found by the begin of a name and taken by the keyboard. The message
    mentions the member by a name that all see, also when it is sent at once.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        alice.signOn(10001).isOn().open("Groups", "cats")
        ming.signOn(10003).isOn().open("Groups", "cats")
        keyboard = alice.page.keyboard
        field = alice.page.get_by_role("textbox", name="Message")
        offered = alice.page.locator(".mentions li")
        field.press_sequentially("hi @")
        expect(offered).to_have_count(2)
        assert chosen(alice) == HOSTILE
        keyboard.press("ArrowDown")
        assert chosen(alice) == "Ming"
        keyboard.press("ArrowDown")
        assert chosen(alice) == HOSTILE
        keyboard.press("Escape")
        expect(alice.page.locator(".mentions")).to_be_hidden()
        keyboard.type("mi")
        expect(alice.page.locator(".mentions")).to_be_hidden()
        field.fill("")
        keyboard.type("hi @mi")
        assert chosen(alice) == "Ming"
        keyboard.press("Tab")
        expect(field).to_have_value("hi @Ming ")
        # Bobby is the name that Alice alone has for him. His number comes late.
        held: list[Route] = []
        alice.page.route("**/get_friend_uin2", lambda route: held.append(route))
        keyboard.type("and @bobb")
        with alice.page.expect_request("**/get_friend_uin2"):
            keyboard.press("Enter")
        keyboard.press("Enter")
        expect(field).to_have_value(f"hi @Ming and @{HOSTILE} ")
        held.pop().continue_()
        shown = ming.page.locator(".content strong")
        expect(shown).to_have_text(["@Ming", f"@{HOSTILE}"])
        expect(field).to_have_value("")
        assert "Bobby" not in "".join(ming.texts)


def test_mouse(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A click takes a member; in a conversation of two none is offered.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Discussions", "plans")
        field = alice.page.get_by_role("textbox", name="Message")
        field.press_sequentially("@")
        alice.page.locator(".mentions li").click()
        expect(field).to_have_value(f"@{HOSTILE} ")
        expect(field).to_be_focused()
        alice.open("Friends", "Bobby")
        field.press_sequentially("@")
        expect(alice.page.locator(".mentions")).to_be_hidden()


def test_membersLate(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A mention that is begun before the members are known gets its list when they are.
    """
    with users(browser, server, tmp_path) as (alice,):
        held: list[Route] = []
        alice.page.route("**/get_discu_info**", lambda route: held.append(route))
        alice.signOn(10001).isOn()
        with alice.page.expect_request("**/get_discu_info**"):
            alice.open("Discussions", "plans")
        field = alice.page.get_by_role("textbox", name="Message")
        field.press_sequentially("hi @")
        expect(alice.page.locator(".mentions")).to_be_hidden()
        held.pop().continue_()
        assert chosen(alice) == HOSTILE
        alice.page.keyboard.press("Enter")
        expect(field).to_have_value(f"hi @{HOSTILE} ")
