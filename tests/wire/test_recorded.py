"""
Exchanges that were recorded before commands were declared as fields: requests of our
client and of others, and replies. Each is read to the same values and written again
with the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.wire.rows import commands
from txwebqq.errors import MalformedReply
from txwebqq.wire.form import Form
from txwebqq.wire.multipart import UploadCommand

_LINES = Path(__file__).with_name("recorded.jsonl").read_text("utf-8").split("\n")
_EXCHANGES = [json.loads(line) for line in _LINES if line]
_COMMANDS = {command.__name__: command for command in commands()}


def plain(value: Any) -> Any:
    """
    Return a value as it is in the recording, in JSON.
    """
    match value:
        case Struct():
            members = {n: plain(getattr(value, n)) for n in value.__struct_fields__}
            return {"type": type(value).__name__, **members}
        case Enum():
            return {"type": type(value).__name__, "name": value.name}
        case bytes():
            return {"bytes": value.hex()}
        case list() | tuple():
            return list(map(plain, value))
        case Mapping():
            return {"items": [[plain(k), plain(v)] for k, v in value.items()]}
        case date():
            return value.isoformat()
    return value


def named(kind: str) -> list[Any]:
    """
    Return the recorded requests or replies.
    """
    return [
        pytest.param(each, id=f"{each['command']}-{n}")
        for n, each in enumerate(_EXCHANGES)
        if kind in each
    ]


def test_complete() -> None:
    """
    The recording has requests and replies, of commands that exist.
    """
    for kind in ("query", "reply"):
        names = {each["command"] for each in _EXCHANGES if kind in each}
        assert len(names) >= 107
        assert names <= set(_COMMANDS)


@pytest.mark.parametrize("exchange", named("query"))
def test_request(exchange: dict[str, Any]) -> None:
    """
    A request is read to the same command, which is sent with the same parameters in
    the same order.
    """
    kind = _COMMANDS[exchange["command"]]
    parts = (exchange[name].encode("latin-1") for name in ("query", "body"))
    form = Form.parse(*parts)
    if "value" not in exchange:
        with pytest.raises(MalformedReply):
            kind.decodeFields(form)
        return
    command = kind.decodeFields(form)
    assert plain(command) == exchange["value"]
    assert plain(command.encodeFields()) == exchange["fields"]
    assert command.url == exchange["url"]
    if isinstance(command, UploadCommand):
        assert plain(command.encodeTail()) == exchange["tail"]
        assert plain(command.encodeQuery()) == exchange["urlquery"]


@pytest.mark.parametrize("exchange", named("reply"))
def test_reply(exchange: dict[str, Any]) -> None:
    """
    A reply is read to the same value, which is written with the same bytes.
    """
    command = _COMMANDS[exchange["command"]]
    body = exchange["reply"].encode("latin-1")
    if "value" not in exchange:
        with pytest.raises(MalformedReply):
            command.decodeReply(body)
        return
    reply = command.decodeReply(body)
    assert plain(reply) == exchange["value"]
    assert command.encodeReply(reply).decode("latin-1") == exchange["again"]
