"""
Requests about groups and settings in the ways in which clients may write them, and
odd replies.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.model import GroupProfile
from txwebqq.wire.command import Command
from txwebqq.wire.commands.friends import SearchQQByUin2
from txwebqq.wire.commands.groupadmin import (
    CreateGroup,
    ModifyGroupInfo,
    SetGroupAdmin,
)
from txwebqq.wire.commands.groupmember import GetSelfBusinessCard2, OwnCard
from txwebqq.wire.commands.groups import (
    MAX_CODES,
    GetGroupInfo,
    GetGroupPublicInfo2,
    SendGroupWebMsg,
)
from txwebqq.wire.commands.settings import GetAllSettings, SetManySettings
from txwebqq.wire.form import Form, Ticket, encodeForm


def read(command: type[Command[Any]], **parameters: Any) -> Any:
    """
    Return a request as the server reads it, with parameters in C{r}.
    """
    return command.decodeFields(Form([("r", json.dumps(parameters))]))


@pytest.mark.parametrize("codes", ["7, 8", "[7,8]", '["7","8"]', " [7,8] "])
def test_codes(codes: str) -> None:
    """
    The codes of groups may be a list, or have no brackets.
    """
    request = GetGroupInfo.decodeFields(Form([("gcode", codes)]))
    assert request.codes == (7, 8)


@pytest.mark.parametrize(
    ("codes", "word", "isBare"),
    [
        ("7", "memo", True),
        ("7", "memo,gcode", False),
        ("7,8", "memo", False),
        ("", "memo", False),
    ],
)
def test_bare(codes: str, word: str, isBare: bool) -> None:
    """
    Only a request for the announcement of one group alone is for a reply without a
    list.
    """
    form = Form([("gcode", codes), ("retainKey", word)])
    assert GetGroupInfo.decodeFields(form).isBare is isBare


def test_tooManyCodes() -> None:
    """
    The number of groups in a request is limited.
    """
    form = Form([("gcode", json.dumps([7] * MAX_CODES))])
    assert len(GetGroupInfo.decodeFields(form).codes) == MAX_CODES
    form = Form([("gcode", json.dumps([7] * (MAX_CODES + 1)))])
    with pytest.raises(MalformedReply, match="gcode has more than 500"):
        GetGroupInfo.decodeFields(form)


@pytest.mark.parametrize(
    ("friends", "uins"),
    [(None, ()), ("", ()), ([], ()), ([5, "6"], (5, 6)), ("[5,6]", (5, 6))],
)
def test_friends(friends: Any, uins: tuple[int, ...]) -> None:
    """
    The members of a new group may be missing, or be a text.
    """
    assert read(CreateGroup, name="a", mem_list=friends).uins == uins


def test_noFriends() -> None:
    """
    A new member that is not a number is malformed.
    """
    with pytest.raises(MalformedReply, match=r"mem_list\[1\]: expected an integer"):
        read(CreateGroup, name="a", mem_list=[5, "x"])


@pytest.mark.parametrize(("kind", "granted"), [(0, False), ("1", True), (2, False)])
def test_granted(kind: Any, granted: bool) -> None:
    """
    Only 1 makes a member an administrator.
    """
    request = read(SetGroupAdmin, gcode=7, muin=5, op_type=kind)
    assert request.granted is granted


def test_unchanged() -> None:
    """
    A detail that is missing is unchanged, an empty text is set, and an empty number
    is unchanged.
    """
    request = read(ModifyGroupInfo, gcode=7, memo="", option="")
    assert request == ModifyGroupInfo(Ticket(), request.code, memo="")


@pytest.mark.parametrize("hidden", [{}, {"option": None}, {"option": ""}])
def test_hiddenOption(hidden: dict[str, Any]) -> None:
    """
    A rule for joining that a server does not tell is 0.
    """
    info = {"gid": 1, "code": 2, "name": "a", "owner": "", "flag": -1} | hidden
    body = json.dumps({"retcode": 0, "result": {"ginfo": info}})
    profile = GetGroupPublicInfo2.decodeReply(body.encode())
    assert isinstance(profile, GroupProfile)
    assert (profile.option, profile.owner, profile.flag) == (0, 0, -1)


@pytest.mark.parametrize("hidden", [{}, {"gender": None}, {"gender": ""}])
def test_hiddenGender(hidden: dict[str, Any]) -> None:
    """
    A gender that a server does not tell is not stated.
    """
    body = json.dumps({"retcode": 0, "result": {"name": "a"} | hidden})
    card = GetSelfBusinessCard2.decodeReply(body.encode())
    assert isinstance(card, OwnCard)
    assert (card.card.gender, card.code, card.uin) == (2, 0, 0)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({}, "applist is not a list"),
        ([{"appid": "50", "itemlist": {}}], "applist has an item without an appid"),
        ([{"appid": 2**63, "itemlist": {}}], "applist has an appid out of range"),
        ([{"appid": 50}], "itemlist is not an object"),
        ([{"appid": 50, "itemlist": {"a": 2**63}}], "itemlist has a number out of"),
    ],
)
def test_malformedApps(items: Any, text: str) -> None:
    """
    Settings of several applications are objects, by numbers.
    """
    with pytest.raises(MalformedReply, match=text):
        read(SetManySettings, applist=items)


def test_noTicket() -> None:
    """
    Parts of a ticket that there are none of yet are empty, except for the
    C{psessionid}, which is the word that Tencent's own page sent.
    """
    (_, *settings) = GetAllSettings(Ticket()).encodeFields()
    assert settings == [("vfwebqq", "")]
    request = read(SendGroupWebMsg, group_uin=7, xml="<d/>")
    (_, *channel) = request.encodeFields()
    assert channel == [("clientid", ""), ("psessionid", "null")]


def test_notText() -> None:
    """
    A parameter of a query that is neither a text nor a number cannot be sent.
    """
    name: Any = b"bytes"
    with pytest.raises(TypeError):
        encodeForm(SearchQQByUin2(Ticket(), name).encodeFields())
