"""
Discussions (protocol.md 2.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Content,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    DiscussionMember,
    Font,
    Gid,
    Presence,
    Sent,
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import column, decodeEach, listIn, textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    JSONCommand,
    Refusal,
    SentReply,
    decodeJSONReply,
)
from txwebqq.wire.content import decodeSent, encodeSent, signatureOf
from txwebqq.wire.endpoints import (
    ChannelGet,
    ChannelPost,
    postFields,
    sendIdIn,
    sendIdMember,
)
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.parameters import numbersIn
from txwebqq.wire.record import STATUS_WORD, Record

R = TypeVar("R")

GLOBAL_MASK = 1000
"""The did in the list of masks whose mask is that of all discussions."""

MAX_INVITED = 200
"""Maximum number of accounts in one invitation."""


class DiscussionError(Refusal):
    """
    A refusal with C{retcode} 0, and its code in C{result.error} or C{result.result}.
    """


GONE = DiscussionError(3, "no such discussion")
RENAME_GONE = DiscussionError(1, GONE.errmsg)
RENAME_FORBIDDEN = DiscussionError(2, "a discussion cannot have that name")
TOO_FEW = DiscussionError(1, "a discussion needs at least two other members")
TOO_MANY = DiscussionError(2, "too many members, or too many discussions of yours")


class _MayFail(JSONCommand[R]):
    """
    The reply of commands that the server may refuse with C{retcode} 0.

    @cvar errors: the refusals that the command may get.
    @cvar errorName: the member of C{result} with the refusal's code.
    """

    errors: ClassVar[tuple[DiscussionError, ...]] = (GONE,)
    errorName: ClassVar[str] = "error"

    @classmethod
    def encodeReply(cls, reply: R | Refusal) -> bytes:
        if isinstance(reply, DiscussionError):
            result = {cls.errorName: reply.retcode}
            return encodeJSON({"retcode": 0, "result": result}).encode()
        return super().encodeReply(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> R | Refusal:
        return decodeJSONReply(body, cls._resultOrError)

    @classmethod
    def _resultOrError(cls, result: Any) -> R | Refusal:
        code = result.get(cls.errorName) if isinstance(result, dict) else None
        if not code:
            return cls.decodeResult(result)
        number = unsigned(code)
        for error in cls.errors:
            if error.retcode == number:
                return error
        return DiscussionError(number)


class _OKResult:
    """
    The C{result} C{"ok"} of such a command.
    """

    __slots__ = ()

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return "ok"

    @classmethod
    def decodeResult(cls, result: Any) -> None:
        return None


class _Post(_MayFail[R], ChannelPost[R]):
    """
    Base of commands that change a discussion.
    """

    tail = "clientid psessionid vfwebqq"

    def encodeMembers(self, members: Mapping[str, Any]) -> Pairs:
        """
        Return the parameters of a request, for commands with some that are more or
        fewer than the fields.

        @param members: the members of C{r} but the ticket.
        """
        ids = {name: getattr(self.ticket, name) for name in self.tail.split()}
        return postFields({**members, **ids}, self.ticket)


class _DidQuery(_MayFail[R], ChannelGet[R]):
    """
    Base of C{GET} commands about one discussion.
    """

    tail = "clientid psessionid vfwebqq t"

    did: Did


class GetDiscuListNew2(ChannelGet[DiscussionList]):
    """
    Fetch the list of discussions (protocol.md 2.6). The reply has their masks in a
    list of its own.
    """

    path = "/channel/get_discu_list_new2"
    aliases = ("/channel/get_discu_list", "/api/get_discus_list")
    authorization = Authorization.TICKET_OR_VERIFIER
    isIdempotent = True
    tail = "clientid psessionid vfwebqq t"

    @classmethod
    def encodeResult(cls, reply: DiscussionList) -> Any:
        discussions = reply.discussions.values()
        return {
            "dnamelist": [{"did": d.did, "name": d.name} for d in discussions],
            "dmasklist": [
                {"did": GLOBAL_MASK, "mask": reply.globalMask},
                *({"did": d.did, "mask": d.mask} for d in discussions),
            ],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> DiscussionList:
        masks = column(listIn(result, "dmasklist"), "did", "mask", unsigned)

        def decodeDiscussion(entry: Any) -> Discussion:
            did = unsigned(entry["did"])
            return Discussion(did, textOf(entry.get("name")), masks.get(did, 0))

        found = decodeEach(decodeDiscussion, listIn(result, "dnamelist"))
        discussions = {discussion.did: discussion for discussion in found}
        return DiscussionList(discussions, masks.get(GLOBAL_MASK, 0))


_PRESENCE = Record(Presence, "uin status client_type:clientType?", status=STATUS_WORD)
_DETAILS = Record(
    DiscussionDetails,
    "did discu_owner:owner? discu_name:name? info_seq:version? mem_list=",
)


def _presences(result: Any) -> tuple[Presence, ...]:
    return tuple(decodeEach(_PRESENCE.read, listIn(result, "mem_status")))


class GetDiscuInfo(_DidQuery[DiscussionDetails]):
    """
    Fetch the details and the members of a discussion (protocol.md 2.6). The reply has
    the details of a member in several lists.
    """

    path = "/channel/get_discu_info"
    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: DiscussionDetails) -> Any:
        members = [{"mem_uin": m.uin, "ruin": m.number} for m in reply.members]
        return {
            "info": _DETAILS.write(reply) | {"mem_list": members},
            "mem_status": [
                _PRESENCE.write(Presence(m.uin, m.status, m.clientType))
                for m in reply.members
                if m.status is not Status.OFFLINE
            ],
            "mem_info": [{"uin": m.uin, "nick": m.nick} for m in reply.members],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> DiscussionDetails:
        nicks = column(listIn(result, "mem_info"), "uin", "nick", textOf)
        statuses = {presence.uin: presence for presence in _presences(result)}

        def decodeMember(entry: Any) -> DiscussionMember:
            uin = unsigned(entry["mem_uin"])
            seen = statuses.get(uin, Presence(uin, Status.OFFLINE, 0))
            return DiscussionMember(
                uin,
                unsigned(entry.get("ruin") or 0),
                nicks.get(uin, ""),
                seen.status,
                seen.clientType,
            )

        # Read last, so that an error in it is said to be there.
        info = result["info"]
        members = decodeEach(decodeMember, listIn(info, "mem_list"))
        once = {member.uin: member for member in members}
        return _DETAILS.read(info, members=tuple(once.values()))


class GetDiscuStatusInfo(_DidQuery[tuple[Presence, ...]]):
    """
    Fetch the members of a discussion who are not offline (protocol.md 2.6).
    """

    path = "/channel/get_discu_status_info"
    isIdempotent = True

    @classmethod
    def encodeResult(cls, reply: tuple[Presence, ...]) -> Any:
        return {"mem_status": [_PRESENCE.write(presence) for presence in reply]}

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Presence, ...]:
        return _presences(result)


def _uins(form: Form, name: str) -> tuple[Any, ...]:
    value = form.raw(name)
    # Some clients leave out an empty list.
    if value is None or (isinstance(value, str) and value.strip() in ("", "null")):
        return ()
    return numbersIn(form, name, MAX_INVITED)


def _did(form: Form) -> Did:
    return Did(form.integer("did"))


class Invitation(Value):
    """
    The accounts to add to a discussion, three parameters of a request.

    @ivar friends: C{mem_list} on the wire.
    @ivar members: C{mem_list_u} and C{mem_list_g}: members of groups, each with
        the common group.
    """

    friends: tuple[Uin, ...] = ()
    members: tuple[tuple[Uin, Gid], ...] = ()

    def encode(self) -> dict[str, Any]:
        """
        Return the members of C{r}.
        """
        return {
            "mem_list": list(self.friends),
            "mem_list_u": [uin for uin, _ in self.members],
            "mem_list_g": [gid for _, gid in self.members],
        }

    @classmethod
    def decode(cls, form: Form) -> Self:
        """
        Return the invitation in a request.
        """
        uins, gids = _uins(form, "mem_list_u"), _uins(form, "mem_list_g")
        if len(uins) != len(gids):
            raise MalformedReply("mem_list_u and mem_list_g differ in length")
        return cls(_uins(form, "mem_list"), tuple(zip(uins, gids, strict=True)))


class CreateDiscu(_Post[Did]):
    """
    Create a discussion (protocol.md 2.6).

    @ivar code: the text of a captcha, and C{verifySession} its session.
    """

    path = "/channel/create_discu"
    errors = (TOO_FEW, TOO_MANY)
    errorName = "result"

    name: str
    invited: Invitation
    code: str = ""
    verifySession: Secret = ""

    def encodeFields(self) -> Pairs:
        return self.encodeMembers(
            {
                "discu_name": self.name,
                **self.invited.encode(),
                "code": self.code,
                "verifysession": self.verifySession,
            }
        )

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            form.text("discu_name", ""),
            Invitation.decode(form),
            form.text("code", ""),
            form.text("verifysession", ""),
        )

    @classmethod
    def encodeResult(cls, reply: Did) -> Any:
        return {"result": 0, "did": reply}

    @classmethod
    def decodeResult(cls, result: Any) -> Did:
        return Did(unsigned(result["did"]))


class ChangeDiscuMem(_OKResult, _Post[None]):
    """
    Add members to a discussion (protocol.md 2.6).
    """

    path = "/channel/change_discu_mem"

    did: Did
    invited: Invitation

    def encodeFields(self) -> Pairs:
        return self.encodeMembers({"did": str(self.did), **self.invited.encode()})

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _did(form), Invitation.decode(form))


class ModifyDiscuInfo(_OKResult, _Post[None]):
    """
    Rename a discussion (protocol.md 2.6). The parameter C{dtype} is a constant number.
    """

    path = "/channel/modify_discu_info"
    errors = (RENAME_GONE, RENAME_FORBIDDEN)

    did: Did
    name: str

    def encodeFields(self) -> Pairs:
        return self.encodeMembers(
            {"did": str(self.did), "discu_name": self.name, "dtype": 1}
        )

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        if form.integer("dtype", 1) != 1:
            raise MalformedReply("dtype is not 1")
        return cls(form.ticket, _did(form), form.text("discu_name"))


class QuitDiscu(_OKResult, _DidQuery[None]):
    """
    Leave a discussion (protocol.md 2.6).
    """

    path = "/channel/quit_discu"


class SendDiscuMsg2(_Post[Sent]):
    """
    Send a message to a discussion (protocol.md 2.2.4). Content and font are one
    parameter.

    @ivar key: with C{sig}, the signature that a message with pictures needs.
    """

    path = "/channel/send_discu_msg2"
    tail = "clientid psessionid"

    did: Did
    content: Content
    messageId: int
    font: Font = Font()
    key: str = ""
    sig: Secret = ""
    sendId: str = ""

    @classmethod
    def encodeReply(cls, reply: Sent | Refusal) -> bytes:
        if isinstance(reply, DiscussionError):
            return super().encodeReply(reply)
        return SentReply.encodeReply(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> Sent | Refusal:
        # None unless the result is an error.
        error: Any = decodeJSONReply(body, cls._resultOrError)
        return SentReply.decodeReply(body) if error is None else error

    @classmethod
    def decodeResult(cls, result: Any) -> Any:
        return None

    def encodeFields(self) -> Pairs:
        key, sig = signatureOf(self.content, self.key, self.sig)
        return self.encodeMembers(
            {
                "did": str(self.did),
                **({"key": key, "sig": sig} if sig else {}),
                "content": encodeSent(self.content, self.font),
                "msg_id": self.messageId,
                **sendIdMember(self.sendId),
            }
        )

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        content, font = decodeSent(form.text("content"))
        return cls(
            ticket=form.ticket,
            did=_did(form),
            content=content,
            messageId=form.integer("msg_id", 0),
            font=font,
            key=form.text("key", ""),
            sig=form.text("sig", ""),
            sendId=sendIdIn(form),
        )
