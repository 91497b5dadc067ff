"""
The accounts of a client daemon: their states, sign-ons and messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txwebqq.accounts import Access, makeAccount
from txwebqq.errors import (
    NotSent,
    NotSignedOn,
    PartlySent,
    RequestRefused,
    SessionExpired,
)
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import (
    Account,
    AccountState,
    Delivered,
    DiscussionMessage,
    Event,
    Failed,
    GroupMessage,
    Message,
    Number,
    SendOutcome,
    StrangerMessage,
    Uncertain,
)
from txwebqq.operation.factories import FactoryWrapper
from txwebqq.operation.metrics import Sample, counter, gauge
from txwebqq.requests.outcomes import outcomeOfFailure
from txwebqq.session.signoncounts import SignOnCounts

STATE = gauge(
    "txwebqq_account_state",
    "1 for the present state of an account, 0 for the other states.",
    "account",
    "state",
)
SIGN_ONS = counter(
    "txwebqq_sign_ons_total",
    "Sign-ons of an account that have ended, by outcome.",
    "account",
    "outcome",
)
RECONNECTS = counter(
    "txwebqq_reconnects_total",
    "Times an account was online again: by resuming its session, or by a sign-on.",
    "account",
    "way",
)
LOST = counter(
    "txwebqq_sessions_lost_total",
    "Sessions of an account that were not ended by us, by reason.",
    "account",
    "reason",
)
POLL_FAILURES = counter(
    "txwebqq_poll_failures_total",
    "Polls of an account that have failed.",
    "account",
)
DEAF = counter(
    "txwebqq_deaf_sessions_total",
    "Sessions whose polls were answered but brought no events.",
    "account",
)
MISSED = counter(
    "txwebqq_messages_missed_total",
    "Messages of groups and discussions that did not come, by their numbers.",
    "account",
)
REPEATED = counter(
    "txwebqq_events_repeated_total",
    "Events that came again after a restart, and were dropped.",
    "account",
)
DROPPED = counter(
    "txwebqq_events_dropped_total",
    "Events that were dropped because the application was too slow.",
    "account",
)
UNFINISHED = gauge(
    "txwebqq_callbacks_unfinished",
    "Callbacks of the application that have not finished.",
    "account",
)
HELD = gauge(
    "txwebqq_events_held",
    "1 while events of an account wait for the application.",
    "account",
)
RECEIVED = counter(
    "txwebqq_messages_received_total",
    "Messages that were given to the application, by kind.",
    "account",
    "kind",
)
SENT = counter(
    "txwebqq_messages_sent_total",
    "Messages that were to be sent, by kind and outcome.",
    "account",
    "kind",
    "outcome",
)

_RECEIVED_KINDS: Mapping[type[Event], str] = {
    Message: "friend",
    GroupMessage: "group",
    DiscussionMessage: "discussion",
    StrangerMessage: "temporary",
}

_SENT_KINDS = {
    "buddy": "friend",
    "group": "group",
    "discussion": "discussion",
    "stranger": "temporary",
}

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (PartlySent, "partly_sent"),
    (RequestRefused, "refused"),
    (NotSignedOn, "not_signed_on"),
    (SessionExpired, "not_signed_on"),
    (NotSent, "not_sent"),
)
"""The reasons for which a message was not delivered; the first class that fits
decides."""

MISUSED = "error"
"""Other reasons, such as a content that cannot be sent."""


def outcomeLabel(outcome: SendOutcome) -> str:
    """
    Return the value of the label C{outcome}.
    """
    match outcome:
        case Delivered():
            return "accepted"
        case Failed(reason) | Uncertain(PartlySent() as reason):
            found = (name for error, name in _REASONS if isinstance(reason, error))
            return next(found, MISUSED)
        case Uncertain():
            return "uncertain"


class MessageCounts:
    """
    Counts of the messages of one account.

    @ivar received: by the class of the event.
    @ivar sent: by the kind of the conversation and the outcome.
    """

    def __init__(self) -> None:
        self.received: Counter[type[Event]] = Counter()
        self.sent: Counter[tuple[str, str]] = Counter()

    def countSent(self, result: Any, kind: str) -> Any:
        """
        Count a message that was to be sent, and pass its result on.
        """
        label = "accepted"
        if isinstance(result, Failure):
            label = outcomeLabel(outcomeOfFailure(result))
        self.sent[kind, label] += 1
        return result


class CountedFactory(FactoryWrapper):
    """
    Builds the protocols of another factory, whose messages are counted.
    """

    def __init__(self, factory: FactoryOf[Any], counts: MessageCounts) -> None:
        super().__init__(factory)
        self._counts = counts

    def prepare(self, account: Account, protocol: Any) -> None:
        """
        Have the calls C{eventReceived} and C{sendTo} of a protocol count.
        """
        received = self._counts.received
        eventReceived: Callable[[Event], object] = protocol.eventReceived

        def countReceived(event: Event) -> object:
            kind = type(event)
            if kind in _RECEIVED_KINDS:
                received[kind] += 1
            return eventReceived(event)

        protocol.eventReceived = countReceived
        # All requests that send messages call this one.
        sendTo = getattr(protocol, "sendTo", None)
        if sendTo is not None:
            countSent = self._counts.countSent

            def sendAndCount(
                conversation: tuple[str, int], *args: Any, **kwargs: Any
            ) -> Deferred[Any]:
                sent: Deferred[Any] = sendTo(conversation, *args, **kwargs)
                return sent.addBoth(countSent, conversation[0])

            protocol.sendTo = sendAndCount


class WatchedAccounts:
    """
    The accounts of a daemon
    (L{Source<txwebqq.operation.metrics.Source>}). The daemon is ready when all are
    signed on.
    """

    metrics = (
        STATE,
        SIGN_ONS,
        RECONNECTS,
        LOST,
        POLL_FAILURES,
        DEAF,
        MISSED,
        REPEATED,
        DROPPED,
        UNFINISHED,
        HELD,
        RECEIVED,
        SENT,
    )

    def __init__(self) -> None:
        self._accounts: dict[Number, tuple[SignOnCounts, MessageCounts]] = {}

    def makeAccount(
        self, account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
    ) -> IAccountService:
        """
        Make the service of an account, as L{txwebqq.accounts.makeAccount}, and watch
        it.
        """
        messages = MessageCounts()
        counted = CountedFactory(factory, messages)
        service: Any = makeAccount(account, access, counted, reactor)
        self.watch(account.number, service.signOns, messages)
        made: IAccountService = service
        return made

    def watch(
        self, number: Number, signOns: SignOnCounts, messages: MessageCounts
    ) -> None:
        """
        Watch an account.
        """
        self._accounts[number] = signOns, messages

    def samples(self) -> Iterator[Sample]:
        for number, (signOns, messages) in self._accounts.items():
            account = str(number)
            for state in AccountState:
                yield STATE, (account, state.value), float(state is signOns.state)
            for outcome, count in (
                ("signed_on", signOns.succeeded),
                ("failed", signOns.failed),
                ("captcha_unsolved", signOns.unsolved),
                ("refused", signOns.refused),
            ):
                yield SIGN_ONS, (account, outcome), count
            yield RECONNECTS, (account, "rejoin"), signOns.rejoined
            yield RECONNECTS, (account, "sign_on"), max(0, signOns.succeeded - 1)
            yield POLL_FAILURES, (account,), signOns.pollFailures
            for reason, count in (
                ("expired", signOns.expired),
                ("kicked", signOns.kicked),
                ("logged_out", signOns.loggedOut),
            ):
                yield LOST, (account, reason), count
            incoming = signOns.incoming
            yield DEAF, (account,), incoming.deaf
            yield MISSED, (account,), incoming.missed
            yield REPEATED, (account,), incoming.repeated
            yield DROPPED, (account,), incoming.dropped
            yield UNFINISHED, (account,), incoming.unfinished
            yield HELD, (account,), float(incoming.isHeld)
            for event, kind in _RECEIVED_KINDS.items():
                yield RECEIVED, (account, kind), messages.received[event]
            # The series that say that all is well, or not, are there from the start.
            for name, kind in _SENT_KINDS.items():
                outcomes = {"accepted", "uncertain"}
                outcomes.update(each for key, each in messages.sent if key == name)
                for outcome in sorted(outcomes):
                    sent = messages.sent[name, outcome]
                    yield SENT, (account, kind, outcome), sent

    def problems(self) -> Iterable[str]:
        for number, (signOns, _) in self._accounts.items():
            if signOns.state is not AccountState.ONLINE:
                state = signOns.state.value.replace("_", " ")
                reason = f": {signOns.reason}" if signOns.reason else ""
                yield f"account {number} is not signed on ({state}){reason}"

    def status(self) -> str:
        """
        Tell in one line how the accounts are.
        """
        count = len(self._accounts)
        if problems := list(self.problems()):
            isOne = len(problems) == 1
            return f"{count - len(problems)} of {count} accounts signed on: " + (
                problems[0] if isOne else f"{problems[0]}, and others"
            )
        return f"{count} of {count} accounts signed on"
