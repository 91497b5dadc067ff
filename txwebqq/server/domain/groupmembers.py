"""
Rules of group members' settings: business cards, private group names and message
masks (protocol.md 2.5.3).
"""

from __future__ import annotations

from msgspec.structs import replace

from txwebqq.model import BusinessCard, Code, Gid, Number, Uin
from txwebqq.server.domain.groups import (
    MAX_LINE,
    MAX_NAME,
    NOT_ADMIN,
    NOT_IN_IT,
    NOT_OWNER,
    GroupRules,
    isAdmin,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_FAST, invisible, tooLong
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.interactionkinds import GROUP_CARD, newNotice
from txwebqq.server.records import GroupRecord
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal

NO_CARD = 100003
"""The retcode for a member without a card."""

PER_GROUP, NOTIFY_ALL, QUIET_ALL, BLOCK_ALL = range(4)
"""The message masks of all groups of an account."""

NOTIFY, QUIET, BLOCK = range(3)
"""The message masks of one group."""


class GroupMemberSettings:
    """
    The settings of an account in the groups that it is a member of.

    A method that changes a setting returns L{None} when it has, else the refusal.
    """

    def __init__(self, state: ServerState, groupRules: GroupRules) -> None:
        self._state = state
        self._groups = state.store.groups
        self._groupRules = groupRules

    def card(self, session: Session, code: Code) -> BusinessCard | Refusal:
        """
        Return the account's own card.
        """
        group = self._groupRules.mine(session, code)
        if isinstance(group, Refusal):
            return group
        card = self._groups.card(group.number, session.number)
        return Refusal(NO_CARD, "you have no card there") if card is None else card

    def setCard(
        self,
        session: Session,
        code: Code,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        remark: str | None = None,
        gender: int | None = None,
    ) -> Refusal | None:
        """
        Change the account's own card; L{None} leaves a field as it is.
        """
        group = self._groupRules.mine(session, code)
        if isinstance(group, Refusal):
            return group
        refusal = tooLong(
            name=(name, MAX_NAME),
            phone=(phone, MAX_NAME),
            email=(email, MAX_NAME),
            remark=(remark, MAX_LINE),
        ) or invisible(name=name)
        if refusal is not None:
            return refusal
        if gender not in (None, 0, 1, 2):
            return Refusal(NO_SUCH_ID, "gender is none of 0, 1 and 2")
        card = self._groups.card(group.number, session.number) or BusinessCard()
        changed = BusinessCard(
            name=card.name if name is None else name,
            phone=card.phone if phone is None else phone,
            email=card.email if email is None else email,
            remark=card.remark if remark is None else remark,
            gender=card.gender if gender is None else gender,
        )
        return self._change(session, group, session.number, card, changed)

    def setMemberCard(
        self, session: Session, code: Code, member: Uin, name: str
    ) -> Refusal | None:
        """
        Change the name on the card of a member of a group that the account of a
        session administers; only the owner changes those of administrators.
        """
        group = self._groupRules.mine(session, code)
        if isinstance(group, Refusal):
            return group
        number = self._groupRules.memberOf(session, group, member)
        if number is None:
            return NOT_IN_IT
        if session.number not in (number, group.owner):
            if not isAdmin(self._groups, group, session.number):
                return NOT_ADMIN
            if isAdmin(self._groups, group, number):
                return NOT_OWNER
        refusal = tooLong(card=(name, MAX_NAME)) or invisible(card=name)
        if refusal is not None:
            return refusal
        card = self._groups.card(group.number, number) or BusinessCard()
        return self._change(session, group, number, card, replace(card, name=name))

    def _change(
        self,
        session: Session,
        group: GroupRecord,
        number: Number,
        card: BusinessCard,
        changed: BusinessCard,
    ) -> Refusal | None:
        """
        Change the card of a member, and tell all members of another name.
        """
        isRenamed = changed.name != card.name
        # The event is stored for all members.
        limiter = self._state.sendingLimiter
        if isRenamed and not limiter.takeMessage(session.number, group.number):
            return TOO_FAST
        self._groups.setCard(group.number, number, changed)
        if isRenamed:
            event = newNotice(
                GROUP_CARD,
                self._state.messageIds.next(session.number),
                group=group.number,
                member=number,
                operator=session.number,
                card=changed.name,
            )
            members = self._groups.memberNumbers(group.number)
            self._state.router.route(event, members)
        return None

    def setMarkname(
        self, session: Session, code: Code, markname: str
    ) -> Refusal | None:
        """
        Set the name that the account alone sees for a group.
        """
        group = self._groupRules.mine(session, code)
        if isinstance(group, Refusal):
            return group
        refusal = tooLong(markname=(markname, MAX_NAME))
        if refusal is None:
            self._groups.setMarkname(group.number, session.number, markname)
        return refusal

    def setMasks(
        self, session: Session, masks: dict[Gid, int], everything: int | None
    ) -> Refusal | None:
        """
        Set the message masks of groups. Clients send all groups that they have
        ever seen, so groups that the account is not a member of are ignored.

        @param everything: the mask of all groups, L{None} to leave it.
        """
        if everything not in (None, PER_GROUP, NOTIFY_ALL, QUIET_ALL, BLOCK_ALL):
            return Refusal(NO_SUCH_ID, "cAll is none of 0, 1, 2 and 3")
        if not set(masks.values()) <= {NOTIFY, QUIET, BLOCK}:
            return Refusal(NO_SUCH_ID, "a mask is none of 0, 1 and 2")
        for gid, mask in masks.items():
            number = session.sessionIds.groupOfGid(gid)
            if number is not None:
                self._groups.setMask(number, session.number, mask)
        if everything is not None:
            self._groups.setGlobalMask(session.number, everything)
        return None
