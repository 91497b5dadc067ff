"""
Settings of WebQQ's page, which the server stores (protocol.md 2.8.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import Number
from txwebqq.wire.coerce import LIMIT
from txwebqq.wire.command import Authorization
from txwebqq.wire.endpoints import CgiPost
from txwebqq.wire.form import Form
from txwebqq.wire.parameters import Parameter

PANEL = 50
"""The C{appid} of the main panel, the only one in the known captures."""

PRIVACY = 10000
"""The C{appid} of the settings that our server acts on."""

BLOCKED = "blocked"
"""The setting of L{PRIVACY} with the QQ numbers of blocked accounts."""

STRANGERS = "strangers"
"""The setting of L{PRIVACY} that tells whether accounts which are no friends may
write, as far as they share a group or a discussion."""

Settings = Mapping[str, Any]
"""JSON values, by name."""


def _settings(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedReply("itemlist is not an object")
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, int) and not -LIMIT <= item < LIMIT:
            raise MalformedReply("itemlist has a number out of range")
    return value


def blockedIn(value: object) -> tuple[Number, ...]:
    """
    Return the numbers in a value of L{BLOCKED}; others are left out.
    """
    if not isinstance(value, list):
        return ()
    return tuple(Number(each) for each in value if type(each) is int)


class _SettingsCommand(CgiPost[Settings]):
    """
    Base of commands whose reply is settings.
    """

    authorization = Authorization.VERIFIER_OR_LONE_COOKIE

    @classmethod
    def encodeResult(cls, reply: Settings) -> Any:
        return dict(reply)

    @classmethod
    def decodeResult(cls, result: Any) -> Settings:
        # The reply to a setter may be "ok" only.
        return _settings(result) if isinstance(result, dict) else {}


def _readNames(form: Form, name: str, default: None) -> tuple[str, ...]:
    names = form.raw(name)
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise MalformedReply(f"{name} is not a list of names")
    return tuple(names)


class GetSettings(_SettingsCommand):
    """
    Fetch some settings of one application; the reply has those that exist.
    """

    path = "/keycgi/qqweb/newuac/get.do"
    order = "appid itemlist"
    isIdempotent = True

    names: Annotated[tuple[str, ...], Parameter(_readNames, list)] = field(
        name="itemlist"
    )
    app: int = field(name="appid", default=PANEL)


class GetAllSettings(_SettingsCommand):
    """
    Fetch all settings of one application.
    """

    path = "/keycgi/qqweb/newuac/getall.do"
    isIdempotent = True

    app: int = field(name="appid", default=PANEL)


_SETTINGS = Parameter(lambda form, name, _: _settings(form.raw(name)), dict)


class SetSettings(_SettingsCommand):
    """
    Set some settings of one application; its others are unchanged.
    """

    path = "/keycgi/qqweb/newuac/set.do"
    order = "appid itemlist"

    values: Annotated[Settings, _SETTINGS] = field(name="itemlist")
    app: int = field(name="appid", default=PANEL)


def _readApps(form: Form, name: str, default: None) -> dict[int, Settings]:
    items = form.raw(name)
    if not isinstance(items, list):
        raise MalformedReply(f"{name} is not a list")
    apps: dict[int, Settings] = {}
    for item in items:
        app = item.get("appid") if isinstance(item, dict) else None
        if type(app) is not int:
            raise MalformedReply(f"{name} has an item without an appid")
        if not -LIMIT <= app < LIMIT:
            raise MalformedReply(f"{name} has an appid out of range")
        apps[app] = _settings(item.get("itemlist"))
    return apps


def _writeApps(apps: Mapping[int, Settings]) -> list[dict[str, Any]]:
    return [{"appid": app, "itemlist": dict(values)} for app, values in apps.items()]


class SetManySettings(_SettingsCommand):
    """
    Set some settings of several applications.

    @ivar apps: settings by C{appid}.
    """

    path = "/keycgi/qqweb/newuac/mset.do"

    apps: Annotated[Mapping[int, Settings], Parameter(_readApps, _writeApps)] = field(
        name="applist"
    )
