"""
Detection of messages that are sent again (protocol.md 2.2.11).
"""

from __future__ import annotations

from contextlib import suppress

from txwebqq.errors import Intercepted, MalformedReply, RequestRefused, Unreachable
from txwebqq.model import Sent
from txwebqq.protocol import WebQQProtocol
from txwebqq.wire.commands.messages import GetOnlineBuddies2, GetSent2

REPEATABLE = 2 * 24 * 3600.0
"""The seconds for which a message may be sent again under its id: less than the time
for which servers remember it."""


class SentDetection:
    """
    Asks the server of one session for messages whose answer is lost.

    @ivar protocol: the protocol of the session.
    """

    def __init__(self, protocol: WebQQProtocol) -> None:
        self.protocol = protocol
        self._isKnown: bool | None = None

    async def isKnown(self) -> bool:
        """
        Tell whether the server recognises messages that are sent again, by the ids
        with which they are sent. It is asked once.

        @raise WebQQError: when there is no answer.
        """
        if self._isKnown is None:
            try:
                await self._fetch("")
                self._isKnown = True
            except RequestRefused:
                self._isKnown = False
            except (MalformedReply, Unreachable) as e:
                if not (isinstance(e, Intercepted | MalformedReply) or e.status):
                    raise
                # Some servers answer a path that they do not know with a page.
                await self._checkServer()
                self._isKnown = False
        return self._isKnown

    async def _checkServer(self) -> None:
        """
        Make a request that changes nothing, and that all servers know.
        """
        with suppress(RequestRefused):
            await self.protocol.transport.call(GetOnlineBuddies2)

    async def find(self, sendId: str, age: float) -> Sent | None:
        """
        Ask for a message whose answer is lost.

        @param sendId: the id with which it was sent, C{""} for none.
        @param age: the seconds since then, or since an earlier time.

        @return: L{None} when the server does not have it: then it may be sent again,
            with its id.

        @raise RequestRefused: when the server cannot tell.
        @raise WebQQError: when there is no answer.
        """
        if not sendId or age >= REPEATABLE:
            raise RequestRefused(0, "the message has no id that the server knows")
        return await self._fetch(sendId)

    async def _fetch(self, sendId: str) -> Sent | None:
        try:
            return await self.protocol.transport.call(GetSent2, sendId)
        except Unreachable as e:
            if e.status == 404:
                raise RequestRefused(404, str(e)) from e
            raise
