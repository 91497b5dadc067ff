"""
The presence of accounts, and who is told of its changes.
"""

from __future__ import annotations

from txwebqq.model import Number, Status
from txwebqq.server.domain.router import MessageRouter
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.storage.store import Store


class Presence:
    """
    The status of each account, as other accounts may see it.
    """

    def __init__(self, store: Store, sessions: Sessions, router: MessageRouter) -> None:
        self._friends = store.friends
        self._sessions = sessions
        self._router = router

    def visibleStatus(self, number: Number) -> Status:
        """
        Return the status of an account that other accounts see.
        """
        session = self._sessions.online(number)
        return Status.OFFLINE if session is None else session.visible

    def statusFor(self, session: Session, number: Number) -> Status:
        """
        Return the status of an account that a session sees: a hidden account
        sees its own status.
        """
        if number == session.number:
            return session.status
        return self.visibleStatus(number)

    def onlineFriends(self, session: Session) -> list[tuple[Number, Status]]:
        """
        Return the friends of an account that are not shown as offline, with
        their statuses.
        """
        friends = self._friends.numbers(session.number)
        self._sessions.load(friends)
        statuses = ((friend, self.visibleStatus(friend)) for friend in friends)
        return [entry for entry in statuses if entry[1] is not Status.OFFLINE]

    def setStatus(self, session: Session, status: Status) -> None:
        """
        Change the status of a session, and announce it.
        """
        before = session.visible
        session.status = status
        self._sessions.onChanged(session.number)
        self.announce(session.number, before, session.visible)

    def announce(self, number: Number, before: Status, after: Status) -> None:
        """
        Tell the accounts that list an account as a friend of its new visible
        status, if it has changed.
        """
        if before is after:
            return
        owners = self._friends.listedBy(number)
        self._sessions.load(owners)
        for owner in owners:
            session = self._sessions.existing(owner)
            if session is not None:
                session.mailbox.presence[number] = after
                self._router.wake(session)
