"""
What the relay does with too many messages and too long texts.
"""

from __future__ import annotations

from enum import Enum


class OverflowPolicy(Enum):
    """
    What becomes of words when too many wait already.
    """

    REFUSE_NEW = "refuse-new"
    DROP_OLDEST = "drop-oldest"


class LongTextPolicy(Enum):
    """
    What becomes of a text of many lines.
    """

    BURST = "burst"
    LINK = "link"
