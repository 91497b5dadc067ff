"""
Settings of WebQQ's page, which today's QQ does not keep: they are remembered as long
as the account's service exists.
"""

from __future__ import annotations

from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.wire.commands.settings import (
    PRIVACY,
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
    Settings,
)


async def _get(calls: Calls, command: GetSettings) -> Settings:
    known = calls.memory.settings.get(command.app, {})
    return {name: known[name] for name in command.names if name in known}


async def _getAll(calls: Calls, command: GetAllSettings) -> Settings:
    return dict(calls.memory.settings.get(command.app, {}))


def _set(calls: Calls, app: int, values: Settings) -> None:
    if app == PRIVACY:
        raise refusal("accounts are blocked in a client of QQ")
    calls.memory.settings.setdefault(app, {}).update(values)


async def _setSome(calls: Calls, command: SetSettings) -> Settings:
    _set(calls, command.app, command.values)
    return {}


async def _setMany(calls: Calls, command: SetManySettings) -> Settings:
    for app, values in command.apps.items():
        _set(calls, app, values)
    return {}


HANDLERS: Handlers = {
    GetSettings: _get,
    GetAllSettings: _getAll,
    SetSettings: _setSome,
    SetManySettings: _setMany,
}
"""The functions that carry out the commands."""
