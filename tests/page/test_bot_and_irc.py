"""
The chat page with a bot, and with an IRC channel behind the relay: a server, a bot, an
IRC server and a relay in processes of their own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.endtoend.daemons import ROOT
from tests.page.browser import PageServer, passwordFile, png, sendAgain, users
from tests.page.programs import TWISTD, Program
from tests.page.relayed import ChannelUser, Ngircd, Relay

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SENDER = "qqrelay: <A\u200blice> "
"""The beginning of a message of Alice in the channel."""

MARKUP = "<img src=x onerror=alert(1)> &amp; \"'"

HOSTILE = {
    MARKUP: f"<bob> {MARKUP}",
    "\x0304,08red\x03 \x02bold\x0f \x1b[31m": "<bob> red bold [31m",
    "\u202ekcab \u2067and on": "<bob> \u202ekcab \u2067and on",
    "\x01ACTION <b>waves</b>\x01": "* bob <b>waves</b>",
}
"""Lines on IRC, and what the page shows of each."""


def echo(folder: Path, server: PageServer) -> Program:
    """
    Return the bot of the demo, for Bob's account.
    """
    return Program(
        folder,
        "echo",
        ["Echo is signed on"],
        *(*TWISTD, "webqq", "--server", server.url.rstrip("/"), "--account", "10002"),
        *("--password-file", str(passwordFile(folder, 10002))),
        *("--app", "demo_bots.EchoFactory"),
        directory=ROOT / "examples",
    )


@contextmanager
def channel(folder: Path, server: PageServer) -> Iterator[ChannelUser]:
    """
    Run an IRC server and a relay.

    @return: a user in the channel.
    """
    with (
        Ngircd(folder) as ircd,
        Relay(folder, server, ircd, 10003),
        closing(ChannelUser(ircd, "bob")) as bob,
    ):
        yield bob


def test_botAndChannel(browser: Browser, tmp_path: Path) -> None:
    """
    A bot answers to texts and pictures of the page. Messages of the page reach an IRC
    channel, and those of an IRC user the page, with the nick and in order; markup,
    colours and changes of direction in them are texts or left out.
    """
    picture = tmp_path / "cat.png"
    picture.write_bytes(png(43, 20))
    with (
        PageServer(tmp_path, "--database", "p.db") as server,
        channel(tmp_path, server) as bob,
        users(browser, server, tmp_path) as (alice,),
    ):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        with echo(tmp_path, server):
            alice.say("[Smile] 你好")
            alice.hears("[Smile] 你好", times=2)
            alice.page.set_input_files("input[type=file]", picture)
            shown = alice.page.locator(".picture")
            expect(shown).to_have_count(2)
            expect(shown.last).to_have_js_property("naturalWidth", 43)
        alice.open("Groups", "cats")
        for i in range(3):
            alice.say(f"from the page {i}")
            bob.hears(f"from the page {i}")
            bob.say(f"from IRC {i}")
            alice.hears(f"<bob> from IRC {i}")
        assert bob.said == [f"{SENDER}from the page {i}" for i in range(3)]
        for line, text in HOSTILE.items():
            bob.say(line)
            alice.hears(text)
        assert alice.texts == [
            *(
                text
                for i in range(3)
                for text in (f"from the page {i}", f"<bob> from IRC {i}")
            ),
            *HOSTILE.values(),
        ]
        assert alice.page.locator("img[src=x]").count() == 0


@pytest.mark.long
def test_killedBetween(browser: Browser, tmp_path: Path) -> None:
    """
    While a server is killed twice and started again in a conversation of a page with an
    IRC user, no message is lost, doubled or out of order in either direction.
    """
    with (
        PageServer(tmp_path, "--database", "p.db") as server,
        channel(tmp_path, server) as bob,
        users(browser, server, tmp_path) as (alice,),
    ):
        alice.signOn(10001).isOn().open("Groups", "cats")
        for i in range(12):
            alice.say(f"page {i}")
            bob.say(f"irc {i}")
            if i in (4, 8):
                server.end(signal.SIGKILL)
                alice.say(f"page {i} while it is down")
                bob.say(f"irc {i} while it is down")
                server.start()
                sendAgain(alice)
        bob.hears("page 11")
        alice.hears("<bob> irc 11")
        for side, texts, start in (
            ("page", bob.said, SENDER),
            ("irc", alice.texts, "<bob> "),
        ):
            assert [text for text in texts if text.startswith(f"{start}{side}")] == [
                f"{start}{side} {i}{later}"
                for i in range(12)
                for later in ("", " while it is down")
                if not later or i in (4, 8)
            ]
