"""
The service of an account that bots use.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.testing import MemoryReactorClock

from txwebqq.model import Number
from txwebqq.onebot.surface.config import (
    ForwardSettings,
    HTTPSettings,
    PostSettings,
    ReverseSettings,
    SurfaceSettings,
)
from txwebqq.onebot.surface.service import SurfaceService

ROOT = Path(__file__).parents[3]


def test_startAndStop() -> None:
    """
    The account and all ways to its bots start and stop with the service, and leave
    nothing on the clock.
    """
    reactor: Any = MemoryReactorClock()
    account: Any = Service()
    settings = SurfaceSettings(
        (ForwardSettings("tcp:3001:interface=127.0.0.1"),),
        (ReverseSettings("ws://127.0.0.1:8080/ws"),),
        (HTTPSettings("tcp:3000:interface=127.0.0.1"),),
        (PostSettings("http://127.0.0.1:8081/", heartbeat=5),),
    )
    service: Any = SurfaceService(
        Number(10002), settings, lambda factory: account, reactor
    )
    service.privilegedStartService()
    service.startService()
    assert account.running
    assert [port for port, *_ in reactor.tcpServers] == [3001, 3000]
    assert [port for _, port, *_ in reactor.tcpClients] == [8080, 8081]
    stopped: list[object] = []
    service.stopService().addCallback(stopped.append)
    reactor.advance(0)
    assert stopped == [None]
    assert not account.running
    assert reactor.getDelayedCalls() == []


def test_accountStopsFirst() -> None:
    """
    Bots can be told of an event while the account signs off.
    """
    reactor: Any = MemoryReactorClock()
    running: list[list[bool]] = []

    class LateAccount(Service):
        def stopService(self) -> None:
            super().stopService()
            running.append([each.running for each in service if each is not self])

    account: Any = LateAccount()
    settings = SurfaceSettings(
        (ForwardSettings("tcp:3001:interface=127.0.0.1"),),
        (ReverseSettings("ws://127.0.0.1:8080/ws"),),
        (),
        (),
    )
    service: Any = SurfaceService(
        Number(10002), settings, lambda factory: account, reactor
    )
    service.privilegedStartService()
    service.startService()
    service.stopService()
    reactor.advance(0)
    assert [list(map(bool, each)) for each in running] == [[True, True]]


def test_withoutExtra() -> None:
    """
    Without the package for WebSockets the command tells what to install.
    """
    code = (
        "import sys; sys.modules['wsproto'] = None; import txwebqq.commands.onebottap"
    )
    ended = subprocess.run(
        (sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("twistd webqq-onebot needs the package wsproto")
    assert ended.stderr.count("\n") == 1
