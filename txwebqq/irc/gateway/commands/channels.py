"""
Joining, parting and listing channels: C{JOIN}, C{PART}, C{NAMES} and C{LIST}.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.conversations import MAX_MISSED
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line


def irc_JOIN(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{JOIN <channel>{,<channel>}}: ends what C{PART} began, and plays back what
    the client has missed. A group of which the user is not a member cannot be
    joined.
    """
    for name in line.params[0].split(","):
        channel = session.user.directory.channelNamed(name)
        if channel is not None:
            lines, serial = session.channels.join(channel)
            yield from lines
            if serial is not None and not session.builder.has("draft/chathistory"):
                user, target = session.user, channel.target
                missed = user.history.since(user.name, target, serial, MAX_MISSED)
                if missed:
                    yield from session.renderer.renderHistory(target, missed)
        elif name:
            yield session.builder.numeric("403", name, "No such channel")


def irc_PART(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{PART <channel>{,<channel>}}: mutes the channel for this client until it
    joins again; the user stays a member of the group.
    """
    for name in line.params[0].split(","):
        channel = session.channels.part(name)
        if channel is not None:
            yield session.builder.fromUser("PART", channel.name)
        else:
            yield session.builder.numeric(*session.channels.notJoined(name))


def irc_NAMES(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{NAMES [<channel>{,<channel>}]}
    """
    names = line.params[0].split(",") if line.params else ["*"]
    # Each once, or a line could ask for the members of a large group a thousand times.
    for name in {casefold(name): name for name in names}.values():
        channel = session.channels.named(name)
        if channel is not None:
            yield from session.channels.names(channel)
        else:
            yield session.builder.numeric("366", name, "End of NAMES list")


def irc_LIST(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{LIST [<channel>{,<channel>}]}: the groups and discussions of all accounts.
    """
    directory = session.user.directory
    named = line.params[0].split(",") if line.params and line.params[0] else []
    targets = [directory.targetNamed(name) for name in named]
    for channel in directory.channels(targets if named else None):
        count = str(len(channel.members))
        yield session.builder.numeric("322", channel.name, count, channel.topic)
    yield session.builder.numeric("323", "End of LIST")
