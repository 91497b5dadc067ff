"""
Who asks: by the ticket of a session, or by what a browser has of it.
"""

from __future__ import annotations

from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.http.exchange import Exchange
from txwebqq.server.sessions.sessions import EndedSession, Session, Sessions
from txwebqq.wire.command import Refusal


def byTicket(sessions: Sessions, psessionid: str) -> Session | Refusal:
    """
    The session with a ticket.
    """
    session = sessions.byTicket(psessionid)
    return refusalFor(session) if isinstance(session, EndedSession) else session


def byVerifier(
    sessions: Sessions, vfwebqq: str, exchange: Exchange
) -> Session | Refusal:
    """
    The session of whoever has its vfwebqq, or the cookie of its login.
    """
    found = sessions.byVerifier(vfwebqq)
    if isinstance(found, Session):
        return found
    signedOn = sessions.bySignOn(exchange.cookies.get("ptwebqq", ""))
    return signedOn if isinstance(signedOn, Session) else refusalFor(found)
