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
from txwebqq.server.domain.friends import UNKNOWN, Friendships, captchaRefusal
from txwebqq.server.domain.profiles import changed, describe, signatureOf, signed
from txwebqq.server.domain.recent import recentContacts
from txwebqq.server.domain.router import refusalFor
from txwebqq.server.domain.state import World
from txwebqq.server.events.friendnotices import QueuedSignature
from txwebqq.server.http.exchange import STALE, Exchange, Handler, forSession
from txwebqq.server.records import Person
from txwebqq.server.sessions.sessions import Ended, Session
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


class People:
    """
    The questions about people.
    """

    def __init__(
        self, world: World, friendships: Friendships, now: Callable[[], float]
    ) -> None:
        self._world = world
        self._store = world.store
        self._friendships = friendships
        self._strangers = RateLimiter(now, STRANGERS_PER_HOUR, HOUR)
        self._signatures = RateLimiter(now, SIGNATURES_PER_HOUR, HOUR)

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._world.sessions
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

    def _known(self, session: Session, uin: Uin) -> Person | None:
        """
        Somebody whom the asker may look up.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._friendships.knows(session, number):
            return None
        return self._store.person(number)

    # ---- ourselves

    def _byCookies(self, exchange: Exchange) -> tuple[Number, str] | None:
        owner = exchange.cookies.get("uin", "").lstrip("o")
        if not (owner.isascii() and owner.isdigit() and len(owner) <= 20):
            return None
        number = Number(int(owner))
        skey = exchange.cookies.get("skey", "")
        vfwebqq = self._world.sessions.byCookies(number, skey) if skey else None
        return None if vfwebqq is None else (number, vfwebqq)

    def getSelfInfo2(
        self, question: GetSelfInfo2, exchange: Exchange
    ) -> OwnProfile | Refusal:
        """
        One's own details, also before there is a session.
        """
        found = self._byCookies(exchange)
        person = None if found is None else self._store.person(found[0])
        if found is None or person is None:
            return NOT_IN
        number, vfwebqq = found
        session = self._world.sessions.of(number)
        status = Status.OFFLINE if session is None else session.status
        profile = self._whole(person, Uin(number), status)
        return OwnProfile(profile, vfwebqq)

    def _whole(self, person: Person, uin: Uin, status: Status) -> Profile:
        return replace(
            describe(person, uin, status),
            number=person.number,
            signature=signatureOf(person),
        )

    def getVfwebqq2(
        self, question: GetVfwebqq2, exchange: Exchange
    ) -> Ticket | Refusal:
        """
        Only what authorises look-ups.
        """
        found = self._byCookies(exchange)
        return NOT_IN if found is None else Ticket(vfwebqq=found[1])

    def modifyMyDetails2(
        self, question: ModifyMyDetails2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Tell something else about oneself.
        """
        person = self._store.person(session.number)
        if person is None:
            return STALE
        otherwise = changed(person, question.details)
        if isinstance(otherwise, Refusal):
            return otherwise
        self._store.changePerson(otherwise)
        return None

    # ---- others

    def getStrangerInfo2(
        self, question: GetStrangerInfo2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        What somebody tells to strangers, and what asks them to be a friend.
        """
        return self._stranger(question, session, exchange)

    def getSingleInfo2(
        self, question: GetSingleInfo2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        The same.
        """
        return self._stranger(question, session, exchange)

    def _stranger(
        self,
        question: GetStrangerInfo2 | GetSingleInfo2,
        session: Session,
        exchange: Exchange,
    ) -> Profile | Refusal:
        person = self._known(session, question.uin)
        if person is None:
            return UNKNOWN
        number = person.number
        isStranger = number != session.number and not self._store.areFriends(
            session.number, number
        )
        isMuch = isStranger and not self._strangers.take(session.number)
        if isMuch or isinstance(question, GetSingleInfo2):
            doubt = self._world.doubt(
                session.number,
                exchange.address,
                question.verifySession,
                question.code,
                isMuch,
            )
            if doubt is not None:
                return captchaRefusal(doubt)
        isMe = number == session.number
        status = session.status if isMe else self._world.visibleStatus(number)
        return replace(
            describe(person, question.uin, status, isStranger),
            number=number,
            token=self._friendships.proof(session.number, number),
        )

    # ---- signatures

    def getSingleLongNick2(
        self, question: GetSingleLongNick2, session: Session, exchange: Exchange
    ) -> Signatures | Refusal:
        """
        Somebody's signature; an empty list when there is none.
        """
        person = self._known(session, question.uin)
        if person is None:
            return UNKNOWN
        text = signatureOf(person)
        return {question.uin: text} if text else {}

    def getLongNick(
        self, question: GetLongNick, session: Session, exchange: Exchange
    ) -> Signatures | Refusal:
        """
        The signatures of those who have one and whom the asker knows.
        """
        signatures = {}
        for uin in question.uins:
            person = self._known(session, uin)
            text = "" if person is None else signatureOf(person)
            if text:
                signatures[uin] = text
        return signatures

    def setLongNick2(
        self, question: SetLongNick2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Have another signature, and let friends know.
        """
        person = self._store.person(session.number)
        if person is None:
            return STALE
        otherwise = signed(person, question.text)
        if isinstance(otherwise, Refusal):
            return otherwise
        if question.text == signatureOf(person):
            return None
        if not self._signatures.take(person.number):
            return Refusal(TOO_OFTEN, "you change your signature too often")
        self._store.changePerson(otherwise)
        mark = self._world.postmark(person.number)
        event = QueuedSignature(
            person.number, person.nick, question.text, mark.messageId
        )
        keepers = self._store.keepers(person.number)
        if keepers:
            self._world.post(event, keepers)
        return None

    # ---- levels

    def getQQLevel2(
        self, question: GetQQLevel2, session: Session, exchange: Exchange
    ) -> LevelOf | Refusal:
        """
        How long somebody has been around.
        """
        person = self._known(session, question.uin)
        if person is None:
            return UNKNOWN
        return LevelOf(question.uin, self._world.register.level(person.number))

    def batchGetVipinfo(
        self, question: BatchGetVipinfo, session: Session, exchange: Exchange
    ) -> Mapping[Uin, int] | Refusal:
        """
        The VIP levels of those whom the asker knows.
        """
        levels = {}
        for uin in question.uins:
            person = self._known(session, uin)
            if person is not None:
                levels[uin] = int(person.profile.get("vipLevel", 0))
        return levels

    # ---- whom one has talked with

    def getRecentList2(
        self, question: GetRecentList2, exchange: Exchange
    ) -> Recent | Refusal:
        """
        The conversations of late, by the session's ticket.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        return recentContacts(self._world, session)

    def getRecentContact2(
        self, question: GetRecentContact2, session: Session, exchange: Exchange
    ) -> Recent | Refusal:
        """
        The same, by what authorises look-ups.
        """
        return recentContacts(self._world, session)
