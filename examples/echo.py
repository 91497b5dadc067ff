"""
A bot that sends messages of friends back::

    twistd -n webqq --account 10002 --password-file FILE --app echo.EchoFactory
"""

from txwebqq.model import CustomFace, Message, OfflinePicture
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class Echo(WebQQProtocol):
    """
    Sends every message of a friend back, without its pictures.
    """

    async def messageReceived(self, message: Message) -> None:
        """
        Send the message back, with its faces and font. Pictures of others cannot be
        sent as they are: they would have to be fetched and uploaded again.
        """
        pictures = CustomFace | OfflinePicture
        content = [part for part in message.content if not isinstance(part, pictures)]
        if content:
            await self.sendMessage(message.sender, content, message.font)


class EchoFactory(WebQQFactory):
    """
    Builds an L{Echo} for each sign-on.
    """

    protocol = Echo
