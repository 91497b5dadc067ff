"""
The gateway of txwebqq and other programs that IRC clients connect to, each with the
server behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from benchmarks.irc.gatewayline import NGIRCD, IRCSocket
from benchmarks.peers.chat import Population
from benchmarks.peers.processes import (
    ServerProcess,
    program,
    running,
    temporaryFolder,
)
from benchmarks.peers.webqq import (
    FIRST,
    GROUP,
    PASSWORD,
    ROOT,
    WebQQSession,
    WebQQStarter,
    twistd,
)
from benchmarks.processes import freePort

FRIENDS = 20
"""Number of friends of each account, and of contacts in XMPP."""

CHANNELS = 2
"""Number of groups of each account, and of channels on IRC."""

MEMBERS = 50
"""Number of members of each group or channel."""

ALL = [f"#c{n}" for n in range(CHANNELS)]
"""The channels on IRC."""

USER = """
[[gateway.user]]
name = "u{n}"
password-file = "password"

[[gateway.user.account]]
number = {number}
password-file = "password"
server = "http://127.0.0.1:{server}"
"""

ZNC_CONFIGURATION = """
Version = 1.8.2
AnonIPLimit = 10000
ConnectDelay = 0
MaxBufferSize = 500
ServerThrottle = 0
<Listener bench>
    Host = 127.0.0.1
    Port = {port}
    IPv4 = true
    IPv6 = false
    SSL = false
    AllowIRC = true
    AllowWeb = false
</Listener>
"""

ZNC_USER = """
<User u{n}>
    Nick = u{n}
    Ident = u{n}
    RealName = u{n}
    Pass = plain#{password}
    LoadModule = chansaver
    <Network irc>
        FloodBurst = 10000
        FloodRate = 1000000.00
        IRCConnectEnabled = true
        JoinDelay = 0
        Server = 127.0.0.1 {server}
        <Chan #c0>
        </Chan>
        <Chan #c1>
        </Chan>
    </Network>
</User>
"""

BITLBEE = """
[settings]
RunMode = Daemon
DaemonInterface = 127.0.0.1
DaemonPort = {port}
ConfigDir = {folder}/accounts
AuthMode = Open
"""


class Attached(Protocol):
    """
    A program with clients that are connected to it and in a channel.

    @ivar process: the process that is measured.
    @ivar channel: the channel of all clients.
    @ivar clients: the clients.
    """

    process: ServerProcess
    channel: str
    clients: list[IRCSocket]

    def speak(self, text: str) -> None:
        """
        Send a line to the channel as another member of it.
        """

    def hear(self) -> None:
        """
        Wait until the other member has received a line of a client.
        """


class Attachable(Protocol):
    """
    Starts one kind of program with users.
    """

    def check(self) -> None:
        """
        Check that the program can be started.

        @raise Missing: when it is not installed.
        """

    def users(self, count: int) -> AbstractContextManager[ServerProcess]:
        """
        Run it with several users during a C{with} block: each has a client, L{FRIENDS},
        and is in L{CHANNELS} channels with L{MEMBERS} members.
        """


class Relay(Attachable, Protocol):
    """
    Starts one kind of program with users, or with a channel.
    """

    def shared(self, clients: int) -> AbstractContextManager[Attached]:
        """
        Run it with one user to which several clients are attached, during a
        C{with} block.
        """


class AttachedToGateway:
    """
    Clients of the gateway (L{Attached}); the other member is an account that uses
    HTTP.
    """

    channel = f"#{GROUP}"

    def __init__(
        self, process: ServerProcess, clients: list[IRCSocket], member: WebQQSession
    ) -> None:
        self.process = process
        self.clients = clients
        self._member = member

    def speak(self, text: str) -> None:
        self._member.sendToGroup(text)
        self._member.awaitSent()

    def hear(self) -> None:
        self._member.awaitReceived(self._member.received + 1)


class Gateway:
    """
    The gateway with the server of txwebqq behind it (L{Relay}).
    """

    def check(self) -> None:
        pass

    @contextmanager
    def shared(self, clients: int) -> Iterator[Attached]:
        with WebQQStarter()(
            Population(members=2, accounts=50, friendCount=FRIENDS)
        ) as server:
            member = WebQQSession(server.port, 1)
            member.signOn()
            member.joinGroup()
            with self._started(1, server.port) as (process, port):
                sockets = []
                for n in range(clients):
                    name = f"u0/c{n}" if n else "u0"
                    sockets.append(_attached(port, f"u{n}", f"{name}:{PASSWORD}"))
                # The presence of friends.
                member.readPending()
                yield AttachedToGateway(process, sockets, member)

    @contextmanager
    def users(self, count: int) -> Iterator[ServerProcess]:
        population = Population(
            members=MEMBERS,
            accounts=max(count, MEMBERS),
            groups=CHANNELS,
            friendCount=FRIENDS,
        )
        with (
            WebQQStarter()(population) as server,
            self._started(count, server.port) as (process, port),
        ):
            sockets = [
                _attached(port, f"u{n}", f"u{n}:{PASSWORD}") for n in range(count)
            ]
            yield process
            close(sockets)

    @contextmanager
    def _started(self, users: int, server: int) -> Iterator[tuple[ServerProcess, int]]:
        with temporaryFolder() as folder:
            secret = folder / "password"
            secret.touch(0o600)
            secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
            port = freePort()
            text = (
                f'[gateway]\nlisten = ["tcp:{port}:interface=127.0.0.1"]\n'
                'database = "gateway.sqlite"\n'
            )
            text += "".join(
                USER.format(n=n, number=FIRST + n, server=server) for n in range(users)
            )
            (folder / "irc.toml").write_text(text, encoding="utf-8")
            argv = [twistd(), "-n", "--pidfile=", "webqq-irc", "--config", "irc.toml"]
            with running(argv, folder, {"PYTHONPATH": str(ROOT)}) as process:
                process.awaitPort(port)
                yield process, port


def _attached(port: int, nick: str, password: str) -> IRCSocket:
    """
    Connect a client that is put into its channels, and wait until it is there.
    """
    client = IRCSocket(port, nick, password)
    client.readUntil("366")
    return client


def close(sockets: list[IRCSocket]) -> None:
    """
    Close the connections of clients.
    """
    for one in sockets:
        one.close()


class AttachedToIRC:
    """
    Clients in a channel of an IRC network (L{Attached}), as the other member is.
    """

    def __init__(
        self,
        process: ServerProcess,
        channel: str,
        clients: list[IRCSocket],
        member: IRCSocket,
    ) -> None:
        self.process = process
        self.channel = channel
        self.clients = clients
        self._member = member

    def speak(self, text: str) -> None:
        self._member.send(f"PRIVMSG {self.channel} :{text}")

    def hear(self) -> None:
        self._member.readUntil("PRIVMSG")


class NgIRCd:
    """
    ngIRCd alone (L{Relay}).
    """

    def check(self) -> None:
        program("ngircd", "ngircd")

    @contextmanager
    def started(self) -> Iterator[tuple[ServerProcess, int]]:
        """
        Run ngIRCd during a C{with} block.

        @return: the process and its port.
        """
        with temporaryFolder() as folder:
            port = freePort()
            file = folder / "ngircd.conf"
            file.write_text(NGIRCD.format(port=port))
            argv = [program("ngircd", "ngircd"), "-n", "-f", str(file)]
            with running(argv, folder) as process:
                process.awaitPort(port)
                yield process, port

    @contextmanager
    def shared(self, clients: int) -> Iterator[Attached]:
        with self.started() as (process, port):
            member = joined(port, "member", ["#c0"])
            sockets = [joined(port, f"u{n}", ["#c0"]) for n in range(clients)]
            yield AttachedToIRC(process, "#c0", sockets, member)

    @contextmanager
    def users(self, count: int) -> Iterator[ServerProcess]:
        with self.started() as (process, port):
            sockets = [joined(port, f"u{n}", ALL) for n in range(count)]
            yield process
            close(sockets)


def fill(port: int, count: int) -> list[IRCSocket]:
    """
    Connect as many clients to an IRC server as its channels lack.
    """
    return [joined(port, f"other{n}", ALL) for n in range(count, MEMBERS)]


def joined(port: int, nick: str, channels: list[str]) -> IRCSocket:
    """
    Connect a client to an IRC server, and join channels.
    """
    client = IRCSocket(port, nick)
    for channel in channels:
        client.send(f"JOIN {channel}")
        client.readUntil("366")
    return client


class ZNC:
    """
    ZNC with an ngIRCd behind it (L{Relay}).
    """

    def check(self) -> None:
        program("znc", "znc")
        program("ngircd", "ngircd")

    @contextmanager
    def shared(self, clients: int) -> Iterator[Attached]:
        with (
            NgIRCd().started() as (_, server),
            self._started(1, server) as (process, port),
        ):
            member = joined(server, "member", ["#c0"])
            member.readUntil("JOIN")
            sockets = [
                _attached(port, f"c{n}", f"u0/irc:{PASSWORD}") for n in range(clients)
            ]
            yield AttachedToIRC(process, "#c0", sockets, member)

    @contextmanager
    def users(self, count: int) -> Iterator[ServerProcess]:
        with (
            NgIRCd().started() as (_, server),
            self._started(count, server) as (process, port),
        ):
            member = joined(server, "member", ["#c0"])
            for _ in range(count):
                member.readUntil("JOIN")
            sockets = [
                _attached(port, f"u{n}", f"u{n}/irc:{PASSWORD}") for n in range(count)
            ]
            sockets += fill(server, count + 1)
            yield process
            close(sockets)

    @contextmanager
    def _started(self, users: int, server: int) -> Iterator[tuple[ServerProcess, int]]:
        with temporaryFolder() as folder:
            port = freePort()
            text = ZNC_CONFIGURATION.format(port=port)
            text += "".join(
                ZNC_USER.format(n=n, server=server, password=PASSWORD)
                for n in range(users)
            )
            (folder / "configs").mkdir()
            (folder / "configs" / "znc.conf").write_text(text)
            name = program("znc", "znc")
            argv = [name, "--foreground", "--datadir", str(folder)]
            # As root it would wait for half a minute.
            with running(argv, folder, user="nobody") as process:
                process.awaitPort(port)
                yield process, port


RELAYS: dict[str, Relay] = {"ours": Gateway(), "znc": ZNC(), "ngircd": NgIRCd()}
