"""
Events about groups and their members, requests to join and invitations.
"""

from __future__ import annotations

from txwebqq.model import (
    DISSOLVED,
    OWNER_CHANGED,
    REMOVED,
    CardChanged,
    GroupEdited,
    GroupNotice,
    GroupStep,
)
from txwebqq.onebot.surface.account import SurfaceAccount, keepLimited
from txwebqq.onebot.surface.directory import Directory

JOIN_STEPS = (GroupStep.JOINED, GroupStep.AGREED, GroupStep.CREATED)


class GroupEvents:
    """
    Tells the bots of an account, and keeps its directory up to date.
    """

    def __init__(self, account: SurfaceAccount, directory: Directory) -> None:
        self._account = account
        self._directory = directory

    async def changed(self, notice: GroupNotice) -> None:
        """
        Tell of a change of a group, of a request to join, or of an invitation.
        """
        directory, own = self._directory, self._account.number
        step = notice.step
        member = notice.memberNumber or await directory.numberOr(notice.member, own)
        admin = await directory.numberOr(notice.admin)
        directory.forget(notice.number)
        if step is GroupStep.REQUESTED:
            self._requested(notice, "add", member)
        elif step is GroupStep.INVITED:
            self._requested(notice, "invite", admin)
        elif step in JOIN_STEPS:
            if step is not GroupStep.JOINED:
                member = own
            await self._joined(notice, member, admin)
        elif step is GroupStep.LEFT:
            self._left(notice, member, admin)
        elif step is GroupStep.ADMIN and notice.operation != OWNER_CHANGED:
            self._account.notice(
                "group_admin",
                sub_type="set" if notice.operation % 2 else "unset",
                group_id=notice.number,
                user_id=member,
            )

    async def edited(self, edit: GroupEdited) -> None:
        """
        Have the group fetched again: OneBot has no event for it.
        """
        self._directory.forget(edit.number)

    async def cardChanged(self, change: CardChanged) -> None:
        """
        Tell of a new card.
        """
        directory, own = self._directory, self._account.number
        number = await directory.numberOr(change.member, own)
        former = directory.memberOf(change.number, number)
        directory.forget(change.number)
        self._account.notice(
            "group_card",
            group_id=change.number,
            user_id=number,
            card_new=change.card,
            card_old="" if former is None else former.card,
        )

    def _requested(self, notice: GroupNotice, kind: str, user: int) -> None:
        flag = self._account.newFlag()
        keepLimited(self._account.joinRequests, flag, notice)
        self._account.emit(
            self._account.event(
                "request",
                request_type="group",
                sub_type=kind,
                group_id=notice.number,
                user_id=user,
                comment=notice.text,
                flag=flag,
            )
        )

    async def _joined(self, notice: GroupNotice, member: int, admin: int) -> None:
        if member == self._account.number:
            await self._directory.loadGroups()
        self._account.notice(
            "group_increase",
            sub_type="approve",
            group_id=notice.number,
            user_id=member,
            operator_id=admin,
        )

    def _left(self, notice: GroupNotice, member: int, admin: int) -> None:
        own = self._account.number
        how = "leave"
        if notice.operation == DISSOLVED:
            how, member = "disband", own
        elif notice.operation == REMOVED:
            how = "kick_me" if member == own else "kick"
        if member == own:
            self._directory.remove(notice.number)
        self._account.notice(
            "group_decrease",
            sub_type=how,
            group_id=notice.number,
            user_id=member,
            operator_id=admin or (member if how == "leave" else 0),
        )
