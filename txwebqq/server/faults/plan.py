"""
The plan of faults: the kinds of faults, the requests that they are for, and the
seeded choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Delay:
    """
    A delay of a random time, in seconds.

    @ivar isAfter: whether the reply is delayed, and not the handling of the request.
    """

    kind: ClassVar[str] = "delay"
    least: float
    most: float
    isAfter: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """
    A reset of the connection.

    @ivar isAfter: whether the request takes effect before.
    """

    kind: ClassVar[str] = "reset"
    isAfter: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    """
    A reply that ends in the middle, with the connection.
    """

    kind: ClassVar[str] = "truncate"
    isAfter: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class WrongLength:
    """
    A reply whose C{Content-Length} is wrong.

    @ivar by: the bytes that are announced and do not come; negative for bytes that
        come and are not announced.
    """

    kind: ClassVar[str] = "wrong-length"
    isAfter: ClassVar[bool] = True
    by: int


@dataclass(frozen=True, slots=True)
class Status:
    """
    A page in HTML in place of the reply, as proxies and captive portals send.

    @ivar location: the C{Location} of a redirect, C{""} for none.
    """

    kind: ClassVar[str] = "status"
    code: int
    html: str
    location: str = ""
    isAfter: bool = False


@dataclass(frozen=True, slots=True)
class Retcode:
    """
    A refusal in place of the reply.
    """

    kind: ClassVar[str] = "retcode"
    code: int
    isAfter: bool = False


@dataclass(frozen=True, slots=True)
class Garbage:
    """
    A body that cannot be decoded.

    @ivar isText: whether it is UTF-8, but no JSON.
    """

    kind: ClassVar[str] = "garbage"
    isAfter: ClassVar[bool] = True
    isText: bool


@dataclass(frozen=True, slots=True)
class Slow:
    """
    A reply that comes slowly, with C{rate} bytes in a second.
    """

    kind: ClassVar[str] = "slow"
    isAfter: ClassVar[bool] = True
    rate: int


@dataclass(frozen=True, slots=True)
class Parts:
    """
    A reply that comes in parts.

    @ivar interval: the time between two of them, in seconds.
    """

    kind: ClassVar[str] = "parts"
    isAfter: ClassVar[bool] = True
    count: int
    interval: float


@dataclass(frozen=True, slots=True)
class Duplicate:
    """
    A poll reply with one of its events twice.
    """

    kind: ClassVar[str] = "duplicate"
    leastEvents: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Reorder:
    """
    A poll reply whose events come in another order.
    """

    kind: ClassVar[str] = "reorder"
    leastEvents: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Lose:
    """
    A poll reply that is lost with its events, and with the connection.
    """

    kind: ClassVar[str] = "lose"
    leastEvents: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Kick:
    """
    A kick in place of the events of a poll reply, which are not acknowledged then.
    """

    kind: ClassVar[str] = "kick"
    leastEvents: ClassVar[int] = 0


RequestFault: TypeAlias = (
    Delay | Reset | Truncate | WrongLength | Status | Retcode | Garbage | Slow | Parts
)
"""A fault of any request."""

PollFault: TypeAlias = Duplicate | Reorder | Lose | Kick
"""A fault of the successful reply to a poll."""

Fault: TypeAlias = RequestFault | PollFault

POLL_FAULTS = (Duplicate, Reorder, Lose, Kick)


@dataclass(frozen=True)
class FaultRule:
    """
    A fault, and the requests that it is for.

    @ivar paths: the paths; C{*} at the end of one stands for any text. All paths, if
        there are none.
    @ivar probability: the share of those requests that go wrong.
    @ivar every: each request with a multiple of this number goes wrong, 0 for
        C{probability}.
    @ivar limit: the number of faults after which there are no more, 0 for no limit.
    """

    fault: Fault
    paths: tuple[str, ...] = ()
    probability: float = 1.0
    every: int = 0
    limit: int = 0

    def isFor(self, path: str) -> bool:
        """
        Check whether a path is one of those of the rule.
        """
        return not self.paths or any(
            path.startswith(each[:-1]) if each.endswith("*") else path == each
            for each in self.paths
        )


class _Chance:
    """
    The choice of one rule. Its random numbers do not depend on other rules.
    """

    def __init__(self, rule: FaultRule, seed: str) -> None:
        self.rule = rule
        self._random = Random(seed)
        self._seen = 0
        self._done = 0

    def isHit(self) -> bool:
        """
        Count a request, and decide whether it goes wrong.
        """
        rule = self.rule
        self._seen += 1
        if rule.every:
            isHit = self._seen % rule.every == 0
        else:
            isHit = self._random.random() < rule.probability
        return isHit and not 0 < rule.limit <= self._done

    def done(self) -> None:
        """
        Count a fault.
        """
        self._done += 1


class FaultPlan:
    """
    Decides which requests go wrong, and how. The same rules, seed and requests have
    the same faults.

    A request has at most one fault: that of the first rule that hits it.

    @ivar random: the source of the other random choices, such as the length of a
        delay.
    @ivar counts: the number of faults so far, by kind.
    @ivar hasPollFaults: whether there are faults of replies to polls.
    """

    def __init__(self, rules: Sequence[FaultRule], seed: int = 1) -> None:
        self.seed = seed
        self.rules = tuple(rules)
        self.random = Random(f"{seed} choices")
        self.counts: Counter[str] = Counter()
        chances = [_Chance(r, f"{seed} {n}") for n, r in enumerate(self.rules)]
        self._requests = [c for c in chances if not _isForPolls(c)]
        self._polls = [c for c in chances if _isForPolls(c)]
        self.hasPollFaults = bool(self._polls)

    def onRequest(self, path: str) -> RequestFault | None:
        """
        Return the fault of a request, L{None} for none.
        """
        fault = self._choose([c for c in self._requests if c.rule.isFor(path)])
        assert not isinstance(fault, POLL_FAULTS)
        return fault

    def onPolled(self, events: int) -> PollFault | None:
        """
        Return the fault of the successful reply to a poll, L{None} for none.

        @param events: the number of events in the reply.
        """
        able = [c for c in self._polls if _least(c) <= events]
        fault = self._choose(able)
        assert fault is None or isinstance(fault, POLL_FAULTS)
        return fault

    def _choose(self, chances: Sequence[_Chance]) -> Fault | None:
        # All are asked, so that one rule does not change the choices of another.
        hits = [chance for chance in chances if chance.isHit()]
        if not hits:
            return None
        hits[0].done()
        fault = hits[0].rule.fault
        self.counts[fault.kind] += 1
        return fault


def _isForPolls(chance: _Chance) -> bool:
    return isinstance(chance.rule.fault, POLL_FAULTS)


def _least(chance: _Chance) -> int:
    fault = chance.rule.fault
    return fault.leastEvents if isinstance(fault, POLL_FAULTS) else 0
