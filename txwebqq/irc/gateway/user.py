"""
Somebody who uses the gateway, with their QQ accounts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from zlib import crc32

from twisted.internet.defer import Deferred, fail

from txwebqq import model
from txwebqq.errors import CaptchaUnsolved
from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.bot.bot import ServiceBot
from txwebqq.irc.gateway.conversations import Conversations
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.names import NameTable
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.protocol.formatting import formatted
from txwebqq.irc.protocol.nicknames import Romanise
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.content import contentToText, parseQQAction
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    FriendshipNotice,
    FriendshipStep,
    GroupNotice,
    GroupStep,
    Status,
)
from txwebqq.service import WebQQService

_STEPS = {
    FriendshipStep.PASSED: "lets you have them for a friend",
    FriendshipStep.PASSED_AND_ADDED: "is your friend now",
    FriendshipStep.REJECTED: "does not want to be your friend",
    FriendshipStep.ADDED: "has added you",
    FriendshipStep.ADDED_UNSIGNED: "has added you",
}


class GatewayUser(Conversations, AccountListener):
    """
    One of them. Their accounts stay signed on when all clients have left.

    @param seconds: the time, in Unix seconds.
    @param romanise: writes Chinese in Latin letters.
    @param links: shows pictures, L{None} for not at all.

    @ivar services: what keeps the accounts signed on, by number.
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
    ) -> None:
        super().__init__(
            settings, names, history, seconds, preferences, parted, romanise
        )
        self._links = links
        self.services: dict[int, WebQQService] = {}
        self._captchas: list[Deferred[str]] = []
        for account in settings.accounts:
            number = account.account.number
            self.accounts[number] = QQAccount(number, self)

    async def answer(self, text: str) -> list[HistoryMessage]:
        said: list[HistoryMessage] = []
        await ServiceBot(self, lambda line: said.extend(self.botLines(line))).do(text)
        return said

    # ---- accounts

    def signOn(self, number: int) -> None:
        """
        Have an account signed on.
        """
        self.services[number].signOn()

    def signOff(self, number: int) -> Deferred[None]:
        """
        Have it signed off, until somebody wants it back.
        """
        return self.services[number].signOff()

    def solve(self, text: str) -> bool:
        """
        Give what somebody has read to whoever waits first.
        """
        if not self._captchas:
            return False
        self._captchas.pop(0).callback(text)
        return True

    # ---- what residents tell

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        """
        Ask for a captcha to be read.
        """
        link = self._link(image)
        if link is None:
            self.tell(
                f"{account.number} cannot be signed on: the server wants a captcha"
                " read, and the gateway has no pictures-listen to show it by"
            )
            return fail(CaptchaUnsolved("nobody could see it"))
        self.tell(f"{account.number} is asked to read a captcha: {link}")
        self.tell("Answer with: captcha TEXT")
        answer: Deferred[str] = Deferred(self._captchas.remove)
        self._captchas.append(answer)
        return answer

    def _link(self, picture: bytes) -> str | None:
        return self._links.keep(picture) if picture and self._links else None

    def signedOn(self, account: QQAccount) -> None:
        """
        It is signed on, and everybody is known.
        """
        self.tell(
            f"{account.number} is signed on: {len(account.contacts.friends)} friends,"
            f" {len(account.contacts.conversations)} groups"
        )
        self.contactsChanged(account)

    def contactsChanged(self, account: QQAccount) -> None:
        """
        It knows others than before, or other things of them.
        """
        for number in account.contacts.friends:
            buddy = account.contacts.friend(number)
            if buddy is not None:
                self.nickOf(number, buddy.name)
        for channel in self.channels():
            for client in list(self.clients):
                client.showChannel(channel)
        self._refreshPresence()

    def signedOff(self, account: QQAccount) -> None:
        """
        It is not signed on any more, for whatever reason.
        """
        self._refreshPresence()

    def _refreshPresence(self) -> None:
        for client in list(self.clients):
            client.presenceRefreshed()

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        """
        And nobody wanted that.
        """
        then = (
            f"login {account.number} signs it on again"
            if isForGood
            else "it is being signed on again"
        )
        self.tell(f"{account.number} has lost its connection ({reason}); {then}")

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Somebody wrote.
        """
        target = message.target
        name = self._nameOf(account, message)
        nick = self.nickOf(message.author, name)
        links = [self._link(picture) or "" for picture in message.pictures]
        text = contentToText(message.content, links)
        if self.isFormatted and parseQQAction(text) is None:
            text = formatted(text, message.font)
        origin = f"{message.author} {message.time} {crc32(text.encode()):x}"
        entry = self.entry(
            target,
            account.number,
            message.author,
            nick,
            text,
            message.time,
        )
        if target.kind is not TargetKind.CONTACT:
            # Each of our accounts in a group is told.
            entry = replace(entry, origin=origin)
        self.record(entry)

    def typingNoticed(self, account: QQAccount, number: int) -> None:
        """
        A friend is typing.
        """
        buddy = account.contacts.friend(number)
        if buddy is not None:
            nick = self.nickOf(number, buddy.name)
            for client in list(self.clients):
                client.typing(nick, number)

    def windowShaken(self, account: QQAccount, number: int) -> None:
        """
        A friend shakes our window.
        """
        buddy = account.contacts.friend(number)
        if buddy is not None:
            target, nick = (
                Target(TargetKind.CONTACT, number),
                self.nickOf(number, buddy.name),
            )
            text = "shakes your window"
            self.record(
                self.entry(target, account.number, number, nick, text, command="NOTICE")
            )

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        It is in a group or a discussion no longer.
        """
        if self.residentOf(target) is None:
            self.parted.forget(self.name, target)
            for client in list(self.clients):
                client.hideChannel(target, self.channelOf(target))

    def _nameOf(self, account: QQAccount, message: IncomingMessage) -> str:
        buddy = account.contacts.friend(message.author)
        if buddy is not None:
            return buddy.name
        here = account.contacts.conversations.get(message.target)
        conversations = (
            account.contacts.conversations.values() if here is None else (here,)
        )
        names = (
            m.name
            for r in conversations
            for m in r.members
            if m.number == message.author
        )
        return next(names, "")

    def presenceChanged(self, account: QQAccount, number: int, status: Status) -> None:
        """
        A friend came, went or changed.
        """
        buddy = account.contacts.friend(number)
        if buddy is not None:
            nick = self.nickOf(number, buddy.name)
            for client in list(self.clients):
                client.appeared(nick, number, status)

    def friendshipChanged(
        self, account: QQAccount, number: int, notice: FriendshipNotice
    ) -> None:
        """
        A step of somebody on the way to a friendship.
        """
        if notice.step is FriendshipStep.REQUESTED:
            account.friendRequests[number] = notice
            self.tell(
                f"{number} wants to be a friend of {account.number}: {notice.text}"
            )
            self.tell(f"accept {number}, or deny {number}")
            return
        words = f" ({notice.text})" if notice.text else ""
        self.tell(f"{number} {_STEPS[notice.step]}{words}")

    def joinRequested(
        self, account: QQAccount, number: int, notice: GroupNotice
    ) -> None:
        """
        Somebody wants to be in a group of ours.
        """
        target = Target(TargetKind.GROUP, notice.number)
        account.joinRequests[number, target] = notice
        name = self.channelOf(target)
        self.tell(f"{number} wants to join {name}: {notice.text}")
        self.tell(f"accept {number} {name}, or deny {number} {name}")

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        """
        A step of somebody into or out of a group.
        """
        where = self.channelOf(Target(TargetKind.GROUP, notice.number))
        who = self._whoIn(account, notice)
        words = f" ({notice.text})" if notice.text else ""
        self.tell(f"{account.number}: {_told(notice, who, where)}{words}")

    def _whoIn(self, account: QQAccount, notice: GroupNotice) -> str:
        if not notice.member:
            return self.name
        number = notice.memberNumber or account.contacts.numberOf(notice.member)
        return self.nameOf(Target(TargetKind.CONTACT, number)) if number else "somebody"


def _told(notice: GroupNotice, who: str, where: str) -> str:
    match notice.step, notice.operation:
        case GroupStep.CREATED, _:
            return f"{where} is a new group"
        case GroupStep.JOINED, _:
            return f"{who} is in {where} now"
        case GroupStep.LEFT, model.DISSOLVED:
            return f"{where} is no more"
        case GroupStep.LEFT, model.REMOVED:
            return f"{who} was put out of {where}"
        case GroupStep.LEFT, _:
            return f"{who} has left {where}"
        case GroupStep.AGREED, _:
            return f"you may join {where}"
        case GroupStep.DENIED, _:
            return f"you may not join {where}"
        case GroupStep.ADMIN, model.OWNER_CHANGED:
            return f"{who} owns {where} now"
        case GroupStep.ADMIN, (1 | 3):
            return f"{who} administers {where} now"
        case _:
            return f"{who} administers {where} no longer"
