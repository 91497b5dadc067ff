"""
Administration of groups.

WebQQ's own page had none, so all of these commands are our own, in the same style
(docs/readings.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import MAY_ASK, NewGroup, Uin
from txwebqq.wire.coerce import unsigned
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer, apiForm
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.oldparameters import (
    GroupPost,
    groupCode,
    optionalNumber,
    optionalText,
)


class CreateGroup(JSONCommand[NewGroup]):
    """
    Create a group, with friends for its first members.

    @ivar option: the rule for joining.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/create_group2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str
    uins: tuple[Uin, ...] = ()
    memo: str = ""
    description: str = ""
    option: int = MAY_ASK

    def encodeFields(self) -> Pairs:
        members = {
            "name": self.name,
            "mem_list": list(self.uins),
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        uins = form.raw("mem_list") or ()
        try:
            friends = tuple(Uin(unsigned(uin)) for uin in uins)
        except (TypeError, ValueError) as e:
            raise MalformedReply("mem_list is not a list of numbers") from e
        return cls(
            form.ticket,
            form.text("name"),
            friends,
            form.text("memo", ""),
            form.text("fingermemo", ""),
            form.integer("option", MAY_ASK),
        )

    @classmethod
    def encodeResult(cls, reply: NewGroup) -> Any:
        return {"gid": reply.gid, "code": reply.code, "account": reply.number}

    @classmethod
    def decodeResult(cls, result: Any) -> NewGroup:
        return NewGroup(
            unsigned(result["gid"]),
            unsigned(result["code"]),
            unsigned(result["account"]),
        )


class ModifyGroupInfo(GroupPost):
    """
    Change the details of a group.

    @ivar name: L{None}, also for the others, leaves the detail unchanged.
    """

    path: ClassVar[str] = "/api/modify_group_info2"

    name: str | None = None
    memo: str | None = None
    description: str | None = None
    option: int | None = None

    def encodeMembers(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            groupCode(form),
            name=optionalText(form, "name"),
            memo=optionalText(form, "memo"),
            description=optionalText(form, "fingermemo"),
            option=optionalNumber(form, "option"),
        )


class RemoveGroupMember(GroupPost):
    """
    Remove a member from a group that we administer.
    """

    path: ClassVar[str] = "/api/remove_group_member2"

    member: Uin

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member}

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, groupCode(form), Uin(form.integer("muin")))


class TransferGroup(RemoveGroupMember):
    """
    Make a member the owner of our group.
    """

    path: ClassVar[str] = "/api/transfer_group2"


class SetGroupAdmin(GroupPost):
    """
    Grant or revoke a member's rights as an administrator of our group.
    """

    path: ClassVar[str] = "/api/set_group_admin2"

    member: Uin
    granted: bool

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member, "op_type": int(self.granted)}

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            groupCode(form),
            Uin(form.integer("muin")),
            form.integer("op_type") == 1,
        )


class DissolveGroup(GroupPost):
    """
    Dissolve our group.
    """

    path: ClassVar[str] = "/api/dissolve_group2"
