"""
The world that a WebQQ server serves: who is there, and what they are told.

It knows neither network nor clock. Calls that belong to a session take the
L{Session} that L{ServerState.sessions} found for its ticket.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from txwebqq.model import Number, Status
from txwebqq.server.domain.router import MessageRouter
from txwebqq.server.records import Population
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.captchas import (
    CaptchaMode,
    Captchas,
    FailedLogins,
    VerifyCodes,
)
from txwebqq.server.sessions.onlinetime import OnlineTimeTracker
from txwebqq.server.sessions.sessions import (
    EndedSession,
    EndReason,
    Random,
    Session,
    token,
)
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordDigest, saltFor


class LoginFailure(Enum):
    """
    Why nobody was let in, by the code of C{ptuiCB}.
    """

    WRONG_PASSWORD = 3
    WRONG_CAPTCHA = 4


class CaptchaFailure(Enum):
    """
    Why somebody who is signed on has to read a captcha (first).
    """

    UNREAD = "no captcha was read"
    WRONG = "the captcha says something else"


@dataclass(frozen=True, slots=True)
class LoginResult:
    """
    Somebody was let in, and may open a session.
    """

    number: Number
    nick: str
    ptwebqq: str = field(repr=False)
    skey: str = field(repr=False)


class ServerState(MessageRouter):
    """
    Everybody, as far as it does not lie in the store.

    @param now: the time in Unix seconds.
    @param random: where ids and secrets come from.
    @param captcha: who has to read a captcha before logging in.
    @param captchaText: the text of all captchas, for tests.

    @ivar captchas: the captchas that wait to be read.
    @ivar onlineTime: how long people have been around.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        random: Random,
        captcha: CaptchaMode = CaptchaMode.NEVER,
        captchaText: str | None = None,
    ) -> None:
        super().__init__(store, now, random)
        self.captchas = Captchas(now, random, captchaText)
        self.onlineTime = OnlineTimeTracker(store.accounts, now)
        self._mode = captcha
        self._codes = VerifyCodes(now, random)
        self._failedLogins = FailedLogins(now)

    def merge(self, population: Population) -> None:
        """
        Add people, and what joins them, that are not there yet.

        @raise InvalidConfiguration: when somebody is named who is nowhere.
        """
        importPopulation(self.store, population)

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
    ) -> LoginResult | LoginFailure:
        """
        Judge a login by the digest of its password.

        @param verifySession: the captcha that C{code} was read from, C{""} if
            it is a verify code.
        """
        solved = self.captchas.answer(verifySession, code)
        if not solved and (
            self._needsCaptcha(number, address) or not self._codes.isGood(number, code)
        ):
            return LoginFailure.WRONG_CAPTCHA
        account = self.store.accounts.get(number)
        firstHash = b"" if account is None else account.firstHash
        expected = passwordDigest(firstHash, saltFor(number), code)
        right = hmac.compare_digest(expected.encode(), digest.upper().encode())
        if account is None or not right:
            self._failedLogins.failed(number, address)
            return LoginFailure.WRONG_PASSWORD
        self._failedLogins.cleared(number)
        skey = "@" + token(self._random, 9)
        return LoginResult(
            number, account.nick, self.sessions.admit(number, skey), skey
        )

    def checkCaptcha(
        self,
        number: Number,
        address: str,
        verifySession: str,
        text: str,
        isMuch: bool = False,
    ) -> CaptchaFailure | None:
        """
        Whether a question that people have to ask themselves needs a captcha
        read; C{text} is what was read.

        @param isMuch: whether too many have been asked for people to do so.
        """
        isSuspicious = isMuch and self._mode is not CaptchaMode.NEVER
        if not isSuspicious and not self._needsCaptcha(number, address):
            return None
        if not text:
            return CaptchaFailure.UNREAD
        return (
            None if self.captchas.answer(verifySession, text) else CaptchaFailure.WRONG
        )

    def _needsCaptcha(self, number: Number, address: str) -> bool:
        match self._mode:
            case CaptchaMode.NEVER:
                return False
            case CaptchaMode.ALWAYS:
                return True
        return self._failedLogins.isSuspicious(number, address)

    def join(
        self, ptwebqq: str, psessionid: str, clientid: str, status: Status
    ) -> Session | EndedSession:
        """
        Open the session of a sign-on, or take it up again.

        Another session of the account is replaced.

        @param psessionid: the session to take up, C{""} for none.
        """
        found = self.sessions.bySignOn(ptwebqq)
        if isinstance(found, EndedSession):
            return found
        former = self.sessions.byTicket(psessionid)
        if isinstance(former, EndedSession) and former.reason is EndReason.REPLACED:
            # Two clients that share a sign-on must not take turns either.
            return former
        if isinstance(found, Session) and (psessionid or found.clientid == clientid):
            return self._rejoin(found, clientid, status)
        number = found.number if isinstance(found, Session) else found
        before = self.visibleStatus(number)
        older = self.sessions.existing(number)
        if older is not None:
            self._end(older, EndReason.REPLACED)
        session = self.sessions.open(ptwebqq, number, clientid)
        self.onlineTime.came(number)
        session.status = status
        self._announce(session, before)
        return session

    def _rejoin(self, session: Session, clientid: str, status: Status) -> Session:
        before = session.visible
        self.supersede(session)
        session.clientid = clientid
        session.status = status
        self.sessions.renew(session)
        self.onlineTime.came(session.number)
        self._announce(session, before)
        return session

    def rotate(self, number: Number) -> None:
        """
        Have an account's next poll told a new C{ptwebqq} (code 116).
        """
        session = self.sessions.online(number)
        if session is not None:
            self.sessions.rotate(session)
            if session.listener is not None:
                session.listener.wake()

    def leave(self, session: Session, said: Acknowledgement) -> None:
        """
        Log out.

        @param said: what the client says about the last reply.
        """
        self.acknowledge(session, said)
        # Nothing else may come to be written for a while.
        self.commit()
        before = session.visible
        self._end(session, EndReason.LOGGED_OUT)
        self._tell(session.number, before, Status.OFFLINE)

    def sweep(self) -> None:
        """
        Do what time has made due; to be called every few seconds while
        L{Sessions.hasTimers}.
        """
        self.onlineTime.tick()
        for session in self.sessions.lapse():
            self.onlineTime.went(session.number)
            before = session.status
            hidden = before is Status.HIDDEN
            self._tell(
                session.number, Status.OFFLINE if hidden else before, Status.OFFLINE
            )

    def _end(self, session: Session, reason: EndReason) -> None:
        self.onlineTime.went(session.number)
        self.sessions.end(session, reason)
        if session.listener is not None:
            session.listener.wake()

    # ---- presence

    def visibleStatus(self, number: Number) -> Status:
        """
        How an account appears to others.
        """
        session = self.sessions.online(number)
        return Status.OFFLINE if session is None else session.visible

    def setStatus(self, session: Session, status: Status) -> None:
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
        friends = self.store.friends.numbers(session.number)
        statuses = ((friend, self.visibleStatus(friend)) for friend in friends)
        return [entry for entry in statuses if entry[1] is not Status.OFFLINE]

    def _announce(self, session: Session, before: Status) -> None:
        self._tell(session.number, before, session.visible)

    def _tell(self, number: Number, before: Status, after: Status) -> None:
        if before is after:
            return
        for friend in self.store.friends.listedBy(number):
            session = self.sessions.existing(friend)
            if session is not None:
                session.mailbox.presence[number] = after
                if session.listener is not None:
                    session.listener.wake()
