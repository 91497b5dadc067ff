"""
Fixtures of the server's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from txwebqq.server.storage.store import Store


@pytest.fixture
def openStore() -> Iterator[Callable[[Path], Store]]:
    """
    Call with the path of a database, which is closed after the test: the test does
    not close it itself, as a server that is killed does not.
    """
    with ExitStack() as stores:

        def openStore(path: Path) -> Store:
            store = Store(path)
            stores.callback(store.close)
            return store

        yield openStore
