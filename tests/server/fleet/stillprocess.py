"""
A process whose work is done when the test says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from txwebqq.errors import InvalidConfiguration
from txwebqq.server.commandresource import ResourceOptions
from txwebqq.server.domain.state import ServerState
from txwebqq.server.fleet.process import FleetProcess, FleetSettings
from txwebqq.server.fleet.statistics import FleetStatistics
from txwebqq.server.fleet.worker import Job, Worker
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.storage.store import Store
from txwebqq.server.uploadquotas import FileLimits


def _nothing(state: ServerState) -> None:
    pass


class StillProcess(FleetProcess):
    """
    A process whose work is done when the test says so.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.isAway = False

        def connect() -> Store:
            if self.isAway:
                raise InvalidConfiguration("nobody listens")
            return Store(url, hasPeers=True)

        self.settings = FleetSettings(
            folder=folder,
            pollTimeout=50.0,
            limits=FileLimits(),
            captcha=CaptchaMode.NEVER,
            captchaText=None,
            sending=None,
            draw=None,
            adjust=_nothing,
        )
        clock: Any = Clock()
        super().__init__(
            connect,
            clock,
            lambda function, *arguments, **named: function(*arguments, **named),
            self.settings,
            ResourceOptions(),
        )

    def work(self) -> None:
        """
        Do all that waits.
        """
        for worker in self.workers:
            while worker._waiting:
                batch = list(worker._waiting)
                worker._waiting.clear()
                worker._handle(batch)

    def result(self, worker: Worker, function: Any) -> Any:
        """
        Return the result of a function that a worker calls.
        """
        found: list[Any] = []
        worker.submit(Job(function, found.append))
        self.work()
        return found.pop()


def problems(process: FleetProcess) -> list[str]:
    statistics = FleetStatistics()
    statistics.opened(process)
    return list(statistics.problems())
