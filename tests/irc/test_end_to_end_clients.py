"""
The clients that stand for people in other tests do what people do, with a
server that is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.daemons import House
from tests.irc.clients import Irssi, WeeChat
from tests.irc.programs import program

CONFIGURATION = """
[Global]
Name = irc.localhost
Info = a server
Listen = 127.0.0.1
Ports = {}
MotdPhrase = the kettle is on
[Options]
DNS = no
Ident = no
PAM = no
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.clear()


@ensureDeferred
async def test_conversation(house: House) -> None:
    """
    irssi and WeeChat see each other's words.
    """
    irssi = Irssi(house.folder / "irssi")
    weechat = WeeChat(house.folder / "weechat")
    settings = house.folder / "ngircd.conf"
    settings.write_text(CONFIGURATION.format(house.port))
    server = house.run(program("ngircd"), "-n", "-f", str(settings))
    try:
        await server.says("Now listening")
        await irssi.start(f"/connect 127.0.0.1 {house.port} '' ali")
        await irssi.shows("the kettle is on")
        await irssi.type("/join #cats")
        await irssi.shows("[Users #cats]")
        await weechat.start(
            f"/server add qq 127.0.0.1/{house.port} -notls -nicks=bob", "/connect qq"
        )
        await weechat.shows("the kettle is on")
        await weechat.type("/join #cats", "irc.server.qq")
        await irssi.shows("bob [")
        await weechat.type("茶好了", "irc.qq.#cats")
        await irssi.shows("bob> 茶好了")
        await irssi.type("谢谢 [微笑]")
        await weechat.shows("谢谢 [微笑]")
    finally:
        await irssi.stop()
        await weechat.stop()
