"""
The levels below which events are not logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twisted.logger import LogLevel, LogLevelFilterPredicate

from txwebqq.errors import InvalidConfiguration

LEVELS: Mapping[str, Any] = {
    "debug": LogLevel.debug,
    "info": LogLevel.info,
    "warn": LogLevel.warn,
    "error": LogLevel.error,
}

_NAMESPACE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class LogLevels:
    """
    The levels of a process: one for all events, and one for each namespace that has
    its own.

    @ivar predicate: lets the events pass that are to be logged.
    """

    def __init__(self, text: str = "info") -> None:
        """
        @param text: as for L{set}.

        @raise InvalidConfiguration: as L{set}.
        """
        self.predicate = LogLevelFilterPredicate()
        self.set(text)

    def set(self, text: str) -> None:
        """
        Change the levels, also while events are logged.

        @param text: C{LEVEL[,NAMESPACE=LEVEL...]}, such as
            C{warn,txwebqq.session=debug}. A namespace includes those below it.

        @raise InvalidConfiguration: when a level or a namespace is none; names it.
            Nothing is changed then.
        """
        first, *others = text.split(",")
        level = _level(first)
        levels = {}
        for each in others:
            namespace, separator, word = each.partition("=")
            namespace = namespace.strip()
            if not separator or not _NAMESPACE.fullmatch(namespace):
                raise InvalidConfiguration(
                    f"--log-level {text}: after the first level come namespaces with"
                    f" theirs, such as txwebqq.session=debug: {each.strip()}"
                )
            levels[namespace] = _level(word)
        self.predicate.clearLogLevels()
        self.predicate.setLogLevelForNamespace("", level)
        for namespace, level in levels.items():
            self.predicate.setLogLevelForNamespace(namespace, level)


def _level(word: str) -> Any:
    level = LEVELS.get(word.strip())
    if level is None:
        raise InvalidConfiguration(
            f"--log-level is none of {', '.join(LEVELS)}: {word.strip()}"
        )
    return level
