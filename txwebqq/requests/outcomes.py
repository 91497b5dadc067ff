"""
Outcomes of requests that send messages.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txwebqq.model import Delivered, Failed, SendOutcome, Sent, Uncertain, outcomeOf


def outcomeOfSend(sent: Deferred[Sent]) -> Deferred[SendOutcome]:
    """
    Turn the result of a send into its outcome.

    @return: fires with L{Delivered}, L{Failed} or L{Uncertain}, and never fails.
    """
    return sent.addCallbacks(Delivered, outcomeOfFailure)


def outcomeOfFailure(failure: Failure) -> Failed | Uncertain:
    """
    Tell the outcome of a send that has failed. An errback.
    """
    error = failure.value
    if not isinstance(error, Exception):
        # Such as the end of the process.
        failure.raiseException()
    found = outcomeOf(error)
    assert not isinstance(found, Delivered)
    return found
