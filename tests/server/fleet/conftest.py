"""
Fixtures of the tests of several processes with one database.
"""

from __future__ import annotations

import pytest

from tests.server.fleet.harness import FleetHarness


@pytest.fixture
def pair(fleetEngine: None) -> FleetHarness:
    """
    Two processes, to which connections are made by turns.
    """
    return FleetHarness(size=2)
