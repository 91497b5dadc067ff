"""
Friend requests, and changes of the friend list.

WebQQ's own page could not change categories; the commands for them are our own,
in the same style (docs/readings.md).
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
"""The C{delType} of a removal: from our own friend list, or from both lists."""


def _account(form: Form) -> Number:
    return Number(form.integer("account"))


class _ApiPost(OKCommand):
    """
    Base of commands that change the friend list by C{POST}.
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
    Search for an account (protocol.md 2.4.1).

    @ivar name: the permanent number or the mail address of the account.
    @ivar verifySession: the session of a captcha, a cookie, and C{code} its text.
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
    Fetch an account's rule for friend requests (protocol.md 2.4.2).
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
    Send a friend request (protocol.md 2.4.3).

    @ivar category: the category to put the friend in.
    @ivar token: the token that L{SearchQQByUin2} returned.
    @ivar welcome: whether the other account may add us in return.
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
    Add an account that accepts every friend request (protocol.md 2.4.3).

    @ivar markname: our private name for the friend.
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
    Add an account that asks a question, with the answer (only the command's name is
    known, protocol.md 2.4.3).
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
    Accept a friend request, and add the other account in return
    (protocol.md 2.4.4).

    @ivar category: the category to put the friend in.
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
    Accept a friend request without adding the other account
    (protocol.md 2.4.4).
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
    Refuse a friend request (protocol.md 2.4.4).

    @ivar text: the reason.
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
    Set our private name for a friend (protocol.md 2.4.5).

    @ivar markname: C{""} to show the nickname.
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
    Move a friend to another category (protocol.md 2.4.5).
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
    Remove a friend (protocol.md 2.4.5).

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
    Create a category (our own command).
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
    Rename a category (our own command).
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
    Set the position of a category in the friend list (our own command).

    @ivar sort: categories with lower values come first.
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
    Delete a category; its friends go to category 0 (our own command).
    """

    path: ClassVar[str] = "/api/delete_friend_group"

    ticket: Ticket
    category: int

    def encodeFields(self) -> Pairs:
        return [("id", str(self.category)), ("vfwebqq", self.ticket.vfwebqq)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.integer("id"))
