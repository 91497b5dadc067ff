"""
The ways in which the people of the ledger's chat say things: by our client, and
by raw ones.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from tests.ledger.book import Kind
from tests.ledger.people import COMMON, OURS, OWN, TRIP_NAME, passwordOf
from tests.messages import Lost
from tests.network.rawclient import RawClient, Refused
from txwebqq.client import connect
from txwebqq.errors import RequestRefused, WebQQError
from txwebqq.model import (
    Account,
    Event,
    FriendshipNotice,
    FriendshipStep,
    GroupNotice,
    GroupStep,
    Number,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService

TOKEN = re.compile(r"tk\d{6}")

Send = Callable[[], Awaitable[object]]
"""Sends what is prepared; raises L{Lost} or L{Refused}."""


class Voice(Protocol):
    """
    A client that can send events.
    """

    async def prepare(self, kind: Kind, target: int, text: str) -> Send:
        """
        Ask for the ids that are needed to send an event.

        @raise Lost: when that failed.
        @raise Refused: when that was refused.
        """


class RawVoice:
    """
    Says things with a raw client.
    """

    def __init__(self, client: RawClient) -> None:
        self._client = client

    async def prepare(self, kind: Kind, target: int, text: str) -> Send:
        client = self._client
        match kind:
            case Kind.FRIEND:
                question = client.toFriend(target, text)
            case Kind.GROUP:
                question = client.toGroup(COMMON, text)
            case Kind.DISCUSSION:
                question = client.toDiscussion(TRIP_NAME, text)
            case Kind.STRANGER:
                question = await client.toStranger(target, text)
            case Kind.SIGNATURE:
                question = client.sign(text)
            case Kind.FILE:
                question = await client.leaveFile(target, text)
            case Kind.REQUEST:
                question = await client.askFriendship(target, text)
            case Kind.REFUSAL:
                question = client.refuseFriendship(target, text)
            case Kind.APPLICATION:
                question = await client.apply(OWN[target], text)
            case Kind.REJECTION:
                question = client.turnDown(OWN[client.number], target, text)
        return lambda: client.ask(question)


class _FastClock:
    """
    The clock of our client, on which everything takes less than its time, so
    that it does not wait for most of the day after failures.
    """

    def __init__(self, faster: float) -> None:
        self._faster = faster

    def seconds(self) -> float:
        return reactor.seconds() * self._faster

    def callLater(
        self, delay: float, call: Callable[..., Any], *args: Any, **kw: Any
    ) -> IDelayedCall:
        return reactor.callLater(delay / self._faster, call, *args, **kw)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return reactor.getDelayedCalls()


class Listening(WebQQProtocol):
    """
    Reports each event that has a token.
    """

    factory: OurVoice

    def signedOn(self) -> None:
        self.factory.began(self)

    def connectionLost(self, reason: Failure) -> None:
        self.factory.online = None

    def eventReceived(self, event: Event) -> object:
        text = getattr(event, "text", "") or getattr(event, "name", "")
        for token in TOKEN.findall(str(text)):
            self.factory.shown(token)
        return super().eventReceived(event)


class OurVoice(WebQQFactory):
    """
    Our client: keeps an account signed on, and says things with it.

    @param shown: is called with each token that the client shows.
    @param signedOn: is called when it has signed on.
    @param number: the account.
    @cvar faster: by how much its clock is faster.
    @ivar online: the protocol that is signed on, or L{None}.
    """

    protocol = Listening
    faster = 10.0

    def __init__(
        self,
        shown: Callable[[str], object],
        signedOn: Callable[[], object],
        number: int = OURS,
    ) -> None:
        self.number = number
        self.online: Listening | None = None
        self.shown = shown
        self._signedOn = signedOn
        self._members: dict[int, Uin] = {}

    def start(self, port: int, authority: Path | None) -> Deferred[None]:
        """
        Sign on.

        @return: fails when the server ends it for good.
        """
        scheme = "http" if authority is None else "https"
        caFile = None if authority is None else str(authority)
        clock: Any = _FastClock(self.faster)
        self._client = connect(reactor, f"{scheme}://127.0.0.1:{port}", caFile)
        self._service = WebQQService(
            Account(Number(self.number), passwordOf(self.number)),
            self,
            self._client,
            clock,
            backoff=lambda failures: 2.0,
        )
        self._service.startService()
        return self._service.whenSignedOff()

    async def stop(self) -> None:
        """
        Sign off.
        """
        await self._service.stopService()
        await self._client.close()

    def began(self, online: Listening) -> None:
        """
        A session has begun.
        """
        self.online = online
        self._members.clear()
        self._signedOn()

    async def prepare(self, kind: Kind, target: int, text: str) -> Send:
        online = self.online
        if online is None:
            raise Refused(121)
        try:
            sent = await self._prepare(online, kind, target, text)
        except RequestRefused as e:
            raise Refused(e.retcode) from e
        except WebQQError as e:
            raise Lost(str(e)) from e

        async def send() -> None:
            try:
                await sent()
            except RequestRefused as e:
                raise Refused(e.retcode) from e
            except WebQQError as e:
                raise Lost(str(e)) from e

        return send

    async def _prepare(
        self, online: Listening, kind: Kind, target: int, text: str
    ) -> Send:
        groups = {group.name: group for group in online.groups.values()}
        match kind:
            case Kind.FRIEND:
                uins = {int(b.nick): b.uin for b in online.buddies.values()}
                return lambda: online.sendMessage(uins[target], text)
            case Kind.GROUP:
                return lambda: online.sendGroupMessage(groups[str(COMMON)].gid, text)
            case Kind.DISCUSSION:
                dids = {d.name: d.did for d in online.discussions.values()}
                if TRIP_NAME not in dids:
                    # They are fetched after the sign-on.
                    raise Refused(-1)
                return lambda: online.sendDiscussionMessage(dids[TRIP_NAME], text)
            case Kind.STRANGER:
                uin = await self._member(online, target)
                gid = groups[str(COMMON)].gid
                return lambda: online.sendStrangerMessage(uin, text, group=gid)
            case Kind.REFUSAL:
                asked = FriendshipNotice(
                    FriendshipStep.REQUESTED, Uin(0), Number(target)
                )
                return lambda: online.refuseFriendship(asked, text)
            case Kind.REJECTION:
                uin = await self._member(online, target)
                own = groups[str(OWN[OURS])]
                notice = GroupNotice(
                    GroupStep.REQUESTED,
                    own.gid,
                    own.code,
                    Number(OWN[OURS]),
                    member=uin,
                )
                return lambda: online.answerJoinRequest(notice, False, text)
        raise AssertionError(f"our client sends no {kind.value}")

    async def _member(self, online: Listening, number: int) -> Uin:
        if number not in self._members:
            groups = {group.name: group for group in online.groups.values()}
            details = await online.fetchGroup(groups[str(COMMON)].code)
            self._members |= {int(m.nick): m.uin for m in details.members}
        return self._members[number]


MESSAGES = (Kind.FRIEND, Kind.FRIEND, Kind.GROUP, Kind.DISCUSSION, Kind.STRANGER)
"""Kinds of events that each member of the chat sends."""

STRANGE = (Kind.STRANGER, Kind.GROUP, Kind.REQUEST, Kind.APPLICATION)
"""Kinds of events that the stranger sends."""

ANSWERS = {Kind.REQUEST: Kind.REFUSAL, Kind.APPLICATION: Kind.REJECTION}
