"""
The transport of an account for tests that give it events by hand.
"""

from __future__ import annotations

from collections.abc import Callable


class HoldingTransport:
    """
    Counts the events that the server has to keep.
    """

    def __init__(self) -> None:
        self.held = 0

    def holdEvents(self) -> Callable[[], None]:
        """
        Count one more, and return the function that counts it no longer.
        """
        self.held += 1

        def release() -> None:
            self.held -= 1

        return release
