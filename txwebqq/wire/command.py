"""
The shape of a Command: one HTTP exchange, its question and its answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from math import isfinite
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, cast

from txwebqq.wire.coerce import decodeOrMalformed, integer
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON

R = TypeVar("R")


class Host(Enum):
    """
    The roles of WebQQ's hosts, by their historical names (protocol.md 1.1).
    """

    CHECK = "check.ptlogin2.qq.com"
    CAPTCHA = "captcha.qq.com"
    LOGIN = "ptlogin2.qq.com"
    SECURE_LOGIN = "ssl.ptlogin2.qq.com"
    SECURE_CAPTCHA = "ssl.captcha.qq.com"
    LANDING = "ptlogin4.web2.qq.com"
    LOGIN_PAGE = "ui.ptlogin2.qq.com"
    CHANNEL = "d.web2.qq.com"
    API = "s.web2.qq.com"
    CGI = "cgi.web2.qq.com"
    PAGE = "webqq.qq.com"
    UPLOAD = "up.web2.qq.com"
    OFFLINE = "weboffline.ftn.qq.com"
    FILE = "file1.web.qq.com"
    AVATAR = "face1.qun.qq.com"


class Referer(StrEnum):
    """
    The pages that questions say they come from (protocol.md 1.5).
    """

    LOGIN_PAGE = (
        "https://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=5"
        "&mibao_css=m_webqq&appid=1003903&enable_qlogin=0&no_verifyimg=1"
        "&s_url=http%3A%2F%2Fweb2.qq.com%2Floginproxy.html&f_url=loginerroralert"
        "&strong_login=1&login_state=10&t=20130723001"
    )
    LOGIN2 = "http://d.web2.qq.com/proxy.html?v=20110331002&callback=2"
    CHANNEL = "http://d.web2.qq.com/proxy.html?v=20110331002&callback=1&id=3"
    API = "http://s.web2.qq.com/proxy.html?v=20110412001&callback=1&id=3"
    CGI = "http://cgi.web2.qq.com/proxy.html?v=20110412001&callback=1&id=1"
    PAGE = "http://webqq.qq.com/"


class Authorization(Enum):
    """
    The proof of a session that a request carries, and thereby the account that
    the server acts for.

    The server reads the parameters first and refuses a malformed request with
    code 100003, then finds the session by the rule of the command's member, and
    only then calls the handler. Below, a
    session is I{known by its ticket} when its C{psessionid} is that of a session
    that has not lapsed, and I{known by its verifier} when its C{vfwebqq} is that
    of a session, lapsed or not. The refusal I{for an ended session} is code 121
    with C{t} 0 when the id was never given out, is forgotten, or names a session
    that has lapsed; code 100 with the text for the user when another sign-on has
    replaced the session, and code 100 C{"logged out"} after a logout
    (protocol.md 6).

    @cvar NONE: no proof; the handler is given no session. L{Login2} and the
        sign-on read what they need of the ticket and the cookies themselves.
    @cvar TICKET: the session must be known by its ticket, else the request is
        refused as for an ended session. A poll is the exception: the reply to
        it is delayed, and its first reply after another sign-on is a
        C{kick_message} (protocol.md 5.6).
    @cvar VERIFIER: the session must be known by its verifier, else the request
        is refused with code 100000 C{"vfwebqq is not valid"}, also after the
        session has ended.
    @cvar TICKET_OR_VERIFIER: the session is known by its ticket, or else by its
        verifier; known by neither, the request is refused as for an ended
        session, by its C{psessionid}.
    @cvar VERIFIER_OR_COOKIE: the session is known by its verifier, or else,
        also with a verifier that is wrong, by the cookie C{ptwebqq} of a
        sign-on that has a session; known by neither, the request is refused as
        for an ended session, by its C{vfwebqq}. L{CfaceUpload} has a reply of
        its own for that.
    @cvar VERIFIER_OR_LONE_COOKIE: as L{VERIFIER_OR_COOKIE}, but the cookie is
        looked at only when the request carries no verifier at all; the refusal
        is that of L{VERIFIER}.
    @cvar LOGIN_COOKIES: the cookies C{uin} and C{skey} must be those of one
        login, of a session or of a login that no C{login2} has followed yet;
        else the request is refused with code 100000 C{"the cookies uin and skey
        are not of one login"}. There may be no session, so the handler is given
        the account's number and the login's C{vfwebqq}.
    """

    NONE = "none"
    TICKET = "psessionid"
    VERIFIER = "vfwebqq"
    TICKET_OR_VERIFIER = "psessionid or vfwebqq"
    VERIFIER_OR_COOKIE = "vfwebqq or ptwebqq"
    VERIFIER_OR_LONE_COOKIE = "vfwebqq or ptwebqq alone"
    LOGIN_COOKIES = "uin and skey"


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    An answer with another C{retcode} than 0 (protocol.md 6).

    @ivar errmsg: the server's words, nearly always C{""}.
    @ivar seconds: how long to wait, C{t} on the wire; L{None} if unsaid.
    @ivar ptwebqq: the new ticket of code 116, C{p} on the wire.
    """

    retcode: int
    errmsg: str = ""
    seconds: float | None = None
    ptwebqq: str | None = field(default=None, repr=False)


class Command(ABC, Generic[R]):
    """
    One HTTP exchange: a frozen dataclass of what is asked.

    The client uses C{encodeFields} and C{decodeReply}, the server the other
    two. Decoders return a value or raise L{MalformedReply}.

    @cvar method: C{GET} sends the fields in the query, C{POST} as a form.
    @cvar scheme: C{http}, where later clients do not insist on more.
    @cvar path: what decides on the server; C{aliases} are accepted too.
    @cvar authorization: the proof of a session that a request has to carry.
    @cvar timeout: the seconds a client waits for the answer.
    @cvar isRepeated: whether it is asked over and over, and worth a connection
        of its own.
    """

    method: ClassVar[Literal["GET", "POST"]] = "GET"
    scheme: ClassVar[Literal["http", "https"]] = "http"
    host: ClassVar[Host]
    path: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    authorization: ClassVar[Authorization]
    referer: ClassVar[Referer | None] = None
    timeout: ClassVar[float] = 30.0
    isRepeated: ClassVar[bool] = False

    @property
    def url(self) -> str:
        """
        Where the question goes, on the historical hosts, without its query.
        """
        return f"{self.scheme}://{self.host.value}{self.path}"

    @abstractmethod
    def encodeFields(self) -> Pairs:
        """
        The parameters of the question, in the order of protocol.md.
        """

    @classmethod
    @abstractmethod
    def decodeFields(cls, form: Form) -> Self:
        """
        The question with these parameters.
        """

    @classmethod
    @abstractmethod
    def encodeReply(cls, reply: R | Refusal) -> bytes:
        """
        The body that answers with this.
        """

    @classmethod
    @abstractmethod
    def decodeReply(cls, body: bytes) -> R | Refusal:
        """
        What a body answers.
        """


class JSONCommand(Command[R]):
    """
    An exchange answered by C{{"retcode":N,"result":...}} (protocol.md 1.4).
    """

    @classmethod
    @abstractmethod
    def encodeResult(cls, reply: R) -> Any:
        """
        The C{result} of a success.
        """

    @classmethod
    @abstractmethod
    def decodeResult(cls, result: Any) -> R:
        """
        The reply that a C{result} holds; what it raises for a wrong shape
        becomes L{MalformedReply}.
        """

    @classmethod
    def encodeReply(cls, reply: R | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        return encodeJSON({"retcode": 0, "result": cls.encodeResult(reply)}).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> R | Refusal:
        return decodeAnswer(body, cls.decodeResult)


def decodeAnswer(body: bytes, decodeResult: Callable[[Any], R]) -> R | Refusal:
    """
    What the JSON of an answer says.
    """
    value = parseJSON(body)
    refusal = decodeOrMalformed(refusalOf, value)
    return (
        decodeOrMalformed(decodeResult, value.get("result"))
        if refusal is None
        else refusal
    )


_OK = b'{"retcode":0,"result":"ok"}'


class OKCommand(JSONCommand[None]):
    """
    An exchange whose success says no more than C{"ok"}.
    """

    @classmethod
    def encodeReply(cls, reply: None | Refusal) -> bytes:
        return _OK if reply is None else encodeRefusal(reply)

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return "ok"

    @classmethod
    def decodeResult(cls, result: Any) -> None:
        return None


def encodeRefusal(refusal: Refusal) -> bytes:
    """
    The body of a refusal; C{errmsg} gives way to C{t} or C{p}.
    """
    value: dict[str, Any] = {"retcode": refusal.retcode}
    if refusal.seconds is not None:
        value["t"] = f"{refusal.seconds:g}"
    if refusal.ptwebqq is not None:
        value["p"] = refusal.ptwebqq
    if len(value) == 1 or refusal.errmsg:
        value["errmsg"] = refusal.errmsg
    return encodeJSON(value).encode()


def decodeRefusal(body: bytes) -> Refusal | None:
    """
    The refusal that stands where an answer is no JSON otherwise.
    """
    if not body.startswith(b"{"):
        return None
    return decodeOrMalformed(refusalOf, parseJSON(body))


def refusalOf(value: Any) -> Refusal | None:
    """
    The refusal that a JSON answer is, L{None} for a success.
    """
    retcode = integer(value["retcode"])
    if retcode == 0:
        return None
    errmsg, seconds, pushed = value.get("errmsg"), value.get("t"), value.get("p")
    return Refusal(
        retcode,
        errmsg=errmsg if isinstance(errmsg, str) else "",
        seconds=None if seconds is None else _seconds(seconds),
        ptwebqq=pushed if isinstance(pushed, str) else None,
    )


def _seconds(value: Any) -> float | None:
    # Whatever else stands there, a wait of that kind is no wait.
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), 3600.0) if isfinite(seconds) else None


def postFields(members: Mapping[str, Any], ticket: Ticket) -> Pairs:
    """
    The form of a channel C{POST}: C{r}, then the ids once more.
    """
    return [
        ("r", encodeJSON(members)),
        ("clientid", ticket.clientid),
        ("psessionid", ticket.psessionid or "null"),
    ]


def apiForm(members: Mapping[str, Any], ticket: Ticket) -> Pairs:
    """
    The form of an API C{POST}: C{r}, with what authorises it inside.
    """
    return [("r", encodeJSON({**members, "vfwebqq": ticket.vfwebqq}))]


def channelQuery(ticket: Ticket, milliseconds: int) -> Pairs:
    """
    What ends the query of a channel C{GET}.
    """
    return [
        ("clientid", ticket.clientid),
        ("psessionid", ticket.psessionid),
        ("t", str(milliseconds)),
    ]


def apiQuery(ticket: Ticket, milliseconds: int) -> Pairs:
    """
    What ends the query of an API C{GET}.
    """
    return [("vfwebqq", ticket.vfwebqq), ("t", str(milliseconds))]


C = TypeVar("C", bound="Command[Any]")


def withTimestamp(command: C, milliseconds: int) -> C:
    """
    A command with the time of its sending, if it carries one.
    """
    if getattr(command, "milliseconds", None) != 0:
        return command
    return replace(cast(Any, command), milliseconds=milliseconds)  # type: ignore[no-any-return]
