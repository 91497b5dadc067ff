"""
IRC casemappings: which nicks and channel names are the same.
"""

from __future__ import annotations

CASEMAPPINGS = {
    "ascii": str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"),
    "rfc1459": str.maketrans(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\~", "abcdefghijklmnopqrstuvwxyz{}|^"
    ),
    "strict-rfc1459": str.maketrans(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\", "abcdefghijklmnopqrstuvwxyz{}|"
    ),
}
"""Translation tables by the values of C{CASEMAPPING} in C{RPL_ISUPPORT}."""


def casefold(text: str, mapping: str = "rfc1459") -> str:
    """
    Return the lower case form of a nick or channel name; names with the same
    form are the same name.
    """
    return text.translate(CASEMAPPINGS[mapping])
