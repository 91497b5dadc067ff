"""
Administration of channels: C{TOPIC}, C{KICK}, C{INVITE} and C{MODE}, as far as
QQ groups and discussions have them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from txwebqq.errors import RequestRefused, WebQQError
from txwebqq.irc.gateway.attachedclient import ChannelView
from txwebqq.irc.gateway.interaction.mutes import ALL
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import TargetKind
from txwebqq.requests.interaction import FOREVER

MAX_MODES = 4
"""Maximum number of members that one command names."""

MUTE_SECONDS = 30 * 24 * 3600 - 60
"""Length of the mute of C{MODE +q}, which has no length on IRC: the longest that
clients of QQ offer, 29 days, 23 hours and 59 minutes."""


class _Refused(Exception):
    """
    A command that cannot be performed; the arguments are those of
    L{LineBuilder.numeric}.
    """


async def irc_TOPIC(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{TOPIC <channel> [<text>]}: the announcement of a group, or the name of a
    discussion.
    """
    name, *texts = line.params
    try:
        channel = _channel(session, name)
        if not texts:
            return [session.channels.topic(channel)]
        account = _account(session, channel)
    except _Refused as e:
        return [session.builder.numeric(*e.args)]
    changes, target = session.user.topicChanges, channel.target
    changes.add(target)
    try:
        setting = account.actions.setTopic(target, stripFormatting(texts[0]))
        return await _perform(session, "TOPIC", channel, setting)
    finally:
        changes.discard(target)


async def irc_KICK(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{KICK <channel> <nick>{,<nick>} [<reason>]}
    """
    name, nicks, reason = (*line.params[:3], "")[:3]
    replies: list[Line] = []
    for nick in nicks.split(",")[:MAX_MODES]:
        try:
            replies += await _kick(session, name, nick, reason)
        except _Refused as e:
            replies.append(session.builder.numeric(*e.args))
    return replies


async def _kick(
    session: ClientSession, name: str, nick: str, reason: str
) -> Iterable[Line]:
    channel = _channel(session, name)
    account = _account(session, channel)
    number = _member(session, channel, nick, account)
    kicks, key = session.user.kicks, (channel.target, number)
    kicks[key] = reason
    try:
        removing = account.actions.kick(channel.target, number)
        return await _perform(session, "KICK", channel, removing)
    finally:
        kicks.pop(key, None)


async def irc_INVITE(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{INVITE <nick> <channel>}: adds a contact to a discussion.
    """
    nick, name = line.params[:2]
    try:
        channel = _channel(session, name)
        account = _account(session, channel)
        target = session.user.directory.targetNamed(nick)
        if target is None or target.kind is not TargetKind.CONTACT:
            raise _Refused("401", nick, "No such nick/channel")
        if any(number == target.number for _, number, _ in channel.members):
            raise _Refused("443", nick, channel.name, "is already on channel")
        if channel.target.kind is TargetKind.GROUP:
            reason = "QQ groups have no invitations: the contact has to ask to join"
            raise _Refused("482", channel.name, reason)
    except _Refused as e:
        return [session.builder.numeric(*e.args)]
    inviting = account.actions.invite(channel.target, target.number)
    replies = await _perform(session, "INVITE", channel, inviting)
    return replies or [session.builder.numeric("341", nick, channel.name)]


async def irc_MODE(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{MODE <channel> [+o|-o <nick>]}: makes a member an administrator of a
    group, or no longer one; C{[+q|-q <mask>]} mutes a member, or no longer, and
    C{[+m|-m]} all but the owner and administrators; C{MODE <nick>} shows the modes
    of the client.
    """
    name, modes, *nicks = (*line.params, "")
    builder = session.builder
    if builder.isOwnNick(name):
        return [builder.numeric("221", "+i")]
    channel = session.channels.named(name)
    if channel is None:
        target = session.user.directory.targetNamed(name)
        if target is not None and target.kind in (
            TargetKind.CONTACT,
            TargetKind.SERVICE,
        ):
            return [builder.numeric("502", "Can't change mode for other users")]
        return [builder.numeric(*session.channels.notJoined(name))]
    if not modes:
        return [builder.numeric("324", name, session.channels.modes(channel))]
    if modes.lstrip("+") == "q" and not any(nicks):
        return list(session.channels.quieted(channel))
    if modes.lstrip("+") == "b" and not any(nicks):
        return [builder.numeric("368", name, "End of channel ban list")]
    isGranted = True
    replies: list[Line] = []
    waiting = [nick for nick in nicks if nick]
    for mode in modes[: 2 * MAX_MODES]:
        if mode in "+-":
            isGranted = mode == "+"
        elif mode == "o" and waiting:
            replies += await _promote(session, channel, waiting.pop(0), isGranted)
        elif mode == "q" and waiting:
            replies += await _mute(session, channel, waiting.pop(0), isGranted)
        elif mode == "m":
            replies += await _muteAll(session, channel, isGranted)
        else:
            reason = "is unknown mode char to me: QQ has only +m, +o and +q"
            replies.append(builder.numeric("472", mode, reason))
    return replies


async def _promote(
    session: ClientSession, channel: ChannelView, nick: str, isGranted: bool
) -> Iterable[Line]:
    try:
        account = _account(session, channel)
        number = _member(session, channel, nick, account)
    except _Refused as e:
        return [session.builder.numeric(*e.args)]
    promoting = account.actions.setAdmin(channel.target, number, isGranted)
    return await _perform(session, "MODE", channel, promoting)


async def _mute(
    session: ClientSession, channel: ChannelView, mask: str, isMuted: bool
) -> Iterable[Line]:
    nick, _, rest = mask.partition("!")
    userName = rest.partition("@")[0]
    try:
        account = _account(session, channel)
        if nick == "*" and userName in [str(n) for _, n, _ in channel.members]:
            number = int(userName)
        else:
            number = _member(session, channel, nick, account)
    except _Refused as e:
        return [session.builder.numeric(*e.args)]
    seconds = MUTE_SECONDS if isMuted else 0
    muting = account.actions.mute(channel.target, number, seconds)
    return await _performMute(session, channel, account, number, seconds, muting)


async def _muteAll(
    session: ClientSession, channel: ChannelView, isMuted: bool
) -> Iterable[Line]:
    try:
        account = _account(session, channel)
    except _Refused as e:
        return [session.builder.numeric(*e.args)]
    muting = account.actions.muteAll(channel.target, isMuted)
    seconds = FOREVER if isMuted else 0
    return await _performMute(session, channel, account, ALL, seconds, muting)


async def _performMute(
    session: ClientSession,
    channel: ChannelView,
    account: QQAccount,
    member: int,
    seconds: int,
    request: Awaitable[None],
) -> Iterable[Line]:
    replies = await _perform(session, "MODE", channel, request)
    if not replies:
        mutes = session.user.interactions
        mutes.memberMuted(channel.target, member, account.number, seconds)
    return replies


def _channel(session: ClientSession, name: str) -> ChannelView:
    channel = session.channels.named(name)
    if channel is None:
        raise _Refused(*session.channels.notJoined(name))
    return channel


def _account(session: ClientSession, channel: ChannelView) -> QQAccount:
    account = session.user.directory.accountFor(channel.target)
    if account is None:
        reason = "None of your accounts is a member"
        raise _Refused("482", channel.name, reason)
    return account


def _member(
    session: ClientSession, channel: ChannelView, nick: str, account: QQAccount
) -> int:
    if session.builder.isOwnNick(nick):
        return account.number
    target = session.user.directory.targetNamed(nick)
    if target is None or target.number not in [n for _, n, _ in channel.members]:
        raise _Refused("441", nick, channel.name, "They aren't on that channel")
    return target.number


async def _perform(
    session: ClientSession,
    command: str,
    channel: ChannelView,
    request: Awaitable[None],
) -> list[Line]:
    """
    Await a request to QQ.

    @return: nothing when it was performed, since the change itself is shown to
        all clients; an error reply when it was not.
    """
    try:
        await request
    except RequestRefused as e:
        return [session.builder.numeric("482", channel.name, f"QQ refuses: {e}")]
    except WebQQError as e:
        return [session.builder.failure(command, "NOT_DONE", channel.name, str(e))]
    return []
