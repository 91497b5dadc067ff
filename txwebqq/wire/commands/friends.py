"""
Friend requests, and changes of the friend list.

WebQQ's own page could not change categories; the commands for them are our own,
in the same style (docs/readings.md).
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import field

from txwebqq.model import (
    Category,
    FriendshipNotice,
    GroupNotice,
    Number,
    Policy,
    Profile,
    Uin,
)
from txwebqq.values import Secret
from txwebqq.wire.coerce import decodeEach
from txwebqq.wire.command import OKReply
from txwebqq.wire.endpoints import ApiForm, ApiGet, ApiPost
from txwebqq.wire.events.envelope import decodeEnvelope, encodeEvent
from txwebqq.wire.profilefields import FOUND_PROFILE
from txwebqq.wire.record import SIGNED, UNSIGNED, Record

FROM_MINE, FROM_BOTH = 1, 2
"""The C{delType} of a removal: from our own friend list, or from both lists."""


class SearchQQByUin2(ApiGet[Profile]):
    """
    Search for an account (protocol.md 2.4.1).

    @ivar name: the permanent number or the mail address of the account.
    @ivar verifySession: the session of a captcha, a cookie, and C{code} its text.
    """

    path = "/api/search_qq_by_uin2"
    result = FOUND_PROFILE

    name: str = field(name="tuin")
    verifySession: Secret = field(name="verifysession", default="")
    code: str = ""


class GetAllowInfo2(ApiGet[Policy]):
    """
    Fetch an account's rule for friend requests (protocol.md 2.4.2).
    """

    path = "/api/get_allow_info2"
    order = "tuin retainKey=allow"
    result = Record(Policy, "allow! [question]")

    uin: Uin = field(name="tuin")


class AddNeedVerify2(OKReply, ApiPost[None]):
    """
    Send a friend request (protocol.md 2.4.3).

    @ivar category: the category to put the friend in.
    @ivar token: the token that L{SearchQQByUin2} returned.
    @ivar welcome: whether the other account may add us in return.
    """

    path = "/api/add_need_verify2"
    order = "account myallow groupid msg token"

    account: Number
    text: str = field(name="msg", default="")
    category: int = field(name="groupid", default=0)
    token: Secret = ""
    welcome: bool = field(name="myallow", default=True)


class AddNoVerify2(OKReply, ApiPost[None]):
    """
    Add an account that accepts every friend request (protocol.md 2.4.3).

    @ivar markname: our private name for the friend.
    """

    path = "/api/add_no_verify2"
    order = "account myallow groupid mname token"

    account: Number
    category: int = field(name="groupid", default=0)
    markname: str = field(name="mname", default="")
    token: Secret = ""
    welcome: bool = field(name="myallow", default=True)


class AnswerAndAdd2(OKReply, ApiPost[None]):
    """
    Add an account that asks a question, with the answer (only the command's name is
    known, protocol.md 2.4.3).
    """

    path = "/api/answer_and_add2"
    order = "account myallow groupid mname answer token"

    account: Number
    answer: Secret
    category: int = field(name="groupid", default=0)
    markname: str = field(name="mname", default="")
    token: Secret = ""
    welcome: bool = field(name="myallow", default=True)


class AllowAndAdd2(OKReply, ApiPost[None]):
    """
    Accept a friend request, and add the other account in return
    (protocol.md 2.4.4).

    @ivar category: the category to put the friend in.
    """

    path = "/api/allow_and_add2"

    account: Number
    category: int = field(name="gid", default=0)
    markname: str = field(name="mname", default="")


class AllowAddedRequest2(OKReply, ApiPost[None]):
    """
    Accept a friend request without adding the other account
    (protocol.md 2.4.4).
    """

    path = "/api/allow_added_request2"

    account: Number


class DenyAddedRequest2(OKReply, ApiPost[None]):
    """
    Refuse a friend request (protocol.md 2.4.4).

    @ivar text: the reason.
    """

    path = "/api/deny_added_request2"
    aliases = ("/api/deny_add_request2",)

    account: Number
    text: str = field(name="msg", default="")


Request: TypeAlias = FriendshipNotice | GroupNotice


class GetRequests2(ApiGet[tuple[Request, ...]]):
    """
    Fetch the requests that wait for our answer, as the events that told of them (our
    own command, protocol.md 2.4.6).
    """

    path = "/api/get_requests2"
    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: tuple[Request, ...]) -> Any:
        return [encodeEvent(event) for event in reply]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Request, ...]:
        events = decodeEach(decodeEnvelope, result)
        return tuple(event for event in events if isinstance(event, Request))


_BLOCKED = Record(Profile, "account:number uin nick?", number=UNSIGNED)


class GetBlocked2(ApiGet[tuple[Profile, ...]]):
    """
    Fetch the accounts that we have blocked (our own command, protocol.md 2.8.4): of
    each profile the number, the uin and the nick only.
    """

    path = "/api/get_blocked2"
    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: tuple[Profile, ...]) -> Any:
        return [_BLOCKED.write(profile) for profile in reply]

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Profile, ...]:
        return tuple(decodeEach(_BLOCKED.read, result))


class ChangeMarkName2(OKReply, ApiForm[None]):
    """
    Set our private name for a friend (protocol.md 2.4.5).

    @ivar markname: C{""} to show the nickname.
    """

    path = "/api/change_mark_name2"

    uin: Uin = field(name="tuin")
    markname: str = ""


class ModifyFriendGroup(OKReply, ApiForm[None]):
    """
    Move a friend to another category (protocol.md 2.4.5).
    """

    path = "/api/modify_friend_group"

    uin: Uin = field(name="tuin")
    category: int = field(name="newid")


class DeleteFriend(OKReply, ApiForm[None]):
    """
    Remove a friend (protocol.md 2.4.5).

    @ivar kind: L{FROM_MINE} or L{FROM_BOTH}.
    """

    path = "/api/delete_friend"

    uin: Uin = field(name="tuin")
    kind: int = field(name="delType", default=FROM_MINE)


class CreateFriendGroup(ApiForm[Category]):
    """
    Create a category (our own command).
    """

    path = "/api/create_friend_group"
    result = Record(Category, "index sort name", sort=SIGNED)

    name: str


class RenameFriendGroup(OKReply, ApiForm[None]):
    """
    Rename a category (our own command).
    """

    path = "/api/rename_friend_group"

    category: int = field(name="id")
    name: str


class SortFriendGroup(OKReply, ApiForm[None]):
    """
    Set the position of a category in the friend list (our own command).

    @ivar sort: categories with lower values come first.
    """

    path = "/api/sort_friend_group"

    category: int = field(name="id")
    sort: int


class DeleteFriendGroup(OKReply, ApiForm[None]):
    """
    Delete a category; its friends go to category 0 (our own command).
    """

    path = "/api/delete_friend_group"

    category: int = field(name="id")
