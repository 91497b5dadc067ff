"""
Notices of groups, and what their members share in them
(protocol.md 5.10, 5.11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    LEFT_ALONE,
    OWNER_CHANGED,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
)
from txwebqq.wire.coerce import textOf, unsigned
from txwebqq.wire.events.codec import EventCodec, commonMembers, numberOrZero

_MEMBER_NAMES = {
    GroupStep.CREATED: ("owner_uin", ""),
    GroupStep.JOINED: ("new_member", "t_new_member"),
    GroupStep.LEFT: ("old_member", "t_old_member"),
    GroupStep.REQUESTED: ("request_uin", "t_request_uin"),
    GroupStep.AGREED: ("", ""),
    GroupStep.DENIED: ("", ""),
    GroupStep.ADMIN: ("uin", "t_uin"),
}
_NEW_OWNER_NAMES = ("new_uin", "t_new_uin")


def _memberNames(step: GroupStep, operation: int) -> tuple[str, str]:
    if step is GroupStep.ADMIN and operation == OWNER_CHANGED:
        return _NEW_OWNER_NAMES
    return _MEMBER_NAMES[step]


def _decodeGroupNotice(value: Mapping[str, Any]) -> GroupNotice:
    step = GroupStep(value["type"])
    operation = numberOrZero(value, "op_type")
    member, memberNumber = _memberNames(step, operation)
    return GroupNotice(
        step=step,
        group=unsigned(value["from_uin"]),
        code=numberOrZero(value, "gcode"),
        number=numberOrZero(value, "t_gcode"),
        recipient=numberOrZero(value, "to_uin"),
        member=numberOrZero(value, member),
        memberNumber=numberOrZero(value, memberNumber),
        admin=numberOrZero(value, "admin_uin"),
        adminTitle=textOf(value.get("admin_nick", "")),
        previous=numberOrZero(value, "old_uin"),
        operation=operation,
        text=textOf(value.get("msg", "")),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
    )


_GROUP_KINDS = {
    GroupStep.CREATED: 38,
    GroupStep.JOINED: 33,
    GroupStep.LEFT: 34,
    GroupStep.REQUESTED: 35,
    GroupStep.AGREED: 36,
    GroupStep.DENIED: 37,
    GroupStep.ADMIN: 44,
}


def _encodeGroupNotice(notice: GroupNotice) -> dict[str, Any]:
    value = commonMembers(notice, notice.group, _GROUP_KINDS[notice.step]) | {
        "type": notice.step.value,
        "gcode": notice.code,
        "t_gcode": notice.number,
    }
    member, memberNumber = _memberNames(notice.step, notice.operation)
    if member:
        value[member] = notice.member
    if memberNumber:
        value[memberNumber] = notice.memberNumber or ""
    match notice.step:
        case GroupStep.JOINED:
            value |= {
                "op_type": notice.operation,
                "admin_uin": notice.admin,
                "admin_nick": notice.adminTitle,
            }
        case GroupStep.LEFT:
            value["op_type"] = notice.operation
            if notice.operation != LEFT_ALONE:
                value |= {"admin_uin": notice.admin, "admin_nick": notice.adminTitle}
        case GroupStep.REQUESTED:
            value["msg"] = notice.text
        case GroupStep.AGREED | GroupStep.DENIED:
            value |= {"admin_uin": notice.admin, "msg": notice.text}
        case GroupStep.ADMIN if notice.operation == OWNER_CHANGED:
            value |= {"op_type": notice.operation, "old_uin": notice.previous}
        case GroupStep.ADMIN:
            value |= {
                "op_type": notice.operation,
                "uin_flag": int(notice.operation in (1, 3)),
            }
    return value


def _decodeGroupWebMessage(value: Mapping[str, Any]) -> GroupWebMessage:
    return GroupWebMessage(
        group=unsigned(value["from_uin"]),
        code=numberOrZero(value, "group_code"),
        sender=unsigned(value["send_uin"]),
        markup=textOf(value["xml"]),
        recipient=numberOrZero(value, "to_uin"),
        groupType=unsigned(value.get("group_type", 1)),
        version=unsigned(value.get("ver", 1)),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
    )


def _encodeGroupWebMessage(message: GroupWebMessage) -> dict[str, Any]:
    return commonMembers(message, message.group, 45) | {
        "group_code": message.code,
        "group_type": message.groupType,
        "ver": message.version,
        "send_uin": message.sender,
        "xml": message.markup,
    }


CODECS = (
    EventCodec("sys_g_msg", GroupNotice, _decodeGroupNotice, _encodeGroupNotice),
    EventCodec(
        "group_web_message",
        GroupWebMessage,
        _decodeGroupWebMessage,
        _encodeGroupWebMessage,
    ),
)
