"""
What an IRC client says until it is somebody: CAP, PASS, SASL, NICK, USER.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

Answer = tuple[str, ...]
"""A command or numeric, then its parameters."""

CAPABILITIES: Mapping[str, str] = {
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    "draft/multiline": "max-bytes=8192,max-lines=100",
    "echo-message": "",
    "extended-join": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "sasl": "PLAIN",
    "server-time": "",
    "standard-replies": "",
    "userhost-in-names": "",
}
"""What we can, with its value for those who ask in version 302."""

MAX_LIST = 400
CHUNK = 400
MAX_BLOB = 4 * CHUNK


class AuthResult(Enum):
    """
    What became of a name and a password.
    """

    ACCEPTED = "accepted"
    REFUSED = "Wrong name or password"
    LATER = "Too many wrong passwords, try again in a minute"


class Registration:
    """
    One client's way in.

    @param check: looks at a name and a password.
    @param isNick: whether a nick may be used.

    @ivar capabilities: those that the client has asked for and got.
    @ivar nick: how the client calls itself, or C{""}.
    @ivar user: the name that the password was right for, or C{""}.
    @ivar complete: whether to welcome the client.
    @ivar refused: why to disconnect it, or C{""}.
    """

    def __init__(
        self, check: Callable[[str, str], AuthResult], isNick: Callable[[str], bool]
    ) -> None:
        self._check = check
        self._isNick = isNick
        self.capabilities: frozenset[str] = frozenset()
        self.nick = ""
        self.user = ""
        self.complete = False
        self.refused = ""
        self._version = 301
        self._negotiating = False
        self._login = ""
        self._password: str | None = None
        self._blob: str | None = None

    def heard(self, command: str, params: Sequence[str]) -> list[Answer]:
        """
        What to answer; look at C{complete} and C{refused} afterwards.
        """
        heard = getattr(self, f"_heard_{command}", None)
        if heard is None:
            # irssi sends JOIN before all else and hopes for just this.
            return [("451", self._name, "You have not registered")]
        answers: list[Answer] = heard(params)
        return answers + self._finish()

    @property
    def _name(self) -> str:
        return self.nick or "*"

    def _finish(self) -> list[Answer]:
        ready = self.nick and self._login and not self._negotiating
        if not ready or self.complete or self.refused:
            return []
        if not self.user and self._password is None:
            self.refused = "A password is needed"
            return [("464", self._name, self.refused)]
        if not self.user:
            name, colon, password = (self._password or "").partition(":")
            if not colon:
                name, password = self._login, name
            result = self._check(name, password)
            self._password = None
            if result is not AuthResult.ACCEPTED:
                self.refused = result.value
                return [("464", self._name, self.refused)]
            self.user = name
        self.complete = True
        return []

    def _heard_PASS(self, params: Sequence[str]) -> list[Answer]:
        if not params:
            return [self._missing("PASS")]
        self._password = params[0]
        return []

    def _heard_NICK(self, params: Sequence[str]) -> list[Answer]:
        if not params or not params[0]:
            return [("431", self._name, "No nickname given")]
        if not self._isNick(params[0]):
            return [("432", self._name, "*", "Erroneous nickname")]
        self.nick = params[0]
        return []

    def _heard_USER(self, params: Sequence[str]) -> list[Answer]:
        if len(params) < 4 or not params[0]:
            return [self._missing("USER")]
        self._login = params[0]
        return []

    def _missing(self, command: str) -> Answer:
        return ("461", self._name, command, "Not enough parameters")

    def _heard_CAP(self, params: Sequence[str]) -> list[Answer]:
        if not params:
            return [self._missing("CAP")]
        match params[0].upper():
            case "LS":
                self._negotiating = not self.complete
                if len(params) > 1 and params[1].isdecimal():
                    self._version = max(self._version, int(params[1][:9]))
                return self._list("LS", self._offered())
            case "LIST":
                return self._list("LIST", sorted(self.capabilities))
            case "REQ":
                self._negotiating = not self.complete
                return [self._requested(params[1] if len(params) > 1 else "")]
            case "END":
                self._negotiating = False
                return []
            case _:
                return [("410", self._name, "*", "Invalid CAP command")]

    def _offered(self) -> list[str]:
        if self._version < 302:
            return list(CAPABILITIES)
        self.capabilities |= {"cap-notify"}
        return [f"{k}={v}" if v else k for k, v in CAPABILITIES.items()]

    def _list(self, subcommand: str, words: list[str]) -> list[Answer]:
        texts = [""]
        for word in words:
            if len(texts[-1]) + len(word) > MAX_LIST and self._version >= 302:
                texts.append("")
            texts[-1] = f"{texts[-1]} {word}".strip()
        head = ("CAP", self._name, subcommand)
        return [*((*head, "*", text) for text in texts[:-1]), (*head, texts[-1])]

    def _requested(self, words: str) -> Answer:
        wanted = set(words.split())
        added = {word for word in wanted if not word.startswith("-")}
        removed = {word[1:] for word in wanted - added}
        kept = {"cap-notify"} if self._version >= 302 else set()
        known = added | removed <= CAPABILITIES.keys()
        if not known or removed & (kept | added):
            return ("CAP", self._name, "NAK", _cut(words))
        self.capabilities = (self.capabilities | added) - removed
        return ("CAP", self._name, "ACK", words)

    def _heard_AUTHENTICATE(self, params: Sequence[str]) -> list[Answer]:
        word = params[0] if params else ""
        if self.user:
            return [("907", self._name, "You have already authenticated")]
        if word == "*":
            self._blob = None
            return [("906", self._name, "SASL authentication aborted")]
        if self._blob is None:
            if word.upper() != "PLAIN":
                return [("908", self._name, "PLAIN", "are available mechanisms")]
            self._blob = ""
            return [("AUTHENTICATE", "+")]
        if len(word) > CHUNK or len(self._blob) + len(word) > MAX_BLOB:
            self._blob = None
            return [("905", self._name, "SASL message too long")]
        self._blob += "" if word == "+" else word
        if len(word) == CHUNK:
            return []
        blob, self._blob = self._blob, None
        return self._authenticated(blob)

    def _authenticated(self, blob: str) -> list[Answer]:
        name, result = "", AuthResult.REFUSED
        try:
            authority, name, password = (
                b64decode(blob, validate=True).decode().split("\0")
            )
        except ValueError:
            pass
        else:
            if authority in ("", name):
                result = self._check(name, password)
        if result is not AuthResult.ACCEPTED:
            return [("904", self._name, result.value)]
        self.user = name
        mask = f"{self._name}!{name}@qq"
        logged = ("900", self._name, mask, name, f"You are now logged in as {name}")
        return [logged, ("903", self._name, "SASL authentication successful")]


def _cut(text: str) -> str:
    return text.encode()[:MAX_LIST].decode(errors="ignore")
