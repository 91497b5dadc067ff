"""
The queues of the messages that applications send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from txwebqq.operation.metrics import Sample, counter, gauge
from txwebqq.outbox.queue import MessageQueue
from txwebqq.outbox.storedform import writeRecipient

KINDS = ("friend", "group", "discussion")
OUTCOMES = ("delivered", "failed", "uncertain")

QUEUED = gauge(
    "txwebqq_queue_messages",
    "Messages in the queue of an account, by kind of recipient.",
    "account",
    "kind",
)
OLDEST = gauge(
    "txwebqq_queue_oldest_seconds",
    "Time for which the oldest message in the queue of an account has waited.",
    "account",
)
SETTLED = counter(
    "txwebqq_queue_outcomes_total",
    "Messages that have left the queue of an account, by kind and outcome.",
    "account",
    "kind",
    "outcome",
)


class WatchedQueues:
    """
    The queues of a daemon (L{Source<txwebqq.operation.metrics.Source>}).
    """

    metrics = (QUEUED, OLDEST, SETTLED)

    def __init__(self) -> None:
        self._queues: list[MessageQueue] = []

    def watch(self, queue: MessageQueue) -> None:
        """
        Watch a queue.
        """
        self._queues.append(queue)

    def samples(self) -> Iterator[Sample]:
        for queue in self._queues:
            account = str(queue.account)
            counts = dict.fromkeys(KINDS, 0)
            for to, count in queue.counts().items():
                counts[writeRecipient(to).partition(" ")[0]] += count
            for kind in KINDS:
                yield QUEUED, (account, kind), counts[kind]
            yield OLDEST, (account,), queue.oldest
            for kind in KINDS:
                for outcome in OUTCOMES:
                    settled = queue.outcomes[kind, outcome]
                    yield SETTLED, (account, kind, outcome), settled

    def problems(self) -> Iterable[str]:
        for queue in self._queues:
            if queue.isUnwritable:
                yield f"the queue of account {queue.account} cannot be written to"
