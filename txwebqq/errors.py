"""
Exceptions of this package, one class for each reaction of a caller.

Their texts never contain a password, a digest or a ticket.
"""

from __future__ import annotations

from typing import Any


class WebQQError(Exception):
    """
    The base class of the exceptions that this package raises on purpose.

    They can be copied and pickled.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # By default the text would be given to the constructor of a subclass,
        # which makes the text of other arguments.
        return _restored, (type(self), self.args), self.__dict__


def _restored(cls: type[WebQQError], args: tuple[Any, ...]) -> WebQQError:
    return cls.__new__(cls, *args)


class MalformedReply(WebQQError):
    """
    A reply or a request is not valid WebQQ: try later.
    """


class Unreachable(WebQQError):
    """
    No complete reply came over the network: try later.

    @ivar status: the HTTP status, L{None} when there was no reply.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class NotSent(Unreachable):
    """
    The request never reached the server, which could not be connected to: try
    later. After any other L{Unreachable} the server may have received it.
    """


class Intercepted(Unreachable):
    """
    A proxy or a network has answered in the server's place,
    usually with a login page: try later. The session is as it was.
    """


class NotHTTP(Unreachable):
    """
    The answer to a request is none of HTTP: try later. The server may have received
    the request.
    """


class NotSignedOn(WebQQError):
    """
    The account has no session, and the request was not sent: wait for
    C{signedOn}.
    """


class RequestRefused(WebQQError):
    """
    The server has refused a request: do not repeat it unchanged.

    @ivar retcode: the code of the refusal (protocol.md 6).
    """

    def __init__(self, retcode: int, reason: str) -> None:
        super().__init__(f"{reason} (retcode {retcode})")
        self.retcode = retcode


class MessageTooLong(RequestRefused):
    """
    The content is longer than the server accepts: split it.
    """


class PartlySent(WebQQError):
    """
    A long message was sent in pieces, and a piece after the first one failed:
    send C{rest} again, if the failure allows.

    @ivar piece: the index of the piece that failed, from 0, which is the number
        of pieces that were accepted.
    @ivar pieces: the number of all pieces.
    @ivar rest: the contents of the failed piece and of those after it.
    @ivar reason: the failure of the piece.
    """

    def __init__(
        self, piece: int, pieces: int, rest: tuple[Any, ...], reason: WebQQError
    ) -> None:
        super().__init__(f"piece {piece + 1} of {pieces} was not sent: {reason}")
        self.piece = piece
        self.pieces = pieces
        self.rest = rest
        self.reason = reason


class NotQueued(WebQQError):
    """
    The message was not put into the queue, because its file cannot be written to or
    the queue has been stopped.
    """


class QueueFull(NotQueued):
    """
    The message was not put into the queue, which is full: send fewer, or later.
    """


class UnknownRecipient(WebQQError):
    """
    The account has no such friend or group, so a queued message was not sent: correct
    the number.
    """


class MessageExpired(WebQQError):
    """
    A queued message could not be sent for too long, and was not delivered: decide if
    it is still worth sending.
    """


class CaptchaNeeded(RequestRefused):
    """
    The request needs the text of a captcha: fetch a captcha, have a person read
    it, and repeat the request with it.
    """


class SessionExpired(WebQQError):
    """
    The session is no longer valid: sign on again.

    @ivar retcode: the code of the refusal, L{None} when the client gave the
        session up after too many failures.
    """

    def __init__(self, reason: str, retcode: int | None = None) -> None:
        super().__init__(reason)
        self.retcode = retcode


class LoggedOut(WebQQError):
    """
    The server says that this client has logged out: let a person decide.
    """


class Kicked(WebQQError):
    """
    Another sign-on of the account took over: let a person decide.
    """


class LoginRefused(WebQQError):
    """
    The server does not let the account in: let a person decide.

    @ivar code: the code of C{ptuiCB} or of C{login2}, L{None} when the client
        gave up by itself.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason if code is None else f"{reason} (code {code})")
        self.code = code


class CaptchaUnsolved(LoginRefused):
    """
    The application could not read the captcha: let a person decide.
    """


class CaptchaLapsed(CaptchaUnsolved):
    """
    The captcha was not read in time, which is a minute at least: the sign-on asks the
    server again, which may want another one.
    """


class InvalidConfiguration(WebQQError):
    """
    A configuration file or an option is invalid: correct it.
    """
