"""
Fetching of the roster: friends and groups before C{signedOn}, discussions and
the names of new groups after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.client import accepted
from txwebqq.errors import MalformedReply, RequestRefused, WebQQError
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Code, Did, FriendList, GroupProfile, Number, Presence
from txwebqq.roster import Roster
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import Era, SignOnState
from txwebqq.session.replies import failureOf
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.contacts import GetGroupNameListMask2, GetUserFriends2
from txwebqq.wire.commands.discussions import GetDiscuInfo, GetDiscuListNew2
from txwebqq.wire.commands.groups import GetGroupPublicInfo2
from txwebqq.wire.commands.messages import GetOnlineBuddies2
from txwebqq.wire.digests import FRIEND_HASHES
from txwebqq.wire.form import Ticket

P = ParamSpec("P")
R = TypeVar("R")

WRONG_HASH = 50
"""Retcode of a request for the friend list with a wrong hash (protocol.md 6)."""


class RosterLoader:
    """
    Fetches friends, groups and presence at each sign-on of one account.

    @ivar current: the name of the request that was sent last.
    """

    _log = Logger()

    def __init__(self, requests: InFlightRequests, state: SignOnState) -> None:
        self._requests = requests
        self._state = state
        self.current = ""
        # The name of the hash algorithm that the server accepted last.
        self._hash = ""

    async def load(self) -> Roster:
        """
        Fetch the roster of the session that begins.
        """
        ticket = self._state.ticket
        friends, digest = await self._fetchFriends(ticket)
        groups = await self._fetch(GetGroupNameListMask2(ticket, digest))
        present = await self._fetchPresent(ticket)
        return Roster(friends, groups, present)

    def friendListHash(self, ticket: Ticket) -> str:
        """
        Return the hash that the server accepts with a ticket, C{""} if it wants
        none.
        """
        if not self._hash:
            return ""
        return FRIEND_HASHES[self._hash](self._state.account.number, ticket.ptwebqq)

    async def _fetchFriends(self, ticket: Ticket) -> tuple[FriendList, str]:
        if self._state.era is Era.E1:
            return await self._fetch(GetUserFriends2(ticket)), ""
        for name in sorted(FRIEND_HASHES, key=lambda name: name != self._hash):
            digest = FRIEND_HASHES[name](self._state.account.number, ticket.ptwebqq)
            reply = await self._ask(GetUserFriends2(ticket, digest))
            if not (isinstance(reply, Refusal) and reply.retcode == WRONG_HASH):
                self._hash = name
                return accepted(reply), digest
        raise RequestRefused(WRONG_HASH, "the server accepts no known friend list hash")

    async def _fetchPresent(self, ticket: Ticket) -> tuple[Presence, ...]:
        try:
            return await self._fetch(GetOnlineBuddies2(ticket))
        except (MalformedReply, RequestRefused) as e:
            # Events bring the changes of presence.
            self._log.info(
                "Presence of the friends not fetched (account {number}): {reason}; "
                "they are offline until they change it.",
                number=self._state.account.number,
                reason=failureOf(self.current, e),
            )
            return ()

    def _fetch(self, command: Command[R]) -> Deferred[R]:
        return self._ask(command).addCallback(accepted)

    def _ask(self, command: Command[R]) -> Deferred[R | Refusal]:
        self.current = command.endpointName
        return self._requests.ask(command)


class RosterSyncService(Service):
    """
    Completes the roster of one sign-on while its channel is open. A failed
    request only leaves the roster less complete.
    """

    _log = Logger()

    def __init__(
        self, number: Number, transport: IWebQQTransport, clock: IReactorTime
    ) -> None:
        self._number = number
        self._transport = transport
        self._clock = clock
        self._scheduled: IDelayedCall | None = None
        self._requests: set[Deferred[Any]] = set()

    def stopService(self) -> None:
        """
        Cancel the requests.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None:
            scheduled.cancel()
        requests, self._requests = self._requests, set()
        for request in requests:
            request.cancel()

    def fetchDiscussionList(self) -> None:
        """
        Fetch the list of discussions, after the poll that begins now. A request
        that fails is repeated once.
        """
        self._scheduled = self._clock.callLater(0, self._fetchDiscussionList, True)

    def fetchMissing(self) -> None:
        """
        Fetch details of the groups and discussions that the last event has
        added or changed.
        """
        roster = self._transport.roster
        if not self.running or not (roster.newGroups or roster.newDiscussions):
            return
        codes, roster.newGroups = roster.newGroups, set()
        for code in codes:
            self._fetchGroup(code)
        dids, roster.newDiscussions = roster.newDiscussions, set()
        for did in dids:
            self._fetchDiscussion(did)

    def _fetchDiscussionList(self, mayRepeat: bool) -> None:
        self._scheduled = None

        def failed(reason: str) -> None:
            if mayRepeat:
                self._fetchDiscussionList(mayRepeat=False)
            else:
                self._log.info(
                    "List of discussions not fetched (account {number}): {reason}.",
                    number=self._number,
                    reason=reason,
                )

        self._fetch(self._transport.roster.learnDiscussions, failed, GetDiscuListNew2)

    def _fetchGroup(self, code: Code) -> None:
        def learn(profile: GroupProfile) -> None:
            self._transport.roster.changeGroup(
                code, name=profile.name, flag=profile.flag
            )

        self._fetch(learn, _ignore, GetGroupPublicInfo2, code)

    def _fetchDiscussion(self, did: Did) -> None:
        self._fetch(self._transport.roster.learnDiscussion, _ignore, GetDiscuInfo, did)

    def _fetch(
        self,
        learn: Callable[[R], None],
        failed: Callable[[str], None],
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        request = self._transport.call(make, *args, **kwargs)
        self._requests.add(request)

        def cbFetched(reply: R) -> None:
            if request in self._requests:
                self._requests.discard(request)
                learn(reply)

        def ebFetched(failure: Failure) -> None:
            # Our own cancel fails the request as well.
            if request in self._requests:
                self._requests.discard(request)
                failure.trap(WebQQError)
                failed(failure.getErrorMessage())

        request.addCallbacks(cbFetched, ebFetched).addErrback(
            lambda failure: self._log.failure(
                "Internal error while completing the roster (account {number}).",
                failure=failure,
                number=self._number,
            )
        )


def _ignore(reason: str) -> None:
    pass
