"""
The members of a relay target, and the notices about who joined and left it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.ratelimit import RateLimiter

ACTIVE = 1800.0
"""The seconds after a member's last message during which the member counts as
active."""

MAX_NOTICES, NOTICES_WINDOW = 5, 60.0
"""The maximum number of membership notices that are sent one by one, and the
seconds that they are counted in."""


class MemberList:
    """
    The members of one target, without the relay itself, and the time at which
    each of them last sent a message.

    @param now: the time in seconds.
    @ivar names: the display names by key: the QQ number in a group, the
        casefolded nick in a channel.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.names: dict[Hashable, str] = {}
        # The time of the last message, and the sender's name at that time.
        self._lastMessages: dict[Hashable, tuple[float, str]] = {}

    def replace(self, names: Iterable[tuple[Hashable, str]]) -> None:
        """
        Replace all members; the times of their messages stay.
        """
        self.names = dict(names)

    def add(self, key: Hashable, name: str) -> None:
        """
        Add a member.
        """
        self.names[key] = name

    def remove(self, key: Hashable) -> bool:
        """
        Remove a member.

        @return: whether the key was that of a member.
        """
        return self.names.pop(key, None) is not None

    def markActive(self, key: Hashable) -> None:
        """
        Record that a member sent a message just now.
        """
        since = self._now() - ACTIVE
        self._lastMessages = {
            member: (time, name)
            for member, (time, name) in self._lastMessages.items()
            if time > since
        }
        self._lastMessages[key] = self._now(), self.nameOf(key)

    def nameOf(self, key: Hashable) -> str:
        """
        Find the name of a member, or of a former member who was active; C{""}
        for an unknown key.
        """
        return self.names.get(key, "") or self._lastMessages.get(key, (0.0, ""))[1]

    def isActive(self, key: Hashable) -> bool:
        """
        Tell whether a member, or former member, has sent a message in the last
        L{ACTIVE} seconds.
        """
        return self._lastMessages.get(key, (-ACTIVE, ""))[0] > self._now() - ACTIVE

    def rename(self, key: Hashable, newKey: Hashable, name: str) -> None:
        """
        Change the key and the name of a member.
        """
        if self.names.pop(key, None) is not None:
            self.names[newKey] = name
        if key in self._lastMessages:
            self._lastMessages[newKey] = self._lastMessages.pop(key)


class MembershipNotices:
    """
    The notices that members of one target joined, left or changed their name.
    After L{MAX_NOTICES} in a minute the others are only counted, since a
    netsplit removes hundreds of members at once.

    @param send: called with a name and the text that follows it.
    """

    def __init__(self, clock: IReactorTime, send: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._send = send
        self._limiter = RateLimiter(clock.seconds, MAX_NOTICES, NOTICES_WINDOW)
        self._unsent = 0
        self._timer: IDelayedCall | None = None
        self._isStopped = False

    def add(self, name: str, change: str) -> None:
        """
        Send a notice, or count it when there are too many.
        """
        if self._isStopped:
            return
        if self._limiter.take("all"):
            self._send(name, change)
            return
        self._unsent += 1
        if self._timer is None:
            self._timer = self._clock.callLater(NOTICES_WINDOW, self._sendCount)

    def _sendCount(self) -> None:
        count, self._unsent, self._timer = self._unsent, 0, None
        self._send(str(count), "more joined or left")

    def stop(self) -> None:
        """
        Send no more notices.
        """
        self._isStopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
