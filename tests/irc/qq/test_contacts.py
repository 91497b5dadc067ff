"""
The contact directory of an account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import deferLater

from tests.irc.memorygateway import MemoryGateway
from txwebqq.errors import Unreachable
from txwebqq.irc.qq.contacts import MAX_CONVERSATIONS, MAX_REQUESTS
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Code, GroupNotice, Uin
from txwebqq.protocol import WebQQProtocol


class Counter:
    """
    Delays the replies to one kind of request by a second, and counts the
    requests that are in flight.

    @ivar most: the largest number of requests in flight at once.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, gateway: MemoryGateway, name: str
    ) -> None:
        self.requests: list[object] = []
        self.inFlight = self.most = 0
        request: Callable[[Any, Any], Deferred[Any]] = getattr(WebQQProtocol, name)

        def done(result: object) -> object:
            self.inFlight -= 1
            return result

        def counted(online: WebQQProtocol, what: Code | Uin) -> Deferred[Any]:
            self.requests.append(what)
            self.inFlight += 1
            self.most = max(self.most, self.inFlight)
            waited: Deferred[None] = deferLater(gateway.clock, 1)
            return waited.addCallback(lambda _: request(online, what)).addBoth(done)

        monkeypatch.setattr(WebQQProtocol, name, counted)


def test_oneGroup(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When a member joins a group, only that group is fetched.
    """
    web = gateway.web
    hua = web.person("阿花")
    web.group("狗", gateway.ming, gateway.alice)
    gateway.alice.stop()
    gateway.signOn(gateway.alice)
    client = gateway.client()
    gateway.requestJoin(hua, gateway.cats)
    [notice] = [e for e in gateway.ming.events if isinstance(e, GroupNotice)]
    counter = Counter(monkeypatch, gateway, "fetchGroup")
    web.result(gateway.ming.protocol.answerJoinRequest(notice, True))
    web.settle(3)
    assert len(counter.requests) == 1
    assert f":阿花!{hua.number}@qq.test JOIN #猫咪" in client.seen


def test_maxRequests(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A limited number of contacts of a long list is looked up at once.
    """
    gateway = MemoryGateway()
    counter = Counter(monkeypatch, gateway, "fetchNumber")
    others = [gateway.web.person(f"n{n}") for n in range(50)]
    for other in others:
        gateway.web.befriend(gateway.alice, other)
    gateway.web.group("all", gateway.ming, gateway.alice, *others)
    gateway.signOn(gateway.alice)
    gateway.web.settle(20)
    assert len(gateway.aliceUser.accounts[gateway.alice.number].contacts.friends) == 51
    assert counter.most == MAX_REQUESTS
    assert len(counter.requests) == len(set(counter.requests))


def test_maxConversations(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A limited number of groups is fetched at once, and all of them are.
    """
    gateway = MemoryGateway()
    counter = Counter(monkeypatch, gateway, "fetchGroup")
    numbers = {gateway.cats}
    for n in range(10):
        numbers.add(gateway.web.group(f"g{n}", gateway.ming, gateway.alice))
    gateway.signOn(gateway.alice)
    gateway.web.settle(20)
    contacts = gateway.aliceUser.accounts[gateway.alice.number].contacts
    assert counter.most == MAX_CONVERSATIONS
    assert {target.number for target in contacts.conversations} == numbers


def test_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A member whose look-up fails is left out alone, and looked up again when its
    group is fetched again.
    """
    gateway = MemoryGateway()
    others = [gateway.web.person(f"n{n}") for n in range(3 * MAX_REQUESTS)]
    number = gateway.web.group("all", gateway.alice, *others)
    request = WebQQProtocol.fetchNumber
    asked: list[Uin] = []

    def failing(online: WebQQProtocol, uin: Uin) -> Deferred[Any]:
        asked.append(uin)
        if len(asked) in (2 * MAX_REQUESTS, 3 * MAX_REQUESTS):
            return fail(Unreachable("broken"))
        return request(online, uin)

    monkeypatch.setattr(WebQQProtocol, "fetchNumber", failing)
    gateway.signOn(gateway.alice)
    contacts = gateway.aliceUser.accounts[gateway.alice.number].contacts
    target = Target(TargetKind.GROUP, number)
    wanted = {each.number for each in (gateway.alice, *others)}
    members = {member.number for member in contacts.conversations[target].members}
    assert members < wanted
    assert len(members) == len(wanted) - 2
    again = Deferred.fromCoroutine(contacts.fetch(target))
    gateway.web.result(again)
    members = {member.number for member in contacts.conversations[target].members}
    assert members == wanted
    assert len(asked) == len(set(asked)) + 2


def test_once(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sender of a message is not looked up when its number is known.
    """
    client = gateway.client()
    counter = Counter(monkeypatch, gateway, "fetchNumber")
    gateway.ming.tellGroup("猫咪", "tea?")
    gateway.web.settle(3)
    assert "tea?" in client.seen
    assert counter.requests == []


def test_signOffMeanwhile(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An account that signs off while its groups are fetched logs no failure.
    """
    gateway.alice.stop()
    for number in range(20 * MAX_CONVERSATIONS):
        gateway.web.group(f"group {number}", gateway.ming, gateway.alice)
    counter = Counter(monkeypatch, gateway, "fetchGroupNumber")
    gateway.signOn(gateway.alice)
    assert counter.inFlight
    gateway.alice.stop()
    gateway.web.settle(5)
    assert not counter.inFlight
