"""
Client side of IRC connection registration: CAP negotiation, PASS, SASL PLAIN,
NICK and USER.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line, isMiddleParam

REDACTION = "draft/message-redaction"
RELAYMSG = "draft/relaymsg"

WANTED = frozenset(
    {
        "batch",
        "chghost",
        REDACTION,
        RELAYMSG,
        "echo-message",
        "message-tags",
        "server-time",
    }
)
"""The capabilities that are requested where the server offers them."""

CHUNK = 400
"""Maximum length of the parameter of C{AUTHENTICATE}, in bytes."""

_MAX_TRIES = 5
"""The number of alternative nicks that are tried."""

_SASL_FAILURES = frozenset({"902", "904", "905", "906", "908"})
_NICK_FORBIDDEN = "432"
_NICK_FAILURES = frozenset({_NICK_FORBIDDEN, "433", "436", "437"})
_BOUNCERS = ("znc.in/", "soju.im/")
_CLOSED = {
    "463": "this address may not connect",
    "464": "the server password is wrong",
    "465": "banned from the server",
}


class ClientRegistration:
    """
    One registration, and afterwards the nick and the capabilities of its
    connection.

    @param alternatives: the nicks that are asked for, one after the other, when
        the server allows none of those before.
    @ivar nick: the nick, or the one that is asked for.
    @ivar capabilities: the acknowledged capabilities, with their values.
    @ivar isDone: whether the server has sent its welcome.
    @ivar failure: the reason why the registration failed, or C{""}.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        nick: str,
        alternatives: Sequence[str] = (),
    ) -> None:
        self._settings = settings
        self._stem = nick
        self._alternatives = list(alternatives)
        self._offered: dict[str, str] = {}
        # The requests that are not answered, each a set of capabilities.
        self._requests: list[frozenset[str]] = []
        self._refused: set[str] = set()
        self.nick = nick
        self.capabilities: dict[str, str] = {}
        self.isDone = False
        self.failure = ""

    @property
    def isBouncer(self) -> bool:
        """
        Whether the server has capabilities that only bouncers have.
        """
        return any(name.startswith(_BOUNCERS) for name in self._offered)

    def firstLines(self) -> list[Line]:
        """
        Build the first lines to send.
        """
        settings = self._settings
        password = [Line("PASS", (settings.password,))] if settings.password else []
        return [
            Line("CAP", ("LS", "302")),
            *password,
            Line("NICK", (self.nick,)),
            Line("USER", (settings.user, "0", "*", settings.realname)),
        ]

    def lineReceived(self, line: Line) -> list[Line]:
        """
        Process a line from the server, which may set C{isDone} or C{failure}.

        @return: the lines to send.
        """
        command, params = line.command, line.params
        if command == "CAP":
            return self._capReceived(params[1:])
        if command == "AUTHENTICATE":
            return self._authenticate(params)
        if command == "903":
            return [Line("CAP", ("END",))]
        if command in _SASL_FAILURES and not self.isDone:
            # Without the account, another user may have the relay's rights.
            self.failure = f"the account is refused: {_lastOf(params)}"
        elif command in _CLOSED and not self.isDone:
            self.failure = f"{_CLOSED[command]}: {_lastOf(params)}"
        elif command in _NICK_FAILURES and not self.isDone:
            return self._tryNextNick(command, _lastOf(params))
        elif command == "001" and not self.isDone:
            self.isDone = True
            self.nick = params[0] if params and isMiddleParam(params[0]) else self.nick
            if self._settings.saslUser and "sasl" not in self.capabilities:
                self.failure = "the server offers no SASL"
        return []

    def _tryNextNick(self, command: str, reason: str) -> list[Line]:
        if command == _NICK_FORBIDDEN and self._alternatives:
            self._stem = self.nick = self._alternatives.pop(0)
            return [Line("NICK", (self.nick,))]
        # Some servers truncate a long nick, which would remove the suffix.
        stem = self._stem[:15]
        count = len(self.nick) - len(self.nick.rstrip("_")) + 1
        if count > _MAX_TRIES:
            self.failure = f"the nick {self._stem} and its variants: {reason}"
            return []
        self.nick = stem + "_" * count
        return [Line("NICK", (self.nick,))]

    def _capReceived(self, params: Sequence[str]) -> list[Line]:
        verb = params[0] if params else ""
        names = _lastOf(params).split()
        if verb == "LS":
            for each in names:
                name, _, value = each.partition("=")
                self._offered[name] = value
            # An asterisk before the list means that more lines follow.
            return [] if len(params) > 2 else self._request()
        if verb == "ACK":
            for each in names:
                if each.startswith("-"):
                    self.capabilities.pop(each[1:], None)
                else:
                    self.capabilities[each] = self._offered.get(each, "")
            return self._answered(frozenset(names))
        if verb == "NAK":
            return self._nakReceived(frozenset(names))
        if verb == "DEL":
            for each in names:
                self.capabilities.pop(each, None)
                self._offered.pop(each, None)
        elif verb == "NEW":
            for each in names:
                name, _, value = each.partition("=")
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
        wanted -= self._refused.union(*self._requests)
        if wanted:
            return self._requestAll([frozenset(wanted)])
        return [] if self.isDone else [Line("CAP", ("END",))]

    def _requestAll(self, requests: list[frozenset[str]]) -> list[Line]:
        self._requests += requests
        return [Line("CAP", ("REQ", " ".join(sorted(each)))) for each in requests]

    def _nakReceived(self, names: frozenset[str]) -> list[Line]:
        lines = []
        # Some servers truncate the list, and they answer in order.
        refused = self._requests[0] if self._requests else names
        if len(refused) > 1:
            # A request is refused as a whole, maybe for one capability.
            lines = self._requestAll([frozenset({name}) for name in sorted(refused)])
        else:
            self._refused |= refused
        return lines + self._answered(refused)

    def _answered(self, names: frozenset[str]) -> list[Line]:
        # The names of one request may come in several lines.
        requests, self._requests = self._requests, []
        isFound = False
        for request in requests:
            left = request
            if not isFound and request & names:
                isFound = True
                left = request - names
            if left:
                self._requests.append(left)
        if self.isDone or self._requests:
            return []
        if "sasl" in self.capabilities:
            return [Line("AUTHENTICATE", ("PLAIN",))]
        return [Line("CAP", ("END",))]

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
