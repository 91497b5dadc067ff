"""
Interface of a client that a gateway user has attached, and the view of a channel
that it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.targets import Target
from txwebqq.model import Status


@dataclass(frozen=True, slots=True)
class ChannelView:
    """
    A group or a discussion as an IRC channel.

    @ivar members: nick, number, and whether the member is an operator.
    """

    name: str
    target: Target
    topic: str
    members: tuple[tuple[str, int, bool], ...]


class AttachedClient(Protocol):
    """
    An IRC client of a gateway user, told of what happens on QQ.

    L{ClientSession<txwebqq.irc.gateway.session.ClientSession>} implements it. It is
    an interface since the session imports the user, so the user cannot import the
    session.

    @ivar key: tells the clients of one user apart; C{""} for a login without
        a client name.
    """

    key: str

    @property
    def nick(self) -> str:
        """
        The client's nick.
        """

    def showMessage(self, message: HistoryMessage) -> None:
        """
        Show a message, unless the client has parted from its channel.
        """

    def messageStored(self, serial: int, isOwn: bool) -> None:
        """
        Store, when the client confirms it, that it has received all messages
        up to a serial. Called after L{showMessage} or L{playBack}.

        @param isOwn: whether the client itself has sent the message.
        """

    def playBack(self, missed: Sequence[HistoryMessage]) -> None:
        """
        Show the messages that the client has missed.
        """

    def showChannel(self, channel: ChannelView) -> None:
        """
        Join a channel, or show the changes since it was shown before.
        """

    def hideChannel(self, target: Target, name: str) -> None:
        """
        Part from a channel that the user is no longer in.
        """

    def showTyping(self, nick: str, number: int) -> None:
        """
        Show that a friend is typing.
        """

    def showMute(
        self, target: Target, member: int, operator: int, isMuted: bool
    ) -> None:
        """
        Show that a member of a group is muted, or no longer.

        @param member: the member's number; 0 for all members.
        @param operator: the number of the account that has done it; 0 where it is
            not known, and for a mute that has ended by itself.
        """

    def showReaction(
        self, message: HistoryMessage, sender: int, nick: str, tag: str, text: str
    ) -> None:
        """
        Show a reaction to a message.

        @param tag: the client-only tag whose value is the reaction.
        """

    def targetRenamed(self, before: str, target: Target, after: str) -> None:
        """
        Show the new name of a contact or a channel.
        """

    def showStatus(self, nick: str, number: int, status: Status) -> None:
        """
        Show the new status of a friend.
        """

    def refreshPresence(self) -> None:
        """
        Compare the monitored nicks with who is online.
        """
