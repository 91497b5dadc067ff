"""
Counts of the sign-ons of one account, and its state, which changes here only.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.errors import (
    CaptchaUnsolved,
    Kicked,
    LoggedOut,
    LoginRefused,
    SessionExpired,
    WebQQError,
)
from txwebqq.model import AccountState, StateChange
from txwebqq.session.incoming.counts import IncomingCounts


class SignOnCounts:
    """
    Counts of one account since the start of its service.

    @param changed: called with each change of the state.

    @ivar state: the present state.
    @ivar reason: the cause of that state in words, C{""} where there is none.
    @ivar succeeded: sign-ons that have opened a session.
    @ivar failed: those that have failed and are repeated.
    @ivar refused: those that the server has refused.
    @ivar unsolved: those whose captcha was not solved.
    @ivar pollFailures: polls that have failed.
    @ivar rejoined: sessions that were resumed.
    @ivar expired: sessions that could not be resumed.
    @ivar kicked: sessions that were ended by another client.
    @ivar loggedOut: sessions that were ended by the server.
    @ivar incoming: the counts of its events.
    """

    __slots__ = (
        "_changed",
        "expired",
        "failed",
        "incoming",
        "kicked",
        "loggedOut",
        "pollFailures",
        "reason",
        "refused",
        "rejoined",
        "state",
        "succeeded",
        "unsolved",
    )

    def __init__(self, changed: Callable[[StateChange], None]) -> None:
        self._changed = changed
        self.state = AccountState.OFFLINE
        self.reason = ""
        self.succeeded = self.failed = self.refused = self.unsolved = 0
        self.pollFailures = 0
        self.incoming = IncomingCounts()
        self.rejoined = self.expired = self.kicked = self.loggedOut = 0

    def begin(self) -> None:
        """
        Record that a sign-on begins.
        """
        self._set(AccountState.SIGNING_ON)

    def awaitCaptcha(self) -> None:
        """
        Record that a sign-on waits for the text of a captcha.
        """
        self._set(AccountState.AWAITING_CAPTCHA)

    def captchaSolved(self) -> None:
        """
        Record that there is a text, which may be wrong.
        """
        self._set(AccountState.SIGNING_ON)

    def signOn(self) -> None:
        """
        Record that a session is open.
        """
        self.succeeded += 1
        self._set(AccountState.ONLINE)

    def interrupt(self, reason: str) -> None:
        """
        Record that a poll has failed.
        """
        self.pollFailures += 1
        self._set(AccountState.INTERRUPTED, reason)

    def resume(self) -> None:
        """
        Record that a poll was answered after some that have failed.
        """
        self._set(AccountState.ONLINE)

    def expire(self) -> None:
        """
        Record that the session has expired and is being resumed.
        """
        self._set(AccountState.REJOINING)

    def awaitRejoin(self, reason: str) -> None:
        """
        Record that the session could not be resumed yet.
        """
        self._set(AccountState.REJOINING, reason)

    def rejoin(self) -> None:
        """
        Record that the session was resumed.
        """
        self.rejoined += 1
        self._set(AccountState.ONLINE)

    def wait(self, reason: str, isLost: bool) -> None:
        """
        Record that the account signs on again later.

        @param isLost: whether a session was lost, and no sign-on has failed.
        """
        if not isLost:
            self.failed += 1
        self._set(AccountState.WAITING, reason)

    def end(self, reason: WebQQError | None) -> None:
        """
        Record the end of a sign-on.

        @param reason: L{None} after a sign-off.
        """
        text = "" if reason is None else str(reason)
        match reason:
            case SessionExpired():
                self.expired += 1
                self._set(AccountState.WAITING, text)
            case Kicked():
                self.kicked += 1
                self._set(AccountState.KICKED, text)
            case LoggedOut():
                self.loggedOut += 1
                self._set(AccountState.LOGGED_OUT, text)
            case CaptchaUnsolved():
                self.unsolved += 1
                self._set(AccountState.CAPTCHA_UNSOLVED, text)
            case LoginRefused():
                self.refused += 1
                self._set(AccountState.REFUSED, text)
            case _:
                self._set(AccountState.OFFLINE, text)

    def _set(self, state: AccountState, reason: str = "") -> None:
        before, self.state = self.state, state
        self.reason = reason
        if state is not before:
            self._changed(StateChange(state, before, reason))
