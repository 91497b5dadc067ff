"""
Client tags: the decision whether a server passes one on.
"""

from __future__ import annotations

from collections.abc import Mapping

REACT, UNREACT = "+draft/react", "+draft/unreact"
"""A reaction to a message, and its end, in a C{TAGMSG}."""

REPLY = "+draft/reply"
"""The C{msgid} of the message that another one replies or reacts to."""

_REPLIES = (REPLY, "+reply")


def repliedTo(tags: Mapping[str, str]) -> str:
    """
    Return the C{msgid} of the message that a line replies to, C{""} for none.
    """
    return next((tags[name] for name in _REPLIES if tags.get(name)), "")


def allowsTag(
    capabilities: Mapping[str, str], support: Mapping[str, str], tag: str
) -> bool:
    """
    Tell whether a server passes on a client tag.

    @param support: the tokens of C{RPL_ISUPPORT}, of which C{CLIENTTAGDENY} names the
        tags that the server removes.
    """
    denied = support.get("CLIENTTAGDENY", "").split(",")
    name = tag.removeprefix("+")
    isDenied = name in denied or ("*" in denied and f"-{name}" not in denied)
    return "message-tags" in capabilities and not isDenied
