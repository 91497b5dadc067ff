"""
The chat page, used by people in Chromium.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.page.browser import HOSTILE, PASSWORDS, PageServer, png, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


def test_conversation(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Two people chat: messages with markup, other directions of writing, line ends and
    emoticons are shown as what they are, to both, once.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        for text in (HOSTILE, "two\nlines", "[Smile] 你好 \U0001f600"):
            alice.say(text)
            bob.hears(text)
            alice.hears(text)
        bob.say("fine")
        alice.hears("fine")
        expect(alice.page.locator('.message:not([data-state="sent"])')).to_have_count(0)
        assert alice.page.locator("img[src=x]").count() == 0
        # What was typed is in the history, too, and only once.
        alice.page.reload()
        alice.isOn().open("Recent", "Bobby")
        alice.hears("two\nlines")
        alice.hears("fine")


@pytest.mark.long
def test_hostileName(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A name with markup is a text in all lists.
    """
    with users(browser, server, tmp_path, 2) as (ming, bob):
        bob.signOn(10002).isOn()
        expect(bob.page.locator(".me")).to_contain_text(HOSTILE)
        ming.signOn(10003).isOn().open("Groups", "cats")
        expect(ming.page.locator(".members")).to_contain_text(HOSTILE)
        bob.open("Groups", "cats").say("from bob")
        ming.hears("from bob")
        expect(ming.page.locator(".sender").last).to_have_text(HOSTILE)


def test_group(browser: Browser, tmp_path: Path) -> None:
    """
    A group shows its members with cards and roles; unread messages are counted in the
    list and in the title until they are seen, also over reloads.
    """
    # A server of its own, since it counts what other tests have left unread.
    with (
        PageServer(tmp_path, "--database", "p.db") as server,
        users(browser, server, tmp_path, 2) as (alice, ming),
    ):
        alice.signOn(10001).isOn().open("Groups", "cats")
        members = alice.page.get_by_role("list", name="Members")
        expect(members).to_contain_text("Alice (owner)")
        expect(members).to_contain_text("Ming")
        ming.signOn(10003).isOn()
        alice.say("who feeds the cats?")
        ming.page.get_by_role("tab", name="Groups").click()
        entry = ming.page.locator(".entry", has_text="cats")
        expect(entry.locator(".unread")).to_have_text("1")
        expect(ming.page).to_have_title("(1) WebQQ")
        ming.page.reload()
        expect(ming.page).to_have_title("(1) WebQQ")
        preview = ming.entry("cats").locator(".preview")
        expect(preview).to_have_text("\u2068Alice\u2069: who feeds the cats?")
        alice.say("and who feeds the dog?")
        expect(ming.page).to_have_title("(2) WebQQ")
        with ming.page.expect_response("**/set_read2"):
            ming.open("Recent", "cats").hears("who feeds the cats?")
        expect(ming.page).to_have_title("WebQQ")
        with ming.page.expect_response("**/set_read2"):
            alice.say("I do")
        ming.page.reload()
        ming.isOn().open("Recent", "cats").hears("I do")
        expect(ming.page).to_have_title("WebQQ")
        assert ming.texts == ["who feeds the cats?", "and who feeds the dog?", "I do"]


def test_otherAccount(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The next account in a tab sees nothing of the one before: no draft, search or open
    form, also after a kick.
    """
    with users(browser, server, tmp_path, 2) as (alice, elsewhere):
        alice.signOn(10001).isOn().open("Discussions", "plans")
        alice.page.get_by_role("textbox", name="Message").fill("my draft")
        alice.page.get_by_role("searchbox").fill("my search")
        alice.page.locator(".me").click()
        elsewhere.signOn(10001).isOn()
        expect(alice.banner).to_contain_text("signed in somewhere else")
        expect(alice.page.get_by_role("dialog")).to_have_count(0)
        bob = alice
        bob.page.get_by_label("Number").fill("10002")
        bob.page.get_by_label("Password").fill("battery staple")
        bob.page.keyboard.press("Enter")
        bob.isOn()
        expect(bob.page.get_by_role("searchbox")).to_have_value("")
        bob.open("Discussions", "plans")
        expect(bob.page.get_by_role("textbox", name="Message")).to_have_value("")


@pytest.mark.long
def test_unreadableColour(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A message in the colour of the background can be read.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        # The page itself sends in black only.
        ming.page.route(
            "**/send_buddy_msg2",
            lambda route: route.continue_(
                post_data=(route.request.post_data or "").replace("000000", "ffffff")
            ),
        )
        ming.signOn(10003).isOn().open("Friends", "Alice").say("white on white")
        alice.signOn(10001).isOn().open("Friends", "小明").hears("white on white")
        shown = alice.page.locator(".content", has_text="white on white")
        colour, ground = (
            shown.evaluate(f"(each) => getComputedStyle(each).{name}")
            for name in ("color", "backgroundColor")
        )
        assert ground == "rgb(255, 255, 255)"
        assert colour.startswith("color(srgb 0.4"), colour


@pytest.mark.long
def test_answerThatFails(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A friend request whose answer does not reach the server is asked again.
    """
    with users(browser, server, tmp_path, 2) as (bob, ming):
        bob.signOn(10002).isOn()
        ming.signOn(10003).isOn().act("Add", "Add a friend")
        ming.fill("Number", "10002", "Search")
        ming.fill("Message to them", "hi", "Add")
        request = bob.page.locator(".notices li", has_text="小明 (10003) asks to be")
        bob.page.route("**/deny_added_request2", lambda route: route.abort())
        request.get_by_role("button", name="Refuse").click()
        expect(request).to_contain_text("The server does not answer.")
        bob.page.unroute("**/deny_added_request2")
        request.get_by_role("button", name="Refuse").click()
        expect(request).to_have_count(0)
        expect(ming.page.locator(".notices")).to_contain_text("refused your request")


def test_answerLost(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A message that was delivered, and whose answer was lost, is sent again without
    coming twice.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort()

        alice.page.route("**/send_buddy_msg2", lose)
        alice.say("only once")
        state = alice.page.locator(".state").last
        expect(state).to_contain_text("perhaps not delivered")
        bob.hears("only once")
        alice.page.unroute("**/send_buddy_msg2")
        # By itself, since the connection was not lost.
        expect(state).to_have_text("")
        bob.say("got it")
        alice.hears("got it")
        bob.hears("only once")
        alice.hears("only once")


@pytest.mark.long
def test_discussion(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A discussion works as a group does.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Discussions", "plans")
        bob.signOn(10002).isOn().open("Discussions", "plans")
        bob.say("at five?")
        alice.hears("at five?")
        alice.say("at six")
        bob.hears("at six")


@pytest.mark.parametrize(
    ("tab", "name"),
    [pytest.param("Friends", "Bobby", marks=pytest.mark.long), ("Groups", "cats")],
)
def test_picture(
    browser: Browser, server: PageServer, tmp_path: Path, tab: str, name: str
) -> None:
    """
    A picture is shown in place, to both, also after a reload.
    """
    width = 40 + len(name)
    file = tmp_path / "cat.png"
    file.write_bytes(png(width, 20))
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open(tab, name)
        bob.signOn(10002).isOn().open(tab, "Alice" if tab == "Friends" else name)
        alice.page.set_input_files("input[type=file]", file)
        for user in (alice, bob):
            shown = user.page.locator(".picture").last
            expect(shown).to_have_js_property("naturalWidth", width)
        if tab == "Groups":
            alice.page.reload()
            alice.isOn().open(tab, name)
            shown = alice.page.locator(".picture").last
            expect(shown).to_have_js_property("naturalWidth", width)


def test_refused(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A message that the server refuses is said not to be delivered, with the reason, also
    after a reload, and is written again. So is a draft there.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Friends", "小明")
        refusal = '{"retcode": 123, "errmsg": "too long"}'
        alice.page.route(
            "**/send_buddy_msg2", lambda route: route.fulfill(body=refusal)
        )
        alice.say("[Smile] long")
        state = alice.page.locator(".state").last
        expect(state).to_contain_text("not delivered: too long")
        field = alice.page.get_by_role("textbox", name="Message")
        field.fill("shorter")
        alice.page.reload()
        alice.isOn().open("Recent", "小明")
        expect(field).to_have_value("shorter")
        expect(state).to_contain_text("not delivered: too long")
        expect(state.get_by_role("button", name="Send again")).to_have_count(0)
        state.get_by_role("button", name="Edit").click()
        expect(field).to_have_value("[Smile] long\nshorter")
        expect(alice.page.locator('[data-state="failed"]')).to_have_count(0)


def test_leaving(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The browser asks before the page is left while a message is on its way, and only
    then.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        bob.signOn(10002).isOn().page.close(run_before_unload=True)
        alice.signOn(10001).isOn().open("Friends", "小明")
        alice.page.route("**/send_buddy_msg2", lambda route: None)
        alice.say("on its way")
        expect(alice.page.locator(".state").last).to_have_text("sending")
        with alice.page.expect_event("dialog") as asking:
            alice.page.close(run_before_unload=True)
        assert asking.value.type == "beforeunload"
        asking.value.dismiss()
        alice.isOn()


@pytest.mark.long
def test_typingAndShake(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The other is told of typing, and of a shaken window.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        alice.page.get_by_role("textbox", name="Message").press_sequentially("he")
        expect(bob.page.locator(".note")).to_have_text("Alice is typing…")
        alice.page.get_by_role("button", name="Shake").click()
        expect(bob.page.locator(".notices")).to_contain_text("Alice has shaken")


@pytest.mark.long
def test_wrongPassword(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A wrong number or password is said in words of the page.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001, "wrong")
        problem = alice.page.get_by_role("alert")
        expect(problem).to_have_text("The number or the password is wrong.")
        alice.page.get_by_label("Number").fill("Alice")
        alice.page.keyboard.press("Enter")
        expect(problem).to_have_text("A number has 5 to 10 digits.")


def test_kick(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A sign-on elsewhere ends this one, which says so and does not come back by itself.
    When one signs in again, the number and the draft are there.
    """
    with users(browser, server, tmp_path, 2) as (first, second):
        first.signOn(10003).isOn().open("Friends", "Alice")
        field = first.page.get_by_role("textbox", name="Message")
        field.fill("half a sentence")
        second.signOn(10003).isOn()
        expect(first.banner).to_contain_text("signed in somewhere else")
        expect(first.page.get_by_label("Number")).to_have_value("10003")
        expect(first.page.get_by_label("Password")).to_be_focused()
        first.page.keyboard.type(PASSWORDS[10003])
        first.page.keyboard.press("Enter")
        first.isOn().open("Friends", "Alice")
        expect(field).to_have_value("half a sentence")
        field.fill("")
        second.page.goto("about:blank")
        second.signOn(10003).isOn()
        first.page.reload()
        expect(first.page.get_by_label("Password")).to_be_visible()
        expect(second.page.get_by_role("tab", name="Friends")).to_be_visible()


def test_copiedTab(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A copy of the tab does not take turns with it: it asks for the password.
    """
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn()
        kept = alice.page.evaluate("sessionStorage.getItem('webqq-session')")
        copy = alice.watch(alice.context.new_page())
        copy.goto(server.url)
        copy.evaluate("kept => sessionStorage.setItem('webqq-session', kept)", kept)
        copy.reload()
        expect(copy.get_by_role("alert")).to_contain_text("open in another tab")
        alice.open("Friends", "Bobby").say("still here")
        alice.hears("still here")


def test_reloads(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Messages that come while the page is reloaded again and again are all there, in
    order, and once.
    """
    with users(browser, server, tmp_path, 2) as (alice, ming):
        ming.signOn(10003).isOn().open("Friends", "Alice")
        alice.signOn(10001).isOn()
        sent = [f"number {i}" for i in range(20)]
        for position, text in enumerate(sent):
            ming.say(text)
            if position % 2:
                alice.page.reload()
        alice.isOn().open("Friends", "小明")
        alice.hears(sent[-1])
        texts = [text for text in alice.texts if text.startswith("number ")]
        assert texts == sent


def test_offline(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Without a network the page says so; afterwards it goes on, with all that came
    meanwhile.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        alice.context.set_offline(True)
        expect(alice.banner).to_contain_text("No connection")
        bob.say("are you there?")
        alice.context.set_offline(False)
        alice.hears("are you there?")
        expect(alice.banner).to_have_text("")


def test_serverKilled(browser: Browser, tmp_path: Path) -> None:
    """
    A server that is killed and started again is found again, with the same session;
    what was sent meanwhile is not said to be delivered, and is sent again by itself.
    """
    with PageServer(tmp_path, "--database", "p.db") as server:
        with users(browser, server, tmp_path, 2) as (alice, bob):
            alice.signOn(10001).isOn().open("Friends", "Bobby")
            bob.signOn(10002).isOn().open("Friends", "Alice")
            alice.say("before")
            bob.hears("before")
            server.end(signal.SIGKILL)
            alice.say("meanwhile")
            state = alice.page.locator(".state").last
            expect(state).to_contain_text("perhaps not delivered")
            server.start()
            bob.hears("meanwhile")
            alice.hears("meanwhile")
            expect(alice.banner).to_have_text("")
        # The session goes on by itself, or is resumed after a longer outage.
        assert server.log.count("Account 10001 signed on") in (1, 2)


@pytest.mark.long
def test_sessionsForgotten(browser: Browser, tmp_path: Path) -> None:
    """
    A server that has forgotten its sessions is signed on to again while the page is
    open, and asks for the password after a reload.
    """
    with PageServer(tmp_path) as server, users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn()
        alice.open("Friends", "Bobby")
        alice.page.get_by_role("textbox", name="Message").fill("back")
        server.end()
        server.start()
        expect(alice.banner).to_have_text("")
        # The ids are others now.
        expect(alice.page.get_by_role("heading", level=1)).to_have_text("Bobby")
        alice.page.get_by_role("textbox", name="Message").press("Enter")
        expect(alice.page.locator('.message[data-state="sent"]')).to_have_count(1)
        server.end()
        server.start()
        alice.page.reload()
        expect(alice.banner).to_contain_text("Your session has ended")
        expect(alice.page.get_by_label("Password")).to_be_visible()


def test_captcha(browser: Browser, tmp_path: Path) -> None:
    """
    The captcha is shown when the server asks for one, at a sign-on and at a search; a
    wrong one is said to be so.
    """
    with (
        PageServer(tmp_path, "--captcha", "always", "--captcha-text", "TEST") as server,
        users(browser, server, tmp_path) as (alice,),
    ):
        alice.signOn(10001)
        code = alice.page.get_by_label("The characters in the picture")
        code.fill("WRNG")
        alice.page.keyboard.press("Enter")
        problem = alice.page.get_by_role("alert")
        expect(problem).to_have_text("The characters were wrong.")
        alice.page.get_by_role("button", name="Sign in").click()
        code.fill("test")
        alice.page.keyboard.press("Enter")
        alice.isOn().act("Add", "Add a friend")
        dialog = alice.page.get_by_role("dialog")
        dialog.get_by_label("Number").fill("10003")
        find = dialog.get_by_role("button", name="Search")
        code = dialog.get_by_label("The characters in the picture")
        for text in ("", "WRNG"):
            find.click()
            expect(dialog.get_by_role("img")).to_have_js_property("naturalWidth", 130)
            expect(code).to_have_value("")
            code.fill(text)
        find.click()
        expect(dialog.get_by_role("alert")).to_have_text("The characters were wrong.")
        dialog.get_by_role("button", name="Another picture").click()
        expect(dialog.get_by_role("alert")).to_have_text("")
        code.fill("test")
        find.click()
        alert = dialog.get_by_role("alert")
        expect(alert).to_have_text("You are friends already.")


@pytest.mark.parametrize(
    ("tab", "name"),
    [("Friends", "Bobby"), pytest.param("Groups", "cats", marks=pytest.mark.long)],
)
def test_file(
    browser: Browser, server: PageServer, tmp_path: Path, tab: str, name: str
) -> None:
    """
    A file is sent to a friend or shared in a group, and downloaded as it was.
    """
    file = tmp_path / "notes & more.txt"
    file.write_bytes(bytes(range(256)) * 400)
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open(tab, name)
        bob.signOn(10002).isOn().open(tab, "Alice" if tab == "Friends" else name)
        alice.page.locator("input[type=file]").last.set_input_files(file)
        with bob.page.expect_download() as downloading:
            bob.page.get_by_role("button", name="Download").last.click()
        assert downloading.value.suggested_filename == file.name
        assert downloading.value.path().read_bytes() == file.read_bytes()
        expect(alice.page.locator(".content").last).to_contain_text(file.name)


@pytest.mark.long
def test_folder(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A folder that is dropped is not sent, and the page says so.
    """
    folder = tmp_path / "folder"
    folder.mkdir()
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        tools = alice.context.new_cdp_session(alice.page)
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            place = {"type": kind, "x": 700, "y": 200, "data": data}
            tools.send("Input.dispatchDragEvent", place)
        expect(alice.page.locator(".told")).to_contain_text("a folder cannot be sent")
        assert not any("folder" in text for text in alice.texts)


def test_friendRequest(browser: Browser, tmp_path: Path) -> None:
    """
    A person is found by number, asked, and accepts; then both have each other in their
    lists. One renames the other, blocks, and removes.
    """
    with (
        PageServer(tmp_path) as server,
        users(browser, server, tmp_path, 2) as (bob, ming),
    ):
        bob.signOn(10002).isOn()
        ming.signOn(10003).isOn()
        bob.act("Add", "Add a friend")
        bob.fill("Number", "10003", "Search")
        bob.fill("Message to them", "it is me", "Add")
        notice = ming.page.locator(".notices li")
        # No direction of the name turns the number around.
        asked = "\u2069 (10002) asks to be your friend: it is me"
        expect(notice).to_contain_text(asked)
        # A request that was shown and not answered is shown again.
        ming.page.reload()
        expect(notice).to_contain_text(asked)
        expect(notice).to_have_count(1)
        notice.get_by_role("button", name="Accept").click()
        expect(bob.page.locator(".notices li")).to_have_count(1)
        expect(bob.page.locator(".notices li")).to_contain_text(
            "小明 (10003) is your friend now."
        )
        bob.open("Friends", "小明").say("thanks")
        expect(bob.entry("小明")).to_contain_text("online")
        ming.open("Friends", HOSTILE).hears("thanks")
        ming.act("More", "Rename or move")
        ming.fill("Your name for them", "Bob", "Save")
        expect(ming.page.get_by_role("heading", level=1)).to_have_text("Bob")
        ming.act("More", "Block")
        ming.confirm("Block")
        bob.say("blocked?")
        state = bob.page.locator(".state").last
        expect(state).to_contain_text("the recipient has blocked you")
        ming.act("More", "Unblock")
        ming.confirm("Unblock")
        state.get_by_role("button", name="Send again").click()
        ming.hears("blocked?")
        ming.act("More", "Remove from friends")
        ming.confirm("Remove")
        bob.page.get_by_role("tab", name="Friends").click()
        expect(bob.page.locator(".entry", has_text="小明")).to_have_count(0)


@pytest.mark.long
def test_groups(browser: Browser, tmp_path: Path) -> None:
    """
    A group is made, found, joined, renamed and dissolved; a discussion made and left.
    """
    with (
        PageServer(tmp_path) as server,
        users(browser, server, tmp_path, 2) as (alice, bob),
    ):
        alice.signOn(10001).isOn()
        bob.signOn(10002).isOn()
        alice.act("Add", "New group")
        dialog = alice.page.get_by_role("dialog")
        search = dialog.get_by_label("Search friends")
        search.fill("bob")
        expect(dialog.get_by_role("checkbox")).to_have_count(1)
        dialog.get_by_role("checkbox", name="Bobby").check()
        search.fill("小")
        search.press("Enter")
        expect(search).to_have_value("")
        expect(dialog.get_by_role("checkbox", name="Bobby")).to_be_checked()
        dialog.get_by_role("button", name="Remove: Bobby").click()
        expect(dialog.locator(".chosen")).to_have_text("小明 ×")
        alice.fill("Name", "readers", "Create")
        expect(alice.page.get_by_role("heading", level=1)).to_have_text("readers")
        expect(alice.page.get_by_role("list", name="Members")).to_contain_text("小明")
        bob.act("Add", "Join a group")
        bob.fill("Number or words", "readers", "Search")
        bob.fill("Message to them", "I read", "Ask to join")
        notice = alice.page.locator(".notices li").first
        expect(notice).to_contain_text("asks to join readers: I read")
        expect(notice).to_contain_text("Bobby (10002)")
        notice.get_by_role("button", name="Accept").click()
        news = bob.page.locator(".notices li")
        accepted = "has accepted your request: you are a member of readers now."
        expect(news.first).to_contain_text(accepted)
        expect(news.filter(has_text="Your request was sent")).to_have_count(0)
        bob.open("Groups", "readers").say("hello, readers")
        alice.hears("hello, readers")
        alice.act("More", "Rename")
        alice.fill("Name", "writers", "Save")
        expect(alice.page.get_by_role("heading", level=1)).to_have_text("writers")
        alice.act("More", "Dissolve")
        alice.confirm("Dissolve")
        expect(alice.page.locator(".entry", has_text="writers")).to_have_count(0)
        bob.page.get_by_role("tab", name="Groups").click()
        expect(bob.page.locator(".entry", has_text="cats")).to_have_count(1)
        expect(bob.page.locator(".entry", has_text="readers")).to_have_count(0)


@pytest.mark.long
def test_groupActions(browser: Browser, tmp_path: Path) -> None:
    """
    The owner changes the announcement and mutes a member, who sees both; messages are
    replied to, reacted to and recalled.
    """
    size = {"width": 360, "height": 720}
    with (
        PageServer(tmp_path, "--database", "p.db") as server,
        users(browser, server, tmp_path, 2, viewport=size) as (alice, bob),
    ):
        alice.signOn(10001).isOn().open("Groups", "cats")
        bob.signOn(10002).isOn().open("Groups", "cats")
        bob.say("five o'clock?")
        alice.hears("five o'clock?")
        alice.act("More", "Announcement")
        alice.fill("Announcement", "tea\nat five", "Save")
        bob.act("More", "Announcement")
        expect(bob.page.locator("dialog .announcement")).to_have_text("tea\nat five")
        bob.page.get_by_role("dialog").get_by_role("button").click()

        message = alice.page.locator(".message", has_text="five o'clock?").last
        message.locator(".actions-of summary").press("Enter")
        message.get_by_role("button", name="React 👍").press("Enter")
        reactions = bob.page.locator(".reactions button")
        expect(reactions).to_have_text("👍 1")
        reactions.click()
        expect(message.locator(".reactions button")).to_have_text("👍 2")

        message.locator(".actions-of summary").click()
        message.get_by_role("button", name="Reply").click()
        alice.say("yes")
        expect(bob.page.locator(".message q").last).to_contain_text("five o'clock?")

        # A draft keeps whom it mentions, and what it replies to.
        asked = alice.page.locator(".message", has_text="five o'clock?").first
        for entry in ("Reply", "Mention the sender"):
            asked.locator(".actions-of summary").click()
            asked.get_by_role("button", name=entry).click()
        field = alice.page.get_by_role("textbox", name="Message")
        expect(field).to_have_value(f"@{HOSTILE} ")
        alice.page.get_by_role("button", name="Back").click()
        alice.open("Discussions", "plans")
        expect(field).to_have_value("")
        expect(alice.page.locator(".replying")).to_be_hidden()
        alice.page.get_by_role("button", name="Back").click()
        alice.open("Groups", "cats")
        expect(field).to_have_value(f"@{HOSTILE} ")
        field.press("Enter")
        mention = bob.page.locator(".message").last.locator("strong")
        expect(mention).to_have_text(f"@{HOSTILE}")
        expect(bob.page.locator(".message").last.locator("q")).to_have_count(1)

        alice.act("More", "Manage members")
        dialog = alice.page.get_by_role("dialog")
        dialog.get_by_label("What to do").select_option("mute10")
        dialog.locator("select[name=uin]").select_option(label="Bobby")
        dialog.get_by_role("button", name="Continue").click()
        expect(bob.page.locator(".muted")).to_contain_text("another 10 min")
        expect(bob.page.get_by_role("textbox", name="Message")).to_be_disabled()

        alice.act("More", "Files")
        expect(alice.page.get_by_role("dialog")).to_contain_text("There are none.")
        alice.page.get_by_role("dialog").get_by_role("button").click()
        message.locator(".actions-of summary").click()
        message.get_by_role("button", name="Recall").click()
        expect(bob.page.locator("[data-recalled=true]")).to_have_count(1)
        wide = alice.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]


@pytest.mark.long
def test_profile(browser: Browser, tmp_path: Path) -> None:
    """
    The own nick and signature are changed, and still so after a reload.
    """
    with PageServer(tmp_path) as server, users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().page.locator(".me").click()
        alice.page.get_by_label("Signature").fill("tea & cats")
        alice.fill("Nick", "Alicia", "Save")
        expect(alice.page.locator(".me")).to_have_text("Alicia (10001)")
        alice.page.reload()
        alice.isOn().page.locator(".me").click()
        expect(alice.page.get_by_label("Signature")).to_have_value("tea & cats")


def test_keyboard(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Everything from the sign-on to a message is done without a mouse.
    """
    with users(browser, server, tmp_path) as (alice,):
        page = alice.signOn(10001).isOn().page
        page.get_by_role("searchbox").focus()
        page.keyboard.type("bobb")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Bobby")
        expect(page.get_by_role("searchbox")).to_have_value("")
        field = page.locator(".write textarea")
        expect(field).to_be_focused()
        expect(field).to_have_value("")
        page.keyboard.type("by the keyboard")
        page.keyboard.press("Enter")
        alice.hears("by the keyboard")
        page.get_by_role("tab", selected=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", selected=True)).to_have_text("Friends")


def test_chinese(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    The page speaks Chinese in a Chinese browser.
    """
    with users(browser, server, tmp_path, locale="zh-CN") as (alice,):
        alice.page.goto(server.url)
        expect(alice.page.get_by_role("button", name="登录")).to_be_visible()
        expect(alice.page.locator("html")).to_have_attribute("lang", "zh-CN")
