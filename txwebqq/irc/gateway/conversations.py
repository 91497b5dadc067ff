"""
What an IRC user says and hears, with the clients that they have open.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from txwebqq.errors import NotSignedOn
from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.directory import BOT_NICK, ChannelView, NameDirectory
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.names import NameTable
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import Romanise
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.content import textToContent
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Font, Number, Status
from txwebqq.ratelimit import RateLimiter

MAX_MISSED = 200
"""How many messages of a conversation are played back."""

TYPING = 3.0
"""The seconds between two notices that we are typing."""


class AttachedClient(Protocol):
    """
    An IRC client that is attached.

    @ivar key: tells the clients of one user apart.
    """

    key: str

    @property
    def nick(self) -> str:
        """
        What it calls its user.
        """

    def show(self, message: HistoryMessage) -> None:
        """
        Somebody said something.
        """

    def playBack(self, missed: Sequence[HistoryMessage]) -> None:
        """
        That was said while nobody was here.
        """

    def showChannel(self, channel: ChannelView) -> None:
        """
        A channel is there, or otherwise than it was.
        """

    def hideChannel(self, target: Target, name: str) -> None:
        """
        A channel is not there any more.
        """

    def typing(self, nick: str, number: int) -> None:
        """
        Somebody is typing.
        """

    def renamed(self, before: str, target: Target, after: str) -> None:
        """
        Somebody is called otherwise.
        """

    def appeared(self, nick: str, number: int, status: Status) -> None:
        """
        Somebody came or went.
        """

    def presenceRefreshed(self) -> None:
        """
        Many may have come or gone.
        """


class Conversations(NameDirectory):
    """
    Words, kept and shown to all clients.

    @param seconds: the time, in Unix seconds.

    @ivar kicks: whom clients are putting out of where, and why.
    @ivar topics: where clients are changing the topic.
    """

    def __init__(
        self,
        settings: UserSettings,
        names: NameTable,
        history: HistoryStore,
        seconds: Callable[[], float],
        preferences: Preferences,
        parted: PartedChannels,
        romanise: Romanise | None = None,
    ) -> None:
        super().__init__(settings, names, romanise)
        self.preferences = preferences
        self.parted = parted
        self.history = history
        self.clients: list[AttachedClient] = []
        self.kicks: dict[tuple[Target, int], str] = {}
        self.topics: set[Target] = set()
        self._seconds = seconds
        self._typing = RateLimiter(seconds, 1, TYPING)

    @property
    def isFormatted(self) -> bool:
        """
        Whether our user wants to see what words look like on QQ.
        """
        return self.preferences.get(self.name, "formatting", "off") == "on"

    # ---- clients

    def attach(self, client: AttachedClient) -> None:
        """
        A client has come: show it what there is, then what it has missed.
        """
        self.clients.append(client)
        for channel in self.channels():
            client.showChannel(channel)
        client.playBack(self.history.missed(self.name, client.key, MAX_MISSED))
        self.history.see(self.name, client.key, self.history.last(self.name))

    def _reservedNicks(self) -> set[str]:
        return super()._reservedNicks() | {
            casefold(client.nick) for client in self.clients
        }

    def rename(self, target: Target, name: str) -> str:
        before = self.names.name(target) or ""
        problem = super().rename(target, name)
        if not problem:
            for client in list(self.clients):
                client.renamed(before, target, name)
                client.presenceRefreshed()
        return problem

    def detach(self, client: AttachedClient) -> None:
        """
        A client has gone.
        """
        if client in self.clients:
            self.clients.remove(client)

    def record(
        self, message: HistoryMessage, besides: object = None
    ) -> HistoryMessage | None:
        """
        Keep a message, and show it.

        @param besides: who knows it already.

        @return: as L{HistoryStore.append}.
        """
        kept = self.history.append(message)
        if kept is not None:
            for client in list(self.clients):
                if client is not besides:
                    client.show(kept)
                self.history.see(self.name, client.key, kept.serial)
        return kept

    # ---- saying

    async def say(
        self,
        target: Target,
        text: str,
        by: object,
        command: str = "PRIVMSG",
        font: Font = Font(),
    ) -> list[HistoryMessage]:
        """
        Say what a client has typed; fails as L{Offices.send
        <txwebqq.irc.qq.actions.AccountActions.send>}.

        @return: what was said because of that: those words, or answers.
        """
        if target == SERVICE:
            return await self.answer(text)
        account = self._talking(target)
        await account.actions.send(target, textToContent(text), font)
        number = account.number
        said = self.entry(target, number, number, self.name, text, command=command)
        kept = self.record(said, by)
        return [] if kept is None else [kept]

    async def type(self, target: Target) -> None:
        """
        Let a friend know that we are typing; fails as L{say}.
        """
        if self._typing.take(target):
            await self._talking(target).actions.sendTyping(target.number)

    async def shake(self, target: Target) -> None:
        """
        Shake a friend's window; fails as L{say}.
        """
        if target.kind is not TargetKind.CONTACT:
            raise NotSignedOn("only friends have windows")
        await self._talking(target).actions.shakeWindow(target.number)

    def _talking(self, target: Target) -> QQAccount:
        account = self.residentOf(target)
        if account is None:
            raise NotSignedOn("none of your accounts knows them")
        return account

    @abstractmethod
    async def answer(self, text: str) -> list[HistoryMessage]:
        """
        What the service says to a command.
        """

    def tell(self, text: str) -> None:
        """
        Tell news as the service: also those who are not here now.
        """
        for message in self.botLines(text):
            self.record(message)

    def botLines(self, text: str) -> list[HistoryMessage]:
        """
        What the service says to one client, a line each.
        """
        return [
            self.entry(SERVICE, 0, 0, BOT_NICK, line, command="NOTICE")
            for line in splitLines(text)
        ]

    def entry(
        self,
        target: Target,
        account: int,
        sender: int,
        nick: str,
        text: str,
        at: int | None = None,
        command: str = "PRIVMSG",
    ) -> HistoryMessage:
        """
        A message that is not kept yet.

        @param at: when it was said, in Unix seconds; without it, now.
        """
        now = int((self._seconds() if at is None else at) * 1000)
        return HistoryMessage(
            self.name, target, now, Number(account), Number(sender), nick, text, command
        )

    def latest(self, target: Target, count: int) -> list[HistoryMessage]:
        """
        What was said there last.
        """
        return self.history.latest(self.name, target, count)
