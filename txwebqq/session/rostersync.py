"""
What a session reads up by itself: its discussions, once the poll is open, and
whatever events mention that nobody has told it about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import WebQQError
from txwebqq.model import Code, Did, GroupProfile
from txwebqq.roster import Roster
from txwebqq.wire.command import Command
from txwebqq.wire.commands.discussions import GetDiscuInfo, GetDiscuListNew2
from txwebqq.wire.commands.groups import GetGroupPublicInfo2
from txwebqq.wire.form import Ticket

T = TypeVar("T")


class RosterSyncService(Service):
    """
    Reads up, and writes it into the roster. A failure is no trouble to
    anybody: the roster then knows less.

    @param call: performs an exchange.
    @param isNew: whether nothing was read in this sign-on before.
    """

    _log = Logger()

    def __init__(
        self,
        call: Callable[[Callable[[Ticket], Command[Any]]], Deferred[Any]],
        roster: Roster,
        clock: IReactorTime,
        isNew: bool,
    ) -> None:
        self._call = call
        self._roster = roster
        self._clock = clock
        self._isNew = isNew
        self._begin: IDelayedCall | None = None
        self._asked: set[Deferred[Any]] = set()

    def startService(self) -> None:
        """
        Read the list of discussions, after the poll that begins now.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if self._isNew:
            self._begin = self._clock.callLater(0, self._fetchDiscussionList)

    def stopService(self) -> None:
        """
        Read no more.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        begin, self._begin = self._begin, None
        if begin is not None:
            begin.cancel()
        asked, self._asked = self._asked, set()
        for one in asked:
            one.cancel()

    def _fetchDiscussionList(self, again: bool = True) -> None:
        self._begin = None

        def failed(reason: str) -> None:
            if again:
                self._fetchDiscussionList(again=False)
            else:
                self._log.info("No list of discussions: {reason}.", reason=reason)

        self._ask(GetDiscuListNew2, self._roster.learnDiscussions, failed)

    def fetchMissing(self) -> None:
        """
        Read about what an event has just mentioned.
        """
        if not (self._roster.newGroups or self._roster.newDiscussions):
            return
        codes, self._roster.newGroups = self._roster.newGroups, set()
        for code in codes:
            self._fetchGroup(code)
        dids, self._roster.newDiscussions = self._roster.newDiscussions, set()
        for did in dids:
            self._fetchDiscussion(did)

    def _fetchGroup(self, code: Code) -> None:
        def learn(profile: GroupProfile) -> None:
            self._roster.changeGroup(code, name=profile.name, flag=profile.flag)

        self._ask(lambda ticket: GetGroupPublicInfo2(ticket, code), learn, _ignore)

    def _fetchDiscussion(self, did: Did) -> None:
        self._ask(
            lambda ticket: GetDiscuInfo(ticket, did),
            self._roster.learnDiscussion,
            _ignore,
        )

    def _ask(
        self,
        make: Callable[[Ticket], Command[T]],
        learn: Callable[[T], None],
        failed: Callable[[str], None],
    ) -> None:
        asked: Deferred[T] = self._call(make)
        self._asked.add(asked)

        def answered(reply: T) -> None:
            self._asked.discard(asked)
            if self.running:
                learn(reply)

        def refused(failure: Failure) -> None:
            self._asked.discard(asked)
            # Our own cancel comes by here too.
            if self.running:
                failure.trap(WebQQError)
                failed(failure.getErrorMessage())

        asked.addCallbacks(answered, refused).addErrback(
            lambda failure: self._log.failure("Reading up stumbled.", failure=failure)
        )


def _ignore(reason: str) -> None:
    pass
