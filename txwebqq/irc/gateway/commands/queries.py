"""
What an IRC client asks about people and groups.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.directory import BOT_NICK
from txwebqq.irc.gateway.session import Answer, ClientSession, awayOf
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.splitting import splitText
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Status


class QueryCommands(ClientSession):
    """
    WHO, WHOIS, LIST and ISON.
    """

    def _irc_WHO(self, line: Line) -> Iterable[Line]:
        name = line.params[0] if line.params else "*"
        channel = self._channels.get(casefold(name))
        for nick, number, isAdmin in channel.members if channel is not None else ():
            here = "G" if awayOf(self._known().statusOf(number)) else "H"
            yield self.numeric(
                "352",
                name,
                str(number),
                self._gateway.serverName,
                self._gateway.serverName,
                self._nick if number in self._known().accounts else nick,
                here + ("@" if isAdmin else ""),
                f"0 {number}",
            )
        yield self.numeric("315", name[:50], "End of WHO")

    def _irc_WHOIS(self, line: Line) -> Iterable[Line]:
        nick = line.params[-1] if line.params else ""
        target = self._known().placeNamed(nick)
        if target is not None and target.kind is TargetKind.CONTACT:
            yield from self._whois(nick, target)
        elif target == SERVICE:
            name = self._gateway.serverName
            yield self.numeric("311", BOT_NICK, "qq", name, "*", "The gateway")
        else:
            yield self.numeric("401", nick[:50] or "*", "Nobody here is called so")
        yield self.numeric("318", nick[:50] or "*", "End of WHOIS")

    def _whois(self, nick: str, target: Target) -> Iterable[Line]:
        user, number = self._known(), target.number
        who = str(number)
        yield self.numeric("311", nick, who, self._gateway.serverName, "*", f"QQ {who}")
        rooms = [
            channel.name
            for channel in user.channels()
            if number in [member[1] for member in channel.members]
        ]
        for piece in splitText(" ".join(rooms), 300, self.encoding) if rooms else ():
            yield self.numeric("319", nick, piece)
        yield self.numeric("330", nick, who, "is signed on as")
        away = awayOf(user.statusOf(number))
        if away:
            yield self.numeric("301", nick, away)

    def _irc_LIST(self, line: Line) -> Iterable[Line]:
        for channel in self._known().channels():
            count = str(len(channel.members))
            yield self.numeric("322", channel.name, count, channel.topic)
        yield self.numeric("323", "End of list")

    def _irc_ISON(self, line: Line) -> Answer:
        nicks = " ".join(line.params).split()[:50]
        here = [nick for nick in nicks if self._isHere(nick)]
        return [self.numeric("303", " ".join(here))]

    def _isHere(self, nick: str) -> bool:
        user = self._known()
        target = user.placeNamed(nick)
        isOwn = casefold(nick) == casefold(self._nick)
        return (
            isOwn
            or target == SERVICE
            or (
                target is not None
                and target.kind is TargetKind.CONTACT
                and user.statusOf(target.number) not in (None, Status.OFFLINE)
            )
        )
