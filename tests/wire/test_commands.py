"""
Encoding and decoding of every command, and replies of other servers.
"""

from __future__ import annotations

import ast
import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from msgspec.structs import fields

from tests.wire import rows
from tests.wire.contact_rows import CONTACT_ROWS, CONTACT_URLS
from tests.wire.group_rows import GROUP_ROWS, GROUP_URLS
from tests.wire.history_rows import HISTORY_ROWS, HISTORY_URLS
from tests.wire.interaction_rows import INTERACTION_ROWS, INTERACTION_URLS
from tests.wire.media_rows import MEDIA_ROWS, MEDIA_URLS
from tests.wire.rows import (
    BO,
    CHANNEL,
    CLIENTID,
    FRESH,
    LANDING,
    LIN,
    PSESSIONID,
    PTWEBQQ,
    SALT,
    Row,
    commands,
    readable,
)
from txwebqq.errors import MalformedReply
from txwebqq.model import Content, Font, Presence, Status, Text
from txwebqq.wire.command import Command, Referer, Refusal, encodeRefusal, withTimestamp
from txwebqq.wire.commands.contacts import GetFriendUin2, GetUserFriends2
from txwebqq.wire.commands.filetransfers import pathFields
from txwebqq.wire.commands.messages import (
    GetMsgTip,
    GetOnlineBuddies2,
    Poll2,
    SendBuddyMsg2,
)
from txwebqq.wire.commands.signon import (
    Challenge,
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    LoginReply,
    Logout2,
)
from txwebqq.wire.form import Form, Ticket, encodeForm
from txwebqq.wire.multipart import UploadCommand
from txwebqq.wire.parameters import DeclaredCommand

ROWS = (
    *GROUP_ROWS,
    *MEDIA_ROWS,
    *CONTACT_ROWS,
    *HISTORY_ROWS,
    *INTERACTION_ROWS,
    *rows.ROWS,
)

REFUSALS = (
    Refusal(103),
    Refusal(100003, "to is missing"),
    Refusal(121, seconds=0.0),
    Refusal(112, seconds=2.5),
    Refusal(116, ptwebqq=PTWEBQQ),
    Refusal(-30001),
)


def name(row: Row) -> str:
    """
    Return the name of a row in a report.
    """
    return row.command.__name__


def formOf(command: Command[Any]) -> Form:
    """
    Return the parameters of a request as they reach the server.
    """
    form = command.encodeForm()
    if isinstance(command, UploadCommand):
        form += b"&" + encodeForm([*command.encodeTail(), *command.encodeQuery()])
    if command.path == "/v2":
        form += b"&" + encodeForm(pathFields(unquote(urlsplit(command.url).path)))
    return Form.parse(b"", form) if command.method == "POST" else Form.parse(form)


def written(command: Command[Any]) -> str:
    """
    Return the parameters of a request, with C{@} for the file of an upload.
    """
    pairs = command.encodeFields()
    if isinstance(command, UploadCommand):
        pairs = [*pairs, (command.fileField, "@"), *command.encodeTail()]
    return readable(pairs)


def test_complete() -> None:
    """
    Every command has a row.
    """
    assert set(commands()) - {row.command for row in ROWS} == set()


NOT_SENT = {
    # Sent by clients of another year only.
    "SignedCheck": {"pt_tea"},
    # Parts of the path.
    "ReceiveFile": {"own", "peer", "session", "name"},
}


def test_order() -> None:
    """
    Every field of a declared command is sent.
    """
    for command in commands():
        if command.encodeFields is not DeclaredCommand.encodeFields:
            continue
        assert issubclass(command, DeclaredCommand)
        names = {each.encode_name for each in fields(command)} - {"ticket"}
        sent = {each.partition("=")[0] for each in command.order.split()} or names
        missing = names - sent - set(command.tail.split())
        assert missing == NOT_SENT.get(command.__name__, set()), command


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_fields(row: Row) -> None:
    """
    A request has the parameters that protocol.md prints, in the same order.
    """
    assert written(row.request) == row.fields


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_request(row: Row) -> None:
    """
    The server decodes the request that the client has encoded.
    """
    assert row.command.decodeFields(formOf(row.request)) == row.request


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_reply(row: Row) -> None:
    """
    The client decodes the reply that the server has encoded.
    """
    assert row.command.decodeReply(row.command.encodeReply(row.reply)) == row.reply


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.retcode)
@pytest.mark.parametrize("row", [r for r in ROWS if r.refusable], ids=name)
def test_refusal(row: Row, refusal: Refusal) -> None:
    """
    The client decodes a refusal in place of any other reply.
    """
    assert row.command.decodeReply(row.command.encodeReply(refusal)) == refusal


@pytest.mark.parametrize(
    ("command", "body", "reply"),
    [
        pytest.param(row.command, body, reply, id=f"{name(row)}-{n}")
        for row in ROWS
        for n, (body, reply) in enumerate(row.quoted)
    ],
)
def test_quoted(command: type[Command[Any]], body: str | bytes, reply: Any) -> None:
    """
    Replies of other servers are decoded as protocol.md explains them.
    """
    data = body if isinstance(body, bytes) else body.encode()
    assert command.decodeReply(data) == reply


URLS = {
    "LoginPage": ("GET", "https://ui.ptlogin2.qq.com/cgi-bin/login", None),
    "Check": ("GET", "http://check.ptlogin2.qq.com/check", None),
    "SignedCheck": ("GET", "https://ssl.ptlogin2.qq.com/check", "LOGIN_PAGE"),
    "GetImage": ("GET", "http://captcha.qq.com/getimage", None),
    "SecureGetImage": ("GET", "https://ssl.captcha.qq.com/getimage", "LOGIN_PAGE"),
    "Login": ("GET", "http://ptlogin2.qq.com/login", None),
    "SignedLogin": ("GET", "https://ssl.ptlogin2.qq.com/login", "LOGIN_PAGE"),
    "CheckSig": ("GET", "http://ptlogin4.web2.qq.com/check_sig", None),
    "Login2": ("POST", "http://d.web2.qq.com/channel/login2", "LOGIN2"),
    "Logout2": ("GET", "http://d.web2.qq.com/channel/logout2", "CHANNEL"),
    "Poll2": ("POST", "http://d.web2.qq.com/channel/poll2", "CHANNEL"),
    "SendBuddyMsg2": (
        "POST",
        "http://d.web2.qq.com/channel/send_buddy_msg2",
        "CHANNEL",
    ),
    "SendQunMsg2": ("POST", "http://d.web2.qq.com/channel/send_qun_msg2", "CHANNEL"),
    "GetSent2": ("GET", "http://d.web2.qq.com/channel/get_sent2", "CHANNEL"),
    "InputNotify2": ("GET", "http://d.web2.qq.com/channel/input_notify2", "CHANNEL"),
    "Shake2": ("GET", "http://d.web2.qq.com/channel/shake2", "CHANNEL"),
    "ChangeStatus2": (
        "GET",
        "http://d.web2.qq.com/channel/change_status2",
        "CHANNEL",
    ),
    "GetOnlineBuddies2": (
        "GET",
        "http://d.web2.qq.com/channel/get_online_buddies2",
        "CHANNEL",
    ),
    "GetMsgTip": ("GET", "http://webqq.qq.com/web2/get_msg_tip", "PAGE"),
    "GetUserFriends2": ("POST", "http://s.web2.qq.com/api/get_user_friends2", "API"),
    "GetGroupNameListMask2": (
        "POST",
        "http://s.web2.qq.com/api/get_group_name_list_mask2",
        "API",
    ),
    "GetGroupInfoExt2": ("GET", "http://s.web2.qq.com/api/get_group_info_ext2", "API"),
    "GetFriendInfo2": ("GET", "http://s.web2.qq.com/api/get_friend_info2", "API"),
    "GetFriendUin2": ("GET", "http://s.web2.qq.com/api/get_friend_uin2", "API"),
}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_url(row: Row) -> None:
    """
    A request goes to its historical URL, with its historical C{Referer}.
    """
    urls = URLS | MEDIA_URLS | CONTACT_URLS | GROUP_URLS | HISTORY_URLS
    urls |= INTERACTION_URLS
    method, url, referer = urls[name(row)]
    command = row.request
    assert (command.method, command.url) == (method, url)
    assert command.referer is (None if referer is None else Referer[referer])


def test_referers() -> None:
    """
    The referers are those of protocol.md 1.5.
    """
    assert [page.value for page in Referer if page is not Referer.LOGIN_PAGE] == [
        "http://d.web2.qq.com/proxy.html?v=20110331002&callback=2",
        "http://d.web2.qq.com/proxy.html?v=20110331002&callback=1&id=3",
        "http://s.web2.qq.com/proxy.html?v=20110412001&callback=1&id=3",
        "http://cgi.web2.qq.com/proxy.html?v=20110412001&callback=1&id=1",
        "http://webqq.qq.com/",
    ]


def test_typingError() -> None:
    """
    The misprinted path of the friend list is an alias.
    """
    assert GetUserFriends2.aliases == ("/api/get_user_friend2",)


def test_form() -> None:
    """
    A request is percent-encoded as browsers do it.
    """
    login = Login("300100200", "0CE2", "!K7Q").encodeForm()
    assert login == (
        b"u=300100200&p=0CE2&verifycode=!K7Q&webqq_type=10&remember_uin=1"
        b"&login2qq=1&aid=1003903&u1=http%3A%2F%2Fwebqq.qq.com%2Floginproxy.html"
        b"%3Flogin2qq%3D1%26webqq_type%3D10&h=1&ptredirect=0&ptlang=2052&from_ui=1"
        b"&pttype=1&dumy=&fp=loginerroralert&action=1-20-8656&mibao_css=m_webqq&t=1"
        b"&g=1"
    )
    poll = Poll2(Ticket("47283951", "8368")).encodeForm()
    assert poll == (
        b"r=%7B%22clientid%22%3A%2247283951%22%2C%22psessionid%22%3A%228368%22%2C"
        b"%22key%22%3A0%2C%22ids%22%3A%5B%5D%7D&clientid=47283951&psessionid=8368"
    )


@pytest.mark.parametrize("psessionid", ["8368", "", 'a"&%\\', "\u5b8b", "\u00b2"])
@pytest.mark.parametrize("ids", [(), ("1",), ("1", "22"), ("",), ("1 2", "\u5b8b")])
@pytest.mark.parametrize("ack", [None, 0, 7])
def test_pollForm(psessionid: str, ids: tuple[str, ...], ack: int | None) -> None:
    """
    A poll is written as any form is, with any text in its parameters.
    """
    poll = Poll2(Ticket("47283951", psessionid), ids, ack)
    assert poll.encodeForm() == encodeForm(poll.encodeFields())


def test_checkBytes() -> None:
    """
    The reply to C{check} has no spaces, and its name and end where clients cut.
    """
    body = Check.encodeReply(
        Challenge(False, "!B55", b"\x00\x00\x00\x00\x00\xa6\x4a\x18")
    )
    assert body == rb"ptui_checkVC('0','!B55','\x00\x00\x00\x00\x00\xa6\x4a\x18');"
    cut = ast.literal_eval(body[12:-1].decode())
    assert cut == ("0", "!B55", "\x00\x00\x00\x00\x00\xa6\x4a\x18")


def test_loginBytes() -> None:
    """
    The reply to C{login} has a space before the last argument and a line end, and a
    client that evaluates the line gets the right arguments.
    """
    body = Login.encodeReply(LoginReply(0, 0, LANDING, "0", "登录成功！", "Wen"))
    assert body == (
        f"ptuiCB('0','0','{LANDING}','0','登录成功！', 'Wen');\r\n".encode()
    )
    cut = ast.literal_eval(body[6:-3].decode())
    assert cut == ("0", "0", LANDING, "0", "登录成功！", "Wen")


@pytest.mark.parametrize(
    "nick",
    [
        "Bob's",
        "back\\slash",
        "end\\",
        "line\nbreak",
        '"',
        "', 'x",
        "\0",
        "\u2028",
        "😀",
    ],
)
def test_nickBytes(nick: str) -> None:
    """
    Every nickname is one argument, without apostrophes.
    """
    body = Login.encodeReply(LoginReply(0, message="ok", nick=nick)).decode()
    cut = ast.literal_eval(body[6:-3])
    assert len(cut) == 6
    assert "'" not in cut[-1]
    assert body.count("'") == 12
    reply = Login.decodeReply(body.encode())
    assert isinstance(reply, LoginReply)
    assert reply.nick == cut[-1]


def test_refusalBytes() -> None:
    """
    A refusal has C{errmsg}, unless it has C{t} or C{p}.
    """
    assert encodeRefusal(Refusal(102)) == b'{"retcode":102,"errmsg":""}'
    assert encodeRefusal(Refusal(121, seconds=0.0)) == b'{"retcode":121,"t":"0"}'
    assert encodeRefusal(Refusal(116, ptwebqq="2c0d")) == b'{"retcode":116,"p":"2c0d"}'


def test_successBytes() -> None:
    """
    A successful reply is JSON without spaces, in which clients search.
    """
    assert ROWS[-1].command.encodeReply(ROWS[-1].reply) == (
        b'{"retcode":0,"result":{"uiuin":"","account":245890123,"uin":1821777555}}'
    )
    assert Logout2.encodeReply(None) == b'{"retcode":0,"result":"ok"}'
    assert GetMsgTip.encodeReply(False) == b'{"c":1}'
    assert CheckSig.encodeReply(None) == b"0"


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_members(row: Row) -> None:
    """
    Every reply has all members that protocol.md quotes, since clients read them
    without checking.
    """
    quoted = [b for b, reply in row.quoted if not isinstance(reply, Refusal)]
    for body, reply in row.quoted:
        if body not in quoted or not isinstance(body, str) or '"result"' not in body:
            continue
        ours = json.loads(row.command.encodeReply(reply))["result"]
        theirs = json.loads(body)["result"]
        if isinstance(ours, dict) and isinstance(theirs, dict):
            assert set(theirs) <= set(ours)
            for member, value in theirs.items():
                if isinstance(value, dict):
                    assert set(value) <= set(ours[member])
                elif isinstance(value, list) and value and ours[member]:
                    assert set(value[0]) <= set(ours[member][0])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>502 Bad Gateway</html>",
        "ptui_checkVC",
        "ptui_checkVC()",
        "ptui_checkVC('0','!K7Q');",
        "ptui_checkVC('0','!K7Q','');",
        "ptui_checkVC('2','!K7Q','\\x00\\x00\\x00\\x00\\x11\\xe3\\x2a\\x68');",
        "ptui_checkVC('0','!K7Q','\\x11\\xe3\\x2a\\x68');",
        "ptui_checkVC('0','!K7Q','八个汉字不是盐的');",
        "ptui_checkVC('0','!K7Q','\\x00\\x00\\x00\\x00\\x11\\xe3\\x2a\\x68'); alert(1)",
        "ptuiCB('0','!K7Q','\\x00\\x00\\x00\\x00\\x11\\xe3\\x2a\\x68');",
        '{"retcode":0}',
    ],
)
def test_malformedCheck(body: str) -> None:
    """
    A challenge without flag, code or salt is malformed.
    """
    with pytest.raises(MalformedReply):
        Check.decodeReply(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "ptuiCB('0','0','http://x/','0');",
        "ptuiCB('zero','0','http://x/','0','m');",
        "ptuiCB('0','0','http://[::1','0','m', 'n');",
        "ptuiCB('" + "9" * 5000 + "','0','','0','m', 'n');",
        '{"retcode":0,"result":"ok"}',
    ],
)
def test_malformedLogin(body: str) -> None:
    """
    A reply to a login without a code, or with an invalid URL, is malformed.
    """
    with pytest.raises(MalformedReply):
        Login.decodeReply(body.encode())


def test_notAPicture() -> None:
    """
    An HTML page is not accepted as a captcha.
    """
    with pytest.raises(MalformedReply):
        GetImage.decodeReply(b"<html></html>")


@pytest.mark.parametrize(
    ("query", "later"),
    [
        (b"uin=10001&appid=1003903&r=0.1", False),
        (b"uin=10001&appid=1003903&login_sig=x&r=0.1", False),
        (b"uin=10001&appid=1003903&js_ver=10029&js_type=0&r=0.1", False),
        (b"uin=10001&appid=1003903&js_ver=10040&login_sig=x&r=0.1", False),
        (b"uin=10001&appid=501004106&pt_tea=1&r=0.1", True),
    ],
)
def test_later(query: bytes, later: bool) -> None:
    """
    Clients that need five arguments are distinguished from those that fail on them:
    the recorded replies to C{js_ver} have three.
    """
    assert Check.decodeFields(Form.parse(query)).later is later


def test_loginLeniently() -> None:
    """
    A login needs only an account, a digest and a code.
    """
    login = Login.decodeFields(Form.parse(b"u=1&p=2&verifycode=3&webqq_type=x&t=-"))
    assert login == Login("1", "2", "3")
    hidden = Login.decodeFields(
        Form.parse(b"u=1&p=2&verifycode=hxWd&webqq_type=40&t=2")
    )
    assert hidden == Login("1", "2", "hxWd", Status.HIDDEN, 2)
    with pytest.raises(MalformedReply, match="verifycode"):
        Login.decodeFields(Form.parse(b"u=1&p=2"))


def test_landing() -> None:
    """
    The landing URL is requested unchanged, with any query.
    """
    landing = CheckSig(
        "http://ptlogin4.web2.qq.com/check_sig?uin=1&s_url=http%3A%2F%2Fw.qq.com%2F"
        "&empty=&uin=2&odd=%ff"
    )
    assert landing.encodeFields() == [
        ("uin", "1"),
        ("s_url", "http://w.qq.com/"),
        ("empty", ""),
        ("uin", "2"),
        ("odd", "\ufffd"),
    ]


def test_relink() -> None:
    """
    A relink is a C{login2} with the old C{psessionid}, in both places.
    """
    ticket = Ticket(CLIENTID, PSESSIONID, ptwebqq=PTWEBQQ)
    command = Login2(ticket, Status.BUSY)
    assert readable(command.encodeFields()) == (
        f'r={{"status":"busy","ptwebqq":"{PTWEBQQ}","passwd_sig":"",'
        f'"clientid":"47283951","psessionid":"{PSESSIONID}"}}'
        f"&clientid=47283951&psessionid={PSESSIONID}"
    )
    assert Login2.decodeFields(formOf(command)) == command


@pytest.mark.parametrize(
    "r",
    [
        '{"ptwebqq":"%s","clientid":"47283951"}',
        '{"ptwebqq":"%s","clientid":47283951,"psessionid":null}',
        '{"status":"online","ptwebqq":"%s","clientid":"47283951","psessionid":""}',
        '{"status":"online","ptwebqq":"%s","clientid":"47283951","psessionid":"null"}',
    ],
)
def test_firstLogin2(r: str) -> None:
    """
    No C{psessionid}, null, C{"null"} and C{""} all mean a new session.
    """
    form = Form.parse(b"", encodeForm([("r", r % PTWEBQQ)]))
    assert Login2.decodeFields(form) == Login2(FRESH)


@pytest.mark.parametrize(
    "result",
    [
        "null",
        "[]",
        '"ok"',
        '{"uin":1,"psessionid":"x"}',
        '{"uin":1,"psessionid":null,"vfwebqq":"x"}',
        '{"uin":-1,"psessionid":"x","vfwebqq":"x"}',
        '{"uin":1e30,"psessionid":"x","vfwebqq":"x"}',
        '{"uin":"","psessionid":"x","vfwebqq":"x"}',
    ],
)
def test_malformedLogin2(result: str) -> None:
    """
    A session without its ids is malformed.
    """
    with pytest.raises(MalformedReply):
        Login2.decodeReply(f'{{"retcode":0,"result":{result}}}'.encode())


def test_ids() -> None:
    """
    A poll and a logout carry the ids of messages that were shown.
    """
    poll = Poll2(CHANNEL, ("10171", "13663"))
    assert Poll2.decodeFields(formOf(poll)) == poll
    numbers = Form.parse(b"", b'r={"ids":[10171,13663]}')
    assert Poll2.decodeFields(numbers).ids == poll.ids
    with pytest.raises(MalformedReply):
        Poll2.decodeFields(Form.parse(b"", b'r={"ids":[[1]]}'))
    logout = Logout2(CHANNEL, ("10171", "13663"), milliseconds=5)
    assert ("ids", "10171,13663") in logout.encodeFields()
    assert Logout2.decodeFields(formOf(logout)) == logout


def test_ack() -> None:
    """
    A poll and a logout carry the number of the last reply, if the client acknowledges
    by number; a value that is no number is malformed.
    """
    for ack in (None, 0, 1366004099000):
        poll = Poll2(CHANNEL, ack=ack)
        assert Poll2.decodeFields(formOf(poll)) == poll
        logout = Logout2(CHANNEL, milliseconds=5, ack=ack)
        assert Logout2.decodeFields(formOf(logout)) == logout
    assert "ack" not in dict(Poll2(CHANNEL).encodeFields())["r"]
    assert Poll2.decodeFields(Form.parse(b"", b'r={"ack":"7"}')).ack == 7
    for odd in (b'"x"', b"-1", b"[1]", b"1e400", b"4503599627370497", b"1.5", b"true"):
        with pytest.raises(MalformedReply):
            Poll2.decodeFields(Form.parse(b"", b'r={"ack":' + odd + b"}"))
    with pytest.raises(MalformedReply):
        Logout2.decodeFields(Form.parse(b"ack=x&ids="))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'"ok"',
        b"null",
        b'{"retcode":null}',
        b'{"retcode":"x"}',
        b'{"retcode":1e400}',
        b'{"retcode":' + b"9" * 4000 + b"}",
        b'{"retcode":0} ;',
        b'\xff{"retcode":102}',
    ],
)
def test_malformed(body: bytes) -> None:
    """
    A reply that is no JSON object with a code is malformed.
    """
    with pytest.raises(MalformedReply):
        GetOnlineBuddies2.decodeReply(body)


@pytest.mark.parametrize(
    ("t", "seconds"),
    [
        ('"0"', 0.0),
        ("30", 30.0),
        ('"2.5"', 2.5),
        ("-5", 0.0),
        ("1e9", 3600.0),
        ('"soon"', None),
        ('"nan"', None),
        ('"inf"', None),
        ("null", None),
        ("[1]", None),
        ("9" * 400, None),
    ],
)
def test_seconds(t: str, seconds: float | None) -> None:
    """
    A wait is a number of seconds up to one hour; other values are ignored.
    """
    body = f'{{"retcode":121,"t":{t}}}'.encode()
    assert Poll2.decodeReply(body) == Refusal(121, seconds=seconds)


def test_oddRefusal() -> None:
    """
    A code may be a string, beside values of any type.
    """
    body = b'{"retcode":"121","errmsg":{"a":[]},"p":5,"result":7}'
    assert Poll2.decodeReply(body) == Refusal(121)


def test_unknownPresence() -> None:
    """
    A friend with an unknown status does not lose the other friends.
    """
    body = (
        b'{"retcode":0,"result":[{"uin":2963008411,"status":"Qme","client_type":1},'
        b'{"uin":1184002719,"status":"away"}]}'
    )
    assert GetOnlineBuddies2.decodeReply(body) == (
        Presence(LIN, Status.ONLINE, 1),
        Presence(BO, Status.AWAY),
    )


@pytest.mark.parametrize("number", ["-1", "9223372036854775808", "1e19", "9" * 4000])
def test_absurdNumbers(number: str) -> None:
    """
    A number that a database cannot store becomes no id.
    """
    body = f'{{"retcode":0,"result":{{"account":{number},"uin":5}}}}'.encode()
    with pytest.raises(MalformedReply):
        GetFriendUin2.decodeReply(body)
    form = Form.parse(b"", f'r={{"to":{number},"content":"[]"}}'.encode())
    if number != "-1":
        with pytest.raises(MalformedReply):
            SendBuddyMsg2.decodeFields(form)


def test_numbersAsText() -> None:
    """
    Numbers may be strings.
    """
    body = b'{"retcode":0,"result":{"uiuin":"","account":"55667788","uin":"5"}}'
    assert GetFriendUin2.decodeReply(body) == GetFriendUin2.decodeReply(
        body.replace(b'"55667788"', b"55667788").replace(b'"5"', b"5")
    )


def test_misspelled() -> None:
    """
    C{tuid} is accepted for C{tuin}, since one family of clients writes it.
    """
    command = GetFriendUin2.decodeFields(Form.parse(b"tuid=5&type=1&vfwebqq=x"))
    assert command.uin == 5


CONTENTS: tuple[Content, ...] = ((Text("hi"),), (Text("a"), Text("b")))


@pytest.mark.parametrize("content", CONTENTS)
def test_messageIds(content: Content) -> None:
    """
    C{msg_id} may be missing or a string, C{face} anything, without any effect.
    """
    written = json.dumps([*(s.text for s in content if isinstance(s, Text)), []])
    for extra in (
        {},
        {"msg_id": "40470001", "face": "567"},
        {"msg_id": 40470001, "face": 567},
    ):
        r = json.dumps({"to": LIN, "content": written, **extra})
        sent = SendBuddyMsg2.decodeFields(Form.parse(b"", encodeForm([("r", r)])))
        assert (sent.to, sent.content, sent.font) == (LIN, content, Font())
        assert sent.messageId == (40470001 if extra else 0)


def test_timestamp() -> None:
    """
    A command with a field for the time is given the time once.
    """
    assert withTimestamp(GetMsgTip(3), 5) == GetMsgTip(3, 5)
    assert withTimestamp(GetMsgTip(3, 4), 5) == GetMsgTip(3, 4)
    poll = Poll2(CHANNEL)
    assert withTimestamp(poll, 5) is poll


def test_salt() -> None:
    """
    Any eight bytes are a salt, and decoded unchanged.
    """
    for salt in (SALT, bytes(range(8)), b"\xff" * 8, b"'\\\r\n'\\\0\x7f"):
        challenge = Challenge(False, "!K7Q", salt)
        assert Check.decodeReply(Check.encodeReply(challenge)) == challenge
