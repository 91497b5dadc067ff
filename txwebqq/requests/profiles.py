"""
People: friends, their details and their numbers, and ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Captcha,
    FriendList,
    Level,
    Number,
    Profile,
    RecentContact,
    Uin,
)
from txwebqq.requests.requester import Requester, numberOf
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

NO_CAPTCHA = Captcha()

NOTHING_THERE = 100000
"""The refusal of a signature where there is none."""


class ProfileRequests(Requester):
    """
    What to know of people, and what to tell about ourselves.

    Where a C{captcha} may be given, it also fails with L{CaptchaNeeded}: fetch
    one with C{fetchCaptcha}, have it read, and ask again with it.
    """

    # ---- friends and others

    def fetchBuddies(self) -> Deferred[FriendList]:
        """
        Ask for the friend list anew (protocol.md 2.3.1). C{buddies} does not
        need it.
        """
        return self.transport.call(
            lambda ticket: GetUserFriends2(
                ticket, self.transport.friendListHash(ticket)
            )
        )

    def fetchBuddy(self, uin: Uin, captcha: Captcha = NO_CAPTCHA) -> Deferred[Profile]:
        """
        Ask what somebody tells about themselves (protocol.md 2.3.2).
        """
        return self.transport.call(
            lambda ticket: GetFriendInfo2(ticket, uin, captcha.session, captcha.text)
        )

    def fetchStranger(
        self, uin: Uin, captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[Profile]:
        """
        Ask what somebody tells to those who are not their friends, somebody
        who wants to be ours for example (protocol.md 2.3.3).
        """
        return self.transport.call(
            lambda ticket: GetStrangerInfo2(ticket, uin, captcha.session, captcha.text)
        )

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        """
        Ask which permanent number is behind a uin (protocol.md 2.3.6). The
        original service blocked accounts that asked too often.
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, uin)
        ).addCallback(numberOf)

    def fetchSignature(self, uin: Uin) -> Deferred[str]:
        """
        Ask what somebody has written below their name (protocol.md 2.3.4).

        @return: fires with C{""} when there is nothing.
        """

        def none(failure: Failure) -> Signatures:
            failure.trap(RequestRefused)
            if getattr(failure.value, "retcode", None) != NOTHING_THERE:
                failure.raiseException()
            return {}

        return (
            self.transport.call(lambda ticket: GetSingleLongNick2(ticket, uin))
            .addErrback(none)
            .addCallback(lambda signatures: "".join(signatures.values()))
        )

    def fetchSignatures(self, uins: Iterable[Uin]) -> Deferred[Signatures]:
        """
        Ask the same of several people (protocol.md 2.3.4).

        @return: fires with what those have written who have.
        """
        people = tuple(uins)
        return self.transport.call(lambda ticket: GetLongNick(ticket, people))

    def fetchLevel(self, uin: Uin) -> Deferred[Level]:
        """
        Ask how long somebody has been around (protocol.md 2.3.5).
        """
        return self.transport.call(lambda ticket: GetQQLevel2(ticket, uin)).addCallback(
            lambda answer: answer.level
        )

    def fetchVipLevels(self, uins: Iterable[Uin]) -> Deferred[Mapping[Uin, int]]:
        """
        Ask for the VIP levels of several people, 0 for none
        (protocol.md 2.3.8).
        """
        people = tuple(uins)
        return self.transport.call(lambda ticket: BatchGetVipinfo(ticket, people))

    def fetchRecent(self) -> Deferred[tuple[RecentContact, ...]]:
        """
        Ask whom we have talked with lately, the last first
        (protocol.md 2.2.10).
        """
        return self.transport.call(GetRecentList2)

    # ---- ourselves

    def fetchSelf(self) -> Deferred[Profile]:
        """
        Ask what we tell about ourselves, with our signature
        (protocol.md 2.1.9).
        """
        return self.transport.call(lambda ticket: GetSelfInfo2()).addCallback(
            lambda answer: answer.profile
        )

    def setDetails(self, **details: Any) -> Deferred[None]:
        """
        Tell something else about ourselves (protocol.md 2.3.8); what is not
        given stays as it is.

        @param details: the fields of a L{Profile} that people can change, by
            name: C{nick}, C{gender}, C{birthday}, C{city}, C{allow}, ...; with
            C{question} and C{answer} for those who want to befriend us.
        """
        return self.transport.call(lambda ticket: ModifyMyDetails2(ticket, details))

    def setSignature(self, text: str) -> Deferred[None]:
        """
        Write something else below our name (protocol.md 2.3.4); friends are
        told.
        """
        return self.transport.call(lambda ticket: SetLongNick2(ticket, text))
