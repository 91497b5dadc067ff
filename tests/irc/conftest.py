"""
Fixtures of the IRC tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture

from tests.irc.processes import GatewayProcesses
from tests.irc.scene import Scene


@async_yield_fixture  # type: ignore[untyped-decorator]
async def processes(tmp_path: Path) -> AsyncIterator[GatewayProcesses]:
    """
    The processes of a test, which are stopped after it.
    """
    processes = GatewayProcesses(tmp_path)
    yield processes
    await processes.stop()


@pytest.fixture
def scene() -> Scene:
    """
    A gateway in memory, with Alice and Ming signed on.
    """
    scene = Scene()
    scene.signOn(scene.ming)
    scene.signOn(scene.alice)
    return scene
