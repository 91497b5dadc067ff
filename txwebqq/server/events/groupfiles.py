"""
Files of groups, as queued events and as sessions see them.
"""

from __future__ import annotations

from txwebqq.model import Event, GroupFile, Number
from txwebqq.server.events.queued import EventKind, QueuedEvent
from txwebqq.server.events.sessionids import SessionIds


def groupFileFor(
    ids: SessionIds,
    group: Number,
    sender: Number,
    key: str,
    name: str,
    size: int,
    time: int,
    expires: int,
    messageId: int = 0,
    messageId2: int = 0,
) -> GroupFile:
    """
    Return a file of a group as a session sees it.

    @param messageId: with C{messageId2}, 0 for a file in a list.
    """
    return GroupFile(
        group=ids.gid(group),
        code=ids.code(group),
        number=group,
        sender=ids.uin(sender),
        name=name,
        size=size,
        key=key,
        expires=expires,
        time=time,
        recipient=ids.own,
        messageId=messageId,
        messageId2=messageId2,
    )


def _groupFile(queued: QueuedEvent, ids: SessionIds) -> Event:
    return groupFileFor(ids, **queued.details)


GROUP_FILE = EventKind(
    "group file",
    "group",
    _groupFile,
    "group",
    isExtension=True,
    required={
        "group": int,
        "sender": int,
        "key": str,
        "name": str,
        "size": int,
        "time": int,
        "expires": int,
        "messageId": int,
        "messageId2": int,
    },
)
