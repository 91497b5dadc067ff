"""
Processes of a WebQQ server, a gateway and IRC clients, and QQ friends in this
process.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from tests.endtoend.daemons import ALICE, Daemon, ProcessFolder, freePort
from tests.irc.clients import Finch, Ii, Irssi, Pydle, Sic, Terminal, WeeChat
from tests.irc.qqfriends import QQFriend
from tests.network.authority import LOCALHOST, LOOPBACK, Authority

POPULATION = f"""{ALICE}
[[account]]
number = 10002
password = "battery staple"
nick = "小明"

[[account]]
number = 10003
password = "tr0ub4dor"
nick = "阿花"

[[friendship]]
between = [10001, 10002]

[[group]]
number = 200001
name = "猫咪"
owner = 10002
members = [10001, 10002, 10003]
"""

CONFIGURATION = """
[gateway]
listen = [
    "tcp:{plain}:interface=127.0.0.1",
    "ssl:{tls}:interface=127.0.0.1:privateKey={pem}",
]
name = "qq.localhost"
database = "gateway.sqlite"

[[gateway.user]]
name = "alice"
password-file = "alice.irc"

[[gateway.user.account]]
number = 10001
password-file = "alice"
server = "http://127.0.0.1:{qq}"
"""

IRC_PASSWORD = "oolong"

C = TypeVar("C", bound=Terminal)


class GatewayProcesses(ProcessFolder):
    """
    The processes of a test, on free ports.

    @ivar plain: the gateway's TCP port.
    @ivar tls: the gateway's TLS port.
    @ivar authority: the file of the certificate authority.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "people.toml").write_text(POPULATION, encoding="utf-8")
        self.secret("alice.irc", IRC_PASSWORD)
        self.secret("hua", "tr0ub4dor")
        authority = Authority(folder, "ours")
        self.authority = authority.file
        pem = authority.issue(LOCALHOST, LOOPBACK)
        pem.chmod(0o600)
        self.plain, self.tls = freePort(), freePort()
        (folder / "irc.toml").write_text(
            CONFIGURATION.format(plain=self.plain, tls=self.tls, pem=pem, qq=self.port),
            encoding="utf-8",
        )
        self._clients: list[Terminal] = []

    async def startServer(self) -> Daemon:
        """
        Start the WebQQ server on the test's database.
        """
        server = self.server("--database", "qq.db", "--population", "people.toml")
        await server.says("listens on")
        return server

    async def startGateway(self) -> Daemon:
        """
        Start the gateway, and wait until it listens.
        """
        gateway = self.twistd("webqq-irc", "--config", "irc.toml")
        await self.answers(self.plain, gateway)
        return gateway

    def irssi(self, name: str = "irssi") -> Irssi:
        """
        Create an irssi, to be started by the test.
        """
        return self.stopLater(Irssi(self.folder / name))

    def finch(self, name: str = "finch") -> Finch:
        """
        Create a finch, to be started by the test.
        """
        return self.stopLater(Finch(self.folder / name))

    def ii(self, name: str = "ii") -> Ii:
        """
        Create an ii, to be started by the test.
        """
        return self.stopLater(Ii(self.folder / name))

    def sic(self) -> Sic:
        """
        Create a sic, to be started by the test.
        """
        return self.stopLater(Sic())

    def pydle(self) -> Pydle:
        """
        Create a program that uses pydle, to be started by the test.
        """
        return self.stopLater(Pydle())

    def weechat(self, name: str = "weechat") -> WeeChat:
        """
        Create a WeeChat, to be started by the test.
        """
        return self.stopLater(WeeChat(self.folder / name))

    def stopLater(self, client: C) -> C:
        """
        Stop a client at the end of the test.

        @return: the client.
        """
        self._clients.append(client)
        return client

    async def friend(self, number: int, password: str) -> QQFriend:
        """
        Sign on an account.
        """
        url = f"http://127.0.0.1:{self.port}"
        friend = self.stopLater(QQFriend(url, number, password))
        await friend.start()
        return friend

    async def startWithMing(self) -> QQFriend:
        """
        Start the server and the gateway, and sign on Alice's friend.
        """
        await self.startServer()
        await self.startGateway()
        return await self.ming()

    async def ming(self) -> QQFriend:
        """
        Sign on Alice's friend.
        """
        return await self.friend(10002, "battery staple")

    async def stop(self) -> None:
        """
        Stop all clients and processes.
        """
        for client in self._clients:
            await client.stop()
        self.clear()
        for daemon in self.daemons:
            await daemon.exits()
