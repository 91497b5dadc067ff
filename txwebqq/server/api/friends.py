"""
Handlers of searches, friend requests, friends and categories (protocol.md 2.4).
"""

from __future__ import annotations

from msgspec.structs import replace

from txwebqq.model import Category, Event, Policy, Profile
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.friends import UNKNOWN, FriendRules, policyOf
from txwebqq.server.domain.profiles import profileFor
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.requests import requestsTo
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
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
    GetBlocked2,
    GetRequests2,
    ModifyFriendGroup,
    RenameFriendGroup,
    SearchQQByUin2,
    SortFriendGroup,
)

NOT_FOUND = Refusal(100000, "there is nobody of that number or mail address")

MAX_BLOCKED = 1000
"""Maximum number of blocked accounts that a client is told."""


class FriendsAPI:
    """
    The handlers of friend lists.
    """

    def __init__(self, state: ServerState, friendRules: FriendRules) -> None:
        self._state = state
        self._store = state.store
        self._friendRules = friendRules

    @answers(SearchQQByUin2)
    def searchQQByUin2(
        self, command: SearchQQByUin2, session: Session, exchange: HTTPExchange
    ) -> Profile | Refusal:
        """
        C{GET /api/search_qq_by_uin2}: find an account by its number or its
        mail address.
        """
        failure = self._state.authenticator.checkSearch(
            session.number, exchange.network, command.verifySession, command.code
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

    @answers(GetAllowInfo2)
    def getAllowInfo2(
        self, command: GetAllowInfo2, session: Session, exchange: HTTPExchange
    ) -> Policy | Refusal:
        """
        C{GET /api/get_allow_info2}: return the policy of an account for friend
        requests, with its question.
        """
        number = session.sessionIds.person(command.uin)
        if number is None or not self._friendRules.knows(session, number):
            return UNKNOWN
        account = self._store.accounts.get(number)
        return UNKNOWN if account is None else policyOf(account)

    @answers(AddNeedVerify2)
    def addNeedVerify2(
        self, command: AddNeedVerify2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/add_need_verify2}: send a friend request.
        """
        return self._friendRules.ask(
            session,
            command.account,
            command.token,
            command.text,
            command.category,
            welcome=command.welcome,
        )

    @answers(AddNoVerify2)
    def addNoVerify2(
        self, command: AddNoVerify2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/add_no_verify2}: add an account that needs no confirmation.
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

    @answers(AnswerAndAdd2)
    def answerAndAdd2(
        self, command: AnswerAndAdd2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/answer_and_add2}: add an account by answering its question.
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

    @answers(AllowAndAdd2)
    def allowAndAdd2(
        self, command: AllowAndAdd2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/allow_and_add2}: accept a friend request, and add the other
        account as well.
        """
        return self._friendRules.accept(
            session, command.account, True, command.category, command.markname
        )

    @answers(AllowAddedRequest2)
    def allowAddedRequest2(
        self, command: AllowAddedRequest2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/allow_added_request2}: accept a friend request without
        adding the other account.
        """
        return self._friendRules.accept(session, command.account, False)

    @answers(DenyAddedRequest2)
    def denyAddedRequest2(
        self, command: DenyAddedRequest2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/deny_added_request2}: reject a friend request.
        """
        return self._friendRules.refuse(session, command.account, command.text)

    @answers(GetRequests2)
    def getRequests2(
        self, command: GetRequests2, session: Session, exchange: HTTPExchange
    ) -> tuple[Event, ...]:
        """
        C{GET /api/get_requests2}: return the requests that wait for an answer.
        """
        waiting = requestsTo(self._state, session.number)
        return tuple(event.event(session.sessionIds) for event in waiting)

    @answers(GetBlocked2)
    def getBlocked2(
        self, command: GetBlocked2, session: Session, exchange: HTTPExchange
    ) -> tuple[Profile, ...]:
        """
        C{GET /api/get_blocked2}: return the accounts that the account has blocked.
        """
        owner = session.number
        numbers = sorted(set(self._store.blockedBy(owner)))[:MAX_BLOCKED]
        nicks = self._store.friends.nicks(owner, numbers)
        return tuple(
            Profile(session.sessionIds.uin(number), nick, number=number)
            for number, nick in nicks.items()
        )

    @answers(ChangeMarkName2)
    def changeMarkName2(
        self, command: ChangeMarkName2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/change_mark_name2}: set the name that the account alone
        sees for a friend.
        """
        return self._friendRules.rename(session, command.uin, command.markname)

    @answers(ModifyFriendGroup)
    def modifyFriendGroup(
        self, command: ModifyFriendGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/modify_friend_group}: move a friend to another category.
        """
        return self._friendRules.move(session, command.uin, command.category)

    @answers(DeleteFriend)
    def deleteFriend(
        self, command: DeleteFriend, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/delete_friend}: remove a friend.
        """
        if command.kind not in (FROM_MINE, FROM_BOTH):
            return Refusal(NO_SUCH_ID, "delType is neither 1 nor 2")
        both = command.kind == FROM_BOTH
        return self._friendRules.remove(session, command.uin, both)

    @answers(CreateFriendGroup)
    def createFriendGroup(
        self, command: CreateFriendGroup, session: Session, exchange: HTTPExchange
    ) -> Category | Refusal:
        """
        C{POST /api/create_friend_group}: create a category.
        """
        category = self._friendRules.createCategory(session, command.name)
        if isinstance(category, Refusal):
            return category
        return Category(category.index, category.name, category.sort)

    @answers(RenameFriendGroup)
    def renameFriendGroup(
        self, command: RenameFriendGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/rename_friend_group}: rename a category.
        """
        return self._friendRules.renameCategory(session, command.category, command.name)

    @answers(SortFriendGroup)
    def sortFriendGroup(
        self, command: SortFriendGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/sort_friend_group}: move a category in the list.
        """
        return self._friendRules.sortCategory(session, command.category, command.sort)

    @answers(DeleteFriendGroup)
    def deleteFriendGroup(
        self, command: DeleteFriendGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/delete_friend_group}: remove a category.
        """
        return self._friendRules.removeCategory(session, command.category)
