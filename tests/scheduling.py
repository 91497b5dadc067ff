"""
The scheduler of C{pytest-xdist} for the units of tests.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.distribution import units


class UnitScheduling(LoadScopeScheduling):
    """
    Gives a process the next unit when it begins the last tests of those that it has.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        # Otherwise the units with many tests would come first.
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._units: dict[str, str] = {}

    def schedule(self) -> None:
        if self.collection is None:
            self._units = units(next(iter(self.registered_collections.values())))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._units[nodeid]
