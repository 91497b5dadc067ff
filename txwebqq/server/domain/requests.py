"""
The friend requests, and requests to join groups, that wait for the answer of an
account (protocol.md 2.4.6).
"""

from __future__ import annotations

from txwebqq.model import FriendshipStep, GroupStep, Number
from txwebqq.server.domain.friends import policyOf
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.groupnotices import groupNotice
from txwebqq.server.events.kinds import FRIENDSHIP_NOTICE
from txwebqq.server.events.queued import QueuedEvent


def requestsTo(state: ServerState, number: Number) -> list[QueuedEvent]:
    """
    Return the events that told an account of the requests which it has not answered,
    the friend requests first, each the oldest first.
    """
    store = state.store
    account = store.accounts.get(number)
    if account is None:
        return []
    allow = policyOf(account).allow
    asked = [
        FRIENDSHIP_NOTICE.new(
            step=FriendshipStep.REQUESTED.value,
            other=request.asker,
            sequence=0,
            text=request.text,
            allow=allow,
            status=state.presence.visibleStatus(request.asker).code,
        )
        for request in store.friends.requestsTo(number)
    ]
    return asked + [
        groupNotice(
            GroupStep.REQUESTED, request.group, request.number, text=request.text
        )
        for request in store.groups.joinRequestsTo(number)
    ]
