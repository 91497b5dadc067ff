"""
Handlers of settings: small values that the server keeps for clients
(protocol.md 2.8.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from txwebqq.model import Number
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.settings import (
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
    Settings,
)
from txwebqq.wire.jsontext import encodeJSON

MAX_COUNT = 200
"""Maximum number of settings of an account."""

MAX_SIZE = 64 * 1024
"""Maximum length of all settings of an account, in characters."""

MAX_NAME = 64
"""Maximum length of the name of a setting, in characters."""


class SettingsAPI:
    """
    The handlers of settings.
    """

    def __init__(self, state: ServerState) -> None:
        self._settings = state.store.settings

    @answers(GetSettings)
    def get(
        self, command: GetSettings, session: Session, exchange: HTTPExchange
    ) -> Settings | Refusal:
        """
        C{POST /keycgi/qqweb/newuac/get.do}: return some settings of an
        application.
        """
        settings = self._all(session.number, command.app)
        return {name: settings[name] for name in command.names if name in settings}

    @answers(GetAllSettings)
    def getall(
        self, command: GetAllSettings, session: Session, exchange: HTTPExchange
    ) -> Settings | Refusal:
        """
        C{POST /keycgi/qqweb/newuac/getall.do}: return all settings of an
        application.
        """
        return self._all(session.number, command.app)

    @answers(SetSettings)
    def set(
        self, command: SetSettings, session: Session, exchange: HTTPExchange
    ) -> Settings | Refusal:
        """
        C{POST /keycgi/qqweb/newuac/set.do}: change settings of an application.
        """
        return self._change(session.number, {command.app: command.values})

    @answers(SetManySettings)
    def mset(
        self, command: SetManySettings, session: Session, exchange: HTTPExchange
    ) -> Settings | Refusal:
        """
        C{POST /keycgi/qqweb/newuac/mset.do}: change settings of several
        applications: all of them, or none when one is refused.
        """
        return self._change(session.number, command.apps)

    def _all(self, number: Number, app: int) -> dict[str, Any]:
        settings = self._settings.get(number, app)
        return {name: json.loads(value) for name, value in settings.items()}

    def _change(
        self, number: Number, apps: Mapping[int, Settings]
    ) -> Settings | Refusal:
        count, size = self._settings.usage(number)
        changes: dict[int, dict[str, str]] = {}
        for app, values in apps.items():
            before = self._settings.get(number, app)
            changes[app] = {}
            for name, value in values.items():
                if len(name) > MAX_NAME:
                    reason = f"a name has more than {MAX_NAME} characters"
                    return Refusal(100003, reason)
                text = encodeJSON(value)
                changes[app][name] = text
                former = before.get(name)
                count += former is None
                size += len(text) - len(former or "")
                size += len(name) if former is None else 0
        if count > MAX_COUNT or size > MAX_SIZE:
            reason = f"more than {MAX_COUNT} settings, or {MAX_SIZE} characters"
            return Refusal(100004, reason)
        for app, texts in changes.items():
            self._settings.update(number, app, texts)
        return {}
