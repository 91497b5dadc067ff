"""
Fixtures of the server's tests, and the tests that are run with several processes as
well: those of L{tests.server.fleet.same}, a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.server.fleet.same import MODULES, OTHERS, QUICK
from tests.server.harness import ServerHarness
from txwebqq.server.storage import store as storing
from txwebqq.server.storage.store import Store

if TYPE_CHECKING:
    from tests.postgresql.server import PostgreSQLServer
    from tests.server.fleet.harness import Databases

_HERE = Path(__file__).parent


class FleetModule(pytest.Module):
    """
    The tests of a module, with several processes.
    """

    def _getobj(self) -> ModuleType:
        # Another object, so that pytest looks for its fixtures again.
        copy = ModuleType(f"{self.name} fleet")
        vars(copy).update(vars(super()._getobj()))
        return copy

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        self.add_marker(pytest.mark.usefixtures("fleet"))
        yield from super().collect()


@pytest.hookimpl(tryfirst=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> FleetModule | None:
    """
    Collect the tests of a module a second time.
    """
    if file_path.parent.parent != _HERE:
        return None
    name = file_path.relative_to(_HERE).as_posix()
    if name not in MODULES:
        return None
    nodeid = f"tests/server/fleet/{name}"
    module = FleetModule.from_parent(parent, path=file_path, nodeid=nodeid)
    assert isinstance(module, FleetModule)
    return module


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Mark those of them that take long, and skip those that are for one server only.
    """
    for item in items:
        module = item.getparent(FleetModule)
        if module is None:
            continue
        file = module.path.relative_to(_HERE).as_posix()
        whole = f"{file}::{item.nodeid.rpartition('::')[2]}"
        name = whole.partition("[")[0]
        if name not in QUICK:
            item.add_marker(pytest.mark.long)
        for part in (file, name, whole):
            if part in OTHERS:
                item.add_marker(pytest.mark.skip(reason=OTHERS[part]))


@pytest.fixture(scope="session")
def fleetDatabases(postgreSQL: PostgreSQLServer) -> Iterator[Databases]:
    """
    The database of L{FleetHarness<tests.server.fleet.harness.FleetHarness>}.
    """
    from tests.server.fleet.harness import Databases

    with closing(Databases(postgreSQL)) as databases:
        yield databases


@pytest.fixture
def fleetEngine(fleetDatabases: Databases) -> Iterator[None]:
    """
    Have an empty database for a L{FleetHarness
    <tests.server.fleet.harness.FleetHarness>}, and close it afterwards. No statement
    may read a table as a whole that grows.
    """
    from tests.server.fleet.harness import FleetHarness

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FleetHarness, "databases", fleetDatabases, raising=False)
        patch.setattr(FleetHarness, "opened", [])
        patch.setattr(storing, "openDatabase", fleetDatabases.open)
        fleetDatabases.clear()
        with fleetDatabases.recording(patch):
            yield
        while FleetHarness.opened:
            FleetHarness.opened[-1].close()
    assert fleetDatabases.unindexed() == []


@pytest.fixture
def fleet(fleetEngine: None) -> Iterator[None]:
    """
    Have harnesses made of several processes with one database.
    """
    from tests.server.fleet.harness import FleetHarness

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServerHarness, "substitute", FleetHarness)
        yield


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
