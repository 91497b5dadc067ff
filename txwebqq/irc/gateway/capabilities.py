"""
IRCv3 capabilities of one client: the C{CAP} command and its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from txwebqq.irc.protocol.line import isMiddleParam

Reply = tuple[str, ...]
"""A command or numeric, followed by its parameters."""

REDACTION = "draft/message-redaction"

CAPABILITIES: Mapping[str, str] = {
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    REDACTION: "",
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
"""The capabilities that the gateway offers, each with its value for clients
that ask with version 302."""

MAX_LIST = 400
"""Maximum length of the list of capabilities in one line, in bytes."""


MAX_SUBCOMMAND = 20
"""Maximum length of an unknown subcommand in its answer, in characters."""


class Capabilities:
    """
    The capabilities of one client.

    @ivar enabled: the capabilities that the client has requested and been
        granted.
    @ivar isNegotiating: whether registration waits for C{CAP END}.
    """

    def __init__(self) -> None:
        self.enabled: frozenset[str] = frozenset()
        self.isNegotiating = False
        self._version = 301

    def has(self, *names: str) -> bool:
        """
        Check whether all of these capabilities are enabled.
        """
        return self.enabled.issuperset(names)

    def handleCAP(self, nick: str, params: Sequence[str]) -> list[Reply]:
        """
        C{CAP <subcommand> [<parameter>]}, before and after registration.

        @param nick: the client's nick, or C{"*"}.
        """
        match params[0].upper():
            case "LS":
                self.isNegotiating = True
                if len(params) > 1 and params[1].isdecimal():
                    self._version = max(self._version, int(params[1][:9]))
                return self._list(nick, "LS", self._offered())
            case "LIST":
                return self._list(nick, "LIST", sorted(self.enabled))
            case "REQ":
                self.isNegotiating = True
                return [self._request(nick, params[1] if len(params) > 1 else "")]
            case "END":
                self.isNegotiating = False
                return []
            case _:
                name = params[0][:MAX_SUBCOMMAND]
                shown = name if isMiddleParam(name) else "*"
                return [("410", nick, shown, "Invalid CAP command")]

    def _offered(self) -> list[str]:
        if self._version < 302:
            return list(CAPABILITIES)
        # Version 302 includes cap-notify without a request.
        self.enabled |= {"cap-notify"}
        return [f"{k}={v}" if v else k for k, v in CAPABILITIES.items()]

    def _list(self, nick: str, subcommand: str, names: list[str]) -> list[Reply]:
        texts = [""]
        for name in names:
            # Clients of version 301 do not know that a list can go on.
            if len(texts[-1]) + len(name) > MAX_LIST and self._version >= 302:
                texts.append("")
            texts[-1] = f"{texts[-1]} {name}".strip()
        head = ("CAP", nick, subcommand)
        return [*((*head, "*", text) for text in texts[:-1]), (*head, texts[-1])]

    def _request(self, nick: str, names: str) -> Reply:
        # Each once: the answer has to fit a line, the request is longer.
        listed = list(dict.fromkeys(names.split()))
        wanted = set(listed)
        added = {name for name in wanted if not name.startswith("-")}
        removed = {name[1:] for name in wanted - added}
        fixed = {"cap-notify"} if self._version >= 302 else set()
        isKnown = added | removed <= CAPABILITIES.keys()
        if not isKnown or removed & (fixed | added):
            return ("CAP", nick, "NAK", _truncated(names))
        self.enabled = (self.enabled | added) - removed
        return ("CAP", nick, "ACK", " ".join(listed))


def _truncated(text: str) -> str:
    return text.encode()[:MAX_LIST].decode(errors="ignore")
