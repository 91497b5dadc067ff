"""
What friends see of each other at once or never: somebody types, a window is
shaken.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.model import Event, Shake, Typing, Uin
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Refusal

TYPING_LIFE = 10.0
"""The seconds after which nobody wants to know any more that one was typing:
for clients between two polls."""

SHAKE_LIFE = 60.0


@dataclass(frozen=True, slots=True)
class QueuedTyping:
    """
    Somebody types.
    """

    mark: MessageIds

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two signals of one answer must not have in common.
        """
        return "typing", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The signal as a session sees it.
        """
        return Typing(
            sessionIds.uin(self.mark.sender),
            sessionIds.own,
            self.mark.messageId,
            self.mark.messageId2,
        )


@dataclass(frozen=True, slots=True)
class QueuedShake:
    """
    Somebody shakes a window.
    """

    mark: MessageIds

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two signals of one answer must not have in common.
        """
        return "shake", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The signal as a session sees it.
        """
        return Shake(
            sessionIds.uin(self.mark.sender),
            sessionIds.own,
            self.mark.messageId,
            self.mark.messageId2,
        )


def sendTransient(
    state: ServerState,
    session: Session,
    uin: Uin,
    kind: type[QueuedTyping | QueuedShake],
) -> Refusal | None:
    """
    Pass a signal on to a friend.

    @return: L{None} also when the friend is not there: who hides must not be
        found out.
    """
    number = session.sessionIds.person(uin)
    if number is None or not state.store.friends.areFriends(session.number, number):
        return Refusal(NO_SUCH_ID, "to_uin is nobody's uin in your friend list")
    life = TYPING_LIFE if kind is QueuedTyping else SHAKE_LIFE
    event = kind(state.messageIds.next(session.number))
    state.router.sendTransient(event, number, life)
    return None
