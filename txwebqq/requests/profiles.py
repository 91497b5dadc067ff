"""
Requests for profiles, permanent numbers and signatures, and those that change
this account's own profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from txwebqq.model import (
    Captcha,
    FriendList,
    Level,
    Number,
    Profile,
    RecentContact,
    Uin,
)
from txwebqq.requests.requester import NO_CAPTCHA, Requester, ebEmpty, numberOf
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetFriendUin2,
    GetUserFriends2,
)
from txwebqq.wire.commands.profiles import (
    BatchGetVipinfo,
    GetLongNick,
    GetQQLevel2,
    GetRecentList2,
    GetSelfInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    ModifyMyDetails2,
    SetLongNick2,
    Signatures,
)

NOTHING_THERE = 100000
"""The server's code for an account without a signature (protocol.md 2.3.4)."""


class ProfileRequests(Requester):
    """
    Fetches profiles, permanent numbers and signatures of accounts, and changes
    this account's own.

    A request that takes a C{captcha} may also fail with L{CaptchaNeeded}: fetch
    a captcha with C{fetchCaptcha}, have it solved, and repeat the request with
    it.
    """

    def fetchBuddies(self) -> Deferred[FriendList]:
        """
        Fetch the friend list again (protocol.md 2.3.1). C{buddies} is kept
        current without it.
        """
        return self.transport.call(
            lambda ticket: GetUserFriends2(
                ticket, self.transport.friendListHash(ticket)
            )
        )

    def fetchBuddy(self, uin: Uin, captcha: Captcha = NO_CAPTCHA) -> Deferred[Profile]:
        """
        Fetch the profile of a friend (protocol.md 2.3.2).
        """
        return self.transport.call(GetFriendInfo2, uin, captcha.session, captcha.text)

    def fetchStranger(
        self, uin: Uin, captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[Profile]:
        """
        Fetch the profile that an account shows to those who are not its
        friends, for example of an account that sent a friend request
        (protocol.md 2.3.3).
        """
        return self.transport.call(GetStrangerInfo2, uin, captcha.session, captcha.text)

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        """
        Fetch the permanent number of an account (protocol.md 2.3.6). The
        original service blocked accounts that asked too often.
        """
        return self.transport.call(GetFriendUin2, uin).addCallback(numberOf)

    def fetchSignature(self, uin: Uin) -> Deferred[str]:
        """
        Fetch the signature of an account (protocol.md 2.3.4).

        @return: fires with C{""} when there is none.
        """
        nothing: Signatures = {}
        return (
            self.transport.call(GetSingleLongNick2, uin)
            .addErrback(ebEmpty, NOTHING_THERE, nothing)
            .addCallback(lambda signatures: "".join(signatures.values()))
        )

    def fetchSignatures(self, uins: Iterable[Uin]) -> Deferred[Signatures]:
        """
        Fetch the signatures of several accounts (protocol.md 2.3.4).

        @return: fires with the signatures that exist, by uin.
        """
        return self.transport.call(GetLongNick, tuple(uins))

    def fetchLevel(self, uin: Uin) -> Deferred[Level]:
        """
        Fetch the level of an account, which grows with the days it was online
        (protocol.md 2.3.5).
        """
        return self.transport.call(GetQQLevel2, uin).addCallback(
            lambda reply: reply.level
        )

    def fetchVipLevels(self, uins: Iterable[Uin]) -> Deferred[Mapping[Uin, int]]:
        """
        Fetch the VIP levels of several accounts, 0 for none
        (protocol.md 2.3.8).
        """
        return self.transport.call(BatchGetVipinfo, tuple(uins))

    def fetchRecent(self) -> Deferred[tuple[RecentContact, ...]]:
        """
        Fetch the recent conversations of this account, the latest first
        (protocol.md 2.2.10). Our server gives the last message of each, and the
        number of those that are not marked as read (L{HistoryRequests.markRead
        <txwebqq.requests.history.HistoryRequests.markRead>}).
        """
        return self.transport.call(GetRecentList2, True)

    def fetchSelf(self) -> Deferred[Profile]:
        """
        Fetch this account's profile, with its signature (protocol.md 2.1.9).
        """
        return self.transport.call(lambda ticket: GetSelfInfo2()).addCallback(
            lambda reply: reply.profile
        )

    def setDetails(self, **details: Any) -> Deferred[None]:
        """
        Change this account's profile (protocol.md 2.3.8). Fields that are not
        given keep their values.

        @param details: fields of a L{Profile} by name: C{nick}, C{gender},
            C{birthday}, C{city}, C{allow}, ..., and C{question} and C{answer}
            for accounts that send a friend request.
        """
        return self.transport.call(ModifyMyDetails2, details)

    def setSignature(self, text: str) -> Deferred[None]:
        """
        Set this account's signature (protocol.md 2.3.4). The server tells its
        friends.
        """
        return self.transport.call(SetLongNick2, text)
