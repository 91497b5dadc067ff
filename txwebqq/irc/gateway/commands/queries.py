"""
Queries about contacts: C{WHO}, C{WHOIS} and C{ISON}.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.directory import BOT_NICK
from txwebqq.irc.gateway.session import ClientSession, awayText
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.splitting import joinWords
from txwebqq.irc.targets import SERVICE, TargetKind

MAX_CHANNELS_LENGTH = 300
"""Maximum length of the channels in one 319 reply, in bytes."""

MAX_ISON = 50
"""Maximum number of nicks in one C{ISON}."""


def irc_WHO(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{WHO [<channel>]}
    """
    builder, user = session.builder, session.user
    name = line.params[0] if line.params else "*"
    channel = session.channels.named(name)
    for nick, number, isAdmin in channel.members if channel is not None else ():
        flags = "G" if awayText(user.directory.statusOf(number)) else "H"
        yield builder.numeric(
            "352",
            name,
            str(number),
            builder.serverName,
            builder.serverName,
            builder.nick if number in user.accounts else nick,
            flags + ("@" if isAdmin else ""),
            f"0 {number}",
        )
    yield builder.numeric("315", name, "End of WHO list")


def irc_WHOIS(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{WHOIS [<server>] <nick>}
    """
    builder = session.builder
    nick = line.params[-1] if line.params else ""
    if not nick:
        yield builder.numeric("431", "No nickname given")
        return
    target = session.user.directory.targetNamed(nick)
    if target is not None and target.kind is TargetKind.CONTACT:
        yield from _whois(session, nick, target.number)
    elif target == SERVICE:
        yield builder.numeric(
            "311", BOT_NICK, "qq", builder.serverName, "*", "The bot of the gateway"
        )
    else:
        yield builder.numeric("401", nick, "No such nick/channel")
    yield builder.numeric("318", nick, "End of WHOIS list")


def _whois(session: ClientSession, nick: str, number: int) -> Iterable[Line]:
    builder, directory = session.builder, session.user.directory
    account = str(number)
    yield builder.numeric(
        "311", nick, account, builder.serverName, "*", f"QQ {account}"
    )
    channels = directory.channelsWith(number)
    for part in joinWords(channels, MAX_CHANNELS_LENGTH, builder.encoding):
        yield builder.numeric("319", nick, part)
    yield builder.numeric("330", nick, account, "is logged in as")
    away = awayText(directory.statusOf(number))
    if away:
        yield builder.numeric("301", nick, away)


def irc_ISON(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{ISON <nick>{ <nick>}}
    """
    nicks = " ".join(line.params).split()[:MAX_ISON]
    online = [nick for nick in nicks if session.monitor.isOnline(nick)]
    return [session.builder.numeric("303", " ".join(online))]
