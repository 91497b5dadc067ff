"""
Fixtures of the tests of several processes with one database.
"""

from __future__ import annotations

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import ALICE, BOB, HTTPClient


@pytest.fixture
def pair(fleetEngine: None) -> FleetHarness:
    """
    Two processes, to which connections are made by turns.
    """
    return FleetHarness(size=2)


@pytest.fixture
def alice(pair: FleetHarness) -> HTTPClient:
    """
    A client.
    """
    return pair.client(ALICE)


@pytest.fixture
def bob(pair: FleetHarness, alice: HTTPClient) -> HTTPClient:
    """
    Another one, of whose sign-on the first has been told.
    """
    bob = pair.client(BOB)
    alice.catchUp()
    return bob
