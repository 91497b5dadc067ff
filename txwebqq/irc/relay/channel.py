"""
A channel of a network that we are in, or want to be in.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.outbox import OutboxMessage

FIRST_REJOIN = 5.0
"""The seconds until we ask to be let in again, the first time."""


class LinkHost(Protocol):
    """
    The network that a channel is on.
    """

    settings: NetworkSettings
    clock: IReactorTime

    async def speak(self, link: ChannelLink, message: OutboxMessage) -> str:
        """
        As L{ChannelLink.speak}.
        """


class ChannelListener(Protocol):
    """
    Who wants to know what happens in a channel.
    """

    def heard(
        self,
        link: ChannelLink,
        nick: str,
        text: str,
        isAction: bool,
        msgid: str,
        origin: str,
    ) -> None:
        """
        Somebody said something.
        """

    def moved(self, link: ChannelLink, nick: str, how: str) -> None:
        """
        Somebody who speaks came or went, in words that follow the nick.
        """

    def status(self) -> list[str]:
        """
        Describe the state of the room in lines.
        """

    def changed(self, link: ChannelLink) -> None:
        """
        We can be heard there, or not any more.
        """


class ChannelLink:
    """
    A channel of a network, with or without us.

    @ivar members: the others.
    """

    def __init__(
        self, network: LinkHost, name: str, key: str, listener: ChannelListener
    ) -> None:
        self.network = network
        self.name = name
        self.key = key
        self.listener = listener
        self.members = MemberList(network.clock.seconds)
        self.isJoined = False
        self.since = 0.0
        self.delay = FIRST_REJOIN
        self.retry: IDelayedCall | None = None
        self.names: list[str] = []

    @property
    def title(self) -> str:
        """
        What people call it.
        """
        return self.name

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """
        return self.isJoined

    async def speak(self, message: OutboxMessage) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{TargetUnavailable} or
            L{DeliveryRefused}.
        """
        return await self.network.speak(self, message)
