"""
Handlers of messages to friends and groups, of typing and shake signals, and of
presence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import WEB_CLIENT, Presence
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.pictures import PictureSignature
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import SHAKE, TYPING
from txwebqq.server.http.authorization import byTicket
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    GetMsgTip,
    GetOnlineBuddies2,
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
        self._sessions = state.sessions
        self._presence = state.presence
        self._messageRules = messageRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        Return the handlers of commands.
        """
        return {
            SendBuddyMsg2: self.sendBuddyMsg2,
            SendQunMsg2: self.sendQunMsg2,
            InputNotify2: self.inputNotify2,
            Shake2: self.shake2,
            ChangeStatus2: self.changeStatus2,
            GetOnlineBuddies2: self.getOnlineBuddies2,
            GetMsgTip: self.getMsgTip,
        }

    # ---- messages

    def sendBuddyMsg2(
        self, command: SendBuddyMsg2, exchange: Exchange
    ) -> None | Refusal:
        """
        C{POST /channel/send_buddy_msg2}: send a message to a friend.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._messageRules.sendToFriend(
            session, command.to, command.content, command.font
        )

    def sendQunMsg2(self, command: SendQunMsg2, exchange: Exchange) -> None | Refusal:
        """
        C{POST /channel/send_qun_msg2}: send a message to a group.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        server = exchange.base.rpartition("//")[2]
        return self._messageRules.sendToGroup(
            session,
            command.group,
            command.code,
            command.content,
            command.font,
            PictureSignature(command.key, command.sig, server),
        )

    # ---- transient signals

    def inputNotify2(self, command: InputNotify2, exchange: Exchange) -> None | Refusal:
        """
        C{GET /channel/input_notify2}: tell a friend that the account is typing.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._messageRules.sendTransient(session, command.to, TYPING)

    def shake2(self, command: Shake2, exchange: Exchange) -> None | Refusal:
        """
        C{GET /channel/shake2}: shake the window of a friend.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._messageRules.sendTransient(session, command.to, SHAKE)

    # ---- presence

    def changeStatus2(
        self, command: ChangeStatus2, exchange: Exchange
    ) -> None | Refusal:
        """
        C{GET /channel/change_status2}: change the status of the account.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        self._presence.setStatus(session, command.status)
        return None

    def getOnlineBuddies2(
        self, command: GetOnlineBuddies2, exchange: Exchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        C{GET /channel/get_online_buddies2}: list the friends that are online
        and not hidden.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return tuple(
            Presence(session.sessionIds.uin(friend), status, WEB_CLIENT)
            for friend, status in self._presence.onlineFriends(session)
        )

    def getMsgTip(self, command: GetMsgTip, exchange: Exchange) -> bool:
        """
        C{GET /web2/get_msg_tip}: the heartbeat. The reply is that there are no
        tips. A heartbeat does not keep a session online, only polls do.
        """
        return False
