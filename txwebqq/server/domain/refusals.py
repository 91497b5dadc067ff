"""
Refusals that several rules share.
"""

from __future__ import annotations

from txwebqq.server.sessions.registration import hasInvisible
from txwebqq.server.sessions.session import EndedSession, EndReason
from txwebqq.wire.command import Refusal

NO_SUCH_ID = 100001
"""The retcode for an id that names no account, group or discussion which the
session may use."""

NOT_MEMBER = Refusal(NO_SUCH_ID, "gcode is not the code of a group of yours")
"""The refusal of a request about a group that the account is not in."""

NOT_IN_GROUP = Refusal(NO_SUCH_ID, "group_uin is not the gid of a group of yours")
"""The same for a request that names the group by its gid."""

MALFORMED = 100003
"""The retcode for parameters that cannot be read, or make no sense."""

NOT_KEPT = 100000
"""The retcode for an extension that the server does not offer, as for an unknown
path."""

TOO_LONG = 123
"""The retcode for a text that is too long (protocol.md 6)."""

BLOCKED = Refusal(111, "the account has blocked you")
"""The refusal of a message to an account that has blocked the sender."""

TOO_FAST = Refusal(112, "too many messages in a minute")
"""The refusal of a message beyond L{SendingLimits
<txwebqq.server.sessions.sendinglimits.SendingLimits>}."""

TOO_MANY_WAIT = Refusal(112, "too many messages of yours wait for the account")
"""The refusal of a message to an account that has not received earlier ones."""

REPLACED = "您的帐号在另一地点登录，您已被迫下线。"
"""The text for a client whose account has signed on somewhere else."""


def refusalFor(ended: EndedSession) -> Refusal:
    """
    Return the refusal of a request, other than a poll, in an ended session.
    """
    match ended.reason:
        case EndReason.UNKNOWN | EndReason.LAPSED | EndReason.RELINKED:
            return Refusal(121, seconds=0)
        case EndReason.REPLACED:
            return Refusal(100, REPLACED)
    return Refusal(100, "logged out")


def tooLong(**texts: tuple[str | None, int]) -> Refusal | None:
    """
    Return the refusal of the first text that exceeds its maximum length.

    @param texts: by the name of the field, the text and its maximum length in
        characters; L{None} for a field that is not given.
    """
    for name, (text, most) in texts.items():
        if text is not None and len(text) > most:
            return Refusal(TOO_LONG, f"{name} has more than {most} characters")
    return None


def invisible(**names: str | None) -> Refusal | None:
    """
    Return the refusal of the first name with an invisible character.

    @param names: by the name of the field; L{None} for a field that is not given.
    """
    for field, name in names.items():
        if name is not None and hasInvisible(name):
            return Refusal(NO_SUCH_ID, f"{field} has an invisible character")
    return None
