"""
The server itself: the lines after registration, C{MOTD}, C{VERSION}, C{TIME},
C{LUSERS}, C{INFO} and C{ADMIN}.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from txwebqq.irc.gateway.commands import channeladmin, chathistory, messages
from txwebqq.irc.gateway.connection import MAX_RECEIVED
from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.gateway.monitorlist import MAX_MONITORED
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.nicknames import MAX_CHANNEL, MAX_NICK
from txwebqq.irc.protocol.splitting import splitLines

ISUPPORT = (
    "CASEMAPPING=rfc1459",
    f"CHANNELLEN={MAX_CHANNEL}",
    "CHANMODES=q,,,mnt",
    "CHANTYPES=#",
    f"CHATHISTORY={chathistory.MAX_HISTORY}",
    "CLIENTTAGDENY=*,-draft/react,-draft/reply,-draft/unreact,-reply,-typing",
    f"LINELEN={MAX_RECEIVED}",
    f"MODES={channeladmin.MAX_MODES}",
    f"MONITOR={MAX_MONITORED}",
    "MSGREFTYPES=msgid,timestamp",
    "NETWORK=QQ",
    f"NICKLEN={MAX_NICK}",
    "PREFIX=(o)@",
    f"TARGMAX=NOTICE:{messages.MAX_TARGETS},PRIVMSG:{messages.MAX_TARGETS}",
)
"""The tokens of numeric 005."""

MAX_TOKENS = 12
"""Maximum number of tokens in one 005; the specification allows thirteen."""

SOFTWARE = "txwebqq"


def greeting(session: ClientSession) -> Iterable[Line]:
    """
    Return the lines that end the registration.
    """
    builder = session.builder
    name = builder.serverName
    yield builder.numeric("001", f"Welcome to QQ, {builder.nick}")
    yield builder.numeric("002", f"Your host is {name}, running {SOFTWARE}")
    yield builder.numeric("003", "Your accounts stay signed on when you leave")
    yield builder.fromServer("004", builder.nick, name, SOFTWARE, "i", "mnqt")
    yield from _isupport(builder)
    yield from _motd(session)


def _isupport(builder: LineBuilder) -> Iterable[Line]:
    for start in range(0, len(ISUPPORT), MAX_TOKENS):
        tokens = ISUPPORT[start : start + MAX_TOKENS]
        yield builder.numeric("005", *tokens, "are supported by this server")


def _motd(session: ClientSession) -> Iterable[Line]:
    builder = session.builder
    texts = splitLines(session.motd)
    if not texts:
        yield builder.numeric("422", "MOTD File is missing")
        return
    yield builder.numeric("375", f"- {builder.serverName} Message of the day -")
    for text in texts:
        yield builder.numeric("372", f"- {text}")
    yield builder.numeric("376", "End of MOTD command")


def irc_MOTD(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{MOTD [<server>]}
    """
    return _otherServer(session, line) or _motd(session)


def irc_VERSION(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{VERSION [<server>]}
    """
    builder = session.builder
    text = "IRC gateway to QQ"
    return _otherServer(session, line) or [
        builder.numeric("351", SOFTWARE, builder.serverName, text),
        *_isupport(builder),
    ]


def irc_TIME(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{TIME [<server>]}
    """
    builder = session.builder
    now = datetime.fromtimestamp(session.user.seconds(), UTC)
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    return _otherServer(session, line) or [
        builder.numeric("391", builder.serverName, text)
    ]


def irc_LUSERS(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{LUSERS}: counts what the user can see, not the other users of the
    gateway.
    """
    builder, user = session.builder, session.user
    accounts = user.accounts.values()
    friends = {number for account in accounts for number in account.contacts.friends}
    channels = {each for account in accounts for each in account.contacts.conversations}
    users = len(friends) + len(user.clients)
    yield builder.numeric(
        "251", f"There are {users} users and 0 invisible on 1 servers"
    )
    yield builder.numeric("254", str(len(channels)), "channels formed")
    yield builder.numeric("255", f"I have {users} clients and 0 servers")


def irc_INFO(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{INFO [<server>]}
    """
    builder = session.builder
    return _otherServer(session, line) or [
        builder.numeric("371", f"{SOFTWARE}, an IRC gateway to QQ"),
        builder.numeric("371", "/msg *qq help lists the commands of the bot"),
        builder.numeric("374", "End of INFO list"),
    ]


def irc_ADMIN(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{ADMIN [<server>]}
    """
    builder = session.builder
    text = "No administrative info available"
    return _otherServer(session, line) or [
        builder.numeric("423", builder.serverName, text)
    ]


def _otherServer(session: ClientSession, line: Line) -> list[Line]:
    """
    Return the error reply for a parameter that names another server or no
    server, nothing for this one.
    """
    builder = session.builder
    named = line.params[0] if line.params else ""
    own = ("", casefold(builder.serverName), casefold(builder.nick))
    if casefold(named) in own:
        return []
    return [builder.numeric("402", named, "No such server")]
