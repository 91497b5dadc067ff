"""
Fixtures of the IRC tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture

from tests.irc.memorygateway import MemoryGateway
from tests.irc.processes import GatewayProcesses


@async_yield_fixture  # type: ignore[untyped-decorator]
async def processes(tmp_path: Path) -> AsyncIterator[GatewayProcesses]:
    """
    The processes of a test, which are stopped after it.
    """
    processes = GatewayProcesses(tmp_path)
    yield processes
    await processes.stop()


@pytest.fixture
def gateway() -> MemoryGateway:
    """
    A gateway in memory, with Alice and Ming signed on.
    """
    gateway = MemoryGateway()
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    return gateway
