"""
C{growth-...}: cost of one item among many, compared with a tenth as many.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measures import Measure
from benchmarks.server import held
from benchmarks.servers import writePopulation

TIMES = 10
"""Number of repetitions of a measure of decoding."""


def buddies(count: int) -> float:
    """
    Measure the CPU time for each friend of a friend list, from its bytes to the
    roster, in microseconds.
    """
    from txwebqq.model import Buddy, FriendList, Uin
    from txwebqq.roster import Roster
    from txwebqq.wire.commands.contacts import GetUserFriends2

    uins = [Uin(10**9 + n) for n in range(count)]
    friends = {uin: Buddy(uin, f"nick {uin}", f"mark {uin}") for uin in uins}
    body = GetUserFriends2.encodeReply(FriendList(friends))
    began = time.process_time()
    for _ in range(TIMES):
        answer = GetUserFriends2.decodeReply(body)
        assert isinstance(answer, FriendList)
        Roster(answer)
    return (time.process_time() - began) / TIMES / count * 1e6


def members(count: int) -> float:
    """
    Measure the CPU time to decode the details of a group, for each member, in
    microseconds.
    """
    from txwebqq.model import Code, Gid, GroupDetails, Member, Uin
    from txwebqq.wire.commands.contacts import GetGroupInfoExt2

    some = tuple(Member(Uin(10**9 + n), f"nick {n}", f"card {n}") for n in range(count))
    details = GroupDetails(Gid(1), Code(2), "group", Uin(10**9), some)
    body = GetGroupInfoExt2.encodeReply(details)
    began = time.process_time()
    for _ in range(TIMES):
        GetGroupInfoExt2.decodeReply(body)
    return (time.process_time() - began) / TIMES / count * 1e6


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name:
        yield Path(name)


def mailbox(count: int) -> float:
    """
    Measure the CPU time for each event in a mailbox, in microseconds: stored,
    read in batches and deleted.
    """
    from txwebqq.model import Number, Text
    from txwebqq.server.events.kinds import FRIEND_MESSAGE
    from txwebqq.server.events.queued import MessageIds
    from txwebqq.server.events.storedformat import encodeQueued
    from txwebqq.server.sessions.mailbox import MAX_TOGETHER
    from txwebqq.server.storage.messages.queue import EventChanges
    from txwebqq.server.storage.store import Store

    with _folder() as folder:
        store = Store(folder / "qq.db")
        bob = Number(10002)
        began = time.process_time()
        for n in range(count):
            ids = MessageIds(Number(10001), n, n, n)
            event = FRIEND_MESSAGE.new(ids, (Text("hello"),))
            serial = store.messages.nextSerial()
            changes = EventChanges(waiting={(bob, serial): 0})
            changes.add(serial, event, encodeQueued(event))
            store.messages.write(changes)
        last = delivered = 0
        while some := store.messages.waiting(bob, last, MAX_TOGETHER):
            last = some[-1][0]
            delivered += len(some)
            receipts = [(bob, serial) for serial, _ in some]
            store.messages.write(EventChanges(delivered=receipts))
        used = time.process_time() - began
        store.close()
        assert delivered == count
    return used / count * 1e6


def starting(count: int) -> float:
    """
    Measure the CPU time for each account when a server starts with a database
    and the population file that the accounts came from, in microseconds.
    """
    from txwebqq.server.population import load
    from txwebqq.server.storage.populationimport import importPopulation
    from txwebqq.server.storage.store import Store

    with _folder() as folder:
        path = writePopulation(folder, count, 4, 0)
        store = Store(folder / "qq.db")
        importPopulation(store, load(path))
        store.close()
        began = time.process_time()
        store = Store(folder / "qq.db")
        importPopulation(store, load(path))
        used = time.process_time() - began
        store.close()
    return used / count * 1e6


def lookup(count: int) -> float:
    """
    Measure the CPU time to find an account and its friends, in microseconds.
    """
    from txwebqq.model import Number
    from txwebqq.server.population import load
    from txwebqq.server.storage.populationimport import importPopulation
    from txwebqq.server.storage.store import Store

    with _folder() as folder:
        store = Store(folder / "qq.db")
        importPopulation(store, load(writePopulation(folder, count, 4, 0)))
        some = random.Random(1)
        numbers = [Number(20001 + some.randrange(count)) for _ in range(5000)]
        began = time.process_time()
        for number in numbers:
            assert store.accounts.get(number) is not None
            store.friends.all(number)
        used = time.process_time() - began
        store.close()
    return used / len(numbers) * 1e6


def polls(count: int) -> float:
    """
    Measure the server's memory for each account with a held poll, in KiB.
    """
    return held.ours(count)


def _growth(name: str, unit: str, count: int, quick: int) -> Measure:
    """
    Make the measure for C{count} items, with a tenth of them as the yardstick.
    """
    return Measure(
        f"growth-{name}",
        f"benchmarks.many.growth:{name}",
        f"benchmarks.many.growth:{name}",
        1.2,
        unit,
        size={"count": count},
        quickSize={"count": quick},
        yardstickSize={"count": count // 10},
        quickYardstickSize={"count": quick // 10},
        rounds=3,
        quickRounds=1,
    )


MEASURES = [
    _growth("buddies", "us CPU/buddy", 5000, 5000),
    _growth("members", "us CPU/member", 2000, 2000),
    _growth("mailbox", "us CPU/event", 100_000, 10_000),
    _growth("starting", "us CPU/account", 100_000, 5_000),
    _growth("lookup", "us CPU/lookup", 100_000, 5_000),
    _growth("polls", "KiB/held", 5000, 2000),
]
