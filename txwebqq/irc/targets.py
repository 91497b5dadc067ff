"""
Targets of messages, identified by permanent numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class TargetKind(IntEnum):
    """
    The kind of a target. The values are stored in databases.
    """

    CONTACT = 0
    GROUP = 1
    DISCUSSION = 2
    SERVICE = 3


@dataclass(frozen=True, slots=True)
class Target:
    """
    A contact (a friend or the other side of a temporary chat), a group, a
    discussion, or the gateway's bot.

    @ivar number: the permanent number; 0 for the bot.
    """

    kind: TargetKind
    number: int


SERVICE = Target(TargetKind.SERVICE, 0)
"""The bot."""
