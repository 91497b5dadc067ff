"""
Signatures that the server gives to clients and recognises later.
"""

from __future__ import annotations

import hmac

from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.storage.store import Store


class Signer:
    """
    Makes signatures with a secret that is kept in the database, so that they
    stay valid when the server is restarted.

    @param name: the name of the secret.
    """

    def __init__(self, store: Store, name: str, random: Random) -> None:
        self._store = store
        self._name = name
        self._random = random
        self._secret = ""

    def sign(self, *values: object) -> str:
        """
        Return the signature of some values, as 64 hexadecimal digits.
        """
        if not self._secret:
            self._secret = self._store.secret(self._name, token(self._random, 64))
        text = ":".join(map(str, values))
        return hmac.new(self._secret.encode(), text.encode(), "sha256").hexdigest()
