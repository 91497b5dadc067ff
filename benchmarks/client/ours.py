"""
Clients of txwebqq, as applications use them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from txwebqq.client import Servers, WebQQClient, connect
from txwebqq.model import Account, GroupMessage, Message, Number
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService


class SeparatePollServer(Servers):
    """
    Servers whose polls go to another URL. C{base} holds both URLs, with a space
    between them.
    """

    def locate(self, url: str) -> str:
        base, _, polls = (self.base or "").partition(" ")
        path = urlsplit(url).path
        return (polls if path == "/channel/poll2" else base) + path


class CountingProtocol(WebQQProtocol):
    """
    An application that counts the messages it receives.
    """

    factory: CountingFactory

    def messageReceived(self, message: Message) -> object:
        self.factory.messageReceived()
        return None

    def groupMessageReceived(self, message: GroupMessage) -> object:
        self.factory.messageReceived()
        return None


class CountingFactory(WebQQFactory):
    """
    Builds L{CountingProtocol}s.

    @ivar count: the number of messages that all of them have received.
    """

    protocol = CountingProtocol

    def __init__(self) -> None:
        self.count = 0

    def messageReceived(self) -> None:
        """
        Count a message.
        """
        self.count += 1


def account(n: int) -> Account:
    """
    Return the account with an index in L{servers.writePopulation
    <benchmarks.servers.writePopulation>}.
    """
    return Account(Number(20001 + n), "p")


def service(
    reactor: Any, n: int, url: str, factory: WebQQFactory, polls: str = ""
) -> tuple[WebQQService, WebQQClient]:
    """
    Make the service and the client of an account.

    @param url: the URL of the server.
    @param polls: another URL for polls, C{""} for the same.
    """
    client = connect(reactor, url)
    if polls:
        client._servers = SeparatePollServer(f"{url} {polls}")
    return WebQQService(account(n), factory, client, reactor), client
