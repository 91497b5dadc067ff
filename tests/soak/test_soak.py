"""
A short run of C{make soak}.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.irc.programs import program
from tests.ledger.measures import Measure
from tests.soak.__main__ import report
from tests.soak.run import DAEMONS, Soak


@pytest.mark.long
@ensureDeferred
async def test_soak(tmp_path: Path) -> None:
    """
    In steady work without faults all that is sent is shown, everything that opens and
    closes does so, and the sizes of all daemons are read. The sizes cannot be flat
    in half a minute.
    """
    program("ngircd")
    run = Soak(tmp_path, 1, accounts=10, minutes=0.5, pause=1.0)
    verdict = await run.play()
    wrongs = [each for each in verdict.wrongs if "is not flat" not in each]
    assert not wrongs, report(run, verdict)
    assert not verdict.lost
    for what in (
        "sign-offs and sign-ons",
        "reconnections to the gateway",
        "short connections to the gateway",
        "short stays in the channel",
        "groups",
        "pictures",
        "files",
        "links opened",
    ):
        assert run.done[what] >= 1, run.done
    for name in DAEMONS:
        low, high = run.curves[name].bounds(Measure.MEMORY)
        assert 10 * 1024**2 < low <= high < 1024**3
        assert len(run.curves[name].readings) >= 5
    text = report(run, verdict)
    assert "server   delayed calls" in text
    assert "second third -> last third" in text
