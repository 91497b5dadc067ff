"""
Recalls, reactions, pokes, mutes and shared files in one room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from txwebqq.faces import nameOf, withFaces
from txwebqq.irc.qq.content import fileToText
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.relay.storage.messageids import MessageIds, RelayedMessage
from txwebqq.irc.relay.storage.outbox import MessageKind, OutboxMessage
from txwebqq.irc.relay.target import RelayTarget
from txwebqq.irc.relay.text.attribution import oneWord, withoutHighlight
from txwebqq.irc.relay.text.loopdetection import LoopDetector
from txwebqq.model import Face, GroupFile, Text
from txwebqq.ratelimit import RateLimiter

K = TypeVar("K")
V = TypeVar("V")

MAX_REMEMBERED = 1000
"""Maximum number of recalls, and of reactions, that are remembered."""

MAX_REACTORS = 200
"""Maximum number of members of whom it is remembered that they have reacted to a
message with the same reaction."""

MAX_REACTIONS, MAX_POKES, WINDOW = 10, 5, 60.0
"""The maximum number of reactions that one target is sent, and of pokes that come from
one, and the seconds that they are counted in."""

MAX_REACTION = 64
"""Maximum length of a reaction of IRC, in characters."""

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class InteractionPort(Protocol):
    """
    The room, as L{RoomInteractions} uses it.
    """

    def targets(self) -> Iterable[RelayTarget]:
        """
        List all targets of the room.
        """

    def isIgnored(self, name: str, text: str) -> bool:
        """
        Check whether the messages of a user are not relayed.
        """

    def relayText(
        self, source: RelayTarget, key: str, name: str, text: str, kind: MessageKind
    ) -> None:
        """
        Relay a text as a message of a user.

        @param key: identifies it in the source, C{""} for a key that no other text
            has.
        """

    def enqueueFor(self, target: RelayTarget, message: OutboxMessage) -> None:
        """
        Write a message to the queue of one target.
        """

    def discard(self, target: RelayTarget, origin: str) -> None:
        """
        Remove a message from the queue of a target.
        """

    def sendNotice(self, target: RelayTarget, text: str) -> None:
        """
        Send a text of the relay itself to a target.
        """

    def logStorageErrors(self, source: RelayTarget) -> AbstractContextManager[None]:
        """
        Log the errors of the database in a C{with} block, and say so in the source.
        """


class RoomInteractions:
    """
    Passes on what happens in a target of a room besides messages.

    @param links: makes links of files, L{None} for none.
    @param loopDetector: is told of the lines about recalls.
    @param now: the time in seconds.
    """

    def __init__(
        self,
        room: InteractionPort,
        ids: MessageIds,
        links: MediaLinks | None,
        loopDetector: LoopDetector,
        now: Callable[[], float],
    ) -> None:
        self._room = room
        self._ids = ids
        self._links = links
        self._loopDetector = loopDetector
        self._reactionLimiter = RateLimiter(now, MAX_REACTIONS, WINDOW)
        self._pokeLimiter = RateLimiter(now, MAX_POKES, WINDOW)
        # The last recalls: message and operator by the origin of the message.
        self._recalls: OrderedDict[str, tuple[RelayedMessage, str]] = OrderedDict()
        # The users who have reacted, by the origin of the message and the reaction.
        # The relay's account can react only once for all of them.
        self._reactions: OrderedDict[tuple[str, str], set[Hashable]] = OrderedDict()

    def messageRecalled(
        self, source: RelayTarget, messageId: str, operator: str
    ) -> None:
        """
        A message was recalled in the target in which it was sent first: recall its
        copies. The recall of a copy concerns that copy alone.

        @param operator: the name of the user who has recalled it.
        """
        with self._room.logStorageErrors(source):
            self._messageRecalled(source, messageId, operator)

    def _messageRecalled(
        self, source: RelayTarget, messageId: str, operator: str
    ) -> None:
        message = self._ids.find(source.source, messageId)
        if message is None or message.isRecalled or message.source != source.source:
            return
        self._ids.markRecalled(message.origin)
        self._recalls[message.origin] = (message, operator)
        _limit(self._recalls)
        for target in self._others(source):
            self._room.discard(target, message.origin)
            if self._ids.isIn(target.source, message.origin):
                self._recallIn(target, message, operator)

    def copySent(self, target: RelayTarget, origin: str) -> None:
        """
        A target has accepted a message, or a part of one, which may have been
        recalled meanwhile.
        """
        if origin in self._recalls:
            self._recallIn(target, *self._recalls[origin])

    def _recallIn(
        self, target: RelayTarget, message: RelayedMessage, operator: str
    ) -> None:
        author = oneWord(message.author)
        whose = "" if operator == message.author else f" a message of {author}"
        text = f"recalled{whose}: {message.excerpt}"
        self._loopDetector.remember(operator, text)
        self._room.enqueueFor(
            target,
            OutboxMessage(
                "",
                f"{message.origin}/recall",
                0,
                operator,
                text,
                MessageKind.RECALL,
                reply=message.origin,
            ),
        )

    def ircReactionChanged(
        self,
        source: RelayTarget,
        messageId: str,
        nick: str,
        text: str,
        isSet: bool,
        origin: str,
    ) -> None:
        """
        A user of a channel has reacted to a message, or has taken a reaction back.

        @param nick: the casefolded nick.
        @param text: an emoji, or the name of an emoticon in brackets.
        @param origin: the source of which the reaction is a copy, if its tag names
            one.
        """
        face = _faceOf(text)
        isCopy = any(origin == each.source for each in self._room.targets())
        if face is not None and not isCopy:
            self.reactionChanged(source, messageId, nick, face, isSet)

    def reactionChanged(
        self,
        source: RelayTarget,
        messageId: str,
        who: Hashable,
        face: Face | Text,
        isSet: bool,
    ) -> None:
        """
        A member has reacted to a message, or has taken a reaction back: react to it
        in all other targets, as long as one member does.

        @param who: identifies the member in the source.
        """
        with self._room.logStorageErrors(source):
            self._reactionChanged(source, messageId, who, face, isSet)

    def _reactionChanged(
        self,
        source: RelayTarget,
        messageId: str,
        who: Hashable,
        face: Face | Text,
        isSet: bool,
    ) -> None:
        message = self._ids.find(source.source, messageId)
        if message is None or message.isRecalled:
            return
        key = message.origin, reactionText(face)
        before = self._reactions.pop(key, set())
        member = {(source.source, who)}
        members = before | member if isSet else before - member
        if len(members) > MAX_REACTORS:
            # One user of IRC may react under ever new nicks.
            members = before
        if members:
            self._reactions[key] = members
            _limit(self._reactions)
        # After a restart, an end may be that of an unknown reaction.
        if before if isSet else members:
            return
        for target in self._others(source):
            ids = self._ids.idsIn(target.source, message.origin)
            # Others wait behind them at the pace of the target.
            isShown = bool(ids) and target.isUp
            if isShown and self._reactionLimiter.take(target.source):
                target.react(ids[0], face, isSet, source.source)

    def memberMuted(
        self, source: RelayTarget, member: str, operator: str, seconds: int
    ) -> None:
        """
        A member of a group was muted, or is no longer.

        @param member: the name, C{""} for all members.
        @param operator: the name of the administrator, C{""} for none.
        @param seconds: 0 for the end of the mute.
        """
        for target in self._others(source):
            # Such a notice is of no use when it comes late.
            if not target.isUp:
                continue
            names = [oneWord(member), oneWord(operator)]
            if target.isQuiet:
                names = [withoutHighlight(name) for name in names]
            whom = f"{names[0]} is" if member else "All members are"
            until = f" for {_duration(seconds)}" if member else ""
            state = f"muted in {source.title}{until}" if seconds else ""
            state = state or f"no longer muted in {source.title}"
            by = f" by {names[1]}" if operator and seconds else ""
            self._room.sendNotice(target, f"{whom} {state}{by}")

    def memberPoked(
        self, source: RelayTarget, key: str, sender: str, poked: str
    ) -> None:
        """
        A member of a group has poked another one.
        """
        isFew = self._pokeLimiter.take(source.source)
        if isFew and not self._room.isIgnored(sender, ""):
            text = f"pokes {oneWord(poked)}"
            self._room.relayText(source, key, sender, text, MessageKind.ACTION)

    def fileShared(self, source: RelayTarget, sender: str, file: GroupFile) -> None:
        """
        A member of a group has shared a file.
        """
        described = fileToText(file.name, file.size)
        if self._room.isIgnored(sender, described):
            return
        # A file that a server delivers twice is relayed once.
        key = f"file.{file.time}.{file.messageId}.{described}" if file.time else ""
        link = self._links.files.add(source.account, file) if self._links else None
        text = f"{described} {link}" if link else described
        self._room.relayText(source, key, sender, text, MessageKind.TEXT)

    def _others(self, source: RelayTarget) -> list[RelayTarget]:
        return [each for each in self._room.targets() if each is not source]


def reactionText(face: Face | Text) -> str:
    """
    Return a reaction as it is on IRC: an emoji, or the name of an emoticon in
    brackets.
    """
    return face.text if isinstance(face, Text) else f"[{nameOf(face.id)}]"


def _faceOf(text: str) -> Face | Text | None:
    content = withFaces(text.strip())
    first = content[0] if len(content) == 1 else None
    if isinstance(first, Face):
        return first
    # QQ has no reactions that are words.
    isWord = any(character.isalnum() for character in text)
    isFit = isinstance(first, Text) and len(text) <= MAX_REACTION and not isWord
    return Text(text.strip()) if isFit and text.isprintable() else None


def _duration(seconds: int) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            # To the nearest: clients mute for a little less than 30 days.
            count = round(seconds / length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "no time"


def _limit(remembered: OrderedDict[K, V]) -> None:
    while len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)
