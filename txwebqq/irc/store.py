"""
What is in the databases of gateway and relay.
"""

from __future__ import annotations

from txwebqq.irc.absences import ABSENCES_SCHEMA
from txwebqq.irc.history import HISTORY_SCHEMA
from txwebqq.irc.names import NAMES_SCHEMA
from txwebqq.irc.preferences import PREFERENCES_SCHEMA
from txwebqq.irc.qq.medialinks import LINKS_SCHEMA
from txwebqq.irc.spool import SPOOL_SCHEMA
from txwebqq.sqlite.database import Shape

GATEWAY_SHAPE = Shape(
    NAMES_SCHEMA + HISTORY_SCHEMA + LINKS_SCHEMA + PREFERENCES_SCHEMA + ABSENCES_SCHEMA,
    version=2,
    application=0x71716777,
    user="gateway",
)
"""Names, what was said and decided, who is absent, and pictures."""

RELAY_SHAPE = Shape(
    SPOOL_SCHEMA + LINKS_SCHEMA,
    version=1,
    application=0x71717277,
    user="relay",
)
"""What waits, and pictures."""
