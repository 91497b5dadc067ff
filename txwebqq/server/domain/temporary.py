"""
Rules of temporary chats: messages between members of one group or discussion that
are not friends (protocol.md 2.2.5).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from txwebqq.model import Content, Did, Font, Gid, Number, Sent, Uin
from txwebqq.server.domain.interaction.mentions import mentionsForFriend
from txwebqq.server.domain.messaging import refusalOf, sendMessage
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import TEMPORARY_MESSAGE
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.sessions.signatures import Signer
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.temporary import IN_DISCUSSION, IN_GROUP

PLACE_DIGITS = 8
"""Length of the group or discussion id at the start of a signature, in digits."""

SIGNATURE_DIGITS = 40
"""Length of the rest of a signature, in digits."""

_NOT_FELLOW = Refusal(NO_SUCH_ID, "you share no such group or discussion with to_uin")
_NOT_SIGNED = Refusal(NO_SUCH_ID, "group_sig is not from get_c2cmsg_sig2")


class TemporaryChatRules:
    """
    The rules of temporary chats.

    C{service} is L{IN_GROUP} or L{IN_DISCUSSION} throughout, and C{place} the id of
    the group or the discussion.
    """

    def __init__(self, state: ServerState, random: Random) -> None:
        self._state = state
        self._store = state.store
        self._signer = Signer(state.store, "session messages", random)

    def signature(
        self, session: Session, place: Gid | Did, to: Uin, service: int
    ) -> str | Refusal:
        """
        Return the signature with which an account may write to another member.

        The signature begins with the id of the group or the discussion, because the
        message itself does not name it.
        """
        shared = self._place(session, place, service)
        number = session.sessionIds.person(to)
        if shared is None or number is None or number == session.number:
            return _NOT_FELLOW
        if not self._areMembers(shared, service, (session.number, number)):
            return _NOT_FELLOW
        signature = self._signer.sign(session.number, number, shared, service)
        return f"{place:0{PLACE_DIGITS}x}{signature[:SIGNATURE_DIGITS]}"

    def _place(self, session: Session, place: Gid | Did, service: int) -> Number | None:
        if service == IN_DISCUSSION:
            return Number(place)
        if service == IN_GROUP:
            return session.sessionIds.groupOfGid(Gid(place))
        return None

    def _areMembers(
        self, place: Number, service: int, numbers: Iterable[Number]
    ) -> bool:
        store = self._store
        places = store.discussions if service == IN_DISCUSSION else store.groups
        return all(places.isMember(place, number) for number in numbers)

    def send(
        self,
        session: Session,
        to: Uin,
        signature: str,
        service: int,
        content: Content,
        font: Font,
    ) -> Sent | Refusal:
        """
        Send a message to another member.

        @return: the id and the time when the message is accepted.
        @raise MalformedReply: when the content cannot be written as JSON.
        """
        try:
            place = Gid(int(signature[:PLACE_DIGITS], 16))
        except ValueError:
            return _NOT_SIGNED
        expected = self.signature(session, place, to, service)
        number = session.sessionIds.person(to)
        shared = self._place(session, place, service)
        if isinstance(expected, Refusal) or number is None or shared is None:
            return _NOT_SIGNED
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return _NOT_SIGNED
        refusal = refusalOf(self._state, session.number, number, TEMPORARY_MESSAGE)
        if refusal is not None:
            return refusal
        return sendMessage(
            self._state,
            TEMPORARY_MESSAGE,
            session.number,
            (number,),
            mentionsForFriend(content),
            font,
            place=shared,
            service=service,
        )
