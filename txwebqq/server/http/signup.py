"""
The sign-up page, on which users create accounts.

The id of the form's captcha is in the form and in a cookie, and both must be the same,
so that other sites cannot make a user's browser send the form.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from twisted.web.server import Request

from txwebqq.server.http.exchange import HTML, HTTPExchange
from txwebqq.server.sessions.registration import (
    MAX_NICK,
    MAX_PASSWORD,
    MIN_PASSWORD,
    Registration,
    SignUpForm,
)

PATH = b"/signup"

MAX_FORM = 4096
"""Maximum size of a form, in bytes."""

COOKIE = "signup"

POLICY = (
    b"default-src 'none'; img-src data:; form-action 'self'; frame-ancestors 'none'"
)

_FIELDS = ("nick", "password", "again", "session", "code")

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>WebQQ: sign up</title>
<meta name="viewport" content="width=device-width"></head><body>
<h1>Sign up</h1>
{body}</body></html>
"""

_FORM = """{problem}<form method="post" action="signup">
<p><label>Nick <input name="nick" value="{nick}" maxlength="{maxNick}" required>
</label></p>
<p><label>Password <input name="password" type="password" minlength="{minPassword}"
 maxlength="{maxPassword}" autocomplete="new-password" required></label></p>
<p><label>Once more <input name="again" type="password"
 autocomplete="new-password" required></label></p>
<p><img alt="four characters" src="data:image/jpeg;base64,{picture}"></p>
<p><label>What the picture says <input name="code" autocomplete="off" required>
</label></p>
<input type="hidden" name="session" value="{session}">
<p><button>Sign up</button></p>
</form>
"""

_LATER = """<p><strong>{problem}Too many forms for your address:
come back in ten minutes.</strong></p>
"""

_DONE = """<p>Your number is <strong>{number}</strong>.
Keep it: it is what you sign on with.</p>
"""

# Relative, since a proxy may give the server a path of its own.
_TO_PAGE = """<p><a href="./#{number}">Sign in</a></p>
"""


@dataclass(frozen=True, slots=True)
class HTMLResponse:
    """
    A reply of the sign-up page.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class SignUpPage:
    """
    The sign-up form and the handling of its data.

    @param draw: renders the image of a captcha from its text.
    @param hasPage: whether there is a chat page, which a new account is led to.
    """

    def __init__(
        self,
        registration: Registration,
        draw: Callable[[str], bytes],
        hasPage: bool = False,
    ) -> None:
        self._registration = registration
        self._draw = draw
        self._done = _DONE + _TO_PAGE if hasPage else _DONE

    def render(self, request: Request, exchange: HTTPExchange) -> bytes:
        """
        C{/signup}: reply to a request.
        """
        if request.method == b"GET":
            page = self.show(exchange)
        else:
            body = request.content.read(MAX_FORM + 1) if request.content else b""
            page = self.take(body, exchange)
        request.setResponseCode(page.status)
        for name, value in page.headers:
            request.setHeader(name, value)
        return page.body

    def show(self, exchange: HTTPExchange) -> HTMLResponse:
        """
        C{GET /signup}: return an empty form.
        """
        return self._form(exchange, 200, "", "")

    def take(self, body: bytes, exchange: HTTPExchange) -> HTMLResponse:
        """
        C{POST /signup}: create an account from a form.
        """
        if len(body) > MAX_FORM:
            return self._form(exchange, 413, "That is too long.", "")
        values = _values(body)
        if values is None:
            return self._form(exchange, 400, "That is not what this form sends.", "")
        form = SignUpForm(**values)
        if not form.session or exchange.cookies.get(COOKIE) != form.session:
            return self._form(
                exchange,
                403,
                "This form is not yours, or your browser keeps no cookies.",
                "",
            )
        result = self._registration.register(form, exchange.network)
        if isinstance(result, str):
            return self._form(exchange, 400, result, form.nick)
        return _page(200, self._done.format(number=result), "")

    def _form(
        self, exchange: HTTPExchange, status: int, problem: str, nick: str
    ) -> HTMLResponse:
        captcha = self._registration.captcha(exchange.network)
        if captcha is None:
            text = f"{escape(problem)} " if problem else ""
            return _page(429, _LATER.format(problem=text), None)
        session, text = captcha
        body = _FORM.format(
            problem=f"<p><strong>{escape(problem)}</strong></p>\n" if problem else "",
            nick=escape(nick),
            maxNick=MAX_NICK,
            minPassword=MIN_PASSWORD,
            maxPassword=MAX_PASSWORD,
            picture=b64encode(self._draw(text)).decode(),
            session=session,
        )
        return _page(status, body, session)


def _values(body: bytes) -> dict[str, str] | None:
    try:
        pairs = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=len(_FIELDS),
        )
    except ValueError:
        return None
    if set(pairs) != set(_FIELDS) or any(len(v) != 1 for v in pairs.values()):
        return None
    return {name: values[0] for name, values in pairs.items()}


def _page(status: int, body: str, session: str | None) -> HTMLResponse:
    """
    Return a page of the form.

    @param session: the cookie with the id of the captcha; C{""} deletes the cookie,
        L{None} leaves it.
    """
    headers = [
        (b"content-type", HTML),
        (b"content-security-policy", POLICY),
    ]
    if session is not None:
        cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict"
        if not session:
            cookie += "; Max-Age=0"
        headers.append((b"set-cookie", cookie.encode("ascii")))
    return HTMLResponse(status, tuple(headers), _PAGE.format(body=body).encode())
