"""
Fixtures of the relay tests.
"""

from __future__ import annotations

import pytest

from tests.irc.memoryrelay import MemoryRelay


@pytest.fixture
def relay() -> MemoryRelay:
    """
    A relay whose account is signed on and whose channel is joined.
    """
    relay = MemoryRelay()
    relay.start()
    return relay
