"""
Settings of a member for one group: the business card, a private name for the
group, and masks of groups and discussions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from msgspec import field

from txwebqq.model import BusinessCard, Code, Did, Gid, Uin
from txwebqq.values import Value
from txwebqq.wire.coerce import count, unsigned
from txwebqq.wire.command import OKReply
from txwebqq.wire.endpoints import ApiGet, ApiPost, CgiPost
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeGivenJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.record import SIGNED, Record

GLOBAL = "cAll"
"""The name of the mask that is for all groups, among those of the groups."""


class OwnCard(Value):
    """
    Our card in a group, with the group and our own uin.
    """

    code: Code
    uin: Uin
    card: BusinessCard


# The constants keep the places of the uin and the code.
_CARD = Record(
    BusinessCard, "phone muin=0 email remark gcode=0 name gender", gender=SIGNED
)


class GetSelfBusinessCard2(ApiGet[OwnCard]):
    """
    Fetch our card in a group; code 100003 means that we have none
    (protocol.md 2.5.3).
    """

    path = "/api/get_self_business_card2"
    isIdempotent = True

    code: Code = field(name="gcode")

    @classmethod
    def encodeResult(cls, reply: OwnCard) -> Any:
        return _CARD.write(reply.card) | {"muin": reply.uin, "gcode": reply.code}

    @classmethod
    def decodeResult(cls, result: Any) -> OwnCard:
        return OwnCard(
            code=unsigned(result.get("gcode", 0)),
            uin=unsigned(result.get("muin") or 0),
            card=_CARD.read(result),
        )


class UpdateGroupBusinessCard2(OKReply, ApiPost[None]):
    """
    Change our card in a group (protocol.md 2.5.3).

    @ivar name: L{None}, also for the others, leaves the detail unchanged.
    """

    path = "/api/update_group_business_card2"
    order = "gcode phone email remark name gender"

    code: Code = field(name="gcode")
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    remark: str | None = None
    gender: int | None = None


class UpdateGroupInfo2(OKReply, ApiPost[None]):
    """
    Set our private name for a group (protocol.md 2.5.3).
    """

    path = "/api/update_group_info2"

    code: Code = field(name="gcode")
    markname: str


class MessageFilter(OKReply, CgiPost[None]):
    """
    Set the masks of groups or of discussions (protocol.md 2.5.3), all in the JSON of
    one parameter, C{itemlist}.

    @ivar groups: masks by gid.
    @ivar discussions: masks by did.
    @ivar globalMask: the mask of all groups, L{None} to leave it unchanged.
    @ivar index: with C{port}, a value that C{login2} returned; without effect.
    """

    path = "/keycgi/qqweb/uac/messagefilter.do"

    groups: Mapping[Gid, int] = {}
    discussions: Mapping[Did, int] = {}
    globalMask: int | None = None
    index: int = 1075
    port: int = 40036

    def encodeFields(self) -> Pairs:
        ends = {"idx": self.index, "port": self.port}
        items: dict[str, Any] = {}
        if self.groups or self.globalMask is not None:
            masks: dict[str, Any] = {str(k): str(v) for k, v in self.groups.items()}
            if self.globalMask is not None:
                masks[GLOBAL] = self.globalMask
            items["groupmask"] = masks | ends
        if self.discussions:
            masks = {str(k): str(v) for k, v in self.discussions.items()}
            items["discumask"] = masks | ends
        return [
            ("retype", "1"),
            ("app", "EQQ"),
            ("itemlist", encodeGivenJSON(items)),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        members = {"itemlist": parseJSON(form.text("itemlist"))}
        return decodeOrMalformed(cls._fromMembers, members, form.ticket)

    @classmethod
    def _fromMembers(cls, members: Any, ticket: Ticket) -> Self:
        items = members["itemlist"]
        groups = dict(items.get("groupmask") or {})
        discussions = dict(items.get("discumask") or {})
        ends = groups or discussions
        everything = groups.pop(GLOBAL, None)
        return cls(
            ticket,
            groups=_masks(groups),
            discussions=_masks(discussions),
            globalMask=None if everything is None else unsigned(everything),
            index=count(ends.get("idx")),
            port=count(ends.get("port")),
        )


def _masks(items: Mapping[str, Any]) -> dict[Any, int]:
    return {
        unsigned(key): unsigned(mask)
        for key, mask in items.items()
        if key not in ("idx", "port", GLOBAL)
    }
