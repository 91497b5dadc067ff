"""
Files of groups and of contacts as messages.
"""

from __future__ import annotations

from txwebqq.irc.qq.content import fileToText
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import AnyFile, IncomingMessage
from txwebqq.irc.targets import Target
from txwebqq.model import Font, Text

FILE_KEY = "file "
"""The beginning of the keys of files, which have no id that messages refer to."""


def fileMessage(
    account: int,
    target: Target,
    sender: int,
    file: AnyFile,
    links: MediaLinks | None,
) -> IncomingMessage:
    """
    Return the message of a file that an account was told of.

    @param account: the number of the account.
    @param sender: the number of the account that has sent or shared the file.
    @param links: makes the link; without it, the message has none.
    """
    text = described = fileToText(file.name, file.size)
    if links is not None:
        text = f"{text} {links.files.add(account, file) or ''}"
    # A file that a server delivers twice is shown once.
    key = f"{FILE_KEY}{file.time} {file.messageId} {described}"
    content = (Text(text.rstrip()),)
    return IncomingMessage(target, sender, content, Font(), file.time, key)
