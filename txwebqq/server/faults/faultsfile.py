"""
The file of C{--faults}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from txwebqq.config.toml import ConfigTable, isInteger, parseTOML, readTOML
from txwebqq.errors import InvalidConfiguration
from txwebqq.server.faults.plan import (
    POLL_FAULTS,
    Delay,
    Duplicate,
    Fault,
    FaultPlan,
    FaultRule,
    Garbage,
    Kick,
    Lose,
    Parts,
    Reorder,
    Reset,
    Retcode,
    Slow,
    Status,
    Truncate,
    WrongLength,
)

KINDS = (
    *(each.kind for each in (Delay, Reset, Truncate, WrongLength, Status, Retcode)),
    *(each.kind for each in (Garbage, Slow, Parts)),
    *(each.kind for each in POLL_FAULTS),
)

MAX_SECONDS = 3600.0
MAX_SEED = 999_999_999

PAGE = (
    "<!DOCTYPE html><html><head><title>Please sign in</title></head>"
    "<body><h1>Welcome to our network</h1></body></html>"
)


def parseFaults(text: str, seed: int | None = None) -> FaultPlan:
    """
    Parse the text of a file of faults.

    @param seed: the seed, by default that of the file.
    @raise InvalidConfiguration: when the text is invalid; names the table and the
        key.
    """
    return _plan(parseTOML(text), seed)


def readFaults(file: str, seed: int | None = None) -> FaultPlan:
    """
    Read a file of faults, as L{parseFaults} does.
    """
    try:
        return _plan(readTOML(Path(file)), seed)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{file}: {e}") from e


def _plan(values: dict[str, Any], seed: int | None) -> FaultPlan:
    table = ConfigTable("", values)
    own = table.number("seed", 0, MAX_SEED, 1)
    rules = [_rule(each) for each in table.tables("fault", "kind")]
    table.close()
    if not rules:
        raise InvalidConfiguration("[[fault]] is missing: there are no faults")
    return FaultPlan(rules, own if seed is None else seed)


def _rule(table: ConfigTable) -> FaultRule:
    kind = table.choice("kind", KINDS, "") if table.has("kind") else ""
    if not kind:
        raise table.error("kind", f"is none of {', '.join(KINDS)}")
    hasProbability, hasEvery = table.has("probability"), table.has("every")
    if hasProbability == hasEvery:
        both = "both" if hasEvery else "neither"
        raise table.error("probability", f"or every is needed; there are {both}")
    probability = _number(table, "probability", 0.0, 1.0, 0.0)
    every = table.number("every", 1, 1_000_000_000) if hasEvery else 0
    limit = table.number("limit", 1, 1_000_000_000, 1) if table.has("limit") else 0
    fault = _fault(kind, table)
    paths: tuple[str, ...] = ()
    if not isinstance(fault, POLL_FAULTS):
        paths = table.stringList("paths", ())
        for path in paths:
            if not path.startswith("/"):
                raise table.error("paths", f"has a path without a slash: {path}")
    elif table.has("paths"):
        raise table.error("paths", f"is not for {kind}, which is for polls only")
    table.close()
    return FaultRule(fault, paths, probability, every, limit)


def _fault(kind: str, table: ConfigTable) -> Fault:
    match kind:
        case Delay.kind:
            least, most = _seconds(table)
            return Delay(least, most, _isAfter(table))
        case Reset.kind:
            return Reset(_isAfter(table))
        case Truncate.kind:
            return Truncate()
        case WrongLength.kind:
            by = table.number("by", -1_000_000, 1_000_000, 16)
            if by == 0:
                raise table.error("by", "is 0, which is the right length")
            return WrongLength(by)
        case Status.kind:
            code = table.number("code", 200, 599, 502)
            html = table.string("html", PAGE, mayBeEmpty=True)
            location = table.string("location", "")
            if not location.isascii() or any(c <= " " for c in location):
                raise table.error("location", "is not a URL")
            return Status(code, html, location, _isAfter(table))
        case Retcode.kind:
            code = table.number("code", -(2**31), 2**31 - 1)
            return Retcode(code, _isAfter(table))
        case Garbage.kind:
            return Garbage(table.choice("as", ("json", "utf-8"), "json") == "json")
        case Slow.kind:
            return Slow(table.number("rate", 1, 1_000_000_000, 100))
        case Parts.kind:
            count = table.number("count", 2, 1000, 3)
            return Parts(count, _number(table, "seconds", 0.0, MAX_SECONDS, 0.1))
        case Duplicate.kind:
            return Duplicate()
        case Reorder.kind:
            return Reorder()
        case Lose.kind:
            return Lose()
        case _:
            return Kick()


def _isAfter(table: ConfigTable) -> bool:
    return table.choice("when", ("before", "after"), "before") == "after"


def _isNumber(value: object, low: float, high: float) -> bool:
    if not (isInteger(value) or isinstance(value, float)):
        return False
    # False for nan, too.
    return low <= value <= high


def _number(
    table: ConfigTable, key: str, low: float, high: float, default: float
) -> float:
    value = table.value(key, default)
    if not _isNumber(value, low, high):
        raise table.error(key, f"is not a number from {low:g} to {high:g}: {value!r}")
    return float(value)


def _seconds(table: ConfigTable) -> tuple[float, float]:
    """
    Read C{seconds}: a number, or the least and the most of a random one.
    """
    value = table.value("seconds", [0.1, 1.0])
    pair = value if isinstance(value, list) else [value, value]
    areNumbers = all(_isNumber(each, 0.0, MAX_SECONDS) for each in pair)
    if len(pair) != 2 or not areNumbers or pair[0] > pair[1]:
        raise table.error(
            "seconds",
            f"is neither a number from 0 to {MAX_SECONDS:g} nor two, the smaller one"
            f" first: {value!r}",
        )
    return float(pair[0]), float(pair[1])
