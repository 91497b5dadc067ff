"""
Checks of logins and captchas.
"""

from __future__ import annotations

from txwebqq.server.domain.authenticator import CaptchaFailure, captchaRefusal
from txwebqq.wire.command import Refusal


def test_captcha() -> None:
    """
    A captcha that was not read is another refusal than one misread.
    """
    assert captchaRefusal(CaptchaFailure.UNREAD) == Refusal(1000, "no captcha was read")
    assert captchaRefusal(CaptchaFailure.WRONG).retcode == 1001
