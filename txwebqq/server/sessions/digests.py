"""
The digests by which the server keeps the secrets of sessions.
"""

from __future__ import annotations

import hashlib


def digestOf(secret: str | bytes) -> bytes:
    """
    Return the SHA-256 of a secret, C{b""} for an empty one.
    """
    if not secret:
        return b""
    raw = secret if isinstance(secret, bytes) else secret.encode("utf-8", "replace")
    return hashlib.sha256(raw).digest()
