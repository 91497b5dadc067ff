"""
A short run of C{make chaos}.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.irc.programs import program
from tests.ledger.chaos import report
from tests.ledger.chaosrun import Chaos, Size


@pytest.mark.long
@ensureDeferred
async def test_chaos(tmp_path: Path) -> None:
    """
    Messages between QQ, the gateway and the relay are delivered once or reported,
    and all accounts come back, while the server makes requests go wrong and each
    daemon is killed or ended, or stopped for some seconds.
    """
    program("ngircd")
    run = Chaos(tmp_path, 7, Size(accounts=10, faults=40, kills=4, pause=1.0))
    verdict = await run.play()
    assert not verdict.wrongs, report(run, verdict)
    assert run.faults().total() >= 40
    # The server is restarted to begin the faults, and to end them.
    assert run.killed["server", "KILL"] >= 2
    names = {name for name, signal in run.killed if signal != "STOP"}
    assert names == {"server", "gateway", "relay", "ircd"}
    assert run.killed.total() == 2 + 4 + 2
