"""
Recalls, mutes, pokes and reactions.

WebQQ had none, so all of these commands are our own, in the same style
(docs/protocol.md 2.9).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from txwebqq.model import Code, Face, Gid, Text, Uin
from txwebqq.wire.command import OKReply
from txwebqq.wire.endpoints import ApiPost, ChannelPost
from txwebqq.wire.events.interaction import readFace, writeFace
from txwebqq.wire.form import Form
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.parameters import Parameter


class RecallBuddyMsg2(OKReply, ChannelPost[None]):
    """
    Recall a message that we have sent to a friend.

    @ivar id: the id of the message (L{txwebqq.model.Sent}).
    """

    path = "/channel/recall_buddy_msg2"

    to: Uin
    id: int = field(name="msg_id2")


class RecallQunMsg2(OKReply, ChannelPost[None]):
    """
    Recall a message in a group: one of ours, or any in a group that we administer.

    @ivar id: the id of the message (L{txwebqq.model.Received.id}).
    """

    path = "/channel/recall_qun_msg2"

    group: Gid = field(name="group_uin")
    id: int = field(name="msg_id2")


class MuteGroupMember(OKReply, ApiPost[None]):
    """
    Mute a member of a group that we administer, or all members.

    @ivar member: 0 for all members but the owner and administrators.
    @ivar seconds: 0 ends the mute.
    """

    path = "/api/mute_group_member2"
    isIdempotent = True

    code: Code = field(name="gcode")
    member: Uin = field(name="muin")
    seconds: int


class PokeGroupMember(OKReply, ChannelPost[None]):
    """
    Poke a member of a group.
    """

    path = "/channel/poke_group_member2"

    group: Gid = field(name="group_uin")
    member: Uin = field(name="muin")


def _readFace(form: Form, name: str, default: None) -> Face | Text:
    return decodeOrMalformed(lambda members: readFace(members[name]), form.r)


class SetReaction(OKReply, ChannelPost[None]):
    """
    React to a message in a group, or take a reaction back.

    @ivar id: the id of the message (L{txwebqq.model.Received.id}).
    """

    path = "/channel/set_reaction2"
    isIdempotent = True

    group: Gid = field(name="group_uin")
    id: int = field(name="msg_id2")
    face: Annotated[Face | Text, Parameter(_readFace, writeFace)]
    isSet: bool = field(name="op_type")
