"""
Policies of the relay for full queues and for long texts.
"""

from __future__ import annotations

from enum import Enum


class OverflowPolicy(Enum):
    """
    Which message is dropped when an outbox queue is full.
    """

    REFUSE_NEW = "refuse-new"
    DROP_OLDEST = "drop-oldest"


class LongTextPolicy(Enum):
    """
    The ways to send a text of many lines to IRC: line by line, or as a link.
    """

    BURST = "burst"
    LINK = "link"
