"""
Errors that say where in a reply they are.
"""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.wire.coerce import Expected, decodeEach, textOf, unsigned
from txwebqq.wire.command import Command
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetFriendUin2,
    GetGroupInfoExt2,
)
from txwebqq.wire.commands.discussions import GetDiscuInfo
from txwebqq.wire.commands.groupmember import MessageFilter
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.profiles import GetVfwebqq2
from txwebqq.wire.commands.signon import Login2
from txwebqq.wire.form import Form
from txwebqq.wire.locating import decodeOrMalformed


def decodeFiles(value: Any) -> list[Any]:
    """
    Decode as many decoders do: by names, by indices, with defaults.
    """
    names = [textOf(file["name"]) for file in value["files"]]
    first = unsigned(value.get("sizes", [0])[0])
    return [names, first, [unsigned(each) for _, each in value.get("by", {}).items()]]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "files is missing"),
        ({"files": [{"name": "a"}, {}]}, "files[1].name is missing"),
        ({"files": [{"name": []}]}, "files[0].name: expected a text"),
        ({"files": [5]}, "files[0]: expected another value"),
        ({"files": [[]]}, "files[0]: expected an object"),
        ({"files": 5}, "files: expected another value"),
        ({"files": [], "sizes": ["x"]}, "sizes[0]: expected an integer"),
        ({"files": [], "sizes": [2**63]}, "sizes[0]: expected an integer of"),
        ({"files": [], "sizes": [-1]}, "sizes[0]: expected a number of at least 0"),
        ({"files": [], "sizes": []}, "sizes: expected another value"),
        ({"files": [], "by": {"secret": "x"}}, "by: expected an integer"),
        ([], "expected an object"),
        (None, "expected another value"),
    ],
)
def test_where(value: Any, reason: str) -> None:
    """
    The text says which member was not as expected, without names and values that
    come from the reply.
    """
    with pytest.raises(MalformedReply) as caught:
        decodeOrMalformed(decodeFiles, value)
    assert str(caught.value).startswith(reason)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_decoded() -> None:
    """
    A value of the right shape is decoded, with the further arguments.
    """
    value = {"files": [{"name": "a"}], "sizes": ["5"], "by": {"b": 6}}
    assert decodeOrMalformed(decodeFiles, value) == [["a"], 5, [6]]
    assert decodeOrMalformed(lambda value, more: value + more, [1], [2]) == [1, 2]


def test_otherwise() -> None:
    """
    A decoder that succeeds, or fails otherwise, the second time still fails.
    """
    for again in (None, MalformedReply("again")):
        failures: list[Exception | None] = [Expected("a text"), again]

        def decode(value: Any, failures: Any = failures) -> None:
            failure = failures.pop(0)
            if failure is not None:
                raise failure

        with pytest.raises(MalformedReply, match=r"^expected a text$"):
            decodeOrMalformed(decode, {})


@pytest.mark.parametrize(
    ("command", "result", "reason"),
    [
        (GetFriendUin2, '{"uin":"x","account":5}', "uin: expected an integer"),
        (GetFriendUin2, '{"uin":5}', "account is missing"),
        (GetFriendInfo2, '{"uin":5,"birthday":{"year":"x"}}', "birthday.year: "),
        (GetGroupInfoExt2, '{"ginfo":{"gid":5,"code":[]}}', "ginfo.code: expected"),
        (GetGroupInfoExt2, '{"minfo":[]}', "ginfo is missing"),
        (GetDiscuInfo, '{"info":{"did":""}}', "info.did: expected an integer"),
        (GetVfwebqq2, '["vfwebqq",{}]', "[1]: expected a text"),
        (GetVfwebqq2, "7", "expected another value"),
    ],
)
def test_replies(command: type[Command[Any]], result: str, reason: str) -> None:
    """
    So do errors about the replies of other servers.
    """
    with pytest.raises(MalformedReply) as caught:
        command.decodeReply(f'{{"retcode":0,"result":{result}}}'.encode())
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("command", "r", "reason"),
    [
        (Login2, {"status": "asleep"}, "status is not a status"),
        (MessageFilter, {"itemlist": "5"}, "itemlist: expected another value"),
        (MessageFilter, {"itemlist": "[]"}, "itemlist: expected an object"),
        (MessageFilter, {"itemlist": '{"groupmask":{"x":1}}'}, "itemlist.groupmask: "),
        (Poll2, {"ids": [1, []]}, "ids[1]: expected a text"),
    ],
)
def test_requests(command: type[Command[Any]], r: Any, reason: str) -> None:
    """
    So do errors about requests.
    """
    with pytest.raises(MalformedReply) as caught:
        command.decodeFields(Form([("r", json.dumps(r))]))
    assert str(caught.value).startswith(reason)


def test_retcode() -> None:
    """
    A reply without a code says so.
    """
    with pytest.raises(MalformedReply, match=r"^retcode is missing$"):
        Poll2.decodeReply(b'{"result":[]}')


def test_rows() -> None:
    """
    Rows of an unexpected shape are left out where one must not cost the others.
    """
    rows = [{"n": 1}, {}, 5, {"n": "x"}, {"n": "2"}]
    assert list(decodeEach(lambda row: unsigned(row["n"]), rows)) == [1, 2]
