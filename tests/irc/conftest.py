"""
What tests with real programs begin with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pytest_twisted import async_yield_fixture

from tests.irc.household import Household


@async_yield_fixture  # type: ignore[untyped-decorator]
async def household(tmp_path: Path) -> AsyncIterator[Household]:
    """
    A household that is empty afterwards.
    """
    household = Household(tmp_path)
    yield household
    await household.leave()
