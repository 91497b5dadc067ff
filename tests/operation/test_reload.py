"""
The parts of daemons whose settings change while they run.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.config.relay import (
    ChannelRef,
    GroupRef,
    NetworkSettings,
    RelaySettings,
    RoomSettings,
)
from txwebqq.irc.gateway.registration import AuthResult
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RELOADABLE, RelayService
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Number
from txwebqq.onebot.surface.config import (
    ForwardSettings,
    HTTPSettings,
    ReverseSettings,
    SurfaceSettings,
)
from txwebqq.onebot.surface.service import SurfaceService
from txwebqq.operation.service import OperationService
from txwebqq.operation.settings import OperationSettings
from txwebqq.ratelimit import RateLimiter
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.options import Options
from txwebqq.server.tap import RELOADABLE as SERVER
from txwebqq.server.tap import ServerService

LOOPBACK = "tcp:3001:interface=127.0.0.1"


def parsed(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def test_server() -> None:
    """
    The limits of a running server change, and what it has counted stays.
    """
    service = ServerService(parsed(), MemoryReactorClock())
    assert service.reload(parsed()) == {}
    service.privilegedStartService()
    server, state = service._server, service._state
    assert server is not None
    assert state is not None
    limiter, one, other = state.sendingLimiter, Number(10001), Number(10002)
    assert limiter.takeMessage(one, other)
    total = server._addresses.limits.total
    options = {
        "address-connections": 9,
        "address-requests": 8,
        "daily-uploads": 7,
        "history": 6,
        "history-days": 5,
        "max-file": 4,
        "message-rate": 2,
        "poll-timeout": 3,
        "wrong-passwords": 2,
    }
    assert options.keys() == set(SERVER)
    applied = service.reload(parsed(*(f"--{k}={v}" for k, v in options.items())))
    assert applied == {f"server.{name}": False for name in SERVER}
    addresses = server._addresses
    assert (addresses.limits.connections, addresses.limits.rate) == (9, 8)
    assert (addresses.limits.total, addresses._most) == (total, 9)
    for limits in (server._quotas.limits, server._commands.offlineFiles.limits):
        assert (limits.file, limits.daily) == (4 * 2**20, 7 * 2**20)
    sizes = {route.limit for route in server._streamed._routes.values()}
    assert 4 * 2**20 in sizes
    assert (state.recorder.keep, state.recorder.days) == (6, 5)
    assert server._longPoll._held._seconds == server._longPoll._kicked._seconds == 3
    assert not limiter.takeMessage(one, other)
    assert limiter.takeMessage(one, Number(10003))
    assert not limiter.takeMessage(one, Number(10004))
    assert state.authenticator._guesses._times == 2
    service.reload(parsed("--message-rate=0"))
    assert limiter.takeMessage(one, other)


def test_rateLimiter() -> None:
    """
    The actions that were counted still count for a new limit.
    """
    limiter = RateLimiter(lambda: 0.0, 3, 60.0)
    assert limiter.take("a")
    assert limiter.take("a")
    limiter.allow(2)
    assert not limiter.take("a")
    limiter.allow(3)
    assert limiter.take("a")


def test_timeouts() -> None:
    """
    A shorter time limit holds for the items in the queue as well, a longer one for
    later items.
    """
    clock, expired = Clock(), list[str]()
    queue = TimeoutQueue[str](clock, 10, expired.append)
    queue.setSeconds(9)
    assert clock.getDelayedCalls() == []
    queue.add("a")
    clock.advance(4)
    queue.add("b")
    queue.setSeconds(3)
    queue.add("c")
    clock.advance(2.5)
    assert expired == []
    clock.advance(0.5)
    assert expired == ["a", "b", "c"]
    queue.add("d")
    queue.setSeconds(20)
    queue.add("e")
    clock.advance(3)
    assert expired[3:] == ["d"]
    clock.advance(17)
    assert expired[4:] == ["e"]
    assert clock.getDelayedCalls() == []


def test_gateway() -> None:
    """
    Users of the gateway get new passwords; those who are added or removed need a
    restart.
    """

    def settings(motd: str = "", **passwords: str) -> GatewaySettings:
        users = [UserSettings(name, each) for name, each in passwords.items()]
        return GatewaySettings(tuple(users), motd=motd)

    gateway = GatewayService(settings(alice="tea", bob="milk"), MemoryReactorClock())

    def check(name: str, password: str) -> AuthResult:
        return gateway._factory.authenticator.check("192.0.2.1", name, password)

    assert check("alice", "tea") is AuthResult.ACCEPTED
    applied = gateway.reload(settings("hello", alice="coffee", eve="x"))
    assert applied == {
        "gateway.motd": False,
        "gateway.user alice.password-file": True,
        "gateway.user alice.password-hash": False,
    }
    assert check("alice", "tea") is AuthResult.REFUSED
    assert check("alice", "coffee") is AuthResult.ACCEPTED
    assert check("bob", "milk") is AuthResult.ACCEPTED
    assert check("eve", "x") is AuthResult.REFUSED
    assert gateway._factory.motd == "hello"
    assert not any(gateway.reload(settings(alice="coffee", bob="milk")).values())


def test_relay() -> None:
    """
    A room of the relay takes those whom it ignores; a room with other targets needs a
    restart.
    """
    network = NetworkSettings("home", "tcp:127.0.0.1:6667", "qqrelay")

    def settings(*channels: str, **changes: Any) -> RelaySettings:
        refs = tuple(ChannelRef("home", each) for each in channels)
        room = RoomSettings((), refs, **changes)
        return RelaySettings((), (network,), (room,))

    relay = RelayService(settings("#a", "#b"), MemoryReactorClock())
    [room] = relay._rooms
    applied = relay.reload(settings("#a", "#b", optOut="//", joins=False, limit=5))
    assert applied == {f"relay.room 1.{key}": False for key in RELOADABLE}
    assert room.settings is room.notices.settings
    changed = room.settings
    assert (changed.optOut, changed.joins, changed.limit) == ("//", False, 1000)
    assert relay.reload(settings("#a", "#c", optOut="!")) == {}
    assert room.settings.optOut == "//"
    group = GroupRef(10001, Target(TargetKind.GROUP, 200001))
    assert (
        relay.reload(RelaySettings((), (network,), (RoomSettings((group,), ()),))) == {}
    )
    assert relay.reload(RelaySettings((), (network,), ())) == {}


def test_bots() -> None:
    """
    Bots need new tokens while their port stays the same.
    """

    def settings(token: str, listen: str = LOOPBACK) -> SurfaceSettings:
        return SurfaceSettings(
            (ForwardSettings(listen, token), ForwardSettings("unix:x", "same")),
            (ReverseSettings("ws://127.0.0.1:8080/ws", token),),
            (HTTPSettings("unix:y", token),),
        )

    reactor: Any = MemoryReactorClock()
    account: Any = Service()
    service = SurfaceService(
        Number(10002), settings("old"), lambda factory: account, reactor
    )
    start = "account 10002."
    assert service.reload(settings("new")) == {
        f"{start}forward 1.token-file": True,
        f"{start}forward 2.token-file": False,
        f"{start}reverse 1.token-file": True,
        f"{start}http 1.token-file": True,
    }
    tokens = {child.settings.token for _, child in service._withTokens}
    assert tokens == {"new", "same"}
    applied = service.reload(settings("", "tcp:3002:interface=127.0.0.1"))
    assert f"{start}forward 1.token-file" not in applied
    assert service._withTokens[0][1].settings.token == "new"


def test_operators() -> None:
    """
    All pages of the endpoint for operators need a new token.
    """
    tokens: list[str] = []

    class Page:
        def setToken(self, token: str) -> None:
            tokens.append(token)

    service = OperationService(
        OperationSettings("unix:x", "old"), [], MemoryReactorClock()
    )
    page: Any = Page()
    service._withToken.append(page)
    service.setToken("new")
    assert tokens == ["new"]
    resource: Any = service._withToken[0]
    assert resource._token == "new"
