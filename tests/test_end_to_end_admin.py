"""
C{webqq-admin} beside a server that runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.daemons import House

# Beside the interpreter, where pip puts it.
ADMIN = str(Path(sys.executable).with_name("webqq-admin"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """
    A house whose daemons are gone afterwards.
    """
    house = House(tmp_path)
    yield house
    house.clear()


async def admin(house: House, *argv: str) -> tuple[int, str]:
    command = house.run(ADMIN, "--database", "webqq.db", *argv)
    return await command.exits(), command.output


@ensureDeferred
async def test_beside(house: House) -> None:
    """
    Who is added while the server runs can sign on, is a friend at once, and
    has their new password from the next sign-on; nothing ends the server but
    its operator, which is a success.
    """
    server = house.server("--database", "webqq.db", "--population", "people.toml")
    await server.says("listens on")
    house.secret("carol", "open sesame")
    add = ("account", "add", "10003", "--nick", "Carol", "--password-file", "carol")
    assert await admin(house, *add) == (0, "")
    assert await admin(house, "friendship", "add", "10001", "10003") == (0, "")
    carol = house.client(10003, "carol", "--log-text")
    await carol.says("Signed on: 1 buddies, 0 groups.")
    teller = house.client(10001, "alice", "--app", "teller.TellerFactory")
    assert await teller.exits() == 0, teller.output
    await carol.says("Text: the 茶 is ready")

    house.secret("new", "another")
    change = ("account", "password", "10003", "--password-file", "new")
    assert await admin(house, *change) == (0, "")
    carol.signal("TERM")
    assert await carol.exits() == 0
    assert await house.client(10003, "carol").exits() == 1
    carol = house.client(10003, "new")
    await carol.says("Signed on")

    code, said = await admin(house, "account", "remove", "10003")
    assert code == 1
    assert "a server has it open: stop it first" in said
    assert await admin(house, "backup", "copy.db") == (0, "")
    server.signal("TERM")
    assert await server.exits() == 0, server.output
    assert await admin(house, "account", "remove", "10003") == (0, "")
    code, said = await admin(house, "account", "list")
    assert (code, said) == (0, "10001\tAlice\n10002\tBot\n")
    assert "Traceback" not in server.output
