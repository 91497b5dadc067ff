"""
Answers about people: one's own details, those of others, signatures, levels,
and whom one has talked with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from txwebqq.model import Number, Profile, Status, Uin
from txwebqq.ratelimit import HOUR, RateLimiter
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.friends import UNKNOWN, FriendRules
from txwebqq.server.domain.profiles import (
    profileFor,
    signatureOf,
    withDetails,
    withSignature,
)
from txwebqq.server.domain.recent import recentContacts
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import SIGNATURE_CHANGE
from txwebqq.server.http.exchange import STALE, Exchange, Handler, forSession
from txwebqq.server.records import AccountRecord
from txwebqq.server.sessions.sessions import EndedSession, Session
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.profiles import (
    BatchGetVipinfo,
    GetLongNick,
    GetQQLevel2,
    GetRecentContact2,
    GetRecentList2,
    GetSelfInfo2,
    GetSingleInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    GetVfwebqq2,
    LevelOf,
    ModifyMyDetails2,
    OwnProfile,
    Recent,
    SetLongNick2,
    Signatures,
)
from txwebqq.wire.form import Ticket

NOT_IN = Refusal(100000, "the cookies uin and skey are not of one login")
TOO_OFTEN = 6

STRANGERS_PER_HOUR = 500
"""After so many strangers somebody has to read captchas."""

SIGNATURES_PER_HOUR = 60
"""All friends are told of each."""


class ProfilesAPI:
    """
    The questions about people.
    """

    def __init__(
        self, state: ServerState, friendRules: FriendRules, now: Callable[[], float]
    ) -> None:
        self._state = state
        self._store = state.store
        self._friendRules = friendRules
        self._strangers = RateLimiter(now, STRANGERS_PER_HOUR, HOUR)
        self._signatures = RateLimiter(now, SIGNATURES_PER_HOUR, HOUR)

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._state.sessions
        return {
            GetSelfInfo2: self.getSelfInfo2,
            GetVfwebqq2: self.getVfwebqq2,
            ModifyMyDetails2: forSession(sessions, self.modifyMyDetails2),
            GetStrangerInfo2: forSession(sessions, self.getStrangerInfo2),
            GetSingleInfo2: forSession(sessions, self.getSingleInfo2),
            GetSingleLongNick2: forSession(sessions, self.getSingleLongNick2),
            GetLongNick: forSession(sessions, self.getLongNick),
            SetLongNick2: forSession(sessions, self.setLongNick2),
            GetQQLevel2: forSession(sessions, self.getQQLevel2),
            BatchGetVipinfo: forSession(sessions, self.batchGetVipinfo),
            GetRecentList2: self.getRecentList2,
            GetRecentContact2: forSession(sessions, self.getRecentContact2),
        }

    def _known(self, session: Session, uin: Uin) -> AccountRecord | None:
        """
        Somebody whom the asker may look up.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._friendRules.knows(session, number):
            return None
        return self._store.accounts.get(number)

    # ---- ourselves

    def _byCookies(self, exchange: Exchange) -> tuple[Number, str] | None:
        owner = exchange.cookies.get("uin", "").lstrip("o")
        if not (owner.isascii() and owner.isdigit() and len(owner) <= 20):
            return None
        number = Number(int(owner))
        skey = exchange.cookies.get("skey", "")
        vfwebqq = self._state.sessions.byCookies(number, skey) if skey else None
        return None if vfwebqq is None else (number, vfwebqq)

    def getSelfInfo2(
        self, command: GetSelfInfo2, exchange: Exchange
    ) -> OwnProfile | Refusal:
        """
        One's own details, also before there is a session.
        """
        found = self._byCookies(exchange)
        account = None if found is None else self._store.accounts.get(found[0])
        if found is None or account is None:
            return NOT_IN
        number, vfwebqq = found
        session = self._state.sessions.online(number)
        status = Status.OFFLINE if session is None else session.status
        profile = self._whole(account, Uin(number), status)
        return OwnProfile(profile, vfwebqq)

    def _whole(self, account: AccountRecord, uin: Uin, status: Status) -> Profile:
        return replace(
            profileFor(account, uin, status),
            number=account.number,
            signature=signatureOf(account),
        )

    def getVfwebqq2(self, command: GetVfwebqq2, exchange: Exchange) -> Ticket | Refusal:
        """
        Only what authorises look-ups.
        """
        found = self._byCookies(exchange)
        return NOT_IN if found is None else Ticket(vfwebqq=found[1])

    def modifyMyDetails2(
        self, command: ModifyMyDetails2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Tell something else about oneself.
        """
        account = self._store.accounts.get(session.number)
        if account is None:
            return STALE
        otherwise = withDetails(account, command.details)
        if isinstance(otherwise, Refusal):
            return otherwise
        self._store.accounts.update(otherwise)
        return None

    # ---- others

    def getStrangerInfo2(
        self, command: GetStrangerInfo2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        What somebody tells to strangers, and what asks them to be a friend.
        """
        return self._stranger(command, session, exchange)

    def getSingleInfo2(
        self, command: GetSingleInfo2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        The same.
        """
        return self._stranger(command, session, exchange)

    def _stranger(
        self,
        command: GetStrangerInfo2 | GetSingleInfo2,
        session: Session,
        exchange: Exchange,
    ) -> Profile | Refusal:
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
                exchange.address,
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

    # ---- signatures

    def getSingleLongNick2(
        self, command: GetSingleLongNick2, session: Session, exchange: Exchange
    ) -> Signatures | Refusal:
        """
        Somebody's signature; an empty list when there is none.
        """
        account = self._known(session, command.uin)
        if account is None:
            return UNKNOWN
        text = signatureOf(account)
        return {command.uin: text} if text else {}

    def getLongNick(
        self, command: GetLongNick, session: Session, exchange: Exchange
    ) -> Signatures | Refusal:
        """
        The signatures of those who have one and whom the asker knows.
        """
        signatures = {}
        for uin in command.uins:
            account = self._known(session, uin)
            text = "" if account is None else signatureOf(account)
            if text:
                signatures[uin] = text
        return signatures

    def setLongNick2(
        self, command: SetLongNick2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Have another signature, and let friends know.
        """
        account = self._store.accounts.get(session.number)
        if account is None:
            return STALE
        otherwise = withSignature(account, command.text)
        if isinstance(otherwise, Refusal):
            return otherwise
        if command.text == signatureOf(account):
            return None
        if not self._signatures.take(account.number):
            return Refusal(TOO_OFTEN, "you change your signature too often")
        self._store.accounts.update(otherwise)
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

    # ---- levels

    def getQQLevel2(
        self, command: GetQQLevel2, session: Session, exchange: Exchange
    ) -> LevelOf | Refusal:
        """
        How long somebody has been around.
        """
        account = self._known(session, command.uin)
        if account is None:
            return UNKNOWN
        return LevelOf(command.uin, self._state.onlineTime.level(account.number))

    def batchGetVipinfo(
        self, command: BatchGetVipinfo, session: Session, exchange: Exchange
    ) -> Mapping[Uin, int] | Refusal:
        """
        The VIP levels of those whom the asker knows.
        """
        levels = {}
        for uin in command.uins:
            account = self._known(session, uin)
            if account is not None:
                levels[uin] = int(account.profile.get("vipLevel", 0))
        return levels

    # ---- whom one has talked with

    def getRecentList2(
        self, command: GetRecentList2, exchange: Exchange
    ) -> Recent | Refusal:
        """
        The conversations of late, by the session's ticket.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        return recentContacts(self._state, session)

    def getRecentContact2(
        self, command: GetRecentContact2, session: Session, exchange: Exchange
    ) -> Recent | Refusal:
        """
        The same, by what authorises look-ups.
        """
        return recentContacts(self._state, session)
