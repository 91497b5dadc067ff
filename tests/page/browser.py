"""
The chat page in Debian's Chromium, against a server in a process of its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.endtoend.daemons import ALICE, freePort
from tests.page.programs import TWISTD, Program

HOSTILE = "<img src=x onerror=alert(1)> \u202ekcab &amp; \"'"

PEOPLE = f"""{ALICE}
[[account]]
number = 10002
password = "battery staple"
nick = '''{HOSTILE}'''
[[account]]
number = 10003
password = "tr0ub4dor"
nick = "小明"
[[friendship]]
between = [10001, 10002]
category = {{ 10001 = "Colleagues" }}
markname = {{ 10001 = "Bobby" }}
[[friendship]]
between = [10001, 10003]
[[group]]
number = 200001
name = "cats"
owner = 10001
members = [10001, 10002, 10003]
cards = {{ 10003 = "Ming" }}
[[discussion]]
number = 300001
name = "plans"
owner = 10002
members = [10001, 10002]
"""

PASSWORDS = {10001: "correct horse", 10002: "battery staple", 10003: "tr0ub4dor"}

# Only a test that fails waits as long, also on a machine that is busy.
_MILLISECONDS = 90_000
expect.set_options(timeout=_MILLISECONDS)


class PageServer(Program):
    """
    A server process.
    """

    def __init__(self, folder: Path, *options: str, people: str = PEOPLE) -> None:
        self.port = freePort()
        self.url = f"http://127.0.0.1:{self.port}/"
        file = folder / "people.toml"
        file.write_text(people, encoding="utf-8")
        file.chmod(0o600)
        super().__init__(
            folder,
            "server",
            ["The WebQQ server listens on"],
            *TWISTD,
            *("webqq-server", "--listen", f"tcp:{self.port}:interface=127.0.0.1"),
            *("--population", str(file), "--message-rate", "0", *options),
        )


def passwordFile(folder: Path, number: int) -> Path:
    """
    Write the password of an account to a file that no other user can read.
    """
    path = folder / f"{number}.password"
    path.touch(mode=0o600)
    path.write_text(PASSWORDS[number], encoding="utf-8")
    return path


class Site(Protocol):
    """
    A server, or a proxy of one.

    @ivar url: the address of the page.
    """

    url: str


class User:
    """
    One account in one tab.

    @ivar errors: the errors of scripts and of the policy in the console, and the
        requests to other hosts.
    """

    def __init__(self, context: BrowserContext, server: Site) -> None:
        context.set_default_timeout(_MILLISECONDS)
        self.context = context
        self.server = server
        self.errors: list[str] = []
        self.page = self.watch(context.new_page())

    def watch(self, page: Page) -> Page:
        """
        Collect the errors of a tab.
        """
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._logged)
        page.on("request", self._requested)
        return page

    def _logged(self, message: Any) -> None:
        # The browser itself logs each request that fails, which tests have happen.
        isNetwork = "Failed to load resource" in message.text
        if message.type == "error" and not isNetwork:
            self.errors.append(message.text)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, "blob:")):
            self.errors.append(f"a request to {request.url}")

    def signOn(self, number: int, password: str | None = None) -> User:
        """
        Sign on with the form, by the keyboard.
        """
        self.page.goto(self.server.url)
        self.page.get_by_label("Number").fill(str(number))
        self.page.get_by_label("Password").fill(password or PASSWORDS[number])
        self.page.keyboard.press("Enter")
        return self

    def isOn(self) -> User:
        """
        Wait until the lists are there.
        """
        expect(self.page.get_by_role("tab", name="Friends")).to_be_visible()
        return self

    def entry(self, name: str) -> Any:
        """
        The entry of a list with a name.
        """
        named = self.page.locator(".name", has_text=name)
        return self.page.locator(".entry", has=named)

    def open(self, tab: str, name: str) -> User:
        """
        Open a conversation of a list.
        """
        self.page.get_by_role("tab", name=tab).click()
        self.entry(name).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)
        return self

    def isKept(self) -> None:
        """
        Wait until the page knows what all sessions know the open conversation by.
        """
        self.page.wait_for_function(
            "JSON.parse(sessionStorage.getItem('webqq-open')).place.number > 0"
        )

    def act(self, menu: str, entry: str) -> None:
        """
        Choose an entry of a menu.
        """
        self.page.locator("summary").get_by_text(menu, exact=True).click()
        buttons = self.page.locator("details[open] .menu")
        buttons.get_by_role("button", name=entry, exact=True).click()

    def fill(self, label: str, value: str, button: str) -> None:
        """
        Fill in a field of the dialog, and send it; wait until it is closed.
        """
        dialog = self.page.get_by_role("dialog").last
        dialog.get_by_label(label).fill(value)
        dialog.get_by_role("button", name=button, exact=True).click()

    def confirm(self, button: str) -> None:
        """
        Confirm the question of the dialog, and wait until it is closed.
        """
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=button, exact=True).click()
        expect(dialog).to_have_count(0)

    def say(self, text: str) -> None:
        """
        Type a message, and send it.
        """
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.keyboard.press("Enter")

    def hears(self, text: str, times: int = 1) -> None:
        """
        Wait until the open conversation shows a message.
        """
        shown = self.page.locator(".content").get_by_text(text, exact=True)
        expect(shown).to_have_count(times)

    @property
    def texts(self) -> list[str]:
        """
        The messages of the open conversation.
        """
        return self.page.locator(".content").all_inner_texts()

    @property
    def banner(self) -> Any:
        return self.page.get_by_role("status")


def sendAgain(user: User) -> None:
    """
    Send all messages again that are perhaps not delivered, until all are.
    """
    unsent = user.page.locator('.message:not([data-state="sent"])')
    again = user.page.get_by_role("button", name="Send again")
    expect(user.banner).to_have_text("")
    while unsent.count():
        if again.count():
            # It is sent by itself meanwhile, perhaps.
            with suppress(Error):
                again.first.click(timeout=1000)
    expect(unsent).to_have_count(0)


def png(width: int, height: int) -> bytes:
    """
    A picture of one colour.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xc0" * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@contextmanager
def users(
    browser: Browser, server: Site, folder: Path, count: int = 1, **options: Any
) -> Iterator[list[User]]:
    """
    Users with a browser profile each. When the test fails, pictures of their screens
    are kept; when it succeeds, none of them may have had an error.
    """
    options = {"locale": "en-US", **options}
    made = [User(browser.new_context(**options), server) for _ in range(count)]
    try:
        yield made
    except BaseException as e:
        for position, user in enumerate(made):
            # A page that is gone has none, and must not hide the failure.
            with suppress(Error):
                user.page.screenshot(path=folder / f"screen-{position}.png")
        e.add_note(f"The screens are in {folder}.")
        raise
    finally:
        errors = [error for user in made for error in user.errors]
        for user in made:
            user.context.close()
    assert errors == [], errors
