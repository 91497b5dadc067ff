"""
Answers to what changes friend lists: finding people, asking and answering
them, and keeping one's own list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from txwebqq.model import Category, Policy, Profile
from txwebqq.server.exchange import Exchange, Handler
from txwebqq.server.friendships import UNKNOWN, Friendships, captchaRefusal, policyOf
from txwebqq.server.post import NOT_YOURS
from txwebqq.server.profiles import describe
from txwebqq.server.sessions import Ended, Session
from txwebqq.server.world import World
from txwebqq.wire.command import Command, Refusal, Ticket
from txwebqq.wire.friends import (
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

STALE = Refusal(100000, "vfwebqq is not valid")
NOT_FOUND = Refusal(100000, "there is nobody of that number or mail address")


class Friends:
    """
    The questions about friendships.
    """

    def __init__(self, world: World, friendships: Friendships) -> None:
        self._world = world
        self._store = world.store
        self._friendships = friendships

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            SearchQQByUin2: self.searchQQByUin2,
            GetAllowInfo2: self.getAllowInfo2,
            AddNeedVerify2: self.addNeedVerify2,
            AddNoVerify2: self.addNoVerify2,
            AnswerAndAdd2: self.answerAndAdd2,
            AllowAndAdd2: self.allowAndAdd2,
            AllowAddedRequest2: self.allowAddedRequest2,
            DenyAddedRequest2: self.denyAddedRequest2,
            ChangeMarkName2: self.changeMarkName2,
            ModifyFriendGroup: self.modifyFriendGroup,
            DeleteFriend: self.deleteFriend,
            CreateFriendGroup: self.createFriendGroup,
            RenameFriendGroup: self.renameFriendGroup,
            SortFriendGroup: self.sortFriendGroup,
            DeleteFriendGroup: self.deleteFriendGroup,
        }

    def _session(self, ticket: Ticket) -> Session | None:
        found = self._world.sessions.byVerifier(ticket.vfwebqq)
        return None if isinstance(found, Ended) else found

    # ---- finding

    def searchQQByUin2(
        self, question: SearchQQByUin2, exchange: Exchange
    ) -> Profile | Refusal:
        """
        Somebody by their number or their mail address.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        doubt = self._world.doubt(
            session.number, exchange.address, question.verifySession, question.code
        )
        if doubt is not None:
            return captchaRefusal(doubt)
        person = self._friendships.find(session, question.name)
        if person is None:
            return NOT_FOUND
        number = person.number
        isStranger = number != session.number and not self._store.areFriends(
            session.number, number
        )
        status = self._world.visibleStatus(number)
        return replace(
            describe(person, session.aliases.uin(number), status, isStranger),
            number=number,
            token=self._friendships.proof(session.number, number),
        )

    def getAllowInfo2(
        self, question: GetAllowInfo2, exchange: Exchange
    ) -> Policy | Refusal:
        """
        Who may befriend somebody, and the question that they ask.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        number = session.aliases.person(question.uin)
        if number is None or not self._friendships.knows(session, number):
            return UNKNOWN
        person = self._store.person(number)
        return UNKNOWN if person is None else policyOf(person)

    # ---- asking

    def addNeedVerify2(
        self, question: AddNeedVerify2, exchange: Exchange
    ) -> None | Refusal:
        """
        Ask somebody.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.ask(
            session,
            question.account,
            question.token,
            question.text,
            question.category,
            welcome=question.welcome,
        )

    def addNoVerify2(
        self, question: AddNoVerify2, exchange: Exchange
    ) -> None | Refusal:
        """
        Befriend somebody who lets anybody.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.ask(
            session,
            question.account,
            question.token,
            "",
            question.category,
            question.markname,
            question.welcome,
            needsNone=True,
        )

    def answerAndAdd2(
        self, question: AnswerAndAdd2, exchange: Exchange
    ) -> None | Refusal:
        """
        Befriend somebody by answering their question.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.ask(
            session,
            question.account,
            question.token,
            question.answer,
            question.category,
            question.markname,
            question.welcome,
        )

    # ---- answering

    def allowAndAdd2(
        self, question: AllowAndAdd2, exchange: Exchange
    ) -> None | Refusal:
        """
        Agree, and have them for a friend as well.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.accept(
            session, question.account, True, question.category, question.markname
        )

    def allowAddedRequest2(
        self, question: AllowAddedRequest2, exchange: Exchange
    ) -> None | Refusal:
        """
        Agree, no more.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.accept(session, question.account, False)

    def denyAddedRequest2(
        self, question: DenyAddedRequest2, exchange: Exchange
    ) -> None | Refusal:
        """
        Refuse.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.refuse(session, question.account, question.text)

    # ---- keeping

    def changeMarkName2(
        self, question: ChangeMarkName2, exchange: Exchange
    ) -> None | Refusal:
        """
        Call a friend otherwise.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.rename(session, question.uin, question.markname)

    def modifyFriendGroup(
        self, question: ModifyFriendGroup, exchange: Exchange
    ) -> None | Refusal:
        """
        Put a friend into another category.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.move(session, question.uin, question.category)

    def deleteFriend(
        self, question: DeleteFriend, exchange: Exchange
    ) -> None | Refusal:
        """
        Have somebody for a friend no longer.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        if question.kind not in (FROM_MINE, FROM_BOTH):
            return Refusal(NOT_YOURS, "delType is neither 1 nor 2")
        both = question.kind == FROM_BOTH
        return self._friendships.remove(session, question.uin, both)

    # ---- categories

    def createFriendGroup(
        self, question: CreateFriendGroup, exchange: Exchange
    ) -> Category | Refusal:
        """
        Add a category.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        drawer = self._friendships.createDrawer(session, question.name)
        if isinstance(drawer, Refusal):
            return drawer
        return Category(drawer.index, drawer.name, drawer.sort)

    def renameFriendGroup(
        self, question: RenameFriendGroup, exchange: Exchange
    ) -> None | Refusal:
        """
        Call a category otherwise.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.renameDrawer(session, question.category, question.name)

    def sortFriendGroup(
        self, question: SortFriendGroup, exchange: Exchange
    ) -> None | Refusal:
        """
        Put a category elsewhere.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.sortDrawer(session, question.category, question.sort)

    def deleteFriendGroup(
        self, question: DeleteFriendGroup, exchange: Exchange
    ) -> None | Refusal:
        """
        Remove a category.
        """
        session = self._session(question.ticket)
        if session is None:
            return STALE
        return self._friendships.removeDrawer(session, question.category)
