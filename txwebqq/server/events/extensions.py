"""
Events and contents without our extensions, for clients that do not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from txwebqq.model import (
    CardChanged,
    Content,
    Event,
    FriendEdited,
    GroupEdited,
    GroupFile,
    JoinRequestAnswered,
    MemberMuted,
    MemberPoked,
    Mention,
    MessageRecalled,
    MessageSent,
    Reaction,
    Reply,
    Segment,
    Text,
)

_REFERENCES = frozenset((Mention, Reply))
_EXTENSIONS = frozenset(
    (
        MessageRecalled,
        MemberMuted,
        MemberPoked,
        Reaction,
        GroupFile,
        GroupEdited,
        CardChanged,
        JoinRequestAnswered,
        FriendEdited,
        MessageSent,
    )
)


def hasReferences(content: Content) -> bool:
    """
    Check whether a content has a mention or a reply.
    """
    return not _REFERENCES.isdisjoint(map(type, content))


def withoutExtensions(events: Iterable[Event]) -> tuple[Event, ...]:
    """
    Return the events that a client knows which does not send C{ack}: those of the
    original service, with mentions as texts and without replies.
    """
    known: list[Event] = []
    for event in events:
        if type(event) in _EXTENSIONS:
            continue
        content: Any = getattr(event, "content", None)
        if content and hasReferences(content):
            event = replace(event, content=withoutReferences(content))
        known.append(event)
    return tuple(known)


def withoutReferences(content: Content) -> Content:
    """
    Return a content with its mentions as texts, and without replies.
    """
    segments = (each for each in content if type(each) is not Reply)
    return withPlainMentions(segments, lambda mention: False)


def withPlainMentions(
    content: Iterable[Segment], isKept: Callable[[Mention], bool]
) -> Content:
    """
    Return a content with the mentions as texts, C{@name}, that a function does not
    keep. The texts beside them are joined to them, with a space behind the name.
    """
    segments: list[Segment] = []
    # The text at the end so far, and whether it ends with a name.
    text, isName = "", False
    for segment in content:
        match segment:
            case Mention() if not isKept(segment):
                text += f"{' ' * isName}{segment.text}"
                isName = True
            case Text(following):
                isJoined = isName and following and not following[0].isspace()
                text += f"{' ' if isJoined else ''}{following}"
                isName = isName and not following
            case _:
                if text:
                    segments.append(Text(text))
                text, isName = "", False
                segments.append(segment)
    if text:
        segments.append(Text(text))
    return tuple(segments)
