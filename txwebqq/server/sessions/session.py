"""
The session of an account, the poll that it holds, and its end.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from txwebqq.model import Number, Status
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.sessions.acknowledgement import ConnectionHabit, UnacknowledgedReply
from txwebqq.server.sessions.mailbox import Mailbox
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import PollResult

PollReply = PollResult | Refusal


class HeldPoll(Protocol):
    """
    A poll of a session that is held until there is an event for it.
    """

    def isLive(self) -> bool:
        """
        Check whether the client can still receive a reply.
        """

    def answer(self, reply: PollReply) -> None:
        """
        Reply to the poll, which is held no longer.
        """

    def superseded(self) -> None:
        """
        End the poll, because the client has sent another one.
        """


class EndReason(Enum):
    """
    The reason of the end of a session.
    """

    UNKNOWN = "unknown"
    LAPSED = "lapsed"
    RELINKED = "relinked"
    REPLACED = "replaced"
    LOGGED_OUT = "logged out"


class EndedSession:
    """
    A session that has ended, or that the server does not know; also a ticket that
    a relink has replaced by a newer one of the same session.

    @ivar told: whether a poll has been answered with the reason.
    """

    __slots__ = ("number", "reason", "told")

    def __init__(self, reason: EndReason, number: Number) -> None:
        self.reason = reason
        self.number = number
        self.told = False

    @property
    def isNews(self) -> bool:
        """
        Whether the reason may be new to the client.
        """
        return not self.told and self.reason in (
            EndReason.REPLACED,
            EndReason.LOGGED_OUT,
        )


UNKNOWN = EndedSession(EndReason.UNKNOWN, Number(0))
LAPSED = EndedSession(EndReason.LAPSED, Number(0))


class Session:
    """
    A session of one account.

    @ivar ticket: the SHA-256 of the C{psessionid}.
    @ivar verifier: the SHA-256 of the C{vfwebqq}.
    @ivar vfwebqq: the C{vfwebqq} itself, C{""} if an earlier run of the server has
        made it.
    @ivar signOn: the SHA-256 of the C{ptwebqq}; C{previousSignOn} is that before the
        last rotation, which some clients continue to use.
    @ivar rotation: a new C{ptwebqq} for the reply to the next poll, or L{None}.
    @ivar skey: the SHA-256 of the other cookie of the sign-on.
    @ivar firstHash: the MD5 of the password of the sign-on, C{b""} if there was none.
    @ivar passwordDigest: the SHA-256 of C{firstHash}, or C{b""}.
    @ivar poll: the poll that is held, or L{None}.
    @ivar isThrottled: whether that poll is answered after a delay only.
    @ivar unacknowledged: the reply that has not been acknowledged, or L{None}.
    @ivar habit: the way in which the client ends connections, L{None} before
        the first watched reply.
    @ivar isRestored: whether the unacknowledged reply of an earlier session
        has been looked up.
    @ivar sendsAck: whether the last poll had an C{ack}, L{None} before the first.
    @ivar lastAck: the last C{ack}.
    @ivar namesIds: whether any poll has had C{ids}.
    @ivar isUsed: whether a request has had the present C{psessionid}.
    @ivar former: the C{psessionid} before the last relink, or L{None}.
    @ivar ended: the end of the session, or L{None}.
    """

    __slots__ = (
        "clientid",
        "ended",
        "firstHash",
        "former",
        "habit",
        "isRestored",
        "isThrottled",
        "isUsed",
        "lapsed",
        "lastAck",
        "mailbox",
        "namesIds",
        "number",
        "passwordDigest",
        "poll",
        "previousSignOn",
        "rotation",
        "sendsAck",
        "sessionIds",
        "signOn",
        "skey",
        "status",
        "ticket",
        "unacknowledged",
        "verifier",
        "vfwebqq",
    )

    def __init__(self, number: Number, clientid: str, sessionIds: SessionIds) -> None:
        self.number = number
        self.clientid = clientid
        self.sessionIds = sessionIds
        self.ticket = self.verifier = self.signOn = self.previousSignOn = b""
        self.vfwebqq = ""
        self.skey = b""
        self.firstHash = self.passwordDigest = b""
        self.rotation: str | None = None
        self.status = Status.ONLINE
        self.mailbox = Mailbox()
        self.poll: HeldPoll | None = None
        self.unacknowledged: UnacknowledgedReply | None = None
        self.habit: ConnectionHabit | None = None
        self.isRestored = self.isThrottled = self.namesIds = self.isUsed = False
        self.sendsAck: bool | None = None
        self.former: EndedSession | None = None
        self.lastAck = 0
        self.lapsed = False
        self.ended: EndedSession | None = None

    @property
    def hasPending(self) -> bool:
        """
        Whether there is a reply for the next poll.
        """
        return (
            self.ended is not None
            or self.rotation is not None
            or self.unacknowledged is not None
            or not self.mailbox.isEmpty
        )

    def repeatReply(self) -> None:
        """
        Give the unacknowledged reply again, because the client has lost what it was
        given, as a page that was reloaded.
        """
        if self.unacknowledged is not None:
            self.unacknowledged.isWritten = False

    @property
    def visible(self) -> Status:
        """
        The status of the account that other accounts see.
        """
        if self.lapsed or self.status is Status.HIDDEN:
            return Status.OFFLINE
        return self.status
