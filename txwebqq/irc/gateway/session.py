"""
One registered IRC client: its channels, its C{MONITOR} list, and what it is
shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from inspect import isawaitable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from txwebqq.irc.gateway.attachedclient import AttachedClient, ChannelView
from txwebqq.irc.gateway.capabilities import Capabilities
from txwebqq.irc.gateway.channels import ClientChannels
from txwebqq.irc.gateway.connection import ClientConnection, ReceiptConfirmation
from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.gateway.monitorlist import MonitorList
from txwebqq.irc.gateway.multiline import OpenBatch
from txwebqq.irc.gateway.rendering import MessageRenderer
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.batch import labeledResponse
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Status

Answer = Iterable[Line] | Awaitable[Iterable[Line]] | None
"""The answer of a command's handler, now or later; L{None} if the handler
answers by itself or a later command does."""

MAX_LABEL = 64
"""Maximum length of a label (IRCv3 C{labeled-response}), in characters."""


class ClientSession(AttachedClient):
    """
    A registered IRC client, as the handlers of its commands and its
    L{GatewayUser} see it.

    @ivar user: the gateway user.
    @ivar motd: the message of the day; C{""} for none.
    @ivar capabilities: the client's capabilities.
    @ivar builder: builds the lines that the client is sent.
    @ivar renderer: renders messages for the client.
    @ivar channels: the client's channels.
    @ivar monitor: the client's C{MONITOR} list.
    @ivar openBatch: the multiline batch that the client has begun.
    @ivar confirmation: asks which messages the client has received.
    """

    _log = Logger()

    def __init__(
        self,
        connection: ClientConnection,
        user: GatewayUser,
        capabilities: Capabilities,
        serverName: str,
        nick: str,
        key: str,
        motd: str,
    ) -> None:
        self.key = key
        self.user = user
        self.motd = motd
        self.capabilities = capabilities
        self.builder = LineBuilder(
            connection, capabilities, serverName, user.name, nick
        )
        self.renderer = MessageRenderer(self.builder, user)
        self.channels = ClientChannels(self.builder, user, key)
        self.monitor = MonitorList(self.builder, user.directory)
        self.openBatch: OpenBatch | None = None
        self.confirmation = ReceiptConfirmation(
            connection.clock,
            user.history.seen.last(user.name, key),
            lambda token: self.send([Line("PING", (token,))]),
            partial(user.history.seen.mark, user.name, key),
        )
        self._connection = connection

    @property
    def nick(self) -> str:
        return self.builder.nick

    def setNick(self, nick: str) -> Line:
        """
        Change the client's nick.

        @return: the line that confirms it.
        """
        line = self.builder.fromUser("NICK", nick)
        self.builder.nick = nick
        return line

    def close(self, reason: str) -> None:
        """
        Close the connection.
        """
        self._connection.close(reason)

    def send(self, lines: Iterable[Line]) -> None:
        """
        Send lines to the client.
        """
        for line in lines:
            self._connection.sendLine(line)

    def answer(
        self, command: str, perform: Callable[[], Answer], label: str = ""
    ) -> None:
        """
        Perform a command, and send its answer, now or when it is known; numeric
        400 when the command has failed unexpectedly.

        @param label: the label of the command, or C{""}.
        """
        try:
            answer = perform()
            if answer is None:
                return
            if isawaitable(answer):
                Deferred.fromCoroutine(self._answerLater(command, answer, label))
                return
            lines = list(answer)
        except Exception:
            lines = [self._failed(command)]
        self._sendAnswer(lines, label)

    async def _answerLater(
        self, command: str, answer: Awaitable[Iterable[Line]], label: str
    ) -> None:
        try:
            lines = list(await answer)
        except Exception:
            lines = [self._failed(command)]
        self._sendAnswer(lines, label)

    def _failed(self, command: str) -> Line:
        """
        Log the exception that is being handled, and return its numeric.
        """
        self._log.failure(
            "The IRC command {command} failed (user {user}).",
            command=command,
            user=self.user.name,
        )
        return self.builder.numeric("400", command, "The gateway failed; see its log")

    def _sendAnswer(self, lines: list[Line], label: str) -> None:
        builder = self.builder
        if 0 < len(label) <= MAX_LABEL and builder.has("labeled-response", "batch"):
            reference = builder.nextReference()
            lines = labeledResponse(label, lines, reference, builder.serverName)
        self.send(lines)

    def showMessage(self, message: HistoryMessage) -> None:
        if self._isShown(message.target):
            self._connection.sendEncoded(self.renderer.encoded(message))

    def messageStored(self, serial: int, isOwn: bool) -> None:
        confirmation = self.confirmation
        isKnown = isOwn and not self.builder.has("echo-message")
        if isKnown and confirmation.isComplete:
            # The client knows what it has said.
            confirmation.received(serial)
        else:
            confirmation.sent(serial)

    def playBack(self, missed: Sequence[HistoryMessage]) -> None:
        if self.builder.has("draft/chathistory"):
            # The client asks for the history itself.
            return
        if not self.builder.has("batch"):
            for message in missed:
                self.showMessage(message)
            return
        conversations: dict[Target, list[HistoryMessage]] = {}
        for message in missed:
            conversations.setdefault(message.target, []).append(message)
        for target, messages in conversations.items():
            if self._isShown(target):
                self.send(self.renderer.renderHistory(target, messages))

    def _isShown(self, target: Target) -> bool:
        """
        Check whether the client is shown messages of a conversation. A channel
        that it has neither joined nor parted from is joined.
        """
        if target.kind not in (TargetKind.GROUP, TargetKind.DISCUSSION):
            return True
        if self.channels.isParted(target):
            return False
        name = self.user.directory.channelOf(target)
        if self.channels.named(name) is None:
            # Messages are played back before the account is signed on again.
            self.showChannel(ChannelView(name, target, "", ()))
        return True

    def showChannel(self, channel: ChannelView) -> None:
        self.send(self.channels.update(channel))

    def hideChannel(self, target: Target, name: str) -> None:
        self.send(self.channels.remove(target, name))

    def showTyping(self, nick: str, number: int) -> None:
        builder = self.builder
        if builder.has("message-tags"):
            tags = {"+typing": "active"}
            self.send(
                [builder.fromContact(nick, number, "TAGMSG", builder.nick, tags=tags)]
            )

    def showMute(
        self, target: Target, member: int, operator: int, isMuted: bool
    ) -> None:
        if self._isShown(target):
            self.send(self.renderer.mute(target, member, operator, isMuted))

    def showReaction(
        self, message: HistoryMessage, sender: int, nick: str, tag: str, text: str
    ) -> None:
        if self.builder.has("message-tags") and self._isShown(message.target):
            self.send([self.renderer.reaction(message, sender, nick, tag, text)])

    def targetRenamed(self, before: str, target: Target, after: str) -> None:
        if target.kind is TargetKind.CONTACT:
            self.send(self.channels.renameContact(before, target.number, after))
            return
        self.send(self.channels.renameChannel(before, after))
        for channel in self.user.directory.channels([target]):
            self.showChannel(channel)

    def showStatus(self, nick: str, number: int, status: Status) -> None:
        if self.builder.has("away-notify"):
            away = awayText(status)
            params = (away,) if away else ()
            self.send([self.builder.fromContact(nick, number, "AWAY", *params)])
        self.refreshPresence()

    def refreshPresence(self) -> None:
        self.send(self.monitor.changes())


def awayText(status: Status | None) -> str:
    """
    Return the away message of a contact with this status; C{""} for a contact
    who is not away, or whose status is not known.
    """
    if status is None or status in (Status.ONLINE, Status.CALLME):
        return ""
    text: str = status.value
    return text
