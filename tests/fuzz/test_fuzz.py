"""
Some hundred hostile inputs of each kind; C{make fuzz} gives many more.
"""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import Campaign, Kind
from tests.fuzz.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_fuzz(kind: Kind) -> None:
    """
    Hostile input raises nothing, logs no failure, and is followed by good answers.
    """
    campaign = Campaign(kind, seed=1)
    campaign.run(0, kind.few)
    assert not campaign.problems, "\n\n".join(map(str, campaign.problems))
