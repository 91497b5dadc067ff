"""
The interface of a relay target: an IRC channel, or a QQ group or discussion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.storage.outbox import OutboxMessage
from txwebqq.model import Face, Text


class RelayTarget(Protocol):
    """
    A channel or a group that messages are relayed to.

    @ivar source: its unique name, in the origins of messages that come from it
        and of its outbox queue; the same in every relay.
    @ivar isChannel: whether it is an IRC channel.
    @ivar isQuiet: whether names that are sent to it must not highlight their owners.
    @ivar members: the others that are in it.
    @ivar account: the number of the relay's account in a group, 0 in a channel.
    @ivar accountSpace: names the QQ network of a group, C{""} for a channel: in two
        groups with the same one, a number is the same account.
    """

    source: str
    isChannel: bool
    isQuiet: bool
    members: MemberList
    account: int
    accountSpace: str

    @property
    def title(self) -> str:
        """
        Its name as users know it.
        """

    @property
    def isUp(self) -> bool:
        """
        Whether messages can be sent to it now.
        """

    def holdEvents(self) -> Callable[[], None]:
        """
        Have the server keep the messages that come from the target now.

        @return: ends this.
        """

    async def deliver(self, message: OutboxMessage) -> str:
        """
        Send the first part of a message.

        @return: the rest of its text, when the server has accepted that part;
            fails with L{TargetUnavailable}, L{TargetUnanswered} or
            L{DeliveryRefused}.
        """

    def react(
        self, messageId: str, face: Face | Text, isSet: bool, source: str
    ) -> None:
        """
        React to a message, or take a reaction back, if the target can be sent that
        now.

        @param messageId: the id of the message in the target.
        @param source: the target from which the reaction comes.
        """
