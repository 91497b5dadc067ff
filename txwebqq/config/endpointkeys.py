"""
Server endpoints in configuration files.
"""

from __future__ import annotations

import re

from txwebqq.config.endpoints import checkEndpoint
from txwebqq.config.toml import ConfigTable, nearText
from txwebqq.errors import InvalidConfiguration

KINDS = ("tcp", "tcp6", "ssl", "unix", "systemd", "haproxy")


def readEndpoint(table: ConfigTable, key: str, default: str | None = None) -> str:
    """
    Read a server endpoint. The key is required if there is no C{default}, which may
    be empty.
    """
    endpoint = table.string(key, default)
    if endpoint:
        _check(table, key, endpoint)
    return endpoint


def readEndpoints(
    table: ConfigTable, key: str, default: tuple[str, ...]
) -> tuple[str, ...]:
    """
    Read a list of server endpoints.
    """
    endpoints = table.entries(key, default)
    for position, endpoint in endpoints:
        _check(table, key, endpoint, position)
    return tuple(endpoint for _, endpoint in endpoints)


def _check(
    table: ConfigTable, key: str, endpoint: str, position: int | None = None
) -> None:
    try:
        checkEndpoint(endpoint)
    except InvalidConfiguration as e:
        problem = f"has {endpoint!r}, which is no endpoint: {e}"
        table.refuse(key, problem, endpointAdvice(endpoint), position)


def endpointAdvice(endpoint: str) -> str:
    """
    Return the suggestion for a text that is no server endpoint, C{""} for none.
    """
    if re.fullmatch("[0-9]+", endpoint):
        return f"write tcp:{endpoint}:interface=127.0.0.1"
    kind, colon, _ = endpoint.partition(":")
    if not colon:
        return "write tcp:PORT:interface=ADDRESS"
    return "" if kind in KINDS else nearText(kind, KINDS)
