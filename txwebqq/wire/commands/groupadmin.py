"""
Administration of groups.

WebQQ's own page had none, so all of these commands are our own, in the same style
(docs/readings.md).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from txwebqq.model import MAY_ASK, Code, NewGroup, Uin
from txwebqq.wire.command import OKReply
from txwebqq.wire.endpoints import ApiPost
from txwebqq.wire.form import Form
from txwebqq.wire.parameters import Parameter, numbersIn
from txwebqq.wire.record import Record


def _readUins(form: Form, name: str, default: tuple[Uin, ...]) -> tuple[Uin, ...]:
    return numbersIn(form, name) if form.raw(name) else default


class CreateGroup(ApiPost[NewGroup]):
    """
    Create a group, with friends for its first members.

    @ivar option: the rule for joining.
    """

    path = "/api/create_group2"
    result = Record(NewGroup, "gid code account:number")

    name: str
    uins: Annotated[tuple[Uin, ...], Parameter(_readUins, list)] = field(
        name="mem_list", default=()
    )
    memo: str = ""
    description: str = field(name="fingermemo", default="")
    option: int = MAY_ASK


class ModifyGroupInfo(OKReply, ApiPost[None]):
    """
    Change the details of a group.

    @ivar name: L{None}, also for the others, leaves the detail unchanged.
    """

    path = "/api/modify_group_info2"

    code: Code = field(name="gcode")
    name: str | None = None
    memo: str | None = None
    description: str | None = field(name="fingermemo", default=None)
    option: int | None = None


class RemoveGroupMember(OKReply, ApiPost[None]):
    """
    Remove a member from a group that we administer.
    """

    path = "/api/remove_group_member2"

    code: Code = field(name="gcode")
    member: Uin = field(name="muin")


class SetMemberCard(RemoveGroupMember):
    """
    Change the name of a member in a group that we administer.

    @ivar card: C{""} for the nick.
    """

    path = "/api/set_group_card2"

    card: str


class TransferGroup(RemoveGroupMember):
    """
    Make a member the owner of our group.
    """

    path = "/api/transfer_group2"


# Numbers other than 1 revoke.
_GRANTED = Parameter(lambda form, name, _: form.integer(name) == 1, int)


class SetGroupAdmin(OKReply, ApiPost[None]):
    """
    Grant or revoke a member's rights as an administrator of our group.
    """

    path = "/api/set_group_admin2"

    code: Code = field(name="gcode")
    member: Uin = field(name="muin")
    granted: Annotated[bool, _GRANTED] = field(name="op_type")


class DissolveGroup(OKReply, ApiPost[None]):
    """
    Dissolve our group.
    """

    path = "/api/dissolve_group2"

    code: Code = field(name="gcode")
