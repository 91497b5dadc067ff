"""
Rows of recalls, mutes, pokes and reactions (L{tests.wire.rows}), and their URLs.
"""

from __future__ import annotations

from tests.wire.group_rows import inForm, inR
from tests.wire.rows import API, CHANNEL, LIN, OK, TEAHOUSE, TEAHOUSE_CODE, Row
from txwebqq.model import Face, Text, Uin
from txwebqq.wire.commands.interaction import (
    MuteGroupMember,
    PokeGroupMember,
    RecallBuddyMsg2,
    RecallQunMsg2,
    SetReaction,
)

INTERACTION_ROWS: tuple[Row, ...] = (
    Row(
        RecallBuddyMsg2(CHANNEL, LIN, 158459),
        inForm('"to":2963008411,"msg_id2":158459', verified=False),
        None,
        OK,
    ),
    Row(
        RecallQunMsg2(CHANNEL, TEAHOUSE, 886022),
        inForm('"group_uin":3344551122,"msg_id2":886022', verified=False),
        None,
        OK,
    ),
    Row(
        MuteGroupMember(API, TEAHOUSE_CODE, LIN, 600),
        inR('"gcode":1821777555,"muin":2963008411,"seconds":600'),
        None,
        OK,
    ),
    Row(
        MuteGroupMember(API, TEAHOUSE_CODE, Uin(0), 0),
        inR('"gcode":1821777555,"muin":0,"seconds":0'),
        None,
        OK,
    ),
    Row(
        PokeGroupMember(CHANNEL, TEAHOUSE, LIN),
        inForm('"group_uin":3344551122,"muin":2963008411', verified=False),
        None,
        OK,
    ),
    Row(
        SetReaction(CHANNEL, TEAHOUSE, 886022, Face(14), True),
        inForm(
            '"group_uin":3344551122,"msg_id2":886022,"face":14,"op_type":1',
            verified=False,
        ),
        None,
        OK,
    ),
    Row(
        SetReaction(CHANNEL, TEAHOUSE, 886022, Text("♥"), False),
        inForm(
            '"group_uin":3344551122,"msg_id2":886022,"face":"♥","op_type":0',
            verified=False,
        ),
        None,
        OK,
    ),
)

_CHANNEL = {
    "RecallBuddyMsg2": "recall_buddy_msg2",
    "RecallQunMsg2": "recall_qun_msg2",
    "PokeGroupMember": "poke_group_member2",
    "SetReaction": "set_reaction2",
}

INTERACTION_URLS = {
    **{
        name: ("POST", f"http://d.web2.qq.com/channel/{path}", "CHANNEL")
        for name, path in _CHANNEL.items()
    },
    "MuteGroupMember": (
        "POST",
        "http://s.web2.qq.com/api/mute_group_member2",
        "API",
    ),
}
