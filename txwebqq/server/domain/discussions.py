"""
Discussions and temporary conversations: who is in them, who may write to whom,
and who is sent what.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from txwebqq.model import Content, Did, Font, Gid, Number, Uin
from txwebqq.server.domain.messaging import sendMessage
from txwebqq.server.domain.refusals import NO_SUCH_ID, tooLong
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import DISCUSSION_MESSAGE, TEMPORARY_MESSAGE
from txwebqq.server.records import DiscussionRecord
from txwebqq.server.sessions.sessions import Random, Session
from txwebqq.server.sessions.signatures import Signer
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.discussions import (
    GONE,
    RENAME_FORBIDDEN,
    RENAME_GONE,
    TOO_FEW,
    TOO_MANY,
    Invitation,
)
from txwebqq.wire.commands.temporary import IN_DISCUSSION, IN_GROUP

MAX_MEMBERS = 50
"""So many people may be in one discussion."""

MIN_INVITED = 2
"""So many others begin one."""

MAX_DISCUSSIONS = 200
"""So many discussions may be somebody's own."""

MAX_NAME = 128

PLACE_DIGITS = 8
SIGNATURE_DIGITS = 40

_NOT_FELLOW = Refusal(NO_SUCH_ID, "you share no such group or discussion with to_uin")
_NOT_SIGNED = Refusal(NO_SUCH_ID, "group_sig is not from get_c2cmsg_sig2")


class DiscussionRules:
    """
    The rules of discussions and temporary conversations.

    Whatever changes something returns L{None} when it has, else why not.
    """

    def __init__(self, state: ServerState, random: Random) -> None:
        self._state = state
        self._store = state.store
        self._random = random
        self._signer = Signer(state.store, "session messages", random)

    # ---- discussions

    def mine(self, session: Session, did: Did) -> DiscussionRecord | None:
        """
        A discussion that the asker is in.
        """
        number = Number(did)
        if not self._store.discussions.isMember(number, session.number):
            return None
        return self._store.discussions.get(number)

    def _invited(
        self, session: Session, invitation: Invitation
    ) -> list[Number] | Refusal:
        store, sessionIds = self._store, session.sessionIds
        people: dict[Number, None] = {}
        for uin in invitation.friends:
            number = sessionIds.person(uin)
            if number is None or not store.friends.areFriends(session.number, number):
                return Refusal(NO_SUCH_ID, "mem_list names somebody who is no friend")
            people[number] = None
        for uin, gid in invitation.members:
            number, group = sessionIds.person(uin), sessionIds.groupOfGid(gid)
            if number is None or group is None:
                return Refusal(NO_SUCH_ID, "mem_list_u names nobody in mem_list_g")
            for one in (number, session.number):
                if not store.groups.isMember(group, one):
                    return Refusal(NO_SUCH_ID, "mem_list_u names nobody in mem_list_g")
            people[number] = None
        people.pop(session.number, None)
        return list(people)

    def create(
        self, session: Session, name: str, invitation: Invitation
    ) -> Did | Refusal:
        """
        Begin a discussion of the asker and others.
        """
        people = self._invited(session, invitation)
        if isinstance(people, Refusal):
            return people
        refusal = tooLong(discu_name=(name, MAX_NAME))
        if refusal is not None:
            return refusal
        if len(people) < MIN_INVITED:
            return TOO_FEW
        isFull = len(people) >= MAX_MEMBERS
        if (
            isFull
            or self._store.discussions.ownedCount(session.number) >= MAX_DISCUSSIONS
        ):
            return TOO_MANY
        me = session.number
        return Did(self._store.discussions.create(name, me, [me, *people]))

    def invite(
        self, session: Session, did: Did, invitation: Invitation
    ) -> Refusal | None:
        """
        Take more people in.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return GONE
        people = self._invited(session, invitation)
        if isinstance(people, Refusal):
            return people
        there = self._store.discussions.memberNumbers(discussion.number)
        new = [number for number in people if number not in there]
        if len(there) + len(new) > MAX_MEMBERS:
            return Refusal(
                NO_SUCH_ID, f"a discussion has at most {MAX_MEMBERS} members"
            )
        if new:
            self._store.discussions.addMembers(discussion.number, new)
        return None

    def rename(self, session: Session, did: Did, name: str) -> Refusal | None:
        """
        Give a discussion another name.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return RENAME_GONE
        if not name.strip() or len(name) > MAX_NAME:
            return RENAME_FORBIDDEN
        if name != discussion.name:
            self._store.discussions.rename(discussion.number, name)
        return None

    def leave(self, session: Session, did: Did) -> Refusal | None:
        """
        Leave a discussion.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return GONE
        self._store.discussions.removeMember(discussion.number, session.number)
        return None

    def setMasks(self, session: Session, masks: dict[Did, int]) -> Refusal | None:
        """
        Decide what happens to the messages of discussions; those that one is
        not in are passed over.
        """
        if not set(masks.values()) <= {0, 1, 2}:
            return Refusal(NO_SUCH_ID, "a mask is none of 0, 1 and 2")
        for did, mask in masks.items():
            self._store.discussions.setMask(Number(did), session.number, mask)
        return None

    def readers(self, session: Session, did: Did) -> list[Number] | None:
        """
        Who may see the pictures of a discussion that the asker is in.
        """
        discussion = self.mine(session, did)
        return (
            None
            if discussion is None
            else self._store.discussions.memberNumbers(discussion.number)
        )

    def say(
        self, session: Session, did: Did, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send to the other members.

        @raise MalformedReply: when the content cannot be passed on.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return GONE
        return sendMessage(
            self._state,
            DISCUSSION_MESSAGE,
            session.number,
            self._store.discussions.recipients(discussion.number),
            content,
            font,
            numberedIn=discussion.number,
            discussion=discussion.number,
            version=discussion.version,
        )

    # ---- temporary conversations

    def signature(
        self, session: Session, place: Gid | Did, to: Uin, service: int
    ) -> str | Refusal:
        """
        What lets the asker write to a fellow member. It names the place that
        they share, since the message itself does not.
        """
        shared = self._place(session, place, service)
        number = session.sessionIds.person(to)
        if shared is None or number is None or number == session.number:
            return _NOT_FELLOW
        if not self._areFellows(shared, service, (session.number, number)):
            return _NOT_FELLOW
        signature = self._signer.sign(session.number, number, shared, service)
        return f"{place:0{PLACE_DIGITS}x}{signature[:SIGNATURE_DIGITS]}"

    def _place(self, session: Session, place: Gid | Did, service: int) -> Number | None:
        if service == IN_DISCUSSION:
            return Number(place)
        if service == IN_GROUP:
            return session.sessionIds.groupOfGid(Gid(place))
        return None

    def _areFellows(
        self, place: Number, service: int, people: Iterable[Number]
    ) -> bool:
        store = self._store
        places = store.discussions if service == IN_DISCUSSION else store.groups
        return all(places.isMember(place, number) for number in people)

    def tell(
        self,
        session: Session,
        to: Uin,
        signature: str,
        service: int,
        content: Content,
        font: Font,
    ) -> Refusal | None:
        """
        Send to a fellow member.

        @raise MalformedReply: when the content cannot be passed on.
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
        return sendMessage(
            self._state,
            TEMPORARY_MESSAGE,
            session.number,
            (number,),
            content,
            font,
            place=shared,
            service=service,
        )
