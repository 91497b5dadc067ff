"""
The C{MONITOR} command (IRCv3): notification when nicks come online.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.line import Line


def irc_MONITOR(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{MONITOR +|- <nick>{,<nick>}}, or C{MONITOR C|L|S}
    """
    monitor = session.monitor
    match line.params[0].upper(), line.params[1:]:
        case "+", (nicks, *_):
            return monitor.add(nicks.split(","))
        case "-", (nicks, *_):
            monitor.remove(nicks.split(","))
            return ()
        case "C", _:
            monitor.clear()
            return ()
        case "L", _:
            return monitor.listed()
        case "S", _:
            return monitor.states()
        case _:
            return [session.builder.numeric("461", "MONITOR", "Not enough parameters")]
