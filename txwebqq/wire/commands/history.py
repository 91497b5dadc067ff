"""
History of friends, groups and discussions (protocol.md 2.8.2).
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import AddressValueError, IPv4Address
from typing import Any, ClassVar, Self

from txwebqq.errors import MalformedReply
from txwebqq.faces import faceAt, indexOf
from txwebqq.model import (
    Code,
    Content,
    CustomFace,
    Did,
    Face,
    Font,
    GroupPicture,
    HistoryDay,
    HistoryStretch,
    OfflinePicture,
    PastMessage,
    Segment,
    Text,
    Uin,
)
from txwebqq.values import Value
from txwebqq.wire.coerce import (
    decodeEach,
    integer,
    listIn,
    textOf,
    unsigned,
)
from txwebqq.wire.command import (
    Authorization,
    Command,
    Host,
    JSONCommand,
    Referer,
    Refusal,
    apiQuery,
    decodeRefusal,
    encodeRefusal,
)
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import decodeText, encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed

NO_HISTORY = 5555
"""The retcode for an empty history."""

VIEWER = "alloy.app.chatLogViewer.renderChatLog"
"""The function of the page to which the reply is passed."""

SENT, RECEIVED = 16, 17

DISCUSSION_LOG = 2
"""The C{ty} of a discussion's history; other values mean a group's."""

_PLAIN = Font()

_CALL = re.compile(r"\s*+([A-Za-z_$][\w$.]{0,99})\s*+\((.*)\)\s*+;?\s*+", re.DOTALL)
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
# A string, or a key without quotes. An open string ends with the text, so that
# the search takes linear time.
_KEY = re.compile(
    r'"(?:[^"\\]++|\\.?)*+"?|(?P<before>[{,]\s*+)(?P<key>[A-Za-z_]\w*+)\s*+:',
    re.DOTALL,
)


class ChatLine(Value):
    """
    A message in the history of a friend.

    @ivar mine: whether we have sent the message.
    @ivar sequence: the running number of the message.
    """

    mine: bool
    time: int
    content: Content
    sequence: int = 0


class ChatLog(Value):
    """
    A page of the history of a friend.

    @ivar page: the page number; page 1 is the oldest.
    @ivar pages: the number of pages, C{total} on the wire.
    @ivar lines: the oldest first.
    @ivar callback: the function to which the reply is passed.
    """

    uin: Uin
    page: int
    pages: int
    lines: tuple[ChatLine, ...]
    callback: str = VIEWER


class GetChatLog(Command[ChatLog]):
    """
    Fetch a page of the history of a friend.

    @ivar page: the page number; 0 for the newest page.
    @ivar rows: the number of messages on a page.
    """

    host: ClassVar[Host] = Host.PAGE
    path: ClassVar[str] = "/cgi-bin/webqq_chat/"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    aliases: ClassVar[tuple[str, ...]] = ("/cgi-bin/webqq_chat",)
    referer: ClassVar[Referer | None] = Referer.PAGE
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uin: Uin
    page: int = 0
    rows: int = 30
    callback: str = VIEWER
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("cmd", "1"),
            ("tuin", str(self.uin)),
            ("vfwebqq", self.ticket.vfwebqq),
            ("page", str(self.page)),
            ("row", str(self.rows)),
            ("callback", self.callback),
            ("t", str(self.milliseconds)),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        if form.text("cmd", "1") != "1":
            raise MalformedReply("cmd is not 1")
        callback = form.text("callback", VIEWER)
        if _CALLBACK.fullmatch(callback) is None:
            raise MalformedReply("callback is not the name of a function")
        return cls(
            form.ticket,
            Uin(form.integer("tuin")),
            form.integer("page", 0),
            form.integer("row", 30),
            callback,
            form.milliseconds,
        )

    @classmethod
    def encodeReply(cls, reply: ChatLog | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        # Clients search for these names without quotes, in this order.
        lines = ",".join(
            f"{{ver:3,cmd:{SENT if line.mine else RECEIVED},seq:{line.sequence},"
            f"time:{line.time},type:1,msg:{encodeJSON(_elements(line.content))} }}"
            for line in reply.lines
        )
        return (
            f"{reply.callback}({{ret:0,tuin:{reply.uin},page:{reply.page},"
            f"total:{reply.pages},chatlogs:[{lines}]}});"
        ).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> ChatLog | Refusal:
        refusal = decodeRefusal(body)
        if refusal is not None:
            return refusal
        found = _CALL.fullmatch(decodeText(body))
        if found is None:
            raise MalformedReply("not a call")
        return decodeOrMalformed(
            _decodeLog, parseJSON(_KEY.sub(_quoted, found[2])), found[1]
        )


def _quoted(found: re.Match[str]) -> str:
    key = found["key"]
    return found[0] if key is None else f'{found["before"]}"{key}":'


def _decodeLog(value: Any, callback: str) -> ChatLog | Refusal:
    ret = integer(value["ret"])
    if ret != 0:
        return Refusal(ret)
    return ChatLog(
        unsigned(value["tuin"]),
        unsigned(value["page"]),
        unsigned(value["total"]),
        tuple(decodeEach(_decodeLine, value.get("chatlogs"))),
        callback,
    )


def _decodeLine(line: Any) -> ChatLine:
    return ChatLine(
        integer(line["cmd"]) == SENT,
        unsigned(line["time"]),
        decodeReceived([*line["msg"], " "])[0],
        unsigned(line.get("seq", 0)),
    )


def _elements(content: Content) -> list[Any]:
    """
    Return the elements of a content, without a font and without padding.
    """
    elements = encodeReceived(content, _PLAIN)[1:]
    last = elements[-1][:-1]
    return [*elements[:-1], last] if last else elements[:-1]


def _item(segment: Segment) -> dict[str, Any] | None:
    match segment:
        case Text(text):
            return {"v": text, "t": 0}
        case Face(number):
            # Only here, faces have the number of their picture for an id.
            index = indexOf(number)
            return {"v": str(number if index is None else index), "t": 1}
        case GroupPicture(name, fileId, _, server):
            host, _, port = server.partition(":")
            try:
                address = int(IPv4Address(host))
            except AddressValueError:
                address = 0
            isPort = port.isascii() and port.isdigit()
            return {
                "v": name,
                "t": 2,
                "fid": fileId,
                "ip": address,
                "port": int(port) if isPort else 0,
            }
        case CustomFace(name) | OfflinePicture(_, name):
            return {"v": name, "t": 2, "fid": 0, "ip": 0, "port": 0}
    return None


def _segment(item: Any) -> Segment:
    kind, value = integer(item["t"]), textOf(item["v"])
    if kind == 1:
        index = unsigned(value)
        return faceAt(index) or Face(index)
    if kind != 2:
        return Text(value)
    address, port = unsigned(item.get("ip", 0)), unsigned(item.get("port", 0))
    server = f"{IPv4Address(address)}:{port}" if 0 < address < 2**32 else ""
    return GroupPicture(value, unsigned(item.get("fid", 0)), server=server)


class _LogCommand(JSONCommand[HistoryStretch]):
    """
    Base of commands that fetch messages of a group or a discussion.
    """

    host: ClassVar[Host] = Host.CGI
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.CGI
    isIdempotent: ClassVar[bool] = True

    @classmethod
    def encodeResult(cls, reply: HistoryStretch) -> Any:
        lines = [
            {
                "u": message.sender,
                "t": message.time,
                "seq": message.sequence,
                "il": [item for s in message.content if (item := _item(s)) is not None],
            }
            for message in reply.messages
        ]
        log = {"g": reply.place, "bs": reply.first, "es": reply.last, "cl": lines}
        return {"time": reply.time, "data": {"cl": [log]}}

    @classmethod
    def decodeResult(cls, result: Any) -> HistoryStretch:
        time = unsigned(result.get("time", 0))
        data = result.get("data")
        logs = data["cl"] if data else ()
        if not logs:
            return HistoryStretch((), time=time)
        log = logs[0]
        return HistoryStretch(
            tuple(decodeEach(_decodePast, log["cl"])),
            unsigned(log.get("bs", 0)),
            unsigned(log.get("es", 0)),
            unsigned(log.get("g", 0)),
            time,
        )


def _decodePast(line: Any) -> PastMessage:
    return PastMessage(
        unsigned(line["u"]),
        unsigned(line["t"]),
        tuple(map(_segment, line["il"])),
        unsigned(line.get("seq", 0)),
    )


class HistoryRange(Value):
    """
    The range of messages to fetch.

    @ivar count: the maximum number of messages.
    @ivar first: the lowest running number, and C{last} the highest; 0 for no limit.
    @ivar backwards: whether to fetch the newest messages of the range, or the
        oldest, when it has more than C{count}.
    """

    count: int = 10
    first: int = 0
    last: int = 0
    backwards: bool = True

    def encode(self) -> Pairs:
        """
        Return the parameters of the range.
        """
        return [
            ("ps", str(self.count)),
            ("bs", str(self.first)),
            ("es", str(self.last)),
        ]

    @property
    def mode(self) -> str:
        """
        The parameter C{mode}, the direction.
        """
        return "1" if self.backwards else "2"

    @classmethod
    def decode(cls, form: Form) -> Self:
        """
        Return the range in a request.
        """
        return cls(
            form.integer("ps", 10),
            form.integer("bs", 0),
            form.integer("es", 0),
            form.integer("mode", 1) != 2,
        )


class GroupChatLog(_LogCommand):
    """
    Fetch messages of a group.
    """

    path: ClassVar[str] = "/keycgi/top/groupchatlog"

    ticket: Ticket
    code: Code
    range: HistoryRange = HistoryRange()
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            *self.range.encode(),
            ("gid", str(self.code)),
            ("mode", self.range.mode),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Code(form.integer("gid")),
            HistoryRange.decode(form),
            form.milliseconds,
        )


class GetOnePage(_LogCommand):
    """
    Fetch messages of a discussion; without C{ty=2}, of a group.
    """

    path: ClassVar[str] = "/cgi/top/get_one_page"
    aliases: ClassVar[tuple[str, ...]] = ("/keycgi/top/get_one_page",)

    ticket: Ticket
    did: Did
    range: HistoryRange = HistoryRange()
    kind: int = DISCUSSION_LOG
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("ty", str(self.kind)),
            *self.range.encode(),
            ("gid", str(self.did)),
            ("mode", self.range.mode),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        # No capture has the name of this parameter.
        did = form.integer("did", 0) or form.integer("gid")
        return cls(
            form.ticket,
            Did(did),
            HistoryRange.decode(form),
            form.integer("ty", DISCUSSION_LOG),
            form.milliseconds,
        )


class UinTimeChatLog(_LogCommand):
    """
    Fetch messages of one member of a group, from a time on.

    @ivar since: Unix seconds.
    """

    path: ClassVar[str] = "/keycgi/qqweb/group/uintimechatlog.do"

    ticket: Ticket
    code: Code
    uin: Uin
    since: int = 0
    count: int = 10
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("gid", str(self.code)),
            ("uin", str(self.uin)),
            ("time", str(self.since)),
            ("ps", str(self.count)),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Code(form.integer("gid")),
            Uin(form.integer("uin")),
            form.integer("time", 0),
            form.integer("ps", 10),
            form.milliseconds,
        )


class ChatLogDates(JSONCommand[tuple[HistoryDay, ...]]):
    """
    Fetch the days on which a group has messages.
    """

    host: ClassVar[Host] = Host.CGI
    path: ClassVar[str] = "/keycgi/top/chatlogdates"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.CGI
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    code: Code
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("gid", str(self.code)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Code(form.integer("gid")), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: tuple[HistoryDay, ...]) -> Any:
        info = [
            {
                "ymd": f"{day.date:%Y%m%d}",
                "begseq": day.first,
                "endseq": day.last,
            }
            for day in reply
        ]
        return {"info": info}

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[HistoryDay, ...]:
        return tuple(decodeEach(_decodeDay, listIn(result, "info")))


def _decodeDay(day: Any) -> HistoryDay:
    return HistoryDay(
        _date(day["ymd"]), unsigned(day["begseq"]), unsigned(day["endseq"])
    )


def _date(ymd: Any) -> date:
    number = unsigned(ymd)
    return date(number // 10_000, number // 100 % 100, number % 100)
