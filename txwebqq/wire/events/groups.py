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
from txwebqq.wire.coerce import unsigned
from txwebqq.wire.events.codec import EventCodec, commonMembers
from txwebqq.wire.record import Record, words

_KINDS = {
    GroupStep.CREATED: (38, "owner_uin:member"),
    GroupStep.JOINED: (33, "new_member:member t_new_member:memberNumber"),
    GroupStep.LEFT: (34, "old_member:member t_old_member:memberNumber"),
    GroupStep.REQUESTED: (35, "request_uin:member t_request_uin:memberNumber"),
    GroupStep.AGREED: (36, ""),
    GroupStep.DENIED: (37, ""),
    GroupStep.ADMIN: (44, "uin:member t_uin:memberNumber"),
    # Ours.
    GroupStep.INVITED: (87, ""),
}
_NEW_OWNER = (44, "new_uin:member t_new_uin:memberNumber")
_ADMIN = "admin_uin:admin admin_nick:adminTitle"
_DETAILS = {
    GroupStep.JOINED: f"op_type:operation {_ADMIN}",
    GroupStep.LEFT: f"op_type:operation {_ADMIN}",
    GroupStep.REQUESTED: "msg:text",
    GroupStep.AGREED: "admin_uin:admin msg:text",
    GroupStep.DENIED: "admin_uin:admin msg:text",
    GroupStep.ADMIN: "op_type:operation",
    GroupStep.INVITED: "admin_uin:admin msg:text",
}
_ANY_DETAILS = f"op_type:operation {_ADMIN} old_uin:previous msg:text"


def _notice(kind: tuple[int, str], details: str) -> Record[GroupNotice]:
    number, member = kind
    return Record(
        GroupNotice,
        commonMembers("group", number)
        + f"type:step gcode:code? t_gcode:number? {member} {details}",
        step=words(GroupStep),
        # Hidden numbers are empty.
        memberNumber=(unsigned, lambda number: number or ""),
    )


_READ = {step: _notice(kind, _ANY_DETAILS) for step, kind in _KINDS.items()}
_READ_NEW_OWNER = _notice(_NEW_OWNER, _ANY_DETAILS)
_WRITTEN = {
    step: _notice(kind, _DETAILS.get(step, "")) for step, kind in _KINDS.items()
}
_WRITTEN_LEFT_ALONE = _notice(_KINDS[GroupStep.LEFT], "op_type:operation")
_WRITTEN_NEW_OWNER = _notice(_NEW_OWNER, "op_type:operation old_uin:previous")


def _decodeGroupNotice(value: Mapping[str, Any]) -> GroupNotice:
    step = GroupStep(value["type"])
    operation = unsigned(value.get("op_type") or 0)
    if step is GroupStep.ADMIN and operation == OWNER_CHANGED:
        return _READ_NEW_OWNER.read(value)
    return _READ[step].read(value)


def _encodeGroupNotice(notice: GroupNotice) -> dict[str, Any]:
    match notice.step:
        case GroupStep.LEFT if notice.operation == LEFT_ALONE:
            return _WRITTEN_LEFT_ALONE.write(notice)
        case GroupStep.ADMIN if notice.operation == OWNER_CHANGED:
            return _WRITTEN_NEW_OWNER.write(notice)
    value = _WRITTEN[notice.step].write(notice)
    if notice.step is GroupStep.ADMIN:
        value["uin_flag"] = int(notice.operation in (1, 3))
    return value


CODECS: tuple[EventCodec[Any], ...] = (
    EventCodec(
        "sys_g_msg",
        GroupNotice,
        _decodeGroupNotice,
        _encodeGroupNotice,
    ),
    EventCodec.ofRecord(
        "group_web_message",
        Record(
            GroupWebMessage,
            commonMembers("group", 45)
            + "group_code:code? group_type:groupType ver:version"
            " send_uin:sender xml:markup",
        ),
    ),
)
