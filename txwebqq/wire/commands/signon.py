"""
Sign-on and logout: from C{check} to C{login2}, and C{logout2} (protocol.md 2.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from txwebqq.errors import MalformedReply
from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import Number, Status
from txwebqq.values import Secret, Value
from txwebqq.wire import jsonp
from txwebqq.wire.coerce import ackOf, integer, statusOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    Refusal,
    channelQuery,
    decodeRefusal,
    encodeRefusal,
    postFields,
)
from txwebqq.wire.form import Form, Pairs, Ticket, encodeForm
from txwebqq.wire.jsontext import decodeText
from txwebqq.wire.locating import decodeOrMalformed

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


class LoginPage(Command[str]):
    """
    Fetch the login page of 2013, for the login signature in it (protocol.md 2.1.2);
    C{""} when it has none.
    """

    scheme: ClassVar[Literal["http", "https"]] = "https"
    host: ClassVar[Host] = Host.LOGIN_PAGE
    path: ClassVar[str] = "/cgi-bin/login"
    authorization: ClassVar[Authorization] = Authorization.NONE
    isIdempotent: ClassVar[bool] = True

    status: Status = Status.ONLINE

    def encodeFields(self) -> Pairs:
        return [
            ("daid", DAID),
            ("target", "self"),
            ("style", "5"),
            ("mibao_css", "m_webqq"),
            ("appid", APPID),
            ("enable_qlogin", "0"),
            ("no_verifyimg", "1"),
            ("s_url", _LATER_PAGE),
            ("f_url", "loginerroralert"),
            ("strong_login", "1"),
            ("login_state", str(self.status.code)),
            ("t", "20130723001"),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(_statusOf(form.get("login_state", "")))

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


class Check(Command[Challenge]):
    """
    Fetch the challenge of an account: whether a login needs a captcha
    (protocol.md 2.1.3).

    @ivar later: whether the request has C{pt_tea}, as that of clients that need five
        arguments (compatibility.md 2).
    """

    host: ClassVar[Host] = Host.CHECK
    path: ClassVar[str] = "/check"
    authorization: ClassVar[Authorization] = Authorization.NONE
    isIdempotent: ClassVar[bool] = True

    uin: str
    r: str = "0.5720316"
    later: bool = False

    def encodeFields(self) -> Pairs:
        return [("uin", self.uin), ("appid", APPID), *self._marks(), ("r", self.r)]

    def _marks(self) -> Pairs:
        return [("pt_tea", "1")] if self.later else []

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        # This r is a random number and not JSON.
        if "uin" not in form:
            raise MalformedReply("uin is missing")
        return cls(
            uin=form["uin"],
            r=form.get("r", ""),
            later="pt_tea" in form,
        )

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

    scheme: ClassVar[Literal["http", "https"]] = "https"
    host: ClassVar[Host] = Host.SECURE_LOGIN
    referer: ClassVar[Referer | None] = Referer.LOGIN_PAGE

    signature: Secret = ""

    def _marks(self) -> Pairs:
        return [
            ("js_ver", _JS_VERSION),
            ("js_type", "0"),
            ("login_sig", self.signature),
            ("u1", _LATER_PAGE),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        plain = Check.decodeFields(form)
        return cls(plain.uin, plain.r, plain.later, form.get("login_sig", ""))


def _decodeChallenge(arguments: Sequence[str]) -> Challenge:
    captcha, code, salt, *extra = arguments
    raw = salt.encode("latin-1")
    if captcha not in ("0", "1") or len(raw) != 8:
        raise MalformedReply("the challenge has no flag or no salt")
    return Challenge(captcha == "1", code, raw, tuple(extra))


class GetImage(Command[bytes]):
    """
    Fetch the picture of a captcha; the reply also sets the cookie C{verifysession}
    (protocol.md 2.1.4).

    @ivar uin: the account of a login, C{""} for other commands.
    """

    host: ClassVar[Host] = Host.CAPTCHA
    path: ClassVar[str] = "/getimage"
    authorization: ClassVar[Authorization] = Authorization.NONE
    isIdempotent: ClassVar[bool] = True

    uin: str
    r: str = "0.8123"
    aid: str = APPID

    def encodeFields(self) -> Pairs:
        pairs = [("aid", self.aid), ("r", self.r)]
        return [*pairs, ("uin", self.uin)] if self.uin else pairs

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            uin=form.get("uin", ""),
            r=form.get("r", ""),
            aid=form.get("aid", APPID),
        )

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

    scheme: ClassVar[Literal["http", "https"]] = "https"
    host: ClassVar[Host] = Host.SECURE_CAPTCHA
    referer: ClassVar[Referer | None] = Referer.LOGIN_PAGE


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


class Login(Command[LoginReply]):
    """
    Log in with a digest of the password; a success sets the cookies C{uin},
    C{skey} and C{ptwebqq} (protocol.md 2.1.5).

    @ivar p: the digest of the password.
    @ivar code: the text of the captcha, or the verify code of C{check}.
    """

    host: ClassVar[Host] = Host.LOGIN
    path: ClassVar[str] = "/login"
    authorization: ClassVar[Authorization] = Authorization.NONE

    u: str
    p: Secret
    code: str
    status: Status = Status.ONLINE
    attempt: int = 1

    def encodeFields(self) -> Pairs:
        kind = str(self.status.code)
        page = f"http://webqq.qq.com/loginproxy.html?login2qq=1&webqq_type={kind}"
        daid, marks = self._marks()
        return [
            ("u", self.u),
            ("p", self.p),
            ("verifycode", self.code),
            ("webqq_type", kind),
            ("remember_uin", "1"),
            ("login2qq", "1"),
            ("aid", APPID),
            ("u1", page),
            ("h", "1"),
            ("ptredirect", "0"),
            ("ptlang", "2052"),
            *daid,
            ("from_ui", "1"),
            ("pttype", "1"),
            ("dumy", ""),
            ("fp", "loginerroralert"),
            ("action", "1-20-8656"),
            ("mibao_css", "m_webqq"),
            ("t", str(self.attempt)),
            ("g", "1"),
            *marks,
        ]

    def _marks(self) -> tuple[Pairs, Pairs]:
        return [], []

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        missing = [name for name in ("u", "p", "verifycode") if name not in form]
        if missing:
            raise MalformedReply(f"{missing[0]} is missing")
        attempt = form.get("t", "")
        return cls(
            u=form["u"],
            p=form["p"],
            code=form["verifycode"],
            status=_statusOf(form.get("webqq_type", "")),
            attempt=int(attempt) if _isSmall(attempt) else 1,
        )

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

    scheme: ClassVar[Literal["http", "https"]] = "https"
    host: ClassVar[Host] = Host.SECURE_LOGIN
    referer: ClassVar[Referer | None] = Referer.LOGIN_PAGE

    signature: Secret = ""

    def _marks(self) -> tuple[Pairs, Pairs]:
        signed = [
            ("pt_uistyle", "5"),
            ("js_type", "0"),
            ("js_ver", _JS_VERSION),
            ("login_sig", self.signature),
        ]
        return [("daid", DAID)], signed

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        plain = Login.decodeFields(form)
        return cls(
            plain.u,
            plain.p,
            plain.code,
            plain.status,
            plain.attempt,
            form.get("login_sig", ""),
        )


def _statusOf(code: str) -> Status:
    return Status.fromCode(int(code)) if _isSmall(code) else Status.ONLINE


def _isSmall(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


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

    host: ClassVar[Host] = Host.LANDING
    path: ClassVar[str] = "/check_sig"
    authorization: ClassVar[Authorization] = Authorization.NONE
    isIdempotent: ClassVar[bool] = True

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


class Login2(JSONCommand[SessionCredentials]):
    """
    Open a session, or relink to the session that the ticket still has
    (protocol.md 2.1.7 and 2.1.8).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/login2"
    authorization: ClassVar[Authorization] = Authorization.NONE
    referer: ClassVar[Referer | None] = Referer.LOGIN2
    timeout: ClassVar[float] = 60.0
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    status: Status = Status.ONLINE

    def encodeFields(self) -> Pairs:
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
        return cls(form.ticket, decodeOrMalformed(Status, status))

    @classmethod
    def encodeResult(cls, reply: SessionCredentials) -> Any:
        return {
            "uin": reply.uin,
            "cip": reply.cip,
            "index": reply.index,
            "port": reply.port,
            "status": reply.status.value,
            "vfwebqq": reply.vfwebqq,
            "psessionid": reply.psessionid,
            "user_state": 0,
            "f": 0,
        }

    @classmethod
    def decodeResult(cls, result: Any) -> SessionCredentials:
        psessionid, vfwebqq = result["psessionid"], result["vfwebqq"]
        if not (isinstance(psessionid, str) and isinstance(vfwebqq, str)):
            raise MalformedReply("the session has no ids")
        return SessionCredentials(
            uin=unsigned(result["uin"]),
            psessionid=psessionid,
            vfwebqq=vfwebqq,
            status=statusOf(result.get("status")),
            index=integer(result.get("index", 0)),
            port=integer(result.get("port", 0)),
            cip=integer(result.get("cip", 0)),
        )


class Logout2(OKCommand):
    """
    Close the session (protocol.md 2.1.10).

    @ivar ids: the ids of the messages shown since the last poll.
    @ivar ack: as in L{txwebqq.wire.commands.messages.Poll2}.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/logout2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    isIdempotent: ClassVar[bool] = True
    # A daemon has two seconds to stop.
    timeout: ClassVar[float] = 1.5

    ticket: Ticket
    ids: tuple[str, ...] = ()
    milliseconds: int = 0
    ack: int | None = None

    def encodeFields(self) -> Pairs:
        ack = [] if self.ack is None else [("ack", str(self.ack))]
        return [
            ("ids", ",".join(self.ids)),
            *ack,
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        ids = form.text("ids", "")
        shown = tuple(filter(None, ids.split(",")))
        ack = ackOf(form["ack"]) if "ack" in form else None
        return cls(form.ticket, shown, form.milliseconds, ack)
