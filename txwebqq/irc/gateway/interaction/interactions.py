"""
Recalls, mutes, pokes, reactions and mentions of one gateway user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from txwebqq.irc.gateway.attachedclient import AttachedClient
from txwebqq.irc.gateway.conversations import Conversations
from txwebqq.irc.gateway.directory import NameDirectory
from txwebqq.irc.gateway.interaction.mentions import contentOf
from txwebqq.irc.gateway.interaction.mutes import GroupMutes
from txwebqq.irc.gateway.interaction.reactions import (
    ReactionStates,
    reactionText,
)
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import OWN_NICK, HistoryMessage
from txwebqq.irc.gateway.storage.mutes import StoredMutes
from txwebqq.irc.protocol.clienttags import REACT, UNREACT
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.contacts import Member
from txwebqq.irc.qq.content import ACTION_PREFIX
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Content, Mention, Number, Reaction, Reply
from txwebqq.ratelimit import RateLimiter

OWN_POKE_INTERVAL = 10.0
"""Time in which a second poke of a member by the user is taken for the same one, in
seconds: some servers tell an account of its own pokes, and others do not."""


class Interactions:
    """
    Shows the user's clients what happens to messages and members on QQ. Each change
    is shown once, although several accounts of the user may be told of it, and an
    account of its own commands.

    @param userName: the name of the gateway user.
    @param accounts: the user's QQ accounts, by number.
    @param clients: the user's attached clients.
    @param seconds: returns the time, in Unix seconds.
    @param mutes: the muted members, as the database has them.

    @ivar mutes: the muted members of groups.
    @ivar reasons: the reasons of C{REDACT} commands in progress, by the serial of
        the message.
    """

    def __init__(
        self,
        userName: str,
        directory: NameDirectory,
        accounts: Mapping[int, QQAccount],
        clients: Collection[AttachedClient],
        history: HistoryStore,
        conversations: Conversations,
        seconds: Callable[[], float],
        mutes: StoredMutes,
    ) -> None:
        self._userName = userName
        self._directory = directory
        self._accounts = accounts
        self._clients = clients
        self._references = history.references
        self._conversations = conversations
        self._seconds = seconds
        self._reactions = ReactionStates()
        self._ownPokes = RateLimiter(seconds, 1, OWN_POKE_INTERVAL)
        self.mutes = GroupMutes(mutes.load(), mutes.save)
        # Those that have ended while the gateway was not running.
        self.mutes.ended(seconds())
        self.reasons: dict[int, str] = {}

    def nickOf(
        self, account: QQAccount, target: Target, mention: Mention
    ) -> str | None:
        """
        Return the nick of the mentioned member of a channel, L{None} for a mention
        of all members or of an account that is no member.
        """
        number = mention.number
        if number in self._accounts:
            return OWN_NICK
        if _member(account, target, number) is None:
            return None
        return self._directory.knownNick(number)

    def contentFor(self, target: Target, text: str) -> Content:
        """
        Convert a text that a client has typed to a content, with mentions of the
        members of its target.
        """

        def memberOf(nick: str) -> Mention | None:
            named = self._directory.targetNamed(nick)
            if named is None or named.kind is not TargetKind.CONTACT:
                return None
            account = self._directory.accountFor(target)
            member = account and _member(account, target, named.number)
            return (
                Mention(Number(member.number), member.name or nick) if member else None
            )

        return contentOf(text, memberOf)

    def repliedTo(self, account: QQAccount, message: IncomingMessage) -> int:
        """
        Return the serial of the message to which another one is a reply, 0 for none
        and for one that is not stored.
        """
        for segment in message.content:
            if isinstance(segment, Reply):
                found = self._references.withId(
                    self._userName, message.target, account.number, segment.id
                )
                return 0 if found is None else found.serial
        return 0

    def messageRecalled(
        self, account: QQAccount, target: Target | None, operator: int, messageId: int
    ) -> None:
        """
        Called as L{AccountListener.messageRecalled
        <txwebqq.irc.qq.account.AccountListener.messageRecalled>}.
        """
        user, references = self._userName, self._references
        if target is None:
            message = references.sentToContact(user, account.number, messageId)
        else:
            message = references.withId(user, target, account.number, messageId)
        if message is not None:
            self.recall(message.serial, account, operator)

    def recall(self, serial: int, account: QQAccount, operator: int) -> None:
        """
        Show that a message was recalled, and show it no longer. No effect on one
        that was recalled before.

        @param operator: the number of the account that has recalled it; 0 where it
            is not known.
        """
        message = self._references.withSerial(self._userName, serial)
        if message is None or not message.command:
            return
        sender = operator or message.sender
        # The clients are shown the beginning of the text, so delete it afterwards.
        self._conversations.record(
            self._conversations.newMessage(
                message.target,
                account.number,
                sender,
                self._nick(sender),
                self.reasons.get(serial, ""),
                command="REDACT",
                reply=serial,
            )
        )
        self._references.recall(serial)

    def memberMuted(
        self, target: Target, member: int, operator: int, seconds: int
    ) -> None:
        """
        Called as L{AccountListener.memberMuted
        <txwebqq.irc.qq.account.AccountListener.memberMuted>}, and when a command has
        muted a member.
        """
        if self.mutes.change(target, member, seconds, self._seconds()):
            self._showMute(target, member, operator, bool(seconds))

    def endMutes(self) -> None:
        """
        Show which mutes have ended by themselves.
        """
        for target, member in self.mutes.ended(self._seconds()):
            self._showMute(target, member, 0, False)

    def _showMute(
        self, target: Target, member: int, operator: int, isMuted: bool
    ) -> None:
        for client in list(self._clients):
            client.showMute(target, member, operator, isMuted)

    def memberPoked(
        self, account: QQAccount, target: Target, sender: int, poked: int, time: int
    ) -> None:
        """
        Called as L{AccountListener.memberPoked
        <txwebqq.irc.qq.account.AccountListener.memberPoked>}, and when a command has
        poked a member.

        @param time: 0 for now.
        """
        if sender in self._accounts and not self._ownPokes.take((target, poked)):
            return
        nick = OWN_NICK if poked in self._accounts else self._nick(poked)
        self._conversations.record(
            self._conversations.newMessage(
                target,
                account.number,
                sender,
                self._nick(sender),
                f"{ACTION_PREFIX}pokes {nick}",
                time or None,
                origin=f"poke {sender} {poked} {time}" if time else "",
            )
        )

    def reactionChanged(
        self, account: QQAccount, target: Target, sender: int, reaction: Reaction
    ) -> None:
        """
        Called as L{AccountListener.reactionChanged
        <txwebqq.irc.qq.account.AccountListener.reactionChanged>}.
        """
        message = self._references.withId(
            self._userName, target, account.number, reaction.id
        )
        if message is not None:
            text = reactionText(reaction.face)
            self.react(message, sender, text, reaction.isSet)

    def react(
        self,
        message: HistoryMessage,
        sender: int,
        text: str,
        isSet: bool,
        exclude: AttachedClient | None = None,
    ) -> None:
        """
        Show a reaction, or that it was taken back.

        @param text: the reaction, as L{reactionText}.
        @param exclude: a client that is not shown it.
        """
        if not self._reactions.change(message.serial, sender, text, isSet):
            return
        tag, nick = REACT if isSet else UNREACT, self._nick(sender)
        for client in list(self._clients):
            if client is not exclude:
                client.showReaction(message, sender, nick, tag, text)

    def _nick(self, number: int) -> str:
        return self._directory.knownNick(number) or self._directory.nickOf(number, "")


def _member(account: QQAccount, target: Target, number: int) -> Member | None:
    conversation = account.contacts.conversations.get(target)
    members: Sequence[Member] = () if conversation is None else conversation.members
    return next((each for each in members if each.number == number), None)
