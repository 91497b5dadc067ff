"""
The limits of the server, which the page knows before it sends.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.page.browser import PageServer, users
from tests.page.test_pictures import movingGIF

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_limits(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A text or file that is too large is not sent, nor a picture that cannot be made
    smaller, and the page tells the limit; an upload ends by its button and by Escape.
    """
    picture = tmp_path / "large.gif"
    picture.write_bytes(movingGIF(250 * 1024))
    file = tmp_path / "large.bin"
    with file.open("wb") as sparse:
        sparse.truncate(100 * 1024 * 1024 + 1)
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Friends", "小明")
        page = alice.page
        # What is uploaded does not end.
        page.route("**/upload_offline_file", lambda route: None)
        uploads: list[str] = []
        page.on(
            "request",
            lambda request: (
                uploads.append(request.url) if "upload" in request.url else None
            ),
        )
        states = page.locator(".state")
        pictures, files = (page.locator("input[type=file]").nth(n) for n in (0, 1))
        pictures.set_input_files(picture)
        expect(states).to_contain_text("has to be a GIF of at most 250.0 KiB")
        states.get_by_role("button", name="Discard").click()
        expect(states).to_have_count(0)
        files.set_input_files(file)
        expect(states).to_contain_text("a file may have at most 100.0 MiB")
        expect(states.get_by_role("button", name="Send again")).to_have_count(0)
        states.get_by_role("button", name="Discard").click()
        assert uploads == []
        file.write_bytes(bytes(1000))
        for _ in range(2):
            files.set_input_files(file)
        expect(states).to_have_count(2)
        states.first.get_by_role("button", name="Cancel").click()
        expect(states).to_have_count(1)
        expect(states.get_by_role("button", name="Cancel")).to_be_visible()
        page.keyboard.press("Escape")
        expect(states).to_have_count(0)
        alice.say("字" * 5001)
        told = page.locator(".told")
        expect(told).to_contain_text("Too long to send: 15003 of at most 15000 bytes")
        expect(states).to_have_count(0)
        field = page.get_by_role("textbox", name="Message")
        field.fill("字" * 5000)
        expect(told).to_have_text("")
        page.keyboard.press("Enter")
        expect(page.locator('.message[data-state="sent"]')).to_have_count(1)
