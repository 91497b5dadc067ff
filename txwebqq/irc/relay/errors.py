"""
The reasons why a message could not be delivered to a relay target.
"""

from __future__ import annotations


class DeliveryFailed(Exception):
    """
    The base class of these reasons.
    """


class TargetUnavailable(DeliveryFailed):
    """
    The target cannot be reached: wait until it can.
    """


class TargetUnanswered(DeliveryFailed):
    """
    The target's server does not answer, which says nothing of the message: try again
    later.
    """


class DeliveryRefused(DeliveryFailed):
    """
    The target's server has refused the message, at least for now.

    @ivar isFinal: whether a retry is unlikely to succeed.
    @ivar code: the numeric or the code of the C{FAIL} of an IRC server, or C{""}.
    """

    def __init__(self, reason: str, isFinal: bool = False, code: str = "") -> None:
        super().__init__(reason)
        self.isFinal = isFinal
        self.code = code
