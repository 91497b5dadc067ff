"""
Classification of the server's replies into inputs of the sign-on machine.

Transitions have no conditions, so a reply that can mean several things becomes
one of several inputs here (protocol.md 6 and 2.1).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from txwebqq.errors import (
    CaptchaUnsolved,
    Intercepted,
    LoginRefused,
    MalformedReply,
    NotHTTP,
    SessionExpired,
    Unreachable,
)
from txwebqq.session.interfaces import SignOnInputs, SignOnState
from txwebqq.wire.command import Refusal, printable, withCode
from txwebqq.wire.commands.signon import Challenge, LoginReply, SessionCredentials

MAX_CAPTCHAS = 5
"""Captchas whose text may be wrong in one sign-on."""

MAX_RELINKS = 3
"""Maximum number of times that a server may put off a rejoin."""

RELINK_DELAY = 10.0
"""Seconds before the next rejoin, where the server names none."""

RETRY_DELAY = 300.0
"""Seconds before the second login after code 19."""


def hostOf(url: str) -> str:
    """
    Return the host name of a URL, C{""} when it has none.
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def classifyPage(machine: SignOnInputs, reply: str | Refusal) -> None:
    """
    Classify the reply to L{LoginPage
    <txwebqq.wire.commands.signon.LoginPage>}.
    """
    # Clients went on without a signature, and were let in.
    machine.signed(reply if isinstance(reply, str) else "")


def classifyCheck(machine: SignOnInputs, reply: Challenge | Refusal) -> None:
    """
    Classify the reply to C{check}.
    """
    match reply:
        case Challenge(captcha=True):
            machine.challenged(reply)
        case Challenge():
            machine.passed(reply)
        case Refusal():
            machine.failed(f"check was refused: {reply.reason}")


def classifyCaptcha(machine: SignOnInputs, reply: bytes | Refusal) -> None:
    """
    Classify the reply to C{getimage}.
    """
    if isinstance(reply, Refusal):
        machine.failed(f"getimage was refused: {reply.reason}")
    else:
        machine.captchaFetched(reply)


_LOGIN_CODES = {
    2: "the captcha or the page is out of date",
    3: "wrong account or password",
    19: "the account may not sign on now",
}
"""The meaning of codes of C{login} (protocol.md 2.1.6)."""


def classifyLogin(
    machine: SignOnInputs, state: SignOnState, reply: LoginReply | Refusal
) -> None:
    """
    Classify the reply to C{login}.
    """
    if isinstance(reply, Refusal):
        machine.failed(f"login was refused: {reply.reason}")
        return
    said = withCode(reply.message, f"login code {reply.code}")
    match reply.code:
        case 0 if hostOf(reply.url) == "aq.qq.com":
            machine.refused(LoginRefused("the account is locked: see aq.qq.com"))
        case 0:
            machine.accepted(reply.url)
        case 1 | 6:
            machine.failed(f"the server is busy: {said}")
        case 4 if state.misread >= MAX_CAPTCHAS:
            machine.refused(CaptchaUnsolved("too many captchas were misread", 4))
        case 4:
            state.misread += 1
            if state.challenge.captcha:
                machine.captchaRejected()
            else:
                machine.verifyCodeExpired()
        case (7 | 19) as code if code not in state.retried:
            state.retried.add(code)
            seconds = RETRY_DELAY if code == 19 else 0.0
            machine.toldToWait(seconds, f"the login was refused: {said}")
        case _:
            # The server's own words are Chinese as a rule.
            texts = [_LOGIN_CODES.get(reply.code, ""), printable(reply.message)]
            reason = ": ".join(filter(None, ["the login was refused", *texts]))
            machine.refused(LoginRefused(reason, reply.code))


def classifyJoin(machine: SignOnInputs, reply: SessionCredentials | Refusal) -> None:
    """
    Classify the reply to the C{login2} of a sign-on.
    """
    match reply:
        case SessionCredentials():
            machine.joined(reply)
        case Refusal(retcode=106 | 111):
            reason = "the server does not admit this account"
            machine.refused(LoginRefused(reason, reply.retcode))
        case Refusal():
            machine.failed(f"login2 was refused: {reply.reason}")


def classifyRejoin(
    machine: SignOnInputs, state: SignOnState, reply: SessionCredentials | Refusal
) -> None:
    """
    Classify the reply to the C{login2} of a rejoin.
    """
    match reply:
        case SessionCredentials():
            machine.joined(reply)
        case Refusal(retcode=112 | 113 | 115) if state.relinks < MAX_RELINKS:
            seconds = RELINK_DELAY if reply.seconds is None else reply.seconds
            machine.toldToWait(seconds, f"login2 was put off: {reply.reason}")
        case Refusal():
            reason = f"the rejoin was refused: {reply.reason}"
            machine.invalidated(SessionExpired(reason, reply.retcode))


def failureOf(endpointName: str, reason: object) -> str:
    """
    Return the text for a request that has failed. The texts of malformed replies
    already begin with the name of the request.
    """
    return f"{endpointName} failed: {str(reason).removeprefix(f'{endpointName}: ')}"


def classifyFailure(machine: SignOnInputs, endpointName: str, error: object) -> None:
    """
    Classify the failure of a request: there was no answer, or one of a proxy, of a
    network that wants a login, or of another server.
    """
    reason = failureOf(endpointName, error)
    if isOfAnother(error):
        machine.intercepted(reason)
    else:
        machine.failed(reason)


def isOfAnother(error: object) -> bool:
    """
    Tell whether a request has failed with an answer that does not come from a WebQQ
    server, so that it says nothing of the session.
    """
    match error:
        case Intercepted() | MalformedReply() | NotHTTP() | Unreachable(status=int()):
            return True
        case _:
            return False
