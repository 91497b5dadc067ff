"""
Requests in all the forms in which clients of the time sent them
(compatibility.md 2).
"""

from __future__ import annotations

import json
from urllib.parse import (
    quote,
    quote_plus,
    unquote_plus,
    unquote_to_bytes,
    urlencode,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.rows import CLIENTID, LIN, PSESSIONID
from txwebqq.errors import MalformedReply
from txwebqq.model import Text
from txwebqq.wire.commands.messages import Poll2, SendBuddyMsg2
from txwebqq.wire.form import Form, Ticket, encodeForm, percentEncode

MEMBERS = {
    "to": LIN,
    "face": 567,
    "content": '["今晚 & 100% + a=b; {c}\\n",[]]',
    "msg_id": 40470001,
    "clientid": CLIENTID,
    "psessionid": PSESSIONID,
}
TIGHT = json.dumps(MEMBERS, separators=(",", ":"))
LOOSE = json.dumps(MEMBERS, indent=1)
BARE = json.dumps(MEMBERS, ensure_ascii=False)
IDS = f"clientid={CLIENTID}&psessionid={PSESSIONID}"

FORMS = {
    "r first": f"r={quote(TIGHT, safe='')}&{IDS}",
    "r last": f"{IDS}&r={quote(TIGHT, safe='')}",
    "r alone": f"r={quote(TIGHT, safe='')}",
    "plus for space": f"r={quote_plus(LOOSE)}&{IDS}",
    "urlencode": urlencode({"r": BARE, "clientid": CLIENTID}),
    "raw": f"r={BARE}",
    "raw, with spaces": f"r={LOOSE}",
    "raw, ids behind": f"r={BARE}&{IDS}",
    "raw, ids before": f"{IDS}&r={BARE}",
    "raw, line end": f"r={BARE}&{IDS}\r\n",
    "raw, after a space": f"r= {BARE}&{IDS}",
    "raw brackets": f"r={{{quote(TIGHT[1:-1], safe='')}}}&{IDS}",
    "ids inside r": f"r={quote(f'{BARE}&{IDS}', safe='')}",
    "twice": f"r={quote(TIGHT, safe='')}&r=%7B%7D&{IDS}&{IDS}",
    "line end": f"r={quote(TIGHT, safe='')}&{IDS}\r\n",
    "empty fields": f"&&r={quote(TIGHT, safe='')}&&=&{IDS}&x",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_forms(form: str) -> None:
    """
    A message is decoded alike from each of the forms.
    """
    command = SendBuddyMsg2.decodeFields(Form.parse(b"", form.encode()))
    assert command == SendBuddyMsg2(
        ticket=Ticket(CLIENTID, PSESSIONID),
        to=LIN,
        content=(Text("今晚 & 100% + a=b; {c}\n"),),
        messageId=40470001,
        face=567,
    )


POLLS = {
    "in r": ("", f'r={{"clientid":"{CLIENTID}","psessionid":"{PSESSIONID}","key":0}}'),
    "a number": ("", f'r={{"clientid":{CLIENTID},"psessionid":"{PSESSIONID}"}}'),
    "beside r": ("", f"r=%7B%7D&{IDS}"),
    "without r": ("", IDS),
    "in the query": (f"{IDS}&t=1366004047", "r=%7B%22key%22%3A0%7D"),
    "behind r, inside it": ("", f"r=%7B%7D%26clientid%3D{CLIENTID}{quote('&' + IDS)}"),
    "null beside it": ("", f'r={{"clientid":null,"psessionid":null}}&{IDS}'),
}


@pytest.mark.parametrize("form", POLLS.values(), ids=list(POLLS))
def test_polls(form: tuple[str, str]) -> None:
    """
    The ids of a session are found in C{r}, beside it and in the query.
    """
    query, body = form
    poll = Poll2.decodeFields(Form.parse(query.encode(), body.encode()))
    assert poll == Poll2(Ticket(CLIENTID, PSESSIONID))


@pytest.mark.parametrize(
    "clientid", ["7", "47283951", "53999199", "-126429035", "41 32585", "9" * 30]
)
def test_clientids(clientid: str) -> None:
    """
    A C{clientid} may have any characters.
    """
    for body in (
        encodeForm([("r", json.dumps({"clientid": clientid}))]),
        encodeForm([("clientid", clientid)]),
        urlencode({"clientid": clientid}).encode(),
    ):
        assert Form.parse(b"", body).ticket.clientid == clientid


@pytest.mark.parametrize(
    ("t", "milliseconds"),
    [
        ("1366004047001", 1366004047001),
        ("1.79540250699e+12", 1795402506990),
        ("1366004047", 1366004047),
        ("1366004047.25", 1366004047),
        ("", 0),
        ("undefined", 0),
        ("nan", 0),
        ("1e999", 0),
        ("-5", 0),
        ("9" * 300, 0),
    ],
)
def test_milliseconds(t: str, milliseconds: int) -> None:
    """
    C{t} may be any number, or anything else, which means 0.
    """
    assert Form.parse(encodeForm([("t", t)])).milliseconds == milliseconds
    assert Form.parse(b"").milliseconds == 0


def test_controls() -> None:
    """
    Raw JSON may have unescaped line breaks.
    """
    form = Form.parse(b"", b'r={"to":1,"content":"[\\"a\nb\\"]"}')
    assert form.text("content") == '["a\nb"]'


def test_chinese() -> None:
    """
    Parameters may be in the Chinese code page, which desktop clients use.
    """
    body = b"name=" + quote("你好.jpg".encode("gb18030")).encode()
    assert Form.parse(b"", body).text("name") == "你好.jpg"
    with pytest.raises(MalformedReply):
        Form.parse(b"", b"name=%ff%ff")


def test_missing() -> None:
    """
    The error names a parameter that is missing or malformed.
    """
    form = Form.parse(b"", b'r={"list":[1],"flag":true,"word":"x","none":null}')
    for name in ("gone", "list", "flag", "none"):
        with pytest.raises(MalformedReply, match=f"{name} is missing"):
            form.text(name)
        assert form.text(name, "else") == "else"
    for name in ("gone", "none"):
        with pytest.raises(MalformedReply, match=f"{name} is missing"):
            form.integer(name)
        assert form.integer(name, 5) == 5
    with pytest.raises(MalformedReply, match="word is not a number"):
        form.integer("word")


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 4000]
)
def test_range(number: str) -> None:
    """
    A number that a database cannot store is malformed.
    """
    for body in (f'r={{"n":{number}}}', f'r={{"n":"{number}"}}', f"n={number}"):
        with pytest.raises(MalformedReply, match="n is out of range"):
            Form.parse(b"", body.encode()).integer("n")


@pytest.mark.parametrize(
    "r", ["[]", '"x"', "5", "", "{", '{"a":NaN}', '{"a":1e999}', "[" * 100000]
)
def test_malformed(r: str) -> None:
    """
    An C{r} that is no JSON object is malformed.
    """
    for body in (f"r={r}".encode(), encodeForm([("r", r)])):
        with pytest.raises(MalformedReply):
            _ = Form.parse(b"", body).ticket


def test_surrogates() -> None:
    """
    A lone surrogate in JSON becomes the replacement character; a pair stays, and so
    does text that only looks like an escape.
    """
    for source, text in (
        (r"\ud83d", "\ufffd"),
        (r"\uDE00", "\ufffd"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d\ude00\ude00", "😀\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\\ud83d\ude00", "\\ud83d\ufffd"),
        (r"\ud83d\\ude00", "\ufffd\\ude00"),
        (r"\\ud83d", "\\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
        (r"\ud55c\ud7ff", "한\ud7ff"),
    ):
        form = Form.parse(b"", f'r={{"x":"{source}","{source}":1}}'.encode())
        assert form.text("x") == text
        assert text in form.r


@given(st.text(alphabet="%25b7BDdAzc3+;\u8336", max_size=30))
def test_percentDecode(text: str) -> None:
    """
    Each escape is decoded once, among any characters, and text that is no
    escape stays.
    """
    try:
        expected = unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return
    assert Form.parse(b"x=" + text.encode()).text("x", "") == expected


def test_percentEncode() -> None:
    """
    Values are encoded as browsers do it.
    """
    unreserved = "AZaz09-_.!~*'()"
    assert percentEncode(unreserved) == unreserved
    assert percentEncode(' "#$%&+,/:;<=>?@[\\]^`{|}') == (
        "%20%22%23%24%25%26%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"
    )
    assert percentEncode("宋\n") == "%E5%AE%8B%0A"


@given(st.text("%%%=+ \r\n0aFg_.z今", max_size=40))
def test_percentDecoding(text: str) -> None:
    """
    Fields are decoded as browsers write them, also with percent signs that begin no
    escape.
    """
    raw = text.encode()
    try:
        expected = unquote_to_bytes(raw.rstrip().replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return
    assert Form.parse(b"", b"x=" + raw)["x"] == expected


@pytest.mark.parametrize(
    "body",
    [
        b"&x" * 60_000,
        b"&x=%41" * 20_000,
        b"&r={" * 30_000,
        b"r={}" + b"&x" * 60_000,
        b'r={"a":"x' + b"&r={" * 30_000,
        b"r=" + b"%" * 120_000,
        b"%" * 120_000,
    ],
    ids=lambda body: str(body[:12]),
)
def test_costly(body: bytes) -> None:
    """
    A form that is not one is refused before its parts are decoded.
    """
    with pytest.raises(MalformedReply, match=r"256 parameters|percent-encoded"):
        Form.parse(b"", body)


def test_costlyTail() -> None:
    """
    The parameters behind the JSON of an encoded r are limited, too.
    """
    form = Form.parse(b"", b"r=%7B%7D" + b"%26x" * 300)
    with pytest.raises(MalformedReply, match="256 parameters"):
        form.text("x")
