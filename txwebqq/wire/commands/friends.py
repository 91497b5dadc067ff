"""
Friends: finding people, asking and answering, and keeping one's list.

WebQQ's own page could not change the drawers of the list; that has endpoints
of ours in the same style (docs/readings.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from txwebqq.model import Category, Number, Policy, Profile, Uin
from txwebqq.wire.coerce import textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    apiForm,
    apiQuery,
)
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.profilefields import count, decodeProfile, encodeProfile

FROM_MINE, FROM_BOTH = 1, 2
"""The C{delType} of a removal: from one's own list, and from theirs as well."""


def _account(form: Form) -> Number:
    return Number(form.integer("account"))


class _ApiPost(OKCommand):
    """
    A C{POST} to the API server that changes something.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return {}


@dataclass(frozen=True, slots=True)
class SearchQQByUin2(JSONCommand[Profile]):
    """
    Find somebody (protocol.md 2.4.1).

    @ivar name: their number or their mail address.
    @ivar verifySession: the cookie of a captcha, and C{code} its text.
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/search_qq_by_uin2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str
    verifySession: str = field(default="", repr=False)
    code: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", self.name),
            ("verifysession", self.verifySession),
            ("code", self.code),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            form.text("tuin"),
            form.text("verifysession", ""),
            form.text("code", ""),
            form.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: Profile) -> Any:
        return encodeProfile(reply, "tuin")

    @classmethod
    def decodeResult(cls, result: Any) -> Profile:
        return decodeProfile(result, "tuin")


@dataclass(frozen=True, slots=True)
class GetAllowInfo2(JSONCommand[Policy]):
    """
    Who may befriend somebody (protocol.md 2.4.2).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_allow_info2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    uin: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("retainKey", "allow"),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("tuin")), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Policy) -> Any:
        value: dict[str, Any] = {"allow": reply.allow}
        if reply.question:
            value["question"] = reply.question
        return value

    @classmethod
    def decodeResult(cls, result: Any) -> Policy:
        return Policy(unsigned(result["allow"]), textOf(result.get("question", "")))


@dataclass(frozen=True, slots=True)
class AddNeedVerify2(_ApiPost):
    """
    Ask somebody to be one's friend (protocol.md 2.4.3).

    @ivar category: the drawer that they go into.
    @ivar token: what L{SearchQQByUin2} gave.
    @ivar welcome: whether they may have us for a friend in return.
    """

    path: ClassVar[str] = "/api/add_need_verify2"

    ticket: Ticket
    account: Number
    text: str = ""
    category: int = 0
    token: str = field(default="", repr=False)
    welcome: bool = True

    def encodeFields(self) -> Pairs:
        members = {
            "account": self.account,
            "myallow": int(self.welcome),
            "groupid": self.category,
            "msg": self.text,
            "token": self.token,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            _account(form),
            form.text("msg", ""),
            form.integer("groupid", 0),
            form.text("token", ""),
            form.integer("myallow", 1) != 0,
        )


@dataclass(frozen=True, slots=True)
class AddNoVerify2(_ApiPost):
    """
    Befriend somebody who lets anybody (protocol.md 2.4.3).

    @ivar markname: what to call them.
    """

    path: ClassVar[str] = "/api/add_no_verify2"

    ticket: Ticket
    account: Number
    category: int = 0
    markname: str = ""
    token: str = field(default="", repr=False)
    welcome: bool = True

    def encodeFields(self) -> Pairs:
        members = {
            "account": self.account,
            "myallow": int(self.welcome),
            "groupid": self.category,
            "mname": self.markname,
            "token": self.token,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            _account(form),
            form.integer("groupid", 0),
            form.text("mname", ""),
            form.text("token", ""),
            form.integer("myallow", 1) != 0,
        )


@dataclass(frozen=True, slots=True)
class AnswerAndAdd2(_ApiPost):
    """
    Befriend somebody who wants a question answered (protocol.md 2.4.3 knows
    its name only).
    """

    path: ClassVar[str] = "/api/answer_and_add2"

    ticket: Ticket
    account: Number
    answer: str = field(repr=False)
    category: int = 0
    markname: str = ""
    token: str = field(default="", repr=False)
    welcome: bool = True

    def encodeFields(self) -> Pairs:
        members = {
            "account": self.account,
            "myallow": int(self.welcome),
            "groupid": self.category,
            "mname": self.markname,
            "answer": self.answer,
            "token": self.token,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            _account(form),
            form.text("answer"),
            form.integer("groupid", 0),
            form.text("mname", ""),
            form.text("token", ""),
            form.integer("myallow", 1) != 0,
        )


@dataclass(frozen=True, slots=True)
class AllowAndAdd2(_ApiPost):
    """
    Let somebody have us for a friend, and have them in return
    (protocol.md 2.4.4).

    @ivar category: the drawer that they go into.
    """

    path: ClassVar[str] = "/api/allow_and_add2"

    ticket: Ticket
    account: Number
    category: int = 0
    markname: str = ""

    def encodeFields(self) -> Pairs:
        members = {
            "account": self.account,
            "gid": self.category,
            "mname": self.markname,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            _account(form),
            form.integer("gid", 0),
            form.text("mname", ""),
        )


@dataclass(frozen=True, slots=True)
class AllowAddedRequest2(_ApiPost):
    """
    Let somebody have us for a friend, no more (protocol.md 2.4.4).
    """

    path: ClassVar[str] = "/api/allow_added_request2"

    ticket: Ticket
    account: Number

    def encodeFields(self) -> Pairs:
        return apiForm({"account": self.account}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _account(form))


@dataclass(frozen=True, slots=True)
class DenyAddedRequest2(_ApiPost):
    """
    Refuse somebody (protocol.md 2.4.4).

    @ivar text: why.
    """

    path: ClassVar[str] = "/api/deny_added_request2"
    aliases: ClassVar[tuple[str, ...]] = ("/api/deny_add_request2",)

    ticket: Ticket
    account: Number
    text: str = ""

    def encodeFields(self) -> Pairs:
        return apiForm({"account": self.account, "msg": self.text}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _account(form), form.text("msg", ""))


@dataclass(frozen=True, slots=True)
class ChangeMarkName2(_ApiPost):
    """
    Call a friend otherwise (protocol.md 2.4.5).

    @ivar markname: C{""} for what they call themselves.
    """

    path: ClassVar[str] = "/api/change_mark_name2"

    ticket: Ticket
    uin: Uin
    markname: str

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("markname", self.markname),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("tuin")), form.text("markname", ""))


@dataclass(frozen=True, slots=True)
class ModifyFriendGroup(_ApiPost):
    """
    Put a friend into another drawer (protocol.md 2.4.5).
    """

    path: ClassVar[str] = "/api/modify_friend_group"

    ticket: Ticket
    uin: Uin
    category: int

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("newid", str(self.category)),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("tuin")), form.integer("newid"))


@dataclass(frozen=True, slots=True)
class DeleteFriend(_ApiPost):
    """
    Have somebody for a friend no longer (protocol.md 2.4.5).

    @ivar kind: L{FROM_MINE} or L{FROM_BOTH}.
    """

    path: ClassVar[str] = "/api/delete_friend"

    ticket: Ticket
    uin: Uin
    kind: int = FROM_MINE

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("delType", str(self.kind)),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("tuin")),
            form.integer("delType", FROM_MINE),
        )


@dataclass(frozen=True, slots=True)
class CreateFriendGroup(JSONCommand[Category]):
    """
    Add a drawer to the friend list (an endpoint of ours).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/create_friend_group"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str

    def encodeFields(self) -> Pairs:
        return [("name", self.name), ("vfwebqq", self.ticket.vfwebqq)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.text("name"))

    @classmethod
    def encodeResult(cls, reply: Category) -> Any:
        return {"index": reply.index, "sort": reply.sort, "name": reply.name}

    @classmethod
    def decodeResult(cls, result: Any) -> Category:
        return Category(
            unsigned(result["index"]), textOf(result["name"]), count(result.get("sort"))
        )


@dataclass(frozen=True, slots=True)
class RenameFriendGroup(_ApiPost):
    """
    Call a drawer otherwise (an endpoint of ours).
    """

    path: ClassVar[str] = "/api/rename_friend_group"

    ticket: Ticket
    category: int
    name: str

    def encodeFields(self) -> Pairs:
        return [
            ("id", str(self.category)),
            ("name", self.name),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.integer("id"), form.text("name"))


@dataclass(frozen=True, slots=True)
class SortFriendGroup(_ApiPost):
    """
    Put a drawer elsewhere in the list (an endpoint of ours).

    @ivar sort: those with lower ones come before it.
    """

    path: ClassVar[str] = "/api/sort_friend_group"

    ticket: Ticket
    category: int
    sort: int

    def encodeFields(self) -> Pairs:
        return [
            ("id", str(self.category)),
            ("sort", str(self.sort)),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.integer("id"), form.integer("sort"))


@dataclass(frozen=True, slots=True)
class DeleteFriendGroup(_ApiPost):
    """
    Remove a drawer; whoever is in it goes into drawer 0 (an endpoint of ours).
    """

    path: ClassVar[str] = "/api/delete_friend_group"

    ticket: Ticket
    category: int

    def encodeFields(self) -> Pairs:
        return [("id", str(self.category)), ("vfwebqq", self.ticket.vfwebqq)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.integer("id"))
