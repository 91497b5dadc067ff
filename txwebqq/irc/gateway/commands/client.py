"""
Commands about the client itself: C{CAP}, C{NICK}, C{AWAY}, C{PING}, C{PONG} and
C{QUIT}.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.nicknames import isNick


def irc_CAP(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{CAP <subcommand> [<parameter>]}
    """
    replies = session.capabilities.handleCAP(session.nick, line.params)
    return [session.builder.fromServer(*reply) for reply in replies]


def irc_NICK(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{NICK <nick>}: changes the nick of this client only.
    """
    nick = line.params[0] if line.params else ""
    if not nick:
        return [session.builder.numeric("431", "No nickname given")]
    if not isNick(nick):
        return [session.builder.numeric("432", "*", "Erroneous nickname")]
    if session.user.directory.targetNamed(nick) is not None:
        return [session.builder.numeric("433", nick, "Nickname is already in use")]
    return [session.setNick(nick)]


async def irc_AWAY(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{AWAY [<text>]}: sets the status of the user's accounts to away, or
    without a text to what it was before. Clients send it by themselves, so an
    account that is hidden stays so.
    """
    if line.params and line.params[0]:
        numeric, text = "306", "You have been marked as being away"
        changed = session.user.goAway()
    else:
        numeric, text = "305", "You are no longer marked as being away"
        changed = session.user.comeBack()
    replies = [session.builder.numeric(numeric, text)]
    async for notice in changed:
        for message in session.user.conversations.botMessages(notice):
            replies += session.renderer.render(message)
    return replies


def irc_PING(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{PING <text>}
    """
    builder = session.builder
    if not line.params or not line.params[0]:
        return [builder.numeric("409", "No origin specified")]
    return [builder.fromServer("PONG", builder.serverName, line.params[0])]


def irc_PONG(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{PONG [<text>]}: the answer to our C{PING}.
    """
    session.confirmation.ponged(line.params)
    return ()


def irc_QUIT(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{QUIT [<reason>]}
    """
    session.close("Client quit")
    return ()
