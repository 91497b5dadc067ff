"""
The chat page while networks, servers, clocks and tabs fail: each message is there, and
once, and the page says how it is.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from tests.page.browser import PageServer, User, sendAgain, users
from tests.page.hangingproxy import HangingProxy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

SHORT_LIMITS = """{
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (milliseconds) => timeout(milliseconds / 15);
}"""
"""Makes time limits of requests short: two seconds for thirty, five for a poll."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """
    A server that answers polls within the short time limits.
    """
    folder = tmp_path_factory.mktemp("failures")
    with PageServer(folder, "--database", "p.db", "--poll-timeout", "2") as server:
        yield server


@pytest.mark.parametrize(
    "manner", ["hang", pytest.param("cut", marks=pytest.mark.long)]
)
def test_networkHangs(
    browser: Browser,
    server: PageServer,
    tmp_path: Path,
    manner: Literal["hang", "cut"],
) -> None:
    """
    A network that takes requests and answers none, or stops in the middle of an answer,
    is said to be gone; afterwards each message is there once.
    """
    with (
        HangingProxy(server) as proxy,
        users(browser, proxy, tmp_path) as (alice,),
        users(browser, server, tmp_path) as (bob,),
    ):
        alice.context.add_init_script(SHORT_LIMITS)
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        proxy.manner = manner
        alice.say(f"question {manner}")
        state = alice.page.locator(".state").last
        expect(state).to_contain_text("perhaps not delivered")
        expect(alice.banner).to_contain_text("No connection")
        bob.say(f"answer {manner}")
        proxy.manner = "pass"
        alice.hears(f"answer {manner}")
        expect(alice.banner).to_have_text("")
        if manner == "cut":
            # The history tells that it had arrived.
            expect(alice.page.locator('[data-state="unknown"]')).to_have_count(0)
        sendAgain(alice)
        for user in (alice, bob):
            user.hears(f"question {manner}")
            user.hears(f"answer {manner}")


def test_upload(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    An upload that stalls fails with words, and is sent again; a file whose answer was
    lost is perhaps delivered, and comes once when it is sent again.
    """
    file = tmp_path / "big.txt"
    file.write_bytes(bytes(300_000))
    with (
        HangingProxy(server) as proxy,
        users(browser, proxy, tmp_path) as (alice,),
        users(browser, server, tmp_path) as (bob,),
    ):
        alice.context.add_init_script(SHORT_LIMITS)
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        proxy.manner = "hang"
        alice.page.locator("input[type=file]").last.set_input_files(file)
        state = alice.page.locator(".state").last
        expect(state).to_have_text(
            re.compile("not delivered: the upload made no progress")
        )
        proxy.manner = "pass"
        expect(alice.banner).to_have_text("")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort()

        alice.page.route("**/send_offfile2", lose)
        state.get_by_role("button", name="Send again").click()
        expect(state).to_contain_text("perhaps not delivered")
        files = bob.page.locator(".content", has_text=file.name)
        expect(files).to_have_count(1)
        alice.page.unroute("**/send_offfile2")
        sendAgain(alice)
        expect(state).to_have_text("")
        bob.say("got it")
        alice.hears("got it")
        expect(files).to_have_count(1)


@pytest.mark.long
def test_killedWhileChatting(browser: Browser, tmp_path: Path) -> None:
    """
    A server that is killed while both write, and started again, has each message once
    after those were sent again that were perhaps not delivered.
    """
    with (
        PageServer(tmp_path, "--database", "p.db") as server,
        users(browser, server, tmp_path, 2) as (alice, bob),
    ):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        sent = []
        for i in range(30):
            for user in (alice, bob):
                text = f"{'alice' if user is alice else 'bob'} {i}"
                user.say(text)
                sent.append(text)
            if i in (10, 20):
                server.end(signal.SIGKILL)
                server.start()
        for user in (alice, bob):
            sendAgain(user)
        for user in (alice, bob):
            expect(user.page.locator(".content")).to_have_count(len(sent))
            assert sorted(user.texts) == sorted(sent)


def test_clockIsWrong(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    On a computer whose clock is an hour late, a message whose answer was lost is known
    to have arrived, and shown once, when the history has it; the order is that of the
    server.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        alice.context.add_init_script("""{
          const now = Date.now;
          Date.now = () => now() - 3600000;
        }""")
        alice.signOn(10001).isOn().open("Friends", "小明")
        ming.signOn(10003).isOn().open("Friends", "Alice")
        ming.say("what time is it?")
        alice.hears("what time is it?")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort()

        alice.page.route("**/send_buddy_msg2", lose)
        alice.say("an hour ago")
        state = alice.page.locator(".state").last
        expect(state).to_contain_text("perhaps not delivered")
        ming.hears("an hour ago")
        ming.say("really?")
        alice.hears("really?")
        alice.context.set_offline(True)
        expect(alice.banner).to_contain_text("No connection")
        alice.context.set_offline(False)
        expect(alice.banner).to_have_text("")
        expect(alice.page.locator('[data-state="unknown"]')).to_have_count(0)
        assert alice.texts[-3:] == ["what time is it?", "an hour ago", "really?"]


@pytest.mark.long
def test_suspended(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A page that was frozen, as in a laptop that slept, goes on, with all messages that
    came meanwhile, once.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        lifecycle = alice.context.new_cdp_session(alice.page)
        lifecycle.send("Page.setWebLifecycleState", {"state": "frozen"})
        for text in ("asleep 1", "asleep 2", "asleep 3"):
            bob.say(text)
            bob.hears(text)
        expect(bob.page.locator('.message:not([data-state="sent"])')).to_have_count(0)
        lifecycle.send("Page.setWebLifecycleState", {"state": "active"})
        for text in ("asleep 1", "asleep 2", "asleep 3"):
            alice.hears(text)
        alice.say("awake")
        bob.hears("awake")


@pytest.mark.long
def test_twoAccounts(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Two accounts in two tabs of one browser stay themselves, also after reloads.
    """
    with users(browser, server, tmp_path) as (alice,):
        bob = User(alice.context, server)
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        alice.say("from one tab")
        bob.hears("from one tab")
        for user in (alice, bob):
            user.page.reload()
            user.isOn()
        expect(alice.page.locator(".me")).to_contain_text("(10001)")
        expect(bob.page.locator(".me")).to_contain_text("(10002)")
        alice.open("Recent", "Bobby").say("after reloads")
        bob.open("Recent", "Alice").hears("after reloads")
        assert bob.errors == []


@pytest.mark.long
def test_fiftyReloads(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Of 120 messages that come during fifty reloads, a reader sees each once: in the
    conversation, and counted as it opens.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        ming.signOn(10003).isOn().open("Groups", "cats")
        alice.signOn(10001).isOn()
        sent = [f"reload {i}" for i in range(120)]
        for position, text in enumerate(sent):
            ming.say(text)
            if position % 12 in (0, 3, 5, 8, 10):
                alice.page.reload(wait_until="commit")
        alice.isOn().open("Groups", "cats")
        sendAgain(ming)
        alice.hears(sent[-1])
        for first in range(90, -1, -30):
            earlier = alice.page.get_by_role("button", name="Earlier messages")
            while alice.page.get_by_text(sent[first], exact=True).count() == 0:
                # It may be out of sight.
                earlier.dispatch_event("click")
        texts = [text for text in alice.texts if text.startswith("reload ")]
        assert texts == sent
