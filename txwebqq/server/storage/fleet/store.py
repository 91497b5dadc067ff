"""
The tables of several server processes with one database.
"""

from __future__ import annotations

from txwebqq.databases.interface import Database
from txwebqq.server.storage.fleet.counters import COUNTER_SCHEMA, CounterStore
from txwebqq.server.storage.fleet.limits import LIMIT_SCHEMA, LimitStore
from txwebqq.server.storage.fleet.polls import POLL_SCHEMA, PollStore
from txwebqq.server.storage.fleet.signals import SIGNAL_SCHEMA, SignalStore
from txwebqq.server.storage.fleet.signons import SIGN_ON_SCHEMA, SignOnStore

FLEET_SCHEMA = "".join(
    (POLL_SCHEMA, SIGN_ON_SCHEMA, SIGNAL_SCHEMA, COUNTER_SCHEMA, LIMIT_SCHEMA)
)


class FleetStore:
    """
    The tables in the database.

    @ivar polls: the sessions with their polls.
    @ivar signOns: logins before their sessions, and ended sessions.
    @ivar signals: the signals for accounts.
    @ivar counters: counters, and the batches of workers.
    @ivar limits: how often limited actions were done, and captchas.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection
        self.polls = PollStore(database)
        self.signOns = SignOnStore(database)
        self.signals = SignalStore(database)
        self.counters = CounterStore(database)
        self.limits = LimitStore(database)

    def clean(self, now: int, endedBefore: int) -> None:
        """
        Delete what has expired.
        """
        db = self._db
        for table in ("pending_login", "signal", "allowance", "captcha"):
            db.execute(f"DELETE FROM {table} WHERE until < ?", (now,))
        for table in ("ended_session", "worker_batch"):
            db.execute(f"DELETE FROM {table} WHERE time < ?", (endedBefore,))
