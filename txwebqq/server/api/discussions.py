"""
Answers about discussions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    WEB_CLIENT,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    DiscussionMember,
    Presence,
    Status,
)
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.pictures import PictureRules, PictureSignature
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.authorization import byTicket
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.sessions.sessions import EndedSession
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.discussions import (
    GONE,
    ChangeDiscuMem,
    CreateDiscu,
    GetDiscuInfo,
    GetDiscuListNew2,
    GetDiscuStatusInfo,
    ModifyDiscuInfo,
    QuitDiscu,
    SendDiscuMsg2,
)


class DiscussionsAPI:
    """
    The questions about discussions.
    """

    def __init__(
        self,
        state: ServerState,
        discussionRules: DiscussionRules,
        pictures: PictureRules,
    ) -> None:
        self._state = state
        self._sessions = state.sessions
        self._store = state.store
        self._discussionRules = discussionRules
        self._pictures = pictures

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            GetDiscuListNew2: self.getDiscuListNew2,
            GetDiscuInfo: self.getDiscuInfo,
            GetDiscuStatusInfo: self.getDiscuStatusInfo,
            CreateDiscu: self.createDiscu,
            ChangeDiscuMem: self.changeDiscuMem,
            ModifyDiscuInfo: self.modifyDiscuInfo,
            QuitDiscu: self.quitDiscu,
            SendDiscuMsg2: self.sendDiscuMsg2,
        }

    # ---- looking

    def getDiscuListNew2(
        self, command: GetDiscuListNew2, exchange: Exchange
    ) -> DiscussionList | Refusal:
        """
        One's discussions. Later clients ask the other host, by vfwebqq.
        """
        found = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(found, EndedSession):
            other = self._state.sessions.byVerifier(command.ticket.vfwebqq)
            if isinstance(other, EndedSession):
                return refusalFor(found)
            found = other
        discussions = (
            Discussion(Did(membership.number), membership.name, membership.mask)
            for membership in self._store.discussions.memberships(found.number)
        )
        return DiscussionList({d.did: d for d in discussions})

    def getDiscuInfo(
        self, command: GetDiscuInfo, exchange: Exchange
    ) -> DiscussionDetails | Refusal:
        """
        One of them, with its members.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        discussion = self._discussionRules.mine(session, command.did)
        if discussion is None:
            return GONE
        members = []
        for number, nick in self._store.discussions.members(discussion.number):
            status = self._state.presence.statusFor(session, number)
            clientType = 0 if status is Status.OFFLINE else WEB_CLIENT
            uin = session.sessionIds.uin(number)
            members.append(DiscussionMember(uin, number, nick, status, clientType))
        owner = session.sessionIds.uin(discussion.owner)
        return DiscussionDetails(
            command.did, discussion.name, owner, discussion.version, tuple(members)
        )

    def getDiscuStatusInfo(
        self, command: GetDiscuStatusInfo, exchange: Exchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        Who of its members does not appear offline.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        discussion = self._discussionRules.mine(session, command.did)
        if discussion is None:
            return GONE
        statuses = (
            (number, self._state.presence.statusFor(session, number))
            for number in self._store.discussions.memberNumbers(discussion.number)
        )
        return tuple(
            Presence(session.sessionIds.uin(number), status, WEB_CLIENT)
            for number, status in statuses
            if status is not Status.OFFLINE
        )

    # ---- changing

    def createDiscu(self, command: CreateDiscu, exchange: Exchange) -> Did | Refusal:
        """
        Somebody begins a discussion.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        failure = self._state.authenticator.checkCaptcha(
            session.number, exchange.address, command.verifySession, command.code
        )
        if failure is not None:
            return captchaRefusal(failure)
        return self._discussionRules.create(session, command.name, command.invited)

    def changeDiscuMem(
        self, command: ChangeDiscuMem, exchange: Exchange
    ) -> None | Refusal:
        """
        Somebody takes others in.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.invite(session, command.did, command.invited)

    def modifyDiscuInfo(
        self, command: ModifyDiscuInfo, exchange: Exchange
    ) -> None | Refusal:
        """
        A discussion gets another name.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.rename(session, command.did, command.name)

    def quitDiscu(self, command: QuitDiscu, exchange: Exchange) -> None | Refusal:
        """
        Somebody leaves.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.leave(session, command.did)

    # ---- talking

    def sendDiscuMsg2(
        self, command: SendDiscuMsg2, exchange: Exchange
    ) -> None | Refusal:
        """
        Pass words on to a discussion.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        readers = self._discussionRules.readers(session, command.did)
        if readers is None:
            return GONE
        server = exchange.base.rpartition("//")[2]
        content = self._pictures.forReaders(
            session,
            command.content,
            readers,
            PictureSignature(command.key, command.sig, server),
        )
        if isinstance(content, Refusal):
            return content
        return self._discussionRules.say(session, command.did, content, command.font)
