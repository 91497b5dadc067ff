"""
Presence, signals and changes of friends, and the end of a session
(protocol.md 5.5-5.9, 5.15, 5.16).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    SYSTEM,
    CallRequest,
    FriendshipNotice,
    FriendshipStep,
    KickNotice,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    Tip,
    Typing,
)
from txwebqq.wire.coerce import STATUSES, textOf, unsigned
from txwebqq.wire.events.codec import EventCodec, commonMembers, numberOrZero


def _decodeStatusChange(value: Mapping[str, Any]) -> StatusChange:
    return StatusChange(
        uin=unsigned(value["uin"]),
        status=STATUSES[value["status"]],
        clientType=unsigned(value.get("client_type", 1)),
    )


def _encodeStatusChange(change: StatusChange) -> dict[str, Any]:
    return {
        "uin": change.uin,
        "status": change.status.value,
        "client_type": change.clientType,
    }


def _decodeKickNotice(value: Mapping[str, Any]) -> KickNotice:
    return KickNotice(
        reason=textOf(value.get("reason", "")),
        shown=bool(value.get("show_reason", 0)),
        recipient=unsigned(value.get("to_uin", 0)),
        messageId=unsigned(value.get("msg_id", 0)),
        messageId2=unsigned(value.get("msg_id2", 0)),
    )


def _encodeKickNotice(notice: KickNotice) -> dict[str, Any]:
    return commonMembers(notice, SYSTEM, 48) | {
        "reply_ip": 0,
        "show_reason": int(notice.shown),
        "reason": notice.reason,
    }


def _decodeTyping(value: Mapping[str, Any]) -> Typing:
    return Typing(
        unsigned(value["from_uin"]),
        numberOrZero(value, "to_uin"),
        numberOrZero(value, "msg_id"),
        numberOrZero(value, "msg_id2"),
    )


def _encodeTyping(typing: Typing) -> dict[str, Any]:
    return commonMembers(typing, typing.uin, 121) | {"reply_ip": 4294967295}


def _decodeShake(value: Mapping[str, Any]) -> Shake:
    return Shake(
        unsigned(value["from_uin"]),
        numberOrZero(value, "to_uin"),
        numberOrZero(value, "msg_id"),
        numberOrZero(value, "msg_id2"),
    )


def _encodeShake(shake: Shake) -> dict[str, Any]:
    return commonMembers(shake, shake.uin, 9)


def _decodeFriendship(value: Mapping[str, Any]) -> FriendshipNotice:
    return FriendshipNotice(
        step=FriendshipStep(value["type"]),
        uin=unsigned(value["from_uin"]),
        number=numberOrZero(value, "account"),
        text=textOf(value.get("msg", "")),
        sequence=numberOrZero(value, "seq"),
        category=numberOrZero(value, "group_id"),
        allow=unsigned(value.get("allow", 1)),
        status=Status.fromCode(unsigned(value.get("stat", 20))),
        clientType=numberOrZero(value, "client_type"),
        signature=textOf(value.get("sig", "")),
    )


def _encodeFriendship(notice: FriendshipNotice) -> dict[str, Any]:
    value: dict[str, Any] = {
        "seq": notice.sequence,
        "type": notice.step.value,
        "uiuin": "",
        "from_uin": notice.uin,
        "account": notice.number,
        "stat": notice.status.code,
    }
    if notice.clientType:
        value["client_type"] = notice.clientType
    match notice.step:
        case FriendshipStep.REQUESTED:
            value |= {"msg": notice.text, "allow": notice.allow}
        case FriendshipStep.REJECTED:
            value["msg"] = notice.text
        case FriendshipStep.PASSED_AND_ADDED:
            value["group_id"] = notice.category
        case FriendshipStep.ADDED:
            value["sig"] = notice.signature
    return value


def _decodeRosterChange(value: Mapping[str, Any]) -> RosterChange:
    return RosterChange(
        added=tuple(
            (unsigned(friend["uin"]), numberOrZero(friend, "groupid"))
            for friend in value.get("added_friends") or ()
        ),
        removed=tuple(
            unsigned(friend["uin"]) for friend in value.get("removed_friends") or ()
        ),
    )


def _encodeRosterChange(change: RosterChange) -> dict[str, Any]:
    return {
        "added_friends": [
            {"groupid": category, "uin": uin} for uin, category in change.added
        ],
        "removed_friends": [{"uin": uin} for uin in change.removed],
    }


def _decodeTip(value: Mapping[str, Any]) -> Tip:
    return Tip(
        sender=unsigned(value["from_uin"]),
        url=textOf(value.get("url", "")),
        text=textOf(value.get("txt3", "")),
        messageId=numberOrZero(value, "msg_id"),
    )


def _encodeTip(tip: Tip) -> dict[str, Any]:
    return {
        "msg_id": tip.messageId,
        "from_uin": tip.sender,
        "url": tip.url,
        "txt3": tip.text,
    }


def _decodeCall(value: Mapping[str, Any]) -> CallRequest:
    return CallRequest(
        sender=unsigned(value["from_uin"]),
        messageId=numberOrZero(value, "msg_id"),
        kind=numberOrZero(value, "msg_type"),
    )


def _encodeCall(call: CallRequest) -> dict[str, Any]:
    return {"msg_id": call.messageId, "from_uin": call.sender, "msg_type": call.kind}


CODECS = (
    EventCodec(
        "buddies_status_change", StatusChange, _decodeStatusChange, _encodeStatusChange
    ),
    EventCodec("kick_message", KickNotice, _decodeKickNotice, _encodeKickNotice),
    EventCodec("input_notify", Typing, _decodeTyping, _encodeTyping),
    EventCodec("shake_message", Shake, _decodeShake, _encodeShake),
    EventCodec(
        "system_message", FriendshipNotice, _decodeFriendship, _encodeFriendship
    ),
    EventCodec(
        "buddylist_change", RosterChange, _decodeRosterChange, _encodeRosterChange
    ),
    EventCodec("tips", Tip, _decodeTip, _encodeTip),
    EventCodec("av_request", CallRequest, _decodeCall, _encodeCall),
)
