"""
The states of an account that a client keeps signed on.
"""

from __future__ import annotations

from enum import Enum

from txwebqq.values import Value


class AccountState(Enum):
    """
    The states of an account.

    @cvar OFFLINE: it has not signed on, or has signed off.
    @cvar SIGNING_ON: a first sign-on is under way.
    @cvar AWAITING_CAPTCHA: a sign-on waits for the text of a captcha.
    @cvar ONLINE: it is signed on.
    @cvar INTERRUPTED: it is signed on, and its last poll has failed.
    @cvar REJOINING: its session has expired and is being resumed.
    @cvar WAITING: a sign-on has failed or the session was lost; it signs on again.
    @cvar CAPTCHA_UNSOLVED: the server wants a captcha that was not solved.
    @cvar REFUSED: the server does not let it in.
    @cvar KICKED: another client has taken its place.
    @cvar LOGGED_OUT: the server has ended its session for good.
    """

    OFFLINE = "offline"
    SIGNING_ON = "signing_on"
    AWAITING_CAPTCHA = "awaiting_captcha"
    ONLINE = "online"
    INTERRUPTED = "interrupted"
    REJOINING = "rejoining"
    WAITING = "waiting"
    CAPTCHA_UNSOLVED = "captcha_unsolved"
    REFUSED = "refused"
    KICKED = "kicked"
    LOGGED_OUT = "logged_out"


class StateChange(Value):
    """
    A change of the state of an account.

    @ivar state: the state that begins.
    @ivar before: the state that ends.
    @ivar reason: the cause in words, C{""} where there is none. It may contain words
        of the server.
    """

    state: AccountState
    before: AccountState
    reason: str = ""
