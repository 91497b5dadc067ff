"""
What we say to an IRC server until it has welcomed us: CAP, PASS, SASL, NICK,
USER.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line, isMiddleParam

WANTED = frozenset({"batch", "draft/relaymsg", "message-tags", "server-time"})
RELAYMSG = "draft/relaymsg"
CHUNK = 400

_SASL_FAILURES = frozenset({"902", "904", "905", "906", "908"})
_NICK_FAILURES = frozenset({"432", "433", "436", "437"})
_CLOSED = {
    "464": "the server wants another password",
    "465": "we are banned",
    "463": "our address may not connect",
}


class ClientRegistration:
    """
    One way in.

    @ivar nick: what we are called, or ask to be.
    @ivar capabilities: what was granted, with the values.
    @ivar isDone: whether we are in.
    @ivar failure: why we never will be, or C{""}.
    """

    def __init__(self, settings: NetworkSettings, nick: str) -> None:
        self._settings = settings
        self._offered: dict[str, str] = {}
        self._requested: frozenset[str] = frozenset()
        self.nick = nick
        self.capabilities: dict[str, str] = {}
        self.isDone = False
        self.failure = ""

    def opening(self) -> list[Line]:
        """
        What we say first.
        """
        settings = self._settings
        password = [Line("PASS", (settings.password,))] if settings.password else []
        return [
            Line("CAP", ("LS", "302")),
            *password,
            Line("NICK", (self.nick,)),
            Line("USER", (settings.user, "0", "*", settings.realname)),
        ]

    def heard(self, line: Line) -> list[Line]:
        """
        What to say to something; look at C{isDone} and C{failure} afterwards.
        """
        command, params = line.command, line.params
        if command == "CAP":
            return self._heardCap(params[1:])
        if command == "AUTHENTICATE":
            return self._authenticate(params)
        if command == "903":
            return [Line("CAP", ("END",))]
        if command in _SASL_FAILURES and not self.isDone:
            # Without the account we would be somebody else.
            self.failure = f"SASL was refused: {_lastOf(params)}"
        elif command in _CLOSED and not self.isDone:
            self.failure = f"{_CLOSED[command]}: {_lastOf(params)}"
        elif command in _NICK_FAILURES and not self.isDone:
            return self._another()
        elif command == "001" and not self.isDone:
            self.isDone = True
            self.nick = params[0] if params and isMiddleParam(params[0]) else self.nick
            if self._settings.saslUser and "sasl" not in self.capabilities:
                self.failure = "the server offers no SASL"
        return []

    def _another(self) -> list[Line]:
        # Some servers cut what is long, and the same nick would come of it.
        stem = self._settings.nick[:15]
        count = len(self.nick) - len(self.nick.rstrip("_")) + 1
        if count > 5:
            self.failure = "all our nicks are taken"
            return []
        self.nick = stem + "_" * count
        return [Line("NICK", (self.nick,))]

    def _heardCap(self, params: Sequence[str]) -> list[Line]:
        verb = params[0] if params else ""
        words = _lastOf(params).split()
        if verb == "LS":
            for word in words:
                name, _, value = word.partition("=")
                self._offered[name] = value
            # A star before the list: there is more of it.
            return [] if len(params) > 2 else self._request()
        if verb == "ACK":
            for word in words:
                self.capabilities[word] = self._offered.get(word, "")
            if self.isDone:
                return []
            if "sasl" in self.capabilities:
                return [Line("AUTHENTICATE", ("PLAIN",))]
            return [Line("CAP", ("END",))]
        if verb == "NAK":
            return [] if self.isDone else [Line("CAP", ("END",))]
        if verb == "DEL":
            for word in words:
                self.capabilities.pop(word, None)
        elif verb == "NEW":
            for word in words:
                name, _, value = word.partition("=")
                self._offered[name] = value
            return self._request()
        return []

    def _request(self) -> list[Line]:
        wanted = set(WANTED)
        if not self._settings.relaymsg:
            wanted.discard(RELAYMSG)
        if self._settings.saslUser and not self.isDone:
            wanted.add("sasl")
        wanted = (wanted & self._offered.keys()) - self.capabilities.keys()
        if wanted:
            return [Line("CAP", ("REQ", " ".join(sorted(wanted))))]
        return [] if self.isDone else [Line("CAP", ("END",))]

    def _authenticate(self, params: Sequence[str]) -> list[Line]:
        if params[:1] != ("+",):
            return []
        user, password = self._settings.saslUser, self._settings.saslPassword
        blob = b64encode(f"{user}\0{user}\0{password}".encode()).decode()
        chunks = [blob[at : at + CHUNK] for at in range(0, len(blob), CHUNK)]
        if len(chunks[-1]) == CHUNK:
            chunks.append("+")
        return [Line("AUTHENTICATE", (chunk,)) for chunk in chunks]


def _lastOf(params: Sequence[str]) -> str:
    return params[-1] if params else ""
