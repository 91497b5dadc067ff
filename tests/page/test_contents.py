"""
The contents of messages that are opened: links and pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, png, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_links(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    An address in a message is a link, which another direction of writing before it does
    not change, and a script is none.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Friends", "小明")
        alice.say("\u202e看http://a.example/x?y=1，javascript:alert(1)")
        links = alice.page.locator(".content a")
        expect(links).to_have_text(["http://a.example/x?y=1"])
        for name, value in (
            ("href", "http://a.example/x?y=1"),
            ("target", "_blank"),
            ("rel", "noopener noreferrer"),
            ("dir", "ltr"),
        ):
            expect(links).to_have_attribute(name, value)


def test_fullSize(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A picture opens in its full size, by the keyboard as well, and is saved; the focus
    returns to it.
    """
    file = tmp_path / "wide.png"
    file.write_bytes(png(3000, 100))
    with users(browser, server, tmp_path) as (alice,):
        page = alice.signOn(10001).isOn().open("Friends", "小明").page
        page.set_input_files("input[type=file]", file)
        picture = page.locator(".open-picture")
        expect(picture.locator("img")).to_have_js_property("naturalWidth", 3000)
        picture.press("Enter")
        dialog = page.get_by_role("dialog", name="picture")
        expect(dialog.locator("img")).to_have_js_property("width", 3000)
        with page.expect_download() as downloading:
            dialog.get_by_role("link", name="Save").click()
        assert downloading.value.suggested_filename == "picture.png"
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(picture).to_be_focused()
        picture.click()
        expect(dialog).to_be_visible()
        page.mouse.click(2, 2)
        expect(dialog).to_have_count(0)
