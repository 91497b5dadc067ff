"""
The sign-up page, on which users create accounts, in Chinese or English.

The id of the form's captcha is in the form and in a cookie, and both must be the same,
so that other sites cannot make a user's browser send the form.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Protocol
from urllib.parse import parse_qs

from twisted.web.server import Request

from txwebqq.model import Number
from txwebqq.server.http.exchange import HTML, HTTPExchange
from txwebqq.server.sessions.registration import (
    MAX_NICK,
    MAX_PASSWORD,
    MIN_PASSWORD,
    NICK_INVISIBLE,
    NICK_LENGTH,
    NO_NUMBERS,
    PASSWORD_LENGTH,
    PASSWORD_UNTYPED,
    PASSWORDS_DIFFER,
    TOO_MANY_ACCOUNTS,
    TOO_MANY_TRIES,
    WRONG_CAPTCHA,
    Registration,
    SignUpForm,
)

PATH = b"/signup"

MAX_FORM = 4096
"""Maximum size of a form, in bytes."""

COOKIE = "signup"

_FIELDS = ("nick", "password", "again", "session", "code")

_STYLE = """
body { max-width: 24em; margin: 2em auto; padding: 0 1em;
 font: 1rem/1.45 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }
label { display: block }
input, button { box-sizing: border-box; padding: 0.4em 0.6em; font: inherit }
label input { width: 100% }
"""

_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest())

POLICY = (
    b"default-src 'none'; img-src data:; style-src 'sha256-" + _STYLE_HASH + b"'; "
    b"form-action 'self'; frame-ancestors 'none'"
)

_PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><title>WebQQ: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>{style}</style></head><body><main>
<h1>{title}</h1>
{body}</main></body></html>
"""

_FORM = """{problem}<form method="post" action="signup">
<p><label>{nickLabel} <input name="nick" value="{nick}" maxlength="{maxNick}"
 autocomplete="nickname" required></label></p>
<p><label>{passwordLabel} <input name="password" type="password"
 minlength="{minPassword}" maxlength="{maxPassword}" autocomplete="new-password"
 required></label></p>
<p><label>{againLabel} <input name="again" type="password"
 autocomplete="new-password" required></label></p>
<p><img alt="{pictureText}" src="data:image/jpeg;base64,{picture}"></p>
<p><label>{codeLabel} <input name="code" autocomplete="off" required>
</label></p>
<input type="hidden" name="session" value="{session}">
<p><button>{title}</button></p>
</form>
"""

_LATER = """<p><strong>{problem}</strong></p>
"""

_DONE = """<p>{done}</p>
"""

# Relative, since a proxy may give the server a path of its own.
_TO_PAGE = """<p><a href="./{fragment}">{text}</a></p>
"""

_TITLE, _SIGN_IN, _BACK = "Sign up", "Sign in", "Back to the sign-in"
_NICK_LABEL = f"Nick (at most {MAX_NICK} characters)"
_PASSWORD_LABEL = f"Password ({MIN_PASSWORD} to {MAX_PASSWORD} characters)"
_AGAIN_LABEL, _CODE_LABEL = "Once more", "What the picture says"
_PICTURE_TEXT = "four characters"
_DONE_TEXT = "Your number is {number}. Keep it: it is what you sign on with."
_TOO_LONG, _NOT_FORM = "That is too long.", "That is not what this form sends."
_NOT_YOURS = "This form is not yours, or your browser keeps no cookies."
_TOO_MANY = "Too many forms for your address: come back in ten minutes."
_AWAY = "The server cannot handle the form at present: try again later."

_CHINESE = {
    _TITLE: "注册",
    _SIGN_IN: "登录",
    _BACK: "返回登录",
    _NICK_LABEL: f"昵称（最多 {MAX_NICK} 个字符）",
    _PASSWORD_LABEL: f"密码（{MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符）",
    _AGAIN_LABEL: "再次输入密码",
    _CODE_LABEL: "图中的字符",
    _PICTURE_TEXT: "四个字符",
    _DONE_TEXT: "您的号码是 {number}。请记住，登录时要用它。",
    _TOO_LONG: "内容过长。",
    _NOT_FORM: "提交的内容不是此表单的内容。",
    _NOT_YOURS: "此表单不属于您，或您的浏览器不保存 Cookie。",
    _TOO_MANY: "您的地址请求过多，请十分钟后再来。",
    _AWAY: "服务器暂时无法处理此表单，请稍后再试。",
    TOO_MANY_TRIES: "您尝试的次数过多，请十分钟后再试。",
    WRONG_CAPTCHA: "字符与图片不符，或图片已过期。",
    TOO_MANY_ACCOUNTS: "您的地址注册的帐号过多，请一小时后再试。",
    NO_NUMBERS: "已没有可用的号码，请联系管理员。",
    NICK_LENGTH: f"昵称须有 1 到 {MAX_NICK} 个字符。",
    NICK_INVISIBLE: "昵称含有不可见字符。",
    PASSWORD_LENGTH: f"密码须有 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符。",
    PASSWORD_UNTYPED: "密码含有无法输入的字符。",
    PASSWORDS_DIFFER: "两次输入的密码不一致。",
}


def _isChinese(request: Request) -> bool:
    languages = request.getHeader(b"accept-language") or b""
    return re.search(rb"(?:^|,)\s*zh\b", languages, re.IGNORECASE) is not None


def _said(text: str, chinese: bool) -> str:
    return _CHINESE.get(text, text) if chinese else text


@dataclass(frozen=True, slots=True)
class HTMLResponse:
    """
    A reply of the sign-up page.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class SignUpAnswer:
    """
    The answer to a request for the page.

    @ivar status: the HTTP status.
    @ivar number: the number of the account that was created, L{None} for none.
    @ivar captcha: the id and the text of the captcha of the next form, L{None} if the
        address has requested too many.
    @ivar problem: what is wrong with the form that was sent, C{""} if nothing is.
    @ivar nick: the nick in the next form.
    """

    status: int
    number: Number | None = None
    captcha: tuple[str, str] | None = field(default=None, repr=False)
    problem: str = ""
    nick: str = ""


class SignUpForms:
    """
    The handling of requests for the page.
    """

    def __init__(self, registration: Registration) -> None:
        self._registration = registration

    def answer(self, body: bytes | None, exchange: HTTPExchange) -> SignUpAnswer:
        """
        Reply to a request.

        @param body: the data of a form, L{None} for the request of an empty one.
        """
        if body is None:
            return self._form(exchange, 200)
        if len(body) > MAX_FORM:
            return self._form(exchange, 413, _TOO_LONG)
        values = _values(body)
        if values is None:
            return self._form(exchange, 400, _NOT_FORM)
        form = SignUpForm(**values)
        if not form.session or exchange.cookies.get(COOKIE) != form.session:
            return self._form(exchange, 403, _NOT_YOURS)
        result = self._registration.register(form, exchange.network)
        if isinstance(result, str):
            return self._form(exchange, 400, result, form.nick)
        return SignUpAnswer(200, result)

    def _form(
        self, exchange: HTTPExchange, status: int, problem: str = "", nick: str = ""
    ) -> SignUpAnswer:
        captcha = self._registration.captcha(exchange.network)
        return SignUpAnswer(status, None, captcha, problem, nick)


class SignUpPage:
    """
    The page, in Chinese if the browser prefers or takes it.

    @param draw: renders the image of a captcha from its text.
    @param hasPage: whether there is a chat page, which a new account is led to.
    """

    def __init__(self, draw: Callable[[str], bytes], hasPage: bool = False) -> None:
        self._draw = draw
        self._hasPage = hasPage

    def show(self, request: Request, answer: SignUpAnswer) -> bytes:
        """
        Set the status and the headers of a reply, and return its body.
        """
        chinese = _isChinese(request)
        if answer.number is not None:
            page = self._done(answer.number, chinese)
        elif answer.captcha is None:
            page = _later(429, (answer.problem, _TOO_MANY), chinese)
        else:
            page = self._form(answer, answer.captcha, chinese)
        return _set(request, page)

    def showFault(self, request: Request, status: int) -> bytes:
        """
        Set the status and the headers of the reply to a request that could not be
        handled, and return its body.
        """
        return _set(request, _later(status, (_AWAY,), _isChinese(request)))

    def _done(self, number: Number, chinese: bool) -> HTMLResponse:
        shown = f"<strong>{number}</strong>"
        done = _DONE.format(done=_said(_DONE_TEXT, chinese).format(number=shown))
        done += self._link(_SIGN_IN, chinese, f"#{number}")
        return _page(200, done, "", chinese)

    def _link(self, text: str, chinese: bool, fragment: str = "") -> str:
        if not self._hasPage:
            return ""
        return _TO_PAGE.format(fragment=fragment, text=_said(text, chinese))

    def _form(
        self, answer: SignUpAnswer, captcha: tuple[str, str], chinese: bool
    ) -> HTMLResponse:
        session, text = captcha
        said = escape(_said(answer.problem, chinese))
        body = _FORM.format(
            problem=f"<p><strong>{said}</strong></p>\n" if answer.problem else "",
            title=_said(_TITLE, chinese),
            nickLabel=_said(_NICK_LABEL, chinese),
            passwordLabel=_said(_PASSWORD_LABEL, chinese),
            againLabel=_said(_AGAIN_LABEL, chinese),
            codeLabel=_said(_CODE_LABEL, chinese),
            pictureText=_said(_PICTURE_TEXT, chinese),
            nick=escape(answer.nick),
            maxNick=MAX_NICK,
            minPassword=MIN_PASSWORD,
            maxPassword=MAX_PASSWORD,
            picture=b64encode(self._draw(text)).decode(),
            session=session,
        )
        body += self._link(_BACK, chinese)
        return _page(answer.status, body, session, chinese)


class SignUp:
    """
    C{/signup} of a server whose state is in this process.
    """

    def __init__(self, forms: SignUpForms, page: SignUpPage) -> None:
        self._forms = forms
        self._page = page

    def render(self, request: Request, exchange: HTTPExchange) -> bytes:
        """
        Reply to a request (L{SignUpRenderer}).
        """
        answer = self._forms.answer(bodyOf(request), exchange)
        return self._page.show(request, answer)


class SignUpRenderer(Protocol):
    """
    C{/signup}.
    """

    def render(self, request: Request, exchange: HTTPExchange) -> int | bytes:
        """
        Reply to a request, as L{twisted.web.resource.IResource.render}.
        """


def bodyOf(request: Request) -> bytes | None:
    """
    Return the data of a form, as much of them as matters; L{None} for the request of
    an empty one.
    """
    if request.method == b"GET":
        return None
    return request.content.read(MAX_FORM + 1) if request.content else b""


def _set(request: Request, page: HTMLResponse) -> bytes:
    request.setResponseCode(page.status)
    for name, value in page.headers:
        request.setHeader(name, value)
    return page.body


def _later(status: int, texts: tuple[str, ...], chinese: bool) -> HTMLResponse:
    said = " ".join(_said(text, chinese) for text in texts if text)
    return _page(status, _LATER.format(problem=escape(said)), None, chinese)


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


def _page(status: int, body: str, session: str | None, chinese: bool) -> HTMLResponse:
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
    page = _PAGE.format(
        lang="zh-CN" if chinese else "en",
        title=_said(_TITLE, chinese),
        style=_STYLE,
        body=body,
    )
    return HTMLResponse(status, tuple(headers), page.encode())
