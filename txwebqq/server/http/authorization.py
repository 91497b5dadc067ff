"""
Authorization of requests: the session that each belongs to, by the rule that its
command declares (L{Authorization}).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from txwebqq.model import Number
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.sessions.session import UNKNOWN, EndedSession, Session
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.wire.command import Authorization, Command, Refusal
from txwebqq.wire.commands.pictures import CfaceUpload, CustomFaceUploadResult

STALE = Refusal(100000, "vfwebqq is not valid")

NO_LOGIN = Refusal(100000, "the cookies uin and skey are not of one login")


@dataclass(frozen=True, slots=True)
class LoginCookies:
    """
    A login that is proved by its cookies; it may have no session yet.
    """

    number: Number
    vfwebqq: str = field(repr=False)


Caller = Session | LoginCookies | None
"""The account for which a command is handled; L{None} for L{Authorization.NONE}."""

CallerFinder = Callable[[Sessions, Any, HTTPExchange], Caller | EndedSession]
"""Returns the caller of a command, or the ended session that it has named."""


def findCaller(
    sessions: Sessions, command: Command[Any], exchange: HTTPExchange
) -> Caller | EndedSession:
    """
    Return the caller of a command, or the ended session that it has named.
    """
    return FINDERS[command.authorization](sessions, command, exchange)


def _none(sessions: Sessions, command: Any, exchange: HTTPExchange) -> None:
    return None


def _byTicket(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> Session | EndedSession:
    return sessions.byTicket(command.ticket.psessionid)


def _byVerifier(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> Session | EndedSession:
    return sessions.byVerifier(command.ticket.vfwebqq)


def _byTicketOrVerifier(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> Session | EndedSession:
    found = sessions.byTicket(command.ticket.psessionid)
    if isinstance(found, Session):
        return found
    other = sessions.byVerifier(command.ticket.vfwebqq)
    return other if isinstance(other, Session) else found


def _byVerifierOrCookie(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> Session | EndedSession:
    found = sessions.byVerifier(command.ticket.vfwebqq)
    if isinstance(found, Session):
        return found
    # A page of another site can have a browser send the cookie.
    if command.method == "POST" and not exchange.isOwnForm:
        return found
    login = sessions.bySignOn(exchange.cookies.get("ptwebqq", ""))
    return login if isinstance(login, Session) else found


def _byVerifierOrLoneCookie(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> Session | EndedSession:
    # Some pages send the cookie alone.
    if command.ticket.vfwebqq:
        return sessions.byVerifier(command.ticket.vfwebqq)
    return _byVerifierOrCookie(sessions, command, exchange)


def _byLoginCookies(
    sessions: Sessions, command: Any, exchange: HTTPExchange
) -> LoginCookies | EndedSession:
    owner = exchange.cookies.get("uin", "").lstrip("o")
    if not (owner.isascii() and owner.isdigit() and len(owner) <= 20):
        return UNKNOWN
    number = Number(int(owner))
    skey = exchange.cookies.get("skey", "")
    vfwebqq = sessions.byCookies(number, skey) if skey else None
    return UNKNOWN if vfwebqq is None else LoginCookies(number, vfwebqq)


FINDERS: dict[Authorization, CallerFinder] = {
    Authorization.NONE: _none,
    Authorization.TICKET: _byTicket,
    Authorization.VERIFIER: _byVerifier,
    Authorization.TICKET_OR_VERIFIER: _byTicketOrVerifier,
    Authorization.VERIFIER_OR_COOKIE: _byVerifierOrCookie,
    Authorization.VERIFIER_OR_LONE_COOKIE: _byVerifierOrLoneCookie,
    Authorization.LOGIN_COOKIES: _byLoginCookies,
}


def unauthorizedReply(command: Command[Any], ended: EndedSession) -> Any:
    """
    Return the reply to a command whose caller L{findCaller} has not found.
    """
    if isinstance(command, CfaceUpload):
        return CustomFaceUploadResult(2, "get uin and skey error", command.callback)
    match command.authorization:
        case Authorization.VERIFIER | Authorization.VERIFIER_OR_LONE_COOKIE:
            return STALE
        case Authorization.LOGIN_COOKIES:
            return NO_LOGIN
    return refusalFor(ended)
