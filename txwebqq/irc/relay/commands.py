"""
What the relay answers to those who speak to it alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from txwebqq.irc.protocol.splitting import lines
from txwebqq.ratelimit import RateLimiter

ANSWERS, WINDOW = 5, 60.0
"""So many people are answered in so many seconds, on each network."""

_HELP = "Nothing is read here but !status, which tells how it is in our channels."
_MAX_PING = 100
_QUESTION = re.compile("\x01([A-Za-z]+)(?: ([^\x01]*))?\x01?")


class PrivateMessageResponder:
    """
    Answers, but not too often: others may be machines as well.

    @param now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._limiter = RateLimiter(now, ANSWERS, WINDOW)

    def answers(
        self,
        text: str,
        channels: Sequence[str],
        status: Callable[[], list[str]],
    ) -> list[str]:
        """
        What to say to somebody, in notices.

        @param channels: where both of us are.
        @param status: how it is in these.
        """
        question = _QUESTION.fullmatch(text)
        if text.startswith("\x01"):
            found = self._replies(question[1].upper(), question[2]) if question else []
        elif text.strip().lower() == "!status" and channels:
            found = [line for words in status() for line in lines(words)]
        else:
            where = f" {' '.join(channels)}" if channels else " a channel"
            found = [f"I am the relay between{where} and QQ. {_HELP}"]
        return found if found and self._limiter.take("all") else []

    def _replies(self, command: str, words: str | None) -> list[str]:
        if command == "VERSION":
            return ["\x01VERSION txwebqq, a relay to QQ\x01"]
        if command == "PING":
            return [f"\x01PING {(words or '')[:_MAX_PING]}\x01"]
        if command == "CLIENTINFO":
            return ["\x01CLIENTINFO ACTION CLIENTINFO PING VERSION\x01"]
        return []
