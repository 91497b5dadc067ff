"""
Processes of a WebQQ server, C{twistd webqq-onebot} and a bot.
"""

from __future__ import annotations

from pathlib import Path

from tests.endtoend.daemons import ROOT, Daemon, freePort
from tests.irc.processes import GatewayProcesses
from tests.irc.programs import NODE
from tests.irc.qqfriends import QQFriend
from txwebqq.model import GroupMessage

PYTHON = ROOT / ".venv/judges/bin/python"
NODE_MODULES = ROOT / ".venv/koishi/node_modules"

ACCOUNT = """
[[account]]
number = 10002
password-file = "bot"
server = "http://127.0.0.1:{qq}"
"""

FORWARD = """
[[account.forward]]
listen = "tcp:{}:interface=127.0.0.1"
token-file = "token"
"""

TOKEN = "oolong"


class BotProcesses(GatewayProcesses):
    """
    A server, the daemon with account 10002 (小明, the owner of the group 猫咪), a bot,
    and the account's friend Alice (10001) in this process.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secret("token", TOKEN)

    async def start(self, ways: str) -> Daemon:
        """
        Start the server and the daemon.

        @param ways: the tables of the account.
        """
        await self.startServer()
        file = self.folder / "onebot.toml"
        file.write_text(ACCOUNT.format(qq=self.port) + ways, encoding="utf-8")
        daemon = self.twistd("webqq-onebot", "--config", "onebot.toml")
        await daemon.says("Signed on")
        return daemon

    async def startForward(self) -> int:
        """
        Start the server and the daemon, which bots connect to.

        @return: the port.
        """
        port = freePort()
        await self.start(FORWARD.format(port))
        return port

    def bot(self, name: str, **variables: str) -> Daemon:
        """
        Start a bot: a program of Python, or of Node.js.
        """
        script = ROOT / "tests/onebot/judges" / name
        if script.suffix in (".js", ".mjs"):
            variables["NODE_PATH"] = str(NODE_MODULES)
            return self.run(str(NODE), str(script), **variables)
        return self.run(str(PYTHON), str(script), **variables)

    async def startWith(self, name: str, ways: str, **variables: str) -> Daemon:
        """
        Start a bot that listens at a port, and then the server and the daemon.

        @param ways: the tables of the account, with C{PORT} for the port.

        @return: the bot.
        """
        port = freePort()
        bot = self.bot(name, PORT=str(port), **variables)
        await self.answers(port, bot)
        await self.start(ways.replace("PORT", str(port)))
        return bot

    async def alice(self) -> QQFriend:
        """
        Sign Alice on.
        """
        return await self.friend(10001, "correct horse")


async def said(friend: QQFriend, text: str) -> GroupMessage:
    """
    Wait for a message in a group that contains a text, and return it.
    """
    await friend.shows(text)
    return next(
        event
        for event in friend.events
        if isinstance(event, GroupMessage) and text in event.text
    )
