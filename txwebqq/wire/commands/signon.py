"""
Sign-on and logout: from C{check} to C{login2}, and C{logout2} (protocol.md 2.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlsplit

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import Number, Status
from txwebqq.values import Secret, Value
from txwebqq.wire import jsonp
from txwebqq.wire.coerce import STATUSES, Expected, ackOf, integer
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    OKReply,
    Referer,
    Refusal,
    decodeRefusal,
    encodeRefusal,
)
from txwebqq.wire.endpoints import ChannelGet, ChannelPost, postFields
from txwebqq.wire.form import Form, Pairs, encodeForm
from txwebqq.wire.jsontext import decodeText
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.parameters import (
    IS_PRESENT,
    RAW_NUMBER,
    RAW_OR_EMPTY,
    RAW_STATUS,
    RAW_TEXT,
    RAW_UNLESS_EMPTY,
    DeclaredCommand,
    Parameter,
)
from txwebqq.wire.record import ANY_STATUS_WORD, SIGNED, Record

APPID = "1003903"
"""WebQQ's own C{aid} (protocol.md 1.2)."""

DAID = "164"
"""WebQQ's id at the login pages of 2013."""

_JS_VERSION = "10040"
_LATER_PAGE = "http://web2.qq.com/loginproxy.html"


class Challenge(Value):
    """
    The reply to C{check}: the values that the digest of the password needs.

    @ivar captcha: whether the login needs a captcha.
    @ivar code: the verify code of the login; with a captcha, the captcha's id.
    @ivar salt: the account's number in eight bytes.
    @ivar extra: two more arguments for later clients, C{()} for the others.
    """

    captcha: bool
    code: str
    salt: bytes
    extra: tuple[str, ...] = ()


_SIGNATURE = re.compile(r"""g_login_sig=encodeURIComponent\("([^"\s]{0,512})"\)""")


class LoginPage(DeclaredCommand[str]):
    """
    Fetch the login page of 2013, for the login signature in it (protocol.md 2.1.2);
    C{""} when it has none.
    """

    scheme = "https"
    host = Host.LOGIN_PAGE
    path = "/cgi-bin/login"
    authorization = Authorization.NONE
    isPage = True
    isIdempotent = True
    order = (
        f"daid={DAID} target=self style=5 mibao_css=m_webqq appid={APPID}"
        f" enable_qlogin=0 no_verifyimg=1 s_url={_LATER_PAGE} f_url=loginerroralert"
        " strong_login=1 login_state t=20130723001"
    )

    status: Annotated[Status, RAW_STATUS] = field(
        name="login_state", default=Status.ONLINE
    )

    @classmethod
    def encodeReply(cls, reply: str | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        script = f'var g_login_sig=encodeURIComponent("{reply}");'
        page = f"<!DOCTYPE html>\n<script>{script}</script>\n{_loginForm()}"
        return page.encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> str | Refusal:
        found = _SIGNATURE.search(body.decode("utf-8", "replace"))
        return "" if found is None else found[1]


class Check(DeclaredCommand[Challenge]):
    """
    Fetch the challenge of an account: whether a login needs a captcha
    (protocol.md 2.1.3).

    @ivar later: whether the request has C{pt_tea}, as that of clients that need five
        arguments (compatibility.md 2).
    """

    host = Host.CHECK
    path = "/check"
    authorization = Authorization.NONE
    isIdempotent = True
    order = f"uin appid={APPID} pt_tea r"

    uin: Annotated[str, RAW_TEXT]
    r: Annotated[str, RAW_OR_EMPTY] = "0.5720316"
    later: Annotated[bool, IS_PRESENT] = field(name="pt_tea", default=False)

    @classmethod
    def encodeReply(cls, reply: Challenge | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        literals = [
            jsonp.quoteArgument("1" if reply.captcha else "0"),
            jsonp.quoteArgument(reply.code),
            jsonp.quoteBytes(reply.salt),
            *map(jsonp.quoteArgument, reply.extra),
        ]
        return jsonp.encodeCall("ptui_checkVC", literals).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> Challenge | Refusal:
        refusal = decodeRefusal(body)
        if refusal is not None:
            return refusal
        arguments = jsonp.parseCall(decodeText(body), "ptui_checkVC", "pt_checkVC")
        return decodeOrMalformed(_decodeChallenge, arguments)


class SignedCheck(Check):
    """
    C{check} as clients sent it from the summer of 2013 on.

    @ivar signature: the login signature of the login page.
    """

    scheme = "https"
    host = Host.SECURE_LOGIN
    referer = Referer.LOGIN_PAGE
    order = (
        f"uin appid={APPID} js_ver={_JS_VERSION} js_type=0 login_sig u1={_LATER_PAGE} r"
    )

    signature: Annotated[Secret, RAW_OR_EMPTY] = field(name="login_sig", default="")


def _decodeChallenge(arguments: Sequence[str]) -> Challenge:
    captcha, code, salt, *extra = arguments
    raw = salt.encode("latin-1")
    if captcha not in ("0", "1") or len(raw) != 8:
        raise MalformedReply("the challenge has no flag or no salt")
    return Challenge(captcha == "1", code, raw, tuple(extra))


class GetImage(DeclaredCommand[bytes]):
    """
    Fetch the picture of a captcha; the reply also sets the cookie C{verifysession}
    (protocol.md 2.1.4).

    @ivar uin: the account of a login, C{""} for other commands.
    """

    host = Host.CAPTCHA
    path = "/getimage"
    authorization = Authorization.NONE
    isIdempotent = True
    order = "aid r uin"

    uin: Annotated[str, RAW_UNLESS_EMPTY]
    r: Annotated[str, RAW_OR_EMPTY] = "0.8123"
    aid: Annotated[str, RAW_OR_EMPTY] = APPID

    @classmethod
    def encodeReply(cls, reply: bytes | Refusal) -> bytes:
        return encodeRefusal(reply) if isinstance(reply, Refusal) else reply

    @classmethod
    def decodeReply(cls, body: bytes) -> bytes | Refusal:
        refusal = decodeRefusal(body)
        if refusal is not None:
            return refusal
        if imageTypeOf(body) is None:
            raise MalformedReply("not a picture")
        return body


class SecureGetImage(GetImage):
    """
    C{getimage} as clients sent it from the summer of 2013 on.
    """

    scheme = "https"
    host = Host.SECURE_CAPTCHA
    referer = Referer.LOGIN_PAGE


class LoginReply(Value):
    """
    The arguments of C{ptuiCB} (protocol.md 2.1.5).

    @ivar code: 0 for a success; protocol.md lists the others.
    @ivar url: the URL to fetch next, with a proof of the login in it.
    @ivar nick: the account's nickname.
    """

    code: int
    subcode: int = 0
    url: Secret = ""
    target: str = "0"
    message: str = ""
    nick: str = ""


_LOGIN_HEAD = (
    f"u p verifycode webqq_type remember_uin=1 login2qq=1 aid={APPID}"
    " u1=http://webqq.qq.com/loginproxy.html?login2qq=1&webqq_type= h=1"
    " ptredirect=0 ptlang=2052"
)

_LOGIN_TAIL = (
    "from_ui=1 pttype=1 dumy= fp=loginerroralert action=1-20-8656"
    " mibao_css=m_webqq t g=1"
)


class Login(DeclaredCommand[LoginReply]):
    """
    Log in with a digest of the password; a success sets the cookies C{uin},
    C{skey} and C{ptwebqq} (protocol.md 2.1.5).

    @ivar p: the digest of the password.
    @ivar code: the text of the captcha, or the verify code of C{check}.
    """

    host = Host.LOGIN
    path = "/login"
    authorization = Authorization.NONE
    order = f"{_LOGIN_HEAD} {_LOGIN_TAIL}"

    u: Annotated[str, RAW_TEXT]
    p: Annotated[Secret, RAW_TEXT]
    code: Annotated[str, RAW_TEXT] = field(name="verifycode")
    status: Annotated[Status, RAW_STATUS] = field(
        name="webqq_type", default=Status.ONLINE
    )
    attempt: Annotated[int, RAW_NUMBER] = field(name="t", default=1)

    def encodeFields(self) -> Pairs:
        # The page to go to ends with the status, too.
        return [
            (name, f"{value}{self.status.code}" if name == "u1" else value)
            for name, value in super().encodeFields()
        ]

    @classmethod
    def encodeReply(cls, reply: LoginReply | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        literals = [
            jsonp.quoteArgument(value)
            for value in (
                str(reply.code),
                str(reply.subcode),
                reply.url,
                reply.target,
                reply.message,
                reply.nick,
            )
        ]
        # Clients cut this line at fixed places, so the space and the line end
        # are part of the protocol.
        literals[-1] = " " + literals[-1]
        return jsonp.encodeCall("ptuiCB", literals).encode() + b"\r\n"

    @classmethod
    def decodeReply(cls, body: bytes) -> LoginReply | Refusal:
        refusal = decodeRefusal(body)
        if refusal is not None:
            return refusal
        return decodeOrMalformed(
            _decodeLogin, jsonp.parseCall(decodeText(body), "ptuiCB")
        )


def _loginForm() -> str:
    """
    Return the form of the login page, from which some clients take the fields of
    their login. All inputs are hidden, because a browser would send the password
    itself.
    """
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}"/>\n'
        for name, value in Login("", "", "").encodeFields()
    )
    action = f"http://{Login.host.value}{Login.path}"
    head = f'<form id="loginform" name="loginform" action="{action}" method="get">'
    return f"{head}\n{inputs}</form>\n"


class SignedLogin(Login):
    """
    C{login} as clients sent it from the summer of 2013 on.

    @ivar signature: the login signature of the login page.
    """

    scheme = "https"
    host = Host.SECURE_LOGIN
    referer = Referer.LOGIN_PAGE
    order = (
        f"{_LOGIN_HEAD} daid={DAID} {_LOGIN_TAIL} pt_uistyle=5 js_type=0"
        f" js_ver={_JS_VERSION} login_sig"
    )

    signature: Annotated[Secret, RAW_OR_EMPTY] = field(name="login_sig", default="")


def _decodeLogin(arguments: Sequence[str]) -> LoginReply:
    code, subcode, url, target, message, *rest = arguments
    # Raise here for a URL that CheckSig could not split.
    urlsplit(url)
    return LoginReply(
        code=integer(code),
        subcode=integer(subcode),
        url=url,
        target=target,
        message=message,
        nick=rest[0] if rest else "",
    )


class CheckSig(Command[None]):
    """
    Fetch the page that a login leads to; it sets cookies of the C{web2} hosts
    (protocol.md 2.1.6).

    @ivar landing: the URL in the reply to the login, on hosts of qq.com only.
    """

    host = Host.LANDING
    path = "/check_sig"
    authorization = Authorization.NONE
    isPage = True
    isIdempotent = True

    landing: Secret

    @property
    def url(self) -> str:
        """
        The landing URL without its query.
        """
        parts = urlsplit(self.landing)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    def encodeFields(self) -> Pairs:
        query = urlsplit(self.landing).query
        return parse_qsl(query, keep_blank_values=True, errors="replace")

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        query = encodeForm(form.items()).decode("ascii")
        return cls(f"http://{Host.LANDING.value}{cls.path}?{query}")

    @classmethod
    def encodeReply(cls, reply: None | Refusal) -> bytes:
        # Some clients reject any other body (compatibility.md 2).
        return b"0" if reply is None else encodeRefusal(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        return None


class SessionCredentials(Value):
    """
    The ids of the session that C{login2} opened (protocol.md 2.1.7).

    @ivar index: a value that later requests repeat, like C{port}.
    """

    uin: Number
    psessionid: Secret
    vfwebqq: Secret
    status: Status = Status.ONLINE
    index: int = 1075
    port: int = 40036
    cip: int = 0


def _idOf(value: Any) -> str:
    if not isinstance(value, str):
        raise Expected("a text")
    return value


class Login2(ChannelPost[SessionCredentials]):
    """
    Open a session, or relink to the session that the ticket still has
    (protocol.md 2.1.7 and 2.1.8).
    """

    path = "/channel/login2"
    authorization = Authorization.NONE
    referer = Referer.LOGIN2
    timeout = 60.0
    isIdempotent = True
    result = Record(
        SessionCredentials,
        "uin cip index? port? status vfwebqq psessionid user_state=0 f=0",
        cip=SIGNED,
        index=SIGNED,
        port=SIGNED,
        status=ANY_STATUS_WORD,
        vfwebqq=(_idOf, str),
        psessionid=(_idOf, str),
    )

    status: Status = Status.ONLINE

    def encodeFields(self) -> Pairs:
        # There is no id yet, unless it is a relink.
        members = {
            "status": self.status.value,
            "ptwebqq": self.ticket.ptwebqq,
            "passwd_sig": "",
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid or None,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        # Some clients send a number before they know a status (compatibility.md 2).
        status = form.text("status", "")
        if status in ("", "0"):
            status = Status.ONLINE.value
        if status not in STATUSES:
            raise MalformedReply("status is not a status")
        return cls(form.ticket, STATUSES[status])


def _readIds(form: Form, name: str, _: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, form.text(name, "").split(",")))


def _readAck(form: Form, name: str, _: None) -> int | None:
    return ackOf(form[name]) if name in form else None


class Logout2(OKReply, ChannelGet[None]):
    """
    Close the session (protocol.md 2.1.10).

    @ivar ids: the ids of the messages shown since the last poll.
    @ivar ack: as in L{txwebqq.wire.commands.messages.Poll2}.
    """

    path = "/channel/logout2"
    isIdempotent = True
    # A daemon has two seconds to stop.
    timeout = 1.5

    ids: Annotated[tuple[str, ...], Parameter(_readIds, ",".join)] = ()
    ack: Annotated[int | None, Parameter(_readAck, lambda ack: ack)] = None
