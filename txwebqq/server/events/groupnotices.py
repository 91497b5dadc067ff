"""
Notices of groups, as the server's rules and C{webqq-admin} make them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from txwebqq.model import GroupStep, Number
from txwebqq.server.events.kinds import GROUP_NOTICE, NOBODY
from txwebqq.server.events.queued import MessageIds, QueuedEvent

CREATOR, ADMINISTRATOR = "创建者", "管理员"
"""The words for the owner and an administrator in notices (protocol.md 5.10)."""

JOIN_OPERATION = 3
"""The C{op_type} of C{group_join}; no other was ever seen."""

GRANT, REVOKE = 1, 0
"""The C{op_type} of C{group_admin_op}."""


def groupNotice(
    step: GroupStep,
    group: Number,
    member: Number = NOBODY,
    admin: Number = NOBODY,
    adminTitle: str = "",
    previous: Number = NOBODY,
    operation: int = 0,
    text: str = "",
) -> QueuedEvent:
    """
    Return the notice of a change of a group, without ids (L{withIds}).
    """
    return GROUP_NOTICE.new(
        step=step.value,
        group=group,
        messageId=0,
        messageId2=0,
        member=member,
        admin=admin,
        adminTitle=adminTitle,
        previous=previous,
        operation=operation,
        text=text,
    )


def creationNotices(
    group: Number, owner: Number, others: Iterable[Number]
) -> list[tuple[QueuedEvent, Number]]:
    """
    Return the notices of a new group, each with the member that is given it.

    @param others: the members beside the owner.
    """
    created = groupNotice(GroupStep.CREATED, group, owner)
    return [
        (created, owner),
        *(
            (
                groupNotice(
                    GroupStep.JOINED,
                    group,
                    member,
                    admin=owner,
                    adminTitle=CREATOR,
                    operation=JOIN_OPERATION,
                ),
                member,
            )
            for member in others
        ),
    ]


def withIds(event: QueuedEvent, ids: MessageIds) -> QueuedEvent:
    """
    Return an event that is no message with ids, and with their time if it has one.
    """
    given = {
        "messageId": ids.messageId,
        "messageId2": ids.messageId2,
        "time": ids.time,
    }
    changed = {name: given[name] for name in given.keys() & event.details.keys()}
    return replace(event, details={**event.details, **changed})
