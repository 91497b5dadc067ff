"""
Why something that was to be said was not heard.
"""

from __future__ import annotations


class TargetUnavailable(Exception):
    """
    There is nobody to hear it: wait until there is.
    """


class DeliveryRefused(Exception):
    """
    The other side does not take it, at least for now.

    @ivar isFinal: whether it is of no use to say it often.
    """

    def __init__(self, reason: str, isFinal: bool = False) -> None:
        super().__init__(reason)
        self.isFinal = isFinal
