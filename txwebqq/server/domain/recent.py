"""
Whom people have talked with lately, as far as the archive knows.
"""

from __future__ import annotations

from txwebqq.model import RECENT_BUDDY, RECENT_GROUP, Number, RecentContact
from txwebqq.server.domain.state import ServerState
from txwebqq.server.sessions.sessions import Session

MAX_RECENT = 50


def recentContacts(state: ServerState, session: Session) -> tuple[RecentContact, ...]:
    """
    The conversations of a session's account, the last first, by its own ids.
    """
    state.recorder.flush()
    found = state.store.history.recent(session.number, state.recorder.since, MAX_RECENT)
    return tuple(RecentContact(kind, _idFor(session, kind, n)) for kind, n in found)


def _idFor(session: Session, kind: int, number: Number) -> int:
    if kind == RECENT_BUDDY:
        return session.sessionIds.uin(number)
    return session.sessionIds.code(number) if kind == RECENT_GROUP else number
