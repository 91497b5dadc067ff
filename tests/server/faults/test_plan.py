"""
The choice of faults, by a seed.
"""

from __future__ import annotations

from txwebqq.server.faults.plan import (
    Delay,
    Duplicate,
    FaultPlan,
    FaultRule,
    Kick,
    Reorder,
    Reset,
    Truncate,
)

SEND = "/channel/send_buddy_msg2"


def drawn(plan: FaultPlan, path: str = SEND, count: int = 1000) -> list[object]:
    return [plan.onRequest(path) for _ in range(count)]


def test_seed() -> None:
    """
    A seed decides which requests go wrong; another one decides otherwise.
    """
    rules = [FaultRule(Reset(), probability=0.3)]
    first = drawn(FaultPlan(rules, 1))
    assert first == drawn(FaultPlan(rules, 1)) != drawn(FaultPlan(rules, 2))
    assert 200 < sum(fault is not None for fault in first) < 400


def test_every() -> None:
    """
    Every third request goes wrong, and after the limit none.
    """
    plan = FaultPlan([FaultRule(Reset(), every=3, limit=2)])
    faults = [fault is not None for fault in drawn(plan, count=12)]
    assert faults == [False, False, True] * 2 + [False] * 6
    assert plan.counts == {"reset": 2}


def test_limit() -> None:
    """
    The limit holds for faults by probability as well.
    """
    plan = FaultPlan([FaultRule(Reset(), limit=2)])
    assert drawn(plan, count=4) == [Reset(), Reset(), None, None]


def test_paths() -> None:
    """
    Only the paths of a rule go wrong; an asterisk stands for any end.
    """
    plan = FaultPlan([FaultRule(Reset(), ("/channel/*", "/check"))])
    assert plan.onRequest(SEND) == plan.onRequest("/check") == Reset()
    assert plan.onRequest("/checks") is plan.onRequest("/api/x") is None


def test_independent() -> None:
    """
    The first rule that hits decides, and changes nothing for those after it.
    """
    second = FaultRule(Truncate(), probability=0.5)
    alone = drawn(FaultPlan([FaultRule(Delay(1, 1), every=10**6), second]))
    both = drawn(FaultPlan([FaultRule(Reset(), every=10), second]))
    assert both[9::10] == [Reset()] * 100
    rest = [fault for n, fault in enumerate(both) if n % 10 != 9]
    assert rest == [fault for n, fault in enumerate(alone) if n % 10 != 9]


def test_polls() -> None:
    """
    Faults of polls are for replies with enough events, and for no other request.
    """
    plan = FaultPlan([FaultRule(Reorder()), FaultRule(Duplicate()), FaultRule(Kick())])
    assert plan.hasPollFaults
    assert plan.onRequest("/channel/poll2") is None
    assert plan.onPolled(2) == Reorder()
    assert plan.onPolled(1) == Duplicate()
    assert plan.onPolled(0) == Kick()
    assert not FaultPlan([FaultRule(Reset())]).hasPollFaults
