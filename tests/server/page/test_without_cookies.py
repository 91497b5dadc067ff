"""
The sign-on of the chat page, which has no cookies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from tests.server.harness import ALICE, BOB, PASSWORDS, Response, ServerHarness
from txwebqq.model import Number
from txwebqq.server.page.files import PageFiles
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor


class PageClient:
    """
    A page that is signed on as a browser's is, and what it keeps instead of cookies.
    """

    def __init__(self, harness: ServerHarness, number: Number) -> None:
        self.harness = harness
        self.number = number
        self.jar: dict[str, str] = {}
        self.setCookies: list[str] = []

    def ask(self, path: str, fields: Mapping[str, object]) -> Response:
        body = "&".join(f"{name}={quote(str(value))}" for name, value in fields.items())
        jar = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        headers = {"X-WebQQ-Page": jar, "Origin": "http://anything.example"}
        response = self.harness.post(path, body, headers).response
        for name, value in response.headers:
            if name.lower().startswith("x-webqq-"):
                self.jar[name.lower().removeprefix("x-webqq-")] = value
        self.setCookies += response.all("Set-Cookie")
        return response

    def askJSON(self, path: str, **values: object) -> Response:
        return self.ask(path, {"r": json.dumps(values)})

    def logIn(self, code: str) -> Response:
        first = passwordHash(PASSWORDS[self.number])
        p = passwordDigest(first, saltFor(self.number), code)
        fields = {"u": self.number, "p": p, "verifycode": code, "webqq_type": 10}
        return self.ask("/login", fields)

    def signOn(self) -> Response:
        found = self.ask("/check", {"uin": self.number}).body.decode()
        self.logIn(re.findall("'(.*?)'", found)[1])
        return self.login2(self.jar["ptwebqq"])

    def login2(self, ptwebqq: str) -> Response:
        return self.askJSON(
            "/channel/login2",
            status="online",
            ptwebqq=ptwebqq,
            clientid="1",
            psessionid=None,
        )


@pytest.fixture
def harness() -> ServerHarness:
    return ServerHarness(page=PageFiles())


def test_signOn(harness: ServerHarness) -> None:
    """
    A page signs on without a cookie: the values are in headers, both ways.
    """
    page = PageClient(harness, ALICE)
    assert page.signOn().result["uin"] == ALICE
    assert page.setCookies == []
    assert page.jar["uin"] == "o0000010001"
    profile = page.ask("/api/get_self_info2", {}).result
    assert profile["nick"] == "Alice"


def test_captcha() -> None:
    """
    The id of a captcha is in a header, too.
    """
    drawn: list[str] = []

    def draw(text: str) -> bytes:
        drawn.append(text)
        return b"\xff\xd8\xff\xe0"

    harness = ServerHarness(CaptchaMode.ALWAYS, draw=draw, page=PageFiles())
    page = PageClient(harness, ALICE)
    assert b"ptui_checkVC('1'" in page.ask("/check", {"uin": ALICE}).body
    page.ask("/getimage", {"uin": ALICE})
    assert page.jar["verifysession"]
    assert b"ptuiCB('0'" in page.logIn(drawn[0]).body


def test_notTheCookies(harness: ServerHarness) -> None:
    """
    A page is not taken for the account whose cookies the browser sends with it.
    """
    other = PageClient(harness, BOB)
    other.signOn()
    jar = "; ".join(f"{name}={value}" for name, value in other.jar.items())
    headers = {"X-WebQQ-Page": "a=b", "Cookie": jar}
    response = harness.post("/api/get_self_info2", "", headers).response
    assert response.json["retcode"] != 0


def test_othersAreUnchanged(harness: ServerHarness) -> None:
    """
    Clients without the header get cookies, and none of the new headers.
    """
    response = harness.get("/check?uin=10001").response
    assert response.all("Set-Cookie")
    assert not [
        name for name, _ in response.headers if name.lower().startswith("x-webqq")
    ]


def test_otherOrigin(harness: ServerHarness) -> None:
    """
    Pages of other sites, and of another port, may not send the header: the server
    does not allow it in a preflight, and names no origin that may read a reply.
    """
    preflight = (
        b"OPTIONS /login HTTP/1.1\r\nHost: anything.example\r\n"
        b"Origin: http://anything.example:81\r\n"
        b"Access-Control-Request-Method: POST\r\n"
        b"Access-Control-Request-Headers: x-webqq-page\r\n\r\n"
    )
    response = harness.send(preflight).response
    assert response.status == 405
    page = PageClient(harness, ALICE)
    page.signOn()
    for reply in (response, page.ask("/channel/get_online_buddies2", {})):
        names = [name.lower() for name, _ in reply.headers]
        assert not [name for name in names if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/keycgi/qqweb/newuac/set.do", {"r": '{"appid":10000,"itemlist":{"a":1}}'}),
        ("/api/modify_my_head", {"custom_face": ""}),
        ("/api/get_self_info2", {}),
        ("/api/get_vfwebqq2", {}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothingByCookiesOfAPage(
    harness: ServerHarness, path: str, fields: dict[str, str], method: str
) -> None:
    """
    A browser in which a page is signed on has no cookies of ours, so that what another
    site has it send has no account: it changes nothing, and reads nothing.
    """
    page = PageClient(harness, ALICE)
    page.signOn()
    query = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
    if method == "GET":
        response = harness.get(f"{path}?{query}").response
    else:
        response = harness.post(path, query).response
    assert response.json["retcode"] != 0


def test_loginByAnotherSite(harness: ServerHarness) -> None:
    """
    Another site cannot end the session of a page by C{login2}: it would need the
    C{ptwebqq}, which is in no cookie.
    """
    page = PageClient(harness, ALICE)
    page.signOn()
    r = quote(json.dumps({"status": "online", "ptwebqq": "", "clientid": "2"}))
    assert harness.post("/channel/login2", f"r={r}").response.json["retcode"] == 103
    assert harness.state.sessions.online(ALICE) is not None
