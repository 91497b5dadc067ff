"""
C{webqq-admin check-config}: checks the configuration file of a daemon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from txwebqq.config.endpoints import NOT_PASSED_ON
from txwebqq.config.fileoptions import FileOptions
from txwebqq.config.toml import nearText
from txwebqq.config.tomlfile import TOMLFile
from txwebqq.errors import InvalidConfiguration


def _client() -> FileOptions:
    from txwebqq.commands.tap import Options

    return Options()


def _server() -> FileOptions:
    from txwebqq.server.tap import Options

    return Options()


def _irc() -> FileOptions:
    from txwebqq.irc.tap import Options

    return Options()


def _oneBot() -> FileOptions:
    # It needs an extra.
    from txwebqq.commands.onebottap import Options

    return Options()


DAEMONS: Mapping[str, Callable[[], FileOptions]] = {
    "webqq": _client,
    "webqq-server": _server,
    "webqq-irc": _irc,
    "webqq-onebot": _oneBot,
}
"""The options of the daemons, by their names."""

_TABLES = {
    "webqq": "webqq",
    "server": "webqq-server",
    "irc": "webqq-irc",
    "gateway": "webqq-irc",
    "relay": "webqq-irc",
    "onebot": "webqq-onebot",
}

_OF_POPULATION = {"friendship", "group", "discussion"}

_BOTS = ("forward", "reverse", "http", "post")


def daemonOf(values: Mapping[str, Any]) -> str:
    """
    Find out by its tables which daemon a configuration file is for.

    @raise InvalidConfiguration: when that is not clear.
    """
    found = sorted({_TABLES[name] for name in values if name in _TABLES})
    accounts = values.get("account", [])
    keys = {
        key
        for each in (accounts if isinstance(accounts, list) else [])
        if isinstance(each, dict)
        for key in each
    }
    if not found and (_OF_POPULATION & {*values} or "nick" in keys):
        raise InvalidConfiguration(
            "it is a population file, not a configuration file:"
            " webqq-server --population and webqq-admin import read it"
        )
    if not found and "account" in values:
        return "webqq-onebot" if keys.intersection(_BOTS) else "webqq"
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidConfiguration(
            f"it has tables of several daemons ({', '.join(found)}), and each needs a"
            " file of its own"
        )
    tables = ", ".join(f"[{name}]" for name in _TABLES)
    near = [text for text in (nearText(name, _TABLES) for name in values) if text]
    if not all(isinstance(value, dict | list) for value in values.values()):
        near.append("keys are below the line of their table")
    advice = f"; {near[0]}" if near else ""
    raise InvalidConfiguration(f"it has none of {tables}, [[account]]{advice}")


def checkConfig(path: Path, daemon: str | None = None) -> list[str]:
    """
    Check a configuration file. Nothing is opened but the file and those that it
    names; applications are imported, as at the start of the daemon.

    @param daemon: the name of the daemon; L{None} to tell it by the tables.

    @return: a line for each error, with the file, the line, the table and the key.
    """
    try:
        file = TOMLFile.read(path)
    except InvalidConfiguration as e:
        return [str(e)]
    try:
        DAEMONS[daemon or daemonOf(file.values)]().checkFile(file)
    except InvalidConfiguration as e:
        file.report((), str(e))
    except SystemExit as e:
        # A package that the daemon needs is missing.
        file.report((), str(e))
    # Only the daemon has the sockets of its unit.
    return [
        problem.shown(path)
        for problem in file.problems
        if not problem.text.endswith(NOT_PASSED_ON)
    ]
