"""
Calls of bots and the replies to them, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from txwebqq.onebot.reading import objectIn

FAILED, MALFORMED, UNKNOWN_ACTION = 1200, 1400, 1404
"""Codes of failures, as of NapCatQQ."""

MALFORMED_TEXT = "json解析失败,请检查数据格式"


class CallFailed(Exception):
    """
    A call fails; the text is for the bot.
    """

    def __init__(self, reason: str, retcode: int = FAILED) -> None:
        super().__init__(reason)
        self.retcode = retcode


@dataclass(frozen=True, slots=True)
class Call:
    """
    A call of a bot.

    @ivar echo: what the reply has to carry, empty if the bot gave nothing.
    """

    action: str
    params: Mapping[str, Any]
    echo: Mapping[str, Any]


def _noConstant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parseObject(text: str | bytes) -> dict[str, Any]:
    """
    Parse a JSON object.

    @raise CallFailed: when it is none.
    """
    try:
        value = json.loads(text, parse_constant=_noConstant)
    except (ValueError, RecursionError) as e:
        raise CallFailed(MALFORMED_TEXT, MALFORMED) from e
    if not isinstance(value, dict):
        raise CallFailed(MALFORMED_TEXT, MALFORMED)
    return value


def parseCall(text: str) -> Call:
    """
    Parse a call from a text message.

    @raise CallFailed: when it is no JSON object. A call without an action is one of
        an action that does not exist.
    """
    values = parseObject(text)
    action = values.get("action")
    echo = {"echo": values["echo"]} if "echo" in values else {}
    name = action if isinstance(action, str) else ""
    return Call(name, objectIn(values, "params"), echo)


def succeeded(data: Any) -> dict[str, Any]:
    """
    Make the reply to a call that was performed.
    """
    return _reply("ok", 0, data, "")


def accepted() -> dict[str, Any]:
    """
    Make the reply to a call that is performed later.
    """
    return _reply("async", 1, None, "")


def failed(error: CallFailed) -> dict[str, Any]:
    """
    Make the reply to a call that fails.
    """
    return _reply("failed", error.retcode, None, str(error))


def _reply(status: str, retcode: int, data: Any, text: str) -> dict[str, Any]:
    return {
        "status": status,
        "retcode": retcode,
        "data": data,
        "message": text,
        "wording": text,
    }


def encode(value: Mapping[str, Any]) -> str:
    """
    Write an event or a reply as JSON; escaped, since texts may contain halves of
    surrogate pairs.
    """
    return json.dumps(value, separators=(",", ":"))
