"""
The chat page for those who use it with a screen reader, judged by axe.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.irc.programs import missing
from tests.page.browser import PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


AXE = Path(sys.prefix) / "page/node_modules/axe-core/axe.min.js"

FRIEND = ("Rename or move", "Block", "Remove from friends")
DISCUSSION = ("Members", "Invite friends", "Rename", "Leave")
GROUP = (
    "Members",
    "Announcement",
    "My name in this group",
    "Files",
    "Manage members",
    "Mute all",
    "Rename",
    "Remove a member",
    "Dissolve",
)
ADD = (
    "Add a friend",
    "Join a group",
    "New group",
    "New discussion",
    "Friend categories",
)


def serious(user: User) -> list[str]:
    """
    Return what axe finds in the page as it is.
    """
    if not AXE.exists():
        missing("axe-core (make test installs it with npm)")
    # The policy of the page lets a driver add scripts, and nobody else.
    if user.page.evaluate("window.axe === undefined"):
        user.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = user.page.evaluate("axe.run()")
    return [
        f"{each['id']}: {[node['html'] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


ROOM = """[...document.querySelectorAll("[role=tab]")].map((tab) => {
  const text = document.createRange();
  text.selectNodeContents(tab);
  const [outer, inner] = [tab, text].map((each) => each.getBoundingClientRect());
  return Math.min(inner.left - outer.left, outer.right - inner.right);
})"""
"""Measures the room at the sides of the text of each tab, in pixels."""


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "dark"),
        (1280, "light"),
        pytest.param(360, "light", marks=pytest.mark.long),
        pytest.param(1280, "dark", marks=pytest.mark.long),
    ],
)
def test_accessible(
    browser: Browser, server: PageServer, tmp_path: Path, scheme: str, width: int
) -> None:
    """
    axe finds nothing serious, on the form and in a conversation, and nothing is wider
    than the screen, or touches the edge of its tab. A discussion, which has no picture,
    has its first character in place of one.
    """
    size = {"width": width, "height": 720}
    with users(browser, server, tmp_path, color_scheme=scheme, viewport=size) as (
        user,
    ):
        user.page.goto(server.url)
        expect(user.page.get_by_label("Number")).to_be_visible()
        assert serious(user) == []
        user.signOn(10001).isOn()
        user.page.get_by_role("tab", name="Discussions").click()
        expect(user.entry("plans").locator(".avatar")).to_have_text("P")
        assert min(user.page.evaluate(ROOM)) > 4
        assert serious(user) == []
        user.open("Groups", "cats")
        text = f"[Smile] {scheme} {width}"
        user.say(text)
        user.hears(text)
        assert serious(user) == []
        user.page.get_by_text("More", exact=True).click()
        user.page.get_by_role("button", name="Rename").click()
        assert serious(user) == []
        wide = user.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_dialogs(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    """
    axe finds nothing serious in any dialog, menu or list to choose from, and none is
    wider than the screen.
    """
    file = tmp_path / "a long name without a space to break it at".replace(" ", "_")
    file.write_bytes(b"tea")
    size = {"width": width, "height": 720}
    with (
        PageServer(tmp_path) as server,
        users(browser, server, tmp_path, color_scheme=scheme, viewport=size) as (
            alice,
        ),
    ):
        page = alice.signOn(10001).isOn().page
        dialog = page.get_by_role("dialog")
        found = {}

        def judge(name: str) -> None:
            # axe looks at dialogs by an explicit role only.
            if dialog.count():
                expect(dialog).to_have_accessible_name(re.compile(r"\w"))
            wide = page.evaluate("document.documentElement.scrollWidth") > width
            if problems := serious(alice) + ["too wide"] * wide:
                found[name] = problems

        def close() -> None:
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)

        def tour(menu: str, entries: tuple[str, ...]) -> None:
            for entry in entries:
                alice.act(menu, entry)
                expect(dialog).to_be_visible()
                judge(entry)
                close()

        tour("Add", ADD)
        alice.act("Add", "Add a friend")
        alice.fill("Number", "10002", "Search")
        expect(dialog.get_by_label("Message to them")).to_be_visible()
        judge("a person who was found")
        close()
        alice.act("Add", "Join a group")
        alice.fill("Number or words", "cats", "Search")
        expect(dialog.get_by_label("Message to them")).to_be_visible()
        judge("groups that were found")
        close()
        alice.open("Friends", "Bobby")
        tour("More", FRIEND)
        page.get_by_role("button", name="Emoticons").click()
        judge("the emoticons")
        if width < 720:
            page.get_by_role("button", name="Back").click()
        alice.open("Discussions", "plans")
        tour("More", DISCUSSION)
        if width < 720:
            page.get_by_role("button", name="Back").click()
        alice.open("Groups", "cats")
        page.locator("input[type=file]").last.set_input_files(file)
        expect(page.get_by_role("button", name="Download")).to_be_visible()
        tour("More", GROUP)
        alice.act("More", "Files")
        expect(dialog.get_by_role("button", name="Remove")).to_be_visible()
        judge("files")
        close()
        for action in ("changeCard", "transfer"):
            alice.act("More", "Manage members")
            dialog.get_by_label("What to do").select_option(action)
            dialog.get_by_role("button", name="Continue").click()
            expect(dialog.get_by_label("What to do")).to_have_count(0)
            judge(action)
            close()
        page.locator("textarea").press_sequentially("@")
        judge("the members to mention")
        page.keyboard.press("Escape")
        alice.say("what to do with it?")
        menu = page.locator(".actions-of summary").last
        menu.click()
        judge("the menu of a message")
        assert found == {}


def test_namesOfMenus(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The menu of a message is named by the message.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Groups", "cats")
        alice.say("two\nlines [Smile]")
        label = "Actions for the message of Alice: two lines [Smile]"
        menu = alice.page.locator(".actions-of summary").last
        expect(menu).to_have_accessible_name(label)
