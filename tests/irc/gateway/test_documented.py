"""
What the documentation says that the gateway can do.
"""

from __future__ import annotations

import re
from pathlib import Path

from txwebqq.irc.gateway.bot.bot import HELP, ServiceBot
from txwebqq.irc.gateway.commands.messages import MAX_BYTES, MAX_LINES, MULTILINE
from txwebqq.irc.gateway.dispatcher import CommandDispatcher
from txwebqq.irc.gateway.registration import CAPABILITIES

PAGE = Path(__file__).parents[3] / "docs" / "irc-gateway.md"


def table(head: str) -> set[str]:
    """
    The names in the first column of the table with these heads.
    """
    page = PAGE.read_text(encoding="utf-8")
    rows = page.partition(f"\n{head}\n|---|---|\n")[2].partition("\n\n")[0]
    return {
        name
        for row in rows.splitlines()
        for name in re.findall(r"`([\w/-]+)[^`]*`", row.split("|")[1])
    }


def methods(kind: type, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in dir(kind) if name.startswith(prefix)}


def test_capabilities() -> None:
    """
    All capabilities are there, and no others.
    """
    assert table("| capability | |") == set(CAPABILITIES)


def test_commands() -> None:
    """
    All commands of clients are there, and no others.
    """
    assert table("| command | on QQ |") == methods(CommandDispatcher, "_irc_")


def test_service() -> None:
    """
    All commands of the service can be done, are there and in its help, and no
    others.
    """
    commands = methods(ServiceBot, "_do_")
    assert table("| command | does |") == commands - {"help"}
    assert set(HELP) == commands


def test_limits() -> None:
    """
    Clients are told what is true of long messages.
    """
    assert CAPABILITIES[MULTILINE] == f"max-bytes={MAX_BYTES},max-lines={MAX_LINES}"
