"""
A bot that says everything back::

    twistd -n webqq --account 10002 --password-file FILE --app echo.EchoFactory
"""

from twisted.internet.defer import Deferred

from txwebqq.model import Message
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class Echo(WebQQProtocol):
    """
    Repeats what friends say to it.
    """

    def messageReceived(self, message: Message) -> Deferred[None]:
        """
        Say it back, faces and font and all.
        """
        return self.sendMessage(message.sender, message.content, message.font)


class EchoFactory(WebQQFactory):
    """
    Builds one for each sign-on.
    """

    protocol = Echo
