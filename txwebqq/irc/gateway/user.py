"""
One user of the gateway: QQ accounts, attached clients, and account events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import WebQQError
from txwebqq.interfaces import IAccountService
from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.attachedclient import AttachedClient
from txwebqq.irc.gateway.conversations import Conversations
from txwebqq.irc.gateway.directory import NameDirectory
from txwebqq.irc.gateway.interaction.captchas import CaptchaQuestions
from txwebqq.irc.gateway.interaction.files import FILE_KEY, fileMessage
from txwebqq.irc.gateway.interaction.interactions import Interactions
from txwebqq.irc.gateway.interaction.mentions import textOf
from txwebqq.irc.gateway.interaction.notices import (
    FRIENDSHIP_TEXTS,
    groupText,
    inParentheses,
)
from txwebqq.irc.gateway.linebuilder import SharedLines
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.mutes import StoredMutes
from txwebqq.irc.gateway.storage.names import NameTable
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.protocol.formatting import formatted
from txwebqq.irc.protocol.nicknames import Romanise, displayName
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.content import parseQQAction
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import AnyFile, IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    FriendshipNotice,
    FriendshipStep,
    GroupNotice,
    JoinRequestAnswered,
    OfflineFile,
    Reaction,
    Status,
)
from txwebqq.operation.captchas.options import NO_WAY


class GatewayUser(AccountListener):
    """
    A user of the gateway. The accounts stay signed on while no client is
    attached.

    @param seconds: returns the time, in Unix seconds.
    @param romanise: writes Chinese in Latin letters.
    @param links: makes links to pictures; without it, pictures are not shown.
    @param captchaAdvice: the sentence that tells where captchas are answered when
        pictures are not shown.

    @ivar seconds: as the parameter.
    @ivar accounts: the user's QQ accounts, by number.
    @ivar services: the services that keep the accounts signed on, by number.
    @ivar clients: the attached clients.
    @ivar lines: the lines that they have in common.
    @ivar interactions: recalls, mutes, pokes, reactions and mentions.
    @ivar captchas: the captchas that wait for the user.
    @ivar kicks: the reasons of C{KICK} commands in progress, by channel and
        member.
    @ivar topicChanges: the channels with a C{TOPIC} command in progress.
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
        links: MediaLinks | None = None,
        captchaAdvice: str = NO_WAY,
    ) -> None:
        self.name = settings.name
        self.seconds = seconds
        self.history = history
        self.preferences = preferences
        self.parted = parted
        self.accounts: dict[int, QQAccount] = {}
        self.services: dict[int, IAccountService] = {}
        self.clients: list[AttachedClient] = []
        self.lines = SharedLines()
        self.kicks: dict[tuple[Target, int], str] = {}
        self.topicChanges: set[Target] = set()
        self.directory = NameDirectory(
            settings, names, self.accounts, self.clients, romanise
        )
        self.conversations = Conversations(
            self.name, self.directory, self.clients, history, seconds
        )
        self.interactions = Interactions(
            self.name,
            self.directory,
            self.accounts,
            self.clients,
            history,
            self.conversations,
            seconds,
            StoredMutes(preferences, self.name),
        )
        self.conversations.unstored = self._holdEvents
        self.conversations.stored = self._releaseEvents
        self._releases: dict[int, Callable[[], None]] = {}
        self._links = links
        self._beforeAway: dict[int, Status] = {}
        # A change of the status starts when the one before it is done.
        self._awayLock = DeferredLock()
        self.captchas = CaptchaQuestions(self.conversations, self._link, captchaAdvice)
        for account in settings.accounts:
            number = account.account.number
            self.accounts[number] = QQAccount(number, self)

    @property
    def isFormatted(self) -> bool:
        """
        True if the user wants to see the fonts of QQ messages as formatting.
        """
        return self.preferences.get(self.name, "formatting", "off") == "on"

    @property
    def isQuoting(self) -> bool:
        """
        True if the user wants to see in each reply the beginning of the message to
        which it is one, also in clients that know tags: not all of them show it.
        """
        return self.preferences.get(self.name, "quotes", "off") == "on"

    def _holdEvents(self) -> None:
        """
        Have the servers keep what the history cannot store.
        """
        for number, account in self.accounts.items():
            if number not in self._releases and account.isOnline:
                self._releases[number] = account.holdEvents()

    def _releaseEvents(self) -> None:
        releases, self._releases = self._releases, {}
        for release in releases.values():
            release()

    async def goAway(self) -> AsyncIterator[str]:
        """
        Set the status of the accounts that are signed on to away, but for those
        that are hidden.

        @return: yields a text about each account.
        """
        async with self._awayLock:
            for number, account in self.accounts.items():
                if not account.isOnline:
                    continue
                status = account.online.status
                if status is Status.HIDDEN:
                    yield f"{number} stays hidden"
                elif status is not Status.AWAY:
                    self._beforeAway[number] = status
                    yield await _setStatus(account, Status.AWAY)

    async def comeBack(self) -> AsyncIterator[str]:
        """
        Set the status of the accounts that are away to what it was before
        L{goAway}.

        @return: as L{goAway}.
        """
        async with self._awayLock:
            for number, account in self.accounts.items():
                before = self._beforeAway.pop(number, Status.ONLINE)
                if account.isOnline and account.online.status is Status.AWAY:
                    yield await _setStatus(account, before)

    def attach(self, client: AttachedClient) -> None:
        """
        Attach a client: show it the channels and the messages that it has missed.
        """
        self.clients.append(client)
        for channel in self.directory.channels():
            client.showChannel(channel)
        self.conversations.playBack(client)

    def detach(self, client: AttachedClient) -> None:
        """
        Detach a client whose connection was lost, perhaps before it was
        attached.
        """
        if client in self.clients:
            self.clients.remove(client)
        self.history.seen.flush()

    def signOff(self, number: int) -> Deferred[None]:
        """
        Sign an account off, as L{IAccountService.signOff
        <txwebqq.interfaces.IAccountService.signOff>}.
        """
        with self.history.atOnce():
            return self.services[number].signOff()

    def rename(self, target: Target, name: str) -> str:
        """
        Give a contact or a channel another name, and show it to the clients.

        @return: as L{NameDirectory.rename}.
        """
        before = self.directory.nameOf(target)
        # A commit that fails must not take with it a name that was confirmed.
        with self.history.atOnce():
            problem = self.directory.rename(target, name)
        if not problem:
            for client in list(self.clients):
                client.targetRenamed(before, target, name)
                client.refreshPresence()
        return problem

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        return self.captchas.ask(account.number, image)

    def _link(self, picture: bytes) -> str | None:
        return self._links.add(picture) if picture and self._links else None

    def signedOn(self, account: QQAccount) -> None:
        self.conversations.notify(
            f"{account.number} is signed on: {len(account.contacts.friends)} friends,"
            f" {len(account.contacts.conversations)} groups"
        )
        self.contactsChanged(account)

    def contactsChanged(self, account: QQAccount) -> None:
        for number in account.contacts.friends:
            self._nickOf(account, number)
        for channel in self.directory.channels(account.contacts.conversations):
            for client in list(self.clients):
                client.showChannel(channel)
        self._refreshPresence()

    def signedOff(self, account: QQAccount) -> None:
        self._refreshPresence()

    def _refreshPresence(self) -> None:
        for client in list(self.clients):
            client.refreshPresence()

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        then = (
            f"login {account.number} signs it on again"
            if isForGood
            else "it is being signed on again"
        )
        self.conversations.notify(
            f"{account.number} has lost its connection ({reason}); {then}"
        )

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        if message.author in self.accounts:
            show = partial(self._showOwn, account, message)
            self.conversations.afterSends(message.target, show)
        else:
            self._show(account, message)

    def messageSent(self, account: QQAccount, message: IncomingMessage) -> None:
        self.messageReceived(account, message)

    def _showOwn(self, account: QQAccount, message: IncomingMessage) -> None:
        # Other accounts of the user in a group receive the message too, and some
        # servers tell an account of its own.
        target, number = message.target, account.number
        if not self.conversations.isStored(target, number, message.id):
            self._show(account, message)

    def _show(self, account: QQAccount, message: IncomingMessage) -> None:
        target, number, interactions = message.target, account.number, self.interactions
        links = [self._link(picture) or "" for picture in message.pictures]
        nickOf = partial(interactions.nickOf, account, target)
        text = textOf(message.content, links, nickOf)
        if self.isFormatted and parseQQAction(text) is None:
            text = formatted(text, message.font)
        origin = ""
        if target.kind is not TargetKind.CONTACT:
            # Each of the user's accounts in a group receives the message. The
            # same words in the same second are another message.
            running = f"#{message.sequence}" if message.sequence else message.key
            origin = f"{message.author} {message.time} {running}"
        elif message.id or (message.time and message.key.startswith(FILE_KEY)):
            # QQ delivers it again if we were killed before we acknowledged it.
            origin = f"{number} {message.author} {message.key}"
        # Most authors have a nick, and need not be searched for.
        nick = self.directory.knownNick(message.author) or self.directory.nickOf(
            message.author, _authorName(account, message)
        )
        self.conversations.record(
            self.conversations.newMessage(
                target,
                number,
                message.author,
                nick,
                text,
                message.time or None,
                origin=origin,
                messageId=message.id,
                reply=interactions.repliedTo(account, message),
            )
        )

    def messageRecalled(
        self, account: QQAccount, target: Target | None, operator: int, messageId: int
    ) -> None:
        self.interactions.messageRecalled(account, target, operator, messageId)

    def memberMuted(
        self,
        account: QQAccount,
        target: Target,
        member: int,
        operator: int,
        seconds: int,
    ) -> None:
        self.interactions.memberMuted(target, member, operator, seconds)

    def memberPoked(
        self, account: QQAccount, target: Target, sender: int, poked: int, time: int
    ) -> None:
        self.interactions.memberPoked(account, target, sender, poked, time)

    def reactionChanged(
        self, account: QQAccount, target: Target, sender: int, reaction: Reaction
    ) -> None:
        self.interactions.reactionChanged(account, target, sender, reaction)

    def groupFileShared(
        self, account: QQAccount, target: Target, sender: int, file: AnyFile
    ) -> None:
        message = fileMessage(account.number, target, sender, file, self._links)
        self.messageReceived(account, message)

    def offlineFileReceived(
        self, account: QQAccount, sender: int, file: OfflineFile
    ) -> None:
        target = Target(TargetKind.CONTACT, sender)
        self.groupFileShared(account, target, sender, file)

    def typingNoticed(self, account: QQAccount, number: int) -> None:
        nick = self._nickOf(account, number)
        if nick is not None:
            for client in list(self.clients):
                client.showTyping(nick, number)

    def windowShaken(self, account: QQAccount, number: int) -> None:
        nick = self._nickOf(account, number)
        if nick is not None:
            self.conversations.record(
                self.conversations.newMessage(
                    Target(TargetKind.CONTACT, number),
                    account.number,
                    number,
                    nick,
                    "shakes your window",
                    command="NOTICE",
                )
            )

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        if self.directory.accountFor(target) is None:
            self.parted.forget(self.name, target)
            self.interactions.mutes.forget(target)
            name = self.directory.channelOf(target)
            for client in list(self.clients):
                client.hideChannel(target, name)

    def presenceChanged(self, account: QQAccount, number: int, status: Status) -> None:
        nick = self._nickOf(account, number)
        if nick is not None:
            for client in list(self.clients):
                client.showStatus(nick, number, status)

    def friendshipChanged(
        self, account: QQAccount, number: int, notice: FriendshipNotice
    ) -> None:
        if notice.step is FriendshipStep.REQUESTED:
            account.friendRequests[number] = notice
            self.conversations.notify(
                f"{number} wants to be a friend of {account.number}:"
                f" {displayName(notice.text)}"
            )
            self.conversations.notify(f"accept {number}, or deny {number}")
            return
        if notice.step is FriendshipStep.PASSED_AND_ADDED:
            # Our own request has accepted theirs.
            account.friendRequests.pop(number, None)
        self.conversations.notify(
            f"{number} {FRIENDSHIP_TEXTS[notice.step]}{inParentheses(notice.text)}"
        )

    def joinRequested(
        self, account: QQAccount, number: int, notice: GroupNotice
    ) -> None:
        target = Target(TargetKind.GROUP, notice.number)
        account.joinRequests[number, target] = notice
        name = self.directory.channelOf(target)
        text = displayName(notice.text)
        self.conversations.notify(f"{number} wants to join {name}: {text}")
        self.conversations.notify(f"accept {number} {name}, or deny {number} {name}")

    def joinAnswered(
        self, account: QQAccount, operator: int, answer: JoinRequestAnswered
    ) -> None:
        target = Target(TargetKind.GROUP, answer.number)
        answered = [
            key
            for key, notice in account.joinRequests.items()
            if key[1] == target and notice.member == answer.applicant
        ]
        for number, _ in answered:
            del account.joinRequests[number, target]
            if not answer.isAccepted and operator != account.number:
                name = self.directory.channelOf(target)
                self.conversations.notify(
                    f"{operator or 'an administrator'} has declined the request of"
                    f" {number} to join {name}"
                )

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        channel = self.directory.channelOf(Target(TargetKind.GROUP, notice.number))
        text = groupText(notice, self._memberName(account, notice), channel)
        self.conversations.notify(
            f"{account.number}: {text}{inParentheses(notice.text)}"
        )

    def _memberName(self, account: QQAccount, notice: GroupNotice) -> str:
        if not notice.member:
            return self.name
        number = notice.memberNumber or account.contacts.numberOf(notice.member)
        if not number:
            return "a member"
        return self.directory.nameOf(Target(TargetKind.CONTACT, number))

    def _nickOf(self, account: QQAccount, number: int) -> str | None:
        name = account.contacts.friendName(number)
        return None if name is None else self.directory.nickOf(number, name)


def _authorName(account: QQAccount, message: IncomingMessage) -> str:
    friend = account.contacts.friendName(message.author)
    if friend is not None:
        return friend
    conversations = account.contacts.conversations
    conversation = conversations.get(message.target)
    searched = conversations.values() if conversation is None else [conversation]
    names = (
        member.name
        for each in searched
        for member in each.members
        if member.number == message.author
    )
    return next(names, "")


async def _setStatus(account: QQAccount, status: Status) -> str:
    try:
        await account.online.setStatus(status)
    except WebQQError as e:
        return f"Setting {account.number} to {status.value} failed: {e}"
    return f"{account.number} is now {status.value}"
