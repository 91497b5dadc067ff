"""
Inputs, actions and data of the sign-on machine (L{txwebqq.session.machine}).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar

from txwebqq.errors import LoginRefused, SessionExpired, WebQQError
from txwebqq.model import Account, KickNotice, Status
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import Challenge, Logout2, SessionCredentials
from txwebqq.wire.form import Ticket

R = TypeVar("R")


class Era(Enum):
    """
    The login variant that a server wants (protocol.md 0.2).

    @cvar E1: to early 2013; all later servers understand it too.
    @cvar E2: requests for the friend list carry a hash.
    @cvar E3: from the summer of 2013; a login page signs the login as well.
    """

    E1 = "E1"
    E2 = "E2"
    E3 = "E3"


class SignOnInputs(Protocol):
    """
    The facts that move the sign-on machine from one state to the next.
    """

    def start(self) -> None:
        """
        The account is to be online.
        """

    def resume(self) -> None:
        """
        The account is to be online, by the session of an earlier process.
        """

    def stop(self) -> None:
        """
        The account is to be offline.
        """

    def suspend(self) -> None:
        """
        The process ends; another one is to resume the session.
        """

    def signed(self, signature: str) -> None:
        """
        The login page has given its signature, or none is needed.
        """

    def passed(self, challenge: Challenge) -> None:
        """
        C{check} asks for no captcha.
        """

    def challenged(self, challenge: Challenge) -> None:
        """
        C{check} asks for a captcha.
        """

    def captchaFetched(self, image: bytes) -> None:
        """
        The picture of the captcha is there.
        """

    def captchaSolved(self, text: str) -> None:
        """
        The application has given the text of the captcha.
        """

    def captchaUnsolved(self, reason: str) -> None:
        """
        The application has given no text for the captcha.
        """

    def captchaLapsed(self) -> None:
        """
        The application has given no text in time.
        """

    def accepted(self, landing: str) -> None:
        """
        The password is right.

        @param landing: the URL of the page that checks the login's signature.
        """

    def captchaRejected(self) -> None:
        """
        The text of the captcha is wrong.
        """

    def verifyCodeExpired(self) -> None:
        """
        The verify code that C{check} gave is no longer valid.
        """

    def refused(self, reason: LoginRefused) -> None:
        """
        The server does not let the account in.
        """

    def toldToWait(self, seconds: float, reason: str) -> None:
        """
        The server wants the request again after some seconds.
        """

    def signatureChecked(self) -> None:
        """
        The page that checks the login's signature has been fetched.
        """

    def joined(self, credentials: SessionCredentials) -> None:
        """
        C{login2} has opened a session.
        """

    def rosterLoaded(self) -> None:
        """
        The lists of friends and groups are there.
        """

    def pollAnswered(self) -> None:
        """
        The first poll of this session was answered as it should be.
        """

    def ticketRotated(self, ptwebqq: str) -> None:
        """
        The server has replaced the ticket's C{ptwebqq}.
        """

    def expired(self, seconds: float) -> None:
        """
        The ticket is no longer valid; a rejoin may help, after some seconds.
        """

    def invalidated(self, reason: SessionExpired) -> None:
        """
        The ticket is no longer valid, and a rejoin does not help.
        """

    def kicked(self, notice: KickNotice) -> None:
        """
        Another sign-on of the account took over.
        """

    def loggedOut(self) -> None:
        """
        The server says that this client has logged out.
        """

    def failed(self, reason: str) -> None:
        """
        A request had no usable reply.
        """

    def intercepted(self, reason: str) -> None:
        """
        A request was answered by another one than a WebQQ server, which says nothing
        of the session.
        """

    def retry(self) -> None:
        """
        The delay before the next attempt has passed.
        """


class SignOnActions(Protocol):
    """
    The outputs of the sign-on machine, carried out by
    L{txwebqq.session.driver.SignOnDriver}.
    """

    def buildProtocol(self) -> bool:
        """
        Have the application build a protocol, unless the last attempt has left
        one that was never signed on.

        @return: whether a protocol was built.

        @raise LoginRefused: when the application builds none.
        """

    def restoreSession(self) -> Ticket:
        """
        Restore the cookies and acknowledgements of the session of an earlier process.

        @return: its ticket.
        """

    def keepSession(self) -> None:
        """
        Keep the session for a later process, if it is to be resumed.
        """

    def loseKeptSession(self, reason: str) -> None:
        """
        Forget the session that cannot be resumed, which is of an earlier process as a
        rule.
        """

    def connectProtocol(self) -> None:
        """
        Call C{makeConnection} of the new protocol, which may stop the sign-on.
        """

    def issue(
        self,
        command: Command[R],
        answered: Callable[[R | Refusal], None],
        after: float = 0.0,
    ) -> None:
        """
        Send a request, after a delay in seconds. Either C{answered} is called
        with the reply, once, or the input C{failed} or C{intercepted}.
        """

    def ptwebqq(self) -> str:
        """
        Return the cookie that the login set.
        """

    def setPtwebqq(self, ptwebqq: str) -> None:
        """
        Replace that cookie.
        """

    def askForCaptcha(self, image: bytes) -> None:
        """
        Have the application read a captcha; the input C{captchaSolved} or
        C{captchaUnsolved} follows.
        """

    def loadRoster(self) -> None:
        """
        Fetch the lists of friends and groups; the input C{rosterLoaded}, C{failed}
        or C{intercepted} follows.
        """

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        """
        Wait, longer with each attempt; the input C{retry} follows.

        @param atLeast: the least delay, in seconds.
        @param reason: the cause of the delay, for the log.
        """

    def cancelPending(self) -> None:
        """
        Cancel the requests and delays whose inputs have not followed yet.
        """

    def openChannel(self) -> None:
        """
        Start to poll, after a sign-on or a rejoin.
        """

    def pauseChannel(self) -> None:
        """
        Stop polling for a rejoin; C{openChannel} or C{endSignOn} follows.
        """

    def sendLogout(self, command: Logout2) -> None:
        """
        Tell the server that the account leaves; no input follows.
        """

    def endSignOn(self, reason: WebQQError | None) -> None:
        """
        Stop polling and end the protocol.

        @param reason: L{None} after the input C{stop}.
        """

    def suspendSignOn(self) -> None:
        """
        Stop polling, end the protocol, and keep the session.
        """


@dataclass
class SignOnState:
    """
    The data of the sign-on machine of one account. Requests are made with its
    ticket; only the machine changes it.

    @ivar random: draws a number from 0 to 1, which keeps caches away.
    @ivar era: the login variant that the server wants.
    @ivar signature: the signature of the login page.
    @ivar status: the presence status, now and after a rejoin.
    @ivar failures: the attempts that failed since a poll was last answered.
    @ivar submissions: the logins sent in this attempt.
    @ivar misread: the captchas of this sign-on whose text was wrong.
    @ivar relinks: how often the server has put off the present rejoin.
    @ivar rejoins: the rejoins since a poll was last answered.
    @ivar retried: the codes of logins that were tried a second time.
    """

    account: Account
    actions: SignOnActions
    clientid: str
    random: Callable[[], float]
    era: Era = Era.E1
    signature: str = field(default="", repr=False)
    status: Status = Status.ONLINE
    ticket: Ticket = field(default_factory=Ticket)
    challenge: Challenge = field(default_factory=lambda: Challenge(False, "", b""))
    failures: int = 0
    submissions: int = 0
    misread: int = 0
    relinks: int = 0
    rejoins: int = 0
    retried: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.status = self.account.status
