"""
Handlers of messages to friends and groups, of typing and shake signals, and of
presence.
"""

from __future__ import annotations

from txwebqq.model import WEB_CLIENT, Presence, Sent
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.pictures import PictureSignature
from txwebqq.server.domain.refusals import NOT_KEPT
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import SHAKE, TYPING
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    GetMsgTip,
    GetOnlineBuddies2,
    GetSent2,
    InputNotify2,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)


class MessagesAPI:
    """
    The handlers of messages and presence.
    """

    def __init__(self, state: ServerState, messageRules: MessageRules) -> None:
        self._presence = state.presence
        self._router = state.router
        self._messageRules = messageRules

    @answers(SendBuddyMsg2)
    def sendBuddyMsg2(
        self, command: SendBuddyMsg2, session: Session, exchange: HTTPExchange
    ) -> Sent | Refusal:
        """
        C{POST /channel/send_buddy_msg2}: send a message to a friend.
        """
        return self._router.sendOnce(
            session.number,
            command.sendId,
            lambda: self._messageRules.sendToFriend(
                session, command.to, command.content, command.font
            ),
        )

    @answers(SendQunMsg2)
    def sendQunMsg2(
        self, command: SendQunMsg2, session: Session, exchange: HTTPExchange
    ) -> Sent | Refusal:
        """
        C{POST /channel/send_qun_msg2}: send a message to a group.
        """
        # Not the Host of the request, which the sender has chosen.
        server = "{}:{}".format(*exchange.local)
        signature = PictureSignature(command.key, command.sig, server)
        return self._router.sendOnce(
            session.number,
            command.sendId,
            lambda: self._messageRules.sendToGroup(
                session,
                command.group,
                command.code,
                command.content,
                command.font,
                signature,
            ),
        )

    @answers(GetSent2)
    def getSent2(
        self, command: GetSent2, session: Session, exchange: HTTPExchange
    ) -> Sent | None | Refusal:
        """
        C{GET /channel/get_sent2}: tell whether a message was accepted.
        """
        if not self._router.keepsSentIds:
            return Refusal(NOT_KEPT, "the server has no database")
        return self._router.sent(session.number, command.sendId)

    @answers(InputNotify2)
    def inputNotify2(
        self, command: InputNotify2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/input_notify2}: tell a friend that the account is typing.
        """
        return self._messageRules.sendTransient(session, command.to, TYPING)

    @answers(Shake2)
    def shake2(
        self, command: Shake2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/shake2}: shake the window of a friend.
        """
        return self._messageRules.sendTransient(session, command.to, SHAKE)

    @answers(ChangeStatus2)
    def changeStatus2(
        self, command: ChangeStatus2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/change_status2}: change the status of the account.
        """
        self._presence.setStatus(session, command.status)
        return None

    @answers(GetOnlineBuddies2)
    def getOnlineBuddies2(
        self, command: GetOnlineBuddies2, session: Session, exchange: HTTPExchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        C{GET /channel/get_online_buddies2}: list the friends that are online
        and not hidden.
        """
        return tuple(
            Presence(session.sessionIds.uin(friend), status, WEB_CLIENT)
            for friend, status in self._presence.onlineFriends(session)
        )

    @answers(GetMsgTip)
    def getMsgTip(
        self, command: GetMsgTip, caller: None, exchange: HTTPExchange
    ) -> bool:
        """
        C{GET /web2/get_msg_tip}: the heartbeat. The reply is that there are no
        tips. A heartbeat does not keep a session online, only polls do.
        """
        return False
