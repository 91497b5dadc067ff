"""
What the documentation says that the gateway can do.
"""

from __future__ import annotations

import re
from pathlib import Path

from txwebqq.irc.gateway.bot import bot
from txwebqq.irc.gateway.capabilities import CAPABILITIES
from txwebqq.irc.gateway.dispatcher import COMMANDS
from txwebqq.irc.gateway.multiline import MAX_BYTES, MAX_LINES, MULTILINE

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


def test_capabilities() -> None:
    """
    All capabilities are there, and no others.
    """
    assert table("| capability | |") == set(CAPABILITIES)


def test_commands() -> None:
    """
    All commands of clients are there, and no others.
    """
    assert table("| command | on QQ |") == set(COMMANDS)


def test_service() -> None:
    """
    All commands of the bot are there, and no others; each usage begins with the
    name.
    """
    assert table("| command | does |") == bot.COMMANDS.keys() - {"help"}
    for name, command in bot.COMMANDS.items():
        assert re.findall(r"^\w+", command.usage) == [name]


def test_limits() -> None:
    """
    Clients are told what is true of long messages.
    """
    assert CAPABILITIES[MULTILINE] == f"max-bytes={MAX_BYTES},max-lines={MAX_LINES}"
