"""
Handlers of profiles, signatures and levels (protocol.md 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from txwebqq.model import (
    Profile,
    Status,
    Uin,
)
from txwebqq.ratelimit import HOUR
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.friends import UNKNOWN, FriendRules
from txwebqq.server.domain.profiles import (
    profileFor,
    signatureOf,
    withDetails,
    withSignature,
)
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import SIGNATURE_CHANGE
from txwebqq.server.http.authorization import NO_LOGIN, STALE, LoginCookies
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.records import AccountRecord
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.profiles import (
    BatchGetVipinfo,
    GetLongNick,
    GetQQLevel2,
    GetSelfInfo2,
    GetSingleInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    GetVfwebqq2,
    LevelOf,
    ModifyMyDetails2,
    OwnProfile,
    SetLongNick2,
    Signatures,
)
from txwebqq.wire.form import Ticket

TOO_OFTEN = 6
"""The retcode for changing the signature too often (protocol.md 6)."""

STRANGERS_PER_HOUR = 500
"""Number of profiles of strangers that an account gets within an hour without a
captcha."""

SIGNATURES_PER_HOUR = 60
"""Maximum number of new signatures of an account within an hour, because all friends
are notified of each."""


class ProfilesAPI:
    """
    The handlers of profiles.
    """

    def __init__(self, state: ServerState, friendRules: FriendRules) -> None:
        self._state = state
        self._store = state.store
        self._friendRules = friendRules
        self._strangers = state.makeLimiter("stranger", STRANGERS_PER_HOUR, HOUR)
        self._signatures = state.makeLimiter("signature", SIGNATURES_PER_HOUR, HOUR)

    def _known(self, session: Session, uin: Uin) -> AccountRecord | None:
        """
        Return an account that the account of the session may see, else L{None}.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._friendRules.knows(session, number):
            return None
        return self._store.accounts.get(number)

    @answers(GetSelfInfo2)
    def getSelfInfo2(
        self, command: GetSelfInfo2, login: LoginCookies, exchange: HTTPExchange
    ) -> OwnProfile | Refusal:
        """
        C{GET /api/get_self_info2}: return the account's own profile, also
        before it has a session.
        """
        account = self._store.accounts.get(login.number)
        if account is None:
            return NO_LOGIN
        session = self._state.sessions.online(login.number)
        status = Status.OFFLINE if session is None else session.status
        profile = replace(
            profileFor(account, Uin(login.number), status),
            number=account.number,
            signature=signatureOf(account),
        )
        return OwnProfile(profile, login.vfwebqq)

    @answers(GetVfwebqq2)
    def getVfwebqq2(
        self, command: GetVfwebqq2, login: LoginCookies, exchange: HTTPExchange
    ) -> Ticket | Refusal:
        """
        C{GET /api/get_vfwebqq2}: return the C{vfwebqq} of a login.
        """
        return Ticket(vfwebqq=login.vfwebqq)

    @answers(ModifyMyDetails2)
    def modifyMyDetails2(
        self, command: ModifyMyDetails2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/modify_my_details2}: change the account's own profile.
        """
        account = self._store.accounts.get(session.number)
        if account is None:
            return STALE
        changed = withDetails(account, command.details)
        if isinstance(changed, Refusal):
            return changed
        self._store.accounts.update(changed)
        if changed.nick != account.nick:
            self._friendRules.tellEdit(account.number)
        return None

    @answers(GetStrangerInfo2, GetSingleInfo2)
    def getStrangerInfo2(
        self,
        command: GetStrangerInfo2 | GetSingleInfo2,
        session: Session,
        exchange: HTTPExchange,
    ) -> Profile | Refusal:
        """
        C{GET /api/get_stranger_info2} and C{GET /api/get_single_info2}: return the
        public profile of an account, with the token of a friend request.

        C{get_single_info2} always needs a captcha where captchas are on.
        """
        account = self._known(session, command.uin)
        if account is None:
            return UNKNOWN
        number = account.number
        isStranger = number != session.number and not self._store.friends.areFriends(
            session.number, number
        )
        isExcessive = isStranger and not self._strangers.take(session.number)
        if isExcessive or isinstance(command, GetSingleInfo2):
            failure = self._state.authenticator.checkCaptcha(
                session.number,
                exchange.network,
                command.verifySession,
                command.code,
                isExcessive,
            )
            if failure is not None:
                return captchaRefusal(failure)
        status = self._state.presence.statusFor(session, number)
        return replace(
            profileFor(account, command.uin, status, isStranger),
            number=number,
            token=self._friendRules.proof(session.number, number),
        )

    @answers(GetSingleLongNick2)
    def getSingleLongNick2(
        self, command: GetSingleLongNick2, session: Session, exchange: HTTPExchange
    ) -> Signatures | Refusal:
        """
        C{GET /api/get_single_long_nick2}: return the signature of an account,
        an empty list when it has none.
        """
        account = self._known(session, command.uin)
        if account is None:
            return UNKNOWN
        text = signatureOf(account)
        return {command.uin: text} if text else {}

    @answers(GetLongNick)
    def getLongNick(
        self, command: GetLongNick, session: Session, exchange: HTTPExchange
    ) -> Signatures | Refusal:
        """
        C{GET /api/get_long_nick}: return the signatures of accounts that have
        one.
        """
        signatures = {}
        for uin in command.uins:
            account = self._known(session, uin)
            text = "" if account is None else signatureOf(account)
            if text:
                signatures[uin] = text
        return signatures

    @answers(SetLongNick2)
    def setLongNick2(
        self, command: SetLongNick2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/set_long_nick2}: set the account's signature, and notify
        those who list it as a friend.
        """
        account = self._store.accounts.get(session.number)
        if account is None:
            return STALE
        changed = withSignature(account, command.text)
        if isinstance(changed, Refusal):
            return changed
        if command.text == signatureOf(account):
            return None
        if not self._signatures.take(account.number):
            return Refusal(TOO_OFTEN, "you change your signature too often")
        self._store.accounts.update(changed)
        event = SIGNATURE_CHANGE.new(
            sender=account.number,
            nick=account.nick,
            text=command.text,
            messageId=self._state.messageIds.next(account.number).messageId,
        )
        listOwners = self._store.friends.listedBy(account.number)
        if listOwners:
            self._state.router.route(event, listOwners)
        return None

    @answers(GetQQLevel2)
    def getQQLevel2(
        self, command: GetQQLevel2, session: Session, exchange: HTTPExchange
    ) -> LevelOf | Refusal:
        """
        C{GET /api/get_qq_level2}: return the level of an account, from its
        time online.
        """
        account = self._known(session, command.uin)
        if account is None:
            return UNKNOWN
        return LevelOf(command.uin, self._state.onlineTime.level(account.number))

    @answers(BatchGetVipinfo)
    def batchGetVipinfo(
        self, command: BatchGetVipinfo, session: Session, exchange: HTTPExchange
    ) -> Mapping[Uin, int] | Refusal:
        """
        C{POST /api/batch_get_vipinfo}: return the VIP levels of accounts.
        """
        levels = {}
        for uin in command.uins:
            account = self._known(session, uin)
            if account is not None:
                levels[uin] = int(account.profile.get("vipLevel", 0))
        return levels
