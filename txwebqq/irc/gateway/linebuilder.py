"""
Construction of the lines that one client is sent: numerics, standard replies,
prefixes, tags and batches.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import count

from txwebqq.irc.gateway.capabilities import Capabilities
from txwebqq.irc.gateway.connection import ClientConnection
from txwebqq.irc.protocol.batch import batch
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength, isMiddleParam
from txwebqq.irc.protocol.splitting import splitLines

MAX_PARAM = 63
"""Maximum length of a parameter of a reply that is not the last, in characters:
the maximum of a server name (RFC 2812, 1.1)."""

_FAILING = frozenset({"BATCH", "CHATHISTORY", "REDACT"})
"""The commands whose errors are always standard replies (IRCv3 C{multiline},
C{chathistory} and C{message-redaction}, section Errors)."""

_NO_TAGS: Mapping[str, str] = {}


class LineBuilder:
    """
    Builds lines for one registered client.

    @param user: the name of the gateway user, which is the user name in the
        client's own prefix.

    @ivar nick: the client's nick.
    @ivar serverName: the name of the IRC server.
    """

    def __init__(
        self,
        connection: ClientConnection,
        capabilities: Capabilities,
        serverName: str,
        user: str,
        nick: str,
    ) -> None:
        self.serverName = serverName
        self.nick = nick
        self.has = capabilities.has
        self._capabilities = capabilities
        self._connection = connection
        self._user = user
        self._references = count(1)

    @property
    def encoding(self) -> str:
        """
        The encoding that the client reads.
        """
        return self._connection.encoding

    @property
    def enabled(self) -> frozenset[str]:
        """
        The capabilities that the client has enabled.
        """
        return self._capabilities.enabled

    def encoded(self, lines: Sequence[Line]) -> bytes:
        """
        Return lines as the client is sent them.
        """
        return b"".join(map(self._connection.encoded, lines))

    def spaceAfter(self, head: Line) -> int:
        """
        Return the number of bytes that may be appended to the last parameter
        of a line.
        """
        return MAX_LINE - encodedLength(head, self.encoding)

    def isOwnNick(self, nick: str) -> bool:
        """
        Check whether a nick is the client's.
        """
        return casefold(nick) == casefold(self.nick)

    def fromServer(self, command: str, *params: str) -> Line:
        """
        Return a line whose source is the server.
        """
        return Line(command, params, self.serverName)

    def numeric(self, numeric: str, *params: str) -> Line:
        """
        Return a numeric reply. The client's nick is put before the parameters,
        which may come from a client or from QQ: what cannot be a parameter is
        replaced by C{*}.
        """
        *middle, last = params
        text = " ".join(splitLines(last))
        return self.fromServer(numeric, self.nick, *map(_middleParam, middle), text)

    def failure(self, command: str, code: str, *params: str) -> Line:
        """
        Return a C{FAIL} standard reply; or a C{NOTICE} for clients without
        C{standard-replies}, unless the specification of the command has its
        errors as standard replies.
        """
        *middle, last = params
        words = [*map(_middleParam, middle), " ".join(splitLines(last))]
        if self.has("standard-replies") or command in _FAILING:
            return self.fromServer("FAIL", command, code, *words)
        return self.fromServer("NOTICE", self.nick, " ".join((command, *words)))

    @property
    def userMask(self) -> str:
        """
        The client's own C{nick!user@host}.
        """
        return f"{self.nick}!{self._user}@{self.serverName}"

    def contactMask(self, nick: str, number: int) -> str:
        """
        Return the C{nick!user@host} of a QQ user.

        @param number: the QQ number; 0 for the bot, and where it is not known.
        """
        return f"{nick}!{self.userNameOf(number)}@{self.serverName}"

    def userNameOf(self, number: int) -> str:
        """
        Return the user name of a QQ user, the part of the mask after C{!}.

        @param number: as for L{contactMask}.
        """
        return str(number or "qq")

    def fromUser(self, command: str, *params: str) -> Line:
        """
        Return a line whose source is the client.
        """
        return Line(command, params, self.userMask, self._accountTag(self._user))

    def fromContact(
        self,
        nick: str,
        number: int,
        command: str,
        *params: str,
        tags: Mapping[str, str] = _NO_TAGS,
    ) -> Line:
        """
        Return a line whose source is a QQ user.
        """
        account = self._accountTag(str(number)) if number else _NO_TAGS
        return Line(
            command, params, self.contactMask(nick, number), {**account, **tags}
        )

    def _accountTag(self, account: str) -> Mapping[str, str]:
        """
        Return the C{account} tag, if the client has enabled it.
        """
        return {"account": account} if self.has("account-tag") else _NO_TAGS

    def nextReference(self) -> str:
        """
        Return a batch reference that this client has not been sent before.
        """
        return f"b{next(self._references)}"

    def batch(
        self, kind: str, params: Sequence[str], content: Sequence[Line]
    ) -> list[Line]:
        """
        Enclose lines in a batch, if the client has enabled C{batch}.
        """
        if not self.has("batch"):
            return list(content)
        return batch(self.nextReference(), kind, params, content, self.serverName)


class SharedLines:
    """
    The encoded lines of the object that was shown last to the clients of one
    user, which are built once for all clients that are sent the same.
    """

    def __init__(self) -> None:
        self._shown: object = None
        self._encoded: dict[Hashable, bytes] = {}

    def get(
        self, shown: object, key: Hashable, make: Callable[[], tuple[bytes, bool]]
    ) -> bytes:
        """
        Return the lines of an object.

        @param key: everything that the lines depend on but the object.
        @param make: builds the lines; returns also whether other clients may be
            sent them.
        """
        if shown is not self._shown:
            self._shown, self._encoded = shown, {}
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded, isShared = make()
            if isShared:
                self._encoded[key] = encoded
        return encoded


def _middleParam(text: str) -> str:
    return text[:MAX_PARAM] if isMiddleParam(text) else "*"
