"""
The options C{--queue} of C{twistd webqq}.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from twisted.python.usage import UsageError

from txwebqq.config.folders import checkFolderOf
from txwebqq.config.options import CommandOptions
from txwebqq.errors import InvalidConfiguration
from txwebqq.interfaces import IAccountService
from txwebqq.model import QueuePolicy
from txwebqq.outbox.queue import (
    DEFAULT_POLICY,
    HOUR,
    MessageQueue,
    ignoreSettled,
)

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """
    The queue of an account.

    @ivar file: the path of its file.
    """

    file: Path
    policy: QueuePolicy = DEFAULT_POLICY

    def paced(self, access: object) -> QueueSettings:
        """
        Return these settings with the pace of an account of today's QQ, if it is one.

        @param access: the L{Access<txwebqq.accounts.Access>} of the account.
        """
        burst, seconds = getattr(access, "burst", None), getattr(access, "seconds", 0)
        if burst is None:
            return self
        policy = replace(self.policy, burst=burst, seconds=seconds)
        return QueueSettings(self.file, policy)

    def addTo(self, service: IAccountService, factory: Any) -> MessageQueue:
        """
        Add the queue to the service of an account, and give it to the application.

        @param factory: the application: C{queue} is set, and C{messageSettled} called,
            if there is one.

        @raise InvalidConfiguration: when the file cannot be used.
        """
        settled = getattr(factory, "messageSettled", ignoreSettled)
        try:
            queue: MessageQueue = service.addQueue(self.file, settled, self.policy)
        except InvalidConfiguration as e:
            raise InvalidConfiguration(f"--queue {e}") from e
        factory.queue = queue
        return queue


class QueueOptions(CommandOptions):
    """
    Options of a daemon whose application may have a queue.
    """

    pathOptions = ["queue"]

    optParameters = [
        ["queue", None, None, "The file of the application's queue of messages."],
        [
            "queue-limit",
            None,
            "1000",
            "The messages that may wait for one recipient; ten times as many in all.",
        ],
        ["queue-hours", None, "24", "The hours after which a message is given up."],
        ["queue-rate", None, "240", "The messages of the queue that a minute sends."],
    ]

    def readQueue(self) -> QueueSettings | None:
        """
        Return the queue, L{None} for none.

        @raise UsageError: when it is invalid; names the option.
        """
        limit = self._wholeNumber("queue-limit", 1, 100_000)
        hours = self._wholeNumber("queue-hours", 1, 24 * 365)
        rate = self._wholeNumber("queue-rate", 1, 6000)
        file = self["queue"]
        if file is None:
            return None
        path = Path(file).absolute()
        try:
            checkFolderOf(path)
        except InvalidConfiguration as e:
            raise UsageError(f"--queue cannot be used: {e}") from e
        policy = QueuePolicy(
            limit, 10 * limit, hours * HOUR, min(rate, 20), MINUTE / rate
        )
        return QueueSettings(path, policy)

    def _wholeNumber(self, name: str, low: int, high: int) -> int:
        text = self[name]
        isNumber = len(text) < 10 and text.isascii() and text.isdigit()
        if not (isNumber and low <= int(text) <= high):
            raise UsageError(f"--{name} is not from {low} to {high}: {text}")
        return int(text)
