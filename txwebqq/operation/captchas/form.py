"""
The page C{/captcha} of the endpoint for operators: a form for captchas.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs

from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.model import Number
from txwebqq.net.site import peerAddress, textHeaders
from txwebqq.onebot.authorization import TOO_MANY, Refusal, TokenAuthenticator
from txwebqq.operation.resource import OWN_PAGES

MAX_FORM = 4096
"""Maximum size of a form that was filled in, in bytes."""

MAX_TEXT = 100
"""Maximum length of an answer, in characters."""

REFRESH = 10
"""Seconds after which a page without a captcha is loaded again."""

_STYLE = (
    "body{font:1rem/1.5 sans-serif;margin:2rem auto;max-width:32rem;padding:0 1rem}"
    "img{background:#fff;border:1px solid #999;display:block;margin:.5rem 0}"
    "input,button{font:inherit}"
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "content-type": "text/html; charset=utf-8",
    "cross-origin-resource-policy": "same-origin",
    # With no-referrer, browsers do not name the origin of a form.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

OTHER_PAGE = Refusal(403, "pages of others may not ask")


@dataclass(frozen=True, slots=True)
class WaitingCaptcha:
    """
    A captcha that waits for an answer.

    @ivar at: the time at which it came, in seconds.
    """

    number: Number
    image: bytes = field(repr=False)
    answer: Deferred[str]
    at: float


class CaptchaForm(Resource):
    """
    Shows the captchas that wait, and takes their answers
    (L{CaptchaWay<txwebqq.operation.captchas.asking.CaptchaWay>}).

    Each captcha has an id that cannot be guessed. A form has it, so that a page of
    another site cannot send one, and an old page cannot answer a new captcha.

    @param token: the token that requests need, C{""} for none. A browser asks for it
        as for a password.
    @param now: returns the time in seconds.
    """

    isLeaf = True
    name = "the page /captcha"

    def __init__(self, token: str, now: Callable[[], float]) -> None:
        base: Any = super()
        base.__init__()
        self.setToken(token)
        self._now = now
        self._authenticator = TokenAuthenticator(now)
        self._waiting: dict[str, WaitingCaptcha] = {}

    def setToken(self, token: str) -> None:
        """
        Change the token that requests need, C{""} for none.
        """
        self._token = token

    def ask(self, number: Number, image: bytes) -> Deferred[str]:
        """
        Show a captcha.
        """
        key = secrets.token_urlsafe(16)

        def remove(answer: Deferred[str]) -> None:
            self._waiting.pop(key, None)

        answer: Deferred[str] = Deferred(remove)
        self._waiting[key] = WaitingCaptcha(number, image, answer, self._now())
        return answer

    def render(self, request: Request) -> bytes:
        """
        C{GET} and C{POST /captcha}.
        """
        status, body = self._reply(request)
        request.setResponseCode(status)
        for name, value in HEADERS.items():
            request.setHeader(name.encode(), value.encode())
        request.setHeader(b"content-length", b"%d" % len(body))
        # Twisted logs a request of HEAD whose reply has a body.
        return b"" if request.method == b"HEAD" else body

    def _reply(self, request: Request) -> tuple[int, bytes]:
        refusal = self._refusal(request)
        if refusal is not None:
            if refusal.status == 401:
                request.setHeader(
                    b"www-authenticate", b'Basic realm="txwebqq", charset="UTF-8"'
                )
            return refusal.status, self._page(refusal.reason, isShort=True)
        if request.method in (b"GET", b"HEAD"):
            return 200, self._page()
        if request.method == b"POST":
            return self._answer(request)
        request.setHeader(b"allow", b"GET, HEAD, POST")
        return 405, self._page("not GET, HEAD or POST", isShort=True)

    def _refusal(self, request: Request) -> Refusal | None:
        headers = textHeaders(request.requestHeaders)
        host = headers.get("host", "")
        own = (None, f"http://{host}", f"https://{host}")
        origin = headers.pop("origin", None)
        if origin not in own or headers.pop("sec-fetch-site", "none") not in OWN_PAGES:
            # A browser that has the token sends it for pages of others, too.
            return OTHER_PAGE
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            headers["authorization"] = f"Bearer {_passwordIn(given)}"
        query = (request.uri or b"").partition(b"?")[2].decode("latin-1")
        refusal = self._authenticator.refusalOf(
            headers, query, self._token, peerAddress(request)
        )
        if refusal is not None and refusal is not TOO_MANY and self._token:
            # After any other status a browser does not ask for the token again.
            return Refusal(401, refusal.reason)
        return refusal

    def _answer(self, request: Request) -> tuple[int, bytes]:
        assert request.content is not None
        data = request.content.read(MAX_FORM + 1)
        if len(data) > MAX_FORM:
            return 413, self._page("The form is too large.", isShort=True)
        fields = parse_qs(data.decode("utf-8", "replace"))
        text = fields.get("text", [""])[0].strip()
        if not text or len(text) > MAX_TEXT:
            return 400, self._page("Nothing was answered: type the text of the image.")
        captcha = self._waiting.pop(fields.get("id", [""])[0], None)
        if captcha is None:
            return 409, self._page(
                "Nothing was answered: this captcha waits no longer. It was answered in"
                " another way, or a new one has taken its place."
            )
        captcha.answer.callback(text)
        return 200, self._page(
            f"The answer for account {captcha.number} was passed on. After a wrong one"
            " a new captcha appears here.",
            refresh=True,
        )

    def _page(
        self, note: str = "", isShort: bool = False, refresh: bool = False
    ) -> bytes:
        """
        Write the page.

        @param note: a line above the captchas.
        @param isShort: whether to leave out the captchas.
        @param refresh: whether the page is loaded again in any case.
        """
        parts = [f"<p><strong>{escape(note)}</strong></p>"] if note else []
        if not isShort:
            parts += [self._form(key, each) for key, each in self._waiting.items()]
            if not self._waiting:
                parts.append("<p>No captcha waits for an answer.</p>")
            parts.append('<p><a href="captcha">Look again</a></p>')
            refresh = refresh or (not self._waiting and not note)
        reload = (
            f'<meta http-equiv="refresh" content="{REFRESH};url=captcha">'
            if refresh
            else ""
        )
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"{reload}<title>Captchas</title><style>{_STYLE}</style></head>\n"
            f"<body><h1>Captchas</h1>\n{chr(10).join(parts)}\n</body></html>\n"
        ).encode()

    def _form(self, key: str, captcha: WaitingCaptcha) -> str:
        image = base64.b64encode(captcha.image).decode()
        seconds = int(max(0.0, self._now() - captcha.at))
        return (
            f'<form method="post" action="captcha"><h2>Account {captcha.number}</h2>'
            f"<p>It waits for {seconds} seconds.</p>"
            f'<img alt="The captcha" src="data:{mediaTypeOf(captcha.image)};base64,'
            f'{image}"><input type="hidden" name="id" value="{escape(key)}">'
            '<label>Text <input name="text" autocomplete="off" autocapitalize="none"'
            f' required maxlength="{MAX_TEXT}"></label> <button>Answer</button></form>'
        )


def _passwordIn(given: str) -> str:
    """
    Return the password in the credentials of HTTP's Basic scheme, C{""} for none,
    decoded as header values are.
    """
    try:
        return (
            base64.b64decode(given, validate=True).partition(b":")[2].decode("latin-1")
        )
    except binascii.Error:
        return ""
