"""
Schema of the gateway's database.
"""

from __future__ import annotations

from txwebqq.irc.gateway.storage.history import HISTORY_SCHEMA
from txwebqq.irc.gateway.storage.names import NAMES_SCHEMA
from txwebqq.irc.gateway.storage.partedchannels import PARTED_SCHEMA
from txwebqq.irc.gateway.storage.preferences import PREFERENCES_SCHEMA
from txwebqq.irc.gateway.storage.seen import SEEN_SCHEMA
from txwebqq.irc.qq.medialinks import LINKS_SCHEMA
from txwebqq.sqlite.database import Schema

GATEWAY_SCHEMA = Schema(
    NAMES_SCHEMA
    + HISTORY_SCHEMA
    + SEEN_SCHEMA
    + LINKS_SCHEMA
    + PREFERENCES_SCHEMA
    + PARTED_SCHEMA,
    version=3,
    application=0x71716777,
    user="gateway",
)
"""Names, history, pictures, preferences and parted channels."""
