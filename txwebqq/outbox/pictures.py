"""
Pictures of queued messages, which are uploaded in the session in which they are sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from twisted.internet.interfaces import IReactorTime

from txwebqq.model import (
    Content,
    GroupPicture,
    PictureBytes,
    QueuedContent,
    Recipient,
    Segment,
    ToFriend,
    ToStranger,
)
from txwebqq.outbox.storedform import digestOf
from txwebqq.protocol import WebQQProtocol
from txwebqq.requests.messages import Sendable, contentOf
from txwebqq.requests.splitting import splitContent

MAX_NAME = 100
"""Maximum length of the file name of a picture, in characters."""

REUSED = 3600.0
"""The seconds for which a session uses the reference of an uploaded picture."""

MAX_REUSED = 32
"""Maximum number of references that are kept for this."""

UNKNOWN_SESSION = 2
"""The result of an upload for which there is no session, or no space for now."""

SendableWithPictures = Sendable | Iterable[Segment | PictureBytes | str]
"""A message to queue: a text, or segments and pictures in order."""


def queuedContentOf(to: Recipient, content: SendableWithPictures) -> QueuedContent:
    """
    Make the content of a message to a recipient from a text or from segments.

    @raise TypeError: for a value of another type, also as a segment.
    @raise ValueError: when there is nothing to send, or for a picture without bytes,
        with a long name, or in a temporary chat.
    """
    given: object = content
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Mapping)):
        return contentOf(content)  # type: ignore[arg-type]
    pictures: dict[Segment, PictureBytes] = {}
    replaced: list[Segment | str] = []
    for each in given:
        if isinstance(each, PictureBytes):
            _check(to, each)
            each = _standIn(pictures, each)
        replaced.append(each)
    return _restore(contentOf(replaced), pictures)


def _check(to: Recipient, picture: PictureBytes) -> None:
    # Callers without a type checker pass other things.
    data: object = picture.data
    name: object = picture.name
    if not isinstance(data, bytes):
        raise TypeError(
            f"the data of a PictureBytes is {type(data).__name__}, not bytes"
        )
    if not isinstance(name, str):
        raise TypeError(f"the name of a PictureBytes is {type(name).__name__}, not str")
    if not data:
        raise ValueError("a picture without bytes cannot be sent")
    if len(name) > MAX_NAME:
        raise ValueError(f"the name of a picture has more than {MAX_NAME} characters")
    if isinstance(to, ToStranger):
        raise ValueError("a picture cannot be queued for a temporary chat")


def splitQueued(content: QueuedContent, limit: int) -> list[QueuedContent]:
    """
    Split a content into messages, as L{splitContent}. The cuts do not depend on the
    references of uploaded pictures, so that they are the same in each session.
    """
    pictures: dict[Segment, PictureBytes] = {}
    replaced = tuple(
        _standIn(pictures, each) if isinstance(each, PictureBytes) else each
        for each in content
    )
    return [_restore(part, pictures) for part in splitContent(replaced, limit, "split")]


def _standIn(
    pictures: dict[Segment, PictureBytes], picture: PictureBytes
) -> GroupPicture:
    # Longer than the reference of any picture that was uploaded.
    made = GroupPicture(f"{len(pictures):0400d}")
    pictures[made] = picture
    return made


def _restore(
    content: Content, pictures: Mapping[Segment, PictureBytes]
) -> QueuedContent:
    return tuple(pictures.get(each, each) if pictures else each for each in content)


class PictureUploads:
    """
    Uploads the pictures of messages in one session.

    @param protocol: the protocol of the session.
    """

    def __init__(self, protocol: WebQQProtocol, clock: IReactorTime) -> None:
        self._protocol = protocol
        self._clock = clock
        # So that a message that is sent again needs no second upload.
        self._uploaded: OrderedDict[tuple[Recipient, str], tuple[float, Segment]] = (
            OrderedDict()
        )

    async def contentOf(self, to: Recipient, content: QueuedContent) -> Content:
        """
        Return a content with references in place of its pictures, after they have been
        uploaded.

        @raise WebQQError: when an upload has failed; the message was not sent.
        """
        found: list[Segment] = []
        for each in content:
            if isinstance(each, PictureBytes):
                found.append(await self._upload(to, each))
            else:
                found.append(each)
        return tuple(found)

    async def _upload(self, to: Recipient, picture: PictureBytes) -> Segment:
        key = to, f"{digestOf(picture)} {picture.name}"
        time, reference = self._uploaded.get(key, (0.0, None))
        now = self._clock.seconds()
        if reference is None or now - time > REUSED:
            if isinstance(to, ToFriend):
                upload = self._protocol.uploadPicture
            else:
                upload = self._protocol.uploadGroupPicture  # type: ignore[assignment]
            reference = await upload(picture.data, picture.name)
            self._uploaded[key] = now, reference
            if len(self._uploaded) > MAX_REUSED:
                self._uploaded.popitem(last=False)
        return reference
