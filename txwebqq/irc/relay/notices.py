"""
Notices of the relay to the targets of a room: which of them cannot be reached, which
messages were dropped, who has joined and left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.config.relay import RoomSettings
from txwebqq.irc.relay.members import MembershipNotices
from txwebqq.irc.relay.target import RelayTarget
from txwebqq.irc.relay.text.attribution import oneWord, withoutHighlight
from txwebqq.ratelimit import RateLimiter

GRACE = 60.0
"""The seconds that a target is unavailable before the other targets are told."""

NOTICES, NOTICES_WINDOW = 1, 600.0
"""The maximum number of notices of one kind about one target, and the seconds
that they are counted in."""


@dataclass(slots=True)
class _State:
    """
    The state of a target, as far as the others were told.

    @ivar grace: the timer until the others are told that it is unavailable.
    @ivar isReportedDown: whether they were told.
    """

    members: MembershipNotices
    grace: IDelayedCall | None = None
    isReportedDown: bool = False


class RoomNotices:
    """
    Tells the targets of one room about each other.

    @param send: sends a text to a target.
    """

    _log = Logger()

    def __init__(
        self,
        settings: RoomSettings,
        clock: IReactorTime,
        send: Callable[[RelayTarget, str], None],
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._send = send
        self._limiter = RateLimiter(clock.seconds, NOTICES, NOTICES_WINDOW)
        self._states: dict[RelayTarget, _State] = {}
        self._isStopped = False

    def add(self, target: RelayTarget) -> None:
        """
        Add a target to the room.
        """
        self._states[target] = _State(
            MembershipNotices(
                self._clock,
                lambda name, change: self._sendMembership(target, name, change),
            )
        )

    def stop(self) -> None:
        """
        Send no more notices.
        """
        self._isStopped = True
        for state in self._states.values():
            state.members.stop()
            self._cancelGrace(state)

    def _others(self, about: RelayTarget) -> list[RelayTarget]:
        return [target for target in self._states if target is not about]

    def membershipChanged(self, target: RelayTarget, name: str, change: str) -> None:
        """
        An active member joined, left or changed the name.

        @param change: the text of the notice after the name.
        """
        if self.settings.joins and not self.settings.ignores(name, ""):
            self._states[target].members.add(name, change)

    def _sendMembership(self, about: RelayTarget, name: str, change: str) -> None:
        for target in self._others(about):
            # Such a notice is of no use when it comes late.
            if target.isUp:
                shown = oneWord(name)
                if target.isQuiet:
                    shown = withoutHighlight(shown)
                self._send(target, f"{shown} {change}")

    def availabilityChanged(self, target: RelayTarget) -> None:
        """
        A target can be sent messages now, or no longer.
        """
        state = self._states[target]
        if target.isUp:
            self._cancelGrace(state)
            if state.isReportedDown:
                state.isReportedDown = False
                self._announce(target, f"{target.title} is reachable again")
        elif state.isReportedDown or self._isStopped:
            return
        elif state.grace is None or not state.grace.active():
            state.grace = self._clock.callLater(GRACE, self._reportDown, target)

    def _cancelGrace(self, state: _State) -> None:
        if state.grace is not None and state.grace.active():
            state.grace.cancel()

    def _reportDown(self, target: RelayTarget) -> None:
        text = f"{target.title} is unreachable; messages for it are queued"
        self._states[target].isReportedDown = self._announce(target, text, "down")

    def deliveryFailed(self, target: RelayTarget, reason: str, isDropped: bool) -> None:
        """
        A target has refused a message.
        """
        state = "was dropped" if isDropped else "is delayed"
        self._log.warn(
            "Delivery to {target} failed: {reason}; the message {state}.",
            target=target.source,
            reason=reason,
            state=state,
        )
        text = f"A message to {target.title} {state}: {reason}"
        self._announce(target, text, state)

    def overflowed(self, source: RelayTarget, target: RelayTarget) -> None:
        """
        A message from a source was dropped because the queue of a target is full.
        """
        if not self._limiter.take((source.source, target.source, "full")):
            return
        limit = self.settings.limit
        dropped = {
            OverflowPolicy.REFUSE_NEW: "new messages",
            OverflowPolicy.DROP_OLDEST: "the oldest messages",
        }[self.settings.overflow]
        self._log.warn(
            "The queue for {target} is full ({limit} messages): {dropped} are dropped.",
            target=target.source,
            limit=limit,
            dropped=dropped,
        )
        text = f"The queue for {target.title} is full ({limit} messages): {dropped}"
        self._send(source, f"{text} are dropped until there is space")

    def _announce(self, about: RelayTarget, text: str, kind: str = "") -> bool:
        if kind and not self._limiter.take((about.source, kind)):
            return False
        for target in self._others(about):
            self._send(target, text)
        return True
