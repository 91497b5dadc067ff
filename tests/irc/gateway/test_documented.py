"""
Tables of docs/irc-gateway.md, compared with the code.
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
    The names in the first column of the table with this head.
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
    The page lists all capabilities, and no others.
    """
    assert table("| capability | |") == set(CAPABILITIES)


def test_commands() -> None:
    """
    The page lists all IRC commands, and no others.
    """
    assert table("| command | on QQ |") == set(COMMANDS)


def test_botCommands() -> None:
    """
    The page lists all commands of the bot, and no others; each usage begins
    with the command's name.
    """
    assert table("| command | does |") == bot.COMMANDS.keys() - {"help"}
    for name, command in bot.COMMANDS.items():
        assert re.findall(r"^\w+", command.usage) == [name]


def test_limits() -> None:
    """
    The limits of C{draft/multiline} are those that clients are told.
    """
    assert CAPABILITIES[MULTILINE] == f"max-bytes={MAX_BYTES},max-lines={MAX_LINES}"
