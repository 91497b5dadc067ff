"""
The page C{/captcha}.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from txwebqq.model import Number
from txwebqq.operation.captchas.form import MAX_FORM, CaptchaForm
from txwebqq.operation.service import MAX_BODY, OperationService
from txwebqq.operation.settings import OperationSettings

JPEG = b"\xff\xd8\xff and more"
TOKEN = "t0ken ü"
HOST = "localhost:9100"


class Page:
    """
    The page, at an endpoint for operators.
    """

    def __init__(self, token: str = "") -> None:
        self.reactor: Any = MemoryReactorClock()
        settings = OperationSettings("tcp:9100:interface=127.0.0.1", token)
        self.service = OperationService(settings, [], self.reactor)
        self.form = CaptchaForm(token, self.reactor.seconds)
        self.service.addPage(b"captcha", self.form)
        self.service.startService()

    def ask(
        self,
        *headers: str,
        method: str = "GET",
        host: str = HOST,
        body: str = "",
        path: str = "/captcha",
    ) -> tuple[int, str]:
        """
        Send a request.

        @return: the status and the body.
        """
        transport: Any = StringTransport()
        channel: Any = self.service.site.buildProtocol(None)
        channel.makeConnection(transport)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
        if method == "POST":
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
            ]
        text = "\r\n".join([*lines, "", body])
        channel.dataReceived(text.encode("latin-1"))
        self.head, _, found = transport.value().decode().partition("\r\n\r\n")
        channel.connectionLost(Failure(CancelledError()))
        return int(self.head.split()[1]), found

    def post(self, *headers: str, **fields: str) -> tuple[int, str]:
        return self.ask(*headers, method="POST", body=urlencode(fields))

    def keys(self, *headers: str) -> list[str]:
        """
        Return the ids of the captchas that wait.
        """
        return re.findall('name="id" value="([^"]+)"', self.ask(*headers)[1])


@pytest.fixture
def page() -> Iterator[Page]:
    """
    Make a page without a token.
    """
    page = Page()
    yield page
    page.service.stopService()
    assert page.reactor.getDelayedCalls() == []


def result(answer: Deferred[str]) -> str:
    """
    Return the text of a captcha that was answered.
    """
    results: list[str] = []
    answer.addCallback(results.append)
    [text] = results
    return text


def test_empty(page: Page) -> None:
    """
    A page without captchas is loaded again by itself.
    """
    status, body = page.ask()
    assert status == 200
    assert "No captcha waits" in body
    assert 'http-equiv="refresh"' in body


def test_answer(page: Page) -> None:
    """
    A captcha is shown with its image and answered once.
    """
    answer = page.form.ask(Number(10001), JPEG)
    page.reactor.advance(7)
    status, body = page.ask()
    assert status == 200
    assert "Account 10001" in body
    assert "7 seconds" in body
    assert f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}" in body
    # The text that is being typed would be lost.
    assert "refresh" not in body
    [key] = page.keys()
    status, body = page.post(f"Origin: http://{HOST}", id=key, text=" tExT ")
    assert status == 200
    assert "10001 was passed on" in body
    assert result(answer) == "tExT"
    assert page.post(id=key, text="tExT")[0] == 409


def test_headers(page: Page) -> None:
    """
    The page loads nothing, is in no frame, and is not kept.
    """
    page.ask()
    assert "default-src 'none'" in page.head
    assert "form-action 'self'; frame-ancestors 'none'" in page.head
    assert "script-src" not in page.head
    assert "Cache-Control: no-store" in page.head
    # With no-referrer browsers send "Origin: null" with the form.
    assert "Referrer-Policy: same-origin" in page.head


def test_others(page: Page) -> None:
    """
    Of several captchas that is answered whose form was sent.
    """
    first = page.form.ask(Number(10001), JPEG)
    second = page.form.ask(Number(10002), b"<script>")
    assert "<script>" not in page.ask()[1]
    keys = page.keys()
    page.post(id=keys[1], text="two")
    assert (first.called, result(second)) == (False, "two")
    assert page.keys() == keys[:1]


def test_withdrawn(page: Page) -> None:
    """
    A captcha that needs no answer any more is gone; its form says so.
    """
    answer = page.form.ask(Number(10001), JPEG)
    [key] = page.keys()
    answer.addErrback(lambda failure: failure.trap(CancelledError))
    answer.cancel()
    assert page.keys() == []
    status, body = page.post(id=key, text="late")
    assert status == 409
    assert "waits no longer" in body


@pytest.mark.parametrize(
    "fields", [{"text": ""}, {"text": "  "}, {}, {"text": "x" * 101}]
)
def test_noText(page: Page, fields: dict[str, str]) -> None:
    """
    A form without a text answers nothing.
    """
    answer = page.form.ask(Number(10001), JPEG)
    [key] = page.keys()
    assert page.post(id=key, **fields)[0] == 400
    assert not answer.called


def test_malformed(page: Page) -> None:
    """
    Other bodies and methods are refused.
    """
    answer = page.form.ask(Number(10001), JPEG)
    large = "x" * (MAX_FORM + 1)
    assert page.ask(method="POST", body=large)[0] == 413
    assert page.ask(method="POST", body="%ff&&=\xff")[0] == 400
    assert page.ask(method="POST", body="a=b&" * 100 + "text=x")[0] == 409
    assert page.post(id="guess", text="x")[0] == 409
    assert page.ask(method="DELETE")[0] == 405
    assert page.ask(method="HEAD") == (200, "")
    assert not answer.called


def test_largeBody(page: Page) -> None:
    """
    A large body is not kept until its end, since it is read before the token is
    looked at.
    """
    transport: Any = StringTransport()
    channel: Any = page.service.site.buildProtocol(None)
    channel.makeConnection(transport)
    size = 2**20
    head = f"POST /captcha HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n"
    channel.dataReceived(head.encode() + b"x" * (size - 1))
    content = channel.requests[0].content
    assert content.seek(0, 2) <= MAX_BODY
    channel.dataReceived(b"x")
    channel.connectionLost(Failure(CancelledError()))


@pytest.mark.parametrize(
    "headers",
    [
        ("Origin: http://evil.example",),
        ("Origin: null",),
        ("Origin: http://localhost:8080",),
        ("Sec-Fetch-Site: cross-site",),
        ("Sec-Fetch-Site: same-site",),
    ],
)
@pytest.mark.parametrize("token", ["", "t0ken"])
def test_otherPages(headers: tuple[str, ...], token: str) -> None:
    """
    Pages of other sites neither see captchas nor answer them, also in a browser that
    sends the token by itself.
    """
    page = Page(token)
    page.form.ask(Number(10001), JPEG)
    shown = [f"Authorization: Bearer {token}"] if token else []
    [key] = page.keys(*shown)
    assert page.ask(*shown, *headers)[0] == 403
    assert page.post(*shown, *headers, id=key, text="x")[0] == 403
    assert page.keys(*shown) == [key]
    page.service.stopService()


def test_ownPages(page: Page) -> None:
    """
    The page's own requests, and an address that was typed, are answered.
    """
    for site in ("none", "same-origin"):
        assert page.ask(f"Sec-Fetch-Site: {site}", f"Origin: http://{HOST}")[0] == 200


def test_host(page: Page) -> None:
    """
    A name of others that was made to mean this machine is refused.
    """
    page.form.ask(Number(10001), JPEG)
    status, body = page.ask("Origin: http://evil.example", host="evil.example")
    assert status == 403
    assert "Account" not in body
    assert page.ask(host="evil.example")[0] == 403


def basic(password: str) -> str:
    """
    Return the header that a browser sends.
    """
    credentials = base64.b64encode(f"me:{password}".encode()).decode()
    return f"Authorization: Basic {credentials}"


def test_token() -> None:
    """
    With a token it is needed: as that of the other pages, or as the password for
    which a browser asks.
    """
    page = Page(TOKEN)
    answer = page.form.ask(Number(10001), JPEG)
    for headers in ([], [basic("wrong")], ["Authorization: Basic !"]):
        status, body = page.ask(*headers)
        assert status == 401
        assert 'Basic realm="txwebqq"' in page.head
        assert "Account" not in body
    [key] = page.keys(basic(TOKEN))
    assert page.post(id=key, text="x")[0] == 401
    assert page.post(basic(TOKEN), id=key, text="right")[0] == 200
    assert result(answer) == "right"
    bearer = f"Authorization: Bearer {TOKEN.encode().decode('latin-1')}"
    assert page.ask(bearer, host="qq.example")[0] == 200
    page.service.stopService()


def test_otherPaths(page: Page) -> None:
    """
    The pages of all daemons are where they were.
    """
    assert page.ask(path="/healthz") == (200, "ok\n")
    assert page.ask(path="/readyz") == (200, "ok\n")
    assert page.ask(path="/nothing")[0] == 404
