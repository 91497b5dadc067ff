"""
The faults between a client and a server, the plans that choose them, and the
record of the exchanges.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Protocol

from tests.messages import Message


class Fault(Enum):
    """
    One thing that can go wrong with an exchange.
    """

    REQUEST_LOST = "request lost"
    REQUEST_DELAYED = "request delayed"
    ABANDONED = "abandoned while the server held it"
    HALF_CLOSED = "closed for writing behind the request"
    ANSWER_LOST = "answer read and not passed on"
    ANSWER_CUT = "answer cut"
    ANSWER_DELAYED = "answer delayed"
    ENDED_AFTER = "ended behind the answer"


HARMLESS = frozenset({Fault.REQUEST_DELAYED, Fault.ANSWER_DELAYED})
"""The faults that lose nothing."""


class Ending(Enum):
    """
    The end of one of the two connections of an exchange.
    """

    CLOSED = "closed"
    # As CLOSED; over TLS the other side is not told that it was meant.
    TORN = "torn"
    RESET = "reset"
    LEFT = "left open"


@dataclass(frozen=True)
class Manner:
    """
    A fault, and the ends of the connection to the client and of the one to the
    server.
    """

    fault: Fault
    client: Ending = Ending.CLOSED
    server: Ending = Ending.CLOSED

    def __str__(self) -> str:
        if self.fault in HARMLESS or self.fault is Fault.HALF_CLOSED:
            return self.fault.value
        return (
            f"{self.fault.value}, client's side {self.client.value},"
            f" server's side {self.server.value}"
        )


def manners(
    faults: Iterable[Fault],
    clients: Iterable[Ending] = (Ending.CLOSED, Ending.RESET),
    servers: Iterable[Ending] = (Ending.CLOSED, Ending.RESET),
) -> tuple[Manner, ...]:
    """
    Faults with all combinations of endings; those without endings once.
    """
    found = []
    for fault in faults:
        if fault in HARMLESS or fault is Fault.HALF_CLOSED:
            found.append(Manner(fault))
        else:
            found += [Manner(fault, c, s) for c in clients for s in servers]
    return tuple(found)


@dataclass
class Exchange:
    """
    A request, its answer, and what the proxy did with them.

    @ivar number: counted from 1.
    @ivar connection: on which connection of a client, counted from 1.
    @ivar manner: the fault that was done; L{None} as long as there is none.
    @ivar answer: what the server answered, also if nobody was told.
    @ivar passed: how many bytes of it were passed on.
    @ivar began: the moment of the request, on the proxy's count of moments.
    @ivar answered: that of the answer, 0 without one.
    """

    number: int
    connection: int
    request: Message
    began: int
    manner: Manner | None = None
    answer: Message | None = None
    passed: int = 0
    answered: int = 0

    @property
    def isClean(self) -> bool:
        """
        True if the client was given the whole answer, and no fault was played.
        """
        whole = self.answer is not None and self.passed == len(self.answer.raw)
        return whole and (self.manner is None or self.manner.fault in HARMLESS)

    @property
    def isSwallowed(self) -> bool:
        """
        True if the server gave an answer that the client did not get whole.
        """
        return self.answer is not None and self.passed < len(self.answer.raw)

    def __str__(self) -> str:
        text = f"exchange {self.number} on connection {self.connection}"
        if self.answer is None:
            text += ", not answered"
        elif self.passed == len(self.answer.raw):
            text += ", passed on"
        else:
            text += f", {self.passed} of {len(self.answer.raw)} bytes passed on"
        return text if self.manner is None else f"{text} ({self.manner})"


class Plan(Protocol):
    """
    Decides which exchanges go wrong.

    @ivar random: the source of all other random choices.
    """

    @property
    def random(self) -> Random: ...

    def draw(self, request: Message) -> Manner | None:
        """
        The fault of an exchange, or L{None}.
        """


class Script:
    """
    A plan that is written down: one fault, or none, for each exchange in turn;
    none when it is used up.
    """

    def __init__(self, *script: Manner | None) -> None:
        self.random = Random(1)
        self._script = deque(script)

    def draw(self, request: Message) -> Manner | None:
        return self._script.popleft() if self._script else None


class Lottery:
    """
    A plan by a seed.

    @param rate: the share of exchanges that go wrong.
    @param paths: the paths of requests that are affected; all, when empty.
    @ivar rate: may be changed at any time; 0 ends all faults.
    """

    def __init__(
        self,
        random: Random,
        rate: float,
        manners: Sequence[Manner],
        paths: Collection[str] = (),
    ) -> None:
        self.random = random
        self.rate = rate
        self._manners = manners
        self._paths = paths

    def draw(self, request: Message) -> Manner | None:
        if self._paths and request.path not in self._paths:
            return None
        # Both are drawn always, so that a rate changes nothing that follows.
        isHit = self.random.random() < self.rate
        manner = self.random.choice(self._manners)
        return manner if isHit else None
