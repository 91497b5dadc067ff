"""
Names and messages that try to be more than texts, on a narrow screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.page.browser import PASSWORDS, PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTH = 360

RIGHT_TO_LEFT = "\u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd"

NAMES = (
    "<b>&lt;/li><script>alert(1)</script>",
    RIGHT_TO_LEFT,
    "__proto__",
    "constructor",
    "W" * 24,
    "\u200d" * 12 + "e" + "\u0301" * 11,
)

TEXTS = (
    "</article><img src=x onerror=alert(1)>",
    "\u202eright to left\u2067 and on",
    "W" * 3000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 40,
    "__proto__",
    '{"constructor":{"__proto__":1}}',
    "[__proto__] [constructor] [toString]",
    "e" + "\u0301" * 300,
)
"""Messages that arrive as they were typed."""

CHANGED = {
    "one\r\ntwo\rthree": "one\ntwo\nthree",
    "half \ud83d of a pair": "half \ufffd of a pair",
    "nothing\x00 more": "nothing\x00 more",
}
"""Messages that arrive as other ones, by what is sent."""


def population() -> str:
    """
    Return accounts, categories, groups, cards and discussions with all names.
    """
    parts = [
        '[[account]]\nnumber = 10001\npassword = "correct horse"\nnick = "Alice"\n'
    ]
    for position, name in enumerate(NAMES):
        number = 10002 + position
        text = json.dumps(name)
        parts.append(
            f"[[account]]\nnumber = {number}\nnick = {text}\n"
            f'password = "{PASSWORDS.get(number, "no password")}"\n'
            f"[[friendship]]\nbetween = [10001, {number}]\n"
            f"category = {{ 10001 = {text} }}\n"
            f"[[group]]\nnumber = {200001 + position}\nname = {text}\n"
            f"owner = 10001\nmembers = [10001, {number}]\n"
            f"cards = {{ {number} = {text} }}\n"
            f"[[discussion]]\nnumber = {300001 + position}\nname = {text}\n"
            f"owner = 10001\nmembers = [10001, {number}]\n"
        )
    return "".join(parts)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """
    A server whose people, groups and discussions have these names.
    """
    folder = tmp_path_factory.mktemp("names")
    server = PageServer(folder, "--database", "p.db", people=population())
    with server:
        yield server


def fits(user: User) -> bool:
    """
    Return whether nothing is wider than the screen.
    """
    wide = user.page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= WIDTH)


def test_names(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Names of friends, categories, groups, discussions and members are texts in lists,
    headings, sentences and dialogs, and nothing is wider than the screen.
    """
    size = {"width": WIDTH, "height": 720}
    with users(browser, server, tmp_path, viewport=size) as (alice,):
        page = alice.signOn(10001).isOn().page
        for tab in ("Friends", "Groups", "Discussions"):
            page.get_by_role("tab", name=tab).click()
            names = page.locator(".entry .name")
            expect(names).to_have_count(len(NAMES))
            assert sorted(names.all_text_contents()) == sorted(NAMES)
            assert fits(alice)
            for name in NAMES[:2] + NAMES[-2:]:
                page.locator(".entry .name").get_by_text(name, exact=True).click()
                heading = page.get_by_role("heading", level=1)
                assert heading.text_content() == name
                assert fits(alice)
                if tab == "Groups":
                    member = page.locator(".members li").filter(has_text=name)
                    expect(member).to_have_count(1)
                alice.act("More", "Block" if tab == "Friends" else "Rename")
                assert fits(alice)
                page.keyboard.press("Escape")
                page.get_by_role("button", name="Back").click()
        page.get_by_role("tab", name="Friends").click()
        headings = page.locator(".entries h2:visible").all_text_contents()
        assert sorted(headings) == sorted(f"{name} (1)" for name in NAMES)


@pytest.mark.long
def test_messages(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Messages are shown as the texts that they are, by both, live and from the history.
    """
    size = {"width": WIDTH, "height": 720}
    with users(browser, server, tmp_path, 2, viewport=size) as (alice, other):
        alice.signOn(10001).isOn()
        alice.open("Friends", NAMES[0])
        other.signOn(10002).isOn().open("Friends", "Alice")
        wanted = [*TEXTS, *CHANGED.values()]
        for text in TEXTS:
            other.say(text)
        for text in CHANGED:
            send(other, text)
        contents = alice.page.locator(".content")
        for user in (alice, other):
            expect(user.page.locator(".content")).to_have_count(len(wanted))
            assert fits(user)
        assert contents.all_text_contents() == wanted
        alice.isKept()
        alice.page.reload()
        title = alice.page.get_by_role("heading", level=1)
        expect(title).to_have_text(NAMES[0])
        expect(contents).to_have_count(len(wanted))
        assert contents.all_text_contents() == wanted
        assert fits(alice)


def send(user: User, text: str) -> None:
    """
    Send a text that cannot be typed, and wait until the server has it.
    """
    # A driver cannot pass on half of a pair, so this is written as in JSON.
    written = json.dumps(text)
    with user.page.expect_response("**/send_buddy_msg2"):
        user.page.evaluate(
            """written => {
              const text = JSON.parse(written);
              const values = Object.getOwnPropertyDescriptor(
                HTMLTextAreaElement.prototype, "value");
              const field = document.querySelector("textarea");
              Object.defineProperty(field, "value", {
                configurable: true,
                get: () => text,
                set: (value) => { delete field.value; values.set.call(field, value); },
              });
              document.querySelector("form.write").requestSubmit();
            }""",
            written,
        )


def test_notices(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A name in a sentence does not turn the rest of the sentence around.
    """
    number = 10002 + NAMES.index(RIGHT_TO_LEFT)
    with users(browser, server, tmp_path, 2) as (alice, other):
        alice.signOn(10001).isOn()
        other.signOn(number).isOn().open("Friends", "Alice")
        other.page.get_by_role("button", name="Shake").click()
        notice = alice.page.locator(".notices li")
        expect(notice).to_contain_text("has shaken your window.")
        # The sentence goes on at the right of the name.
        left, right = alice.page.evaluate(
            """() => {
              const text = document.querySelector(".notices li").firstChild;
              const range = document.createRange();
              const end = text.data.indexOf(" has shaken");
              range.setStart(text, 0);
              range.setEnd(text, end);
              const name = range.getBoundingClientRect();
              range.setStart(text, end + 1);
              range.setEnd(text, text.length);
              return [name.right, range.getBoundingClientRect().left];
            }"""
        )
        assert left <= right + 0.5
