"""
A bot that sends every message back::

    twistd -n webqq --account 10002 --password-file FILE --app echo.EchoFactory
"""

from twisted.internet.defer import Deferred

from txwebqq.model import Message, Sent
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class Echo(WebQQProtocol):
    """
    Sends every message of a friend back.
    """

    def messageReceived(self, message: Message) -> Deferred[Sent]:
        """
        Send the message back, with its faces and font.
        """
        return self.sendMessage(message.sender, message.content, message.font)


class EchoFactory(WebQQFactory):
    """
    Builds an L{Echo} for each sign-on.
    """

    protocol = Echo
