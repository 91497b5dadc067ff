"""
Queries about contacts and the user: C{WHO}, C{WHOIS}, C{WHOWAS}, C{ISON} and
C{USERHOST}.
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

MAX_USERHOST = 5
"""Maximum number of nicks in one C{USERHOST} (RFC 2812, 4.8)."""

MAX_ISON = 50
"""Maximum number of nicks in one C{ISON}."""


def irc_WHO(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{WHO [<channel>|<nick>]}
    """
    builder = session.builder
    name = line.params[0] if line.params else "*"
    channel = session.channels.named(name)
    if channel is not None:
        for nick, number, isAdmin in channel.members:
            yield _who(session, name, nick, number, isAdmin)
    elif builder.isOwnNick(name):
        yield _who(session, "*", builder.nick, next(iter(session.user.accounts)))
    else:
        target = session.user.directory.targetNamed(name)
        if target == SERVICE:
            yield _who(session, "*", BOT_NICK, 0)
        elif target is not None and target.kind is TargetKind.CONTACT:
            yield _who(session, "*", name, target.number)
    yield builder.numeric("315", name, "End of WHO list")


def _who(
    session: ClientSession, channel: str, nick: str, number: int, isAdmin: bool = False
) -> Line:
    builder, user = session.builder, session.user
    isOwn = number in user.accounts
    flags = "G" if awayText(user.directory.statusOf(number)) else "H"
    return builder.numeric(
        "352",
        channel,
        user.name if isOwn else builder.userNameOf(number),
        builder.serverName,
        builder.serverName,
        builder.nick if isOwn else nick,
        flags + ("@" if isAdmin else ""),
        f"0 {number or 'The bot of the gateway'}",
    )


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
    if builder.isOwnNick(nick):
        yield from _whoisOwn(session)
    elif target is not None and target.kind is TargetKind.CONTACT:
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


def _whoisOwn(session: ClientSession) -> Iterable[Line]:
    builder, user = session.builder, session.user
    numbers = " ".join(map(str, user.accounts))
    yield builder.numeric(
        "311", builder.nick, user.name, builder.serverName, "*", f"QQ {numbers}"
    )
    channels = session.channels.joinedNames
    for part in joinWords(channels, MAX_CHANNELS_LENGTH, builder.encoding):
        yield builder.numeric("319", builder.nick, part)
    yield builder.numeric("330", builder.nick, user.name, "is logged in as")


def irc_WHOWAS(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{WHOWAS <nick>}: nicks are kept, so none was another's.
    """
    nick = line.params[0] if line.params else ""
    if not nick:
        yield session.builder.numeric("431", "No nickname given")
        return
    yield session.builder.numeric("406", nick, "There was no such nickname")
    yield session.builder.numeric("369", nick, "End of WHOWAS")


def irc_USERHOST(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{USERHOST <nick>{ <nick>}}: the user names and hosts of the nicks
    that are online.
    """
    builder, directory = session.builder, session.user.directory
    replies = []
    for nick in line.params[:MAX_USERHOST]:
        target = directory.targetNamed(nick)
        if builder.isOwnNick(nick):
            replies.append(f"{builder.nick}=+{session.user.name}@{builder.serverName}")
        elif target is not None and session.monitor.isOnline(nick):
            away = "-" if awayText(directory.statusOf(target.number)) else "+"
            userName = builder.userNameOf(target.number)
            replies.append(f"{nick}={away}{userName}@{builder.serverName}")
    return [builder.numeric("302", " ".join(replies))]


def irc_ISON(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{ISON <nick>{ <nick>}}
    """
    nicks = " ".join(line.params).split()[:MAX_ISON]
    online = [nick for nick in nicks if session.monitor.isOnline(nick)]
    return [session.builder.numeric("303", " ".join(online))]
