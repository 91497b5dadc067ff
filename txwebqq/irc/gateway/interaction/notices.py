"""
Texts of the bot's notices about friendships and groups.
"""

from __future__ import annotations

from txwebqq import model
from txwebqq.irc.protocol.nicknames import displayName
from txwebqq.model import FriendshipStep, GroupNotice, GroupStep

FRIENDSHIP_TEXTS = {
    FriendshipStep.PASSED: "accepted your friend request",
    FriendshipStep.PASSED_AND_ADDED: "accepted your friend request and added you",
    FriendshipStep.REJECTED: "declined your friend request",
    FriendshipStep.ADDED: "added you as a friend",
    FriendshipStep.ADDED_UNSIGNED: "added you as a friend",
}
"""The texts after the number of the other account."""


def inParentheses(text: str) -> str:
    """
    Return the text of another QQ user as a part of a notice.
    """
    # Otherwise a second line of it would look like a notice of its own.
    shown = displayName(text)
    return f" ({shown})" if shown else ""


def groupText(notice: GroupNotice, member: str, channel: str) -> str:
    """
    Return the text about a change in a group.

    @param member: the name of the member whom it concerns.
    """
    match notice.step, notice.operation:
        case GroupStep.CREATED, _:
            return f"{channel} is a new group"
        case GroupStep.JOINED, _:
            return f"{member} has joined {channel}"
        case GroupStep.LEFT, model.DISSOLVED:
            return f"{channel} has been dissolved"
        case GroupStep.LEFT, model.REMOVED:
            return f"{member} has been removed from {channel}"
        case GroupStep.LEFT, _:
            return f"{member} has left {channel}"
        case GroupStep.AGREED, _:
            return f"your request to join {channel} was accepted"
        case GroupStep.DENIED, _:
            return f"your request to join {channel} was declined"
        case GroupStep.ADMIN, model.OWNER_CHANGED:
            return f"{member} is now the owner of {channel}"
        case GroupStep.ADMIN, (1 | 3):
            return f"{member} is now an administrator of {channel}"
        case _:
            return f"{member} is no longer an administrator of {channel}"
