"""
A QQ account that is kept signed on for IRC: its contacts, actions and pending
requests, and the listener for its events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import fail

from txwebqq.errors import CaptchaUnsolved
from txwebqq.irc.qq.actions import AccountActions
from txwebqq.irc.qq.contacts import ContactDirectory
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target
from txwebqq.model import (
    DiscussionMessage,
    FriendshipNotice,
    GroupFile,
    GroupMessage,
    GroupNotice,
    JoinRequestAnswered,
    Number,
    OfflineFile,
    Reaction,
    Status,
)
from txwebqq.protocol import WebQQProtocol


class AccountListener:
    """
    Receives the events of QQ accounts. Override the methods of interest; the
    others do nothing.
    """

    def signedOn(self, account: QQAccount) -> None:
        """
        Called when an account is signed on and its contacts are fetched.
        """

    def contactsChanged(self, account: QQAccount) -> None:
        """
        Called when friends, groups, discussions, their names or their members
        have changed.
        """

    def signedOff(self, account: QQAccount) -> None:
        """
        Called when a session has ended, for any reason.
        """

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        """
        Called after L{signedOff} when the session was not ended by us.

        @param isForGood: whether the account stays signed off.
        """

    def incompleteMessageReceived(
        self,
        account: QQAccount,
        target: Target,
        message: GroupMessage | DiscussionMessage,
    ) -> None:
        """
        Called before the next poll with a group or discussion message that
        cannot be delivered at once, since its sender's number, its pictures,
        or those of an earlier message are being fetched; L{messageReceived}
        follows.
        """

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Called with each message, in the order of arrival.
        """

    def messageSent(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Called with a message that another client of the account has sent; its
        author is the account.
        """

    def messageRecalled(
        self, account: QQAccount, target: Target | None, operator: int, messageId: int
    ) -> None:
        """
        Called when a message was recalled.

        @param target: the conversation; L{None} for a message that the account
            itself had sent to a contact.
        @param operator: the number of the account that has recalled the message;
            0 when it could not be fetched.
        @param messageId: the id of the message, as L{IncomingMessage.id}.
        """

    def memberMuted(
        self,
        account: QQAccount,
        target: Target,
        member: int,
        operator: int,
        seconds: int,
    ) -> None:
        """
        Called when a member of a group was muted, or is no longer.

        @param member: the member's number; 0 for all members but the owner and
            administrators.
        @param operator: the number of the administrator; 0 where it is not known.
        @param seconds: the length of the mute; 0 for its end.
        """

    def memberPoked(
        self, account: QQAccount, target: Target, sender: int, poked: int, time: int
    ) -> None:
        """
        Called when a member of a group has poked another one, or the account.

        @param time: Unix time in seconds.
        """

    def reactionChanged(
        self, account: QQAccount, target: Target, sender: int, reaction: Reaction
    ) -> None:
        """
        Called when a member of a group has reacted to a message, or has taken a
        reaction back.
        """

    def groupFileShared(
        self, account: QQAccount, target: Target, sender: int, file: GroupFile
    ) -> None:
        """
        Called when a member of a group has shared a file.
        """

    def offlineFileReceived(
        self, account: QQAccount, sender: int, file: OfflineFile
    ) -> None:
        """
        Called when a contact has sent an offline file.
        """

    def presenceChanged(self, account: QQAccount, number: int, status: Status) -> None:
        """
        Called when a friend's presence status has changed.
        """

    def typingNoticed(self, account: QQAccount, number: int) -> None:
        """
        Called when a friend is typing.
        """

    def windowShaken(self, account: QQAccount, number: int) -> None:
        """
        Called when a friend shakes our window.
        """

    def friendshipChanged(
        self, account: QQAccount, number: int, notice: FriendshipNotice
    ) -> None:
        """
        Called when another account asks for our friendship, has answered our
        request, or has added us.
        """

    def joinRequested(
        self, account: QQAccount, number: int, notice: GroupNotice
    ) -> None:
        """
        Called when another account asks to join a group that we administer.
        """

    def joinAnswered(
        self, account: QQAccount, operator: int, answer: JoinRequestAnswered
    ) -> None:
        """
        Called when an administrator, perhaps the account itself, has answered such a
        request.

        @param operator: the number of the administrator; 0 where it is not known.
        """

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        """
        Called when a member has joined or left a group, or the group was
        created or dissolved, or its administrators have changed.
        """

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        Called when the account is not in a group or discussion any more.
        """

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        """
        Called when the server asks for a captcha to be solved.

        @return: the text; fails with L{CaptchaUnsolved} to give up.
        """
        return fail(CaptchaUnsolved("captchas cannot be shown here"))


class QQAccount:
    """
    State of an account that outlives its sessions.

    @ivar friendRequests: unanswered friend requests, by the sender's number.
    @ivar joinRequests: unanswered requests to join a group in this session, by
        the sender's number and the group.
    """

    def __init__(self, number: Number, listener: AccountListener) -> None:
        self.number = number
        self.listener = listener
        self.contacts = ContactDirectory(number)
        self.actions = AccountActions(self.contacts, self.contactsChanged)
        self.friendRequests: dict[int, FriendshipNotice] = {}
        self.joinRequests: dict[tuple[int, Target], GroupNotice] = {}

    def contactsChanged(self) -> None:
        """
        Tell the listener that the contacts have changed.
        """
        self.listener.contactsChanged(self)

    def holdEvents(self) -> Callable[[], None]:
        """
        Have the server keep the events that come now, as
        L{IWebQQTransport.holdEvents <txwebqq.interfaces.IWebQQTransport.holdEvents>}.

        @raise NotSignedOn: when the account is not signed on.
        """
        return self.online.transport.holdEvents()

    async def refreshAnnouncements(self) -> None:
        """
        Fetch the announcements of the groups, and tell the listener when one has
        changed. No effect while signed off.
        """
        if self.isOnline and await self.contacts.fetchAnnouncements():
            self.contactsChanged()

    @property
    def isOnline(self) -> bool:
        """
        Whether the account is signed on.
        """
        return self.contacts.isOnline

    @property
    def online(self) -> WebQQProtocol:
        """
        The protocol that is signed on.

        @raise NotSignedOn: when the account is not signed on.
        """
        return self.contacts.online
