"""
People: friends, their details and their numbers.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from txwebqq.model import FriendList, Number, Profile, Uin
from txwebqq.requests.asking import Asking, numberOf
from txwebqq.wire.roster import GetFriendInfo2, GetFriendUin2, GetUserFriends2


class PeopleRequests(Asking):
    """
    What to know of people.
    """

    def fetchBuddies(self) -> Deferred[FriendList]:
        """
        Ask for the friend list anew (protocol.md 2.3.1). C{buddies} does not
        need it.
        """
        return self.transport.call(GetUserFriends2)

    def fetchBuddy(self, uin: Uin) -> Deferred[Profile]:
        """
        Ask what somebody tells about themselves (protocol.md 2.3.2).

        @return: also fails with L{CaptchaNeeded}.
        """
        return self.transport.call(lambda ticket: GetFriendInfo2(ticket, uin))

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        """
        Ask which permanent number is behind a uin (protocol.md 2.3.6). The
        original service blocked accounts that asked too often.
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, uin)
        ).addCallback(numberOf)
