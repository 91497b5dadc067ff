"""
Forms with files, and parameters that pictures need.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.errors import MalformedReply
from txwebqq.model import Code, Gid, GroupPicture, Text
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import SendQunMsg2
from txwebqq.wire.form import Form, Ticket
from txwebqq.wire.multipart import decodePart, encodeParts, refusalIn


def disposition(name: str) -> bytes:
    """
    Return the C{Content-Disposition} of a file as we write it.
    """
    head, _ = encodeParts("b", [], [], "file", name)
    return head.split(b"\r\n")[1].removeprefix(b"Content-Disposition: ")


def test_form() -> None:
    """
    A form is written as browsers write it.
    """
    head, tail = encodeParts("b", [("f", "x")], [("t", "y")], "file", 'a"b.txt')
    assert head == (
        b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a%22b.txt"'
        b"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    assert tail == (
        b'\r\n--b\r\nContent-Disposition: form-data; name="t"\r\n\r\ny\r\n--b--\r\n'
    )


@given(st.text().filter(lambda t: "%" not in t and "\\" not in t))
def test_fileNames(name: str) -> None:
    """
    A file name arrives unchanged, and cannot forge a header.
    """
    raw = disposition(name.encode("utf-8", "replace").decode())
    assert b"\r" not in raw
    assert b"\n" not in raw
    expected = name.encode("utf-8", "replace").decode()
    assert decodePart(raw) == ("file", expected)


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b'form-data; name="f"', ("f", None)),
        (b"form-data; name=f", ("f", None)),
        (b"form-data; name=f; filename=a.txt", ("f", "a.txt")),
        (b'form-data; filename="a"; name="f"', ("f", "a")),
        (b'form-data; name="f"; filename=""', ("f", "")),
        (rb'form-data; name="f"; filename="C:\x\a.txt"', ("f", "a.txt")),
        (rb'form-data; name="f"; filename="a\"b"', ("f", 'a"b')),
        ('form-data; name="f"; filename="報告"'.encode(), ("f", "報告")),
        (
            'form-data; name="f"; filename="許功蓋.txt"'.encode("gbk"),
            ("f", "許功蓋.txt"),
        ),
    ],
)
def test_parts(raw: bytes, part: tuple[str, str | None]) -> None:
    """
    The names of field and file are found in every form that browsers write.
    """
    assert decodePart(raw) == part


@pytest.mark.parametrize("raw", [b"", b"form-data", b'form-data; filename="a"'])
def test_nameless(raw: bytes) -> None:
    """
    A part without a name is malformed.
    """
    with pytest.raises(MalformedReply):
        decodePart(raw)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"{", b'{"retcode":0}', b"[1]", b'{"retcode":1}' + b" " * 5000]
)
def test_noRefusals(body: bytes) -> None:
    """
    A small file that is JSON is not taken for a refusal.
    """
    assert refusalIn(body) is None


def test_refusal() -> None:
    """
    A refusal in place of a file is found.
    """
    assert refusalIn(b' {"errmsg":"no","retcode":102}\n') == Refusal(102, "no")


def test_groupPicture() -> None:
    """
    A picture in a group is sent with code, key and sig, in the order of the original
    page; text is sent without them.
    """
    picture = GroupPicture("A.jpg", key="k", sig="s")
    content = (Text("x"), picture)
    command = SendQunMsg2(Ticket("1", "p"), Gid(5), content, 7, code=Code(6))
    members = json.loads(command.encodeFields()[0][1])
    assert list(members) == [
        "group_uin",
        "group_code",
        "key",
        "sig",
        "content",
        "msg_id",
        "clientid",
        "psessionid",
    ]
    assert (members["group_code"], members["key"], members["sig"]) == (6, "k", "s")
    assert json.loads(members["content"])[1] == ["cface", "group", "A.jpg"]
    decoded = SendQunMsg2.decodeFields(Form(command.encodeFields()))
    assert (decoded.code, decoded.key, decoded.sig) == (6, "k", "s")
    plain = SendQunMsg2(Ticket("1", "p"), Gid(5), (Text("x"),), 7, code=Code(6))
    assert "sig" not in json.loads(plain.encodeFields()[0][1])
    assert "s'" not in repr(command)
