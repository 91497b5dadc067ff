"""
Whom an IRC client waits for.
"""

from __future__ import annotations

from txwebqq.irc.questions import Questions
from txwebqq.irc.visit import awayOf
from txwebqq.model import Status


class Watch(Questions):
    """
    What a client is told of those who come and go.
    """

    def appeared(self, nick: str, number: int, status: Status) -> None:
        """
        Somebody came or went.
        """
        if self._has("away-notify"):
            away = awayOf(status)
            params = (away,) if away else ()
            self.sendLine(self._their(nick, number, "AWAY", *params))
