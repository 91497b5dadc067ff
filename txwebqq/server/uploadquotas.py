"""
Limits of uploads, by their accounts and addresses.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from txwebqq.model import Number
from txwebqq.ratelimit import MAX_REMEMBERED
from txwebqq.wire.command import Refusal

DAY = 24 * 3600
"""A day, in seconds."""

TOO_MANY, FULL = -30001, -30002
"""The retcodes of refused uploads: too many files, too many bytes
(protocol.md 2.7.6)."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """
    Maximum sizes of files, in bytes.

    @ivar face: of a custom face.
    @ivar picture: of a picture for a friend.
    @ivar online: of a file transfer.
    @ivar file: of an offline file.
    @ivar daily: of all uploads of an account within a day.
    @ivar dailyCount: the maximum number of uploads of an account within a day.
    @ivar atOnce: the maximum number of uploads of an account at the same time.
    @ivar addressFactor: the multiple of these limits that the uploads of all
        accounts from one address may have together.
    """

    face: int = 250 * 1024
    picture: int = 1024 * 1024
    online: int = 10 * 1024 * 1024
    file: int = 100 * 1024 * 1024
    daily: int = 1024 * 1024 * 1024
    dailyCount: int = 1000
    atOnce: int = 8
    addressFactor: int = 10


class UploadSum:
    """
    The uploads of one account or address: those that are arriving, and those
    that were kept within a day.

    @ivar arriving: the number of uploads that are arriving.
    @ivar announced: the sum of their maximum sizes, in bytes.
    @ivar count: the number of uploads that were kept.
    @ivar size: the sum of their sizes, in bytes.
    @ivar since: the beginning of the day, in Unix seconds.
    """

    __slots__ = ("announced", "arriving", "count", "since", "size")

    def __init__(self, since: float) -> None:
        self.since = since
        self.arriving = self.announced = self.count = self.size = 0


class UploadQuotas:
    """
    Checks that an upload fits into the limits of its account and its address,
    before any of it is stored.

    @param now: returns the time in Unix seconds.
    @ivar limits: the limits, which may be changed at any time.
    """

    def __init__(self, now: Callable[[], float], limits: FileLimits) -> None:
        self._now = now
        self.limits = limits
        self._sums: OrderedDict[Number | str, UploadSum] = OrderedDict()

    @property
    def dayBefore(self) -> int:
        """
        The time since which uploads count, in Unix seconds.
        """
        return int(self._now()) - DAY

    def admit(
        self,
        owner: Number,
        address: str,
        size: int,
        stored: tuple[int, int] = (0, 0),
        fromAddress: tuple[int, int] = (0, 0),
    ) -> Refusal | None:
        """
        Begin to count an upload, unless it exceeds a limit. L{ended} must follow.

        @param address: the address by which the client is counted.
        @param size: the maximum size that the upload can have, in bytes.
        @param stored: the number of uploads of the account that the database has since
            L{dayBefore}, and their size in bytes.
        @param fromAddress: the same of the address, if others count its uploads, too.

        @return: L{None} when the upload may be stored.
        """
        limits = self.limits
        for who, factor, (count, total) in (
            (owner, 1, stored),
            (address, limits.addressFactor, fromAddress),
        ):
            uploads = self._sumOf(who)
            if uploads.arriving >= factor * limits.atOnce:
                return Refusal(TOO_MANY, "too many uploads at the same time")
            count = max(count, uploads.count) + uploads.arriving
            if count >= factor * limits.dailyCount:
                return Refusal(TOO_MANY, "too many files within a day")
            total = max(total, uploads.size) + uploads.announced
            if total + size > factor * limits.daily:
                return Refusal(FULL, "too many bytes within a day")
        for who in (owner, address):
            uploads = self._sumOf(who)
            uploads.arriving += 1
            uploads.announced += size
            self._sums[who] = uploads
            self._sums.move_to_end(who)
        self._forgetOldest()
        return None

    def ended(self, owner: Number, address: str, size: int, kept: int | None) -> None:
        """
        Record the end of an upload.

        @param size: the size that L{admit} was called with.
        @param kept: the size of the file if it was kept, else L{None}.
        """
        for who in (owner, address):
            uploads = self._sumOf(who)
            uploads.arriving -= 1
            uploads.announced -= size
            if kept is not None:
                uploads.count += 1
                uploads.size += kept

    def _sumOf(self, who: Number | str) -> UploadSum:
        now = self._now()
        uploads = self._sums.get(who)
        if uploads is None:
            return UploadSum(now)
        if now - uploads.since >= DAY:
            uploads.since = now
            uploads.count = uploads.size = 0
        return uploads

    def _forgetOldest(self) -> None:
        excess = len(self._sums) - MAX_REMEMBERED
        if excess > 0:
            idle = (who for who, one in self._sums.items() if not one.arriving)
            for who in list(islice(idle, excess)):
                del self._sums[who]
