"""
C{events}: events per second from the JSON of a poll reply to the callback.
"""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import cast

from benchmarks.client.ours import CountingFactory, CountingProtocol, account
from benchmarks.measures import Measure
from benchmarks.servers import bodies


def ours(events: int, polls: int) -> float:
    """
    Measure the events per second of CPU time that are decoded, checked for
    duplicates, ordered and passed to an overridden callback.
    """
    from twisted.internet.task import Clock

    from txwebqq.interfaces import IWebQQTransport
    from txwebqq.roster import Roster
    from txwebqq.session.acknowledgement import Acknowledgement
    from txwebqq.session.callbacks import CallbackQueue, GuardedProtocol
    from txwebqq.session.eventfilter import EventFilter
    from txwebqq.session.eventqueue import EventQueue
    from txwebqq.session.rostersync import RosterSyncService
    from txwebqq.wire.commands.messages import Poll2, PollResult

    protocol = CountingProtocol()
    factory = protocol.factory = CountingFactory()
    me, clock = account(0), Clock()
    roster = Roster()
    transport = cast(IWebQQTransport, SimpleNamespace(roster=roster))
    eventQueue = EventQueue(
        me.number,
        transport,
        GuardedProtocol(protocol, me, CallbackQueue()),
        RosterSyncService(me.number, transport, clock),
        Acknowledgement(),
        clock,
    )
    eventFilter = EventFilter()
    some = bodies(events)
    first = Poll2.decodeReply(some[0])
    assert isinstance(first, PollResult)
    for event in first.events:
        roster.apply(event)
    # As after a sign-on, the groups and their names are known.
    roster.newGroups.clear()
    began = time.process_time()
    for n in range(polls):
        reply = Poll2.decodeReply(some[n % len(some)])
        assert isinstance(reply, PollResult)
        new = eventFilter.filterBatch(reply.events)
        eventQueue.put(new)
        eventFilter.markShown(new)
    used = time.process_time() - began
    assert factory.count == polls * events
    return factory.count / used


def loads(events: int, polls: int) -> float:
    """
    Measure the events per second of CPU time that C{json.loads} decodes.
    """
    some = bodies(events)
    count = 0
    began = time.process_time()
    for n in range(polls):
        count += len(json.loads(some[n % len(some)])["result"])
    return count / (time.process_time() - began)


MEASURES = [
    Measure(
        "events",
        "benchmarks.client.events:ours",
        "benchmarks.client.events:loads",
        0.80,
        "events/s",
        isLimit=False,
        size={"events": 50, "polls": 4000},
        quickSize={"polls": 1000},
    )
]
