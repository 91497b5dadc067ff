"""
A Twisted application that has a web page and a QQ account side by side::

    TXWEBQQ_PASSWORD=... twistd -ny examples/embed.py

The page shows the last messages. Other environment variables, with their
defaults: C{EMBED_ACCOUNT} (10002), C{EMBED_SERVER} (http://127.0.0.1:8890) and
C{EMBED_LISTEN} (tcp:8080:interface=127.0.0.1).
"""

import os
from collections import deque
from html import escape

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application
from twisted.internet.endpoints import serverFromString
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from txwebqq.client import connect
from txwebqq.model import Account, Message, Number
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService


class Remember(WebQQProtocol):
    """
    Keeps the messages of friends in its factory. There is one for each sign-on.
    """

    factory: "RememberFactory"

    def signedOn(self) -> None:
        """
        Show that the account is online.
        """
        self.factory.state = "online"

    def messageReceived(self, message: Message) -> None:
        """
        Keep a message and the name of its sender.
        """
        buddy = self.buddies.get(message.sender)
        name = buddy.name if buddy else "Unknown"
        self.factory.lines.append(f"{name}: {message.text}")

    def connectionLost(self, reason: Failure) -> None:
        """
        Show that the account is offline, and the reason.
        """
        self.factory.state = f"offline: {reason.getErrorMessage()}"


class RememberFactory(WebQQFactory):
    """
    Holds the state that outlives a sign-on.

    @ivar state: the state of the account, for the page.
    @ivar lines: the last messages.
    """

    protocol = Remember

    def __init__(self) -> None:
        self.state = "signing on"
        self.lines: deque[str] = deque(maxlen=20)


class Page(Resource):
    """
    A page with the last messages.
    """

    isLeaf = True

    def __init__(self, factory: RememberFactory) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._factory = factory

    def render_GET(self, request: Request) -> bytes:
        """
        C{GET /}: show the messages, newest first.
        """
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        items = "".join(f"<li>{escape(s)}" for s in reversed(self._factory.lines))
        state = escape(self._factory.state)
        page = f"<!DOCTYPE html><title>QQ</title><p>{state}<ul>{items}</ul>\n"
        return page.encode()


def makeApplication() -> object:
    """
    Make the application that C{twistd -y} runs.
    """
    from twisted.internet import reactor

    # Child processes must not inherit the password.
    password = os.environ.pop("TXWEBQQ_PASSWORD", None)
    if password is None:
        raise SystemExit("TXWEBQQ_PASSWORD is not set")
    account = Account(Number(int(os.environ.get("EMBED_ACCOUNT", "10002"))), password)
    server = os.environ.get("EMBED_SERVER", "http://127.0.0.1:8890")
    listen = os.environ.get("EMBED_LISTEN", "tcp:8080:interface=127.0.0.1")

    application = Application("embed")
    factory = RememberFactory()
    qq = WebQQService(account, factory, connect(reactor, server), reactor)
    qq.setServiceParent(application)  # type: ignore[no-untyped-call]
    endpoint = serverFromString(reactor, listen)
    web = StreamServerEndpointService(endpoint, Site(Page(factory)))
    web.setServiceParent(application)
    return application


# twistd -y runs the application of this name.
application = makeApplication()
