"""
Sessions are found by their ids, and the reasons of ended ones are kept.
"""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock

from txwebqq.model import Number
from txwebqq.server.sessions.session import EndedSession, EndReason
from txwebqq.server.sessions.sessions import MAX_ENDED, Sessions

ALICE = Number(10001)


def test_endedAreBounded() -> None:
    """
    The number of ended tickets that are remembered is limited.
    """
    sessions = Sessions(Clock().seconds, Random(1))
    tickets = []
    for _ in range(MAX_ENDED // 3 + 10):
        session, psessionid = sessions.open(sessions.admit(ALICE), ALICE, "")
        tickets.append(psessionid)
        sessions.end(session, EndReason.REPLACED)
    last, first = sessions.byTicket(tickets[-1]), sessions.byTicket(tickets[0])
    assert isinstance(last, EndedSession)
    assert isinstance(first, EndedSession)
    assert (last.reason, first.reason) == (EndReason.REPLACED, EndReason.UNKNOWN)


def test_rotations() -> None:
    """
    After two rotations the first C{ptwebqq} is unknown.
    """
    sessions = Sessions(Clock().seconds, Random(1))
    names = [sessions.admit(ALICE)]
    session, _ = sessions.open(names[0], ALICE, "")
    for _ in range(2):
        sessions.rotate(session)
        assert session.rotation is not None
        names.append(session.rotation)
    found = [sessions.bySignOn(name) for name in names]
    assert isinstance(found[0], EndedSession)
    assert found[1:] == [session, session]
    sessions.end(session, EndReason.LOGGED_OUT)
    assert not sessions.hasTimers
