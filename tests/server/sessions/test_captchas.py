"""
Verify codes, captchas and failed logins, and their limits.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import captcha.image
import PIL.Image
import pytest
from twisted.internet.task import Clock

from txwebqq.server.sessions.captchas import (
    MAX_SUSPECTS,
    WIDTH,
    Captchas,
    FailedLogins,
    VerifyCodes,
    captchaRenderer,
)


class Seeded:
    """
    Those functions of C{secrets} that draw a captcha, by a seed.
    """

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.randbelow = random.randrange
        self.randbits = random.getrandbits
        self.choice = random.choice


def test_codes() -> None:
    """
    A code is valid for one account, in upper and lower case, for some minutes.
    """
    clock = Clock()
    codes = VerifyCodes(clock.seconds, lambda: b"key")
    code = codes.issue(10001)
    assert codes.isGood(10001, code.lower())
    assert not codes.isGood(10002, code)
    assert not codes.isGood(10001, "")
    clock.advance(299)
    assert codes.isGood(10001, code)
    clock.advance(200)
    assert not codes.isGood(10001, code)


def test_suspectsAreBounded() -> None:
    """
    The number of accounts and addresses with failed logins in memory is
    limited.
    """
    suspects = FailedLogins(Clock().seconds)
    for n in range(MAX_SUSPECTS + 10):
        suspects.failed(n)
    assert len(suspects._failures) == MAX_SUSPECTS


def test_captchasAreBounded() -> None:
    """
    The number of captchas in memory is limited, and the oldest are dropped.
    """
    captchas = Captchas(Clock().seconds, Random(1))
    first, text = captchas.issue()
    for _ in range(10_000):
        last = captchas.issue()
    assert not captchas.answer(first, text)
    assert captchas.answer(*last)


def test_charactersAreApart(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    No character of a captcha is drawn over another one, or beyond the edge.
    """
    edges: list[tuple[int, int]] = []
    paste = PIL.Image.Image.paste

    def record(image: Any, drawn: Any, at: Any, mask: Any) -> None:
        edges.append((at[0], at[0] + drawn.width))
        paste(image, drawn, at, mask)

    monkeypatch.setattr(PIL.Image.Image, "paste", record)
    draw = captchaRenderer()
    for seed in range(100):
        monkeypatch.setattr(captcha.image, "secrets", Seeded(seed))
        draw("ACWM")
        assert len(edges) == 4
        assert all(left[1] <= right[0] for left, right in pairwise(edges))
        assert edges[-1][1] <= WIDTH
        edges.clear()
