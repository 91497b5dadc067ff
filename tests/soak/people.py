"""
The accounts of C{make soak}: clients that fetch what they are sent, and a bot.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from tests.ledger.book import Outcome
from tests.ledger.crowd import LOBBY, LOBBY_NAME, nickOf
from tests.ledger.crowdvoices import CrowdVoice
from tests.ledger.voices import TOKEN, Listening
from tests.messages import Asker, Lost
from txwebqq.errors import WebQQError
from txwebqq.model import (
    MAY_JOIN,
    Event,
    Gid,
    GroupFile,
    GroupMessage,
    GroupPicture,
    Message,
    OfflineFile,
    OfflineFileNotice,
    OfflinePicture,
    Segment,
    Text,
    Uin,
)

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc`\0\0\0\2\0\1\xe2!\xbc3\0\0\0\0IEND\xaeB`\x82"
)


class Fetching(Listening):
    """
    Fetches the pictures and files that it is sent.
    """

    async def eventReceived(self, event: Event) -> None:
        # It names a file of ours, which a friend was shown.
        if not isinstance(event, OfflineFileNotice):
            super().eventReceived(event)
        # The session may end meanwhile.
        with suppress(WebQQError):
            await self._fetchMedia(event)

    async def _fetchMedia(self, event: Event) -> None:
        match event:
            case Message(content=content) | GroupMessage(content=content):
                for segment in content:
                    if isinstance(segment, OfflinePicture | GroupPicture):
                        await self.fetchPicture(event, segment)
            case OfflineFile():
                await self.fetchOfflineFile(event)
            case GroupFile():
                await self.fetchGroupFile(event)


class SoakVoice(CrowdVoice):
    """
    An account with a client, which sends pictures and files and makes groups.
    """

    protocol = Fetching

    def uinOf(self, number: int) -> Uin:
        """
        Return the uin of a friend.
        """
        nick = nickOf(number)
        return next(each.uin for each in self._on.buddies.values() if each.nick == nick)

    def gidOf(self, name: str) -> Gid:
        """
        Return the gid of a group.
        """
        return next(each.gid for each in self._on.groups.values() if each.name == name)

    @property
    def _on(self) -> Listening:
        assert self.online is not None
        return self.online

    async def sendPicture(self, number: int, token: str, more: bytes) -> None:
        """
        Send a picture with a text to a friend, or to the group of all.
        """
        online = self._on
        content: list[Segment] = []
        if number == LOBBY:
            content.append(await online.uploadGroupPicture(PNG + more, "a.png"))
            await online.sendGroupMessage(
                self.gidOf(LOBBY_NAME), [*content, Text(token)]
            )
        else:
            content.append(await online.uploadPicture(PNG + more, "a.png"))
            await online.sendMessage(self.uinOf(number), [*content, Text(token)])

    async def sendFile(self, number: int, token: str, content: bytes) -> None:
        """
        Send a file to a friend, or to the group of all.
        """
        online, name = self._on, f"{token}.bin"
        if number == LOBBY:
            gid = self.gidOf(LOBBY_NAME)
            await online.sendGroupFile(gid, content, name)
            files = await online.fetchGroupFiles(gid)
            own = [each for each in files if each.sender == self.number]
            # The members fetch the newest ones.
            for file in own[:-2]:
                await online.deleteGroupFile(gid, file)
        else:
            await online.sendOfflineFile(self.uinOf(number), content, name)

    async def makeGroup(self, name: str, members: list[int]) -> Callable[[], Any]:
        """
        Create a group, and send a message to it.

        @return: dissolves the group.
        """
        online = self._on
        uins = [self.uinOf(number) for number in members]
        group = await online.createGroup(name, uins, option=MAY_JOIN)
        await online.sendGroupMessage(group.gid, "welcome")
        return lambda: online.dissolveGroup(group.code)

    async def leaveGroup(self, name: str) -> None:
        """
        Leave a group.
        """
        code = next(g.code for g in self._on.groups.values() if g.name == name)
        await self._on.leaveGroup(code)


class SoakBot(Resource):
    """
    A bot that calls over HTTP, and is posted its events.

    @param port: where it calls.
    @param shown: is called with each token that the bot receives.
    """

    isLeaf = True

    def __init__(self, port: int, shown: Callable[[str], object]) -> None:
        super().__init__()
        self._shown = shown
        self._asker = Asker(
            lambda: TCP4ClientEndpoint(reactor, "127.0.0.1", port), isKept=False
        )
        self._listening: IListeningPort | None = None

    async def start(self, port: int) -> None:
        """
        Listen for events.
        """
        site = Site(self)
        site.noisy = False
        endpoint = TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")
        self._listening = await endpoint.listen(site)

    async def stop(self) -> None:
        """
        Stop listening.
        """
        listening, self._listening = self._listening, None
        if listening is not None:
            await maybeDeferred(listening.stopListening)

    def render_POST(self, request: Request) -> bytes:
        """
        Take an event.
        """
        content: Any = request.content
        event = json.loads(content.read())
        if event["post_type"] == "message":
            for token in TOKEN.findall(event["raw_message"]):
                self._shown(token)
        elif event["post_type"] == "notice":
            for token in TOKEN.findall(event.get("file", {}).get("name", "")):
                self._shown(token)
        request.setResponseCode(204)
        return b""

    def tell(self, place: int, token: str) -> Deferred[Outcome]:
        """
        Send a message to a friend, or to the group of all.
        """
        return Deferred.fromCoroutine(self._tell(place, token))

    async def _tell(self, place: int, token: str) -> Outcome:
        params: dict[str, object] = {"user_id": place, "message": token}
        action = "send_private_msg"
        if place == LOBBY:
            params, action = {"group_id": LOBBY, "message": token}, "send_group_msg"
        body = json.dumps(params).encode()
        header = "Content-Type: application/json"
        try:
            answer = await self._asker.ask("POST", f"/{action}", body, header)
        except Lost:
            return Outcome.UNCERTAIN
        isDone = json.loads(answer.body).get("status") == "ok"
        return Outcome.ACCEPTED if isDone else Outcome.REFUSED
