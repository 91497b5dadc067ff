"""
The accounts of the ledger's chat, and their conversations.

Their nicks, and the names of groups, are their numbers.
"""

from __future__ import annotations

SPEAKER, STRANGER, OURS, ACK, IDS, PLAIN, CLOSING, SLEEPER = range(10001, 10009)
EVERYBODY = (SPEAKER, STRANGER, OURS, ACK, IDS, PLAIN, CLOSING, SLEEPER)
NAMES = {
    SPEAKER: "speaker (ack, no proxy)",
    STRANGER: "stranger (ack, no proxy)",
    OURS: "ours",
    ACK: "ack",
    IDS: "ids",
    PLAIN: "neither, kept alive",
    CLOSING: "neither, closing",
    SLEEPER: "ack, often off line",
}

FRIENDS = tuple(number for number in EVERYBODY if number != STRANGER)
"""They all are friends; the stranger is only in the group that all are in."""

COMMON = 200001
TRIP, TRIP_NAME = 300001, "trip"
OWN = {number: 210000 + number for number in FRIENDS}
"""For each account, the group of which it is the only member."""


def passwordOf(number: int) -> str:
    """
    The password of an account.
    """
    return f"secret of {number}"


def population() -> str:
    """
    The population file.
    """
    lines = []
    for number in EVERYBODY:
        lines += [
            "[[account]]",
            f"number = {number}",
            f'password = "{passwordOf(number)}"',
            f'nick = "{number}"',
        ]
    for n, one in enumerate(FRIENDS):
        for other in FRIENDS[n + 1 :]:
            lines += ["[[friendship]]", f"between = [{one}, {other}]"]
    for group, members in ((COMMON, EVERYBODY), *((OWN[n], (n,)) for n in FRIENDS)):
        lines += [
            "[[group]]",
            f"number = {group}",
            f'name = "{group}"',
            f"owner = {members[0]}",
            f"members = {list(members)}",
        ]
    lines += [
        "[[discussion]]",
        f"number = {TRIP}",
        f'name = "{TRIP_NAME}"',
        f"owner = {SPEAKER}",
        f"members = {list(FRIENDS)}",
    ]
    return "\n".join(lines) + "\n"
