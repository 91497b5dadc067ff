"""
History of friends, groups and discussions (protocol.md 2.8.2).
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Self

from msgspec import field

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
    HistorySlice,
    HistoryStretch,
    Mention,
    Number,
    OfflinePicture,
    PastMessage,
    Reply,
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
    Host,
    OKReply,
    Referer,
    Refusal,
    decodeRefusal,
    encodeRefusal,
)
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.endpoints import CgiGet, ChannelGet, ChannelPost
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import decodeText, encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.parameters import TIME, DeclaredCommand, Parameter
from txwebqq.wire.pastmessages import PAST_FILE, decodePast, encodePast
from txwebqq.wire.record import Record

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
    id: int = 0


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


def _readCallback(form: Form, name: str, default: str) -> str:
    callback = form.text(name, default)
    if _CALLBACK.fullmatch(callback) is None:
        raise MalformedReply("callback is not the name of a function")
    return callback


class GetChatLog(DeclaredCommand[ChatLog]):
    """
    Fetch a page of the history of a friend.

    @ivar page: the page number; 0 for the newest page.
    @ivar rows: the number of messages on a page.
    """

    host = Host.PAGE
    path = "/cgi-bin/webqq_chat/"
    authorization = Authorization.VERIFIER
    aliases = ("/cgi-bin/webqq_chat",)
    referer = Referer.PAGE
    isIdempotent = True
    order = "cmd=1 tuin vfwebqq page row callback t"

    ticket: Ticket
    uin: Uin = field(name="tuin")
    page: int = 0
    rows: int = field(name="row", default=30)
    callback: Annotated[str, Parameter(_readCallback, str)] = VIEWER
    milliseconds: Annotated[int, TIME] = field(name="t", default=0)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        if form.text("cmd", "1") != "1":
            raise MalformedReply("cmd is not 1")
        return super().decodeFields(form)

    @classmethod
    def encodeReply(cls, reply: ChatLog | Refusal) -> bytes:
        if isinstance(reply, Refusal):
            return encodeRefusal(reply)
        # Clients search for these names without quotes, in this order.
        lines = ",".join(
            f"{{ver:3,cmd:{SENT if line.mine else RECEIVED},seq:{line.sequence},"
            f"time:{line.time},type:1,msg:{encodeJSON(_elements(line.content))} "
            # Behind all that clients look for.
            f"{f',id:{line.id}' if line.id else ''}}}"
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
        unsigned(line.get("id", 0)),
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
        # Both are texts to clients that do not know our members.
        case Mention(number):
            return {"v": segment.text, "t": 0, "at": number}
        case Reply(id):
            return {"v": "", "t": 0, "reply": id}
    return None


def _segment(item: Any) -> Segment:
    kind, value = integer(item["t"]), textOf(item["v"])
    if kind == 1:
        index = unsigned(value)
        return faceAt(index) or Face(index)
    if "at" in item:
        return Mention(Number(unsigned(item["at"])), value.removeprefix("@"))
    if "reply" in item:
        return Reply(unsigned(item["reply"]))
    if kind != 2:
        return Text(value)
    address, port = unsigned(item.get("ip", 0)), unsigned(item.get("port", 0))
    server = f"{IPv4Address(address)}:{port}" if 0 < address < 2**32 else ""
    return GroupPicture(value, unsigned(item.get("fid", 0)), server=server)


_PAST_MESSAGE = Record(
    PastMessage,
    "u:sender t:time seq:sequence il:content [id]",
    content=(
        lambda items: tuple(map(_segment, items)),
        lambda content: [item for s in content if (item := _item(s)) is not None],
    ),
)

_LOG = Record(
    HistoryStretch,
    "g:place bs:first es:last cl:messages",
    messages=(
        lambda lines: tuple(decodeEach(_PAST_MESSAGE.read, lines)),
        lambda messages: [_PAST_MESSAGE.write(message) for message in messages],
    ),
)


class _LogQuery(CgiGet[HistoryStretch]):
    """
    Base of commands that fetch messages of a group or a discussion.
    """

    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: HistoryStretch) -> Any:
        return {"time": reply.time, "data": {"cl": [_LOG.write(reply)]}}

    @classmethod
    def decodeResult(cls, result: Any) -> HistoryStretch:
        time = unsigned(result.get("time", 0))
        data = result.get("data")
        logs = data["cl"] if data else ()
        if not logs:
            return HistoryStretch((), time=time)
        return _LOG.read(logs[0], time=time)


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


_RANGE = Parameter(lambda form, *_: HistoryRange.decode(form), HistoryRange.encode)


def _withRange(pairs: Pairs, stretch: HistoryRange) -> Pairs:
    """
    Return the parameters of a request with those of its range, which are in two
    places: before the number of the group or discussion, and behind it.
    """
    at = [name for name, _ in pairs].index("gid")
    mode = ("mode", stretch.mode)
    return [*pairs[:at], *stretch.encode(), pairs[at], mode, *pairs[at + 1 :]]


class GroupChatLog(_LogQuery):
    """
    Fetch messages of a group.
    """

    path = "/keycgi/top/groupchatlog"
    order = "gid"

    code: Code = field(name="gid")
    range: Annotated[HistoryRange, _RANGE] = HistoryRange()

    def encodeFields(self) -> Pairs:
        return _withRange(super().encodeFields(), self.range)


def _readDiscussion(form: Form, name: str, _: None) -> int:
    # No capture has the name of this parameter.
    return form.integer("did", 0) or form.integer(name)


class GetOnePage(_LogQuery):
    """
    Fetch messages of a discussion; without C{ty=2}, of a group.
    """

    path = "/cgi/top/get_one_page"
    aliases = ("/keycgi/top/get_one_page",)
    order = "ty gid"

    did: Annotated[Did, Parameter(_readDiscussion, str)] = field(name="gid")
    range: Annotated[HistoryRange, _RANGE] = HistoryRange()
    kind: int = field(name="ty", default=DISCUSSION_LOG)

    def encodeFields(self) -> Pairs:
        return _withRange(super().encodeFields(), self.range)


class UinTimeChatLog(_LogQuery):
    """
    Fetch messages of one member of a group, from a time on.

    @ivar since: Unix seconds.
    """

    path = "/keycgi/qqweb/group/uintimechatlog.do"

    code: Code = field(name="gid")
    uin: Uin
    since: int = field(name="time", default=0)
    count: int = field(name="ps", default=10)


def _date(ymd: Any) -> date:
    number = unsigned(ymd)
    return date(number // 10_000, number // 100 % 100, number % 100)


_DAY = Record(
    HistoryDay,
    "ymd:date begseq:first endseq:last",
    date=(_date, lambda day: f"{day:%Y%m%d}"),
)


class ChatLogDates(CgiGet[tuple[HistoryDay, ...]]):
    """
    Fetch the days on which a group has messages.
    """

    path = "/keycgi/top/chatlogdates"
    isIdempotent = True

    code: Code = field(name="gid")

    @classmethod
    def encodeResult(cls, reply: tuple[HistoryDay, ...]) -> Any:
        return {"info": [_DAY.write(day) for day in reply]}

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[HistoryDay, ...]:
        return tuple(decodeEach(_DAY.read, listIn(result, "info")))


class GetHistory2(ChannelGet[HistorySlice]):
    """
    Fetch messages of a conversation by the ids of others (protocol.md 2.2.12): the
    oldest after a message, or the newest before one or of all.

    @ivar kind: the kind and the id of the conversation, as in L{RecentContact}.
    @ivar after: the id of a message, 0 for none, and so C{before}.
    @ivar count: the maximum number of messages.
    """

    path = "/channel/get_history2"
    order = "type uin after before count"
    isIdempotent = True

    kind: int = field(name="type")
    id: int = field(name="uin")
    after: int = 0
    before: int = 0
    count: int = 30

    @classmethod
    def encodeResult(cls, reply: HistorySlice) -> Any:
        messages = [encodePast(message) for message in reply.messages]
        result = {"messages": messages, "more": int(reply.hasMore)}
        if reply.files:
            result["files"] = [PAST_FILE.write(each) for each in reply.files]
        return result

    @classmethod
    def decodeResult(cls, result: Any) -> HistorySlice:
        messages = decodeEach(decodePast, listIn(result, "messages"))
        files = decodeEach(PAST_FILE.read, result.get("files", []))
        return HistorySlice(
            tuple(messages), unsigned(result.get("more", 0)) > 0, tuple(files)
        )


class SetRead2(OKReply, ChannelPost[None]):
    """
    Mark a conversation as read up to a message (protocol.md 2.2.12).

    @ivar kind: the kind and the id of the conversation, as in L{RecentContact}.
    @ivar message: the id of the message.
    """

    path = "/channel/set_read2"
    isIdempotent = True

    kind: int = field(name="type")
    id: int = field(name="uin")
    message: int = field(name="msg_id2")
