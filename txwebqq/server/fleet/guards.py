"""
Limits, captchas and wrong passwords, which all processes of a server count together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable

from txwebqq.ratelimit import RateLimiter
from txwebqq.server.sessions.captchas import (
    CAPTCHA_LIFE,
    MEMORY,
    SUSPICIOUS,
    Captchas,
    FailedLogins,
)
from txwebqq.server.sessions.digests import digestOf
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.fleet.limits import LimitStore
from txwebqq.server.uploadquotas import DAY

Now = Callable[[], float]

_COUNT, _SIZE = "uploads", "bytes of uploads"


class Allowances:
    """
    The counters that the present batch has read or changed. What it adds is added to
    what others have written since.

    @param now: returns the time in Unix seconds.
    """

    def __init__(self, store: LimitStore, now: Now) -> None:
        self._store = store
        self._now = now
        self._read: dict[tuple[str, str], tuple[int, int]] = {}
        self._added: dict[tuple[str, str], tuple[int, int]] = {}
        self._deleted: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """
        Forget all counters, at the beginning of a batch.
        """
        self._read.clear()
        self._added.clear()
        self._deleted.clear()

    def get(self, name: str, subject: str) -> tuple[int, int]:
        """
        Return how often an action was done in a window, and the end of the window, in
        Unix seconds.
        """
        key = name, subject
        if key not in self._read:
            self._read[key] = self._store.allowance(name, subject)
        return self._read[key]

    def add(self, name: str, subject: str, until: int, more: int = 1) -> None:
        """
        Count an action, or more.

        @param until: the end of its window, at which a later one may end, but no
            earlier one.
        """
        key, now = (name, subject), self._now()
        times, end = self.get(name, subject)
        self._read[key] = (times if now < end else 0) + more, until
        times, _ = self._added.get(key, (0, 0))
        self._added[key] = times + more, until

    def reset(self, name: str, subject: str) -> None:
        """
        Delete a counter.
        """
        key = name, subject
        self._read[key] = 0, 0
        self._added.pop(key, None)
        self._deleted.add(key)

    def write(self) -> None:
        """
        Write the changes to the database.
        """
        if self._deleted:
            self._store.deleteAllowances(self._deleted)
        if self._added:
            self._store.addToAllowances(self._added, int(self._now()))


class FleetLimiter(RateLimiter):
    """
    A limiter whose counters are in the database.
    """

    def __init__(
        self, allowances: Allowances, now: Now, name: str, times: int, window: float
    ) -> None:
        super().__init__(now, times, window)
        self._allowances = allowances
        self._name = name

    def hasCapacity(self, who: Hashable) -> bool:
        return self._present(who)[0] < self._times

    def take(self, who: Hashable) -> bool:
        times, until = self._present(who)
        if times >= self._times:
            return False
        self._allowances.add(self._name, _subject(who), until)
        return True

    def reset(self, who: Hashable) -> None:
        self._allowances.reset(self._name, _subject(who))

    def _present(self, who: Hashable) -> tuple[int, int]:
        now = self._now()
        times, until = self._allowances.get(self._name, _subject(who))
        return (times, until) if now < until else (0, int(now + self._window))


class FleetCaptchas(Captchas):
    """
    Captchas that any process can show and check.
    """

    def __init__(
        self, store: LimitStore, now: Now, random: Random, fixed: str | None
    ) -> None:
        super().__init__(now, random, fixed)
        self._store = store

    def issue(self) -> tuple[str, str]:
        verifySession, text = super().issue()
        self._waiting.clear()
        until = int(self._now() + CAPTCHA_LIFE)
        self._store.addCaptcha(digestOf(verifySession), text, until)
        return verifySession, text

    def answer(self, verifySession: str, text: str) -> bool:
        if not verifySession:
            return False
        found = self._store.takeCaptcha(digestOf(verifySession))
        if found is None:
            return False
        expected, until = found
        return self._now() < until and text.upper() == expected.upper()


class FleetFailedLogins(FailedLogins):
    """
    Recent wrong passwords, of logins on all processes.
    """

    def __init__(self, allowances: Allowances, now: Now) -> None:
        super().__init__(now)
        self._allowances = allowances

    def failed(self, *sources: Hashable) -> None:
        until = int(self._now() + MEMORY)
        for source in sources:
            self._allowances.add("failed", _subject(source), until)

    def cleared(self, source: Hashable) -> None:
        if self._count(source):
            self._allowances.reset("failed", _subject(source))

    def isSuspicious(self, *sources: Hashable) -> bool:
        return any(self._count(source) >= SUSPICIOUS for source in sources)

    def _count(self, source: Hashable) -> int:
        times, until = self._allowances.get("failed", _subject(source))
        return times if self._now() < until else 0


class AddressUploads:
    """
    The uploads that the processes together have kept within a day, by address.
    """

    def __init__(self, allowances: Allowances, now: Now) -> None:
        self._allowances = allowances
        self._now = now

    def within(self, address: str) -> tuple[int, int]:
        """
        Return the number of uploads, and their size in bytes.
        """
        count, _ = self._present(_COUNT, address)
        size, _ = self._present(_SIZE, address)
        return count, size

    def add(self, address: str, size: int) -> None:
        """
        Count an upload.
        """
        for name, more in ((_COUNT, 1), (_SIZE, size)):
            _, until = self._present(name, address)
            self._allowances.add(name, _subject(address), until, more)

    def _present(self, name: str, address: str) -> tuple[int, int]:
        now = self._now()
        value, until = self._allowances.get(name, _subject(address))
        return (value, until) if now < until else (0, int(now + DAY))


def _subject(who: Hashable) -> str:
    return json.dumps(who)
