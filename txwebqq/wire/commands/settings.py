"""
Settings of WebQQ's page, which the server stores (protocol.md 2.8.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import Number
from txwebqq.wire.coerce import LIMIT
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON

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


def _names(form: Form) -> tuple[str, ...]:
    names = form.raw("itemlist")
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise MalformedReply("itemlist is not a list of names")
    return tuple(names)


class _SettingsCommand(JSONCommand[Settings]):
    """
    Base of commands whose reply is settings.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CGI
    authorization: ClassVar[Authorization] = Authorization.VERIFIER_OR_LONE_COOKIE
    referer: ClassVar[Referer | None] = Referer.CGI

    @classmethod
    def encodeResult(cls, reply: Settings) -> Any:
        return dict(reply)

    @classmethod
    def decodeResult(cls, result: Any) -> Settings:
        # The reply to a setter may be "ok" only.
        return _settings(result) if isinstance(result, dict) else {}


def _form(members: dict[str, Any], ticket: Ticket) -> Pairs:
    return [("r", encodeJSON(members)), ("vfwebqq", ticket.vfwebqq)]


class GetSettings(_SettingsCommand):
    """
    Fetch some settings of one application; the reply has those that exist.
    """

    path: ClassVar[str] = "/keycgi/qqweb/newuac/get.do"
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    names: tuple[str, ...]
    app: int = PANEL

    def encodeFields(self) -> Pairs:
        return _form({"appid": self.app, "itemlist": list(self.names)}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, _names(form), form.integer("appid", PANEL))


class GetAllSettings(_SettingsCommand):
    """
    Fetch all settings of one application.
    """

    path: ClassVar[str] = "/keycgi/qqweb/newuac/getall.do"
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    app: int = PANEL

    def encodeFields(self) -> Pairs:
        return _form({"appid": self.app}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.integer("appid", PANEL))


class SetSettings(_SettingsCommand):
    """
    Set some settings of one application; its others are unchanged.
    """

    path: ClassVar[str] = "/keycgi/qqweb/newuac/set.do"

    ticket: Ticket
    values: Settings
    app: int = PANEL

    def encodeFields(self) -> Pairs:
        return _form({"appid": self.app, "itemlist": dict(self.values)}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        values = _settings(form.raw("itemlist"))
        return cls(form.ticket, values, form.integer("appid", PANEL))


class SetManySettings(_SettingsCommand):
    """
    Set some settings of several applications.

    @ivar apps: settings by C{appid}.
    """

    path: ClassVar[str] = "/keycgi/qqweb/newuac/mset.do"

    ticket: Ticket
    apps: Mapping[int, Settings]

    def encodeFields(self) -> Pairs:
        items = [
            {"appid": app, "itemlist": dict(values)}
            for app, values in self.apps.items()
        ]
        return _form({"applist": items}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        items = form.raw("applist")
        if not isinstance(items, list):
            raise MalformedReply("applist is not a list")
        apps: dict[int, Settings] = {}
        for item in items:
            app = item.get("appid") if isinstance(item, dict) else None
            if type(app) is not int:
                raise MalformedReply("applist has an item without an appid")
            if not -LIMIT <= app < LIMIT:
                raise MalformedReply("applist has an appid out of range")
            apps[app] = _settings(item.get("itemlist"))
        return cls(form.ticket, apps)
