"""
The post office of a server: how letters reach sessions, and what waits.

A letter is handed to a session whose poll is held; for everybody else it is
kept in the store until it has been delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from txwebqq.model import Content, Event, Font, Gid, KickNotice, Number, Uin
from txwebqq.server.archive import Archive
from txwebqq.server.mail import (
    MAX_TOGETHER,
    BuddyLetter,
    GroupLetter,
    Letter,
    Mailbox,
    Postmark,
    tidyContent,
    tidyFont,
)
from txwebqq.server.sessions import (
    Ended,
    Ending,
    Listener,
    Random,
    Session,
    Sessions,
)
from txwebqq.server.storage import Storage
from txwebqq.wire.channel import PollResult
from txwebqq.wire.command import Refusal
from txwebqq.wire.content import MAX_TEXT, sizeOf

KICKED = "您的帐号在另一地点登录，您已被迫下线。"
"""What somebody is told whose account signs on anew."""

NOT_YOURS = 100001
"""The retcode for a person or a group that one has nothing to do with."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    What the answer to a poll holds.

    @ivar receipts: the stored letters in it.
    """

    reply: PollResult | Refusal
    receipts: tuple[tuple[Number, int], ...] = ()


class PostOffice:
    """
    Takes letters in, and gives them out to polls.

    @ivar store: where letters wait.
    @ivar archive: where they stay.
    @ivar sessions: who is signed on.
    """

    def __init__(
        self, store: Storage, now: Callable[[], float], random: Random
    ) -> None:
        self.store = store
        self.sessions = Sessions(now, random)
        self.archive = Archive(store, now)
        self._now = now
        self._random = random
        self._messageIds: dict[Number, int] = {}
        self._sequences: dict[Number, int] = {}
        self._written: list[tuple[Number, int]] = []
        self._leaving: list[tuple[Number, int]] = []

    # ---- messages

    def sendToBuddy(
        self, session: Session, uin: Uin, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send to a friend.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be passed on.
        """
        number = session.aliases.person(uin)
        if number is None or not self.store.areFriends(session.number, number):
            return Refusal(NOT_YOURS, "to is nobody's uin in your friend list")
        content = tidyContent(content)
        if sizeOf(content) > MAX_TEXT:
            return Refusal(123, "the message is too long")
        letter = BuddyLetter(self.postmark(session.number), content, tidyFont(font))
        self.post(letter, [number])
        return None

    def sendToGroup(
        self, session: Session, gid: Gid, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send to the other members of a group.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be passed on.
        """
        group = session.aliases.groupOfGid(gid)
        if group is None or not self.store.isMember(group, session.number):
            return Refusal(NOT_YOURS, "group_uin is no gid of your groups")
        content = tidyContent(content)
        if sizeOf(content) > MAX_TEXT:
            return Refusal(123, "the message is too long")
        letter = GroupLetter(
            self.postmark(session.number),
            content,
            tidyFont(font),
            group,
            self.nextSequence(group),
        )
        audience = self.store.audience(group)
        self.post(letter, [n for n in audience if n != session.number])
        return None

    def postmark(self, sender: Number) -> Postmark:
        """
        What goes on the next letter of somebody.
        """
        return Postmark(
            sender=sender,
            time=int(self._now()),
            messageId=self._nextMessageId(sender),
            messageId2=self._random.randrange(1, 2**31),
        )

    def _nextMessageId(self, sender: Number) -> int:
        # Clients drop what has the id of a message they know, and may know
        # some of a run before this one.
        last = self._messageIds.get(sender) or self._random.randrange(0, 30_000)
        self._messageIds[sender] = following = last % 65_535 + 1
        return following

    def nextSequence(self, group: Number) -> int:
        """
        The running number of the next message in a group or a discussion.
        """
        # Some clients take a lower number for a repetition, so a restart must
        # not begin anew.
        last = self._sequences.get(group) or int(self._now())
        self._sequences[group] = last + 1
        return last + 1

    def post(self, letter: Letter, numbers: Iterable[Number]) -> None:
        """
        Hand a letter to whoever listens, keep it for all the others.
        """
        recipients = list(numbers)
        self.archive.note(letter, recipients)
        listening, others = [], []
        for number in recipients:
            session = self.sessions.of(number)
            if session is not None and session.listener is not None:
                listening.append(session)
            else:
                others.append(number)
        if others:
            serial = self.store.keep(letter, others)
            for number in others:
                session = self.sessions.standing(number)
                if session is not None:
                    session.mailbox.stored(serial, letter)
        for session in listening:
            session.mailbox.hand(letter)
            if session.listener is not None:
                session.listener.ring()

    def signal(self, letter: Letter, number: Number, seconds: float) -> None:
        """
        Hand a letter to somebody who is there, and to nobody else: it is worth
        nothing after some seconds.
        """
        session = self.sessions.of(number)
        if session is None:
            return
        signals = session.mailbox.signals
        key = letter.conversation
        if key not in signals and len(signals) >= MAX_TOGETHER:
            return
        signals[key] = self._now() + seconds, letter
        if session.listener is not None:
            session.listener.ring()

    # ---- polls

    def collect(self, session: Session) -> Parcel | None:
        """
        Take out what waits for a session, or L{None} if nothing does.

        To be called only when it can be written at once.
        """
        if session.ended is not None:
            return Parcel(self.lastWords(session.ended))
        if session.listener is None:
            self.sessions.rest(session)
        if session.rotation is not None:
            rotation, session.rotation = session.rotation, None
            return Parcel(Refusal(116, ptwebqq=rotation))
        mailbox = session.mailbox
        self._load(session, mailbox)
        letters = mailbox.take()
        news = mailbox.takeNews(session.aliases)
        events: list[Event] = list(news)
        if mailbox.signals:
            signals = mailbox.takeSignals(self._now())
            events.extend(signal.event(session.aliases) for signal in signals)
        events.extend(letter.event(session.aliases) for _, letter in letters)
        if not events:
            return None
        return Parcel(
            PollResult(tuple(events)),
            tuple((session.number, n) for n, _ in letters if n is not None),
        )

    def _load(self, session: Session, mailbox: Mailbox) -> None:
        room = mailbox.room
        if room:
            found = self.store.waiting(session.number, mailbox.seen, room)
            mailbox.load(found, room)

    def _storeRest(self, session: Session) -> None:
        # Accepted because somebody listened, and now nobody does.
        for letter in session.mailbox.unstored():
            serial = self.store.keep(letter, [session.number])
            session.mailbox.stored(serial, letter)

    def delivered(self, parcel: Parcel) -> bool:
        """
        A parcel has been written.

        @return: whether L{settle} has to be called on the reactor's next turn.
        """
        self._written.extend(parcel.receipts)
        return bool(parcel.receipts)

    def settle(self) -> bool:
        """
        Let go of the letters that had been written before the last call: what
        is written in one turn of the reactor leaves in the next.

        @return: whether to call again on the next turn.
        """
        gone, self._leaving, self._written = self._leaving, self._written, []
        if gone:
            self.store.delivered(gone)
        return bool(self._leaving)

    def listen(self, session: Session, listener: Listener) -> None:
        """
        Hold a session's poll, after L{collect} had nothing.
        """
        self.supersede(session)
        session.listener = listener
        self.sessions.wake(session)

    def supersede(self, session: Session) -> None:
        """
        Send away who holds a session's poll; what they were not given waits.
        """
        older = session.listener
        if older is not None:
            self.hangUp(session, older)
            older.superseded()

    def hangUp(self, session: Session, listener: Listener) -> None:
        """
        Stop holding it, because it is answered or its connection is gone.
        """
        if session.listener is listener:
            session.listener = None
            if session.ended is None:
                self._storeRest(session)
                self.sessions.rest(session)

    def lastWords(self, ended: Ended) -> PollResult | Refusal:
        """
        What a poll on a ticket is answered that is no longer good.
        """
        ended.told = True
        if ended.ending is not Ending.REPLACED:
            return refusalFor(ended)
        first = self._nextMessageId(Number(10000))
        notice = KickNotice(KICKED, True, ended.number, first, first + 1)
        return PollResult((notice,))


def refusalFor(ended: Ended) -> Refusal:
    """
    What any other call on such a ticket is answered.
    """
    match ended.ending:
        case Ending.UNKNOWN | Ending.LAPSED:
            return Refusal(121, seconds=0)
        case Ending.REPLACED:
            return Refusal(100, KICKED)
    return Refusal(100, "logged out")
