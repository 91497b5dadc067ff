"""
The relay and the services of an IRC network: SASL, and NickServ.
"""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import Daemon
from tests.irc.processes import GatewayProcesses
from tests.irc.servers import IRCUser, writeConfig
from tests.irc.services import Atheme

RELAY = """
[relay]
database = "relay.sqlite"

[[relay.account]]
number = 10001
password-file = "alice"
server = "http://127.0.0.1:{qq}"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:{port}"
nick = "qqrelay"
{login}

[[relay.room]]
groups = ["10001/200001"]
channels = ["home/#cats"]
"""

SASL = 'sasl-user = "qqrelay"\nsasl-password-file = "services"'
NICKSERV = 'nickserv-password-file = "services"'
PASSWORD = "lapsang-souchong"


class Network:
    """
    An IRC network on which the nick of the relay is registered, and the processes
    of a test.

    @ivar bob: a user in the channel.
    """

    def __init__(self, processes: GatewayProcesses) -> None:
        self._processes = processes
        self._atheme = Atheme(processes)
        self._port = self._atheme.ircd.port
        self.bob = self.user("bob")

    def user(self, nick: str) -> IRCUser:
        """
        Create an IRC user, who connects with C{join}.
        """
        user = IRCUser(self._port, nick)
        self._processes.stopLater(user)
        return user

    async def start(self) -> None:
        """
        Start the servers, and register the relay's nick with NickServ.
        """
        await self._processes.startServer()
        await self._atheme.start()
        await self.bob.join("#cats")
        owner = self.user("qqrelay")
        await owner.join("#tea")
        owner.say("NickServ", f"REGISTER {PASSWORD} owner@example.org")
        # RPL_LOGGEDIN
        await owner.receives("900")
        owner.send("NICK", "owner")
        await owner.receives("NICK")

    async def accounts(self, nick: str) -> list[str]:
        """
        Ask the server, once in a test, for the accounts to which a user is logged
        in: one or none.
        """
        self.bob.send("WHOIS", nick)
        # RPL_ENDOFWHOIS, and RPL_WHOISACCOUNT
        await self.bob.receives("318")
        return [line.params[2] for line in self.bob.lines if line.command == "330"]

    def relay(self, login: str, password: str = PASSWORD) -> Daemon:
        """
        Start the relay.
        """
        self._processes.secret("services", password)
        text = RELAY.format(qq=self._processes.port, port=self._port, login=login)
        file = writeConfig(self._processes.folder, text)
        return self._processes.twistd("webqq-irc", "--config", file)


@ensureDeferred
async def test_sasl(processes: GatewayProcesses) -> None:
    """
    With SASL the relay is logged in before it joins, and relays messages.
    """
    network = Network(processes)
    await network.start()
    ming = await processes.ming()
    relay = network.relay(SASL)
    bob = network.bob
    await bob.seesJoin("qqrelay")
    assert await network.accounts("qqrelay") == ["qqrelay"]
    await ming.tellGroup("猫咪", "茶好了")
    await bob.shows("qqrelay: <小\u200b明> 茶好了")
    assert PASSWORD not in relay.output


@ensureDeferred
async def test_wrongPassword(processes: GatewayProcesses) -> None:
    """
    With a wrong password the relay logs why it disconnects, and joins nothing.
    """
    network = Network(processes)
    await network.start()
    relay = network.relay(SASL, "gunpowder-tea")
    await relay.says("home: registration failed: the account is refused: SASL ")
    await relay.says("home: connection lost: the account is refused: SASL ")
    assert await network.accounts("qqrelay") == []
    lines = network.bob.lines
    # ERR_NOSUCHNICK
    assert "401" in [line.command for line in lines]
    assert {line.nick for line in lines if line.command == "JOIN"} == {"bob"}
    assert "connected as" not in relay.output
    assert "gunpowder" not in relay.output


@ensureDeferred
async def test_nickRegained(processes: GatewayProcesses) -> None:
    """
    NickServ disconnects a stranger who has the nick of the relay, and the relay
    takes it.
    """
    network = Network(processes)
    await network.start()
    ming = await processes.ming()
    stranger = network.user("qqrelay")
    await stranger.join("#tea")
    relay = network.relay(NICKSERV)
    await relay.says("home: connected as qqrelay_")
    await stranger.receives("ERROR")
    bob = network.bob

    def isRegained(seen: str) -> bool:
        named = [line.params[0] for line in bob.lines if line.command == "NICK"]
        joined = [line.nick for line in bob.lines if line.command == "JOIN"]
        return "qqrelay" in named + joined

    await bob.until(isRegained, "the nick qqrelay")
    assert await network.accounts("qqrelay") == ["qqrelay"]
    await ming.tellGroup("猫咪", "茶好了")
    await bob.shows("qqrelay: <小\u200b明> 茶好了")
    assert PASSWORD not in relay.output
