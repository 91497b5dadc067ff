"""
The pictures of README and docs, made of the demo in Chromium: C{make screenshots}.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).parent
DEMO = HERE.parent / "examples/demo.py"
CHROMIUM = "/usr/bin/chromium"

ADDRESS = re.compile(r"^ +(http://\S+)$")
LAST = "Press Ctrl-C"


def signOn(page: Page, url: str) -> None:
    """
    Sign on as Alice, and open the conversation with Echo.
    """
    page.goto(url)
    page.get_by_label("Number").fill("10001")
    page.get_by_label("Password").fill("white rabbit")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Friends").click()


def say(page: Page, text: str, answer: str) -> None:
    """
    Send a message, and wait for the answer.
    """
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".message:not(.mine)").last).to_contain_text(answer)


def take(url: str) -> None:
    """
    Take the pictures.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        wide = browser.new_page(
            locale="en-US", viewport={"width": 960, "height": 600}, color_scheme="light"
        )
        signOn(wide, url)
        wide.locator(".name", has_text="Echo").click()
        say(wide, "Hello, Echo [Smile]", "Hello, Echo")
        say(wide, "Is the tea ready?", "Is the tea ready?")
        wide.screenshot(path=HERE / "chat-page.png")
        wide.close()
        narrow = browser.new_page(
            locale="en-US", viewport={"width": 360, "height": 600}, color_scheme="dark"
        )
        signOn(narrow, url)
        narrow.screenshot(path=HERE / "chat-page-list.png")
        narrow.get_by_role("tab", name="Recent").click()
        narrow.locator(".name", has_text="Echo").click()
        expect(narrow.locator(".message").last).to_be_visible()
        narrow.screenshot(path=HERE / "chat-page-narrow.png")
        browser.close()


def main() -> None:
    """
    Start the demo, take the pictures, and end it.
    """
    demo = subprocess.Popen(
        [sys.executable, DEMO], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert demo.stdout is not None
    try:
        url = ""
        for line in demo.stdout:
            found = ADDRESS.match(line)
            url = found[1] if found else url
            if LAST in line:
                break
        take(url)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()
        demo.wait()


if __name__ == "__main__":
    main()
