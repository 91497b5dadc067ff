"""
Client-only tags: replies and reactions, and the tags that a server passes on.
"""

from __future__ import annotations

from collections.abc import Mapping

REACT, UNREACT = "+draft/react", "+draft/unreact"
"""The tags of a reaction to a message, and of one that is taken back, in a
C{TAGMSG}."""

REPLY = "+draft/reply"
"""The tag with the C{msgid} of the message that another one replies or reacts to, as
older servers and clients know it."""

REPLY_TAGS = ("+reply", REPLY)
"""The tag of the specification, and that of its draft."""


def repliedTo(tags: Mapping[str, str]) -> str:
    """
    Return the C{msgid} of the message that a line with these tags replies or reacts
    to, C{""} for none.
    """
    return next((tags[name] for name in REPLY_TAGS if tags.get(name)), "")


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
