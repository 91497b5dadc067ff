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


class Strangers:
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
        self, question: GetC2cmsgSig2, exchange: Exchange
    ) -> str | Refusal:
        """
        What lets one write to a fellow member.
        """
        session = byTicket(self._sessions, question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.signature(
            session, question.place, question.to, question.service
        )

    def getSessionSig3(
        self, question: GetSessionSig3, exchange: Exchange
    ) -> str | Refusal:
        """
        The same, for a discussion.
        """
        session = byTicket(self._sessions, question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.signature(
            session, question.did, question.to, IN_DISCUSSION
        )

    def sendSessMsg2(
        self, question: SendSessMsg2, exchange: Exchange
    ) -> None | Refusal:
        """
        Pass words on to a fellow member.
        """
        session = byTicket(self._sessions, question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._discussionRules.tell(
            session,
            question.to,
            question.signature,
            question.service,
            question.content,
            question.font,
        )
