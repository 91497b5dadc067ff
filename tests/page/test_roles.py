"""
The entries of the menus of the chat page, and its dialogs about categories and
members.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_roles(browser: Browser, tmp_path: Path) -> None:
    """
    A member of a group is offered only what members may do, a friend is blocked or
    unblocked, and categories are made, renamed and deleted.
    """
    size = {"width": 360, "height": 720}
    with (
        PageServer(tmp_path) as server,
        users(browser, server, tmp_path, viewport=size) as (bob,),
    ):
        page = bob.signOn(10002).isOn().open("Groups", "cats").page
        menu = page.locator(".talk details")
        menu.locator("summary").click()
        expect(menu.get_by_role("button")).to_have_text(
            ["Members", "Announcement", "My name in this group", "Files", "Leave"]
        )
        menu.get_by_role("button", name="Members").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("listitem").first).to_be_visible()
        expect(dialog).to_contain_text("Alice (owner)")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Back").click()

        bob.act("Add", "Friend categories")
        create = dialog.get_by_role("button", name="Create")
        create.click()
        expect(dialog.get_by_role("alert")).to_have_text("The name is empty.")
        dialog.get_by_label("New category").fill("Pals")
        create.click()
        field = dialog.get_by_label("Pals", exact=True)
        expect(field).to_have_value("Pals")
        field.fill("Cat people")
        dialog.get_by_role("button", name="Rename").click()
        expect(dialog.get_by_label("Cat people", exact=True)).to_have_count(1)
        page.keyboard.press("Escape")
        bob.open("Friends", "Alice").act("More", "Rename or move")
        dialog.get_by_label("Category").select_option(label="Cat people")
        bob.confirm("Save")
        bob.act("More", "Block")
        bob.confirm("Block")
        menu.locator("summary").click()
        expect(menu.get_by_role("button", name="Unblock")).to_be_visible()
        expect(menu.get_by_role("button", name="Block", exact=True)).to_be_hidden()
        expect(page.locator(".mark")).to_have_text("blocked")
        page.get_by_role("button", name="Back").click()
        expect(bob.entry("Alice").locator(".presence")).to_have_text("blocked")
        heading = page.get_by_role("heading", name="Cat people (1)")
        expect(heading).to_be_visible()
        bob.act("Add", "Friend categories")
        dialog.get_by_role("button", name="Remove: Cat people").click()
        expect(dialog.get_by_role("button", name="Rename")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(heading).to_have_count(0)
        # Who is blocked can be unblocked without being a friend.
        bob.open("Friends", "Alice").act("More", "Remove from friends")
        bob.confirm("Remove")
        page.get_by_role("button", name="Back").click()
        bob.act("Add", "Blocked people")
        expect(dialog.get_by_role("listitem")).to_have_count(1)
        expect(dialog.get_by_role("listitem")).to_contain_text("(10001)")
        dialog.get_by_role("button", name="Unblock").click()
        expect(dialog).to_contain_text("You have blocked nobody.")
