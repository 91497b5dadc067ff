"""
The shape of a Command: one HTTP exchange, its question and its answer.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, cast
from urllib.parse import quote, unquote_to_bytes

from txwebqq.errors import MalformedReply
from txwebqq.model import Status
from txwebqq.wire.jsontext import encodeJSON, parseJSON, parseJSONPrefix

R = TypeVar("R")
D = TypeVar("D")

Pairs = list[tuple[str, str]]
"""The parameters of a question, in the order in which they are sent."""


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


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    What the server knows a session by; an exchange carries what it needs.

    @ivar clientid: ours, one for each run.
    @ivar psessionid: the live channel session, C{""} before there is one.
    @ivar vfwebqq: what the API server authorises look-ups by.
    @ivar ptwebqq: the sign-on itself, also a cookie.
    """

    clientid: str = ""
    psessionid: str = field(default="", repr=False)
    vfwebqq: str = field(default="", repr=False)
    ptwebqq: str = field(default="", repr=False)


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


# ---- JSON


MISSHAPEN = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What decoders run into where JSON has another shape than they expect."""


def guarded(decode: Callable[..., D], *args: Any) -> D:
    """
    What a decoder makes of its arguments.

    @raise MalformedReply: when they do not have the shape that it expects.
    """
    try:
        return decode(*args)
    except MISSHAPEN as e:
        raise MalformedReply(f"unexpected shape: {type(e).__name__}") from e


LIMIT = 2**63
"""One more than the largest number on the wire: what databases can hold."""


def natural(value: Any) -> Any:
    """
    A number from JSON that names something, counts or tells a time; clients
    and servers write some of them as text. Typed to fit every kind of id.
    """
    if type(value) is int and 0 <= value < LIMIT:
        return value
    number = int(value)
    if not 0 <= number < LIMIT:
        raise ValueError("a number out of range")
    return number


def integer(value: Any) -> int:
    """
    Any number from JSON, be it written as text.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value
    number = int(value)
    if not -LIMIT < number < LIMIT:
        raise ValueError("a number out of range")
    return number


def textOf(value: Any) -> str:
    """
    A text from JSON; nothing and numbers stand there for some.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise TypeError("no text")
    return str(value)


_STATUSES = {status.value: status for status in Status}


def statusOf(word: Any) -> Status:
    """
    The presence that a word means; words of other times mean online.
    """
    return _STATUSES.get(textOf(word), Status.ONLINE)


# ---- fields


_SAFE = "!'()*~"
_UNSAFE = re.compile("[^A-Za-z0-9_.!'()*~-]")
# The percent sign comes first, for it stands in all the others.
_ESCAPES = [
    (character, quote(character, safe=_SAFE))
    for character in sorted(map(chr, range(128)), key=lambda c: c != "%")
    if _UNSAFE.match(character) is not None
]


def percentEncode(value: str) -> str:
    """
    A value as the browser's C{encodeURIComponent} writes it.
    """
    if _UNSAFE.search(value) is None:
        return value
    if not value.isascii():
        return quote(value, safe=_SAFE)
    # JSON has many of a few; character by character takes four times as long.
    for character, escape in _ESCAPES:
        if character in value:
            value = value.replace(character, escape)
    return value


def encodeForm(pairs: Iterable[tuple[str, str]]) -> bytes:
    """
    A query or a form body, in the given order.
    """
    return "&".join(
        f"{percentEncode(name)}={percentEncode(value)}" for name, value in pairs
    ).encode("ascii")


# What most of the escapes in JSON are; that of the percent sign is not here,
# for it may stand before two digits.
_FREQUENT = [
    (quote(character, safe="").encode(), character.encode())
    for character in '":,{}[] \\='
]
_NO_ESCAPE = re.compile(b"%(?![0-9A-Fa-f]{2})")


def _percentDecode(raw: bytes) -> str:
    if b"%" not in raw and b"+" not in raw and raw.isascii():
        return raw.decode("ascii")
    data = raw.replace(b"+", b" ")
    if _NO_ESCAPE.search(data) is None:
        # One by one takes three times as long.
        for escape, character in _FREQUENT:
            data = data.replace(escape, character)
    data = unquote_to_bytes(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        # Desktop-era clients wrote file names in the Chinese code page.
        return data.decode("gb18030")
    except UnicodeDecodeError as e:
        raise MalformedReply("a field is neither UTF-8 nor GB18030") from e


_RAW = re.compile(rb"(?:^|&)r=\s*(?=[\{\[])")


def _splitRaw(body: bytes) -> tuple[bytes, str | None]:
    """
    Take an C{r} that was not percent-encoded out of a form.

    @return: the rest of the form, and the JSON text or L{None}.
    """
    found = _RAW.search(body) if b"{" in body or b"[" in body else None
    if found is None:
        return body, None
    tail = body[found.end() :].decode("utf-8", "replace").strip()
    try:
        _, rest = parseJSONPrefix(tail)
    except MalformedReply:
        # Only the brackets were left unencoded.
        return body, None
    raw = tail[: len(tail) - len(rest)]
    return body[: found.start()] + b"&" + rest.lstrip("&").encode(), raw


class Fields(Mapping[str, str]):
    """
    The parameters of a question as the server sees them.

    Reading a field that is missing or has the wrong form raises
    L{MalformedReply} with the field's name.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            self._fields.setdefault(name, value)

    @classmethod
    def parse(cls, query: bytes, body: bytes = b"") -> Fields:
        """
        Read a query and a form body as leniently as WebQQ's clients need
        (compatibility.md 2): C{r} encoded or raw, with other fields inside
        it or beside it.

        @raise MalformedReply: when a field is text in no known encoding.
        """
        body, raw = _splitRaw(body)
        pairs: Pairs = [] if raw is None else [("r", raw)]
        parts = body.strip().split(b"&")
        if query:
            parts += query.split(b"&")
        for part in parts:
            name, _, value = part.partition(b"=")
            if name.isalnum():
                # ASCII, as nearly all are.
                pairs.append((name.decode("ascii"), _percentDecode(value)))
            elif name:
                pairs.append((_percentDecode(name), _percentDecode(value)))
        return cls(pairs)

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @cached_property
    def r(self) -> Mapping[str, Any]:
        """
        The members of C{r}, and what stands behind its JSON.

        @raise MalformedReply: when there is an C{r} that is no JSON object.
        """
        text = self._fields.get("r")
        if text is None:
            return {}
        value, rest = parseJSONPrefix(text)
        if not isinstance(value, dict):
            raise MalformedReply("r is not a JSON object")
        for part in rest.split("&"):
            name, _, inner = part.partition("=")
            if name.strip():
                value.setdefault(name.strip(), inner)
        return value

    def raw(self, name: str) -> Any:
        """
        A parameter from C{r} or beside it, as JSON gave it; else L{None}.
        """
        value = self.r.get(name)
        return self._fields.get(name) if value is None else value

    def text(self, name: str, default: str | None = None) -> str:
        """
        A parameter as text.
        """
        value = self.raw(name)
        if value is None or isinstance(value, (dict, list, bool)):
            if default is not None:
                return default
            raise MalformedReply(f"{name} is missing")
        return textOf(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """
        A parameter as a number, whether it was sent as one or as text.
        """
        value = self.raw(name)
        if value is None or value == "":
            if default is not None:
                return default
            raise MalformedReply(f"{name} is missing")
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError) as e:
            raise MalformedReply(f"{name} is not a number") from e
        if not -LIMIT < number < LIMIT:
            raise MalformedReply(f"{name} is out of range")
        return number

    @property
    def milliseconds(self) -> int:
        """
        The cache buster C{t}; clients send all kinds of numbers there.
        """
        try:
            return int(natural(float(self.text("t", "0"))))
        except (ValueError, OverflowError):
            return 0

    @property
    def ticket(self) -> Ticket:
        """
        Whatever part of a ticket the question carries.
        """
        psessionid = self.text("psessionid", "")
        return Ticket(
            clientid=self.text("clientid", ""),
            psessionid="" if psessionid == "null" else psessionid,
            vfwebqq=self.text("vfwebqq", ""),
            ptwebqq=self.text("ptwebqq", ""),
        )


# ---- commands


class Command(ABC, Generic[R]):
    """
    One HTTP exchange: a frozen dataclass of what is asked.

    The client uses C{encodeFields} and C{decodeReply}, the server the other
    two. Decoders return a value or raise L{MalformedReply}.

    @cvar method: C{GET} sends the fields in the query, C{POST} as a form.
    @cvar scheme: C{http}, where later clients do not insist on more.
    @cvar path: what decides on the server; C{aliases} are accepted too.
    @cvar patience: the seconds a client waits for the answer.
    @cvar isRepeated: whether it is asked over and over, and worth a connection
        of its own.
    """

    method: ClassVar[Literal["GET", "POST"]] = "GET"
    scheme: ClassVar[Literal["http", "https"]] = "http"
    host: ClassVar[Host]
    path: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    referer: ClassVar[Referer | None] = None
    patience: ClassVar[float] = 30.0
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
    def decodeFields(cls, fields: Fields) -> Self:
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
    refusal = guarded(refusalOf, value)
    return guarded(decodeResult, value.get("result")) if refusal is None else refusal


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
    return guarded(refusalOf, parseJSON(body))


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


def stamped(command: C, milliseconds: int) -> C:
    """
    A command with the time of its sending, if it carries one.
    """
    if getattr(command, "milliseconds", None) != 0:
        return command
    return replace(cast(Any, command), milliseconds=milliseconds)  # type: ignore[no-any-return]
