"""
Sessions as the database has them, by which clients go on after a restart of the
server.
"""

from __future__ import annotations

from txwebqq.model import Status
from txwebqq.server.events.sessionids import KEY_BITS, SessionIds
from txwebqq.server.sessions.digests import digestOf
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.sessions import ReplacedSession, StoredSession


def toStored(session: Session) -> StoredSession:
    """
    Return a session as it is stored.
    """
    return StoredSession(
        number=session.number,
        clientid=session.clientid,
        psessionid=session.ticket,
        vfwebqq=session.verifier,
        ptwebqq=session.signOn,
        previous=session.previousSignOn,
        skey=session.skey,
        password=session.passwordDigest,
        key=session.sessionIds.key.to_bytes(KEY_BITS // 8, "big"),
        status=session.status.code,
        lapsed=int(session.lapsed),
    )


def toReplaced(session: Session, time: float) -> ReplacedSession:
    """
    Return a session that another sign-on has replaced as it is stored.

    @param time: the time of its end, in Unix seconds.
    """
    return ReplacedSession(
        session.ticket,
        session.verifier,
        session.signOn,
        session.previousSignOn,
        session.number,
        int(time),
    )


def fromReplaced(stored: ReplacedSession) -> Session:
    """
    Return a stored session that another sign-on has replaced.
    """
    session = Session(stored.number, "", SessionIds(stored.number, 0))
    session.ticket, session.verifier = stored.psessionid, stored.vfwebqq
    session.signOn, session.previousSignOn = stored.ptwebqq, stored.previous
    return session


def fromStored(stored: StoredSession, firstHash: bytes) -> Session | None:
    """
    Return a stored session, L{None} if the password has changed since its sign-on.

    @param firstHash: the MD5 of the account's password.
    """
    session = Session(stored.number, stored.clientid, sessionIdsOf(stored))
    return session if fillStored(session, stored, firstHash) else None


def sessionIdsOf(stored: StoredSession) -> SessionIds:
    """
    Return the uins and gids of a stored session.
    """
    return SessionIds(stored.number, int.from_bytes(stored.key, "big"))


def fillStored(session: Session, stored: StoredSession, firstHash: bytes) -> bool:
    """
    Fill in a session with what is stored of it.

    @return: L{False} if the password has changed since its sign-on.
    """
    if stored.password not in (b"", digestOf(firstHash)):
        return False
    session.ticket, session.verifier = stored.psessionid, stored.vfwebqq
    session.signOn, session.previousSignOn = stored.ptwebqq, stored.previous
    session.skey = stored.skey
    session.firstHash = firstHash if stored.password else b""
    session.passwordDigest = stored.password
    session.status = Status.fromCode(stored.status)
    session.lapsed = bool(stored.lapsed)
    # A client may have used the ticket.
    session.isUsed = True
    return True
