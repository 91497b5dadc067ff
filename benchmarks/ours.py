"""
Our client, as applications use it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from txwebqq.client import Servers, WebQQClient, connect
from txwebqq.model import Account, GroupMessage, Message, Number
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService


class Elsewhere(Servers):
    """
    Servers of which polls are asked elsewhere.
    """

    def locate(self, url: str) -> str:
        base, _, polls = (self.base or "").partition(" ")
        path = urlsplit(url).path
        return (polls if path == "/channel/poll2" else base) + path


class Counting(WebQQProtocol):
    """
    An application that counts what it hears.
    """

    factory: CountingFactory

    def messageReceived(self, message: Message) -> object:
        self.factory.heard()
        return None

    def groupMessageReceived(self, message: GroupMessage) -> object:
        self.factory.heard()
        return None


class CountingFactory(WebQQFactory):
    """
    What all of them have counted.
    """

    protocol = Counting

    def __init__(self) -> None:
        self.count = 0

    def heard(self) -> None:
        """
        One more.
        """
        self.count += 1


def account(n: int) -> Account:
    """
    One of those that the server has.
    """
    return Account(Number(20001 + n), "p")


def service(
    reactor: Any, n: int, url: str, factory: WebQQFactory, polls: str = ""
) -> tuple[WebQQService, WebQQClient]:
    """
    What keeps an account signed on.

    @param polls: where polls are asked, if not there.
    """
    client = connect(reactor, url)
    if polls:
        client._servers = Elsewhere(f"{url} {polls}")
    return WebQQService(account(n), factory, client, reactor), client
