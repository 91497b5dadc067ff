"""
Handlers of temporary chats: messages to members of a shared group or discussion
(protocol.md 2.2.5).
"""

from __future__ import annotations

from txwebqq.model import Sent
from txwebqq.server.domain.state import ServerState
from txwebqq.server.domain.temporary import TemporaryChatRules
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    GetC2cmsgSig2,
    GetSessionSig3,
    SendSessMsg2,
)


class TemporaryChatAPI:
    """
    The handlers of temporary chats.
    """

    def __init__(self, state: ServerState, temporaryRules: TemporaryChatRules) -> None:
        self._router = state.router
        self._rules = temporaryRules

    @answers(GetC2cmsgSig2)
    def getC2cmsgSig2(
        self, command: GetC2cmsgSig2, session: Session, exchange: HTTPExchange
    ) -> str | Refusal:
        """
        C{GET /channel/get_c2cmsg_sig2}: return the signature for a temporary
        chat with a member of a shared group or discussion.
        """
        return self._rules.signature(
            session, command.place, command.to, command.service
        )

    @answers(GetSessionSig3)
    def getSessionSig3(
        self, command: GetSessionSig3, session: Session, exchange: HTTPExchange
    ) -> str | Refusal:
        """
        C{GET /channel/get_session_sig3}: return the signature for a temporary
        chat with a member of a shared discussion.
        """
        return self._rules.signature(session, command.did, command.to, IN_DISCUSSION)

    @answers(SendSessMsg2)
    def sendSessMsg2(
        self, command: SendSessMsg2, session: Session, exchange: HTTPExchange
    ) -> Sent | Refusal:
        """
        C{POST /channel/send_sess_msg2}: send a message in a temporary chat.
        """
        return self._router.sendOnce(
            session.number,
            command.sendId,
            lambda: self._rules.send(
                session,
                command.to,
                command.signature,
                command.service,
                command.content,
                command.font,
            ),
        )
