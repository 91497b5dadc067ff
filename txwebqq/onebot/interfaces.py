"""
Inputs, actions and data of the sign-on machine (L{txwebqq.onebot.machine}).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from txwebqq.errors import LoginRefused, WebQQError
from txwebqq.model import Account, KickNotice, Number


class SignOnInputs(Protocol):
    """
    The inputs of the sign-on machine: what happens.
    """

    def start(self) -> None:
        """
        Sign on, unless that is under way.
        """

    def stop(self) -> None:
        """
        Sign off.
        """

    def linked(self) -> None:
        """
        There is a link to the OneBot program.
        """

    def identified(self, number: Number) -> None:
        """
        The program has named the account that it is signed on with.
        """

    def rosterLoaded(self) -> None:
        """
        The lists of friends and groups are there.
        """

    def failed(self, reason: str) -> None:
        """
        The link was lost or could not be made, or a call of the sign-on has failed.
        """

    def refused(self, reason: LoginRefused) -> None:
        """
        A person is needed: the token is wrong, or the account is another.
        """

    def kicked(self, notice: KickNotice) -> None:
        """
        Tencent has signed the account off; the link remains.
        """

    def retry(self) -> None:
        """
        The delay before the next attempt has passed.
        """


class SignOnActions(Protocol):
    """
    The outputs of the sign-on machine, carried out by
    L{txwebqq.onebot.driver.OneBotDriver}.
    """

    def buildProtocol(self) -> bool:
        """
        Have the application build a protocol, unless the last attempt has left one
        that was never signed on.

        @return: whether a protocol was built.

        @raise LoginRefused: when the application builds none.
        """

    def connectProtocol(self) -> None:
        """
        Call C{makeConnection} of the new protocol, which may stop the sign-on.
        """

    def connect(self) -> None:
        """
        Make a link, or wait for one; the input C{linked}, C{failed} or C{refused}
        follows.
        """

    def cancelPending(self) -> None:
        """
        Close the link, and cancel the calls and delays whose inputs have not
        followed yet.
        """

    def identify(self) -> None:
        """
        Ask which account it is; the input C{identified} or C{failed} follows.
        """

    def loadRoster(self) -> None:
        """
        Fetch the lists; the input C{rosterLoaded} or C{failed} follows.
        """

    def openChannel(self) -> None:
        """
        Tell the application that the account is signed on, and deliver events.
        """

    def wait(self, attempt: int, reason: str) -> None:
        """
        Wait, longer with each attempt; the input C{retry} follows.

        @param reason: the cause of the delay, for the log.
        """

    def endSignOn(self, reason: WebQQError | None) -> None:
        """
        End the protocol.

        @param reason: L{None} after the input C{stop}.
        """


@dataclass
class SignOnState:
    """
    The data of the sign-on machine of one account.

    @ivar failures: the attempts that failed since the account was signed on last.
    """

    account: Account
    actions: SignOnActions
    failures: int = 0
