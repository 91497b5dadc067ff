"""
Answers to what changes friend lists: finding people, asking and answering
them, and keeping one's own list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from txwebqq.model import Category, Policy, Profile
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.friends import UNKNOWN, FriendRules, policyOf
from txwebqq.server.domain.profiles import profileFor
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import Exchange, Handler, forSession
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Command, Refusal
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

NOT_FOUND = Refusal(100000, "there is nobody of that number or mail address")


class FriendsAPI:
    """
    The questions about friendships.
    """

    def __init__(self, state: ServerState, friendRules: FriendRules) -> None:
        self._state = state
        self._store = state.store
        self._friendRules = friendRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._state.sessions
        return {
            SearchQQByUin2: forSession(sessions, self.searchQQByUin2),
            GetAllowInfo2: forSession(sessions, self.getAllowInfo2),
            AddNeedVerify2: forSession(sessions, self.addNeedVerify2),
            AddNoVerify2: forSession(sessions, self.addNoVerify2),
            AnswerAndAdd2: forSession(sessions, self.answerAndAdd2),
            AllowAndAdd2: forSession(sessions, self.allowAndAdd2),
            AllowAddedRequest2: forSession(sessions, self.allowAddedRequest2),
            DenyAddedRequest2: forSession(sessions, self.denyAddedRequest2),
            ChangeMarkName2: forSession(sessions, self.changeMarkName2),
            ModifyFriendGroup: forSession(sessions, self.modifyFriendGroup),
            DeleteFriend: forSession(sessions, self.deleteFriend),
            CreateFriendGroup: forSession(sessions, self.createFriendGroup),
            RenameFriendGroup: forSession(sessions, self.renameFriendGroup),
            SortFriendGroup: forSession(sessions, self.sortFriendGroup),
            DeleteFriendGroup: forSession(sessions, self.deleteFriendGroup),
        }

    # ---- finding

    def searchQQByUin2(
        self, command: SearchQQByUin2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        Somebody by their number or their mail address.
        """
        failure = self._state.authenticator.checkCaptcha(
            session.number, exchange.address, command.verifySession, command.code
        )
        if failure is not None:
            return captchaRefusal(failure)
        account = self._friendRules.find(session, command.name)
        if account is None:
            return NOT_FOUND
        number = account.number
        isStranger = number != session.number and not self._store.friends.areFriends(
            session.number, number
        )
        status = self._state.presence.visibleStatus(number)
        return replace(
            profileFor(account, session.sessionIds.uin(number), status, isStranger),
            number=number,
            token=self._friendRules.proof(session.number, number),
        )

    def getAllowInfo2(
        self, command: GetAllowInfo2, session: Session, exchange: Exchange
    ) -> Policy | Refusal:
        """
        Who may befriend somebody, and the question that they ask.
        """
        number = session.sessionIds.person(command.uin)
        if number is None or not self._friendRules.knows(session, number):
            return UNKNOWN
        account = self._store.accounts.get(number)
        return UNKNOWN if account is None else policyOf(account)

    # ---- asking

    def addNeedVerify2(
        self, command: AddNeedVerify2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Ask somebody.
        """
        return self._friendRules.ask(
            session,
            command.account,
            command.token,
            command.text,
            command.category,
            welcome=command.welcome,
        )

    def addNoVerify2(
        self, command: AddNoVerify2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Befriend somebody who lets anybody.
        """
        return self._friendRules.ask(
            session,
            command.account,
            command.token,
            "",
            command.category,
            command.markname,
            command.welcome,
            needsNone=True,
        )

    def answerAndAdd2(
        self, command: AnswerAndAdd2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Befriend somebody by answering their question.
        """
        return self._friendRules.ask(
            session,
            command.account,
            command.token,
            command.answer,
            command.category,
            command.markname,
            command.welcome,
        )

    # ---- answering

    def allowAndAdd2(
        self, command: AllowAndAdd2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Agree, and have them for a friend as well.
        """
        return self._friendRules.accept(
            session, command.account, True, command.category, command.markname
        )

    def allowAddedRequest2(
        self, command: AllowAddedRequest2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Agree, no more.
        """
        return self._friendRules.accept(session, command.account, False)

    def denyAddedRequest2(
        self, command: DenyAddedRequest2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Refuse.
        """
        return self._friendRules.refuse(session, command.account, command.text)

    # ---- keeping

    def changeMarkName2(
        self, command: ChangeMarkName2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Call a friend otherwise.
        """
        return self._friendRules.rename(session, command.uin, command.markname)

    def modifyFriendGroup(
        self, command: ModifyFriendGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Put a friend into another category.
        """
        return self._friendRules.move(session, command.uin, command.category)

    def deleteFriend(
        self, command: DeleteFriend, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Have somebody for a friend no longer.
        """
        if command.kind not in (FROM_MINE, FROM_BOTH):
            return Refusal(NO_SUCH_ID, "delType is neither 1 nor 2")
        both = command.kind == FROM_BOTH
        return self._friendRules.remove(session, command.uin, both)

    # ---- categories

    def createFriendGroup(
        self, command: CreateFriendGroup, session: Session, exchange: Exchange
    ) -> Category | Refusal:
        """
        Add a category.
        """
        category = self._friendRules.createCategory(session, command.name)
        if isinstance(category, Refusal):
            return category
        return Category(category.index, category.name, category.sort)

    def renameFriendGroup(
        self, command: RenameFriendGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Call a category otherwise.
        """
        return self._friendRules.renameCategory(session, command.category, command.name)

    def sortFriendGroup(
        self, command: SortFriendGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Put a category elsewhere.
        """
        return self._friendRules.sortCategory(session, command.category, command.sort)

    def deleteFriendGroup(
        self, command: DeleteFriendGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Remove a category.
        """
        return self._friendRules.removeCategory(session, command.category)
