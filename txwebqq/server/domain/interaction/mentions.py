"""
Rules of mentions and replies in messages (protocol.md 4.6).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from txwebqq.model import Content, Mention, Number, Reply, Segment
from txwebqq.server.domain.groups import isAdmin
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.extensions import hasReferences, withPlainMentions
from txwebqq.server.records import DiscussionRecord
from txwebqq.wire.jsontext import replaceSurrogates

MAX_MENTIONS = 100
"""Maximum number of mentions in a message; further ones become texts."""

MAX_NAME = 128
"""Maximum length of the name in a mention, in characters."""

ALL_MEMBERS = "全体成员"
"""The name of a mention of all members that gives none."""


def mentionsForFriend(content: Content) -> Content:
    """
    Return the content of a message to one account: its mentions become texts.
    """
    if not hasReferences(content):
        return content
    return _checked(content, lambda number: False, str)


def mentionsForGroup(
    state: ServerState, group: Number, sender: Number, content: Content
) -> Content:
    """
    Return the content of a message to a group: mentions of accounts that are no
    members become texts, and so do mentions of all members if the sender is neither
    the owner nor an administrator.
    """
    if not hasReferences(content):
        return content
    groups = state.store.groups

    def mayMention(number: Number) -> bool:
        if number:
            return groups.isMember(group, number)
        record = groups.get(group)
        return record is not None and isAdmin(groups, record, sender)

    def nameOf(number: Number) -> str:
        card = groups.card(group, number)
        return card.name if card is not None and card.name else _nick(state, number)

    return _checked(content, mayMention, nameOf)


def mentionsForDiscussion(
    state: ServerState, discussion: DiscussionRecord, sender: Number, content: Content
) -> Content:
    """
    Return the content of a message to a discussion, as L{mentionsForGroup}; only
    the owner may mention all members.
    """
    if not hasReferences(content):
        return content

    def mayMention(number: Number) -> bool:
        if number:
            return state.store.discussions.isMember(discussion.number, number)
        return sender == discussion.owner

    return _checked(content, mayMention, partial(_nick, state))


def _nick(state: ServerState, number: Number) -> str:
    account = state.store.accounts.get(number)
    return str(number) if account is None else account.nick


def _checked(
    content: Content,
    mayMention: Callable[[Number], bool],
    nameOf: Callable[[Number], str],
) -> Content:
    """
    Return a content with one reply at most, and with the mentions that are allowed.

    @param nameOf: returns the name of an account that may be mentioned.
    """
    # A message that is too long may mention one account thousands of times.
    nameOf = cache(nameOf)
    checked: list[Segment] = []
    allowed: dict[Number, bool] = {}
    kept: set[Mention] = set()
    hasReply = False
    for segment in content:
        match segment:
            case Reply():
                if hasReply:
                    continue
                hasReply = True
            case Mention(number, given):
                if number not in allowed and len(allowed) < MAX_MENTIONS:
                    allowed[number] = mayMention(number)
                isAllowed = allowed.get(number, False)
                name = " ".join(replaceSurrogates(given).split())[:MAX_NAME]
                if not name:
                    isKnown = isAllowed and number
                    name = nameOf(number) if isKnown else _nameless(number)
                segment = Mention(number, name)
                if isAllowed:
                    kept.add(segment)
        checked.append(segment)
    return withPlainMentions(checked, kept.__contains__)


def _nameless(number: Number) -> str:
    return str(number) if number else ALL_MEMBERS
