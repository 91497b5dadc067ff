"""
Answers to what opens and closes a session: C{check} .. C{login2}, C{logout2}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from twisted.logger import Logger

from txwebqq.model import Number
from txwebqq.ratelimit import RateLimiter
from txwebqq.server.domain.authenticator import LoginFailure
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.records import HIGHEST_NUMBER
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.sessions import EndedSession, Random, token
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import (
    Challenge,
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    LoginPage,
    LoginReply,
    Logout2,
    SessionCredentials,
)
from txwebqq.wire.digests import saltFor

WELCOME = "登录成功！"
WRONG_PASSWORD = "您输入的帐号或密码不正确，请重新输入。"
WRONG_CAPTCHA = "您输入的验证码不正确，请重新输入。"
MALFORMED = "提交参数错误，请检查。"

LANDING_PAGE = "http://web2.qq.com/loginproxy.html?login2qq=1&webqq_type="

PICTURES, PICTURES_WINDOW = 300, 600.0
"""So many captchas an address is drawn in so many seconds."""

NOBODY = Number(0)
"""Stands for names that can be no account's; the world has nobody there."""


def _numberOf(name: str) -> Number:
    if name.isascii() and name.isdigit() and len(name) <= 10:
        number = int(name)
        return Number(number) if number <= HIGHEST_NUMBER else NOBODY
    return NOBODY


class SignOnAPI:
    """
    The exchanges of a sign-on.

    @param draw: makes the picture of a captcha's text.
    """

    _log = Logger()

    def __init__(
        self,
        state: ServerState,
        now: Callable[[], float],
        random: Random,
        draw: Callable[[str], bytes] | None,
    ) -> None:
        self._state = state
        self._random = random
        self._draw = draw
        self._pictures = RateLimiter(now, PICTURES, PICTURES_WINDOW)

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            LoginPage: self.loginPage,
            Check: self.check,
            GetImage: self.getimage,
            Login: self.login,
            CheckSig: self.checkSig,
            Login2: self.login2,
            Logout2: self.logout2,
        }

    def loginPage(self, command: LoginPage, exchange: Exchange) -> str:
        """
        A signature for whoever asks; clients look for sixty-four characters,
        and send old ones as well.
        """
        return token(self._random, 64)

    def check(self, command: Check, exchange: Exchange) -> Challenge:
        """
        Whoever asks, existing or not, gets a code and a salt.
        """
        number = _numberOf(command.uin)
        code = self._state.authenticator.verifyCode(number, exchange.address)
        session = token(self._random, 64)
        exchange.setCookie("ptvfsession", session)
        return Challenge(
            captcha=code is None,
            code=token(self._random, 32) if code is None else code,
            salt=saltFor(number),
            extra=(session, "0") if command.later else (),
        )

    def getimage(self, command: GetImage, exchange: Exchange) -> bytes | Refusal:
        """
        A new picture at each call; its cookie says which.
        """
        if self._draw is None:
            return Refusal(100000, "this server has no captchas")
        if not self._pictures.take(exchange.address):
            return Refusal(
                100000,
                "too many captchas for your address: come back in ten minutes",
            )
        verifySession, text = self._state.authenticator.captchas.issue()
        exchange.setCookie("verifysession", verifySession)
        return self._draw(text)

    def login(self, command: Login, exchange: Exchange) -> LoginReply:
        """
        Judge the password, and hand out the cookies of a sign-on.
        """
        number = _numberOf(command.u)
        verdict = self._state.authenticator.logIn(
            number,
            command.p,
            command.code,
            exchange.cookies.get("verifysession", ""),
            exchange.address,
        )
        if isinstance(verdict, LoginFailure):
            isPassword = verdict is LoginFailure.WRONG_PASSWORD
            self._log.info(
                "Refused {number} at {address}: wrong {what}.",
                number=number,
                address=exchange.address,
                what="password" if isPassword else "captcha",
            )
            text = WRONG_PASSWORD if isPassword else WRONG_CAPTCHA
            return LoginReply(verdict.value, message=text, nick=command.u)
        owner = f"o{number:010d}"
        exchange.setCookie("uin", owner)
        exchange.setCookie("skey", verdict.skey)
        exchange.setCookie("ptwebqq", verdict.ptwebqq)
        exchange.setCookie("superuin", owner, "ptlogin2.qq.com")
        exchange.setCookie("pt2gguin", owner)
        page = f"{LANDING_PAGE}{command.status.code}"
        url = (
            f"http://ptlogin4.web2.qq.com/check_sig?pttype=1&uin={number}"
            f"&service=login&nodirect=0&ptsigx={token(self._random, 64)}"
            f"&s_url={quote(page, safe='')}&f_url=&ptlang=2052&ptredirect=100"
            "&aid=1003903&daid=164&j_later=0&low_login_hour=0&regmaster=0"
        )
        return LoginReply(0, url=url, message=WELCOME, nick=verdict.nick)

    def checkSig(self, command: CheckSig, exchange: Exchange) -> None:
        """
        Nothing depends on these cookies, but clients want to be given some.
        """
        uin = dict(command.encodeFields()).get("uin", "")
        exchange.setCookie("p_uin", f"o{_numberOf(uin):010d}", "web2.qq.com")
        exchange.setCookie("p_skey", token(self._random, 44), "web2.qq.com")
        exchange.setCookie("pt4_token", token(self._random, 44), "web2.qq.com")
        exchange.location = f"{LANDING_PAGE}10"

    def login2(
        self, command: Login2, exchange: Exchange
    ) -> SessionCredentials | Refusal:
        """
        Open a session, or take one up again.
        """
        ticket = command.ticket
        session = self._state.join(
            ticket.ptwebqq or exchange.cookies.get("ptwebqq", ""),
            ticket.psessionid,
            ticket.clientid,
            command.status,
        )
        if isinstance(session, EndedSession):
            return Refusal(103, refusalFor(session).errmsg)
        self._log.info(
            "{number} signed on at {address}.",
            number=session.number,
            address=exchange.address,
        )
        return SessionCredentials(
            uin=session.number,
            psessionid=session.psessionid,
            vfwebqq=session.vfwebqq,
            status=session.status,
        )

    def logout2(self, command: Logout2, exchange: Exchange) -> None | Refusal:
        """
        End the session; its ticket is answered 100 from now on.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        hasArrived = exchange.hasArrived(session)
        said = Acknowledgement(command.ack, command.ids, hasArrived)
        self._state.leave(session, said)
        self._log.info("{number} logged out.", number=session.number)
        return None
