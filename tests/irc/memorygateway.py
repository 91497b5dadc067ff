"""
A gateway in memory: a user with an account, a friend of it, and IRC clients.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from txwebqq.irc.config.accounts import AccountSettings
from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.connection import CONFIRM_TOKEN
from txwebqq.irc.gateway.dispatcher import ClientFactory
from txwebqq.irc.gateway.registration import Authenticator
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.names import NameStore
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.model import Account, Did, Number
from txwebqq.sqlite.database import MEMORY, Database
from txwebqq.testing import MemoryPerson, MemoryWebQQ


class Transport(StringTransport):
    """
    Records that it was aborted, and answers the PINGs that ask for the receipt
    of messages.

    @ivar pong: called with the answer; L{None} for a client that is gone
        without a word.
    """

    isAborted = False
    pong: Callable[[bytes], object] | None = None

    def write(self, data: bytes) -> None:
        if not data.startswith(f"PING :{CONFIRM_TOKEN}".encode()):
            super().write(data)
        elif self.pong is not None:
            self.pong(data.replace(b"PING", b"PONG"))

    def abortConnection(self) -> None:
        self.isAborted = True


class Client:
    """
    An IRC client of the gateway.
    """

    def __init__(self, gateway: UserGateway, address: str = "127.0.0.1") -> None:
        peer = IPv4Address("TCP", address, 54321)
        self.transport = Transport(peerAddress=peer)
        self.connection = gateway.factory.buildProtocol(peer)
        self._web = gateway.web
        self.transport.pong = partial(
            self._web.clock.callLater, 0, self.connection.dataReceived
        )
        self.connection.makeConnection(self.transport)

    def send(self, *lines: str | bytes) -> str:
        """
        Send lines.

        @return: the text received in reply, within a second.
        """
        self.transport.clear()
        for line in lines:
            raw = line.encode() if isinstance(line, str) else line
            self.connection.dataReceived(raw + b"\r\n")
        self._web.settle(1)
        return self.seen

    def vanish(self) -> None:
        """
        Read nothing any more; the gateway is not told.
        """
        self.transport.pong = None

    @property
    def seen(self) -> str:
        data: bytes = self.transport.value()
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        """
        Close the client's connection.
        """
        self.connection.connectionLost()


class UserGateway:
    """
    The user Alice with one account, on any network.

    @ivar web: the network, which advances the clock.
    """

    def __init__(self, web: Any, account: Account, style: NickStyle) -> None:
        self.web = web
        self.clock: Any = web.clock
        self.database = Database(MEMORY, GATEWAY_SCHEMA)
        settings = UserSettings("alice", "oolong", style, (AccountSettings(account),))
        names = NameStore(self.database, partial(casefold, mapping="rfc1459"))
        table = names.tableFor("alice", style.value)
        self.links = MediaLinks(self.database, self.clock.seconds, "http://qq.test/p")
        self.aliceUser = GatewayUser(
            settings,
            table,
            HistoryStore(self.database, callLater=self.clock.callLater),
            self.clock.seconds,
            Preferences(self.database),
            PartedChannels(self.database),
            links=self.links,
        )
        self.links.files.accounts.update(self.aliceUser.accounts)
        self.factory = ClientFactory(
            self.clock,
            "qq.test",
            "",
            {"alice": self.aliceUser},
            Authenticator({"alice": "oolong"}, self.clock.seconds),
        )

    def client(self, *capabilities: str, login: str = "alice") -> Client:
        """
        Connect a client and register it.
        """
        client = Client(self)
        if capabilities:
            client.send("CAP LS 302", f"CAP REQ :{' '.join(capabilities)}", "CAP END")
        client.send(f"PASS {login}:oolong", "NICK me", "USER me 0 * :Me")
        return client


class MemoryGateway(UserGateway):
    """
    The user Alice with an account, her friend Ming, and a group of both.
    """

    web: MemoryWebQQ
    hua: MemoryPerson
    weekend: Did
    dogs: Number

    def __init__(self, friend: str = "小明", style: NickStyle = NickStyle.UTF8) -> None:
        web = MemoryWebQQ()
        self.alice, self.ming = web.friends("Alice", friend)
        self.cats = web.group("猫咪", self.ming, self.alice)
        super().__init__(web, self.alice.account, style)

    def signOn(self, person: MemoryPerson) -> None:
        """
        Sign on Alice's account, or Ming's.
        """
        if person is self.alice:
            person.run(AccountFactory(self.aliceUser.accounts[person.number]))
        else:
            person.run()
        self.web.settle(3)

    def requestJoin(self, person: MemoryPerson, number: Number) -> None:
        """
        Ask to join a group.
        """
        found = self.web.result(person.protocol.searchGroups(str(number)))
        code = found.groups[0].code
        self.web.result(person.protocol.joinGroup(code, "me too"))
        self.web.settle(3)
