"""
The ledger of a chat on a bad day: what the server accepted, what was shown, and
what a fault proxy did in between.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from urllib.parse import parse_qs

from tests.network.faults import HARMLESS, Ending, Exchange, Fault

POLL = "/channel/poll2"


class Kind(Enum):
    """
    The kind of an entry.
    """

    FRIEND = "message to a friend"
    GROUP = "message in a group"
    DISCUSSION = "message in a discussion"
    STRANGER = "message to a stranger"
    SIGNATURE = "tip of a signature"
    REQUEST = "friend request"
    REFUSAL = "refusal of a friend request"
    APPLICATION = "request to join a group"
    REJECTION = "refusal of a request to join"
    FILE = "offline file"
    LINE = "line of an IRC channel"


WITH_IDS = frozenset({Kind.FRIEND, Kind.GROUP, Kind.DISCUSSION, Kind.STRANGER})
"""Kinds of events that have an id to acknowledge them by."""


class Outcome(Enum):
    """
    The sender's knowledge of what became of an entry.
    """

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    # The answer was lost: it may arrive, once.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Showing:
    """
    An entry was shown to its recipient.

    @ivar exchange: the poll that brought it, if the proxy saw it.
    """

    moment: int
    exchange: Exchange | None


@dataclass
class Entry:
    """
    An event that was sent, recognised by its token.

    @ivar place: the number of the friend, group or discussion.
    """

    token: str
    kind: Kind
    sender: int
    place: int
    recipients: frozenset[int]
    asked: int
    outcome: Outcome = Outcome.ASKED
    settled: int = 0
    shown: dict[int, list[Showing]] = field(default_factory=dict)


class Promise(Enum):
    """
    The delivery that a recipient's client may expect.
    """

    # Each entry once and in order.
    ORDERED = "once, in order"
    ONCE = "once"
    # Each entry at least once, if nothing incurable happened.
    REPEATED = "once or more"


# Behind a proxy that reads an answer to its end and passes it on to nobody, a
# server cannot know of it unless the connection ends in a way that tells.
_SWALLOWING = (Fault.ANSWER_LOST, Fault.ANSWER_CUT, Fault.ABANDONED)


def _swallowed(*endings: Ending) -> frozenset[tuple[Fault, Ending]]:
    return frozenset((fault, end) for fault in _SWALLOWING for end in endings)


INCURABLE_KEPT = _swallowed(Ending.LEFT)
"""The faults that cannot be cured for a client without C{ack} that keeps its
connection: the fault, and the end of the server's side."""

INCURABLE_CLOSED = _swallowed(Ending.LEFT, Ending.CLOSED, Ending.TORN)
"""The same for one that asks for its connection to be closed after each answer,
so that only a reset tells."""

INCURABLE_CLOSED_TLS = _swallowed(*Ending)
"""The same over TLS, where many end their connections as if by a reset."""


@dataclass
class Client:
    """
    A recipient, as far as the judgement needs to know it.

    @ivar exchanges: what its proxy saw; empty without one.
    @ivar incurable: faults, with ends of the server's side, after which it may
        miss what an answer held.
    @ivar namesIds: whether it acknowledges messages by C{ids}, which cures
        those faults for messages, from the first that it names in a session.
    @ivar signedOn: the moments of its sign-ons.
    """

    number: int
    name: str
    promise: Promise
    exchanges: list[Exchange] = field(default_factory=list)
    incurable: frozenset[tuple[Fault, Ending]] = frozenset()
    namesIds: bool = False
    signedOn: list[int] = field(default_factory=list)


@dataclass
class Verdict:
    """
    The judgement.

    @ivar wrongs: what must not be, each with the story of its entry.
    @ivar accepted: entries by kind.
    @ivar shown: showings by client.
    @ivar doubles: explained ones, by client.
    @ivar excused: losses that cannot be cured, by client.
    """

    wrongs: list[str] = field(default_factory=list)
    accepted: Counter[Kind] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    doubles: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


class Ledger:
    """
    All entries, on one count of moments.

    @ivar kills: the moments at which the server was killed.
    @ivar mayBeLate: whether a message that the sender was not told the outcome of may
        come after later ones: its request may have waited at a stopped process.
    """

    def __init__(self) -> None:
        self.mayBeLate = False
        self.entries: dict[str, Entry] = {}
        self.kills: list[int] = []
        self.clients: dict[int, Client] = {}
        self.strays: list[str] = []
        self._moments = 0

    def moment(self) -> int:
        """
        The next moment.
        """
        self._moments += 1
        return self._moments

    def killed(self) -> None:
        """
        The server was killed.
        """
        self.kills.append(self.moment())

    # ---- entries

    def open(
        self, kind: Kind, sender: int, place: int, recipients: Iterable[int]
    ) -> Entry:
        """
        Note that an event is about to be sent.
        """
        token = f"tk{len(self.entries) + 1:06d}"
        entry = Entry(token, kind, sender, place, frozenset(recipients), self.moment())
        self.entries[token] = entry
        return entry

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """
        The sender knows more of an entry.
        """
        entry.outcome = outcome
        entry.settled = self.moment()

    def show(self, token: str, recipient: int) -> Entry | None:
        """
        Note that a client was given an event.
        """
        entry = self.entries.get(token)
        client = self.clients[recipient]
        if entry is None or recipient not in entry.recipients:
            self.strays.append(f"{client.name} was shown {token}")
            return None
        showing = Showing(self.moment(), _bringer(client, token))
        entry.shown.setdefault(recipient, []).append(showing)
        return entry

    # ---- judgement

    def judge(self) -> Verdict:
        """
        Compare what was accepted with what was shown.
        """
        verdict = Verdict(list(self.strays))
        for entry in self.entries.values():
            verdict.outcomes[entry.outcome] += 1
            if entry.outcome is Outcome.ACCEPTED:
                verdict.accepted[entry.kind] += 1
            for recipient in sorted(entry.recipients):
                self._judgeOne(verdict, entry, self.clients[recipient])
        for client in self.clients.values():
            if client.promise is Promise.ORDERED:
                self._judgeOrder(verdict, client)
        self._judgeGroups(verdict)
        return verdict

    def _judgeOne(self, verdict: Verdict, entry: Entry, client: Client) -> None:
        showings = entry.shown.get(client.number, [])
        verdict.shown[client.name] += len(showings)

        def wrong(what: str) -> None:
            verdict.wrongs.append(f"{what}\n{self.story(entry, client)}")

        if entry.outcome is Outcome.REFUSED and showings:
            wrong(f"{client.name} was shown what the server had refused")
        if entry.outcome is Outcome.ACCEPTED and not showings:
            if any(
                _isIncurable(client, entry, exchange)
                for exchange in _bringers(client, entry.token)
            ):
                verdict.excused[client.name] += 1
            else:
                verdict.lost[client.name] += 1
                wrong(f"{client.name} was never shown what was accepted")
        if len(showings) < 2:
            return
        last = showings[-1].moment
        if entry.kind is Kind.LINE and any(entry.asked < k < last for k in self.kills):
            # A relay that is killed may have sent the line, and not noted that.
            verdict.doubles[client.name] += 1
            return
        if client.promise is not Promise.REPEATED:
            wrong(f"{client.name} was shown something {len(showings)} times")
            return
        for earlier, later in pairwise(showings):
            if self._explains(client, earlier, later):
                verdict.doubles[client.name] += 1
            else:
                wrong(f"{client.name} was shown something again without a reason")

    def _explains(self, client: Client, earlier: Showing, later: Showing) -> bool:
        """
        Tell if there is a reason to show an event again: the server was killed,
        the client signed on, or a fault may have hidden from the server that
        the first answer had arrived.
        """
        moments = [*self.kills, *client.signedOn]
        if earlier.exchange is None:
            return any(earlier.moment < each < later.moment for each in moments)
        begin = earlier.exchange.began
        if any(begin < moment < later.moment for moment in moments):
            return True
        for exchange in client.exchanges[earlier.exchange.number - 1 :]:
            if exchange.request.path != POLL or exchange.began > later.moment:
                continue
            if exchange.manner is not None and exchange.manner.fault not in HARMLESS:
                return True
            if exchange is not earlier.exchange and exchange.isClean:
                return False
        return False

    def _judgeOrder(self, verdict: Verdict, client: Client) -> None:
        latest: dict[tuple[int, Kind, int], tuple[int, Entry]] = {}
        for entry in self.entries.values():
            showings = entry.shown.get(client.number)
            isLate = self.mayBeLate and entry.outcome is Outcome.UNCERTAIN
            if not showings or isLate:
                continue
            conversation = entry.sender, entry.kind, entry.place
            before = latest.get(conversation)
            moment = showings[0].moment
            if before is not None and moment < before[0]:
                verdict.wrongs.append(
                    f"{client.name} was shown two out of order\n"
                    f"{self.story(before[1], client)}\n{self.story(entry, client)}"
                )
            if before is None or moment > before[0]:
                latest[conversation] = moment, entry

    def _judgeGroups(self, verdict: Verdict) -> None:
        """
        Check that the messages of each group and discussion have one order, in which
        all their recipients were shown them.
        """
        shown: dict[tuple[Kind, int], dict[int, list[tuple[int, str]]]] = {}
        for entry in self.entries.values():
            if entry.kind not in (Kind.GROUP, Kind.DISCUSSION):
                continue
            members = shown.setdefault((entry.kind, entry.place), {})
            for recipient, showings in entry.shown.items():
                if self.clients[recipient].promise is Promise.ORDERED:
                    showing = showings[0].moment, entry.token
                    members.setdefault(recipient, []).append(showing)
        for (_, place), members in shown.items():
            order: TopologicalSorter[str] = TopologicalSorter()
            for some in members.values():
                for (_, earlier), (_, later) in pairwise(sorted(some)):
                    order.add(later, earlier)
            try:
                order.prepare()
            except CycleError as e:
                verdict.wrongs.append(_disorder(place, e.args[1], members))

    def story(self, entry: Entry, client: Client) -> str:
        """
        Everything about an entry and one of its recipients, for people.
        """
        head = (
            f"  {entry.token}, a {entry.kind.value}, from {entry.sender}"
            f" in {entry.place} to {client.name} ({client.number})"
        )
        lines = [
            head,
            f"    asked at {entry.asked}, {entry.outcome.value} at {entry.settled}",
        ]
        happened = [
            (exchange.answered, f"given in {exchange}")
            for exchange in _bringers(client, entry.token)
        ]
        isGiven = bool(happened)
        if not isGiven:
            lines.append("    in no answer that a proxy saw")
        first = min((moment for moment, _ in happened), default=entry.asked)
        last = max((moment for moment, _ in happened), default=first + 100)
        for showing in entry.shown.get(client.number, ()):
            happened.append((showing.moment, "shown"))
            last = max(last, showing.moment)
        for exchange in client.exchanges:
            isNear = first < exchange.began <= last + 30
            isFault = exchange.manner is not None
            isTold = isFault or not isGiven
            if isNear and isTold and not _holds(exchange, entry.token):
                happened.append((exchange.began, f"another {exchange}"))
        for moments, what in (
            (self.kills, "the server was killed"),
            (client.signedOn, "signed on"),
        ):
            near = (one for one in moments if entry.asked < one <= last + 100)
            happened += [(moment, what) for moment in near]
        lines += [f"    at {moment} {what}" for moment, what in sorted(happened)]
        return "\n".join(lines)


def _disorder(
    place: int,
    cycle: Sequence[str],
    members: Mapping[int, Iterable[tuple[int, str]]],
) -> str:
    """
    Describe messages of a group that have no order.

    @param cycle: their tokens: each was shown to a recipient right before the next one.
    """
    lines = [f"the members of {place} were shown its messages in different orders"]
    for earlier, later in pairwise(cycle):
        for number, some in members.items():
            if (earlier, later) in pairwise([token for _, token in sorted(some)]):
                lines.append(f"  {number} was shown {earlier} before {later}")
                break
    return "\n".join(lines)


def _holds(exchange: Exchange, token: str) -> bool:
    if exchange.answer is None or exchange.request.path != POLL:
        return False
    return token.encode() in exchange.answer.body


def _bringers(client: Client, token: str) -> Iterator[Exchange]:
    return (exchange for exchange in client.exchanges if _holds(exchange, token))


def _bringer(client: Client, token: str) -> Exchange | None:
    for exchange in reversed(client.exchanges):
        if exchange.passed and _holds(exchange, token):
            return exchange
    return None


def _isIncurable(client: Client, entry: Entry, exchange: Exchange) -> bool:
    manner = exchange.manner
    if manner is None or not exchange.isSwallowed:
        return False
    if client.namesIds and entry.kind in WITH_IDS and _hasNamed(client, exchange):
        return False
    return (manner.fault, manner.server) in client.incurable


def _hasNamed(client: Client, exchange: Exchange) -> bool:
    """
    Tell if the server has received ids in the session of an exchange.
    """
    session, _ = _named(exchange)
    for earlier in client.exchanges[: exchange.number]:
        if earlier.answer is not None and earlier.request.path == POLL:
            its, ids = _named(earlier)
            if its == session and ids:
                return True
    return False


def _named(exchange: Exchange) -> tuple[str, list[str]]:
    fields = parse_qs(exchange.request.body.decode())
    r = json.loads(fields["r"][0])
    return r["psessionid"], r["ids"]
