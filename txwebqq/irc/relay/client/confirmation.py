"""
Confirmation of the messages that were sent on one IRC connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.errors import DeliveryRefused

ECHO_TIMEOUT = 5.0
"""The seconds until a message that the server has not echoed is followed by a
C{PING}: a server may drop a message without a word."""

PROBE_TIMEOUT = 30.0
"""The seconds until an unanswered C{PING} or C{NOTICE} is sent once more, and
from then until the connection is given up."""

_MAX_MISSING = 2
"""The number of missing echoes after which messages are confirmed by C{PING}."""


class Confirmation(Enum):
    """
    The means by which messages are confirmed.
    """

    PING = auto()
    """A C{PING} behind each message: servers answer in order."""
    ECHO = auto()
    """The copy of the message that a server with C{echo-message} sends."""
    COPY = auto()
    """A copy of the message, which is also sent to the own nick: one command for
    both, where servers limit the pace of commands."""
    NOTICE = auto()
    """A C{NOTICE} to the own nick behind each message. A bouncer answers C{PING}
    itself, also while it has no connection to the network."""


_ECHOES = frozenset({Confirmation.ECHO, Confirmation.COPY})
"""The means by which the server sends the message back."""


@dataclass(slots=True, eq=False)
class _Unconfirmed:
    """
    A message that is not confirmed, or that was refused and of which the copy has
    not come.

    @ivar channel: the casefolded name of its channel.
    @ivar command: C{PRIVMSG} or C{RELAYMSG}.
    @ivar probes: the number of C{PING}s or C{NOTICE}s that were sent.
    """

    token: str
    channel: str
    command: str
    means: Confirmation
    confirmed: Deferred[str]
    probes: int = 0
    timer: IDelayedCall | None = None


class ConfirmationQueue:
    """
    The messages of one connection that are not confirmed, in the order in which
    they were sent.

    @param send: sends a line.
    @param unanswered: called when the server confirms nothing any more.
    """

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[Line], None],
        unanswered: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._send = send
        self._unanswered = unanswered
        self._messages: list[_Unconfirmed] = []
        self._serial = 0
        # The number of messages in a row that were processed, and not echoed.
        self._missingEchoes = 0

    def send(
        self, channel: str, line: Line, nick: str, means: Confirmation
    ) -> Deferred[str]:
        """
        Send a message, and wait until it is confirmed.

        @param channel: the casefolded name of its channel.
        @param nick: the own nick.
        @return: fires when the server has processed the message, with its C{msgid}
            or C{""}; fails with L{DeliveryRefused}.
        """
        self._serial += 1
        if means in _ECHOES and self._missingEchoes >= _MAX_MISSING:
            means = Confirmation.PING
        if means is Confirmation.COPY:
            target, *rest = line.params
            line = replace(line, params=(f"{target},{nick}", *rest))
        message = _Unconfirmed(
            f"txwebqq{self._serial}",
            channel,
            line.command,
            means,
            Deferred(lambda _: self._remove(message)),
        )
        self._messages.append(message)
        self._send(line)
        if means in _ECHOES:
            self._wait(ECHO_TIMEOUT, message, nick)
        else:
            self._probe(message, nick)
        return message.confirmed

    def _wait(self, seconds: float, message: _Unconfirmed, nick: str) -> None:
        message.timer = self._clock.callLater(seconds, self._probe, message, nick)

    def _probe(self, message: _Unconfirmed, nick: str) -> None:
        if message.probes == 2:
            self._unanswered()
            return
        message.probes += 1
        if message.means is Confirmation.NOTICE:
            self._send(Line("NOTICE", (nick, message.token)))
        else:
            self._send(Line("PING", (message.token,)))
        self._wait(PROBE_TIMEOUT, message, nick)

    def answered(self, tokens: tuple[str, ...]) -> None:
        """
        Confirm the message with one of some tokens, and all before it: the answer
        to an earlier one may be lost.
        """
        for at, message in enumerate(self._messages):
            if message.token in tokens:
                self._missingEchoes += message.means in _ECHOES
                for each in self._messages[: at + 1]:
                    self._confirm(each)
                return

    def echoed(self, channel: str, command: str, msgid: str = "") -> None:
        """
        Confirm the first message of a channel. Servers change the text of some
        messages, so it is not compared.

        @param msgid: the C{msgid} of the echo, C{""} for none.
        """
        for message in self._messages:
            isEchoed = message.means is not Confirmation.NOTICE
            if isEchoed and (message.channel, message.command) == (channel, command):
                self._echoConfirmed(message, msgid)
                return

    def copied(self) -> None:
        """
        Confirm the first message that was sent to the own nick as well.
        """
        for message in self._messages:
            if message.means is Confirmation.COPY:
                self._echoConfirmed(message)
                return

    def _echoConfirmed(self, message: _Unconfirmed, msgid: str = "") -> None:
        self._missingEchoes = 0
        self._confirm(message, msgid)

    def refused(self, channel: str, command: str, problem: DeliveryRefused) -> None:
        """
        Fail the first message of a channel or with a command, each C{""} for any.
        """
        for message in self._messages:
            isMeant = channel in ("", message.channel)
            isMeant = isMeant and command in ("", message.command)
            if isMeant and not message.confirmed.called:
                # The copy to the own nick still comes, and is that of no other
                # message.
                if message.means is not Confirmation.COPY:
                    self._remove(message)
                message.confirmed.errback(problem)
                return

    def failAll(self, error: Callable[[], Exception]) -> None:
        """
        Fail all messages: the connection is lost.
        """
        for message in list(self._messages):
            self._remove(message)
            if not message.confirmed.called:
                message.confirmed.errback(error())

    def _confirm(self, message: _Unconfirmed, msgid: str = "") -> None:
        self._remove(message)
        if not message.confirmed.called:
            message.confirmed.callback(msgid)

    def _remove(self, message: _Unconfirmed) -> None:
        if message in self._messages:
            self._messages.remove(message)
        if message.timer is not None and message.timer.active():
            message.timer.cancel()
