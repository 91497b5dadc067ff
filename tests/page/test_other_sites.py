"""
Requests that pages of other origins have a browser send in which the chat page is
signed on.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.page.browser import PASSWORDS, PageServer, User, users
from tests.page.othersite import ATTACK, HOST, NOTHING_READ, OtherSite
from txwebqq.model import Number
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ATTACKER = Number(10003)
SETTINGS = {"r": json.dumps({"appid": 1, "itemlist": {"evil": 1}})}
LOGIN2 = {"status": "online", "ptwebqq": "", "clientid": "2", "psessionid": None}
SENT = {
    "to": 10002,
    "content": json.dumps(["evil", ["font", {"name": "", "size": 10}]]),
    "clientid": "2",
    "psessionid": "",
}
TICKET = {"clientid": "2", "psessionid": "", "vfwebqq": ""}

LINES: dict[str, tuple[str, dict[str, str]]] = {
    "set.do": ("keycgi/qqweb/newuac/set.do", SETTINGS),
    "modify_my_head": ("api/modify_my_head", {"r": '{"custom_face":""}'}),
    "get_self_info2": ("api/get_self_info2", {}),
    "get_vfwebqq2": ("api/get_vfwebqq2", {}),
    "login2": ("channel/login2", {"r": json.dumps(LOGIN2)}),
    "signup": ("signup", {"nick": "evil", "password": "12345678"}),
    "logout2": ("channel/logout2", {"ids": "", **TICKET}),
    "send": ("channel/send_buddy_msg2", {"r": json.dumps(SENT)}),
    "history": ("cgi-bin/webqq_chat/", {"cmd": "1", "tuin": "10002", "vfwebqq": ""}),
    "friends": ("api/get_user_friends2", {"r": '{"vfwebqq":""}'}),
    "dissolve": ("api/dissolve_group2", {"r": '{"gcode":200001,"vfwebqq":""}'}),
    "upload": ("cgi-bin/cface_upload", {"vfwebqq": ""}),
}
"""
By name the path and the fields of requests that would change or tell data of the
account, if a browser sent with them what shows who is signed on.
"""

MAIN = ("set.do", "login2")
"""The lines that each run tests; the others are long."""

_TIMES = re.compile('INTO "(?:session_time|online)"')


class Victim:
    """
    A person whose page is signed on.

    @ivar jar: what was in the page's header after the sign-on, which no other origin
        knows.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self.jar = ""
        user.page.on("request", self._requested)

    def _requested(self, request: Any) -> None:
        jar = request.headers.get("x-webqq-page") or ""
        # A page that was reloaded has less.
        if "skey=" in jar:
            self.jar = jar

    def ask(self, path: str, fields: dict[str, str]) -> Any:
        """
        Ask as the page does.
        """
        return self.user.page.evaluate(
            """async ({ path, fields, jar }) => {
              const headers = { "X-WebQQ-Page": jar };
              const body = new URLSearchParams(fields);
              const response = await fetch(path, { method: "POST", headers, body });
              return await response.json();
            }""",
            {"path": path, "fields": fields, "jar": self.jar},
        )

    @property
    def isOn(self) -> bool:
        """
        Whether the session is the same as ever.
        """
        kept = self.user.page.evaluate("sessionStorage.getItem('webqq-session')")
        ticket = {name: json.loads(kept)[name] for name in ("clientid", "psessionid")}
        return bool(self.ask("channel/get_online_buddies2", ticket)["retcode"] == 0)


def stored(server: PageServer) -> list[str]:
    """
    Return all that a server has stored, without the times until which it ran and
    accounts were online.
    """
    with closing(sqlite3.connect(server.folder / "p.db")) as database:
        lines = database.iterdump()
        return [line for line in lines if not _TIMES.search(line)]


@pytest.fixture(scope="module")
def openServer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """
    A server at which everyone may sign up.
    """
    folder = tmp_path_factory.mktemp("csrf")
    options = ("--database", "p.db", "--signup", "open")
    with PageServer(folder, *options) as server:
        yield server


@pytest.fixture(scope="module")
def victim(
    browser: Browser, openServer: PageServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    """
    Alice, who is signed on during all tests of the module.
    """
    folder = tmp_path_factory.mktemp("victim")
    with users(browser, openServer, folder) as (alice,):
        victim = Victim(alice)
        alice.signOn(10001).isOn()
        yield victim


@pytest.fixture(
    scope="module",
    params=["other site", pytest.param("other port", marks=pytest.mark.long)],
)
def evil(
    victim: Victim, openServer: PageServer, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """
    A page of another site, or of another port of the host, in the victim's browser.
    """
    with OtherSite() as site:
        host = HOST if request.param == "other site" else "127.0.0.1"
        page = victim.user.context.new_page()
        page.goto(f"http://{host}:{site.port}/")
        yield page
        page.close()


def attack(page: Page, url: str, fields: dict[str, str], *callbacks: str) -> Any:
    """
    Send a request in all ways, and close the windows that were opened for it.
    """
    page.bring_to_front()
    page.reload()
    values = {"url": url, "fields": fields, "callbacks": callbacks}
    result = page.evaluate(ATTACK, values)
    for other in page.context.pages:
        if other.opener() == page:
            other.close()
    return result


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=[pytest.mark.long] * (line not in MAIN))
        for line in LINES
    ],
)
def test_nothingDone(
    victim: Victim, openServer: PageServer, evil: Page, line: str
) -> None:
    """
    Links, forms, pictures, scripts, frames and fetches of another origin change nothing
    on the server, read nothing, and do not end the session.
    """
    path, fields = LINES[line]
    before = stored(openServer)
    result = attack(evil, openServer.url + path, fields)
    assert result == {"read": NOTHING_READ, "called": []}
    assert stored(openServer) == before
    assert victim.isOn


@pytest.mark.long
def test_pageItself(victim: Victim, openServer: PageServer, evil: Page) -> None:
    """
    Another origin can neither frame the page, nor reach into the window of one that it
    opens.
    """
    result = attack(evil, openServer.url, {})
    assert result == {"read": NOTHING_READ, "called": []}
    assert victim.isOn


def test_loginOfAnother(victim: Victim, openServer: PageServer, evil: Page) -> None:
    """
    A login to the attacker's account in the victim's browser leaves no cookie there,
    so that the victim's page stays the victim's, after a reload, too.
    """
    with urlopen(f"{openServer.url}check?uin={ATTACKER}") as reply:
        code = re.findall("'(.*?)'", reply.read().decode())[1]
    victim.user.context.clear_cookies()
    first = passwordHash(PASSWORDS[ATTACKER])
    p = passwordDigest(first, saltFor(ATTACKER), code)
    fields = {"u": str(ATTACKER), "p": p, "verifycode": code, "webqq_type": "10"}
    result = attack(evil, f"{openServer.url}login", fields, "ptuiCB")
    assert {**result["read"], "script": "error"} == NOTHING_READ
    # The reply is a script, which tells the attacker of the attacker's account.
    assert "Alice" not in result["called"]
    assert victim.user.context.cookies() == []
    victim.user.page.reload()
    victim.user.isOn()
    expect(victim.user.page.locator(".me")).to_have_text("Alice (10001)")
    assert victim.isOn


def test_pageMayDoIt(victim: Victim, openServer: PageServer) -> None:
    """
    The same request with the header of the page is done, so that the other tests would
    notice it.
    """
    before = stored(openServer)
    assert victim.ask(*LINES["set.do"])["retcode"] == 0
    assert [line for line in stored(openServer) if line not in before]


def test_cookiesWouldTell(victim: Victim, openServer: PageServer, evil: Page) -> None:
    """
    If the browser had as cookies what is in the page's header, a link of another origin
    would be one of the account; without them the server does not know whose it is.
    """
    address = evil.url
    link = f"{openServer.url}api/get_self_info2"
    context = victim.user.context
    for pair in victim.jar.split("; "):
        name, _, value = pair.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": openServer.url}])
    told = []
    for _ in range(2):
        evil.goto(address)
        with evil.expect_navigation():
            evil.evaluate("link => { location.href = link; }", link)
        told.append(json.loads(evil.inner_text("body"))["retcode"])
        context.clear_cookies()
    evil.goto(address)
    assert told == [0, 100000]
