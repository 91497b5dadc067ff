"""
Whom an IRC client waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txwebqq.irc.gateway.commands.queries import QueryCommands
from txwebqq.irc.gateway.session import Answer, SessionHost, awayOf
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.splitting import splitText
from txwebqq.model import Status

MAX_WATCHED = 100
"""How many nicks a client may wait for."""

_ROOM = 300


class MonitorCommand(QueryCommands):
    """
    MONITOR, and who comes and goes.
    """

    def __init__(self, gateway: SessionHost, address: str) -> None:
        super().__init__(gateway, address)
        # As the client wrote them, by their folded nicks, and whether they
        # were there when the client was told last.
        self._watched: dict[str, tuple[str, bool]] = {}

    # ---- what the user tells

    def appeared(self, nick: str, number: int, status: Status) -> None:
        """
        Somebody came or went.
        """
        if self._has("away-notify"):
            away = awayOf(status)
            params = (away,) if away else ()
            self.sendLine(self.fromContact(nick, number, "AWAY", *params))
        self.presenceRefreshed()

    def presenceRefreshed(self) -> None:
        """
        Many may have come or gone, or be called otherwise.
        """
        came: list[str] = []
        went: list[str] = []
        for key, (nick, wasHere) in self._watched.items():
            isHere = self._isHere(nick)
            if isHere != wasHere:
                self._watched[key] = nick, isHere
                (came if isHere else went).append(nick)
        self.send(self._online(came))
        self.send(self._listed("731", went))

    # ---- what the client says

    def _irc_MONITOR(self, line: Line) -> Answer:
        match line.params:
            case ("+", nicks, *_):
                return self._addNicks(nicks.split(","))
            case ("-", nicks, *_):
                for nick in nicks.split(","):
                    self._watched.pop(casefold(nick), None)
                return ()
            case (word, *_) if word.upper() == "C":
                self._watched.clear()
                return ()
            case (word, *_) if word.upper() == "L":
                watched = [nick for nick, _ in self._watched.values()]
                end = self.numeric("733", "End of MONITOR list")
                return [*self._listed("732", watched), end]
            case (word, *_) if word.upper() == "S":
                return self._states(self._watched)
            case _:
                return [self.numeric("461", "MONITOR", "Not enough parameters")]

    def _addNicks(self, nicks: Sequence[str]) -> Iterable[Line]:
        added: list[str] = []
        for count, nick in enumerate(nicks):
            key = casefold(nick)
            if not nick or len(nick) > _ROOM or nick.startswith(":"):
                continue
            if key not in self._watched and len(self._watched) >= MAX_WATCHED:
                rest = splitText(",".join(nicks[count:]), _ROOM, self.encoding)[0]
                yield from self._states(added)
                yield self.numeric("734", str(MAX_WATCHED), rest, "That is too many")
                return
            self._watched[key] = nick, self._isHere(nick)
            added.append(key)
        yield from self._states(added)

    def _states(self, keys: Iterable[str]) -> Iterable[Line]:
        watched = [self._watched[key] for key in keys]
        yield from self._online([nick for nick, isHere in watched if isHere])
        yield from self._listed("731", [nick for nick, isHere in watched if not isHere])

    def _online(self, nicks: Iterable[str]) -> Iterable[Line]:
        return self._listed("730", [self._maskNamed(nick) for nick in nicks])

    def _maskNamed(self, nick: str) -> str:
        target = self._known().placeNamed(nick)
        if target is not None:
            return self._maskOf(nick, target.number)
        return self._mask if casefold(nick) == casefold(self._nick) else nick

    def _listed(self, numeric: str, nicks: Sequence[str]) -> Iterable[Line]:
        some: list[str] = []
        for nick in nicks:
            if some and len(",".join((*some, nick)).encode()) > _ROOM:
                yield self.numeric(numeric, ",".join(some))
                some = []
            some.append(nick)
        if some:
            yield self.numeric(numeric, ",".join(some))
