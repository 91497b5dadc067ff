"""
Rules of group members' own settings: business card, private group name and message
masks (protocol.md 2.5.3).
"""

from __future__ import annotations

from txwebqq.model import BusinessCard, Code, Gid
from txwebqq.server.domain.groups import MAX_LINE, MAX_NAME, GroupRules
from txwebqq.server.domain.refusals import NO_SUCH_ID, tooLong
from txwebqq.server.domain.state import ServerState
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
        )
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
        self._groups.setCard(group.number, session.number, changed)
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
