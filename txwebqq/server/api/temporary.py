"""
Answers to members of one group or discussion who are no friends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.http.authorization import byTicket
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    GetC2cmsgSig2,
    GetSessionSig3,
    SendSessMsg2,
)


class TemporaryChatAPI:
    """
    The questions of those who write to strangers.
    """

    def __init__(self, sessions: Sessions, discussionRules: DiscussionRules) -> None:
        self._sessions = sessions
        self._discussionRules = discussionRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            GetC2cmsgSig2: self.getC2cmsgSig2,
            GetSessionSig3: self.getSessionSig3,
            SendSessMsg2: self.sendSessMsg2,
        }

    def getC2cmsgSig2(
        self, command: GetC2cmsgSig2, exchange: Exchange
    ) -> str | Refusal:
        """
        What lets one write to a fellow member.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.signature(
            session, command.place, command.to, command.service
        )

    def getSessionSig3(
        self, command: GetSessionSig3, exchange: Exchange
    ) -> str | Refusal:
        """
        The same, for a discussion.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.signature(
            session, command.did, command.to, IN_DISCUSSION
        )

    def sendSessMsg2(self, command: SendSessMsg2, exchange: Exchange) -> None | Refusal:
        """
        Pass words on to a fellow member.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.tell(
            session,
            command.to,
            command.signature,
            command.service,
            command.content,
            command.font,
        )
