"""
Discussions (protocol.md 2.6).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, TypeVar

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
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import decodeEach, listIn, textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    Referer,
    Refusal,
    channelQuery,
    decodeJSONReply,
    postFields,
)
from txwebqq.wire.content import decodeSent, encodeSent, signatureOf
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON

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


class _DiscussionCommand(JSONCommand[R]):
    """
    Base of commands that the server may refuse with C{retcode} 0.

    @cvar errors: the refusals that the command may get.
    @cvar errorName: the member of C{result} with the refusal's code.
    """

    authorization: ClassVar[Authorization] = Authorization.TICKET
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


class _DiscussionOKCommand(_DiscussionCommand[None]):
    """
    Base of those of them with the C{result} C{"ok"}.
    """

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return "ok"

    @classmethod
    def decodeResult(cls, result: Any) -> None:
        return None


def _query(ticket: Ticket, milliseconds: int) -> Pairs:
    *ids, t = channelQuery(ticket, milliseconds)
    return [*ids, ("vfwebqq", ticket.vfwebqq), t]


def _members(members: dict[str, Any], ticket: Ticket) -> Pairs:
    ids = {
        "clientid": ticket.clientid,
        "psessionid": ticket.psessionid,
        "vfwebqq": ticket.vfwebqq,
    }
    return postFields({**members, **ids}, ticket)


def _did(form: Form) -> Did:
    return Did(form.integer("did"))


class _DidQuery(_DiscussionCommand[R]):
    """
    Base of C{GET} commands about one discussion.
    """

    host: ClassVar[Host] = Host.CHANNEL
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    did: Did
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("did", str(self.did)), *_query(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _did(form), form.milliseconds)


def _numbers(form: Form, name: str) -> tuple[Any, ...]:
    # Some clients send JSON text, and the numbers in it as strings.
    value = form.raw(name)
    if isinstance(value, str):
        value = parseJSON(value) if value.strip() else []
    if value is not None and not isinstance(value, list):
        raise MalformedReply(f"{name} is not a list")
    value = value or []
    if len(value) > MAX_INVITED:
        raise MalformedReply(f"{name} has more than {MAX_INVITED} entries")
    try:
        return tuple(unsigned(number) for number in value)
    except (TypeError, ValueError) as e:
        raise MalformedReply(f"{name} is not a list of numbers") from e


class GetDiscuListNew2(JSONCommand[DiscussionList]):
    """
    Fetch the list of discussions (protocol.md 2.6).
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_discu_list_new2"
    authorization: ClassVar[Authorization] = Authorization.TICKET_OR_VERIFIER
    aliases: ClassVar[tuple[str, ...]] = (
        "/channel/get_discu_list",
        "/api/get_discus_list",
    )
    isIdempotent: ClassVar[bool] = True
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return _query(self.ticket, self.milliseconds)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.milliseconds)

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
        masks = dict(decodeEach(_decodeMask, listIn(result, "dmasklist")))

        def decodeDiscussion(entry: Any) -> Discussion:
            did = unsigned(entry["did"])
            return Discussion(did, textOf(entry.get("name", "")), masks.get(did, 0))

        found = decodeEach(decodeDiscussion, listIn(result, "dnamelist"))
        discussions = {discussion.did: discussion for discussion in found}
        return DiscussionList(discussions, masks.get(GLOBAL_MASK, 0))


def _decodeMask(entry: Any) -> tuple[int, int]:
    return unsigned(entry["did"]), unsigned(entry["mask"])


def _status(member: DiscussionMember | Presence) -> dict[str, Any]:
    return {
        "uin": member.uin,
        "status": member.status.value,
        "client_type": member.clientType,
    }


def _presences(result: Any) -> tuple[Presence, ...]:
    return tuple(decodeEach(_decodePresence, listIn(result, "mem_status")))


def _decodePresence(entry: Any) -> Presence:
    return Presence(
        unsigned(entry["uin"]),
        Status(entry["status"]),
        unsigned(entry.get("client_type") or 0),
    )


def _decodeNick(entry: Any) -> tuple[int, str]:
    return unsigned(entry["uin"]), textOf(entry.get("nick", ""))


class GetDiscuInfo(_DidQuery[DiscussionDetails]):
    """
    Fetch the details and the members of a discussion (protocol.md 2.6).
    """

    path: ClassVar[str] = "/channel/get_discu_info"
    isIdempotent: ClassVar[bool] = True

    @classmethod
    def encodeResult(cls, reply: DiscussionDetails) -> Any:
        return {
            "info": {
                "did": reply.did,
                "discu_owner": reply.owner,
                "discu_name": reply.name,
                "info_seq": reply.version,
                "mem_list": [
                    {"mem_uin": m.uin, "ruin": m.number} for m in reply.members
                ],
            },
            "mem_status": [
                _status(m) for m in reply.members if m.status is not Status.OFFLINE
            ],
            "mem_info": [{"uin": m.uin, "nick": m.nick} for m in reply.members],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> DiscussionDetails:
        info = result["info"]
        nicks = dict(decodeEach(_decodeNick, listIn(result, "mem_info")))
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

        members = decodeEach(decodeMember, listIn(info, "mem_list"))
        return DiscussionDetails(
            did=unsigned(info["did"]),
            name=textOf(info.get("discu_name", "")),
            owner=unsigned(info.get("discu_owner") or 0),
            version=unsigned(info.get("info_seq") or 0),
            members=tuple({member.uin: member for member in members}.values()),
        )


class GetDiscuStatusInfo(_DidQuery[tuple[Presence, ...]]):
    """
    Fetch the members of a discussion who are not offline (protocol.md 2.6).
    """

    path: ClassVar[str] = "/channel/get_discu_status_info"
    isIdempotent: ClassVar[bool] = True

    @classmethod
    def encodeResult(cls, reply: tuple[Presence, ...]) -> Any:
        return {"mem_status": [_status(presence) for presence in reply]}

    @classmethod
    def decodeResult(cls, result: Any) -> tuple[Presence, ...]:
        return _presences(result)


class Invitation(Value):
    """
    The accounts to add to a discussion.

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
        uins, gids = _numbers(form, "mem_list_u"), _numbers(form, "mem_list_g")
        if len(uins) != len(gids):
            raise MalformedReply("mem_list_u and mem_list_g differ in length")
        return cls(_numbers(form, "mem_list"), tuple(zip(uins, gids, strict=True)))


class CreateDiscu(_DiscussionCommand[Did]):
    """
    Create a discussion (protocol.md 2.6).

    @ivar code: the text of a captcha, and C{verifySession} its session.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/create_discu"
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    errors: ClassVar[tuple[DiscussionError, ...]] = (TOO_FEW, TOO_MANY)
    errorName: ClassVar[str] = "result"

    ticket: Ticket
    name: str
    invited: Invitation
    code: str = ""
    verifySession: Secret = ""

    def encodeFields(self) -> Pairs:
        members = {
            "discu_name": self.name,
            **self.invited.encode(),
            "code": self.code,
            "verifysession": self.verifySession,
        }
        return _members(members, self.ticket)

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


class ChangeDiscuMem(_DiscussionOKCommand):
    """
    Add members to a discussion (protocol.md 2.6).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/change_discu_mem"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    did: Did
    invited: Invitation

    def encodeFields(self) -> Pairs:
        return _members({"did": str(self.did), **self.invited.encode()}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _did(form), Invitation.decode(form))


class ModifyDiscuInfo(_DiscussionOKCommand):
    """
    Rename a discussion (protocol.md 2.6).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/modify_discu_info"
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    errors: ClassVar[tuple[DiscussionError, ...]] = (RENAME_GONE, RENAME_FORBIDDEN)

    ticket: Ticket
    did: Did
    name: str

    def encodeFields(self) -> Pairs:
        members = {"did": str(self.did), "discu_name": self.name, "dtype": 1}
        return _members(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        if form.integer("dtype", 1) != 1:
            raise MalformedReply("dtype is not 1")
        return cls(form.ticket, _did(form), form.text("discu_name"))


class QuitDiscu(_DiscussionOKCommand, _DidQuery[None]):
    """
    Leave a discussion (protocol.md 2.6).
    """

    path: ClassVar[str] = "/channel/quit_discu"


class SendDiscuMsg2(_DiscussionOKCommand):
    """
    Send a message to a discussion (protocol.md 2.2.4).

    @ivar key: with C{sig}, the signature that a message with pictures needs.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_discu_msg2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    did: Did
    content: Content
    messageId: int
    font: Font = Font()
    key: str = ""
    sig: Secret = ""

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {"did": str(self.did)}
        key, sig = signatureOf(self.content, self.key, self.sig)
        if sig:
            members |= {"key": key, "sig": sig}
        members |= {
            "content": encodeSent(self.content, self.font),
            "msg_id": self.messageId,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

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
        )
