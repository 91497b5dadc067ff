"""
Whom or where one talks to, by what never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class TargetKind(IntEnum):
    """
    What a number is the number of; the values are in databases.
    """

    CONTACT = 0
    GROUP = 1
    DISCUSSION = 2
    SERVICE = 3


@dataclass(frozen=True, slots=True)
class Target:
    """
    A person, a group, a discussion, or with number 0 the service itself.

    @ivar number: the permanent one.
    """

    kind: TargetKind
    number: int


SERVICE = Target(TargetKind.SERVICE, 0)
