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
    FriendEdited,
    FriendshipNotice,
    FriendshipStep,
    KickNotice,
    RosterChange,
    Shake,
    StatusChange,
    Tip,
    Typing,
)
from txwebqq.wire.coerce import unsigned
from txwebqq.wire.events.codec import EventCodec, commonMembers
from txwebqq.wire.record import STATUS_CODE, STATUS_WORD, Record, words

_FRIENDSHIP = (
    "seq:sequence type:step uiuin= from_uin:uin account:number stat:status"
    " [client_type:clientType] "
)
_DETAILS = {
    FriendshipStep.REQUESTED: "msg:text allow",
    FriendshipStep.REJECTED: "msg:text",
    FriendshipStep.PASSED_AND_ADDED: "group_id:category",
    FriendshipStep.ADDED: "sig:signature",
}


def _friendship(details: str) -> Record[FriendshipNotice]:
    return Record(
        FriendshipNotice,
        _FRIENDSHIP + details,
        step=words(FriendshipStep),
        status=STATUS_CODE,
    )


_WRITTEN = {step: _friendship(_DETAILS.get(step, "")) for step in FriendshipStep}


def _encodeFriendship(notice: FriendshipNotice) -> dict[str, Any]:
    return _WRITTEN[notice.step].write(notice)


def _decodeRosterChange(value: Mapping[str, Any]) -> RosterChange:
    return RosterChange(
        added=tuple(
            (unsigned(friend["uin"]), unsigned(friend.get("groupid") or 0))
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


CODECS: tuple[EventCodec[Any], ...] = (
    EventCodec.ofRecord(
        "buddies_status_change",
        Record(StatusChange, "uin status client_type:clientType", status=STATUS_WORD),
    ),
    EventCodec.ofRecord(
        "kick_message",
        Record(
            KickNotice,
            commonMembers(f"={SYSTEM}", 48, 0) + "show_reason:shown? reason?",
            # Any value but 0, "" and null asks to show the text.
            shown=(bool, int),
        ),
    ),
    EventCodec.ofRecord(
        "input_notify", Record(Typing, commonMembers("uin", 121, 4294967295))
    ),
    EventCodec.ofRecord("shake_message", Record(Shake, commonMembers("uin", 9))),
    EventCodec(
        "system_message",
        FriendshipNotice,
        _friendship("msg:text allow group_id:category sig:signature").read,
        _encodeFriendship,
    ),
    EventCodec(
        "buddylist_change",
        RosterChange,
        _decodeRosterChange,
        _encodeRosterChange,
    ),
    EventCodec.ofRecord("friend_edit", Record(FriendEdited, "uin nick")),
    EventCodec.ofRecord(
        "tips", Record(Tip, "msg_id:messageId from_uin:sender url? txt3:text?")
    ),
    EventCodec.ofRecord(
        "av_request",
        Record(CallRequest, "msg_id:messageId from_uin:sender msg_type:kind"),
    ),
)
