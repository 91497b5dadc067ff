"""
IRC casemappings: which nicks and channel names are the same.
"""

from __future__ import annotations

import unicodedata

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

    @param mapping: the value of C{CASEMAPPING}. Those that are not among
        L{CASEMAPPINGS} (C{rfc8265}, C{precis}, C{utf-8}) fold all letters.
    """
    table = CASEMAPPINGS.get(mapping)
    if table is not None:
        folded = text.translate(table)
        # Most tables of names have both, which are one object then.
        return text if folded == text else folded
    return unicodedata.normalize("NFC", text.casefold())
