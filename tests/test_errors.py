"""
Exceptions outside of the process that raised them.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from txwebqq import errors
from txwebqq.errors import (
    CaptchaLapsed,
    CaptchaNeeded,
    CaptchaUnsolved,
    Intercepted,
    InvalidConfiguration,
    Kicked,
    LoggedOut,
    LoginRefused,
    MalformedReply,
    MessageExpired,
    MessageTooLong,
    NotHTTP,
    NotQueued,
    NotSent,
    NotSignedOn,
    PartlySent,
    QueueFull,
    RequestRefused,
    SessionExpired,
    UnknownRecipient,
    Unreachable,
    WebQQError,
)
from txwebqq.model import Face, Text

ERRORS: list[WebQQError] = [
    CaptchaLapsed("read too late"),
    CaptchaNeeded(1000, "a captcha"),
    CaptchaUnsolved("nobody reads it", 4),
    Intercepted("an HTML page", 511),
    InvalidConfiguration("--account is missing"),
    Kicked("elsewhere"),
    LoggedOut("logged out"),
    LoginRefused("密码", 3),
    MalformedReply("not JSON"),
    MessageExpired("not delivered within 24 h"),
    MessageTooLong(123, "too long"),
    NotHTTP("220 ESMTP"),
    NotQueued("disk full"),
    NotSent("refused"),
    NotSignedOn("there is no session"),
    PartlySent(1, 3, ((Text("b"),), (Face(14),)), Unreachable("lost", 502)),
    QueueFull("1000 messages wait"),
    RequestRefused(100003, "malformed"),
    SessionExpired("expired", 121),
    UnknownRecipient("10003 is no friend"),
    Unreachable("lost", 502),
    WebQQError("any"),
]

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda error, n=protocol: pickle.loads(pickle.dumps(error, n))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def described(error: BaseException) -> tuple[Any, ...]:
    state = {
        name: described(value) if isinstance(value, WebQQError) else value
        for name, value in vars(error).items()
    }
    return type(error), str(error), error.args, state


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_copies(error: WebQQError) -> None:
    """
    An error can be copied and pickled with its text and attributes.
    """
    error.add_note("a note")
    for make in COPIES:
        assert described(make(error)) == described(error)


def test_all() -> None:
    """
    That holds for all errors.
    """
    public = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert {type(error) for error in ERRORS} == public


def fail() -> None:
    """
    Fail in another process.
    """
    raise PartlySent(1, 2, ((Text("b"),),), RequestRefused(100003, "malformed"))


def test_processPool() -> None:
    """
    An error in another process arrives here.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with pytest.raises(PartlySent) as caught:
            pool.submit(fail).result()
        assert pool.submit(abs, -1).result() == 1
    assert caught.value.rest == ((Text("b"),),)
