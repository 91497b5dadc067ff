"""
Rules of discussions: their members, and messages to them (protocol.md 2.6).
"""

from __future__ import annotations

from txwebqq.model import Content, Did, Font, Number, Sent
from txwebqq.server.domain.interaction.mentions import mentionsForDiscussion
from txwebqq.server.domain.messaging import sendMessage
from txwebqq.server.domain.pictures import PictureRules, PictureSignature
from txwebqq.server.domain.refusals import NO_SUCH_ID, invisible, tooLong
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import DISCUSSION_MESSAGE
from txwebqq.server.records import DiscussionRecord
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.store import Attitude
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.discussions import (
    GONE,
    RENAME_FORBIDDEN,
    RENAME_GONE,
    TOO_FEW,
    TOO_MANY,
    Invitation,
)

MAX_MEMBERS = 50
"""Maximum number of members of a discussion."""

MIN_INVITED = 2
"""Minimum number of other members of a new discussion."""

MAX_DISCUSSIONS = 200
"""Maximum number of discussions that one account owns."""

MAX_NAME = 128
"""Maximum length of the name of a discussion, in characters."""


class DiscussionRules:
    """
    The rules of discussions.

    A method that changes a discussion returns L{None} when it has, else the refusal.
    """

    def __init__(self, state: ServerState, pictures: PictureRules) -> None:
        self._state = state
        self._store = state.store
        self._pictures = pictures

    def mine(self, session: Session, did: Did) -> DiscussionRecord | None:
        """
        Return a discussion that the account of a session is a member of.
        """
        number = Number(did)
        if not self._store.discussions.isMember(number, session.number):
            return None
        return self._store.discussions.get(number)

    def _invited(
        self, session: Session, invitation: Invitation
    ) -> list[Number] | Refusal:
        store, sessionIds = self._store, session.sessionIds
        invited: dict[Number, None] = {}
        for uin in invitation.friends:
            number = sessionIds.person(uin)
            if (
                number is None
                or store.attitude(number, session.number) is not Attitude.FRIEND
            ):
                return Refusal(
                    NO_SUCH_ID, "mem_list names an account that is no friend"
                )
            invited[number] = None
        for uin, gid in invitation.members:
            number, group = sessionIds.person(uin), sessionIds.groupOfGid(gid)
            if number is None or group is None:
                return Refusal(NO_SUCH_ID, "mem_list_u names nobody in mem_list_g")
            for one in (number, session.number):
                if not store.groups.isMember(group, one):
                    return Refusal(NO_SUCH_ID, "mem_list_u names nobody in mem_list_g")
            invited[number] = None
        invited.pop(session.number, None)
        return list(invited)

    def create(
        self, session: Session, name: str, invitation: Invitation
    ) -> Did | Refusal:
        """
        Create a discussion of an account with friends and members of its groups.
        """
        invited = self._invited(session, invitation)
        if isinstance(invited, Refusal):
            return invited
        refusal = tooLong(discu_name=(name, MAX_NAME)) or invisible(discu_name=name)
        if refusal is not None:
            return refusal
        if len(invited) < MIN_INVITED:
            return TOO_FEW
        isFull = len(invited) >= MAX_MEMBERS
        if (
            isFull
            or self._store.discussions.ownedCount(session.number) >= MAX_DISCUSSIONS
        ):
            return TOO_MANY
        owner = session.number
        return Did(self._store.discussions.create(name, owner, [owner, *invited]))

    def invite(
        self, session: Session, did: Did, invitation: Invitation
    ) -> Refusal | None:
        """
        Add members to a discussion.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return GONE
        invited = self._invited(session, invitation)
        if isinstance(invited, Refusal):
            return invited
        members = self._store.discussions.memberNumbers(discussion.number)
        new = [number for number in invited if number not in members]
        if len(members) + len(new) > MAX_MEMBERS:
            return Refusal(
                NO_SUCH_ID, f"a discussion has at most {MAX_MEMBERS} members"
            )
        if new:
            # Earlier messages do not count as unread.
            self._state.recorder.tryFlush()
            self._store.discussions.addMembers(discussion.number, new)
        return None

    def rename(self, session: Session, did: Did, name: str) -> Refusal | None:
        """
        Rename a discussion.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return RENAME_GONE
        if not name.strip() or len(name) > MAX_NAME or invisible(name=name):
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
        Set the message masks of discussions. Discussions that the account is not a
        member of are ignored.
        """
        if not set(masks.values()) <= {0, 1, 2}:
            return Refusal(NO_SUCH_ID, "a mask is none of 0, 1 and 2")
        for did, mask in masks.items():
            self._store.discussions.setMask(Number(did), session.number, mask)
        return None

    def send(
        self,
        session: Session,
        did: Did,
        content: Content,
        font: Font,
        signature: PictureSignature,
    ) -> Sent | Refusal:
        """
        Send a message to the other members of a discussion.

        @param signature: the signature of the pictures.

        @raise MalformedReply: when the content cannot be written as JSON.
        """
        discussion = self.mine(session, did)
        if discussion is None:
            return GONE
        content = mentionsForDiscussion(
            self._state, discussion, session.number, content
        )
        members = self._store.discussions.memberNumbers(discussion.number)
        prepared = self._pictures.forMembers(session, content, members, signature)
        if isinstance(prepared, Refusal):
            return prepared
        return sendMessage(
            self._state,
            DISCUSSION_MESSAGE,
            session.number,
            self._store.discussions.recipients(discussion.number),
            prepared,
            font,
            numberedIn=discussion.number,
            discussion=discussion.number,
            version=discussion.version,
        )
