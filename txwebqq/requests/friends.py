"""
Friends: finding people, asking and answering them, and keeping our list.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred

from txwebqq.errors import WebQQError
from txwebqq.model import (
    ANYBODY,
    WHO_ANSWERS,
    Captcha,
    Category,
    FriendshipNotice,
    Number,
    Policy,
    Profile,
    Uin,
)
from txwebqq.requests.profiles import NO_CAPTCHA, ProfileRequests
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
    ModifyFriendGroup,
    RenameFriendGroup,
    SearchQQByUin2,
    SortFriendGroup,
)
from txwebqq.wire.form import Ticket


class ContactRequests(ProfileRequests):
    """
    What to do with friends. C{buddies} and C{categories} know of it when the
    Deferred fires.
    """

    # ---- finding and asking

    def searchNumber(
        self, number: Number | str, captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[Profile]:
        """
        Find somebody (protocol.md 2.4.1).

        @param number: their number, or the mail address that they tell.

        @return: fires with what they tell strangers.
        """
        return self.transport.call(
            lambda ticket: SearchQQByUin2(
                ticket, str(number), captcha.session, captcha.text
            )
        )

    def fetchPolicy(self, uin: Uin) -> Deferred[Policy]:
        """
        Ask who may befriend somebody, and what question they want answered
        (protocol.md 2.4.2).
        """
        return self.transport.call(lambda ticket: GetAllowInfo2(ticket, uin))

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
        Ask somebody to be our friend (protocol.md 2.4.3), in the way in which
        they let themselves be asked.

        @param text: what to tell them, or the answer to their question.
        @param category: the drawer that they go into.
        @param markname: what to call them; only those are asked with it who
            do not decide for themselves, for others use C{setMarkname}.
        @param found: what C{searchNumber} or C{fetchStranger} gave, lest they
            be searched for once more.

        @return: fires when they have been asked. What they answer comes as
            C{friendshipRequested}, and C{rosterChanged} when they agree.
        """

        async def ask() -> None:
            person = found
            if person is None or not person.token:
                person = await self.searchNumber(number, captcha)
            token = person.token

            def make(ticket: Ticket) -> Command[None]:
                if person.allow == ANYBODY:
                    return AddNoVerify2(ticket, number, category, markname, token)
                if person.allow == WHO_ANSWERS:
                    return AnswerAndAdd2(
                        ticket, number, text, category, markname, token
                    )
                return AddNeedVerify2(ticket, number, text, category, token)

            if markname and person.allow in (ANYBODY, WHO_ANSWERS):
                self.transport.roster.setPendingMarkname(person.uin, markname)
            await self.transport.call(make)

        return Deferred.fromCoroutine(ask())

    # ---- answering

    def acceptFriendship(
        self,
        request: FriendshipNotice,
        addBack: bool = True,
        category: int = 0,
        markname: str = "",
    ) -> Deferred[None]:
        """
        Agree to what C{friendshipRequested} told (protocol.md 2.4.4).

        @param addBack: whether they become our friend, too; C{category} and
            C{markname} are for that.
        """
        uin = request.uin

        async def accept() -> None:
            number = await self._numberOf(request)
            if not addBack:
                await self.transport.call(
                    lambda ticket: AllowAddedRequest2(ticket, number)
                )
                return
            if markname:
                self.transport.roster.setPendingMarkname(uin, markname)
            await self.transport.call(
                lambda ticket: AllowAndAdd2(ticket, number, category, markname)
            )
            await self._welcome(uin, category)

        return Deferred.fromCoroutine(accept())

    async def _welcome(self, uin: Uin, category: int) -> None:
        # Our own server tells us like anybody else; others may not.
        roster = self.transport.roster
        if uin in roster.buddies:
            return
        try:
            profile = await self.fetchBuddy(uin)
        except WebQQError:
            # They are our friend all the same.
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
        Not agree to what C{friendshipRequested} told (protocol.md 2.4.4).

        @param text: why.
        """

        async def refuse() -> None:
            number = await self._numberOf(request)
            await self.transport.call(
                lambda ticket: DenyAddedRequest2(ticket, number, text)
            )

        return Deferred.fromCoroutine(refuse())

    # ---- keeping

    def removeFriend(self, uin: Uin, both: bool = False) -> Deferred[None]:
        """
        Have somebody for a friend no longer (protocol.md 2.4.5).

        @param both: whether they are not to have us either.
        """
        kind = FROM_BOTH if both else FROM_MINE
        return self.transport.call(
            lambda ticket: DeleteFriend(ticket, uin, kind)
        ).addCallback(lambda _: self.transport.roster.removeBuddy(uin))

    def setMarkname(self, uin: Uin, name: str) -> Deferred[None]:
        """
        Call a friend otherwise, for ourselves alone (protocol.md 2.4.5).

        @param name: C{""} for what they call themselves.
        """
        return self.transport.call(
            lambda ticket: ChangeMarkName2(ticket, uin, name)
        ).addCallback(lambda _: self.transport.roster.changeBuddy(uin, markname=name))

    def moveBuddy(self, uin: Uin, category: int) -> Deferred[None]:
        """
        Put a friend into another drawer (protocol.md 2.4.5).
        """
        return self.transport.call(
            lambda ticket: ModifyFriendGroup(ticket, uin, category)
        ).addCallback(
            lambda _: self.transport.roster.changeBuddy(uin, category=category)
        )

    # ---- the drawers, which only servers of this package can change

    def createCategory(self, name: str) -> Deferred[Category]:
        """
        Add a drawer to our friend list.
        """

        def created(category: Category) -> Category:
            self.transport.roster.setCategory(category)
            return category

        return self.transport.call(
            lambda ticket: CreateFriendGroup(ticket, name)
        ).addCallback(created)

    def renameCategory(self, category: int, name: str) -> Deferred[None]:
        """
        Call a drawer otherwise.
        """
        return self.transport.call(
            lambda ticket: RenameFriendGroup(ticket, category, name)
        ).addCallback(lambda _: self._changeCategory(category, name=name))

    def moveCategory(self, category: int, sort: int) -> Deferred[None]:
        """
        Put a drawer elsewhere in the list: after those with lower C{sort}.
        """
        return self.transport.call(
            lambda ticket: SortFriendGroup(ticket, category, sort)
        ).addCallback(lambda _: self._changeCategory(category, sort=sort))

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
        Remove a drawer; whoever is in it goes into the first one.
        """
        return self.transport.call(
            lambda ticket: DeleteFriendGroup(ticket, category)
        ).addCallback(lambda _: self.transport.roster.removeCategory(category))
