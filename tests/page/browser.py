"""
The chat page in Debian's Chromium, against a server in a process of its own.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, Protocol, Self

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.endtoend.daemons import ALICE, PATIENCE, TWISTD, freePort

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

expect.set_options(timeout=30_000)


class PageServer:
    """
    A server process, which can be killed and started again. As a context manager it
    runs until the end of the block.
    """

    def __init__(self, folder: Path, *options: str, people: str = PEOPLE) -> None:
        self.folder = folder
        self.options = options
        self.port = freePort()
        self.url = f"http://127.0.0.1:{self.port}/"
        file = folder / "people.toml"
        file.write_text(people, encoding="utf-8")
        file.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Start it, and wait until it listens.
        """
        process = self._process = subprocess.Popen(
            [
                *(TWISTD, "-n", "--pidfile=", "webqq-server"),
                *("--listen", f"tcp:{self.port}:interface=127.0.0.1"),
                *("--population", self.folder / "people.toml"),
                *("--message-rate", "0", *self.options),
            ],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        answer: SimpleQueue[bool] = SimpleQueue()
        Thread(target=self._keep, args=(process.stdout, answer), daemon=True).start()
        try:
            listens = answer.get(timeout=PATIENCE)
        except Empty:
            listens = False
        if not listens:
            self.end(signal.SIGKILL)
            raise AssertionError(f"the server does not listen:\n{self.log}")

    def _keep(self, output: IO[bytes], answer: SimpleQueue[bool]) -> None:
        """
        Write the output of a process to the log, and answer whether it listens.
        """
        with output, (self.folder / "server.log").open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                if b"The WebQQ server listens on" in line:
                    answer.put(True)
        answer.put(False)

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """
        End the process, if it runs, and wait for that.
        """
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()


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

    def open(self, tab: str, name: str) -> User:
        """
        Open a conversation of a list.
        """
        self.page.get_by_role("tab", name=tab).click()
        self.page.locator(".entry", has_text=name).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)
        return self

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
