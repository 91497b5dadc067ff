"""
Groups: their details, their members and their numbers.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from txwebqq.model import Code, GroupDetails, GroupList, Number
from txwebqq.requests.asking import Asking, numberOf
from txwebqq.wire.roster import (
    GROUP_NUMBER,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
)


class GroupRequests(Asking):
    """
    What to know of groups.
    """

    def fetchGroups(self) -> Deferred[GroupList]:
        """
        Ask for the group list anew (protocol.md 2.5.1).
        """
        return self.transport.call(GetGroupNameListMask2)

    def fetchGroup(self, code: Code) -> Deferred[GroupDetails]:
        """
        Ask for a group's details and members (protocol.md 2.5.2).

        @param code: the group's C{code}, not its C{gid}.
        """
        return self.transport.call(lambda ticket: GetGroupInfoExt2(ticket, code))

    def fetchGroupNumber(self, code: Code) -> Deferred[Number]:
        """
        Ask which permanent number a group has (protocol.md 2.3.6).
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, code, GROUP_NUMBER)
        ).addCallback(numberOf)
