"""
Everything raised on purpose, named for what the caller does next.

No text of these exceptions holds a password, a digest or a ticket.
"""

from __future__ import annotations

from typing import Any


class WebQQError(Exception):
    """
    The root of what this package raises on purpose.
    """


class MalformedReply(WebQQError):
    """
    Bytes of the other side, answer or question, are not WebQQ: try later.
    """


class Unreachable(WebQQError):
    """
    No whole answer came over the network: try later.

    @ivar status: the HTTP status, or L{None} when there was not even that.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class NotSignedOn(WebQQError):
    """
    There is no session to do this in: wait for C{signedOn}.
    """


class RequestRefused(WebQQError):
    """
    The server understood and said no: do something else.

    @ivar retcode: WebQQ's code (protocol.md 6).
    """

    def __init__(self, retcode: int, reason: str) -> None:
        super().__init__(f"{reason} (retcode {retcode})")
        self.retcode = retcode


class MessageTooLong(RequestRefused):
    """
    The content is longer than the server takes: split it.
    """


class PartlySent(WebQQError):
    """
    Of a message in several pieces the first ones were accepted, and then one
    was not: send C{rest}, which begins with that one, if its failure allows.

    @ivar piece: which one failed, counted from 0; so many were accepted.
    @ivar pieces: how many there were.
    @ivar rest: the contents of that piece and of those after it.
    @ivar reason: how it failed.
    """

    def __init__(
        self, piece: int, pieces: int, rest: tuple[Any, ...], reason: WebQQError
    ) -> None:
        super().__init__(f"piece {piece + 1} of {pieces} was not sent: {reason}")
        self.piece = piece
        self.pieces = pieces
        self.rest = rest
        self.reason = reason


class CaptchaNeeded(RequestRefused):
    """
    The look-up wants a captcha read first: fetch one and ask again with it.
    """


class SessionExpired(WebQQError):
    """
    The ticket is dead: sign on again.

    @ivar retcode: the code that said so, or L{None} when it was our own
        judgement after too many failures.
    """

    def __init__(self, reason: str, retcode: int | None = None) -> None:
        super().__init__(reason)
        self.retcode = retcode


class LoggedOut(WebQQError):
    """
    The server says that this client has logged out: a person decides.
    """


class Kicked(WebQQError):
    """
    Another sign-on of the account took over: a person decides.
    """


class LoginRefused(WebQQError):
    """
    The server does not let the account in: ask a person.

    @ivar code: the code of C{ptuiCB} or of C{login2}, or L{None} when we
        gave up ourselves.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason if code is None else f"{reason} (code {code})")
        self.code = code


class CaptchaUnsolved(LoginRefused):
    """
    Nobody could read the captcha: ask a person.
    """


class InvalidConfiguration(WebQQError):
    """
    A file or an option does not say what it should: correct it.
    """
