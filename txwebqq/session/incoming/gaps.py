"""
Reports of messages that did not come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import NotSent, RequestRefused, WebQQError
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import (
    Code,
    Did,
    DiscussionMessage,
    Gid,
    GroupMessage,
    GroupNotice,
    HistoryStretch,
    MessageSent,
    MessagesMissed,
    Number,
)
from txwebqq.session.incoming.counts import IncomingCounts
from txwebqq.session.incoming.sequences import Conversation, Sequences
from txwebqq.wire.command import Command
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.groupmember import MessageFilter
from txwebqq.wire.commands.history import GetOnePage, GroupChatLog, HistoryRange
from txwebqq.wire.commands.messages import SendQunMsg2

PATIENCE = 5.0
"""Seconds for which a message may come late, or the answer to an own one, before a
gap is judged. The server writes its history within one."""

MAX_CHECKED = 100
"""Messages of the history that are fetched to judge one gap."""


class GapDetector:
    """
    Finds gaps in the numbers of the messages of one sign-on, and tells the
    application of them.

    @param tell: tells the application.

    Numbers are absent for other reasons as well: own messages have numbers, and so
    have recalled ones. So the history of the server is asked for what is absent; a
    server without one is taken at its numbers.
    """

    _log = Logger()

    def __init__(
        self,
        number: Number,
        transport: IWebQQTransport,
        tell: Callable[[MessagesMissed], None],
        counts: IncomingCounts,
        clock: IReactorTime,
    ) -> None:
        self._number = number
        self._transport = transport
        self._tell = tell
        self._counts = counts
        self._clock = clock
        self._sequences = Sequences()
        # The permanent numbers of groups with gaps, by gid.
        self._numbers: dict[int, Number] = {}
        self._later: IDelayedCall | None = None
        self._fetching: Deferred[Any] | None = None

    def received(self, event: object) -> None:
        """
        Note an event that is delivered.
        """
        kind = type(event)
        isMissing = False
        if kind is GroupMessage:
            assert isinstance(event, GroupMessage)
            isMissing = self._sequences.received(
                ("group", event.group), event.sequence, event.time
            )
            if isMissing:
                self._numbers[event.group] = event.number
        elif kind is DiscussionMessage:
            assert isinstance(event, DiscussionMessage)
            isMissing = self._sequences.received(
                ("discussion", event.discussion), event.sequence, event.time
            )
        elif isinstance(event, MessageSent):
            if event.group:
                self._sequences.sent(("group", event.group))
        elif isinstance(event, GroupNotice) and event.memberNumber == self._number:
            # We were away, or are.
            self._sequences.forget(("group", event.group))
        if isMissing and self._later is None and self._fetching is None:
            self._later = self._clock.callLater(PATIENCE, self._judge)

    def sending(
        self, command: Command[Any]
    ) -> Callable[[Deferred[Any]], Deferred[Any]] | None:
        """
        Note a request that is about to be sent.

        @return: adds callbacks to the request's Deferred, which pass its result on;
            L{None} for requests that do not matter.
        """
        conversation: Conversation
        if isinstance(command, SendQunMsg2):
            conversation = "group", command.group
        elif isinstance(command, SendDiscuMsg2):
            conversation = "discussion", command.did
        elif isinstance(command, MessageFilter):
            # Messages do not come for a time, or come again.
            self._sequences.forget()
            return lambda asked: asked.addBoth(self._filtered)
        else:
            return None
        self._sequences.sent(conversation)
        return lambda asked: asked.addErrback(self._ebSent, conversation)

    def _filtered(self, result: Any) -> Any:
        self._sequences.forget()
        return result

    def _ebSent(self, failure: Failure, conversation: Conversation) -> Failure:
        if failure.check(RequestRefused, NotSent):
            self._sequences.sent(conversation, -1)
        return failure

    def stop(self) -> None:
        """
        Forget all gaps, at the end of the sign-on.
        """
        # The application may sign off when it is told of one.
        self._sequences.forget()
        later, self._later = self._later, None
        if later is not None:
            later.cancel()
        fetching, self._fetching = self._fetching, None
        if fetching is not None:
            fetching.cancel()

    def _judge(self) -> None:
        self._later = None
        suspects = self._sequences.suspects()
        if suspects:
            self._check(suspects[0])

    def _check(self, conversation: Conversation) -> None:
        _, certain, holes = self._sequences.take(conversation)
        first, last = holes[0][0], holes[-1][1]
        stretch = HistoryRange(MAX_CHECKED, first, last)
        kind, where = conversation
        group = self._transport.groups.get(Gid(where))
        if kind == "discussion":
            asked = self._transport.call(GetOnePage, Did(where), stretch)
        else:
            code = Code(0) if group is None else group.code
            asked = self._transport.call(GroupChatLog, code, stretch)
        self._fetching = asked

        def cbFetched(found: HistoryStretch) -> None:
            numbers = [message.sequence for message in found.messages]
            # Else it is no history, or one without numbers.
            if last not in numbers:
                done(certain)
                return
            count = sum(
                1
                for message in found.messages
                if int(message.sender) != self._number
                and any(a < message.sequence < b for a, b in holes)
            )
            isWhole = len(numbers) < MAX_CHECKED or numbers[0] <= first + 1
            done(count if isWhole else max(count, certain))

        def ebFetched(failure: Failure) -> None:
            failure.trap(WebQQError)
            # Our own cancel fails the request as well.
            if self._fetching is not None:
                done(certain)

        def done(count: int) -> None:
            self._fetching = None
            if count > 0:
                self._report(conversation, count, first, last)
            if self._later is None and self._sequences.suspects():
                self._later = self._clock.callLater(0, self._judge)

        asked.addCallbacks(cbFetched, ebFetched).addErrback(
            lambda failure: self._log.failure(
                "Internal error while looking for missing messages (account {number}).",
                failure=failure,
                number=self._number,
            )
        )

    def _report(
        self, conversation: Conversation, count: int, after: int, before: int
    ) -> None:
        self._counts.missed += count
        kind, where = conversation
        isGroup = kind == "group"
        group = self._transport.groups.get(Gid(where)) if isGroup else None
        self._log.warn(
            "Messages were missed (account {number}): {count} in {kind} {where},"
            " between the numbers {after} and {before}.",
            number=self._number,
            count=count,
            kind=kind,
            where=self._numbers.get(where, where) if isGroup else where,
            after=after,
            before=before,
        )
        notice = MessagesMissed(
            count=count,
            after=after,
            before=before,
            group=Gid(where if isGroup else 0),
            code=Code(0) if group is None else group.code,
            number=self._numbers.get(where, Number(0)) if isGroup else Number(0),
            discussion=Did(0 if isGroup else where),
        )
        self._tell(notice)
