"""
The base classes of commands: one HTTP exchange each, with its request and its
reply.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from enum import Enum, StrEnum
from math import isfinite
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Self,
    TypeVar,
)

from msgspec import StructMeta
from msgspec.structs import replace

from txwebqq.model import Sent
from txwebqq.values import SECRET, Value
from txwebqq.wire.coerce import integer, unsigned
from txwebqq.wire.form import Form, Pairs, encodeForm
from txwebqq.wire.jsontext import encodeJSON, encodeUnescapedJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.record import Record

R = TypeVar("R")


class Host(Enum):
    """
    The roles of Tencent's hosts, with their historical names (protocol.md 1.1).
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
    The pages that requests name as their C{Referer} (protocol.md 1.5).
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
    The proof of a session that a request carries, and by which the server finds the
    account to act for.

    The server reads the parameters first and refuses a malformed request with code
    100003, then finds the session by the rule of the command, and only then calls
    the handler. Below, a session is I{known by its ticket} when C{psessionid} is
    that of a session that has not lapsed, and I{known by its verifier} when
    C{vfwebqq} is that of a session, lapsed or not. The refusal I{for an ended
    session} is code 121 with C{t} 0 when the id was never given out, is forgotten,
    or is that of a lapsed session; code 100 with a text for the user when another
    sign-on has replaced the session; code 100 C{"logged out"} after a logout
    (protocol.md 6).

    @cvar NONE: no proof; the handler is given no session. L{Login2} and the commands
        before it read the ticket and the cookies themselves.
    @cvar TICKET: the session must be known by its ticket, else the request is
        refused as for an ended session. A poll is the exception: the server delays
        its refusal, and the first poll after another sign-on is answered with a
        C{kick_message} instead (protocol.md 5.6).
    @cvar VERIFIER: the session must be known by its verifier, else the request is
        refused with code 100000 C{"vfwebqq is not valid"}, also after the session
        has ended.
    @cvar TICKET_OR_VERIFIER: the session must be known by its ticket or else by its
        verifier, else the request is refused as for an ended session, by its
        C{psessionid}.
    @cvar VERIFIER_OR_COOKIE: the session must be known by its verifier, or else,
        also with an invalid verifier, by the cookie C{ptwebqq} of a sign-on that has
        a session; else the request is refused as for an ended session, by its
        C{vfwebqq}. L{CfaceUpload} has its own reply for that. The cookie alone is not
        enough for a command with the method C{POST} that is sent as a C{GET} or from
        a page of another site.
    @cvar VERIFIER_OR_LONE_COOKIE: as L{VERIFIER_OR_COOKIE}, but the cookie counts
        only when the request carries no verifier; the refusal is that of
        L{VERIFIER}.
    @cvar LOGIN_COOKIES: the cookies C{uin} and C{skey} must be those of one login,
        either of a session or of a login that no C{login2} has followed yet; else
        the request is refused with code 100000 C{"the cookies uin and skey are not
        of one login"}. There may be no session, so the handler is given the number
        of the account and the C{vfwebqq} of the login.
    """

    NONE = "none"
    TICKET = "psessionid"
    VERIFIER = "vfwebqq"
    TICKET_OR_VERIFIER = "psessionid or vfwebqq"
    VERIFIER_OR_COOKIE = "vfwebqq or ptwebqq"
    VERIFIER_OR_LONE_COOKIE = "vfwebqq or ptwebqq alone"
    LOGIN_COOKIES = "uin and skey"


class Refusal(Value):
    """
    A reply with another C{retcode} than 0 (protocol.md 6).

    @ivar errmsg: the server's text, nearly always C{""}.
    @ivar seconds: how long to wait, C{t} on the wire; L{None} if not sent.
    @ivar ptwebqq: the new ticket of code 116, C{p} on the wire.
    """

    retcode: int
    errmsg: str = ""
    seconds: float | None = None
    ptwebqq: Annotated[str | None, SECRET] = None

    @property
    def reason(self) -> str:
        """
        The server's text, if there is one, and the code.
        """
        return withCode(self.errmsg, f"retcode {self.retcode}")


MAX_SERVER_TEXT = 200
"""Maximum length of a server's text in an error or a log line."""


def printable(text: str) -> str:
    """
    Return a server's text for an error or a log line: on one line, of limited
    length, without control characters.
    """
    line = " ".join(text.split())
    return "".join(c for c in line if c.isprintable())[:MAX_SERVER_TEXT]


def withCode(text: str, code: str) -> str:
    """
    Return a server's text with the code that it came with, or the code alone.
    """
    line = printable(text)
    return f"{line} ({code})" if line else code


class _CommandMeta(StructMeta, ABCMeta):
    """
    The metaclass of commands, which are values and have abstract methods.
    """


class Command(Value, Generic[R], metaclass=_CommandMeta):
    """
    Base of all commands: a value with the parameters of a request, and the codecs of
    request and reply.

    The client uses C{encodeFields} and C{decodeReply}, the server the other two.
    Decoders return a value or raise L{MalformedReply}.

    @cvar method: C{GET} sends the fields in the query, C{POST} as a form.
    @cvar scheme: C{https} where later clients insist on it.
    @cvar path: the path by which the server finds the command; it accepts
        C{aliases} too.
    @cvar authorization: the proof of a session that a request has to carry.
    @cvar timeout: how long a client waits for the reply, in seconds.
    @cvar isRepeated: whether a client sends the command all the time, as the poll.
    @cvar isPage: whether the reply is a page of HTML or a redirect, from any server.
    @cvar isIdempotent: whether the request may be sent a second time when the first
        one may have reached the server: it only reads, or sets what it set before.
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
    isPage: ClassVar[bool] = False
    isIdempotent: ClassVar[bool] = False

    @property
    def url(self) -> str:
        """
        The URL of the request on the historical hosts, without its query.
        """
        return f"{self.scheme}://{self.host.value}{self.path}"

    @property
    def endpointName(self) -> str:
        """
        The last part of the path, by which log lines name the request.
        """
        return self.path.rstrip("/").rpartition("/")[2]

    @abstractmethod
    def encodeFields(self) -> Pairs:
        """
        Return the parameters of the request, in the order of protocol.md.
        """

    def encodeForm(self) -> bytes:
        """
        Return the query or the body of the request.
        """
        return encodeForm(self.encodeFields())

    @classmethod
    @abstractmethod
    def decodeFields(cls, form: Form) -> Self:
        """
        Make the command of the parameters of a request.
        """

    @classmethod
    @abstractmethod
    def encodeReply(cls, reply: R | Refusal) -> bytes:
        """
        Return the body of a reply.
        """

    @classmethod
    @abstractmethod
    def decodeReply(cls, body: bytes) -> R | Refusal:
        """
        Return the reply of a body.
        """


class JSONCommand(Command[R]):
    """
    A command with a reply of C{{"retcode":N,"result":...}} (protocol.md 1.4).

    @cvar result: how the C{result} of a successful reply is written and read; a
        command whose C{result} is no simple object overrides the two methods.
    """

    result: ClassVar[Record[Any]]

    @classmethod
    def encodeResult(cls, reply: R) -> Any:
        """
        Return the C{result} of a successful reply.
        """
        return cls.result.write(reply)

    @classmethod
    def decodeResult(cls, result: Any) -> R:
        """
        Return the reply of a C{result}. One of L{SHAPE_ERRORS} that this raises
        becomes L{MalformedReply}.
        """
        reply: R = cls.result.read(result)
        return reply

    @classmethod
    def encodeReply(cls, reply: R | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        value = {"retcode": 0, "result": cls.encodeResult(reply)}
        if cls.host is Host.API:
            # Some clients show the escapes in the names of their lists.
            return encodeUnescapedJSON(value)
        return encodeJSON(value).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> R | Refusal:
        return decodeJSONReply(body, cls.decodeResult)


def decodeJSONReply(body: bytes, decodeResult: Callable[[Any], R]) -> R | Refusal:
    """
    Decode the body of a reply in JSON.
    """
    value = parseJSON(body)
    refusal = decodeOrMalformed(refusalOf, value)
    return (
        decodeOrMalformed(decodeResult, value.get("result"))
        if refusal is None
        else refusal
    )


_OK = b'{"retcode":0,"result":"ok"}'


class OKReply:
    """
    The reply of commands with the C{result} C{"ok"}; other results are ignored. It
    stands before the base class of the command.
    """

    __slots__ = ()

    @classmethod
    def encodeReply(cls, reply: None | Refusal) -> bytes:
        return _OK if reply is None else encodeRefusal(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        return decodeJSONReply(body, lambda result: None)


class SentReply:
    """
    The reply of commands that send a message: as L{OKReply}, and with the members
    C{msg_id2} and C{time} beside C{result}, which other servers do not send and other
    clients do not look at.
    """

    __slots__ = ()

    @classmethod
    def encodeReply(cls, reply: Sent | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        if not reply.messageId:
            return _OK
        return b'{"retcode":0,"result":"ok","msg_id2":%d,"time":%d}' % (
            reply.messageId,
            reply.time,
        )

    @classmethod
    def decodeReply(cls, body: bytes) -> Sent | Refusal:
        accepted = decodeJSONReply(body, lambda result: None)
        return _sentIn(body) if accepted is None else accepted


def _sentIn(body: bytes) -> Sent:
    value = parseJSON(body)
    try:
        return Sent(unsigned(value.get("msg_id2", 0)), unsigned(value.get("time", 0)))
    except ValueError:
        # The message was accepted, also if the rest of the reply is not readable.
        return Sent()


def encodeRefusal(refusal: Refusal) -> bytes:
    """
    Return the body of a refusal; C{errmsg} is left out beside C{t} or C{p}.
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
    Return the refusal in a body, for commands whose other replies are not JSON;
    L{None} for any other body.
    """
    if not body.startswith(b"{"):
        return None
    return decodeOrMalformed(refusalOf, parseJSON(body))


def refusalOf(value: Any) -> Refusal | None:
    """
    Return the refusal in a JSON reply, L{None} for a success.
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
    # Servers have sent other values, which are not times.
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), 3600.0) if isfinite(seconds) else None


C = TypeVar("C", bound="Command[Any]")


def withTimestamp(command: C, milliseconds: int) -> C:
    """
    Return a command with the time at which it is sent, if it has such a field.
    """
    if getattr(command, "milliseconds", None) != 0:
        return command
    return replace(command, milliseconds=milliseconds)
