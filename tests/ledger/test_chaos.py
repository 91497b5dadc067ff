"""
A short run of C{make chaos}.
"""

from __future__ import annotations

from pathlib import Path

from pytest_twisted import ensureDeferred

from tests.irc.programs import program
from tests.ledger.chaos import report
from tests.ledger.chaosrun import Chaos, Size


@ensureDeferred
async def test_chaos(tmp_path: Path) -> None:
    """
    Messages between QQ, the gateway and the relay are delivered once or reported,
    and all accounts come back, while the server makes requests go wrong and each
    daemon is killed.
    """
    program("ngircd")
    run = Chaos(tmp_path, 7, Size(accounts=10, faults=40, kills=3, pause=1.0))
    verdict = await run.play()
    assert not verdict.wrongs, report(run, verdict)
    assert run.faults().total() >= 40
    # The server is restarted to begin the faults, and to end them.
    assert run.killed == {"server": 3, "gateway": 1, "relay": 1}
