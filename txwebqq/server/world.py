"""
The world that a WebQQ server serves: who is there, and what they are told.

It knows neither network nor clock. Calls that belong to a session take the
L{Session} that L{World.sessions} found for its ticket.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from txwebqq.model import (
    Content,
    Event,
    Font,
    Gid,
    KickNotice,
    Number,
    Status,
    Uin,
)
from txwebqq.server.challenges import (
    CaptchaMode,
    Captchas,
    Suspects,
    VerifyCodes,
)
from txwebqq.server.mail import (
    BuddyLetter,
    GroupLetter,
    Letter,
    Mailbox,
    Postmark,
    sizeOf,
    tidyContent,
    tidyFont,
)
from txwebqq.server.records import (
    Attendant,
    Drawer,
    Friend,
    Person,
    Population,
    Room,
    Seat,
)
from txwebqq.server.sessions import (
    Ended,
    Ending,
    Listener,
    Random,
    Session,
    Sessions,
    token,
)
from txwebqq.wire.command import Refusal
from txwebqq.wire.content import MAX_TEXT
from txwebqq.wire.digests import passwordDigest, saltFor

KICKED = "您的帐号在另一地点登录，您已被迫下线。"
"""What somebody is told whose account signs on anew."""

NOT_YOURS = 100001
"""The retcode for a person or a group that one has nothing to do with."""


class Store(Protocol):
    """
    What the world keeps, wherever that is (L{txwebqq.server.store}).
    """

    def person(self, number: Number) -> Person | None: ...

    def friendNumbers(self, number: Number) -> list[Number]: ...

    def areFriends(self, number: Number, other: Number) -> bool: ...

    def areAcquainted(self, number: Number, other: Number) -> bool: ...

    def friends(self, number: Number) -> list[Friend]: ...

    def drawers(self, number: Number) -> list[Drawer]: ...

    def seats(self, number: Number) -> list[Seat]: ...

    def seat(self, room: Number, number: Number) -> Seat | None: ...

    def room(self, number: Number) -> Room | None: ...

    def isMember(self, room: Number, number: Number) -> bool: ...

    def memberNumbers(self, room: Number) -> list[Number]: ...

    def members(self, room: Number) -> list[Attendant]: ...

    def keep(self, letter: Letter, numbers: Sequence[Number]) -> int: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, Letter]]: ...

    def delivered(self, receipts: Iterable[tuple[Number, int]]) -> None: ...

    def merge(self, population: Population) -> None: ...


class Denial(Enum):
    """
    Why nobody was let in, by the code of C{ptuiCB}.
    """

    WRONG_PASSWORD = 3
    WRONG_CAPTCHA = 4


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Somebody was let in, and may open a session.
    """

    number: Number
    nick: str
    ptwebqq: str = field(repr=False)
    skey: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    What the answer to a poll holds.

    @ivar receipts: the stored letters in it.
    """

    reply: tuple[Event, ...] | Refusal
    receipts: tuple[tuple[Number, int], ...] = ()


class World:
    """
    Everybody, as far as it does not lie in the store.

    @param now: the time in Unix seconds.
    @param random: where ids and secrets come from.
    @param captcha: who has to read a captcha before logging in.
    @param captchaText: the text of all captchas, for tests.

    @ivar sessions: who is signed on.
    @ivar captchas: the captchas that wait to be read.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        random: Random,
        captcha: CaptchaMode = CaptchaMode.NEVER,
        captchaText: str | None = None,
    ) -> None:
        self.store = store
        self.sessions = Sessions(now, random)
        self.captchas = Captchas(now, random, captchaText)
        self._now = now
        self._random = random
        self._mode = captcha
        self._codes = VerifyCodes(now, random)
        self._suspects = Suspects(now)
        self._messageIds: dict[Number, int] = {}
        self._sequences: dict[Number, int] = {}
        self._written: list[tuple[Number, int]] = []
        self._leaving: list[tuple[Number, int]] = []

    def merge(self, population: Population) -> None:
        """
        Add people, and what joins them, that are not there yet.

        @raise InvalidConfiguration: when somebody is named who is nowhere.
        """
        self.store.merge(population)

    # ---- signing on

    def verifyCode(self, number: Number, address: str) -> str | None:
        """
        The verify code for a login, or L{None} when it takes a captcha.

        What is answered does not tell whether the account exists.
        """
        if self._needsCaptcha(number, address):
            return None
        return self._codes.issue(number)

    def logIn(
        self,
        number: Number,
        digest: str,
        code: str,
        verifySession: str,
        address: str,
    ) -> Admission | Denial:
        """
        Judge a login by the digest of its password.

        @param verifySession: the captcha that C{code} was read from, C{""} if
            it is a verify code.
        """
        solved = self.captchas.answer(verifySession, code)
        if not solved and (
            self._needsCaptcha(number, address) or not self._codes.isGood(number, code)
        ):
            return Denial.WRONG_CAPTCHA
        person = self.store.person(number)
        firstHash = b"" if person is None else person.firstHash
        expected = passwordDigest(firstHash, saltFor(number), code)
        right = hmac.compare_digest(expected.encode(), digest.upper().encode())
        if person is None or not right:
            self._suspects.failed(number, address)
            return Denial.WRONG_PASSWORD
        self._suspects.cleared(number)
        skey = "@" + token(self._random, 9)
        return Admission(number, person.nick, self.sessions.admit(number), skey)

    def _needsCaptcha(self, number: Number, address: str) -> bool:
        match self._mode:
            case CaptchaMode.NEVER:
                return False
            case CaptchaMode.ALWAYS:
                return True
        return self._suspects.isSuspicious(number, address)

    def join(
        self, ptwebqq: str, psessionid: str, clientid: str, status: Status
    ) -> Session | Ended:
        """
        Open the session of a sign-on, or take it up again.

        Another session of the account is replaced.

        @param psessionid: the session to take up, C{""} for none.
        """
        found = self.sessions.bySignOn(ptwebqq)
        if isinstance(found, Ended):
            return found
        if isinstance(found, Session) and (psessionid or found.clientid == clientid):
            return self._rejoin(found, clientid, status)
        number = found.number if isinstance(found, Session) else found
        # The new session must not find what the older one was given.
        while self.settle():
            pass
        before = self.visibleStatus(number)
        older = self.sessions.standing(number)
        if older is not None:
            self._end(older, Ending.REPLACED)
        session = self.sessions.open(ptwebqq, number, clientid)
        session.status = status
        self._announce(session, before)
        return session

    def _rejoin(self, session: Session, clientid: str, status: Status) -> Session:
        before = session.visible
        if session.listener is not None:
            session.listener.superseded()
            self.hangUp(session, session.listener)
        # What came while it was lapsed lies in the store.
        session.mailbox.more = True
        session.clientid = clientid
        session.status = status
        self.sessions.renew(session)
        self._announce(session, before)
        return session

    def rotate(self, number: Number) -> None:
        """
        Have an account's next poll told a new C{ptwebqq} (code 116).
        """
        session = self.sessions.of(number)
        if session is not None:
            self.sessions.rotate(session)
            if session.listener is not None:
                session.listener.ring()

    def leave(self, session: Session) -> None:
        """
        Log out.
        """
        before = session.visible
        self._end(session, Ending.LOGGED_OUT)
        self._tell(session.number, before, Status.OFFLINE)

    def sweep(self) -> None:
        """
        Do what time has made due; to be called every few seconds while
        L{Sessions.stirring}.
        """
        for session in self.sessions.lapse():
            before = session.status
            hidden = before is Status.HIDDEN
            self._tell(
                session.number, Status.OFFLINE if hidden else before, Status.OFFLINE
            )

    def _end(self, session: Session, ending: Ending) -> None:
        self._storeRest(session)
        self.sessions.end(session, ending)
        if session.listener is not None:
            session.listener.ring()

    # ---- presence

    def visibleStatus(self, number: Number) -> Status:
        """
        How an account appears to others.
        """
        session = self.sessions.of(number)
        return Status.OFFLINE if session is None else session.visible

    def appear(self, session: Session, status: Status) -> None:
        """
        Appear otherwise.
        """
        before = session.visible
        session.status = status
        self._announce(session, before)

    def friendsAround(self, session: Session) -> list[tuple[Number, Status]]:
        """
        The friends who do not appear offline, and how they do.
        """
        friends = self.store.friendNumbers(session.number)
        statuses = ((friend, self.visibleStatus(friend)) for friend in friends)
        return [entry for entry in statuses if entry[1] is not Status.OFFLINE]

    def _announce(self, session: Session, before: Status) -> None:
        self._tell(session.number, before, session.visible)

    def _tell(self, number: Number, before: Status, after: Status) -> None:
        if before is after:
            return
        for friend in self.store.friendNumbers(number):
            session = self.sessions.standing(friend)
            if session is not None:
                session.mailbox.news[number] = after
                if session.listener is not None:
                    session.listener.ring()

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
            self._nextSequence(group),
        )
        members = self.store.memberNumbers(group)
        self.post(letter, [n for n in members if n != session.number])
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

    def _nextSequence(self, group: Number) -> int:
        # Some clients take a lower number for a repetition, so a restart must
        # not begin anew.
        last = self._sequences.get(group) or int(self._now())
        self._sequences[group] = last + 1
        return last + 1

    def post(self, letter: Letter, numbers: Iterable[Number]) -> None:
        """
        Hand a letter to whoever listens, keep it for all the others.
        """
        listening, others = [], []
        for number in numbers:
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
        self._storeRest(session)
        events: list[Event] = list(news)
        events.extend(letter.event(session.aliases) for _, letter in letters)
        if not events:
            return None
        return Parcel(
            tuple(events),
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
        older, session.listener = session.listener, listener
        if older is not None:
            older.superseded()
        self.sessions.wake(session)

    def hangUp(self, session: Session, listener: Listener) -> None:
        """
        Stop holding it, because it is answered or its connection is gone.
        """
        if session.listener is listener:
            session.listener = None
            if session.ended is None:
                self._storeRest(session)
                self.sessions.rest(session)

    def lastWords(self, ended: Ended) -> tuple[Event, ...] | Refusal:
        """
        What a poll on a ticket is answered that is no longer good.
        """
        ended.told = True
        if ended.ending is not Ending.REPLACED:
            return refusalFor(ended)
        first = self._nextMessageId(Number(10000))
        return (KickNotice(KICKED, True, ended.number, first, first + 1),)


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
