"""
Answers to those who keep settings with us.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from txwebqq.model import Number
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import STALE, Exchange, Handler
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.settings import (
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
    Settings,
)
from txwebqq.wire.form import Ticket
from txwebqq.wire.jsontext import encodeJSON

MAX_COUNT = 200
"""The settings that an account may have."""

MAX_SIZE = 64 * 1024
"""The characters in all of them."""

MAX_NAME = 64


class SettingsAPI:
    """
    The settings of a session's account.
    """

    def __init__(self, state: ServerState) -> None:
        self._sessions = state.sessions
        self._settings = state.store.settings

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            GetSettings: self.get,
            GetAllSettings: self.getall,
            SetSettings: self.set,
            SetManySettings: self.mset,
        }

    def _session(self, ticket: Ticket, exchange: Exchange) -> Session | None:
        found = self._sessions.byVerifier(ticket.vfwebqq)
        if isinstance(found, Session):
            return found
        # Some pages send the cookie alone.
        signedOn = self._sessions.bySignOn(exchange.cookies.get("ptwebqq", ""))
        if not ticket.vfwebqq and isinstance(signedOn, Session):
            return signedOn
        return None

    def get(self, command: GetSettings, exchange: Exchange) -> Settings | Refusal:
        """
        Some settings.
        """
        session = self._session(command.ticket, exchange)
        if session is None:
            return STALE
        settings = self._all(session.number, command.app)
        return {name: settings[name] for name in command.names if name in settings}

    def getall(self, command: GetAllSettings, exchange: Exchange) -> Settings | Refusal:
        """
        All settings.
        """
        session = self._session(command.ticket, exchange)
        if session is None:
            return STALE
        return self._all(session.number, command.app)

    def set(self, command: SetSettings, exchange: Exchange) -> Settings | Refusal:
        """
        Set some.
        """
        return self._change(command.ticket, exchange, {command.app: command.values})

    def mset(self, command: SetManySettings, exchange: Exchange) -> Settings | Refusal:
        """
        Set some of several applications, or none of them.
        """
        return self._change(command.ticket, exchange, command.apps)

    def _all(self, number: Number, app: int) -> dict[str, Any]:
        settings = self._settings.get(number, app)
        return {name: json.loads(value) for name, value in settings.items()}

    def _change(
        self, ticket: Ticket, exchange: Exchange, apps: Mapping[int, Settings]
    ) -> Settings | Refusal:
        session = self._session(ticket, exchange)
        if session is None:
            return STALE
        number = session.number
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
