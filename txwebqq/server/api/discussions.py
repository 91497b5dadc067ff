"""
Handlers of discussions (protocol.md 2.6).
"""

from __future__ import annotations

from txwebqq.model import (
    WEB_CLIENT,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    DiscussionMember,
    Presence,
    Sent,
    Status,
)
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.pictures import PictureSignature
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
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
    The handlers of discussions.
    """

    def __init__(self, state: ServerState, discussionRules: DiscussionRules) -> None:
        self._state = state
        self._store = state.store
        self._router = state.router
        self._discussionRules = discussionRules

    @answers(GetDiscuListNew2)
    def getDiscuListNew2(
        self, command: GetDiscuListNew2, session: Session, exchange: HTTPExchange
    ) -> DiscussionList | Refusal:
        """
        C{GET /channel/get_discu_list_new2}: return the discussions of the
        account.
        """
        discussions = (
            Discussion(Did(membership.number), membership.name, membership.mask)
            for membership in self._store.discussions.memberships(session.number)
        )
        return DiscussionList({d.did: d for d in discussions})

    @answers(GetDiscuInfo)
    def getDiscuInfo(
        self, command: GetDiscuInfo, session: Session, exchange: HTTPExchange
    ) -> DiscussionDetails | Refusal:
        """
        C{GET /channel/get_discu_info}: return a discussion with its members.
        """
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

    @answers(GetDiscuStatusInfo)
    def getDiscuStatusInfo(
        self, command: GetDiscuStatusInfo, session: Session, exchange: HTTPExchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        C{GET /channel/get_discu_status_info}: return the members of a
        discussion that are online and not hidden.
        """
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

    @answers(CreateDiscu)
    def createDiscu(
        self, command: CreateDiscu, session: Session, exchange: HTTPExchange
    ) -> Did | Refusal:
        """
        C{POST /channel/create_discu}: create a discussion.
        """
        failure = self._state.authenticator.checkCaptcha(
            session.number, exchange.network, command.verifySession, command.code
        )
        if failure is not None:
            return captchaRefusal(failure)
        return self._discussionRules.create(session, command.name, command.invited)

    @answers(ChangeDiscuMem)
    def changeDiscuMem(
        self, command: ChangeDiscuMem, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/change_discu_mem}: add members to a discussion.
        """
        return self._discussionRules.invite(session, command.did, command.invited)

    @answers(ModifyDiscuInfo)
    def modifyDiscuInfo(
        self, command: ModifyDiscuInfo, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/modify_discu_info}: rename a discussion.
        """
        return self._discussionRules.rename(session, command.did, command.name)

    @answers(QuitDiscu)
    def quitDiscu(
        self, command: QuitDiscu, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/quit_discu}: leave a discussion.
        """
        return self._discussionRules.leave(session, command.did)

    @answers(SendDiscuMsg2)
    def sendDiscuMsg2(
        self, command: SendDiscuMsg2, session: Session, exchange: HTTPExchange
    ) -> Sent | Refusal:
        """
        C{POST /channel/send_discu_msg2}: send a message to a discussion.
        """
        # Not the Host of the request, which the sender has chosen.
        server = "{}:{}".format(*exchange.local)
        signature = PictureSignature(command.key, command.sig, server)
        return self._router.sendOnce(
            session.number,
            command.sendId,
            lambda: self._discussionRules.send(
                session, command.did, command.content, command.font, signature
            ),
        )
