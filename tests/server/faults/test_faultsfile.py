"""
The file of faults.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.server.faults.faultsfile import KINDS, PAGE, parseFaults, readFaults
from txwebqq.server.faults.plan import (
    Delay,
    FaultRule,
    Garbage,
    Parts,
    Reset,
    Retcode,
    Slow,
    Status,
    WrongLength,
)


def rule(text: str) -> FaultRule:
    (found,) = parseFaults(f"[[fault]]\nevery = 1\n{text}").rules
    return found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('kind = "delay"', Delay(0.1, 1.0)),
        ('kind = "delay"\nseconds = 2\nwhen = "after"', Delay(2, 2, isAfter=True)),
        ('kind = "delay"\nseconds = [0, 0.5]', Delay(0, 0.5)),
        ('kind = "reset"\nwhen = "before"', Reset()),
        ('kind = "wrong-length"\nby = -3', WrongLength(-3)),
        ('kind = "status"', Status(502, PAGE)),
        (
            'kind = "status"\ncode = 302\nhtml = ""\nlocation = "http://a.test/"',
            Status(302, "", "http://a.test/"),
        ),
        ('kind = "retcode"\ncode = 121', Retcode(121)),
        ('kind = "garbage"\nas = "utf-8"', Garbage(isText=False)),
        ('kind = "slow"\nrate = 5', Slow(5)),
        ('kind = "parts"', Parts(3, 0.1)),
    ],
)
def test_faults(text: str, fault: object) -> None:
    """
    The keys of each kind, and their defaults.
    """
    assert rule(text).fault == fault


def test_all() -> None:
    """
    All kinds can be written, and a file keeps their order; its seed can be
    overridden.
    """
    tables = [f'[[fault]]\nkind = "{k}"\nprobability = 0.5\n' for k in KINDS]
    text = "seed = 7\n" + "".join(tables).replace('"retcode"', '"retcode"\ncode = 1')
    plan = parseFaults(text)
    assert [each.fault.kind for each in plan.rules] == list(KINDS)
    assert plan.seed == 7
    assert parseFaults(text, seed=8).seed == 8


def test_selection() -> None:
    """
    The requests that a fault is for.
    """
    text = '[[fault]]\nkind = "reset"\npaths = ["/a", "/b*"]\nlimit = 3\n'
    (found,) = parseFaults(text + "probability = 1").rules
    assert found == FaultRule(Reset(), ("/a", "/b*"), 1.0, 0, 3)


RESET = '[[fault]]\nkind = "reset"\nevery = 1\n'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", r"\[\[fault\]\] is missing: there are no faults"),
        ("seed = -1", "seed is not a number from 0 to"),
        (f"speed = 1\n{RESET}", "'speed' is not known here"),
        ("fault = 1", r"fault is written \[\[fault\]\]"),
        ("[[fault]]", "fault 1: kind is none of delay, reset, "),
        ('[[fault]]\nkind = "x"', r"fault 1 \(kind x\): kind is none of delay, "),
        ("[[fault]]\nkind = 1", r"fault 1 \(kind 1\): kind is not a text"),
        (f"{RESET}{RESET}rate = 1", r"fault 2 \(kind reset\): 'rate' is not known"),
        (
            '[[fault]]\nkind = "reset"',
            r"\(kind reset\): probability or every is needed; there are neither",
        ),
        (f"{RESET}probability = 0.5", "or every is needed; there are both"),
        (
            '[[fault]]\nkind = "reset"\nprobability = 1.5',
            "probability is not a number from 0 to 1: 1.5",
        ),
        (
            '[[fault]]\nkind = "reset"\nprobability = nan',
            "probability is not a number from 0 to 1: nan",
        ),
        (
            '[[fault]]\nkind = "reset"\nprobability = true',
            "probability is not a number from 0 to 1: True",
        ),
        (
            '[[fault]]\nkind = "reset"\nevery = 0',
            "every is not a number from 1 to",
        ),
        (f"{RESET}limit = 0", "limit is not a number from 1 to"),
        (f'{RESET}when = "now"', "when is none of before, after"),
        (f'{RESET}paths = "/a"', "paths is not a list of texts"),
        (f'{RESET}paths = ["a"]', "paths has a path without a slash: a"),
        (
            '[[fault]]\nkind = "kick"\nevery = 1\npaths = ["/a"]',
            r"\(kind kick\): paths is not for kick, which is for polls only",
        ),
        (
            '[[fault]]\nkind = "delay"\nevery = 1\nseconds = [2, 1]',
            "seconds is neither a number from 0 to 3600 nor two",
        ),
        (
            '[[fault]]\nkind = "delay"\nevery = 1\nseconds = -1',
            "seconds is neither a number from 0 to 3600 nor two",
        ),
        ('[[fault]]\nkind = "status"\nevery = 1\ncode = 99', "code is not a number"),
        (
            '[[fault]]\nkind = "status"\nevery = 1\nlocation = "a\\r\\nb"',
            "location is not a URL",
        ),
        ('[[fault]]\nkind = "retcode"\nevery = 1', "code is missing"),
        ('[[fault]]\nkind = "wrong-length"\nevery = 1\nby = 0', "by is 0"),
        ('[[fault]]\nkind = "garbage"\nevery = 1\nas = "x"', "as is none of json, utf"),
        ('[[fault]]\nkind = "slow"\nevery = 1\nrate = 0', "rate is not a number"),
        ('[[fault]]\nkind = "parts"\nevery = 1\ncount = 1', "count is not a number"),
        ("[[fault]", "not TOML"),
    ],
)
def test_errors(text: str, error: str) -> None:
    """
    An error names the table and the key.
    """
    with pytest.raises(InvalidConfiguration, match=error):
        parseFaults(text)


def test_file(tmp_path: Path) -> None:
    """
    A file is read; an error names the file.
    """
    file = tmp_path / "faults.toml"
    with pytest.raises(InvalidConfiguration, match=r"faults\.toml: No such file"):
        readFaults(str(file))
    file.write_text(RESET, encoding="utf-8")
    assert readFaults(str(file), 3).seed == 3
