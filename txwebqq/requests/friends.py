"""
Requests about friends: searching for accounts, friend requests and the friend
list.
"""

from __future__ import annotations

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from txwebqq.errors import WebQQError
from txwebqq.model import (
    ANYBODY,
    WHO_ANSWERS,
    Captcha,
    Category,
    FriendshipNotice,
    GroupNotice,
    Number,
    Policy,
    Profile,
    Uin,
)
from txwebqq.requests.profiles import ProfileRequests
from txwebqq.requests.requester import NO_CAPTCHA
from txwebqq.wire.command import Command
from txwebqq.wire.commands.friends import (
    FROM_BOTH,
    FROM_MINE,
    AddNeedVerify2,
    AddNoVerify2,
    AllowAddedRequest2,
    AllowAndAdd2,
    AnswerAndAdd2,
    ChangeMarkName2,
    CreateFriendGroup,
    DeleteFriend,
    DeleteFriendGroup,
    DenyAddedRequest2,
    GetAllowInfo2,
    GetRequests2,
    ModifyFriendGroup,
    RenameFriendGroup,
    SearchQQByUin2,
    SortFriendGroup,
)
from txwebqq.wire.form import Ticket


class ContactRequests(ProfileRequests):
    """
    Searches for accounts, sends and answers friend requests, and changes the
    friend list. C{buddies} and C{categories} have changed when the Deferred of
    such a request fires.
    """

    def searchNumber(
        self, number: Number | str, captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[Profile]:
        """
        Search for an account (protocol.md 2.4.1).

        @param number: the number or the mail address of the account.

        @return: fires with the profile that the account shows to those who are
            not its friends.
        """
        return self.transport.call(
            SearchQQByUin2, str(number), captcha.session, captcha.text
        )

    def fetchPolicy(self, uin: Uin) -> Deferred[Policy]:
        """
        Fetch an account's policy for friend requests, and the question that it
        wants answered (protocol.md 2.4.2).
        """
        return self.transport.call(GetAllowInfo2, uin)

    def requestFriendship(
        self,
        number: Number,
        text: str = "",
        category: int = 0,
        markname: str = "",
        found: Profile | None = None,
        captcha: Captcha = NO_CAPTCHA,
    ) -> Deferred[None]:
        """
        Send a friend request (protocol.md 2.4.3), in the form that the policy
        of the account wants.

        @param text: the text of the request, or the answer to the account's
            question.
        @param category: the index of the category for the new friend.
        @param markname: the private nickname for the new friend; ignored for an
            account that decides on each request, use C{setMarkname} then.
        @param found: the result of C{searchNumber} or C{fetchStranger}, to save
            a second search.

        @return: fires when the server has accepted the request. The answer
            comes as the event C{friendshipRequested}, and as C{rosterChanged}
            when the account agrees.
        """

        async def ask() -> None:
            profile = found
            if profile is None or not profile.token:
                profile = await self.searchNumber(number, captcha)
            token = profile.token

            def make(ticket: Ticket) -> Command[None]:
                if profile.allow == ANYBODY:
                    return AddNoVerify2(ticket, number, category, markname, token)
                if profile.allow == WHO_ANSWERS:
                    return AnswerAndAdd2(
                        ticket, number, text, category, markname, token
                    )
                return AddNeedVerify2(ticket, number, text, category, token)

            if markname and profile.allow in (ANYBODY, WHO_ANSWERS):
                self.transport.roster.setPendingMarkname(profile.uin, markname)
            await self.transport.call(make)

        return Deferred.fromCoroutine(ask())

    def acceptFriendship(
        self,
        request: FriendshipNotice,
        addBack: bool = True,
        category: int = 0,
        markname: str = "",
    ) -> Deferred[None]:
        """
        Accept a friend request (protocol.md 2.4.4).

        @param request: the event C{friendshipRequested}.
        @param addBack: whether to add the account to this account's friend
            list too, in C{category} and with C{markname}.
        """
        uin = request.uin

        async def accept() -> None:
            number = await self._numberOf(request)
            if not addBack:
                await self.transport.call(AllowAddedRequest2, number)
                return
            if markname:
                self.transport.roster.setPendingMarkname(uin, markname)
            await self.transport.call(AllowAndAdd2, number, category, markname)
            await self._addToRoster(uin, category)

        return Deferred.fromCoroutine(accept())

    async def _addToRoster(self, uin: Uin, category: int) -> None:
        # The server of this package sends an event too; others may not.
        roster = self.transport.roster
        if uin in roster.buddies:
            return
        try:
            profile = await self.fetchBuddy(uin)
        except WebQQError:
            # The account is a friend without a profile too.
            profile = None
        if uin not in roster.buddies:
            roster.addProfile(uin, profile)
            roster.addBuddy(uin, category)

    async def _numberOf(self, request: FriendshipNotice) -> Number:
        return request.number or await self.fetchNumber(request.uin)

    def refuseFriendship(
        self, request: FriendshipNotice, text: str = ""
    ) -> Deferred[None]:
        """
        Refuse a friend request (protocol.md 2.4.4).

        @param request: the event C{friendshipRequested}.
        @param text: the reason, for the account.
        """

        async def refuse() -> None:
            number = await self._numberOf(request)
            await self.transport.call(DenyAddedRequest2, number, text)

        return Deferred.fromCoroutine(refuse())

    def fetchRequests(self) -> Deferred[tuple[FriendshipNotice | GroupNotice, ...]]:
        """
        Fetch the friend requests, and the requests to join groups that this account
        administers, that wait for an answer (protocol.md 2.4.6).

        @return: fires with the notices that told of them, whose C{sequence} and ids
            of messages are 0; fails with L{RequestRefused} at servers of others.
        """
        return self.transport.call(GetRequests2)

    def removeFriend(self, uin: Uin, both: bool = False) -> Deferred[None]:
        """
        Remove a friend (protocol.md 2.4.5).

        @param both: whether to remove this account from the friend's list too.
        """
        kind = FROM_BOTH if both else FROM_MINE
        return self.transport.call(DeleteFriend, uin, kind).addCallback(
            lambda _: self.transport.roster.removeBuddy(uin)
        )

    def setMarkname(self, uin: Uin, name: str) -> Deferred[None]:
        """
        Set the private nickname of a friend (protocol.md 2.4.5).

        @param name: C{""} to remove it.
        """
        return self.transport.call(ChangeMarkName2, uin, name).addCallback(
            lambda _: self.transport.roster.changeBuddy(uin, markname=name)
        )

    def moveBuddy(self, uin: Uin, category: int) -> Deferred[None]:
        """
        Move a friend to another category (protocol.md 2.4.5).
        """
        return self.transport.call(ModifyFriendGroup, uin, category).addCallback(
            lambda _: self.transport.roster.changeBuddy(uin, category=category)
        )

    def createCategory(self, name: str) -> Deferred[Category]:
        """
        Add a category to the friend list. Tencent's server had no such call.
        """

        def created(category: Category) -> Category:
            self.transport.roster.setCategory(category)
            return category

        return self.transport.call(CreateFriendGroup, name).addCallback(created)

    def renameCategory(self, category: int, name: str) -> Deferred[None]:
        """
        Rename a category. Tencent's server had no such call.
        """
        return self.transport.call(RenameFriendGroup, category, name).addCallback(
            lambda _: self._changeCategory(category, name=name)
        )

    def moveCategory(self, category: int, sort: int) -> Deferred[None]:
        """
        Move a category in the friend list. Tencent's server had no such call.

        @param sort: its new position: after the categories with a lower
            C{sort}.
        """
        return self.transport.call(SortFriendGroup, category, sort).addCallback(
            lambda _: self._changeCategory(category, sort=sort)
        )

    def _changeCategory(
        self, index: int, name: str | None = None, sort: int | None = None
    ) -> None:
        roster = self.transport.roster
        for known in roster.categories:
            if known.index == index:
                roster.setCategory(
                    replace(
                        known,
                        name=known.name if name is None else name,
                        sort=known.sort if sort is None else sort,
                    )
                )

    def removeCategory(self, category: int) -> Deferred[None]:
        """
        Remove a category; its friends move to the first one. Tencent's server
        had no such call.
        """
        return self.transport.call(DeleteFriendGroup, category).addCallback(
            lambda _: self.transport.roster.removeCategory(category)
        )
