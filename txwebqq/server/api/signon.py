"""
Handlers of sign-on and logout (protocol.md 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from twisted.logger import Logger

from txwebqq.model import Number
from txwebqq.ratelimit import RateLimiter
from txwebqq.server.domain.authenticator import LoginFailure
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.records import HIGHEST_NUMBER
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.session import EndedSession, Session
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.wire.command import Refusal
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

TOO_MANY = "您尝试的次数过多，请稍后再试。"

DISABLED = "您的帐号暂时无法登录，请联系管理员。"

_FAILURES = {
    LoginFailure.DISABLED: ("the account is disabled", DISABLED),
    LoginFailure.WRONG_PASSWORD: ("wrong password", WRONG_PASSWORD),
    LoginFailure.WRONG_CAPTCHA: ("wrong captcha", WRONG_CAPTCHA),
    LoginFailure.TOO_MANY: ("too many wrong passwords before", TOO_MANY),
}
"""The cause of each failure for the log, and the text for the client."""

LOGGED_REFUSALS = 50
"""Maximum number of refused logins of an address that are logged within
L{CAPTCHA_WINDOW} seconds."""

LANDING_PAGE = "http://web2.qq.com/loginproxy.html?login2qq=1&webqq_type="

CAPTCHAS, CAPTCHA_WINDOW = 300, 600.0
"""Maximum number of captcha images for an address within a time, in seconds."""

NOBODY = Number(0)
"""The number of no account, for names that are not numbers."""


def _numberOf(name: str) -> Number:
    if name.isascii() and name.isdigit() and len(name) <= 10:
        number = int(name)
        return Number(number) if number <= HIGHEST_NUMBER else NOBODY
    return NOBODY


class SignOnAPI:
    """
    The handlers of sign-on and logout.

    @param now: returns the time in Unix seconds.
    @param draw: renders the image of a captcha from its text; without it there are no
        captchas.
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
        self._images = state.makeLimiter("captcha", CAPTCHAS, CAPTCHA_WINDOW)
        self._refusals = RateLimiter(now, LOGGED_REFUSALS, CAPTCHA_WINDOW)

    @answers(LoginPage)
    def loginPage(
        self, command: LoginPage, caller: None, exchange: HTTPExchange
    ) -> str:
        """
        C{GET /cgi-bin/login}: return the signature of the login page. It is
        random, because the server accepts any.
        """
        return token(self._random, 64)

    @answers(Check)
    def check(self, command: Check, caller: None, exchange: HTTPExchange) -> Challenge:
        """
        C{GET /check}: return a verify code or the need of a captcha, and the
        salt of the password digest. The reply is the same for accounts that do
        not exist.
        """
        number = _numberOf(command.uin)
        code = self._state.authenticator.verifyCode(number, exchange.network)
        session = token(self._random, 64)
        exchange.setCookie("confirmuin", f"{number}", "ptlogin2.qq.com")
        exchange.setCookie("ptisp", "ctc")
        exchange.setCookie("ptvfsession", session)
        return Challenge(
            captcha=code is None,
            code=token(self._random, 32) if code is None else code,
            salt=saltFor(number),
            extra=(session, "0") if command.later else (),
        )

    @answers(GetImage)
    def getimage(
        self, command: GetImage, caller: None, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /getimage}: return the image of a new captcha, whose id is in a
        cookie.
        """
        if self._draw is None:
            return Refusal(100000, "this server has no captchas")
        if not self._images.take(exchange.network):
            return Refusal(
                100000,
                "too many captchas for your address: come back in ten minutes",
            )
        verifySession, text = self._state.authenticator.captchas.issue()
        exchange.setCookie("verifysession", verifySession)
        return self._draw(text)

    @answers(Login)
    def login(self, command: Login, caller: None, exchange: HTTPExchange) -> LoginReply:
        """
        C{GET /login}: check a password, and set the cookies of a login.
        """
        number = _numberOf(command.u)
        result = self._state.authenticator.logIn(
            number,
            command.p,
            command.code,
            exchange.cookies.get("verifysession", ""),
            exchange.network,
        )
        if isinstance(result, LoginFailure):
            cause, text = _FAILURES[result]
            if self._refusals.take(exchange.network):
                self._log.info(
                    "Refused the login of account {number} from {address}: {cause}.",
                    number=number,
                    address=exchange.address,
                    cause=cause,
                )
            return LoginReply(result.value, message=text, nick=command.u)
        owner = f"o{number:010d}"
        exchange.setCookie("pt2gguin", owner)
        exchange.setCookie("uin", owner)
        exchange.setCookie("skey", result.skey)
        exchange.setCookie("superuin", owner, "ptlogin2.qq.com")
        exchange.setCookie("ptisp", "ctc")
        exchange.setCookie("ptcz", token(self._random, 64))
        exchange.setCookie("ptuserinfo", result.nick.encode().hex())
        # Some HTTP libraries keep the last cookie of a domain only
        # (compatibility.md 2).
        exchange.setCookie("ptwebqq", result.ptwebqq)
        page = f"{LANDING_PAGE}{command.status.code}"
        url = (
            f"http://ptlogin4.web2.qq.com/check_sig?pttype=1&uin={number}"
            f"&service=login&nodirect=0&ptsigx={token(self._random, 64)}"
            f"&s_url={quote(page, safe='')}&f_url=&ptlang=2052&ptredirect=100"
            "&aid=1003903&daid=164&j_later=0&low_login_hour=0&regmaster=0"
        )
        return LoginReply(0, url=url, message=WELCOME, nick=result.nick)

    @answers(CheckSig)
    def checkSig(self, command: CheckSig, caller: None, exchange: HTTPExchange) -> None:
        """
        C{GET /check_sig}: set cookies that clients expect and the server
        ignores.
        """
        uin = dict(command.encodeFields()).get("uin", "")
        exchange.setCookie("p_uin", f"o{_numberOf(uin):010d}", "web2.qq.com")
        exchange.setCookie("p_skey", token(self._random, 44), "web2.qq.com")
        exchange.setCookie("pt4_token", token(self._random, 44), "web2.qq.com")
        exchange.location = f"{LANDING_PAGE}10"

    @answers(Login2)
    def login2(
        self, command: Login2, caller: None, exchange: HTTPExchange
    ) -> SessionCredentials | Refusal:
        """
        C{POST /channel/login2}: open the session of a login, or resume it.
        """
        ticket = command.ticket
        joined = self._state.join(
            # A page of another site can have a browser send the cookie.
            ticket.ptwebqq,
            ticket.psessionid,
            ticket.clientid,
            command.status,
        )
        if isinstance(joined, EndedSession):
            return Refusal(103, refusalFor(joined).errmsg)
        session = joined.session
        self._log.info(
            "Account {number} signed on from {address}.",
            number=session.number,
            address=exchange.address,
        )
        return SessionCredentials(
            uin=session.number,
            psessionid=joined.psessionid,
            vfwebqq=joined.vfwebqq,
            status=session.status,
        )

    @answers(Logout2)
    def logout2(
        self, command: Logout2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/logout2}: end the session.
        """
        hasArrived = exchange.hasArrived(session)
        said = Acknowledgement(command.ack, command.ids, hasArrived)
        self._state.leave(session, said)
        self._log.info("Account {number} logged out.", number=session.number)
        return None
